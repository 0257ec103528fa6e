//! How each event changes a pair. Boundaries are tested one second before, at and one second after.

use super::*;
use crate::twilio::words::error_code;

pub(super) fn pair(permission: CallPermission) -> Pair {
    Pair { permission, ..ready().pair }
}

fn replied(permission: CallPermission, answer: PermissionAnswer, automatic: bool) -> CallPermission {
    let mut pair = pair(permission);
    ledger::replied(&mut pair, at(0), answer, automatic, &rules());
    pair.permission
}

pub(super) const GRANT: PermissionAnswer = PermissionAnswer::Temporary { expires_at: None };
pub(super) const WEEK: i64 = 7 * DAY;

#[test]
fn an_acceptance_lasts_seven_days_unless_the_platform_says_otherwise() {
    let requested = CallPermission::Requested { expires_at: at(DAY) };
    assert_eq!(replied(requested, GRANT, false), CallPermission::Temporary { expires_at: at(WEEK) });
    let told = PermissionAnswer::Temporary { expires_at: Some(at(99)) };
    assert_eq!(replied(requested, told, false), CallPermission::Temporary { expires_at: at(99) });
    for (told, kept) in [(WEEK - 1, WEEK - 1), (WEEK, WEEK), (WEEK + 1, WEEK), (100 * WEEK, WEEK)] {
        let told = PermissionAnswer::Temporary { expires_at: Some(at(told)) };
        assert_eq!(replied(requested, told, false), CallPermission::Temporary { expires_at: at(kept) });
    }
    assert_eq!(replied(requested, PermissionAnswer::Permanent, false), CallPermission::Permanent);
}

#[test]
fn a_no_means_declined_or_revoked_by_what_there_was() {
    let requested = CallPermission::Requested { expires_at: at(DAY) };
    let no = PermissionAnswer::Rejected;
    assert_eq!(replied(requested, no, false), CallPermission::Declined { until: at(WEEK) });
    assert_eq!(replied(CallPermission::Permanent, no, false), CallPermission::RevokedByConsumer);
    assert_eq!(
        replied(CallPermission::Temporary { expires_at: at(DAY) }, no, false),
        CallPermission::RevokedByConsumer
    );
    assert_eq!(replied(CallPermission::Permanent, no, true), CallPermission::RevokedAutomatically);
}

#[test]
fn a_mind_may_change_either_way() {
    let declined = CallPermission::Declined { until: at(DAY) };
    assert_eq!(replied(declined, GRANT, false), CallPermission::Temporary { expires_at: at(WEEK) });
    assert_eq!(
        replied(CallPermission::RevokedByConsumer, GRANT, false),
        CallPermission::Temporary { expires_at: at(WEEK) }
    );
}

#[test]
fn an_automatic_grant_does_not_shorten_a_permanent_one() {
    assert_eq!(replied(CallPermission::Permanent, GRANT, true), CallPermission::Permanent);
}

#[test]
fn what_has_run_out_ends_on_the_second() {
    let lapsed = |permission, second| {
        let mut pair = pair(permission);
        ledger::lapse(&mut pair, at(second));
        pair.permission
    };
    let temporary = CallPermission::Temporary { expires_at: at(100) };
    assert_eq!(lapsed(temporary, 99), temporary);
    assert_eq!(lapsed(temporary, 100), CallPermission::Expired);
    let requested = CallPermission::Requested { expires_at: at(100) };
    assert_eq!(lapsed(requested, 99), requested);
    assert_eq!(lapsed(requested, 100), CallPermission::None);
    assert_eq!(lapsed(CallPermission::Permanent, 100), CallPermission::Permanent);
}

#[test]
fn delivery_starts_the_lifetime_of_a_request_anew() {
    let message = MessageId::new(Uuid::from_u128(5));
    let mut pair = pair(CallPermission::None);
    ledger::request_intended(&mut pair, at(0), message, &rules());
    ledger::request_sent(&mut pair, message, at(1), &rules());
    assert_eq!(pair.permission, CallPermission::Requested { expires_at: at(1 + WEEK) });
    ledger::request_delivered(&mut pair, message, at(60), &rules());
    assert_eq!(pair.permission, CallPermission::Requested { expires_at: at(60 + WEEK) });
}

