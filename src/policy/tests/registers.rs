//! A register that has to be asked about people before anything leaves for them.

use super::*;
use crate::domain::{ListTerm, Register, Suppression, SuppressionScope};

fn entry(scope: SuppressionScope, expires_at: Option<Timestamp>) -> Suppression {
    Suppression {
        list: "imported:register".parse().unwrap(),
        scope,
        purposes: Vec::new(),
        countries: Vec::new(),
        added_at: at(-5),
        expires_at,
        why: None,
    }
}

fn bound() -> Case {
    ready().with(|case| {
        case.callback.order.purpose = Purpose::Collections;
        case.rules.registers.push(Register {
            list: "imported:register".parse().unwrap(),
            age: Register::AGE,
            countries: Vec::new(),
            purposes: vec![Purpose::Collections],
            required: true,
        });
    })
}

#[test]
fn nothing_leaves_before_the_register_was_asked() {
    let waits = Wait("register.stale", 10 * DAY, false);
    bound().check(&waits);
    bound().with(|case| case.pair.permission = CallPermission::None).check(&waits);
    bound().with(|case| case.callback.order.kind = OrderKind::Invite).check(&waits);
}

#[test]
fn an_answer_counts_until_it_is_too_old() {
    let answered = |at| {
        bound().with(move |case| {
            case.person.suppressions.push(entry(SuppressionScope::Checked, Some(at)));
        })
    };
    answered(at(1)).check(&Call);
    answered(at(0)).check(&Wait("register.stale", 10 * DAY, false));
}

fn listed(is_stopped: bool) -> Case {
    ready().with(|case| {
        case.callback.order.purpose = Purpose::Collections;
        case.rules.stop_when_list_expired = is_stopped;
        case.list_terms.push(ListTerm {
            list: "imported:register".parse().unwrap(),
            purposes: vec![Purpose::Collections],
            countries: Vec::new(),
            valid_until: at(60),
        });
    })
}

#[test]
fn a_list_past_its_term_stops_whom_it_binds_if_so_configured() {
    let waits = Wait("suppression.list_expired", 10 * DAY, false);
    listed(true).now(59).check(&Call);
    listed(true).now(60).check(&waits);
    listed(true).with(|case| case.pair.permission = CallPermission::None).now(60).check(&waits);
    listed(true).with(|case| case.callback.order.kind = OrderKind::Invite).now(60).check(&waits);
    listed(true).with(|case| case.callback.order.purpose = Purpose::Service).now(60).check(&Call);
    listed(false).now(60).check(&Call);
}

#[test]
fn who_is_suppressed_does_not_wait_for_a_newer_version_of_a_list() {
    let named = listed(true).with(|case| case.person.suppressions.push(entry(SuppressionScope::All, None)));
    named.now(60).check(&Finish(Outcome::Declined, "consumer.suppressed"));
}

#[test]
fn whom_the_register_names_is_not_called() {
    let named = bound().with(|case| {
        case.person.suppressions.push(entry(SuppressionScope::Checked, Some(at(60))));
        case.person.suppressions.push(entry(SuppressionScope::All, None));
    });
    named.check(&Finish(Outcome::Declined, "consumer.suppressed"));
}

#[test]
fn a_register_binds_its_purposes_and_only_if_it_is_required() {
    bound().with(|case| case.callback.order.purpose = Purpose::Requested).check(&Call);
    bound().with(|case| case.rules.registers[0].required = false).check(&Call);
}
