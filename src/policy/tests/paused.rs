//! An operator's pause: what it holds, what goes on, and which sender is used instead.

use super::*;

fn pause(n: u128, scope: PauseScope, until: Option<i64>) -> Pause {
    Pause {
        id: id(n),
        scope,
        tenant: Tenant::default(),
        who: "ops".into(),
        why: "a fire drill".into(),
        from: at(-HOUR),
        until: until.map(at),
    }
}

fn id(n: u128) -> PauseId {
    PauseId::new(Uuid::from_u128(n))
}

/// Held by one pause of everything.
fn paused(case: Case, until: Option<i64>) -> Case {
    case.with(|case| case.pauses.push(pause(1, PauseScope::All, until)))
}

fn other(case: Case) -> Case {
    case.with(|case| case.sender.number = Phone::parse("+551151995678").unwrap())
}

fn step_of(now: i64, cases: [&Case; 2]) -> Step {
    next_step(at(now), &situation(&cases[0].callback, cases), &rules())
}

/// In whichever order the customer named them.
#[track_caller]
fn either_way(first: &Case, second: &Case) -> Step {
    let step = step_of(0, [first, second]);
    assert_eq!(step, step_of(0, [second, first]));
    step
}

/// The codes of all reasons.
fn codes(case: &Case) -> Vec<&'static str> {
    case.assess().binding.iter().map(Reason::code).collect()
}

const LATEST: i64 = 10 * DAY;

#[test]
fn a_pause_holds_a_call_until_exactly_its_end() {
    let case = || paused(ready(), Some(100));
    for now in [0, 99] {
        case().now(now).check(&Wait("pause.all", LATEST, true));
    }
    case().now(100).check(&Call);
    case().now(101).check(&Call);
    paused(ready(), None).check(&Wait("pause.all", LATEST, true));
    let Step::Wait { gate, .. } = case().assess().step else { panic!("it waits") };
    assert_eq!(gate, Some(Gate::Pause(id(1))));
}

#[test]
fn a_pause_holds_a_request_and_an_invite() {
    unasked().check(&template());
    paused(unasked(), None).check(&Wait("pause.all", LATEST, true));
    let unreachable = || {
        ready().with(|case| {
            case.sender.invite = Some("HXinvite".parse().unwrap());
            case.callback.attempts_made = 3;
        })
    };
    unreachable().check(&Invite("attempts.used"));
    paused(unreachable(), None).check(&Wait("pause.all", LATEST, true));
}

#[test]
fn deadlines_pass_and_refusals_end_callbacks_during_a_pause() {
    let late = paused(ready(), None).with(|case| case.callback.order.latest = at(100));
    late.check(&Wait("pause.all", 100, true));
    let late = paused(ready(), None).with(|case| case.callback.order.latest = at(100)).now(100);
    late.check(&Finish(Outcome::Expired, "deadline.passed"));
    let refused = paused(ready(), None).with(|case| case.pair.permission = CallPermission::RevokedByConsumer);
    refused.check(&Finish(Outcome::Declined, "permission.declined"));
    let canceled = paused(ready(), None).with(|case| case.callback.cancel_requested_at = Some(at(0)));
    canceled.check(&Finish(Outcome::Canceled, "customer.canceled"));
    paused(ready(), None)
        .with(|case| case.callback.attempts_made = 3)
        .check(&Finish(Outcome::Exhausted, "attempts.used"));
}

#[test]
fn the_end_of_a_permission_is_looked_at_during_a_pause() {
    paused(ready(), None)
        .with(|case| case.pair.permission = CallPermission::Temporary { expires_at: at(DAY) })
        .check(&Wait("pause.all", DAY, true));
}