#[test]
fn a_request_that_never_left_does_not_count_and_one_that_failed_does() {
    let message = MessageId::new(Uuid::from_u128(5));
    let mut taken_back = pair(CallPermission::None);
    ledger::request_intended(&mut taken_back, at(0), message, &rules());
    let mut failed = taken_back.clone();
    ledger::request_taken_back(&mut taken_back, message, at(0));
    assert_eq!((taken_back.requests.len(), taken_back.request), (0, None));
    ledger::request_sent(&mut failed, message, at(1), &rules());
    ledger::request_failed(&mut failed, message, at(0), &rules());
    assert_eq!((failed.requests.len(), failed.permission), (1, CallPermission::None));
}

#[test]
fn a_request_that_is_proved_after_all_counts_again_and_can_be_answered() {
    let (message, other) = (MessageId::new(Uuid::from_u128(5)), MessageId::new(Uuid::from_u128(6)));
    let mut pair = pair(CallPermission::None);
    ledger::request_intended(&mut pair, at(0), message, &rules());
    ledger::request_taken_back(&mut pair, message, at(0));
    let mut asked_again = pair.clone();
    ledger::request_intended(&mut asked_again, at(9), other, &rules());
    ledger::request_proved(&mut pair, message, at(0));
    assert_eq!((pair.requests.as_slice(), pair.request), (&[at(0)][..], Some(message)));
    // Both were sent; the later one is open.
    ledger::request_proved(&mut asked_again, message, at(0));
    assert_eq!((asked_again.requests.as_slice(), asked_again.request), (&[at(0), at(9)][..], Some(other)));
}

#[test]
fn a_late_delivery_takes_no_answer_back() {
    let message = MessageId::new(Uuid::from_u128(5));
    let mut pair = pair(CallPermission::None);
    ledger::request_intended(&mut pair, at(0), message, &rules());
    ledger::replied(&mut pair, at(2), GRANT, false, &rules());
    ledger::request_sent(&mut pair, message, at(1), &rules());
    ledger::request_delivered(&mut pair, message, at(3), &rules());
    assert!(pair.permission.is_live(at(4)));
}

#[test]
fn a_connected_call_forgives_requests_and_misses() {
    let mut pair = Pair { requests: vec![at(-DAY), at(-60)], misses: 3, ..pair(CallPermission::Permanent) };
    ledger::call_connected(&mut pair, at(0), &rules());
    assert_eq!((pair.requests.len(), pair.misses), (0, 0));
    assert_eq!(pair.connected, [at(0)]);
}

#[test]
fn a_request_sent_after_the_answer_still_counts() {
    let mut pair = Pair { requests: vec![at(-60), at(60)], ..pair(CallPermission::Permanent) };
    ledger::call_connected(&mut pair, at(0), &rules());
    assert_eq!(pair.requests, [at(60)]);
}

#[test]
fn the_fourth_miss_in_a_row_revokes() {
    let mut pair = pair(CallPermission::Permanent);
    for _ in 0..3 {
        ledger::call_missed(&mut pair, at(0), &rules());
    }
    assert_eq!(pair.permission, CallPermission::Permanent);
    ledger::call_missed(&mut pair, at(0), &rules());
    assert_eq!(pair.permission, CallPermission::RevokedAutomatically);
}

#[test]
fn a_consumers_own_call_grants_what_the_setting_says() {
    let called = |setting, answered| {
        let mut pair = pair(CallPermission::None);
        ledger::inbound_began(&mut pair, at(0), "CA1");
        assert!(pair.live_inbound.is_some());
        ledger::inbound_ended(&mut pair, at(10), "CA1", answered, setting, &rules());
        assert!(pair.live_inbound.is_none());
        pair.permission.is_live(at(11))
    };
    assert!(!called(CallbackPermission::Off, false));
    assert!(called(CallbackPermission::Missed, false));
    assert!(!called(CallbackPermission::Missed, true));
    assert!(called(CallbackPermission::MissedAndAnswered, true));
}

/// Its end may be lost, and then the consumer would be on the phone for ever.
#[test]
fn a_consumers_call_of_which_nothing_is_heard_is_over_after_the_longest_call() {
    let is_live = |sid, after: i64| {
        let mut pair = pair(CallPermission::None);
        ledger::inbound_began(&mut pair, at(100), "CA1");
        ledger::inbound_is_lost(&mut pair, at(100 + after), sid);
        assert_eq!(pair.ended_inbound, None, "its end may still be reported");
        pair.live_inbound.is_some()
    };
    assert!(is_live("CA1", 4 * 3_600 - 1));
    assert!(!is_live("CA1", 4 * 3_600));
    assert!(is_live("CA2", 4 * 3_600), "another call");
}

