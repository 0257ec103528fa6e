//! The limits of invites, one step before, at and after their ends: the person's, the pace of the pair; and what may
//! leave when the ground has changed since the decision.

use super::ladder::{order, road, taken};
use super::*;
use crate::domain::{Message, MessagePurpose, RoadKind};

const WEEK: i64 = 7 * DAY;

fn invited(second: i64) -> Case {
    order().with(|case| case.person.invites = vec![at(second)])
}

#[test]
fn a_person_is_invited_once_in_seven_days_by_whatever_sender() {
    invited(-WEEK + 1).check(&Wait("invite.person_limit", 1, false));
    invited(-WEEK).check(&Invite("invite.ordered"));
    invited(-WEEK - 1).check(&Invite("invite.ordered"));
}

#[test]
fn the_limit_of_the_person_holds_every_road() {
    let case = invited(-1);
    let ladders = ladders(at(0), &situation(&case.callback, [&case]), &case.rules);
    assert!(
        ladders[0].1.iter().all(|rung| {
            rung.standing.reason().is_some_and(|reason| reason.code() == "invite.person_limit")
        })
    );
}

#[test]
fn the_operator_chooses_the_time_between_two_invites() {
    let within = |hours, second| {
        invited(second).with(|case| case.rules.inviting.per_person = SignedDuration::from_hours(hours))
    };
    within(1, -HOUR + 1).check(&Wait("invite.person_limit", 1, false));
    within(1, -HOUR).check(&Invite("invite.ordered"));
    within(0, 0).check(&Invite("invite.ordered"));
}

#[test]
fn a_clock_that_stepped_back_allows_no_second_invite() {
    invited(60).with(only(RoadKind::Template)).check(&Wait("invite.person_limit", 60 + WEEK, false));
}

fn only(kind: RoadKind) -> impl FnOnce(&mut Case) {
    let account = if kind == RoadKind::Messenger { "page" } else { "cloud" };
    move |case| case.sender.roads = vec![road(kind, account)]
}

/// Both windows of [`order`] close 23 hours later.
#[test]
fn what_waits_for_a_road_is_decided_again_when_its_window_closes() {
    let limited = |kind| invited(-HOUR).with(only(kind));
    for kind in [RoadKind::CallButton, RoadKind::UrlButton, RoadKind::DeepLink, RoadKind::Messenger] {
        limited(kind).check(&Wait("invite.person_limit", 23 * HOUR, false));
        limited(kind).now(23 * HOUR - 1).check(&Wait("invite.person_limit", 23 * HOUR, false));
    }
    for now in [0, 23 * HOUR, 23 * HOUR + 1] {
        limited(RoadKind::Template).now(now).check(&Wait("invite.person_limit", WEEK - HOUR, false));
    }
    limited(RoadKind::CallButton).now(23 * HOUR).check(&Wait(
        "invite.service_window_closed",
        10 * DAY,
        false,
    ));
    limited(RoadKind::Messenger).now(23 * HOUR).check(&Wait("invite.page_window_closed", 10 * DAY, false));
    // The margin shortens the window.
    let margin = SignedDuration::from_secs(30);
    let careful = limited(RoadKind::CallButton).with(|case| case.rules.margin = margin);
    careful.check(&Wait("invite.person_limit", 23 * HOUR - 30, false));
}

/// Otherwise another sender's invite would become possible at a time at which nobody looks.
#[test]
fn an_open_request_is_waited_for_whatever_the_windows_do() {
    for kind in [RoadKind::Messenger, RoadKind::CallButton, RoadKind::Template] {
        for now in [0, 23 * HOUR - 1, 23 * HOUR] {
            let asked = order().with(only(kind)).with(|case| {
                case.pair.permission = CallPermission::Requested { expires_at: at(5 * DAY) };
                case.pair.request = Some(MessageId::new(Uuid::from_u128(5)));
            });
            asked.now(now).check(&Wait("permission.awaiting_reply", 5 * DAY, false));
        }
    }
}

