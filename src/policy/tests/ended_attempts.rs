//! The effect of every end of an attempt on its callback.

use super::ledger_rules::attempt;
use super::*;
use crate::domain::event::ConnectionEnd;
use crate::domain::{Bridge, Proof};
use crate::policy::after_attempt::{AfterAttempt, after_attempt};
use crate::twilio::words::error_code;

const CALM: AfterAttempt =
    AfterAttempt { counts: false, fault: false, abandoned: false, retry_at: None, finish: None };

fn after(attempt: &Attempt, disposition: Disposition) -> AfterAttempt {
    after_attempt(at(0), &ready().callback, attempt, disposition, &rules())
}

fn rang() -> Attempt {
    Attempt { rang_at: Some(at(-30)), ..attempt() }
}

/// Refused or failed with this code.
fn failed(code: u32) -> AfterAttempt {
    let mut attempt = attempt();
    attempt.submission.error_code = Some(error_code(code));
    after(&attempt, Disposition::Failed)
}

fn in_stage(stage: Stage, disposition: Disposition) -> AfterAttempt {
    let mut attempt = rang();
    attempt.submission.stage = stage;
    after(&attempt, disposition)
}

fn retry(minutes: i64) -> Option<Timestamp> {
    Some(at(minutes * 60))
}

#[test]
fn a_consumer_who_was_spoken_to_is_reached() {
    let reached = AfterAttempt { counts: true, finish: Some((Outcome::Reached, Reason::Answered)), ..CALM };
    assert_eq!(after(&rang(), Disposition::Completed), reached);
}

#[test]
fn a_callback_that_was_canceled_meanwhile_ends_with_its_attempt_unless_the_consumer_was_reached() {
    let canceled = |attempt: &Attempt, disposition| {
        let callback = Callback { cancel_requested_at: Some(at(-1)), ..ready().callback };
        after_attempt(at(0), &callback, attempt, disposition, &rules())
    };
    let finish = Some((Outcome::Canceled, Reason::CustomerCanceled));
    for disposition in [Disposition::NoAnswer, Disposition::Busy, Disposition::Canceled, Disposition::Failed]
    {
        let ended = AfterAttempt { finish: finish.clone(), ..CALM };
        assert_eq!(canceled(&attempt(), disposition), ended, "{disposition:?}");
        assert_eq!(canceled(&rang(), disposition), AfterAttempt { counts: true, ..ended }, "{disposition:?}");
    }
    // A consumer who answers at the cancellation or after it gets the document `canceled`.
    for (connected_at, reached) in [(None, true), (Some(-2), true), (Some(-1), false), (Some(0), false)] {
        let attempt = Attempt { connected_at: connected_at.map(at), ..rang() };
        let expected = if reached { Some((Outcome::Reached, Reason::Answered)) } else { finish.clone() };
        assert_eq!(canceled(&attempt, Disposition::Completed).finish, expected, "{connected_at:?}");
    }
}

#[test]
fn a_callback_that_an_earlier_call_reached_ends_so_whatever_becomes_of_the_attempt() {
    let reached = |attempt: &Attempt, disposition| {
        let callback =
            Callback { reached_late_at: Some(at(-1)), cancel_requested_at: Some(at(-1)), ..ready().callback };
        after_attempt(at(0), &callback, attempt, disposition, &rules())
    };
    let ended = AfterAttempt { finish: Some((Outcome::Reached, Reason::Answered)), ..CALM };
    for disposition in [Disposition::NoAnswer, Disposition::Busy, Disposition::Canceled, Disposition::Failed]
    {
        assert_eq!(reached(&attempt(), disposition), ended, "{disposition:?}");
        assert_eq!(reached(&rang(), disposition), AfterAttempt { counts: true, ..ended.clone() });
    }
    // Whoever answered was served already, whether or not anybody was there once more.
    for connected_at in [at(-2), at(0)] {
        let unserved = Attempt { proof: Proof::Bridge, connected_at: Some(connected_at), ..rang() };
        assert_eq!(
            reached(&unserved, Disposition::Completed),
            AfterAttempt { counts: true, ..ended.clone() }
        );
    }
    let mut withdrawn = attempt();
    withdrawn.submission.stage = Stage::Withdrawn;
    assert_eq!(reached(&withdrawn, Disposition::Canceled), ended);
}

#[test]
fn a_miss_counts_and_waits_by_how_it_was_missed() {
    let missed = |minutes| AfterAttempt { counts: true, retry_at: retry(minutes), ..CALM };
    assert_eq!(after(&rang(), Disposition::NoAnswer), missed(240));
    assert_eq!(after(&rang(), Disposition::Busy), missed(15));
    assert_eq!(after(&rang(), Disposition::Canceled), missed(5));
}

#[test]
fn a_call_that_was_canceled_before_it_rang_does_not_count() {
    assert_eq!(after(&attempt(), Disposition::Canceled), AfterAttempt { retry_at: retry(5), ..CALM });
}

#[test]
fn what_was_taken_back_or_throttled_leaves_no_trace() {
    assert_eq!(in_stage(Stage::Withdrawn, Disposition::Canceled), CALM);
    assert_eq!(in_stage(Stage::Throttled, Disposition::Failed), CALM);
    let fault = AfterAttempt { fault: true, retry_at: retry(5), ..CALM };
    assert_eq!(in_stage(Stage::NotPlaced, Disposition::Failed), fault);
}