/// The margin: our clock starts with the report, the platform's with the consumer's answer, and a report
/// may be 15 s late (Twilio, Webhooks connection overrides: all tries lie within 15 s).
#[test]
fn a_permission_whose_end_was_not_told_ends_a_margin_early() {
    let rules = Rules { margin: SignedDuration::from_secs(30), ..rules() };
    let replied = |answer| {
        let mut pair = pair(CallPermission::Requested { expires_at: at(DAY) });
        ledger::replied(&mut pair, at(0), answer, false, &rules);
        pair.permission
    };
    let untold = replied(GRANT);
    assert!(untold.is_live(at(WEEK - 31)));
    assert!(!untold.is_live(at(WEEK - 30)));
    assert!(!untold.is_live(at(WEEK - 29)));
    let told = replied(PermissionAnswer::Temporary { expires_at: Some(at(99)) });
    assert_eq!(told, CallPermission::Temporary { expires_at: at(99) }, "what the platform says is kept");
}

fn counting(change: impl FnOnce(&mut Counting)) -> Rules {
    let mut rules = rules();
    change(&mut rules.counting);
    rules
}

/// Meta, Obtain user call permissions (26 Jun 2026): a connected call resets the request limits.
#[test]
fn what_a_connected_call_forgives_can_be_switched_off() {
    let connected = |rules: &Rules| {
        let mut pair = Pair { requests: vec![at(-60)], misses: 3, ..pair(CallPermission::Permanent) };
        let mut called = pair.clone();
        ledger::call_connected(&mut pair, at(0), rules);
        ledger::inbound_connected(&mut called, at(0), rules);
        let counts = |pair: &Pair| (pair.requests.len(), pair.misses);
        assert_eq!(counts(&pair), counts(&called), "the direction does not matter");
        counts(&pair)
    };
    assert_eq!(connected(&rules()), (0, 0));
    assert_eq!(connected(&counting(|c| c.connected_calls_reset_requests = false)), (1, 0));
    assert_eq!(connected(&counting(|c| c.connected_calls_reset_misses = false)), (0, 3));
}

#[test]
fn whether_an_undelivered_request_counts_can_be_switched_off() {
    let message = MessageId::new(Uuid::from_u128(5));
    let left = |rules: &Rules| {
        let mut pair = Pair { requests: vec![at(-60)], ..pair(CallPermission::None) };
        ledger::request_intended(&mut pair, at(0), message, rules);
        ledger::request_sent(&mut pair, message, at(1), rules);
        ledger::request_failed(&mut pair, message, at(0), rules);
        pair.requests
    };
    assert_eq!(left(&rules()), [at(-60), at(0)]);
    assert_eq!(left(&counting(|c| c.undelivered_requests_count = false)), [at(-60)]);
}

/// Meta, Obtain user call permissions (26 Jun 2026): "unanswered or rejected".
#[test]
fn what_counts_as_a_miss_is_a_set() {
    let rang = |disposition| {
        let mut attempt = attempt();
        attempt.rang_at = Some(at(1));
        attempt.first_leg = CallProgress::Ended(disposition);
        attempt
    };
    let none =
        Misses { no_answer: false, busy: false, canceled_after_ringing: false, failed_after_ringing: false };
    for (disposition, only) in [
        (Disposition::NoAnswer, Misses { no_answer: true, ..none }),
        (Disposition::Busy, Misses { busy: true, ..none }),
        (Disposition::Canceled, Misses { canceled_after_ringing: true, ..none }),
        (Disposition::Failed, Misses { failed_after_ringing: true, ..none }),
    ] {
        let attempt = rang(disposition);
        let counts = |rules: &Rules| ledger::is_miss(&attempt, disposition, rules);
        assert!(counts(&rules()), "{disposition:?}");
        assert!(counts(&counting(|c| c.misses = only)), "{disposition:?}");
        assert!(!counts(&counting(|c| c.misses = none)), "{disposition:?}");
    }
    let silent = Attempt { rang_at: None, ..rang(Disposition::Canceled) };
    assert!(!ledger::is_miss(&silent, Disposition::Canceled, &rules()), "it never rang");
    let answered = Attempt { connected_at: Some(at(2)), ..rang(Disposition::Busy) };
    assert!(!ledger::is_miss(&answered, Disposition::Busy, &rules()), "it was answered");
}

pub(super) fn attempt() -> Attempt {
    let case = ready();
    let numbers = Numbers { sender: case.sender.number, consumer: case.callback.order.consumer };
    Attempt {
        submission: Submission { stage: Stage::Accepted, ..Submission::intent(at(0)) },
        ended_at: Some(at(9)),
        ..Attempt::new(
            AttemptId::new(Uuid::from_u128(4)),
            CallbackId::new(Uuid::from_u128(1)),
            numbers,
            "main",
            LegOrder::ConsumerFirst,
            at(0),
        )
    }
}

