//! The ladder of invites: which road is taken, what each needs, and what is waited for.

use super::*;
use crate::domain::{Psid, Road, RoadFailure, RoadKind, RoadName};
use crate::policy::ladder::{NEEDS, needs, roads};

pub(super) fn road(kind: RoadKind, account: &str) -> Road {
    Road { kind, account: account.into(), content: format!("HX{}", kind.as_str()).parse().unwrap() }
}

/// A sender with every road: WhatsApp's by the account `cloud`, Messenger by `page`.
pub(super) fn all_roads() -> Vec<Road> {
    let account = |kind| if kind == RoadKind::Messenger { "page" } else { "cloud" };
    RoadKind::ALL.into_iter().map(|kind| road(kind, account(kind))).collect()
}

fn psid() -> Psid {
    "6789012345678901".parse().unwrap()
}

/// An order that is only an invite. The service window and that of the page are open.
pub(super) fn order() -> Case {
    unasked().with(|case| {
        case.callback.order.kind = OrderKind::Invite;
        case.callback.order.psids = [("page".into(), psid())].into();
        case.sender.roads = all_roads();
        case.pair.inbound_at = Some(at(-HOUR));
        let contact = Contact::unknown(("page".into(), psid()));
        case.contacts = [("page".into(), Contact { wrote_at: Some(at(-HOUR)), ..contact })].into();
    })
}

/// The kind of road that is taken.
#[track_caller]
pub(super) fn taken(case: &Case) -> RoadKind {
    match case.assess().step {
        Step::Invite { road, .. } => road.kind,
        step => panic!("nobody is invited: {step:?}"),
    }
}

fn fails(case: &mut Case, kind: RoadKind) {
    let account = all_roads().into_iter().find(|road| road.kind == kind).unwrap().account;
    case.callback.roads_failed.push(RoadFailure { road: RoadName { kind, account }, code: None });
}

/// Why a road is passed over.
fn why(case: &Case, kind: RoadKind) -> Option<&'static str> {
    let ladders = ladders(at(case.now), &situation(&case.callback, [case]), &case.rules);
    let rung = ladders[0].1.iter().find(|rung| rung.road.kind == kind).expect("the sender has it");
    rung.standing.reason().map(Reason::code)
}

#[test]
fn every_kind_of_road_has_its_needs() {
    assert_eq!(NEEDS.map(|(kind, _)| kind), RoadKind::ALL);
    for (kind, known) in NEEDS {
        assert_eq!(needs(kind), known);
    }
    assert!(needs(RoadKind::Messenger).page_window && !needs(RoadKind::Template).service_window);
}

#[test]
fn content_at_the_senders_own_account_is_a_template_after_the_other_buttons() {
    let sender = |kinds: &[RoadKind]| Sender {
        roads: kinds.iter().map(|kind| road(*kind, "cloud")).collect(),
        invite: "HXown".parse().ok(),
        ..Sender::new(sender_number(), "main")
    };
    let of = |kinds: &[RoadKind]| -> Vec<(RoadKind, String)> {
        roads(&sender(kinds)).into_iter().map(|road| (road.kind, road.account.to_string())).collect()
    };
    use RoadKind::{CallButton, DeepLink, Template};
    let own = (Template, "main".to_owned());
    let cloud = |kind| (kind, "cloud".to_owned());
    assert_eq!(of(&[]), std::slice::from_ref(&own));
    assert_eq!(of(&[DeepLink]), [own.clone(), cloud(DeepLink)]);
    assert_eq!(
        of(&[CallButton, Template, DeepLink]),
        [cloud(CallButton), cloud(Template), own, cloud(DeepLink)]
    );
}

#[test]
fn each_road_is_taken_when_those_before_it_have_failed() {
    let mut case = order();
    for kind in RoadKind::ALL {
        assert_eq!(taken(&case), kind);
        fails(&mut case, kind);
        assert_eq!(why(&case, kind), Some("invite.road_failed"));
    }
    case.check(&Finish(Outcome::Failed, "invite.road_failed"));
}

#[test]
fn the_end_without_a_road_names_what_failed_and_not_what_was_never_open() {
    let mut case = order().with(|case| case.callback.order.psids.clear());
    for kind in RoadKind::ALL.into_iter().filter(|kind| *kind != RoadKind::Messenger) {
        fails(&mut case, kind);
    }
    assert_eq!(why(&case, RoadKind::Messenger), Some("invite.no_page_id"));
    case.check(&Finish(Outcome::Failed, "invite.road_failed"));
}

