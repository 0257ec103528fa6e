//! What a person allows across all senders: one call, a pause after a talk, and a no that binds everybody.

use super::*;
use crate::domain::Consent;

fn other_sender() -> Phone {
    Phone::parse("+551151995678").unwrap()
}

fn refused(kind: RefusalKind, sender: Phone) -> Case {
    ready().with(|case| {
        case.sender.invite = "HXinvite".parse().ok();
        case.person.refusals.push(Refusal { kind, sender, at: at(-5) });
    })
}

#[test]
fn a_no_to_one_sender_binds_the_others_and_nobody_is_invited() {
    for (kind, code) in [
        (RefusalKind::Decline, "permission.declined"),
        (RefusalKind::Revocation, "permission.declined"),
        (RefusalKind::Operator, "permission.declined"),
        (RefusalKind::Stop, "consumer.stopped"),
        (RefusalKind::OptOut, "consumer.opted_out"),
        (RefusalKind::Block, "consumer.blocked"),
    ] {
        for sender in [sender_number(), other_sender()] {
            refused(kind, sender).check(&Finish(Outcome::Declined, code));
            refused(kind, sender)
                .with(|case| case.pair.permission = CallPermission::None)
                .check(&Finish(Outcome::Declined, code));
        }
    }
}

#[test]
fn a_decline_can_be_narrowed_to_its_sender_and_nothing_else_can() {
    let narrow = |kind, sender| {
        refused(kind, sender).with(|case| case.rules.people.decline_binds_its_sender_only = true)
    };
    narrow(RefusalKind::Decline, other_sender()).check(&Call);
    narrow(RefusalKind::Decline, sender_number()).check(&Finish(Outcome::Declined, "permission.declined"));
    for kind in [RefusalKind::Revocation, RefusalKind::Stop, RefusalKind::Block, RefusalKind::OptOut] {
        let assessment = narrow(kind, other_sender()).assess();
        assert!(matches!(assessment.step, Step::Finish { outcome: Outcome::Declined, .. }), "{kind:?}");
    }
}

#[test]
fn who_asked_to_be_called_may_be_invited_once_after_a_decline_where_the_operator_wants_it() {
    let wanted = |kind, allowed, purpose| {
        refused(kind, sender_number()).with(|case| {
            case.rules.people.invite_after_decline = allowed;
            case.callback.order.purpose = purpose;
        })
    };
    let declined = Finish(Outcome::Declined, "permission.declined");
    wanted(RefusalKind::Decline, false, Purpose::Requested).check(&declined);
    wanted(RefusalKind::Decline, true, Purpose::Service).check(&declined);
    wanted(RefusalKind::Decline, true, Purpose::Requested).check(&Invite("permission.declined"));
    wanted(RefusalKind::Decline, true, Purpose::Requested)
        .with(|case| case.callback.invited_at = Some(at(-1)))
        .check(&Wait("invite.awaiting_call", 10 * DAY, false));
    wanted(RefusalKind::Stop, true, Purpose::Requested).check(&Finish(Outcome::Declined, "consumer.stopped"));
}

#[test]
fn the_last_refusal_is_the_one_that_is_told() {
    let case = refused(RefusalKind::Decline, sender_number()).with(|case| {
        case.person.refusals.push(Refusal { kind: RefusalKind::Stop, sender: other_sender(), at: at(-4) });
    });
    case.check(&Finish(Outcome::Declined, "consumer.stopped"));
}

#[test]
fn ten_minutes_lie_between_a_talk_and_the_next_call_unless_the_order_waives_them() {
    let talked = || ready().with(|case| case.person.talked_until = Some(at(0)));
    talked().now(599).check(&Wait("consumer.just_talked", 600, false));
    talked().now(600).check(&Call);
    talked().with(|case| case.callback.order.waive_gap = true).check(&Call);
    talked().with(|case| case.rules.people.gap = SignedDuration::ZERO).now(0).check(&Call);
}

#[test]
fn a_pause_that_outlasts_the_permission_is_kept() {
    let ends = |second| {
        ready().with(|case| {
            case.person.talked_until = Some(at(0));
            case.pair.permission = CallPermission::Temporary { expires_at: at(second) };
        })
    };
    ends(601).check(&Wait("consumer.just_talked", 600, false));
    let step = ends(600).assess().step;
    assert!(!matches!(step, Step::PlaceCall { .. }), "{step:?}");
}

fn known(number: &str, kind: RefusalKind) -> Person {
    let mut person = Person::unknown(PersonId::of(Phone::told(number).unwrap()));
    person.refuse(Refusal { kind, sender: other_sender(), at: at(0) });
    person
}

#[test]
fn a_no_under_a_possible_spelling_counts_and_a_call_under_it_does_not() {
    let old = Phone::parse("+553177650144").unwrap();
    let mut other = known("+5531977650144", RefusalKind::Stop);
    other.live.insert(AttemptId::new(Uuid::from_u128(4)));
    other.talked_until = Some(at(0));
    let people = People::of(vec![(other, Vec::new()), (Person::unknown(PersonId::of(old)), Vec::new())]);
    let view = people.view(old);
    assert_eq!(view.refuses(sender_number(), None, &PeopleRules::CAUTIOUS), Some(RefusalKind::Stop));
    assert!(!view.is_on_the_phone());
    assert_eq!(view.talked_until, None);
}

#[test]
fn everything_counts_under_a_certain_spelling() {
    let told = Phone::told("+5215555500142").unwrap();
    let ordered = Phone::parse("+525555500142").unwrap();
    let key = PairKey::of(sender_number(), told);
    let pair = Pair { permission: CallPermission::Permanent, ..Pair::unknown(key) };
    let people = People::of(vec![(known("+5215555500142", RefusalKind::Block), vec![pair.clone()])]);
    assert_eq!(people.pair(sender_number(), ordered), pair);
    assert_eq!(people.view(ordered).refusals.len(), 1);
    assert_eq!(people.pair(other_sender(), ordered).permission, CallPermission::None);
}

