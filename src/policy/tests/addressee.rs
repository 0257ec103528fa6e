//! A message without a callback leaves by the rules of its person, the limits of its pair and the pauses.

use super::*;
use crate::domain::{Country, ListTerm, Message, MessagePurpose};

fn message(purpose: MessagePurpose, content: &str) -> Message {
    let case = ready();
    let numbers = Numbers { sender: case.sender.number, consumer: case.callback.order.consumer };
    let id = MessageId::new(Uuid::from_u128(7));
    Message::new(id, purpose, content.parse().unwrap(), numbers, "main", at(0))
}

fn leaves(case: &Case, message: &Message) -> Result<(), &'static str> {
    let addressee = Addressee {
        candidate: Some(case.candidate()),
        person: case.person(),
        held: case.held.clone(),
        list_terms: case.list_terms.clone().into(),
    };
    may_be_sent(at(case.now), message, &addressee, &case.rules).map_err(|reason| reason.code())
}

/// A request and an invite, in this order.
#[track_caller]
fn both(case: Case, expected: [Result<(), &'static str>; 2]) {
    let request = message(MessagePurpose::PermissionRequest, "HXtemplate");
    let invite = message(MessagePurpose::Invite, "HXinvite");
    assert_eq!([leaves(&case, &request), leaves(&case, &invite)], expected);
}

#[track_caller]
fn neither(case: Case, code: &'static str) {
    both(case, [Err(code), Err(code)]);
}

#[test]
fn it_leaves_if_nothing_speaks_against_it() {
    both(unasked(), [Ok(()), Ok(())]);
}

#[test]
fn it_does_not_leave_to_a_person_who_refuses() {
    for kind in [RefusalKind::Stop, RefusalKind::Block, RefusalKind::Decline, RefusalKind::Operator] {
        let refused = unasked().with(|case| {
            case.person.refusals.push(Refusal { kind, sender: case.sender.number, at: at(-1) });
        });
        let code = Reason::PersonRefuses { kind }.code();
        neither(refused, code);
    }
}

#[test]
fn it_does_not_leave_to_one_who_said_no_to_the_sender() {
    let declined = |until| unasked().with(|case| case.pair.permission = CallPermission::Declined { until });
    neither(declined(at(1)), "permission.declined");
    both(declined(at(0)), [Ok(()), Ok(())]);
    let revoked = unasked().with(|case| case.pair.permission = CallPermission::RevokedByConsumer);
    neither(revoked, "permission.declined");
    let uncallable =
        unasked().with(|case| case.pair.permission = CallPermission::Uncallable { until: at(1) });
    neither(uncallable, Reason::Uncallable.code());
}

#[test]
fn it_does_not_leave_during_a_call_or_a_pause() {
    let on_the_phone = unasked().with(|case| _ = case.person.live.insert(AttemptId::new(Uuid::from_u128(1))));
    neither(on_the_phone, "pair.on_the_phone");
    let paused = |second| unasked().with(|case| case.paused = Some((at(second), "busy".into())));
    neither(paused(1), "sender.paused");
    both(paused(0), [Ok(()), Ok(())]);
    let pair = |second| unasked().with(|case| case.pair.paused_until = Some(at(second)));
    neither(pair(1), "pair.paused");
    both(pair(0), [Ok(()), Ok(())]);
}

#[test]
fn it_does_not_leave_while_anything_to_the_person_is_held_back() {
    neither(unasked().with(|case| case.held = Some(Reason::ReportSetAside)), "report.set_aside");
    let barred = unasked().with(|case| case.rules.destinations_refused = vec![Prefix::parse("+55").unwrap()]);
    neither(barred, "consumer.destination_barred");
    let case = unasked();
    let addressee = Addressee { candidate: None, person: case.person(), held: None, list_terms: [].into() };
    let invite = message(MessagePurpose::Invite, "HXinvite");
    assert_eq!(may_be_sent(at(0), &invite, &addressee, &case.rules), Err(Reason::SenderUnknown));
}

#[test]
fn it_waits_for_no_other_request_of_the_pair() {
    let other = Some(MessageId::new(Uuid::from_u128(8)));
    neither(unasked().with(|case| case.pair.request = other), "pair.fenced");
    let asked = |second| {
        unasked().with(|case| {
            case.pair.request = other;
            case.pair.permission = CallPermission::Requested { expires_at: at(second) };
        })
    };
    neither(asked(1), "permission.awaiting_reply");
    both(asked(0), [Ok(()), Ok(())]);
}

#[test]
fn a_request_keeps_to_the_limits_of_requests_and_asks_nobody_who_allows_calls() {
    let granted = unasked().with(|case| case.pair.permission = CallPermission::Permanent);
    both(granted, [Err("permission.granted"), Ok(())]);
    let asked_at = |second| unasked().with(|case| case.pair.requests = vec![at(second)]);
    both(asked_at(1 - DAY), [Err("permission.request_limit"), Ok(())]);
    both(asked_at(-DAY), [Ok(()), Ok(())]);
}

#[test]
fn content_without_approval_leaves_in_the_service_window_only() {
    let free = message(MessagePurpose::PermissionRequest, "HXfree");
    let wrote_at = |second| unasked().with(|case| case.pair.inbound_at = Some(at(second)));
    assert_eq!(leaves(&unasked(), &free), Err("permission.service_window_closed"));
    assert_eq!(leaves(&wrote_at(-DAY), &free), Err("permission.service_window_closed"));
    assert_eq!(leaves(&wrote_at(1 - DAY), &free), Ok(()));
}

#[test]
fn it_does_not_leave_to_a_person_whom_a_list_forbids() {
    use crate::domain::{Suppression, SuppressionScope};

    let suppressed = |list: &str, scope| {
        let entry = Suppression {
            list: list.parse().unwrap(),
            scope,
            purposes: vec![crate::domain::Purpose::Marketing],
            countries: Vec::new(),
            added_at: at(-1),
            expires_at: Some(at(60)),
            why: None,
        };
        unasked().with(|case| case.person.suppressions.push(entry))
    };
    let forbidden = Err("consumer.suppressed");
    neither(suppressed("house", SuppressionScope::All), "consumer.suppressed");
    both(suppressed("house", SuppressionScope::All).now(60), [Ok(()), Ok(())]);
    // A permission for calls that are forbidden is of no use.
    both(suppressed("house", SuppressionScope::Calls), [forbidden, Ok(())]);
    both(suppressed("house", SuppressionScope::Requests), [forbidden, Ok(())]);
    both(suppressed("house", SuppressionScope::Invites), [Ok(()), forbidden]);
    neither(suppressed("account:main", SuppressionScope::All), "consumer.suppressed");
    both(suppressed("account:other", SuppressionScope::All), [Ok(()), Ok(())]);
    both(suppressed("campaign:spring", SuppressionScope::All), [Ok(()), Ok(())]);
}

#[test]
fn it_waits_for_a_list_past_its_term_if_so_configured() {
    let listed = |stops, valid_until| {
        unasked().with(|case| {
            case.rules.stop_when_list_expired = stops;
            case.list_terms.push(ListTerm {
                list: "imported:register".parse().unwrap(),
                purposes: vec![Purpose::Marketing],
                countries: Vec::new(),
                valid_until: at(valid_until),
            });
        })
    };
    both(listed(true, 1), [Ok(()), Ok(())]);
    neither(listed(true, 0), "suppression.list_expired");
    both(listed(false, 0), [Ok(()), Ok(())]);
    let elsewhere = listed(true, 0)
        .with(|case| case.list_terms[0].countries = Country::parse("DE").into_iter().collect());
    both(elsewhere, [Ok(()), Ok(())]);
    // What would be withdrawn anyway does not wait.
    let uncallable =
        listed(true, 0).with(|case| case.pair.permission = CallPermission::Uncallable { until: at(1) });
    neither(uncallable, Reason::Uncallable.code());
}