#[test]
fn a_road_that_failed_at_one_account_may_be_taken_at_another() {
    let mut case = order();
    case.sender.roads = vec![road(RoadKind::CallButton, "cloud"), road(RoadKind::CallButton, "other")];
    fails(&mut case, RoadKind::CallButton);
    assert_eq!(taken(&case), RoadKind::CallButton);
}

#[test]
fn the_free_button_is_taken_while_the_service_window_is_open_and_the_template_after_it() {
    let case = |now| order().with(|case| case.pair.inbound_at = Some(at(-DAY))).now(now);
    assert_eq!(taken(&case(-1)), RoadKind::CallButton);
    for now in [0, 1] {
        assert_eq!(taken(&case(now)), RoadKind::Template);
        for kind in [RoadKind::CallButton, RoadKind::UrlButton, RoadKind::DeepLink] {
            assert_eq!(why(&case(now), kind), Some("invite.service_window_closed"));
        }
    }
    // The margin shortens the window.
    let earlier = case(-30).with(|case| case.rules.margin = SignedDuration::from_secs(30));
    assert_eq!(taken(&earlier), RoadKind::Template);
    let in_time = case(-31).with(|case| case.rules.margin = SignedDuration::from_secs(30));
    assert_eq!(taken(&in_time), RoadKind::CallButton);
}

#[test]
fn the_page_writes_only_within_its_window_to_an_id_of_the_order() {
    let page = || order().with(|case| case.sender.roads = vec![road(RoadKind::Messenger, "page")]);
    let wrote = |now, second| {
        let change = |case: &mut Case| {
            case.contacts.values_mut().for_each(|contact| contact.wrote_at = Some(at(second)));
        };
        page().with(change).now(now)
    };
    assert_eq!(taken(&wrote(0, -DAY + 1)), RoadKind::Messenger);
    for second in [-DAY, -DAY - 1] {
        wrote(0, second).check(&Wait("invite.page_window_closed", 10 * DAY, false));
    }
    let unknown = page().with(|case| case.contacts.clear());
    unknown.check(&Wait("invite.page_window_closed", 10 * DAY, false));
    let nobody = page().with(|case| case.callback.order.psids.clear());
    nobody.check(&Finish(Outcome::Failed, "invite.no_page_id"));
    let stopped =
        page().with(|case| case.contacts.values_mut().for_each(|contact| contact.stopped_at = Some(at(-1))));
    stopped.check(&Wait("invite.page_stopped", 10 * DAY, false));
}

#[test]
fn a_phone_that_cannot_be_called_gets_no_call_button() {
    let case = order().with(|case| case.pair.permission = CallPermission::Uncallable { until: at(40 * DAY) });
    assert_eq!(taken(&case), RoadKind::UrlButton);
    assert_eq!(why(&case, RoadKind::CallButton), Some("permission.uncallable"));
    assert_eq!(why(&case, RoadKind::Template), Some("permission.uncallable"));
    let shut = order().with(|case| {
        case.pair.permission = CallPermission::Uncallable { until: at(40 * DAY) };
        case.pair.inbound_at = None;
    });
    assert_eq!(taken(&shut), RoadKind::Messenger);
}

#[test]
fn a_callback_to_a_phone_that_cannot_be_called_is_made_good_by_another_road() {
    let callback = || {
        order().with(|case| {
            case.callback.order.kind = OrderKind::Callback;
            case.pair.permission = CallPermission::Uncallable { until: at(40 * DAY) };
        })
    };
    callback().check(&Invite("permission.uncallable"));
    assert_eq!(taken(&callback()), RoadKind::UrlButton);
    // It then waits for the call, which a call button could not have brought.
    let invited = |road: &str| {
        let road = road.parse().ok();
        callback().with(|case| (case.callback.invited_at, case.callback.invited_by) = (Some(at(-60)), road))
    };
    invited("url_button:cloud").check(&Wait("invite.awaiting_call", 10 * DAY, false));
    invited("call_button:cloud").check(&Finish(Outcome::Failed, "permission.uncallable"));
}

