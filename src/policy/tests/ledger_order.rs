//! The ledger with reports that are late, early, repeated, or not about the open request.

use super::ledger_rules::{GRANT, WEEK, pair};
use super::*;
use crate::policy::errors::Reaction;

const OPEN: u128 = 5;

fn message(id: u128) -> MessageId {
    MessageId::new(Uuid::from_u128(id))
}

/// A request whose sending is not confirmed.
fn asking(permission: CallPermission) -> Pair {
    Pair { request: Some(message(OPEN)), requests: vec![at(0)], ..pair(permission) }
}

/// Our clock differs from the platform's by up to half a minute.
fn cautious() -> Rules {
    Rules { margin: SignedDuration::from_secs(30), ..rules() }
}

#[test]
fn a_no_stands_until_the_second_at_which_its_request_lapses() {
    let lapsed = |second| {
        let mut pair = pair(CallPermission::Declined { until: at(100) });
        ledger::lapse(&mut pair, at(second));
        pair.permission
    };
    assert_eq!(lapsed(99), CallPermission::Declined { until: at(100) });
    assert_eq!(lapsed(100), CallPermission::None);
    assert_eq!(lapsed(101), CallPermission::None);
}

#[test]
fn a_request_is_forgotten_once_the_longest_window_and_the_margin_are_over() {
    let mut pair = Pair {
        requests: vec![at(-WEEK - 31), at(-WEEK - 30), at(-WEEK - 29), at(-WEEK)],
        ..pair(CallPermission::None)
    };
    ledger::request_intended(&mut pair, at(0), message(OPEN), &cautious());
    assert_eq!(pair.requests, [at(-WEEK - 29), at(-WEEK), at(0)]);
}

#[test]
fn a_connected_call_is_forgotten_once_its_window_and_the_margin_are_over() {
    let connected = vec![at(-DAY - 31), at(-DAY - 30), at(-DAY - 29), at(-DAY)];
    let mut pair = Pair { connected, ..pair(CallPermission::Permanent) };
    ledger::call_connected(&mut pair, at(0), &cautious());
    assert_eq!(pair.connected, [at(-DAY - 29), at(-DAY), at(0)]);
}

#[test]
fn a_report_on_another_request_changes_nothing() {
    for permission in [CallPermission::None, CallPermission::Requested { expires_at: at(DAY) }] {
        let before = asking(permission);
        let mut after = before.clone();
        ledger::request_sent(&mut after, message(6), at(1), &rules());
        ledger::request_delivered(&mut after, message(6), at(2), &rules());
        ledger::request_failed(&mut after, message(6), at(0), &rules());
        ledger::request_taken_back(&mut after, message(6), at(0));
        assert_eq!(after, before);
    }
}

#[test]
fn a_request_that_was_sent_or_delivered_changes_no_permission_that_was_told_meanwhile() {
    for permission in [
        CallPermission::Permanent,
        CallPermission::Temporary { expires_at: at(DAY) },
        CallPermission::Uncallable { until: at(DAY) },
    ] {
        let mut pair = asking(permission);
        ledger::request_sent(&mut pair, message(OPEN), at(1), &rules());
        ledger::request_delivered(&mut pair, message(OPEN), at(2), &rules());
        assert_eq!(pair.permission, permission);
    }
}

#[test]
fn every_other_permission_gives_way_to_the_request() {
    for permission in [
        CallPermission::None,
        CallPermission::Expired,
        CallPermission::Declined { until: at(DAY) },
        CallPermission::RevokedByConsumer,
        CallPermission::RevokedAutomatically,
    ] {
        let mut sent = asking(permission);
        let mut delivered = sent.clone();
        ledger::request_sent(&mut sent, message(OPEN), at(1), &rules());
        ledger::request_delivered(&mut delivered, message(OPEN), at(2), &rules());
        assert_eq!(sent.permission, CallPermission::Requested { expires_at: at(1 + WEEK) });
        assert_eq!(delivered.permission, CallPermission::Requested { expires_at: at(2 + WEEK) });
    }
}

#[test]
fn a_late_sent_does_not_shorten_what_delivery_began() {
    let mut pair = asking(CallPermission::None);
    ledger::request_delivered(&mut pair, message(OPEN), at(60), &rules());
    ledger::request_sent(&mut pair, message(OPEN), at(1), &rules());
    assert_eq!(pair.permission, CallPermission::Requested { expires_at: at(60 + WEEK) });
}

#[test]
fn a_request_that_failed_or_never_left_takes_no_answer_back() {
    for permission in [CallPermission::Permanent, CallPermission::Declined { until: at(DAY) }] {
        let mut failed = asking(permission);
        let mut taken_back = failed.clone();
        ledger::request_failed(&mut failed, message(OPEN), at(0), &rules());
        ledger::request_taken_back(&mut taken_back, message(OPEN), at(0));
        assert_eq!((failed.permission, failed.request), (permission, None));
        assert_eq!((taken_back.permission, taken_back.request), (permission, None));
    }
}