fn taught(mut pair: Pair, code: u32) -> Pair {
    ledger::taught(&mut pair, at(0), errors::reaction_to_code(error_code(code)), &rules());
    pair
}

/// Meta, Troubleshoot WhatsApp calling errors (24 Jun 2026), 138012; Twilio error 37006.
#[test]
fn used_up_calls_rest_until_the_oldest_leaves_the_window_or_for_an_hour() {
    for code in [37006, 138_012] {
        let known =
            Pair { connected: vec![at(-2 * DAY), at(-DAY + 99), at(-60)], ..pair(CallPermission::Permanent) };
        assert_eq!(taught(known, code).paused_until, Some(at(99)), "{code}");
        let unknown = Pair { connected: vec![at(-DAY)], ..pair(CallPermission::Permanent) };
        assert_eq!(taught(unknown, code).paused_until, Some(at(HOUR)), "{code}");
    }
    let asked = Pair { requests: vec![at(-DAY + 1)], ..pair(CallPermission::None) };
    assert_eq!(taught(asked, 138_009).paused_until, Some(at(1)));
}

#[test]
fn a_code_teaches_what_the_permission_is() {
    let permission = |before, code| taught(pair(before), code).permission;
    let requested = CallPermission::Requested { expires_at: at(DAY) };
    assert_eq!(permission(requested, 138_017), CallPermission::Permanent);
    assert_eq!(permission(CallPermission::Permanent, 138_006), CallPermission::None);
    assert_eq!(permission(requested, 131_026), CallPermission::Uncallable { until: at(30 * DAY) });
    assert_eq!(permission(requested, 131_050), CallPermission::Declined { until: at(WEEK) });
    assert_eq!(permission(CallPermission::Permanent, 131_050), CallPermission::RevokedByConsumer);
    let open = Pair { inbound_at: Some(at(-60)), ..pair(CallPermission::None) };
    assert_eq!(taught(open, 63016).inbound_at, None);
    let longer = Pair { paused_until: Some(at(DAY)), ..pair(CallPermission::None) };
    assert_eq!(taught(longer, 37003).paused_until, Some(at(DAY)), "a longer rest stays");
}

#[test]
fn uncallable_ends_after_thirty_days_and_by_any_sign_of_life() {
    let uncallable = || taught(pair(CallPermission::None), 63024);
    for (second, ended) in [(30 * DAY - 1, false), (30 * DAY, true), (30 * DAY + 1, true)] {
        let mut pair = uncallable();
        ledger::lapse(&mut pair, at(second));
        assert_eq!(pair.permission == CallPermission::None, ended, "{second}");
    }
    let signs: [fn(&mut Pair); 3] = [
        |pair| ledger::wrote_or_called(pair, at(1)),
        |pair| ledger::inbound_began(pair, at(1), "CA1"),
        ledger::seen_on_whatsapp,
    ];
    for sign in signs {
        let mut pair = uncallable();
        sign(&mut pair);
        assert_eq!(pair.permission, CallPermission::None);
    }
    let mut granted = pair(CallPermission::Permanent);
    ledger::seen_on_whatsapp(&mut granted);
    assert_eq!(granted.permission, CallPermission::Permanent, "nothing else changes");
}

/// Meta, SIP answers (24 Jun 2026): 480 and 486 impact call permissions.
#[test]
fn a_sip_response_tells_what_a_failure_without_a_code_was() {
    let failed = |sip_code, code: Option<u32>| {
        let mut attempt = attempt();
        attempt.sip_code = Some(sip_code);
        attempt.submission.error_code = code.map(error_code);
        let after =
            after_attempt::after_attempt(at(0), &ready().callback, &attempt, Disposition::Failed, &rules());
        let missed = ledger::is_miss(&attempt, Disposition::Failed, &rules());
        let retry_at = after.retry_at.map(|retry_at| retry_at.as_second() - at(0).as_second());
        (missed, after.counts, after.fault, retry_at)
    };
    assert_eq!(failed(480, None), (true, true, false, Some(4 * HOUR)));
    assert_eq!(failed(486, None), (true, true, false, Some(900)));
    assert_eq!(failed(603, None), (true, true, false, Some(900)));
    assert_eq!(failed(487, None), (false, false, false, Some(300)));
    assert_eq!(failed(403, None), (false, false, true, None));
    assert_eq!(failed(503, None), (false, false, true, Some(300)));
    assert_eq!(failed(486, Some(138_004)), (false, false, true, Some(300)), "the code stands above it");
    assert_eq!(failed(200, Some(138_023)), (true, true, false, Some(4 * HOUR)));
}

