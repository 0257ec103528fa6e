//! All orders and repetitions of the reports on a call have the same result.

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;

const SID: &str = "CA00000000000000000000000000000001";
const LEG: &str = "CA00000000000000000000000000000002";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn attempt(order: LegOrder) -> Attempt {
    Attempt {
        submission: {
            let mut submission = Submission::intent(at(0));
            submission.submit(at(0));
            submission
        },
        ..Attempt::new(
            AttemptId::new(Uuid::from_u128(1)),
            CallbackId::new(Uuid::from_u128(2)),
            Numbers {
                sender: Phone::parse("+551151991234").unwrap(),
                consumer: Phone::parse("+5511987654321").unwrap(),
            },
            "main",
            order,
            at(0),
        )
    }
}

fn report(second: i64, progress: CallProgress) -> CallReport {
    CallReport {
        attempt: AttemptId::new(Uuid::from_u128(1)),
        sid: SID.into(),
        parent_sid: None,
        progress,
        at: Some(at(second)),
        duration_s: matches!(progress, CallProgress::Ended(_)).then_some(7),
        sip_code: None,
        error_code: None,
    }
}

fn leg_report(second: i64, progress: CallProgress) -> CallReport {
    CallReport { sid: LEG.into(), parent_sid: Some(SID.into()), ..report(second, progress) }
}

/// All orders of the reports, each with one report repeated at the end.
fn every_order(reports: &[CallReport], check: impl Fn(&Attempt), order: LegOrder) {
    let mut indexes: Vec<usize> = (0..reports.len()).collect();
    let mut orders = 0;
    permute(&mut indexes, 0, &mut |permutation| {
        let mut attempt = attempt(order);
        for &index in permutation.iter().chain(permutation) {
            attempt.observe(at(60), &reports[index]);
        }
        check(&attempt);
        orders += 1;
    });
    assert_eq!(orders, (1..=reports.len()).product::<usize>());
}

/// Visits every order of the items from `from` on.
pub(super) fn permute<T>(items: &mut [T], from: usize, visit: &mut impl FnMut(&[T])) {
    if from == items.len() {
        return visit(items);
    }
    for index in from..items.len() {
        items.swap(from, index);
        permute(items, from + 1, visit);
        items.swap(from, index);
    }
}

#[test]
fn an_answered_call_ends_the_same_in_every_order() {
    let reports = [
        report(1, CallProgress::Initiated),
        report(2, CallProgress::Ringing),
        report(5, CallProgress::InProgress),
        report(12, CallProgress::Ended(Disposition::Completed)),
    ];
    every_order(
        &reports,
        |attempt| {
            assert_eq!(attempt.disposition(), Some(Disposition::Completed));
            assert_eq!(attempt.rang_at, Some(at(2)));
            assert_eq!(attempt.connected_at, Some(at(5)));
            assert_eq!(attempt.ended_at, Some(at(12)));
            assert_eq!(attempt.submission.sid.as_deref(), Some(SID));
            assert!(!attempt.is_live());
        },
        LegOrder::ConsumerFirst,
    );
}

#[test]
fn a_missed_call_ends_the_same_in_every_order() {
    let reports = [
        report(1, CallProgress::Initiated),
        report(2, CallProgress::Ringing),
        report(32, CallProgress::Ended(Disposition::NoAnswer)),
    ];
    every_order(
        &reports,
        |attempt| {
            assert_eq!(attempt.disposition(), Some(Disposition::NoAnswer));
            assert!(attempt.rang());
            assert_eq!(attempt.connected_at, None);
        },
        LegOrder::ConsumerFirst,
    );
}

#[test]
fn an_agent_first_call_is_judged_by_the_consumers_leg() {
    let reports = [
        report(1, CallProgress::Ringing),
        report(3, CallProgress::InProgress),
        leg_report(4, CallProgress::Ringing),
        leg_report(20, CallProgress::Ended(Disposition::Busy)),
        report(21, CallProgress::Ended(Disposition::Completed)),
    ];
    every_order(
        &reports,
        |attempt| {
            assert_eq!(attempt.disposition(), Some(Disposition::Busy));
            assert_eq!(attempt.rang_at, Some(at(4)));
            assert_eq!(attempt.submission.sid.as_deref(), Some(SID));
            assert_eq!(attempt.second_sid.as_deref(), Some(LEG));
        },
        LegOrder::AgentFirst,
    );
}