#[test]
fn outside_the_hours_only_a_url_button_leaves() {
    // It is 12:00; they open at 14:00.
    let closed = || {
        order().with(|case| {
            case.callback.order.hours = Some("daily 14:00-18:00 @UTC".parse().unwrap());
        })
    };
    assert_eq!(taken(&closed()), RoadKind::UrlButton);
    assert_eq!(why(&closed(), RoadKind::CallButton), Some("window.outside_hours"));
    assert_eq!(taken(&closed().now(2 * HOUR)), RoadKind::CallButton);
    let waits = Wait("window.outside_hours", 2 * HOUR, false);
    closed().with(|case| case.rules.inviting.url_outside_hours = false).check(&waits);
    closed().with(|case| case.sender.roads.retain(|road| road.kind != RoadKind::UrlButton)).check(&waits);
}

#[test]
fn a_road_whose_account_rests_is_skipped_or_waited_for() {
    let resting = |rule, until| {
        order().with(move |case| {
            let reason = Reason::AccountPaused { until: at(until), why: "a token".into() };
            case.rests = [("cloud".into(), vec![(Gate::Account("cloud".into()), reason)])].into();
            case.rules.inviting.resting_road = rule;
        })
    };
    assert_eq!(taken(&resting(RestingRoad::Skip, 1)), RoadKind::Messenger);
    // Until its window closes, when the next road may be open.
    resting(RestingRoad::Wait, 1).check(&Wait("account.paused", 23 * HOUR, true));
    for rule in [RestingRoad::Skip, RestingRoad::Wait] {
        assert_eq!(taken(&resting(rule, 0)), RoadKind::CallButton, "the rest is over");
    }
    // Where every road rests there is nothing to skip to.
    let all = resting(RestingRoad::Skip, 60).with(|case| case.callback.order.psids.clear());
    all.check(&Wait("account.paused", 23 * HOUR, true));
}

#[test]
fn a_sender_that_rests_does_not_keep_the_page_from_writing() {
    let resting = |rule| {
        order().with(move |case| {
            case.paused = Some((at(60), "spam".into()));
            case.rules.inviting.resting_road = rule;
        })
    };
    assert_eq!(taken(&resting(RestingRoad::Skip)), RoadKind::Messenger);
    resting(RestingRoad::Wait).check(&Wait("sender.paused", 23 * HOUR, true));
    assert_eq!(taken(&resting(RestingRoad::Skip).now(60)), RoadKind::CallButton);
}

#[test]
fn a_pause_of_the_pair_counts_as_a_rest() {
    let paused = |rule| {
        order().with(move |case| {
            case.pair.paused_until = Some(at(60));
            case.rules.inviting.resting_road = rule;
        })
    };
    assert_eq!(taken(&paused(RestingRoad::Skip)), RoadKind::Messenger);
    paused(RestingRoad::Wait).check(&Wait("pair.paused", 60, false));
}

#[test]
fn an_operators_pause_of_a_roads_account_rests_it() {
    let pause = Pause {
        id: PauseId::new(Uuid::from_u128(7)),
        scope: PauseScope::Account("cloud".into()),
        tenant: Tenant::default(),
        who: "ops".into(),
        why: "a bill".into(),
        from: at(-60),
        until: None,
    };
    let sender = Sender { roads: all_roads(), ..Sender::new(sender_number(), "main") };
    let directory = crate::domain::Directory::new([sender]);
    let case = order();
    let loads = Loads { pauses: Arc::new(crate::domain::Pauses::new([pause])), ..Loads::default() };
    let person = PersonView::unknown(PersonId::of(case.callback.order.consumer));
    let surroundings = Surroundings { now: at(0), directory: &directory, loads: &loads };
    let situation =
        Situation::gather(&case.callback, None, surroundings, person, |_| Some(case.pair.clone()))
            .at_pages(case.contacts.values().cloned());
    let Step::Invite { road, .. } = next_step(at(0), &situation, &rules()) else { panic!("it invites") };
    assert_eq!(road.kind, RoadKind::Messenger);
}

#[test]
fn a_sender_that_cannot_call_invites_at_once_and_says_why() {
    let case = || {
        order().with(|case| {
            case.callback.order.kind = OrderKind::Callback;
            case.sender.can_call = false;
            case.pair.permission = CallPermission::Permanent;
        })
    };
    case().check(&Invite("sender.cannot_call"));
    case().with(|case| case.pair.permission = CallPermission::None).check(&Invite("sender.cannot_call"));
    case().with(|case| case.callback.order.earliest = at(60)).check(&Wait(
        "window.before_earliest",
        60,
        false,
    ));
    case().with(|case| case.sender.roads.clear()).check(&Finish(Outcome::Failed, "invite.no_road"));
}