#[test]
fn a_callback_that_gave_up_ends_when_the_window_of_its_last_road_closes() {
    let spent = |now| {
        let change = |case: &mut Case| {
            case.callback.order.kind = OrderKind::Callback;
            case.callback.attempts_made = 3;
        };
        invited(-HOUR).with(only(RoadKind::CallButton)).with(change).now(now)
    };
    spent(23 * HOUR - 1).check(&Wait("invite.person_limit", 23 * HOUR, false));
    spent(23 * HOUR).check(&Finish(Outcome::Exhausted, "attempts.used"));
}

#[test]
fn a_window_is_not_promised_to_help_while_the_limit_of_the_person_outlasts_the_deadline() {
    let shut = |latest| {
        invited(-WEEK + 100).with(|case| {
            case.pair.inbound_at = None;
            case.contacts.clear();
            case.sender.roads.retain(|road| road.kind != RoadKind::Template);
            case.callback.order.latest = at(latest);
        })
    };
    // The limit ends at 100.
    for (latest, expected) in
        [(99, "invite.person_limit"), (100, "invite.person_limit"), (101, "invite.service_window_closed")]
    {
        shut(latest).check(&Wait(expected, latest, false));
    }
    let codes = |latest| -> Vec<&'static str> {
        let case = shut(latest);
        let ladders = ladders(at(0), &situation(&case.callback, [&case]), &case.rules);
        ladders[0].1.iter().filter_map(|rung| Some(rung.standing.reason()?.code())).collect()
    };
    assert_eq!(codes(100), ["invite.person_limit"; 4]);
    let closed = "invite.service_window_closed";
    assert_eq!(codes(101), [closed, closed, closed, "invite.page_window_closed"]);
    // A road that is shut for another reason keeps it.
    let stranger = shut(100).with(|case| case.callback.order.psids.clear());
    let ladders = ladders(at(0), &situation(&stranger.callback, [&stranger]), &stranger.rules);
    assert_eq!(ladders[0].1[3].standing.reason().map(Reason::code), Some("invite.no_page_id"));
}

#[test]
fn a_callback_that_gave_up_ends_if_the_limit_outlasts_its_deadline() {
    let spent = |latest| {
        invited(-WEEK + 100).with(|case| {
            case.callback.order.kind = OrderKind::Callback;
            case.callback.attempts_made = 3;
            case.callback.order.latest = at(latest);
        })
    };
    spent(101).check(&Wait("invite.person_limit", 100, false));
    spent(100).check(&Finish(Outcome::Exhausted, "attempts.used"));
    // An order that only invites waits: the other invite may turn out not to have arrived.
    let order = |latest| invited(-WEEK + 100).with(|case| case.callback.order.latest = at(latest));
    order(100).check(&Wait("invite.person_limit", 100, false));
}

#[test]
fn a_sender_sends_a_consumer_one_message_in_six_seconds() {
    let sent = |second| order().with(|case| case.pair.messaged_at = Some(at(second)));
    let only = |case: Case| case.with(|case| case.sender.roads = vec![road(RoadKind::CallButton, "cloud")]);
    only(sent(-5)).check(&Wait("limit.message_gap", 1, false));
    only(sent(-6)).check(&Invite("invite.ordered"));
    only(sent(-7)).check(&Invite("invite.ordered"));
    // That is no reason to take another road; and the page is another sender.
    sent(-5).check(&Wait("limit.message_gap", 1, false));
    let page = sent(-5).with(|case| case.sender.roads = vec![road(RoadKind::Messenger, "page")]);
    assert_eq!(taken(&page), RoadKind::Messenger);
}

#[test]
fn a_permission_request_keeps_the_pace_of_the_pair_too() {
    let sent = |second| unasked().with(|case| case.pair.messaged_at = Some(at(second)));
    sent(-5).check(&Wait("limit.message_gap", 1, false));
    sent(-6).check(&template());
}

