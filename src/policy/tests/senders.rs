//! Several senders: whose step is taken, and for which of them a callback wakes.

use super::*;

/// The step of the first case's callback where all of these senders may call.
fn step_of(cases: [&Case; 2]) -> Step {
    let situation = situation(&cases[0].callback, cases);
    next_step(at(0), &situation, &rules())
}

/// In whichever order the customer named them.
#[track_caller]
fn either_way(first: &Case, second: &Case) -> Step {
    let step = step_of([first, second]);
    assert_eq!(step, step_of([second, first]));
    step
}

fn other(case: Case) -> Case {
    case.with(|case| case.sender.number = Phone::parse("+551151995678").unwrap())
}

fn wait(step: Step) -> (&'static str, i64, Option<Gate>) {
    let Step::Wait { until, gate, reason } = step else { panic!("it waits: {step:?}") };
    (reason.code(), until.as_second() - at(0).as_second(), gate)
}

fn paused(case: Case, until: i64) -> Case {
    case.with(|case| case.pair.paused_until = Some(at(until)))
}

/// All the sender's slots are taken.
fn full(case: Case) -> Case {
    case.with(|case| case.live_calls = 1000)
}

/// A request was sent and not answered.
fn asked() -> Case {
    unasked().with(|case| case.pair.permission = CallPermission::Requested { expires_at: at(2 * DAY) })
}

#[test]
fn a_sender_that_may_ask_now_is_not_kept_waiting_by_one_that_may_later() {
    let later = unasked().with(|case| case.pair.requests = vec![at(-HOUR)]);
    let now = other(unasked());
    let Step::RequestPermission { sender, .. } = either_way(&later, &now) else { panic!("it asks") };
    assert_eq!(sender, now.sender.number);
}

#[test]
fn nobody_is_asked_while_another_sender_may_call_a_little_later() {
    let step = either_way(&paused(ready(), 60), &other(unasked()));
    assert_eq!(wait(step), ("pair.paused", 60, None));
}

#[test]
fn of_two_that_wait_the_one_that_may_first_is_told() {
    let step = either_way(&paused(ready(), 60), &other(paused(ready(), 50)));
    assert_eq!(wait(step), ("pair.paused", 50, None));
}

#[test]
fn a_callback_that_waits_for_an_answer_stands_at_the_gate_of_the_sender_that_may_call() {
    let may_call = other(full(ready()));
    let gate = Some(Gate::sender(may_call.sender.number));
    assert_eq!(wait(either_way(&asked(), &may_call)), ("permission.awaiting_reply", 2 * DAY, gate));
}

#[test]
fn a_callback_that_waits_for_two_senders_waits_for_whichever_gate_opens_first() {
    let (one, two) = (full(ready()), other(full(ready())));
    let gate = Gate::sender(one.sender.number).or(Gate::sender(two.sender.number));
    assert_eq!(wait(step_of([&one, &two])), ("sender.concurrency", 10 * DAY, Some(gate.clone())));
    let (_, _, other_way) = wait(step_of([&two, &one]));
    assert_eq!(other_way, Some(gate));
}

#[test]
fn a_callback_that_waits_at_one_gate_for_two_senders_sleeps_until_it_opens() {
    let paced = || ready().with(|case| case.account.next_call_at = at(1));
    let (reason, until, gate) = wait(either_way(&paced(), &other(paced())));
    assert_eq!((reason, until), ("account.calls_per_second", 10 * DAY));
    assert_eq!(gate, Some(Gate::Account("main".into())));
}

#[test]
fn of_two_senders_the_one_that_may_call_calls() {
    let unpermitted = unasked();
    let other = Phone::parse("+551151995678").unwrap();
    let mut permitted = ready();
    permitted.sender.number = other;
    permitted.pair.key.sender = other;
    let situation = situation(&unpermitted.callback, [&unpermitted, &permitted]);
    assert_eq!(next_step(at(0), &situation, &rules()), Step::PlaceCall { sender: other });
}

#[test]
fn a_callback_that_waits_for_one_sender_wakes_for_the_other() {
    let invited = ready().with(|case| {
        case.pair.misses = 3;
        case.sender.invite = "HXinvite".parse().ok();
        case.callback.invited_at = Some(at(-60));
    });
    let mut paused = ready().with(|case| case.pair.paused_until = Some(at(60)));
    paused.sender.number = Phone::parse("+551151995678").unwrap();
    let situation = situation(&invited.callback, [&invited, &paused]);
    let Step::Wait { until, .. } = next_step(at(0), &situation, &rules()) else { panic!("it waits") };
    assert_eq!(until, at(60));
}

#[test]
fn a_consumer_who_was_asked_by_one_sender_is_not_asked_by_another() {
    let asked =
        unasked().with(|case| case.pair.permission = CallPermission::Requested { expires_at: at(DAY) });
    let mut unasked = unasked();
    unasked.sender.number = Phone::parse("+551151995678").unwrap();
    let situation = situation(&asked.callback, [&unasked, &asked]);
    assert_eq!(next_step(at(0), &situation, &rules()).reason().code(), "permission.awaiting_reply");
}

#[test]
fn a_sender_that_rests_neither_calls_nor_asks() {
    for case in [ready, unasked] {
        let case = || case().with(|case| case.paused = Some((at(100), "low quality".into())));
        case().now(99).check(&Wait("sender.paused", 10 * DAY, true));
        assert!(!matches!(case().now(100).assess().step, Step::Wait { .. }));
        assert!(!matches!(case().now(101).assess().step, Step::Wait { .. }));
    }
}