#[test]
fn an_answer_closes_the_request() {
    for answer in [GRANT, PermissionAnswer::Permanent, PermissionAnswer::Rejected] {
        let mut pair = asking(CallPermission::Requested { expires_at: at(DAY) });
        ledger::replied(&mut pair, at(1), answer, false, &rules());
        assert_eq!(pair.request, None, "{answer:?}");
    }
}

#[test]
fn the_end_of_another_call_of_the_consumer_frees_nothing() {
    let mut pair = pair(CallPermission::None);
    ledger::inbound_began(&mut pair, at(0), "CA1");
    ledger::inbound_ended(&mut pair, at(1), "CA2", true, CallbackPermission::Off, &rules());
    assert_eq!(pair.live_inbound.as_deref(), Some("CA1"));
}

#[test]
fn connected_calls_stay_in_order_whenever_they_are_reported() {
    let log = || Pair { connected: vec![at(0), at(60)], ..pair(CallPermission::Permanent) };
    let connected = |second| {
        let mut pair = log();
        ledger::call_connected(&mut pair, at(second), &rules());
        pair.connected
    };
    assert_eq!(connected(30), [at(0), at(30), at(60)]);
    assert_eq!(connected(60), [at(0), at(60), at(60)]);
    assert_eq!(connected(90), [at(0), at(60), at(90)]);
    let inconclusive = |second| {
        let mut pair = log();
        ledger::taught(&mut pair, at(second), Reaction::Inconclusive, &rules());
        pair.connected
    };
    assert_eq!(inconclusive(30), [at(0), at(30), at(60)]);
    assert_eq!(inconclusive(90), [at(0), at(60), at(90)]);
}

#[test]
fn a_connected_call_forgives_the_requests_before_its_own_instant() {
    let mut pair = Pair { requests: vec![at(-1), at(0), at(1)], ..pair(CallPermission::Permanent) };
    ledger::call_connected(&mut pair, at(0), &rules());
    assert_eq!(pair.requests, [at(0), at(1)]);
}

#[test]
fn the_last_word_or_call_of_the_consumer_opens_the_service_window_in_whatever_order_it_is_told() {
    let heard = |seconds: &[i64]| {
        let mut pair = pair(CallPermission::None);
        for &second in seconds {
            ledger::wrote_or_called(&mut pair, at(second));
        }
        pair.inbound_at
    };
    assert_eq!(heard(&[]), None);
    assert_eq!(heard(&[5]), Some(at(5)));
    assert_eq!(heard(&[5, 9]), Some(at(9)));
    assert_eq!(heard(&[9, 5]), Some(at(9)));
    let called = |tell: fn(&mut Pair)| {
        let mut pair = pair(CallPermission::None);
        tell(&mut pair);
        pair.inbound_at
    };
    assert_eq!(called(|pair| ledger::inbound_began(pair, at(5), "CA1")), Some(at(5)));
    let answered = |pair: &mut Pair| {
        ledger::inbound_began(pair, at(5), "CA1");
        ledger::inbound_began(pair, at(6), "CA1");
        ledger::inbound_connected(pair, at(6), &rules());
        ledger::inbound_was_answered(pair, at(9), "CA1", &rules());
    };
    assert_eq!(called(answered), Some(at(5)), "the window opens when the call begins");
}

/// Meta, Troubleshoot WhatsApp calling errors (24 Jun 2026): 138009 and 138012, by a clock that differs.
#[test]
fn what_is_used_up_rests_a_margin_longer_than_the_window() {
    let rests = |pair: Pair, reaction| {
        let mut pair = pair;
        ledger::taught(&mut pair, at(0), reaction, &cautious());
        pair.paused_until
    };
    let called = |second| Pair { connected: vec![at(second)], ..pair(CallPermission::Permanent) };
    let asked = |second| Pair { requests: vec![at(second)], ..pair(CallPermission::None) };
    for (reaction, log) in [
        (Reaction::ConnectedUsedUp, called as fn(i64) -> Pair),
        (Reaction::RequestsUsedUp, asked as fn(i64) -> Pair),
    ] {
        assert_eq!(rests(log(-60), reaction), Some(at(DAY - 30)));
        assert_eq!(rests(log(-DAY - 29), reaction), Some(at(1)));
        assert_eq!(rests(log(-DAY - 30), reaction), Some(at(HOUR)), "the ledger does not know of it");
    }
    assert_eq!(
        rests(pair(CallPermission::None), Reaction::PausePair(SignedDuration::from_mins(1))),
        Some(at(60))
    );
}