#[test]
fn a_sender_that_can_call_goes_before_one_that_only_invites() {
    let only = order().with(|case| {
        case.callback.order.kind = OrderKind::Callback;
        case.sender.can_call = false;
        case.sender.number = Phone::parse("+551151995678").unwrap();
    });
    let case = ready();
    let both = |case: &Case| next_step(at(0), &situation(&case.callback, [case, &only]), &rules());
    assert!(matches!(both(&case), Step::PlaceCall { .. }));
    assert!(matches!(both(&unasked()), Step::RequestPermission { .. }));
    let spent = ready().with(|case| case.callback.attempts_made = 3);
    assert!(matches!(both(&spent), Step::Invite { .. }));
}

#[test]
fn an_order_that_only_invites_looks_at_neither_document_nor_attempts() {
    let case = order().with(|case| {
        case.document = None;
        case.callback.order.attempts_max = 0;
        case.pair.permission = CallPermission::Permanent;
    });
    case.check(&Invite("invite.ordered"));
}

#[test]
fn an_order_that_only_invites_ends_at_its_deadline() {
    let case = |now| order().with(|case| case.callback.order.latest = at(100)).now(now);
    case(99).check(&Invite("invite.ordered"));
    case(100).check(&Finish(Outcome::Expired, "deadline.passed"));
    let canceled = order().with(|case| case.callback.cancel_requested_at = Some(at(-1)));
    canceled.check(&Finish(Outcome::Canceled, "customer.canceled"));
    let invited = order().with(|case| case.callback.invited_at = Some(at(-1)));
    invited.check(&Wait("invite.awaiting_call", 10 * DAY, false));
}

#[test]
fn nobody_is_invited_after_a_no() {
    let refused = |kind| {
        let refusal = Refusal { kind, sender: sender_number(), at: at(-1) };
        order().with(move |case| case.person.refusals.push(refusal))
    };
    for (kind, code) in [
        (RefusalKind::Stop, "consumer.stopped"),
        (RefusalKind::Block, "consumer.blocked"),
        (RefusalKind::Decline, "permission.declined"),
    ] {
        refused(kind).check(&Finish(Outcome::Declined, code));
    }
    for permission in [CallPermission::Declined { until: at(1) }, CallPermission::RevokedByConsumer] {
        let case = order().with(|case| case.pair.permission = permission);
        case.check(&Finish(Outcome::Declined, "permission.declined"));
    }
    let ended = order().with(|case| case.pair.permission = CallPermission::Declined { until: at(0) });
    assert_eq!(taken(&ended), RoadKind::CallButton);
}

#[test]
fn an_order_waits_for_the_end_of_a_call_and_of_another_message() {
    let calling = order().with(|case| case.pair.live_inbound = Some("CA1".into()));
    calling.check(&Wait("pair.on_the_phone", 10 * DAY, false));
    let asked = order().with(|case| case.pair.request = Some(MessageId::new(Uuid::from_u128(5))));
    asked.check(&Wait("pair.fenced", 10 * DAY, false));
}

#[test]
fn of_two_senders_that_only_invite_the_one_with_an_open_road_does() {
    let shut = order().with(|case| {
        case.sender.roads = vec![road(RoadKind::CallButton, "cloud")];
        case.pair.inbound_at = None;
    });
    let open = order().with(|case| case.sender.number = Phone::parse("+551151995678").unwrap());
    for cases in [[&shut, &open], [&open, &shut]] {
        let step = next_step(at(0), &situation(&shut.callback, cases), &rules());
        let Step::Invite { sender, .. } = step else { panic!("it invites: {step:?}") };
        assert_eq!(sender, open.sender.number);
    }
}

#[test]
fn a_missed_call_of_the_consumer_goes_before_others_of_its_priority() {
    let ordinary = ready();
    let missed = ready().with(|case| case.callback.missed_call_at = Some(at(-10)));
    let rank = |case: &Case| {
        let expires_at = expires_at(at(0), &case.callback, &case.calendars, [&case.pair].into_iter());
        case.callback.rank(expires_at)
    };
    let urgent = ready().with(|case| case.callback.order.priority = Priority::URGENT);
    let soon = ready().with(|case| case.callback.order.latest = at(1));
    assert!(rank(&missed) < rank(&ordinary) && rank(&missed) < rank(&soon));
    assert!(rank(&urgent) < rank(&missed));
}
