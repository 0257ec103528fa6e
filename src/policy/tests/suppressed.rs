//! What a suppression list forbids, and that each kind of contact is checked before it leaves.

use super::*;
use crate::domain::{Consent, ListName, Suppression, SuppressionScope};

fn entry(list: &str, scope: SuppressionScope) -> Suppression {
    Suppression {
        list: list.parse::<ListName>().unwrap(),
        scope,
        purposes: Vec::new(),
        countries: Vec::new(),
        added_at: at(-5),
        expires_at: None,
        why: None,
    }
}

fn suppressed(scope: SuppressionScope) -> Case {
    ready().with(|case| {
        case.sender.invite = "HXinvite".parse().ok();
        case.person.suppressions.push(entry("house", scope));
    })
}

fn unasked_and_suppressed(scope: SuppressionScope) -> Case {
    suppressed(scope).with(|case| case.pair.permission = CallPermission::None)
}

const DECLINED: Expect = Finish(Outcome::Declined, "consumer.suppressed");

#[test]
fn who_is_suppressed_for_all_is_neither_called_nor_asked_nor_invited() {
    suppressed(SuppressionScope::All).check(&DECLINED);
    unasked_and_suppressed(SuppressionScope::All).check(&DECLINED);
    suppressed(SuppressionScope::All)
        .with(|case| case.callback.order.kind = OrderKind::Invite)
        .check(&DECLINED);
}

#[test]
fn who_is_suppressed_for_calls_is_not_asked_either_and_may_be_invited() {
    suppressed(SuppressionScope::Calls).check(&Invite("consumer.suppressed"));
    unasked_and_suppressed(SuppressionScope::Calls).check(&Invite("consumer.suppressed"));
    suppressed(SuppressionScope::Calls).with(|case| case.sender.invite = None).check(&DECLINED);
}

#[test]
fn who_is_suppressed_for_requests_is_called_with_a_permission_and_not_asked_for_one() {
    suppressed(SuppressionScope::Requests).check(&Call);
    unasked_and_suppressed(SuppressionScope::Requests).check(&Invite("consumer.suppressed"));
    let asked = |case: &mut Case| {
        case.pair.permission = CallPermission::Requested { expires_at: at(DAY) };
        case.pair.unanswered = 1;
        case.pair.requests = vec![at(-2 * DAY)];
        case.rules.ask_again = Some(AskAgain::DAILY);
    };
    let waits = Wait("permission.awaiting_reply", DAY, false);
    unasked_and_suppressed(SuppressionScope::Requests).with(asked).check(&waits);
}

#[test]
fn who_is_suppressed_for_invites_is_called_and_asked_and_not_invited() {
    suppressed(SuppressionScope::Invites).check(&Call);
    unasked_and_suppressed(SuppressionScope::Invites).check(&template());
    suppressed(SuppressionScope::Invites)
        .with(|case| case.callback.order.kind = OrderKind::Invite)
        .check(&DECLINED);
    suppressed(SuppressionScope::Invites)
        .with(|case| case.pair.permission = CallPermission::Uncallable { until: at(DAY) })
        .check(&Finish(Outcome::Failed, "permission.uncallable"));
}

#[test]
fn an_entry_holds_until_it_ends() {
    let ends = || {
        suppressed(SuppressionScope::All).with(|case| case.person.suppressions[0].expires_at = Some(at(60)))
    };
    ends().now(59).check(&DECLINED);
    ends().now(60).check(&Call);
}

fn for_marketing(case: &mut Case) {
    case.callback.order.purpose = Purpose::Marketing;
    case.callback.order.consent =
        Some(Consent { source: "form".into(), at: at(-9), text_version: None, expires_at: Some(at(DAY)) });
}

#[test]
fn marketing_without_a_consent_that_holds_is_neither_called_nor_asked_nor_invited() {
    let none = Finish(Outcome::Failed, "consent.none");
    let marketing = || ready().with(for_marketing);
    marketing().with(|case| case.callback.order.consent = None).check(&none);
    marketing().check(&Call);
    marketing().now(DAY - 1).check(&Call);
    marketing().now(DAY).check(&none);
    let invite = |case: &mut Case| case.callback.order.kind = OrderKind::Invite;
    marketing().with(invite).now(DAY).check(&none);
    let unasked = || marketing().with(|case| case.pair.permission = CallPermission::None);
    unasked().check(&template());
    unasked().now(DAY).check(&none);
    // Another purpose needs none.
    ready().now(DAY).check(&Call);
}

#[test]
fn a_callback_looks_again_when_the_consent_that_it_needs_ends() {
    let waits = |purpose| {
        ready().with(for_marketing).with(|case| {
            case.callback.order.purpose = purpose;
            case.callback.order.earliest = at(2 * DAY);
        })
    };
    waits(Purpose::Marketing).check(&Wait("window.before_earliest", DAY, false));
    waits(Purpose::Service).check(&Wait("window.before_earliest", 2 * DAY, false));
}

#[test]
fn a_list_binds_its_purposes_account_and_campaign_only() {
    let with = |list: &str, purposes: Vec<Purpose>| {
        ready().with(|case| {
            let entry = Suppression { purposes, ..entry(list, SuppressionScope::All) };
            case.person.suppressions.push(entry);
        })
    };
    let marketing = || vec![Purpose::Marketing];
    with("imported:register", marketing()).with(for_marketing).check(&DECLINED);
    with("imported:register", marketing())
        .with(|case| case.callback.order.purpose = Purpose::Requested)
        .check(&Call);
    with("account:main", Vec::new()).check(&DECLINED);
    with("account:other", Vec::new()).check(&Call);
    with("campaign:spring", Vec::new()).check(&Call);
    with("campaign:spring", Vec::new())
        .with(|case| case.callback.order.campaign = Some("spring".into()))
        .check(&DECLINED);
}

#[test]
fn another_sender_calls_where_the_list_of_an_account_binds_one() {
    let mut bound = ready().with(|case| {
        case.person.suppressions.push(entry("account:main", SuppressionScope::All));
    });
    let other = ready().with(|case| {
        case.sender = Sender::new(Phone::parse("+551151995678").unwrap(), "other");
    });
    bound.callback.order.senders.push(other.sender.number);
    let assessment = assess(at(0), &situation(&bound.callback, [&bound, &other]), &bound.rules);
    assert!(matches!(assessment.step, Step::PlaceCall { sender } if sender == other.sender.number));
}

#[test]
fn a_refusal_of_the_person_is_told_before_an_entry() {
    let refused = Refusal { kind: RefusalKind::Stop, sender: sender_number(), at: at(-9) };
    suppressed(SuppressionScope::All)
        .with(|case| case.person.refusals.push(refused))
        .check(&Finish(Outcome::Declined, "consumer.stopped"));
}

#[test]
fn a_start_ends_no_entry() {
    use crate::domain::Person;
    use crate::domain::person::Restart;

    let mut person = Person::unknown(ready().person.id);
    person.suppressions.push(entry("house", SuppressionScope::All));
    for how in [Restart::Word, Restart::Called, Restart::Allowed, Restart::Resumed] {
        person.start_again(at(0), how);
        assert_eq!(person.suppressions.len(), 1, "{how:?}");
    }
}