#[test]
fn what_can_never_be_done_ends_the_callback_with_its_code() {
    let refused = Some((
        Outcome::Failed,
        Reason::Refused { code: Some(error_code(37007)), meaning: errors::meaning(error_code(37007)) },
    ));
    assert_eq!(failed(37007), AfterAttempt { finish: refused, ..CALM });
}

#[test]
fn a_code_that_teaches_about_the_pair_is_a_fault_and_what_was_learned_decides_when_to_go_on() {
    for code in [37000, 138_017, 138_001] {
        assert_eq!(failed(code), AfterAttempt { fault: true, ..CALM }, "{code}");
    }
}

#[test]
fn a_code_that_asks_for_patience_is_no_fault() {
    for code in [37003, 37004, 37006, 138_009, 22005] {
        assert_eq!(failed(code), CALM, "{code}");
    }
}

#[test]
fn a_code_that_nobody_knows_is_a_fault_and_tried_again() {
    for code in [63016, 138_004, 99_999] {
        assert_eq!(failed(code), AfterAttempt { fault: true, retry_at: retry(5), ..CALM }, "{code}");
    }
}

#[test]
fn a_code_that_nobody_knows_is_repeated_once() {
    let after = |code, faults| {
        let mut callback = ready().callback;
        callback.faults = faults;
        let mut attempt = attempt();
        attempt.submission.error_code = Some(error_code(code));
        after_attempt(at(0), &callback, &attempt, Disposition::Failed, &rules())
    };
    let ended = |reason| AfterAttempt { finish: Some((Outcome::Failed, reason)), ..CALM };
    let unknown = Some(error_code(99_999));
    assert_eq!(after(99_999, 1), ended(Reason::RefusedUnknown { code: unknown }));
    assert_eq!(after(99_999, 2), ended(Reason::RefusedUnknown { code: unknown }));
    // A day after the first time, and not after the second.
    assert_eq!(after(21_214, 0), AfterAttempt { fault: true, retry_at: retry(24 * 60), ..CALM });
    let code = error_code(21_214);
    let refused = Reason::Refused { code: Some(code), meaning: errors::meaning(code) };
    assert_eq!(after(21_214, 1), ended(refused));
    // What is always tried again is, however often it failed before.
    assert_eq!(after(138_004, 3), AfterAttempt { fault: true, retry_at: retry(5), ..CALM });
}

#[test]
fn an_opt_out_ends_the_callback_as_declined() {
    let end = Some((Outcome::Declined, Reason::OptedOut { code: Some(error_code(21_610)) }));
    assert_eq!(failed(21_610), AfterAttempt { finish: end, ..CALM });
}

#[test]
fn a_call_of_which_nobody_knows_whether_it_was_connected_counts_as_a_miss_does() {
    assert_eq!(failed(138_023), AfterAttempt { counts: true, retry_at: retry(240), ..CALM });
}

#[test]
fn an_answer_that_nobody_served_is_abandoned_and_tried_again() {
    let answered = |proof, connection, leg: Option<&str>| Attempt {
        proof,
        connected_at: Some(at(1)),
        first_leg: CallProgress::Ended(Disposition::Completed),
        connection,
        connection_sid: connection.map(|_| "CA1".to_owned()),
        bridge: leg.map(|sid| Bridge { sid: sid.to_owned(), at: None }),
        ..ledger_rules::attempt()
    };
    let after = |attempt: &Attempt| {
        after_attempt(at(9), &ready().callback, attempt, Disposition::Completed, &rules())
    };
    let abandoned = AfterAttempt { counts: true, abandoned: true, retry_at: Some(at(609)), ..CALM };
    for (proof, connection, leg, served) in [
        (Proof::Bridge, None, None, false),
        (Proof::Bridge, None, Some("CA1"), true),
        (Proof::Bridge, Some(ConnectionEnd::Bridged), None, true),
        (Proof::Bridge, Some(ConnectionEnd::NoAnswer), None, false),
        (Proof::Bridge, Some(ConnectionEnd::LeftQueue), None, false),
        // The leg was answered and hung up during its whisper, so it connected nobody.
        (Proof::Bridge, Some(ConnectionEnd::NoAnswer), Some("CA1"), false),
        (Proof::Bridge, Some(ConnectionEnd::NoAnswer), Some("CA2"), true),
        (Proof::Playback, None, None, false),
        (Proof::Playback, Some(ConnectionEnd::Played), None, true),
        (Proof::Bot, None, None, true),
        (Proof::Bot, Some(ConnectionEnd::Failed), None, false),
        (Proof::Answer, None, None, true),
        (Proof::Answer, Some(ConnectionEnd::NoAnswer), None, true),
        (Proof::Answer, Some(ConnectionEnd::Nobody), None, false),
    ] {
        let attempt = answered(proof, connection, leg);
        assert_eq!(
            (attempt.is_served(), attempt.is_abandoned()),
            (served, !served),
            "{proof:?} {connection:?} {leg:?}"
        );
        match served {
            true => assert_eq!(after(&attempt).finish, Some((Outcome::Reached, Reason::Answered))),
            false => assert_eq!(after(&attempt), abandoned),
        }
    }
    // An agent who was called first is there.
    let agent_first = Attempt {
        order: LegOrder::AgentFirst,
        ..answered(Proof::Answer, Some(ConnectionEnd::NoAnswer), None)
    };
    assert_eq!(after(&agent_first).finish, Some((Outcome::Reached, Reason::Answered)));
}
