//! What was decided a moment ago is looked at once more before it leaves: each ground, just before it goes and
//! when it has gone.

use super::*;
use crate::domain::callback::Closed;
use crate::domain::{Message, MessagePurpose, RoadKind};

fn attempt() -> Attempt {
    let case = ready();
    let key = Numbers { sender: case.sender.number, consumer: case.callback.order.consumer };
    let id = AttemptId::new(Uuid::from_u128(4));
    Attempt::new(id, case.callback.id, key, "main", LegOrder::ConsumerFirst, at(0))
}

fn message(purpose: MessagePurpose, content: &str) -> Message {
    let case = ready();
    let key = Numbers { sender: case.sender.number, consumer: case.callback.order.consumer };
    let id = MessageId::new(Uuid::from_u128(5));
    let road = (purpose == MessagePurpose::Invite).then_some(RoadKind::Template);
    let message = Message::new(id, purpose, content.parse().unwrap(), key, "main", at(0));
    Message { road, ..message.for_callback(case.callback.id) }
}

/// A call that was decided at the beginning, as it stands after the decision.
pub(super) fn call() -> Case {
    ready().with(|case| {
        let id = attempt().id;
        case.callback.state = State::Calling { attempt: id };
        case.person.live.insert(id);
        case.live_calls = 1;
        // The share of the account was taken by the call itself.
        case.account.next_call_at = at(1);
    })
}

fn request() -> Case {
    unasked().with(|case| {
        let id = message(MessagePurpose::PermissionRequest, "HXtemplate").id;
        ledger::request_intended(&mut case.pair, at(0), id, &case.rules);
        case.callback.order.latest = at(20 * DAY);
    })
}

/// An invite, because the consumer declined.
fn invite() -> Case {
    unasked().with(|case| {
        case.sender.invite = "HXinvite".parse().ok();
        case.pair.permission = CallPermission::Declined { until: at(2 * DAY) };
        case.callback.order.purpose = Purpose::Requested;
        case.rules.people.invite_after_decline = true;
        case.callback.invited_at = Some(at(0));
        case.callback.invited_by = "template:main".parse().ok();
        case.person.invites = vec![at(0)];
    })
}

fn ground(case: &Case, leaving: Leaving<'_>) -> Result<(), &'static str> {
    let situation = situation(&case.callback, [case]);
    may_leave(at(case.now), leaving, &situation, &case.rules).map_err(|reason| reason.code())
}

pub(super) fn leaves(case: &Case) -> Result<(), &'static str> {
    if case.callback.invited_at.is_some() {
        ground(case, Leaving::Message(&message(MessagePurpose::Invite, "HXinvite")))
    } else if case.pair.request.is_some() {
        ground(case, Leaving::Message(&message(MessagePurpose::PermissionRequest, "HXtemplate")))
    } else {
        ground(case, Leaving::Call(&attempt()))
    }
}

#[track_caller]
fn goes(case: Case, expected: Result<(), &'static str>) {
    assert_eq!(leaves(&case), expected);
}

#[test]
fn what_was_decided_stands_while_nothing_has_changed() {
    for case in [call(), request(), invite()] {
        for second in [0, 1, 120] {
            assert_eq!(leaves(&Case { now: second, ..case_of(&case) }), Ok(()));
        }
    }
}

fn case_of(case: &Case) -> Case {
    Case {
        now: case.now,
        document: case.document,
        callback: case.callback.clone(),
        sender: case.sender.clone(),
        pair: case.pair.clone(),
        person: case.person.clone(),
        live_calls: case.live_calls,
        account_calls: case.account_calls,
        agent_calls: case.agent_calls,
        campaign_calls: case.campaign_calls,
        pools: case.pools.clone(),
        seats: case.seats.clone(),
        held: case.held.clone(),
        account: case.account.clone(),
        paused: case.paused.clone(),
        paused_parts: case.paused_parts.clone(),
        pauses: case.pauses.clone(),
        contents: case.contents.clone(),
        rests: case.rests.clone(),
        contacts: case.contacts.clone(),
        calendars: case.calendars.clone(),
        list_terms: case.list_terms.clone(),
        rules: case.rules.clone(),
    }
}

#[test]
fn nothing_leaves_that_was_canceled() {
    for case in [call(), request(), invite()] {
        goes(case.with(|case| case.callback.cancel_requested_at = Some(at(0))), Err("customer.canceled"));
    }
}

#[test]
fn nothing_leaves_for_a_callback_that_is_closed() {
    for case in [call(), request(), invite()] {
        let closed = Closed { outcome: Outcome::Expired, at: at(0), note: Reason::Ready.note() };
        goes(case.with(|case| case.callback.state = State::Closed(closed)), Err("callback.closed"));
    }
}