#[test]
fn an_agent_who_does_not_answer_leaves_the_consumer_untouched() {
    let mut attempt = attempt(LegOrder::AgentFirst);
    attempt.observe(at(1), &report(1, CallProgress::Ringing));
    attempt.observe(at(30), &report(30, CallProgress::Ended(Disposition::NoAnswer)));
    assert_eq!(attempt.disposition(), Some(Disposition::Failed));
    assert!(!attempt.rang());
}

#[test]
fn a_late_answer_regresses_nothing_that_a_report_has_settled() {
    let mut attempt = attempt(LegOrder::ConsumerFirst);
    attempt.observe(at(2), &report(2, CallProgress::Ringing));
    let settled = attempt.clone();
    assert!(!attempt.submission.answer(at(9), &crate::domain::submission::Answer::Unknown));
    assert!(!attempt.submission.answer(at(9), &crate::domain::submission::Answer::Throttled));
    assert_eq!(attempt, settled);
}

#[test]
fn an_unknown_attempt_lives_until_somebody_knows() {
    let mut attempt = attempt(LegOrder::ConsumerFirst);
    assert!(attempt.submission.recover(at(5)));
    assert!(attempt.is_live());
    assert_eq!(attempt.disposition(), None);
    assert!(attempt.submission.disprove(at(900)));
    assert!(!attempt.is_live());
    assert_eq!(attempt.disposition(), Some(Disposition::Failed));
}

#[test]
fn nothing_is_submitted_twice() {
    let mut submission = attempt(LegOrder::ConsumerFirst).submission;
    assert!(!submission.submit(at(1)));
    assert!(submission.answer(at(1), &crate::domain::submission::Answer::Unknown));
    assert!(!submission.submit(at(2)));
    assert!(!submission.withdraw());
}

const PATIENCE: UnresolvedAfter =
    UnresolvedAfter { ringing: SignedDuration::from_secs(100), in_progress: SignedDuration::from_secs(1000) };

fn unknown(order: LegOrder) -> Attempt {
    let mut attempt = attempt(order);
    attempt.submission.recover(at(1));
    attempt
}

fn resolved(mut attempt: Attempt, fate: AttemptResolution) -> Attempt {
    assert_eq!(attempt.may_be_resolved(at(5), fate, &PATIENCE), Ok(()));
    attempt.resolve(at(5), fate, Some(SID));
    attempt
}

#[test]
fn what_an_operator_says_of_an_unknown_attempt_becomes_of_it() {
    for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
        for fate in AttemptResolution::ALL {
            let after = resolved(unknown(order), fate);
            assert!(after.is_known_as(fate), "{fate:?}: {after:?}");
            assert!(!after.is_live());
            let others = AttemptResolution::ALL.into_iter().filter(|other| *other != fate);
            assert!(others.into_iter().all(|other| !after.is_known_as(other)), "{fate:?}");
            let rang = matches!(
                fate,
                AttemptResolution::Abandoned
                    | AttemptResolution::Ended(
                        Disposition::Completed | Disposition::NoAnswer | Disposition::Busy
                    )
            );
            assert_eq!(after.rang(), rang, "{fate:?}");
            let answered = [AttemptResolution::Abandoned, AttemptResolution::Ended(Disposition::Completed)];
            assert_eq!(after.connected_at.is_some(), answered.contains(&fate), "{fate:?}");
            assert_eq!(
                after.may_be_resolved(at(9999), fate, &PATIENCE),
                Err(ResolutionRefused::NotInDoubt),
                "{fate:?}"
            );
        }
    }
}

#[test]
fn every_fate_has_a_word_and_is_found_by_it() {
    let words = AttemptResolution::ALL.map(AttemptResolution::as_str);
    assert_eq!(words, ["not_placed", "completed", "abandoned", "no_answer", "busy", "canceled", "failed"]);
    assert_eq!(words.map(str::parse), AttemptResolution::ALL.map(Ok));
    assert!("rejected".parse::<AttemptResolution>().is_err());
}