#[test]
fn of_two_pauses_the_one_that_ends_last_decides_and_both_are_told() {
    let number = sender_number();
    let case = |first: Option<i64>, second| {
        ready().with(|case| {
            case.pauses = vec![
                pause(1, PauseScope::Account("main".into()), first),
                pause(2, PauseScope::Sender(number), second),
            ];
        })
    };
    case(Some(50), Some(100)).check(&Wait("pause.sender", LATEST, true));
    case(Some(100), Some(50)).check(&Wait("pause.account", LATEST, true));
    case(None, Some(100)).check(&Wait("pause.account", LATEST, true));
    assert_eq!(codes(&case(Some(50), Some(100))), ["pause.sender", "pause.account"]);
    case(Some(50), Some(100)).now(50).check(&Wait("pause.sender", LATEST, true));
    assert_eq!(codes(&case(Some(50), Some(100)).now(50)), ["pause.sender"]);
    case(Some(50), Some(100)).now(100).check(&Call);
}

#[test]
fn what_ends_after_the_pause_decides_and_the_pause_is_told() {
    let case = |until| paused(ready(), until).with(|case| case.callback.order.earliest = at(100));
    case(Some(100)).check(&Wait("window.before_earliest", 100, false));
    assert_eq!(codes(&case(Some(100))), ["window.before_earliest", "pause.all"]);
    case(Some(101)).check(&Wait("pause.all", LATEST, true));
    assert_eq!(codes(&case(Some(101))), ["pause.all", "window.before_earliest"]);
    case(None).check(&Wait("pause.all", LATEST, true));
}

#[test]
fn who_waits_at_a_gate_waits_for_the_pause_instead() {
    let full = paused(ready().with(|case| case.live_calls = 1000), Some(5));
    full.check(&Wait("pause.all", LATEST, true));
    assert_eq!(codes(&full), ["pause.all", "sender.concurrency"]);
}

#[test]
fn an_answer_is_awaited_during_a_pause() {
    let asked = || {
        unasked().with(|case| case.pair.permission = CallPermission::Requested { expires_at: at(2 * DAY) })
    };
    paused(asked(), None).check(&Wait("permission.awaiting_reply", 2 * DAY, false));
    assert!(codes(&paused(asked(), None)).contains(&"pause.all"));
}

#[test]
fn a_sender_that_is_not_paused_is_used() {
    let called = either_way(&paused(ready(), None), &other(ready()));
    assert_eq!(called, Step::PlaceCall { sender: other(ready()).sender.number });
    let asked = either_way(&paused(ready(), None), &other(unasked()));
    let expected = other(unasked()).sender.number;
    assert!(matches!(asked, Step::RequestPermission { sender, .. } if sender == expected), "{asked:?}");
}

#[test]
fn no_other_sender_asks_while_the_paused_one_awaits_an_answer() {
    let asked = paused(unasked(), None)
        .with(|case| case.pair.permission = CallPermission::Requested { expires_at: at(2 * DAY) });
    let step = either_way(&asked, &other(unasked()));
    assert_eq!(step.reason().code(), "permission.awaiting_reply");
    // The time to ask again has come, which the pause holds.
    let mut again = asked;
    again.pair.requests = vec![at(-2 * DAY)];
    let rules = Rules { ask_again: Some(AskAgain::DAILY), ..rules() };
    let second = other(unasked());
    let step = next_step(at(0), &situation(&again.callback, [&again, &second]), &rules);
    assert_eq!(step.reason().code(), "pause.all");
    let lapsed = next_step(at(2 * DAY), &situation(&again.callback, [&again, &second]), &rules);
    assert!(matches!(lapsed, Step::RequestPermission { .. }), "{lapsed:?}");
}

#[test]
fn a_callback_of_two_paused_senders_wakes_with_either() {
    let first = ready().with(|case| case.pauses.push(pause(1, PauseScope::Sender(sender_number()), None)));
    let second = other(ready()).with(|case| {
        case.pauses.push(pause(2, PauseScope::Account("other".into()), Some(100)));
    });
    let Step::Wait { gate, reason, .. } = either_way(&first, &second) else { panic!("it waits") };
    assert_eq!(gate, Some(Gate::Pause(id(1)).or(Gate::Pause(id(2)))));
    assert_eq!(reason.code(), "pause.account", "the one that ends first is told");
}
