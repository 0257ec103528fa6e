//! Restrictions of a part of what a sender does: calls and requests wait, invites go on; or the reverse.

use super::ladder::{order, taken};
use super::*;
use crate::domain::{RoadKind, SenderPart};

fn restricted(case: Case, part: SenderPart, until: i64) -> Case {
    case.with(|case| case.paused_parts.push((part, (at(until), "low quality".into()))))
}

#[test]
fn a_restriction_of_placed_calls_holds_calls_and_requests_until_its_end() {
    for case in [ready, unasked] {
        restricted(case(), SenderPart::Placed, 1).check(&Wait("sender.paused", 10 * DAY, true));
        let gate = match restricted(case(), SenderPart::Placed, 1).assess().step {
            Step::Wait { gate, .. } => gate,
            step => panic!("{step:?}"),
        };
        assert_eq!(gate, Some(Gate::Part(sender_number(), SenderPart::Placed)));
    }
    restricted(ready(), SenderPart::Placed, 0).check(&Call);
    restricted(unasked(), SenderPart::Placed, 0).check(&template());
}

#[test]
fn a_restriction_of_placed_calls_holds_no_invite() {
    assert_eq!(taken(&restricted(order(), SenderPart::Placed, DAY)), RoadKind::CallButton);
    let exhausted = ready().with(|case| {
        case.sender.invite = "HXinvite".parse().ok();
        case.callback.attempts_made = case.callback.order.attempts_max;
    });
    restricted(exhausted, SenderPart::Placed, DAY).check(&Invite("attempts.used"));
}

#[test]
fn a_restriction_of_buttons_leaves_the_web_page_and_the_page_of_messenger() {
    let order = || order().with(|case| case.rules.inviting.resting_road = RestingRoad::Skip);
    assert_eq!(taken(&restricted(order(), SenderPart::Buttons, 1)), RoadKind::UrlButton);
    assert_eq!(taken(&restricted(order(), SenderPart::Buttons, 0)), RoadKind::CallButton);
    let without = |kind: RoadKind| {
        restricted(order(), SenderPart::Buttons, 1)
            .with(|case| case.sender.roads.retain(|road| road.kind != kind))
    };
    assert_eq!(taken(&without(RoadKind::UrlButton)), RoadKind::Messenger);
    // Calls and requests go on.
    restricted(ready(), SenderPart::Buttons, DAY).check(&Call);
    restricted(unasked(), SenderPart::Buttons, DAY).check(&template());
}

#[test]
fn a_pause_of_the_whole_sender_goes_first() {
    let both = restricted(ready(), SenderPart::Placed, DAY)
        .with(|case| case.paused = Some((at(1), "too fast".into())));
    match both.assess().step {
        Step::Wait { gate, .. } => assert_eq!(gate, Some(Gate::Rest(sender_number()))),
        step => panic!("{step:?}"),
    }
}