#[test]
fn silence_is_counted_from_the_last_sign_of_any_kind() {
    let accepted = |submitted, answered| {
        let mut attempt = attempt(LegOrder::ConsumerFirst);
        attempt.submission.stage = Stage::Accepted;
        attempt.submission.submitted_at = submitted;
        attempt.submission.answered_at = answered;
        attempt
    };
    let doubted_from = |attempt: Attempt| {
        (0..2000).find(|&second| attempt.is_unresolved(at(second), &PATIENCE)).expect("in time")
    };
    assert_eq!(doubted_from(accepted(None, None)), 100, "its intent");
    assert_eq!(doubted_from(accepted(Some(at(3)), None)), 103);
    assert_eq!(doubted_from(accepted(Some(at(3)), Some(at(4)))), 104);
    let rang = Attempt { rang_at: Some(at(9)), ..accepted(Some(at(3)), Some(at(4))) };
    assert_eq!(doubted_from(rang.clone()), 109);
    let answered = Attempt { connected_at: Some(at(12)), first_leg: CallProgress::InProgress, ..rang };
    assert_eq!(doubted_from(answered), 1012);
}

#[test]
fn what_is_over_or_was_never_placed_is_not_in_doubt() {
    let mut over = attempt(LegOrder::ConsumerFirst);
    over.observe(at(3), &report(3, CallProgress::Ended(Disposition::NoAnswer)));
    assert!(!over.is_unresolved(at(9999), &PATIENCE));
    for stage in [Stage::Intent, Stage::Submitting, Stage::Rejected, Stage::Throttled, Stage::NotPlaced] {
        let mut attempt = attempt(LegOrder::ConsumerFirst);
        attempt.submission.stage = stage;
        assert!(!attempt.is_unresolved(at(9999), &PATIENCE), "{stage:?}");
    }
}

#[test]
fn an_accepted_call_is_in_doubt_when_it_was_silent_for_longer_than_a_call_can_be() {
    let mut ringing = attempt(LegOrder::ConsumerFirst);
    ringing.observe(at(2), &report(2, CallProgress::Ringing));
    let mut talking = ringing.clone();
    talking.observe(at(7), &report(7, CallProgress::InProgress));
    let doubted = |attempt: &Attempt, second| attempt.is_unresolved(at(second), &PATIENCE);
    assert_eq!([doubted(&ringing, 101), doubted(&ringing, 102)], [false, true]);
    assert_eq!([doubted(&talking, 1006), doubted(&talking, 1007)], [false, true]);
    let submitting = attempt(LegOrder::ConsumerFirst);
    assert!(!doubted(&submitting, 9999), "its answer comes by itself, or a restart makes it unknown");
}

#[test]
fn an_operator_cannot_contradict_what_was_reported() {
    let may = |attempt: &Attempt, fate| attempt.may_be_resolved(at(9999), fate, &PATIENCE);
    let mut talking = attempt(LegOrder::ConsumerFirst);
    talking.observe(at(7), &report(7, CallProgress::InProgress));
    assert_eq!(may(&talking, AttemptResolution::NotPlaced), Err(ResolutionRefused::WasPlaced));
    let missed = AttemptResolution::Ended(Disposition::NoAnswer);
    assert_eq!(
        may(&talking, missed),
        Err(ResolutionRefused::EndedAs(AttemptResolution::Ended(Disposition::Completed)))
    );
    assert_eq!(may(&talking, AttemptResolution::Ended(Disposition::Completed)), Ok(()));

    let mut busy = attempt(LegOrder::AgentFirst);
    busy.observe(at(3), &leg_report(3, CallProgress::Ended(Disposition::Busy)));
    assert_eq!(
        may(&busy, missed),
        Err(ResolutionRefused::EndedAs(AttemptResolution::Ended(Disposition::Busy)))
    );
    assert_eq!(may(&busy, AttemptResolution::Ended(Disposition::Busy)), Ok(()));
}

#[test]
fn a_report_that_tells_more_than_the_operator_stands_above_the_word() {
    // The operator said that it does not exist, and it rings.
    let mut there = resolved(unknown(LegOrder::ConsumerFirst), AttemptResolution::NotPlaced);
    there.observe(at(8), &report(8, CallProgress::Ringing));
    assert!(there.is_live() && there.rang());

    // The operator said that it was missed, and it was answered.
    let mut answered =
        resolved(unknown(LegOrder::ConsumerFirst), AttemptResolution::Ended(Disposition::NoAnswer));
    answered.observe(at(9), &report(3, CallProgress::Ended(Disposition::Completed)));
    assert_eq!(answered.disposition(), Some(Disposition::Completed));

    // The operator said that it failed, and the platform reports another end: the first end stays.
    let mut failed =
        resolved(unknown(LegOrder::ConsumerFirst), AttemptResolution::Ended(Disposition::Failed));
    failed.observe(at(9), &report(3, CallProgress::Ended(Disposition::Canceled)));
    assert_eq!(failed.disposition(), Some(Disposition::Failed));
}