#[test]
fn a_refusal_is_the_outcome_also_where_nothing_but_the_person_knows_of_it() {
    let declined = Finish(Outcome::Declined, "permission.declined");
    // An older program had invited the consumer, and the callback waited for a call until its deadline. The sender's own
    // record of the no may have lapsed.
    let invited = |kind, sender| {
        refused(kind, sender).with(|case| {
            case.callback.invited_at = Some(at(-3));
            case.callback.order.latest = at(100);
            case.pair.permission = CallPermission::None;
        })
    };
    invited(RefusalKind::Decline, sender_number()).now(100).check(&declined);
    invited(RefusalKind::Stop, other_sender()).now(100).check(&Finish(Outcome::Declined, "consumer.stopped"));
    let narrow = |sender| {
        invited(RefusalKind::Decline, sender)
            .with(|case| case.rules.people.decline_binds_its_sender_only = true)
            .now(100)
    };
    narrow(sender_number()).check(&declined);
    narrow(other_sender()).check(&Finish(Outcome::Expired, "deadline.passed"));
    // What was tried as often as was ordered is exhausted, as for everybody.
    invited(RefusalKind::Decline, sender_number())
        .with(|case| case.callback.attempts_made = case.callback.order.attempts_max)
        .now(100)
        .check(&Finish(Outcome::Exhausted, "attempts.used"));
    // Without a sender that could ask, the no is still a no.
    for (kind, latest, outcome) in [
        (Some(RefusalKind::Decline), at(100), Outcome::Declined),
        (Some(RefusalKind::Decline), at(0), Outcome::Declined),
        (None, at(100), Outcome::Failed),
        (None, at(0), Outcome::Expired),
    ] {
        let mut case = kind.map_or_else(ready, |kind| refused(kind, sender_number()));
        case.callback.order.latest = latest;
        let mut situation = situation(&case.callback, []);
        situation.person = case.person();
        let step = next_step(at(0), &situation, &case.rules);
        assert!(matches!(&step, Step::Finish { outcome: end, .. } if *end == outcome), "{kind:?}: {step:?}");
    }
}

#[test]
fn a_refusal_of_marketing_binds_marketing_and_what_nobody_asked_for() {
    let mut person = crate::domain::Person::unknown(crate::domain::PersonId::of(sender_number()));
    let kind = RefusalKind::Marketing;
    person.refuse(crate::domain::Refusal { kind, sender: sender_number(), at: at(0) });
    let view = crate::policy::PersonView::of(&person, std::iter::empty(), std::iter::empty());
    for purpose in crate::domain::Purpose::ALL {
        let refuses = view.refuses(sender_number(), Some(purpose), &PeopleRules::CAUTIOUS);
        let expected = (purpose == crate::domain::Purpose::Marketing).then_some(kind);
        assert_eq!(refuses, expected, "{}", purpose.as_str());
    }
    assert_eq!(view.refuses(sender_number(), None, &PeopleRules::CAUTIOUS), Some(kind));
    assert_eq!(view.refused_by_the_person(), None, "it refuses no calls");
}

#[test]
fn who_stopped_marketing_is_asked_only_for_a_call_that_was_wanted() {
    let stopped = |permission, purpose| {
        refused(RefusalKind::Marketing, other_sender()).with(|case| {
            case.pair.permission = permission;
            case.callback.order.purpose = purpose;
            case.callback.order.consent =
                Some(Consent { source: "form".into(), at: at(-9), text_version: None, expires_at: None });
        })
    };
    let end = Finish(Outcome::Declined, "consumer.stopped_marketing");
    for purpose in [Purpose::Service, Purpose::Collections] {
        stopped(CallPermission::Permanent, purpose).check(&Call);
        // Nobody asks; an invite is no request, so it may leave.
        stopped(CallPermission::None, purpose).check(&Invite("consumer.stopped_marketing"));
        stopped(CallPermission::None, purpose).with(|case| case.sender.invite = None).check(&end);
    }
    for permission in [CallPermission::Permanent, CallPermission::None] {
        stopped(permission, Purpose::Marketing).check(&end);
    }
    stopped(CallPermission::Permanent, Purpose::Requested).check(&Call);
    stopped(CallPermission::None, Purpose::Requested).check(&template());
}

#[test]
fn who_stopped_marketing_after_the_first_request_is_not_asked_again() {
    let expires_at = at(7 * DAY);
    let asked = |purpose| {
        unasked().with(|case| {
            case.rules.ask_again = Some(AskAgain::DAILY);
            case.callback.order.purpose = purpose;
            case.callback.order.latest = at(6 * DAY);
            case.pair.permission = CallPermission::Requested { expires_at };
            case.pair.requests = vec![at(0)];
            case.pair.unanswered = 1;
        })
    };
    let stop = |case: &mut Case| {
        let kind = RefusalKind::Marketing;
        case.person.refusals.push(Refusal { kind, sender: sender_number(), at: at(60) });
    };
    let is_asked_again = |case: &Case| matches!(case.assess().step, Step::RequestPermission { .. });
    for (purpose, expected) in [(Purpose::Service, false), (Purpose::Requested, true)] {
        let later = asked(purpose).now(2 * DAY);
        assert!(is_asked_again(&later), "{}", purpose.as_str());
        assert_eq!(is_asked_again(&later.with(stop)), expected, "{}", purpose.as_str());
    }
}
