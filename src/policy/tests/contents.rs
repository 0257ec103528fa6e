//! Content that the platform does not send for a while: what uses it waits or takes another, and calls go on.

use super::ladder::{order, road, taken};
use super::*;
use crate::domain::{ContentRef, Road, RoadKind};

fn pause(n: u128, account: &str, content: &str, until: i64) -> Pause {
    Pause {
        id: PauseId::new(Uuid::from_u128(n)),
        scope: PauseScope::Content(account.into(), content.parse().unwrap()),
        tenant: Tenant::default(),
        who: Pause::PLATFORM.into(),
        why: "WhatsApp paused the template for low quality".into(),
        from: at(-60),
        until: Some(at(until)),
    }
}

#[test]
fn a_request_waits_for_its_template_until_the_second_at_which_the_pause_ends() {
    let case =
        |now| unasked().with(|case| case.contents = vec![pause(1, "main", "HXtemplate", 100)]).now(now);
    for now in [0, 99] {
        case(now).check(&Wait("content.paused", 10 * DAY, true));
    }
    for now in [100, 101] {
        case(now).check(&template());
    }
}

#[test]
fn other_content_and_other_accounts_are_not_held() {
    for (account, content) in [("main", "HXother"), ("cloud", "HXtemplate"), ("main", "HXfree")] {
        unasked().with(|case| case.contents = vec![pause(1, account, content, 100)]).check(&template());
    }
}

#[test]
fn calls_go_on_while_all_content_is_paused() {
    let paused = || vec![pause(1, "main", "HXtemplate", 100), pause(2, "main", "HXfree", 100)];
    ready().with(|case| case.contents = paused()).check(&Call);
}

#[test]
fn inside_the_window_the_content_that_is_not_paused_asks_and_of_two_the_first_to_end_is_waited_for() {
    let case = |pauses: Vec<Pause>| {
        unasked().with(|case| {
            case.pair.inbound_at = Some(at(-HOUR));
            case.contents = pauses;
        })
    };
    case(vec![pause(1, "main", "HXfree", 100)]).check(&template());
    case(vec![pause(1, "main", "HXtemplate", 100)]).check(&Ask("HXfree".into()));
    let gate_of = |free, template| {
        let both = case(vec![pause(1, "main", "HXfree", free), pause(2, "main", "HXtemplate", template)]);
        match both.assess().step {
            Step::Wait { gate: Some(Gate::Pause(id)), .. } => id.uuid().as_u128(),
            step => panic!("{step:?}"),
        }
    };
    assert_eq!([gate_of(100, 200), gate_of(200, 100), gate_of(100, 100)], [1, 2, 1]);
}

#[test]
fn of_several_pauses_of_one_content_the_last_end_counts() {
    let pauses = vec![pause(1, "main", "HXtemplate", 200), pause(2, "main", "HXtemplate", 100)];
    let case = |now| unasked().with(|case| case.contents.clone_from(&pauses)).now(now);
    case(199).check(&Wait("content.paused", 10 * DAY, true));
    case(200).check(&template());
}

#[test]
fn a_road_rests_with_its_content_and_the_next_one_is_taken() {
    let case = |until| {
        order().with(|case| {
            case.contents = vec![pause(1, "cloud", "HXcall_button", until)];
        })
    };
    assert_eq!([taken(&case(1)), taken(&case(0))], [RoadKind::Template, RoadKind::CallButton]);
    case(60).with(|case| case.rules.inviting.resting_road = RestingRoad::Wait).check(&Wait(
        "content.paused",
        23 * HOUR,
        true,
    ));
    // Without another road it is waited for in both cases.
    case(60).with(|case| case.sender.roads.truncate(1)).check(&Wait("content.paused", 23 * HOUR, true));
}

#[test]
fn the_same_content_at_another_account_is_open() {
    let case = order().with(|case| {
        let other = Road { account: "other".into(), ..road(RoadKind::Template, "cloud") };
        case.sender.roads = vec![road(RoadKind::Template, "cloud"), other];
        case.contents = vec![pause(1, "cloud", "HXtemplate", 60)];
    });
    match case.assess().step {
        Step::Invite { road, .. } => assert_eq!(&*road.account, "other"),
        step => panic!("{step:?}"),
    }
}

#[test]
fn nothing_leaves_with_content_that_was_paused_after_the_decision() {
    let content: ContentRef = "HXtemplate".parse().unwrap();
    let numbers =
        crate::domain::Numbers { sender: sender_number(), consumer: ready().callback.order.consumer };
    let id = crate::domain::MessageId::new(Uuid::from_u128(9));
    let purpose = crate::domain::MessagePurpose::PermissionRequest;
    let message = crate::domain::Message::new(id, purpose, content, numbers, "main", at(0));
    let leaves = |until| {
        let case = unasked().with(|case| {
            case.contents = vec![pause(1, "main", "HXtemplate", until)];
            ledger::request_intended(&mut case.pair, at(0), id, &case.rules);
        });
        let message = message.clone().for_callback(case.callback.id);
        may_leave(at(0), Leaving::Message(&message), &situation(&case.callback, [&case]), &case.rules)
            .map_err(|reason| reason.code())
    };
    assert_eq!([leaves(1), leaves(0)], [Err("content.paused"), Ok(())]);
}

#[test]
fn the_load_tells_the_paused_content_of_each_sender() {
    let pauses = [pause(1, "main", "HXtemplate", 60), pause(2, "main", "HXother", 60)];
    let loads = Loads { pauses: Arc::new(crate::domain::Pauses::new(pauses)), ..Loads::default() };
    let case = unasked();
    let directory = crate::domain::Directory::new([case.sender.clone()]);
    let person = PersonView::unknown(PersonId::of(case.callback.order.consumer));
    let surroundings = Surroundings { now: at(0), directory: &directory, loads: &loads };
    let situation =
        Situation::gather(&case.callback, None, surroundings, person, |_| Some(case.pair.clone()));
    let found: Vec<_> =
        situation.candidates[0].contents.iter().map(|pause| pause.id.uuid().as_u128()).collect();
    assert_eq!(found, [1]);
}