#[test]
fn an_operators_word_stands_as_a_consumers_does() {
    let said = |before, answer| {
        let mut pair = Pair { misses: 4, ..pair(before) };
        ledger::operator_said(&mut pair, at(0), answer, &rules());
        (pair.permission, pair.misses)
    };
    let revoked = CallPermission::RevokedAutomatically;
    assert_eq!(said(revoked, PermissionAnswer::Permanent), (CallPermission::Permanent, 0));
    assert_eq!(said(revoked, GRANT), (CallPermission::Temporary { expires_at: at(WEEK) }, 0));
    assert_eq!(said(CallPermission::None, PermissionAnswer::Rejected).0, CallPermission::RevokedByConsumer);
}

/// Otherwise the streak guard would prevent every call with the new permission.
#[test]
fn a_grant_after_a_revocation_begins_a_new_row_of_misses_also_when_it_was_asked_for() {
    let message = MessageId::new(Uuid::from_u128(5));
    let mut pair = Pair { misses: 4, ..pair(CallPermission::RevokedAutomatically) };
    ledger::request_intended(&mut pair, at(0), message, &rules());
    ledger::request_sent(&mut pair, message, at(1), &rules());
    ledger::replied(&mut pair, at(2), GRANT, false, &rules());
    assert_eq!(pair.misses, 0);
}

#[test]
fn an_invite_holds_for_the_row_of_misses_that_it_was_sent_in() {
    let invited = || {
        let mut pair = pair(GRANTED);
        pair.misses = 2;
        ledger::invite_sent(&mut pair, at(5));
        pair
    };
    assert_eq!(invited().invited_at, Some(at(5)));
    let after = |change: fn(&mut Pair)| {
        let mut pair = invited();
        change(&mut pair);
        (pair.misses, pair.invited_at)
    };
    assert_eq!(after(|pair| ledger::call_missed(pair, at(8), &rules())), (3, Some(at(5))));
    assert_eq!(after(|pair| ledger::call_connected(pair, at(9), &rules())), (0, None));
    assert_eq!(after(|pair| ledger::inbound_connected(pair, at(9), &rules())), (0, None));
    // An undelivered invite does not count; the failure of another invite changes nothing.
    assert_eq!(after(|pair| ledger::invite_failed(pair, at(5))), (2, None));
    assert_eq!(after(|pair| ledger::invite_failed(pair, at(4))), (2, Some(at(5))));
    assert_eq!(after(|pair| ledger::invite_sent(pair, at(4))), (2, Some(at(5))));
    assert_eq!(after(|pair| ledger::invite_sent(pair, at(6))), (2, Some(at(6))));
}

const GRANTED: CallPermission = CallPermission::Permanent;

#[test]
fn a_grant_after_a_revocation_wants_an_invite_of_its_own() {
    let mut pair = pair(CallPermission::RevokedAutomatically);
    (pair.misses, pair.invited_at) = (4, Some(at(-9)));
    ledger::replied(&mut pair, at(0), GRANT, false, &rules());
    assert_eq!((pair.misses, pair.invited_at), (0, None));
}

#[test]
fn an_answered_call_of_the_consumer_forgives_only_what_came_before_it() {
    let called = |sid: &str, sent, missed| {
        let mut pair = pair(GRANTED);
        ledger::inbound_began(&mut pair, at(100), "CA1");
        ledger::inbound_began(&mut pair, at(150), "CA1");
        (pair.requests, pair.misses, pair.missed_at) = (vec![at(sent)], 2, Some(at(missed)));
        ledger::inbound_was_answered(&mut pair, at(200), sid, &rules());
        (pair.requests.len(), pair.misses)
    };
    assert_eq!(called("CA1", 99, 99), (0, 0));
    assert_eq!(called("CA1", 100, 100), (1, 0), "the request may have left after the call began");
    assert_eq!(called("CA1", 101, 101), (1, 2), "both may have come after the call");
    // A call whose start was not reported may have lasted four hours.
    assert_eq!(called("CA2", 100, 100), (1, 2));
    assert_eq!(called("CA2", 199 - 4 * HOUR, 199 - 4 * HOUR), (0, 0));
    assert_eq!(called("CA2", 200 - 4 * HOUR, 200 - 4 * HOUR), (1, 0));
    assert_eq!(called("CA2", 201 - 4 * HOUR, 201 - 4 * HOUR), (1, 2));
}