#[test]
fn nothing_leaves_at_or_after_the_deadline() {
    for case in [call, request, invite] {
        let late = |second: i64| {
            let case = case().with(|case| case.callback.order.latest = at(100));
            leaves(&case.now(second)).err()
        };
        let outcome = [99, 100, 101].map(late);
        assert_eq!(outcome[0], None);
        assert!(outcome[1].is_some() && outcome[2].is_some(), "{outcome:?}");
    }
}

#[test]
fn nothing_leaves_when_the_hours_have_closed() {
    let hours = |case: Case| {
        case.with(|case| case.callback.order.hours = Some("daily 09:00-18:00 @UTC".parse().unwrap()))
    };
    for (case, last) in [(call(), 6 * HOUR - 6), (request(), 6 * HOUR - 1), (invite(), 6 * HOUR - 1)] {
        let case = hours(case);
        goes(case_of(&case).now(last), Ok(()));
        goes(case_of(&case).now(last + 1), Err("window.outside_hours"));
    }
}

#[test]
fn no_call_leaves_without_a_permission() {
    let ends = |permission| call().with(|case| case.pair.permission = permission);
    let temporary = CallPermission::Temporary { expires_at: at(100) };
    goes(ends(temporary).now(99), Ok(()));
    goes(ends(temporary).now(100), Err("permission.none"));
    goes(ends(CallPermission::RevokedByConsumer), Err("permission.declined"));
    goes(ends(CallPermission::Uncallable { until: at(40 * DAY) }), Err("permission.uncallable"));
}

#[test]
fn no_call_leaves_to_somebody_who_is_on_the_phone() {
    goes(call().with(|case| case.pair.live_inbound = Some("CA1".into())), Err("pair.on_the_phone"));
    let other = AttemptId::new(Uuid::from_u128(9));
    goes(call().with(|case| case.person.live = [other].into()), Err("pair.on_the_phone"));
    goes(call().with(|case| _ = case.person.live.insert(other)), Err("pair.on_the_phone"));
}

#[test]
fn a_call_does_not_take_its_own_place() {
    goes(call().with(|case| case.live_calls = 1000), Ok(()));
    goes(call().with(|case| case.live_calls = 1001), Err("sender.concurrency"));
}

#[test]
fn a_call_past_the_streak_guard_keeps_the_operators_word_until_it_leaves() {
    let missed = || call().with(|case| case.pair.misses = 3);
    goes(missed().with(|case| case.callback.attempt_allowed_at = Some(at(-1))), Ok(()));
    goes(missed(), Err("limit.streak_guard"));
}

#[test]
fn no_request_leaves_after_the_consumers_answer() {
    let answered = |answer| {
        request().with(|case| ledger::replied(&mut case.pair, at(0), answer, false, &case.rules.clone()))
    };
    let message = message(MessagePurpose::PermissionRequest, "HXtemplate");
    for (answer, reason) in [
        (PermissionAnswer::Permanent, "permission.granted"),
        (PermissionAnswer::Temporary { expires_at: None }, "permission.granted"),
        (PermissionAnswer::Rejected, "permission.declined"),
    ] {
        assert_eq!(ground(&answered(answer), Leaving::Message(&message)), Err(reason));
    }
}

#[test]
fn no_request_leaves_when_another_sender_may_call() {
    let (asks, mut calls) = (request(), ready());
    calls.sender.number = Phone::parse("+551151995678").unwrap();
    calls.pair.key.sender = calls.sender.number;
    let both = situation(&asks.callback, [&asks, &calls]);
    let message = message(MessagePurpose::PermissionRequest, "HXtemplate");
    let leaves = may_leave(at(0), Leaving::Message(&message), &both, &rules());
    assert_eq!(leaves, Err(Reason::PermissionGranted));
}

#[test]
fn a_request_does_not_use_up_its_own_limit() {
    goes(request(), Ok(()));
    let before = |second| request().with(move |case| case.pair.requests.insert(0, at(second)));
    goes(before(-DAY), Ok(()));
    goes(before(-DAY + 1), Err("permission.request_limit"));
}

#[test]
fn a_request_leaves_with_the_content_that_fits_the_service_window() {
    let free = message(MessagePurpose::PermissionRequest, "HXfree");
    let open = || request().with(|case| case.pair.inbound_at = Some(at(-DAY + 100)));
    assert_eq!(ground(&open().now(99), Leaving::Message(&free)), Ok(()));
    assert_eq!(ground(&open().now(100), Leaving::Message(&free)), Err("permission.service_window_closed"));
    let none = open().with(|case| case.sender.permission_template = None);
    assert_eq!(ground(&none.now(100), Leaving::Message(&free)), Err("permission.service_window_closed"));
}

#[test]
fn no_message_leaves_while_its_pair_rests() {
    for case in [request(), invite()] {
        goes(case.with(|case| case.pair.paused_until = Some(at(1))), Err("pair.paused"));
    }
}

#[test]
fn no_invite_leaves_when_the_consumer_has_allowed_calls() {
    goes(invite().with(|case| case.pair.permission = CallPermission::Permanent), Err("permission.granted"));
}

