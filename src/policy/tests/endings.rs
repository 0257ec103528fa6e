//! What ends a callback, and in what order.

use super::*;

#[test]
fn a_callback_that_used_its_attempts_is_closed_or_invites() {
    let case = || ready().with(|case| case.callback.attempts_made = 3);
    ready().with(|case| case.callback.attempts_made = 2).check(&Call);
    case().check(&Finish(Outcome::Exhausted, "attempts.used"));
    case().with(|case| case.sender.invite = "HXinvite".parse().ok()).check(&Invite("attempts.used"));
}

#[test]
fn a_declined_consumer_can_be_invited_once_and_within_hours() {
    let case = || {
        unasked().with(|case| {
            case.pair.permission = CallPermission::Declined { until: at(5 * DAY) };
            case.callback.order.purpose = Purpose::Requested;
            case.rules.people.invite_after_decline = true;
            case.sender.invite = "HXinvite".parse().ok();
            case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
        })
    };
    case().check(&Invite("permission.declined"));
    case().now(9 * HOUR).check(&Wait("window.outside_hours", DAY, false));
    // When the refusal lapses the consumer may be asked again.
    case().with(|case| case.callback.invited_at = Some(at(-60))).check(&Wait(
        "invite.awaiting_call",
        5 * DAY,
        false,
    ));
}

#[test]
fn an_uncallable_consumer_is_neither_asked_nor_invited() {
    unasked()
        .with(|case| {
            case.pair.permission = CallPermission::Uncallable { until: at(40 * DAY) };
            case.sender.invite = "HXinvite".parse().ok();
        })
        .check(&Finish(Outcome::Failed, "permission.uncallable"));
}

#[test]
fn faults_in_a_row_close_the_callback() {
    ready().with(|case| case.callback.faults = 4).check(&Call);
    ready().with(|case| case.callback.faults = 5).check(&Finish(Outcome::Failed, "platform.too_many_faults"));
}

#[test]
fn a_canceled_callback_is_closed_whatever_else_binds() {
    unasked()
        .with(|case| case.callback.cancel_requested_at = Some(at(0)))
        .check(&Finish(Outcome::Canceled, "customer.canceled"));
}

#[test]
fn a_callback_that_an_earlier_call_reached_is_closed_so_whatever_else_binds() {
    let reached = || unasked().with(|case| case.callback.reached_late_at = Some(at(0)));
    let end = Finish(Outcome::Reached, "attempt.answered");
    reached().check(&end);
    reached().with(|case| case.callback.cancel_requested_at = Some(at(-1))).check(&end);
    reached().with(|case| case.callback.order.latest = at(0)).check(&end);
}

#[test]
fn a_callback_without_a_known_sender_fails() {
    let case = ready();
    let situation = situation(&case.callback, []);
    let step = next_step(at(0), &situation, &case.rules);
    assert_eq!(step, Step::Finish { outcome: Outcome::Failed, reason: Reason::SenderUnknown });
}

/// Twilio, WhatsApp Business Calling (2026): no calls to Cuba, Iran, North Korea and Syria.
#[test]
fn a_barred_consumer_is_neither_called_nor_asked_nor_invited() {
    let barred = |number: &str| {
        let consumer = Phone::parse(number).unwrap();
        ready().with(move |case| {
            case.callback.order.consumer = consumer;
            case.sender.invite = "HXinvite".parse().ok();
        })
    };
    let refused = Finish(Outcome::Failed, "consumer.destination_barred");
    barred("+5351234567").check(&refused);
    barred("+5351234567").with(|case| case.pair.permission = CallPermission::None).check(&refused);
    barred("+525512345678").check(&Call);
    barred("+541123456789").check(&Call);
    barred("+5351234567").with(|case| case.rules.destinations_refused.clear()).check(&Call);
}