#[test]
fn a_call_that_an_operator_vouched_for_takes_its_name_from_a_later_report() {
    let mut attempt = unknown(LegOrder::ConsumerFirst);
    attempt.resolve(at(5), AttemptResolution::Ended(Disposition::Busy), None);
    assert_eq!((attempt.submission.stage, attempt.submission.sid.as_deref()), (Stage::Accepted, None));
    attempt.observe(at(9), &report(3, CallProgress::Ringing));
    assert_eq!(attempt.submission.sid.as_deref(), Some(SID));
}

#[test]
fn of_two_ends_the_first_that_was_reported_stands() {
    let mut attempt = attempt(LegOrder::ConsumerFirst);
    assert!(attempt.observe(at(32), &report(32, CallProgress::Ended(Disposition::NoAnswer))));
    assert!(!attempt.observe(at(33), &report(33, CallProgress::Ended(Disposition::Failed))));
    assert_eq!(attempt.disposition(), Some(Disposition::NoAnswer));
}

#[test]
fn a_report_that_tells_nothing_new_changes_nothing() {
    let mut attempt = attempt(LegOrder::ConsumerFirst);
    assert!(attempt.observe(at(2), &report(2, CallProgress::Ringing)));
    assert!(!attempt.observe(at(3), &report(2, CallProgress::Ringing)));
    assert!(!attempt.observe(at(3), &report(1, CallProgress::Initiated)));
    assert!(attempt.observe_document_fetched(at(4), SID));
    assert!(!attempt.observe_document_fetched(at(5), SID));
    assert!(attempt.observe_connection(at(6), &connection(ConnectionEnd::NoAnswer)));
    assert!(!attempt.observe_connection(at(7), &connection(ConnectionEnd::Bridged)));
}

fn connection(ended: ConnectionEnd) -> ConnectionReport {
    ConnectionReport {
        attempt: AttemptId::new(Uuid::from_u128(1)),
        sid: SID.into(),
        leg_sid: Some(LEG.into()),
        ended,
        duration_s: None,
    }
}

#[test]
fn a_fetched_document_tells_that_whoever_was_called_first_has_answered() {
    let fetched = |order| {
        let mut attempt = attempt(order);
        attempt.observe_document_fetched(at(4), SID);
        assert_eq!(attempt.submission.sid.as_deref(), Some(SID));
        assert_eq!(attempt.first_leg, CallProgress::InProgress);
        (attempt.rang_at, attempt.connected_at)
    };
    assert_eq!(fetched(LegOrder::ConsumerFirst), (Some(at(4)), Some(at(4))));
    assert_eq!(fetched(LegOrder::AgentFirst), (None, None), "the consumer was not called yet");
}

#[test]
fn the_end_of_a_connection_tells_how_the_consumers_leg_ended_if_that_was_the_second() {
    for (ended, told) in [
        (ConnectionEnd::Bridged, Some(Disposition::Completed)),
        (ConnectionEnd::NoAnswer, Some(Disposition::NoAnswer)),
        (ConnectionEnd::Busy, Some(Disposition::Busy)),
        (ConnectionEnd::Failed, Some(Disposition::Failed)),
        (ConnectionEnd::Canceled, Some(Disposition::Canceled)),
        (ConnectionEnd::LeftQueue, None),
    ] {
        let ended_as = |order| {
            let mut attempt = attempt(order);
            attempt.observe_connection(at(6), &connection(ended));
            assert_eq!(attempt.submission.sid.as_deref(), Some(SID));
            assert_eq!(attempt.second_sid.as_deref(), Some(LEG));
            assert_eq!((attempt.first_leg, attempt.connection), (CallProgress::InProgress, Some(ended)));
            (attempt.second_leg, attempt.rang_at, attempt.connected_at)
        };
        let answered_at = (ended == ConnectionEnd::Bridged).then(|| at(6));
        // An unanswered call rang, even if no report said so.
        let rang = [ConnectionEnd::Bridged, ConnectionEnd::NoAnswer, ConnectionEnd::Busy].contains(&ended);
        let rang_at = rang.then(|| at(6));
        let second_leg = told.map(CallProgress::Ended);
        assert_eq!(ended_as(LegOrder::AgentFirst), (second_leg, rang_at, answered_at), "{ended:?}");
        assert_eq!(ended_as(LegOrder::ConsumerFirst), (None, None, None), "{ended:?}");
    }
}
