//! The checks right before the consumer's phone rings.

use super::*;

#[track_caller]
fn rings(case: Case, expected: bool) {
    let person = case.person();
    let calendars = Calendars::default();
    let rings = may_still_ring(
        at(case.now),
        &case.callback,
        &case.sender.account,
        (&case.pair, &person),
        &calendars,
        &case.rules.people,
    );
    assert_eq!(rings, expected);
}

#[test]
fn a_phone_may_ring_while_nothing_has_changed() {
    rings(ready(), true);
}

#[test]
fn nothing_rings_at_or_after_the_end_of_the_permission() {
    let case =
        || ready().with(|case| case.pair.permission = CallPermission::Temporary { expires_at: at(100) });
    rings(case().now(99), true);
    rings(case().now(100), false);
    rings(unasked(), false);
}

#[test]
fn nothing_rings_while_the_consumer_calls_us() {
    rings(ready().with(|case| case.pair.live_inbound = Some("CA1".into())), false);
}

#[test]
fn our_own_attempt_does_not_keep_itself_from_ringing() {
    rings(ready().with(|case| _ = case.person.live.insert(AttemptId::new(Uuid::from_u128(4)))), true);
}

#[test]
fn nothing_rings_that_would_ring_outside_the_hours() {
    let case =
        || ready().with(|case| case.callback.order.hours = Some("daily 09:00-18:00 @UTC".parse().unwrap()));
    rings(case().now(6 * HOUR - 6), true);
    rings(case().now(6 * HOUR - 5), false);
    rings(case().now(21 * HOUR - 1), false);
    rings(case().now(21 * HOUR), true);
}

#[test]
fn nothing_rings_at_or_after_the_deadline() {
    let case = || ready().with(|case| case.callback.order.latest = at(100));
    rings(case().now(99), true);
    rings(case().now(100), false);
    rings(case().now(101), false);
}

#[test]
fn nothing_rings_that_was_canceled_or_is_reached() {
    rings(ready().with(|case| case.callback.reached_late_at = Some(at(-1))), false);
    rings(ready().with(|case| case.callback.cancel_requested_at = Some(at(-1))), false);
}

#[test]
fn nothing_rings_for_somebody_who_said_no_meanwhile() {
    let sender = ready().sender.number;
    let stop = Refusal { kind: RefusalKind::Stop, sender, at: at(-1) };
    rings(ready().with(|case| case.person.refusals.push(stop)), false);
}

#[test]
fn nothing_rings_at_somebody_who_was_suppressed_meanwhile() {
    use crate::domain::{Suppression, SuppressionScope};

    let suppressed = |scope| {
        let entry = Suppression {
            list: "account:main".parse().unwrap(),
            scope,
            purposes: Vec::new(),
            countries: Vec::new(),
            added_at: at(-1),
            expires_at: Some(at(60)),
            why: None,
        };
        ready().with(|case| case.person.suppressions.push(entry))
    };
    rings(suppressed(SuppressionScope::All).now(59), false);
    rings(suppressed(SuppressionScope::All).now(60), true);
    rings(suppressed(SuppressionScope::Calls), false);
    rings(suppressed(SuppressionScope::Requests), true);
    rings(suppressed(SuppressionScope::All).with(|case| case.sender.account = "other".into()), true);
}

#[test]
fn nothing_rings_for_marketing_after_the_end_of_the_consent() {
    use crate::domain::Consent;

    let marketing = |expires_at| {
        ready().with(|case| {
            case.callback.order.purpose = Purpose::Marketing;
            case.callback.order.consent =
                Some(Consent { source: "form".into(), at: at(-1), text_version: None, expires_at });
        })
    };
    rings(marketing(Some(at(60))).now(59), true);
    rings(marketing(Some(at(60))).now(60), false);
    rings(marketing(None), true);
    rings(marketing(None).with(|case| case.callback.order.consent = None), false);
}