/// The invite of [`order`] by its first road, as it stands after the decision.
fn decided() -> (Case, Message) {
    let case = order().with(|case| {
        case.callback.invited_at = Some(at(0));
        case.callback.invited_by = "call_button:cloud".parse().ok();
        case.person.invites = vec![at(0)];
    });
    let first = case.sender.roads[0].clone();
    let numbers = Numbers { sender: case.sender.number, consumer: case.callback.order.consumer };
    let id = MessageId::new(Uuid::from_u128(5));
    let message = Message::new(id, MessagePurpose::Invite, first.content, numbers, first.account, at(0));
    (case, Message { road: Some(RoadKind::CallButton), ..message })
}

fn leaves(case: &Case, message: &Message) -> Result<(), &'static str> {
    let situation = situation(&case.callback, [case]);
    may_leave(at(case.now), Leaving::Message(message), &situation, &case.rules)
        .map_err(|reason| reason.code())
}

#[test]
fn an_invite_leaves_by_the_road_that_was_decided_and_no_other() {
    let (case, message) = decided();
    assert_eq!(leaves(&case, &message), Ok(()));
    for other in [
        Message { road: Some(RoadKind::Template), ..message.clone() },
        Message { road: None, ..message.clone() },
        Message { content: "HXother".parse().unwrap(), ..message.clone() },
        Message { channel: crate::domain::Channel::whatsapp("other"), ..message.clone() },
    ] {
        assert_eq!(leaves(&case, &other), Err("invite.road_changed"));
    }
}

#[test]
fn an_invite_does_not_leave_when_its_window_has_closed_meanwhile() {
    let (case, message) = decided();
    let closes = case.with(|case| case.pair.inbound_at = Some(at(60 - DAY)));
    assert_eq!(leaves(&closes, &message), Ok(()));
    assert_eq!(leaves(&closes.now(60), &message), Err("invite.road_changed"));
}

#[test]
fn an_invite_does_not_leave_beside_another_one_of_the_person() {
    let (case, message) = decided();
    let twice = case.with(|case| case.person.invites = vec![at(-60), at(0)]);
    assert_eq!(leaves(&twice, &message), Err("invite.person_limit"));
}

#[test]
fn an_invite_does_not_leave_after_a_no_or_once_its_road_rests() {
    let (case, message) = decided();
    let refused = case.with(|case| {
        case.person.refusals.push(Refusal { kind: RefusalKind::Stop, sender: sender_number(), at: at(0) });
    });
    assert_eq!(leaves(&refused, &message), Err("consumer.stopped"));
    let (case, message) = decided();
    let rests = case.with(|case| case.paused = Some((at(60), "spam".into())));
    assert_eq!(leaves(&rests, &message), Err("invite.road_changed"), "another road goes first now");
}

#[test]
fn a_callback_that_gave_up_invites_nobody_before_its_earliest_time() {
    let spent = |now| {
        let change = |case: &mut Case| {
            case.callback.order.kind = OrderKind::Callback;
            case.callback.attempts_made = 3;
            case.callback.order.earliest = at(HOUR);
        };
        order().with(change).now(now)
    };
    for now in [0, HOUR - 1] {
        spent(now).check(&Wait("window.before_earliest", HOUR, false));
    }
    spent(HOUR).check(&Invite("attempts.used"));
    let nowhere = spent(0).with(|case| case.sender.roads.clear());
    nowhere.check(&Finish(Outcome::Exhausted, "attempts.used"));
}

#[test]
fn a_callback_that_gave_up_waits_for_the_end_of_a_call_before_it_invites_or_ends() {
    let spent = |change: fn(&mut Case)| {
        let gave_up = order().with(|case| {
            case.callback.order.kind = OrderKind::Callback;
            case.callback.attempts_made = 3;
        });
        gave_up.with(change)
    };
    spent(|case| case.pair.live_inbound = Some("CA1".into())).check(&Wait(
        "pair.on_the_phone",
        10 * DAY,
        false,
    ));
    spent(|_| ()).check(&Invite("attempts.used"));
    let nowhere = spent(|case| {
        case.pair.live_inbound = Some("CA1".into());
        case.sender.roads.clear();
    });
    nowhere.check(&Finish(Outcome::Exhausted, "attempts.used"));
}