#[test]
fn a_call_is_hung_up_only_while_it_rings_for_a_callback_that_does_not_need_it() {
    let canceled = || call().with(|case| case.callback.cancel_requested_at = Some(at(0)));
    let reached = || call().with(|case| case.callback.reached_late_at = Some(at(0)));
    let hang_up = |case: Case, attempt: Attempt| ground(&case, Leaving::HangUp(&attempt));
    assert_eq!(hang_up(call(), attempt()), Err("attempt.in_progress"));
    for unneeded in [canceled, reached] {
        assert_eq!(hang_up(unneeded(), attempt()), Ok(()));
        let answered = Attempt { connected_at: Some(at(0)), ..attempt() };
        assert_eq!(hang_up(unneeded(), answered), Err("attempt.answered"));
        let over = Attempt { ended_at: Some(at(0)), ..attempt() };
        assert_eq!(hang_up(unneeded(), over), Err("callback.closed"));
    }
}

#[test]
fn no_call_leaves_for_a_consumer_whom_an_earlier_call_served() {
    goes(call().with(|case| case.callback.reached_late_at = Some(at(0))), Err("attempt.answered"));
}

#[test]
fn nothing_leaves_for_a_person_about_whom_a_report_is_set_aside() {
    for case in [call(), request(), invite()] {
        goes(case.with(|case| case.held = Some(Reason::ReportSetAside)), Err("report.set_aside"));
    }
}

#[test]
fn nothing_leaves_during_a_pause_until_exactly_its_end() {
    let pause = |scope| Pause {
        id: PauseId::new(Uuid::from_u128(1)),
        scope,
        tenant: Tenant::default(),
        who: "ops".into(),
        why: "a fire drill".into(),
        from: at(0),
        until: Some(at(100)),
    };
    for case in [call(), request(), invite()] {
        let case = case.with(|case| case.pauses.push(pause(PauseScope::All)));
        goes(case_of(&case).now(99), Err("pause.all"));
        goes(case_of(&case).now(100), Ok(()));
    }
    // Another sender may ask, so the step is another one: the pause is still what is told.
    let own = request().with(|case| case.pauses.push(pause(PauseScope::Sender(sender_number()))));
    let other = unasked().with(|case| case.sender.number = Phone::parse("+551151995678").unwrap());
    let message = message(MessagePurpose::PermissionRequest, "HXtemplate");
    let both = situation(&own.callback, [&own, &other]);
    let leaves = may_leave(at(0), Leaving::Message(&message), &both, &rules());
    assert_eq!(leaves.map_err(|reason| reason.code()), Err("pause.sender"));
}

#[test]
fn a_call_is_hung_up_during_a_pause() {
    let canceled = call().with(|case| {
        case.callback.cancel_requested_at = Some(at(0));
        case.pauses.push(Pause {
            id: PauseId::new(Uuid::from_u128(1)),
            scope: PauseScope::All,
            tenant: Tenant::default(),
            who: "ops".into(),
            why: "a fire drill".into(),
            from: at(0),
            until: None,
        });
    });
    assert_eq!(ground(&canceled, Leaving::HangUp(&attempt())), Ok(()));
}

#[test]
fn nothing_leaves_while_dialling_is_stopped() {
    for case in [call(), request(), invite()] {
        let stopped = Some(Reason::DiallingStopped { since: at(0) });
        goes(case.with(|case| case.held = stopped), Err("dialling.stopped"));
    }
}

#[test]
fn a_call_leaves_only_while_the_figure_of_its_pool_holds() {
    let key: PoolKey = "default/support".parse().unwrap();
    let seated = |used: u128| {
        call().with(|case| {
            case.callback.order.pool = Some(key.name.clone());
            case.pools.set(Pool {
                key: key.clone(),
                figure: Figure::Seats(1),
                as_of: at(0),
                valid_until: at(60),
                headroom: 0,
                wrap_up: SignedDuration::ZERO,
                by: "acd".into(),
                fault: None,
            });
            let seat = Seat { taken_at: at(0), busy_since: None, until: None };
            (0..used).for_each(|n| case.seats.take(&key, AttemptId::new(Uuid::from_u128(4 + n)), seat));
        })
    };
    let mut attempt = attempt();
    attempt.holds = Holds::new(attempt.holds.iter().cloned().chain([Resource::Pool(key.clone())]));
    let leaves = |case: Case| ground(&case, Leaving::Call(&attempt));
    // Its own seat does not keep it.
    assert_eq!(leaves(seated(1)), Ok(()));
    assert_eq!(leaves(seated(2)), Err("pool.no_seat"));
    assert_eq!(leaves(seated(1).now(59)), Ok(()));
    assert_eq!(leaves(seated(1).now(60)), Err("pool.expired"));
    assert_eq!(leaves(seated(1).with(|case| case.pools = Pools::default())), Err("pool.unknown"));
}
