//! The store for the scheduler: reads of what is due, and atomic batches.

use futures_util::future::join_all;
use jiff::SignedDuration;
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::event::MessageProgress;
use ringmaster::domain::timeline::Entry;
use ringmaster::domain::{
    Attempt, CallPermission, Callback, ClockDoubt, ClockMark, ErrorCode, Event, Gate, Lane, Outcome, Pair,
    PairKey, Priority, Reading, Stage, State, Submission, Tenant,
};
use ringmaster::store::{Awaiting, Batch, Census, Error, Ground, Keys, Report, Store};

use super::samples::*;

/// A callback whose dialling window ends at that second; the deadlines are in the opposite order.
pub fn at_gate(n: u32, gate: &Gate, level: u8, expires: i64) -> Callback {
    let mut callback = callback(n);
    callback.order.priority = Priority::new(level).unwrap();
    callback.order.latest = at(10_000 - expires);
    callback.state = waiting(expires, Some(gate.clone()));
    callback
}

fn submission(stage: Stage) -> Submission {
    Submission { stage, ..Submission::intent(at(1)) }
}

pub async fn a_callback_is_due_at_its_time_and_not_before(store: &dyn Store) {
    keep(store, [callback(100)]).await;
    let step = SignedDuration::from_micros(1);
    for (now, due) in [(at(100) - step, 0), (at(100), 1), (at(100) + step, 1)] {
        assert_eq!(store.due_callbacks(now, 10).await.unwrap().len(), due, "{now}");
    }
}

pub async fn the_longest_due_comes_first(store: &dyn Store) {
    keep(store, [callback(30), callback(10), callback(20), callback(40)]).await;
    assert_eq!(numbers(&store.due_callbacks(at(30), 10).await.unwrap()), [10, 20, 30]);
    assert_eq!(numbers(&store.due_callbacks(at(30), 2).await.unwrap()), [10, 20]);
}

pub async fn only_waiting_callbacks_are_due(store: &dyn Store) {
    keep(store, [callback(1), callback(2), callback(3)]).await;
    let calling = next(&callback(1), State::Calling { attempt: attempt_id(1) });
    let over = next(&callback(2), closed(Outcome::Reached));
    record(store, Batch { callbacks: vec![calling.clone(), over], ..Batch::default() }).await;
    assert_eq!(numbers(&store.due_callbacks(at(100), 10).await.unwrap()), [3]);
    let waits_again = next(&calling, waiting(50, None));
    record(store, Batch { callbacks: vec![waits_again], ..Batch::default() }).await;
    assert_eq!(numbers(&store.due_callbacks(at(100), 10).await.unwrap()), [3, 1]);
}

pub async fn the_next_wake_is_the_earliest_of_the_waiting_callbacks(store: &dyn Store) {
    assert_eq!(store.next_wake().await.unwrap(), None);
    keep(store, [callback(30), callback(10)]).await;
    assert_eq!(store.next_wake().await.unwrap(), Some(at(10)));
    let calling = next(&callback(10), State::Calling { attempt: attempt_id(10) });
    record(store, Batch { callbacks: vec![calling.clone()], ..Batch::default() }).await;
    assert_eq!(store.next_wake().await.unwrap(), Some(at(30)));
    let over = next(&calling, closed(Outcome::Reached));
    let over_too = next(&callback(30), closed(Outcome::Expired));
    record(store, Batch { callbacks: vec![over, over_too], ..Batch::default() }).await;
    assert_eq!(store.next_wake().await.unwrap(), None);
}

pub async fn a_gate_gives_callbacks_by_priority_and_then_by_the_end_of_their_window(store: &dyn Store) {
    let gate = Gate::sender(sender(0));
    let other = Gate::Account("main".into());
    let callbacks = [
        at_gate(1, &gate, 5, 300),
        at_gate(2, &gate, 5, 200),
        at_gate(3, &gate, 9, 900),
        at_gate(5, &gate, 5, 200),
        at_gate(4, &gate, 0, 100),
        at_gate(6, &other, 9, 1),
        callback(7),
    ];
    keep(store, callbacks.clone()).await;
    let nobody = Gate::sender(sender(9));
    let gates = [(gate.clone(), 10), (gate, 2), (other, 10), (nobody, 10)];
    let calls = gates.map(|(gate, room)| super::lanes::call_up(gate, room, [Lane::default()]));
    let answers = store.callbacks_at_gates(&calls).await.unwrap();
    let left = answers.iter().map(|answer| !answer.lanes.is_empty());
    assert_eq!(left.collect::<Vec<_>>(), [false, true, false, false], "whether more may wait");
    let [called, fewer, others, none] =
        &answers.into_iter().map(|answer| answer.callbacks).collect::<Vec<_>>()[..]
    else {
        panic!("an answer for each gate")
    };
    assert_eq!(numbers(called), [3, 2, 5, 1, 4]);
    let rank = |callback: &Callback| match &callback.state {
        State::Waiting(Waiting { place: Some(place), .. }) => callback.rank(place.expires_at),
        state => panic!("it waits at a gate: {state:?}"),
    };
    let mut ranked = callbacks[..5].to_vec();
    ranked.sort_by_key(rank);
    assert_eq!(*called, ranked);
    assert_eq!([numbers(fewer), numbers(others), numbers(none)], [vec![3, 2], vec![6], vec![]]);
}

pub async fn the_gates_are_those_with_waiting_callbacks(store: &dyn Store) {
    let gate = Gate::sender(sender(0));
    let other = Gate::Account("main".into());
    keep(store, [at_gate(1, &gate, 5, 9), at_gate(2, &gate, 5, 9), at_gate(3, &other, 5, 9), callback(4)])
        .await;
    let mut gates = store.gates().await.unwrap();
    gates.sort();
    let lane = Lane::default();
    assert_eq!(gates, [(gate.clone(), lane), (other, lane)]);
    let left = next(&stored(store, 3).await, waiting(9, None));
    record(store, Batch { callbacks: vec![left], ..Batch::default() }).await;
    assert_eq!(store.gates().await.unwrap(), [(gate, lane)]);
}

pub async fn a_callback_at_a_gate_is_still_due_at_its_time(store: &dyn Store) {
    keep(store, [at_gate(1, &Gate::sender(sender(0)), 5, 70)]).await;
    assert_eq!(store.next_wake().await.unwrap(), Some(at(70)));
    assert_eq!(numbers(&store.due_callbacks(at(70), 10).await.unwrap()), [1]);
}

pub async fn waiting_callbacks_to_a_consumer_are_found_for_every_sender(store: &dyn Store) {
    let to = |n, whom, from| {
        let mut callback = callback(n);
        callback.order.consumer = consumer(whom);
        callback.order.senders = vec![sender(from)];
        callback
    };
    keep(store, [to(1, 1, 0), to(2, 1, 1), to(3, 2, 0), to(4, 3, 0), to(5, 1, 0)]).await;
    let over = next(&to(5, 1, 0), closed(Outcome::Canceled));
    record(store, Batch { callbacks: vec![over], ..Batch::default() }).await;
    let consumers = [consumer(1), consumer(2), consumer(1), consumer(99)];
    let mut found = numbers(&store.waiting_callbacks_to(&consumers).await.unwrap());
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3]);
    assert_eq!(store.waiting_callbacks_to(&[]).await.unwrap(), []);
}

pub async fn unfolded_reports_are_read_in_order_of_arrival(store: &dyn Store) {
    for n in [3, 1, 2] {
        store.append_reports(vec![report(n)]).await.unwrap();
    }
    let filed = store.unfolded_reports(2).await.unwrap();
    assert_eq!(filed.iter().map(|filed| &filed.event).collect::<Vec<_>>(), [&wrote(3), &wrote(1)]);
    assert!(filed[0].seq < filed[1].seq);
    record(store, Batch { folded: vec![filed[0].seq], ..Batch::default() }).await;
    let left = store.unfolded_reports(10).await.unwrap();
    assert_eq!(left.iter().map(|filed| &filed.event).collect::<Vec<_>>(), [&wrote(1), &wrote(2)]);
}

pub async fn a_report_is_folded_once(store: &dyn Store) {
    store.append_reports(vec![report(1)]).await.unwrap();
    let seq = store.unfolded_reports(1).await.unwrap()[0].seq;
    let fold = || store.record(Batch { folded: vec![seq], ..Batch::default() });
    let folded = join_all((0..5).map(|_| fold())).await;
    assert_eq!(folded.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(folded.iter().filter(|done| matches!(done, Err(Error::Conflict))).count(), 4);
}

/// A batch that touches everything, for callback and pair 1, and folds the only report.
async fn full_batch(store: &dyn Store) -> Batch {
    keep(store, [callback(1), callback(2)]).await;
    store.append_reports(vec![report(1)]).await.unwrap();
    Batch {
        callbacks: vec![next(&callback(1), State::Calling { attempt: attempt_id(1) })],
        pairs: vec![pair(1)],
        persons: vec![],
        united: vec![],
        attempts: vec![attempt(1)],
        messages: vec![message(1)],
        unmatched: vec![],
        matched: vec![],
        outcomes: vec![],
        folded: vec![store.unfolded_reports(1).await.unwrap()[0].seq],
        entries: vec![entry(1, "attempt.opened")],
        outbox: vec![told(1, 1, "callback.calling")],
        ..Batch::default()
    }
}

async fn assert_nothing_was_kept(store: &dyn Store) {
    let kept = store.callback(callback_id(1)).await.unwrap().unwrap();
    assert_eq!(kept.callback, callback(1));
    assert_eq!((kept.attempts, kept.messages), (vec![], vec![]));
    assert_eq!(store.pairs(&[key(1)]).await.unwrap(), [Pair::unknown(key(1))]);
    assert_eq!(store.unfolded_reports(9).await.unwrap().len(), 1);
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), []);
    assert_eq!(store.pair_timeline(key(1)).await.unwrap(), []);
    assert_eq!(store.claim_deliveries(at(99), at(99), 9).await.unwrap(), []);
}

async fn assert_conflict(store: &dyn Store, batch: Batch) {
    let recorded = store.record(batch).await;
    assert!(matches!(recorded, Err(Error::Conflict)), "{recorded:?}");
}

pub async fn a_batch_is_stored_whole(store: &dyn Store) {
    let batch = full_batch(store).await;
    record(store, batch.clone()).await;
    let kept = store.callback(callback_id(1)).await.unwrap().unwrap();
    assert_eq!(kept.callback, batch.callbacks[0]);
    assert_eq!((kept.attempts, kept.messages), (batch.attempts, batch.messages));
    assert_eq!(store.pairs(&[key(1)]).await.unwrap(), batch.pairs);
    assert_eq!(store.unfolded_reports(9).await.unwrap(), []);
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), batch.entries);
    assert_eq!(store.pair_timeline(key(1)).await.unwrap(), batch.entries);
    assert_eq!(store.claim_deliveries(at(1), at(1), 9).await.unwrap()[0].row, batch.outbox[0]);
}

pub async fn a_stale_callback_makes_its_batch_a_conflict(store: &dyn Store) {
    let mut batch = full_batch(store).await;
    for version in [1, 3] {
        let stale = Callback { version, state: waiting(77, None), ..callback(2) };
        batch.callbacks.truncate(1);
        batch.callbacks.push(stale);
        assert_conflict(store, batch.clone()).await;
        assert_nothing_was_kept(store).await;
    }
}

pub async fn a_stale_pair_makes_its_batch_a_conflict(store: &dyn Store) {
    let mut batch = full_batch(store).await;
    record(store, Batch { pairs: vec![pair(2)], ..Batch::default() }).await;
    for version in [1, 3] {
        batch.pairs.truncate(1);
        batch.pairs.push(Pair { version, ..pair(2) });
        assert_conflict(store, batch.clone()).await;
        assert_nothing_was_kept(store).await;
    }
    // A pair that was never written has no version.
    batch.pairs[1] = Pair { version: 2, ..pair(3) };
    assert_conflict(store, batch).await;
    assert_nothing_was_kept(store).await;
}

/// A batch that submits a request to consumer 1 for callback 1, decided before any report was read.
async fn leaving(store: &dyn Store) -> Batch {
    keep(store, [callback(1), callback(2)]).await;
    let callbacks = [(callback_id(1), callback(1).version)].into();
    let ground = Ground { read: 0, people: [key(1).person].into(), callbacks };
    Batch { messages: vec![message(1)], ground: Some(ground), ..Batch::default() }
}

async fn file(store: &dyn Store, n: u8, event: Event) {
    store.append_reports(vec![Report { event, ..report(n) }]).await.unwrap();
}

pub async fn reports_stored_before_a_batch_are_in_its_ground(store: &dyn Store) {
    let batch = leaving(store).await;
    file(store, 1, wrote(2)).await;
    record(store, batch.clone()).await;
    file(store, 2, wrote(1)).await;
    assert_conflict(store, batch.clone()).await;
    // The report is no conflict once it is folded, by an earlier batch or by this one.
    let last = store.unfolded_reports(9).await.unwrap()[1].seq;
    let read = Ground { read: last, ..batch.ground.clone().unwrap() };
    record(store, Batch { ground: Some(read), ..batch.clone() }).await;
    record(store, Batch { folded: vec![last], ..batch.clone() }).await;
    file(store, 3, Event::CancelRequested { callback: callback_id(2) }).await;
    record(store, batch.clone()).await;
    file(store, 4, Event::CancelRequested { callback: callback_id(1) }).await;
    assert_conflict(store, batch).await;
}

pub async fn a_changed_callback_is_in_the_ground_of_a_batch(store: &dyn Store) {
    let batch = leaving(store).await;
    record(store, batch.clone()).await;
    // A change in the batch itself is no conflict.
    let own = next(&callback(1), waiting(9, None));
    record(store, Batch { callbacks: vec![own.clone()], ..batch.clone() }).await;
    assert_conflict(store, batch.clone()).await;
    let mut ground = batch.ground.clone().unwrap();
    ground.callbacks.insert(callback_id(1), own.version);
    record(store, Batch { ground: Some(ground.clone()), ..batch.clone() }).await;
    ground.callbacks.insert(callback_id(7), 1);
    assert_conflict(store, Batch { ground: Some(ground), ..batch }).await;
}

pub async fn a_report_folded_twice_makes_its_batch_a_conflict(store: &dyn Store) {
    let mut batch = full_batch(store).await;
    store.append_reports(vec![report(2)]).await.unwrap();
    let second = store.unfolded_reports(2).await.unwrap()[1].seq;
    record(store, Batch { folded: vec![second], ..Batch::default() }).await;
    let first = batch.folded[0];
    for folded in [vec![first, second], vec![first, first], vec![first, second + 1_000]] {
        batch.folded = folded;
        assert_conflict(store, batch.clone()).await;
        assert_nothing_was_kept(store).await;
    }
}

pub async fn a_failed_batch_does_not_affect_others_in_its_group(store: &dyn Store) {
    keep(store, (0..40).map(callback)).await;
    let turn = |n: u32| {
        // Every fourth batch is stale.
        let version = if n.is_multiple_of(4) { 9 } else { 2 };
        let changed = Callback { version, state: waiting(77, None), ..callback(n) };
        let batch = Batch {
            callbacks: vec![changed],
            pairs: vec![pair(n)],
            entries: vec![entry(n, "changed")],
            ..Batch::default()
        };
        store.record(batch)
    };
    let done = join_all((0..40).map(turn)).await;
    for (n, done) in (0..).zip(done) {
        let kept = store.timeline(callback_id(n)).await.unwrap().len();
        let version = stored(store, n).await.version;
        if n.is_multiple_of(4) {
            assert!(matches!(done, Err(Error::Conflict)), "{n}: {done:?}");
            assert_eq!((version, kept), (1, 0), "{n}");
        } else {
            done.unwrap();
            assert_eq!((version, kept), (2, 1), "{n}");
        }
    }
}

pub async fn values_are_replaced_whole(store: &dyn Store) {
    let batch = full_batch(store).await;
    record(store, batch).await;
    let mut over = attempt(1);
    over.submission = Submission { sid: Some("CA1".into()), ..submission(Stage::Accepted) };
    over.ended_at = Some(at(5));
    let mut refused = message(1);
    refused.submission =
        Submission { error_code: Some(ErrorCode::of_twilio(63_016)), ..submission(Stage::Rejected) };
    let asked = Pair { version: 2, misses: 2, requests: vec![at(1), at(2)], ..pair(1) };
    let first = Batch {
        attempts: vec![over.clone()],
        messages: vec![refused.clone()],
        pairs: vec![asked.clone()],
        ..Batch::default()
    };
    record(store, first).await;
    let kept = store.callback(callback_id(1)).await.unwrap().unwrap();
    assert_eq!((kept.attempts, kept.messages), (vec![over], vec![refused]));
    assert_eq!(store.pairs(&[key(1)]).await.unwrap(), [asked]);

    let emptied = Pair { version: 3, ..pair(1) };
    record(store, Batch { pairs: vec![emptied.clone()], ..Batch::default() }).await;
    assert_eq!(store.pairs(&[key(1)]).await.unwrap(), [emptied]);
}

pub async fn a_pair_is_new_once_only(store: &dyn Store) {
    let meet = |_| store.record(Batch { pairs: vec![pair(1)], ..Batch::default() });
    let met = join_all((0..5).map(meet)).await;
    assert_eq!(met.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(met.iter().filter(|done| matches!(done, Err(Error::Conflict))).count(), 4);
}

pub async fn pairs_are_read_in_the_order_of_their_keys(store: &dyn Store) {
    record(store, Batch { pairs: vec![pair(1), pair(3)], ..Batch::default() }).await;
    let other_sender = PairKey::of(sender(1), consumer(1));
    let found = store.pairs(&[key(3), key(2), other_sender, key(1)]).await.unwrap();
    assert_eq!(found, [pair(3), Pair::unknown(key(2)), Pair::unknown(other_sender), pair(1)]);
}

pub async fn live_attempts_are_those_whose_call_may_exist(store: &dyn Store) {
    let stages = [
        (Stage::Intent, None, true),
        (Stage::Submitting, None, true),
        (Stage::Accepted, None, true),
        (Stage::Unknown, None, true),
        (Stage::Accepted, Some(at(5)), false),
        (Stage::Rejected, None, false),
        (Stage::Throttled, None, false),
        (Stage::NotPlaced, None, false),
        (Stage::Withdrawn, None, false),
    ];
    keep(store, (0..9).map(callback)).await;
    let mut attempts = Vec::new();
    for (n, (stage, ended_at, _)) in (0..).zip(stages) {
        let mut attempt = attempt(n);
        attempt.submission.stage = stage;
        attempt.ended_at = ended_at;
        attempts.push(attempt);
    }
    record(store, Batch { attempts: attempts.clone(), ..Batch::default() }).await;
    let live: Vec<_> =
        attempts.iter().zip(stages).filter(|(_, (_, _, live))| *live).map(|(a, _)| a.clone()).collect();
    assert_eq!(store.live_attempts().await.unwrap(), live);

    attempts[2].ended_at = Some(at(6));
    record(store, Batch { attempts: attempts.clone(), ..Batch::default() }).await;
    assert_eq!(store.live_attempts().await.unwrap().len(), 3);
}

pub async fn unsettled_messages_are_those_without_an_answer(store: &dyn Store) {
    let stages = [
        (Stage::Intent, true),
        (Stage::Submitting, true),
        (Stage::Unknown, true),
        (Stage::Accepted, false),
        (Stage::Rejected, false),
        (Stage::Throttled, false),
        (Stage::NotPlaced, false),
        (Stage::Withdrawn, false),
    ];
    keep(store, (0..8).map(callback)).await;
    let mut messages = Vec::new();
    for (n, (stage, _)) in (0..).zip(stages) {
        let mut message = message(n);
        message.submission.stage = stage;
        messages.push(message);
    }
    record(store, Batch { messages: messages.clone(), ..Batch::default() }).await;
    assert_eq!(store.unsettled_messages().await.unwrap(), messages[..3]);
    messages[1].submission.stage = Stage::Accepted;
    record(store, Batch { messages: vec![messages[1].clone()], ..Batch::default() }).await;
    assert_eq!(store.unsettled_messages().await.unwrap(), [messages[0].clone(), messages[2].clone()]);
}

pub async fn an_unanswered_request_awaits_its_reply_until_it_lapses(store: &dyn Store) {
    let mut theirs = callback(4);
    theirs.tenant = "other".parse().unwrap();
    keep(store, [callback(1), callback(2), callback(3), theirs.clone(), callback(5), callback(6)]).await;
    let asked = |n: u32, permission| Pair { permission, request: Some(message_id(n)), ..pair(n) };
    let requested = CallPermission::Requested { expires_at: at(100) };
    let mut messages: Vec<_> = (1..=6).map(message).collect();
    messages.iter_mut().for_each(|message| message.submission.stage = Stage::Accepted);
    messages[4].submission.stage = Stage::Unknown;
    messages[3].tenant = theirs.tenant.clone();
    let mut pairs: Vec<_> = [2, 1, 3, 4, 5].map(|n| asked(n, requested)).into();
    pairs.push(asked(6, CallPermission::Permanent));
    record(store, Batch { messages: messages.clone(), pairs, ..Batch::default() }).await;

    let own = Tenant::default();
    let step = SignedDuration::from_micros(1);
    let awaited = |n: usize| (messages[n - 1].clone(), at(100));
    let found = store.awaiting_reply(&own, at(100) - step, 10).await.unwrap();
    assert_eq!(found, Awaiting { requests: [1, 2, 3].map(awaited).into(), total: 3 }, "the oldest first");
    let found = store.awaiting_reply(&own, at(50), 2).await.unwrap();
    assert_eq!(found, Awaiting { requests: [1, 2].map(awaited).into(), total: 3 });
    let found = store.awaiting_reply(&theirs.tenant, at(50), 10).await.unwrap();
    assert_eq!(found, Awaiting { requests: vec![awaited(4)], total: 1 });
    assert_eq!(store.awaiting_reply(&own, at(100), 10).await.unwrap(), Awaiting::default(), "it has lapsed");

    let declined = CallPermission::Declined { until: at(500) };
    let answered = Pair { version: 2, permission: declined, request: None, ..pair(2) };
    record(store, Batch { pairs: vec![answered], ..Batch::default() }).await;
    let found = store.awaiting_reply(&own, at(50), 10).await.unwrap();
    assert_eq!(found, Awaiting { requests: [1, 3].map(awaited).into(), total: 2 });
}

pub async fn messages_are_found_by_their_sid(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    let mut named = message(1);
    named.submission.sid = Some("MM1".into());
    named.progress = MessageProgress::Delivered;
    record(store, Batch { messages: vec![named.clone(), message(2)], ..Batch::default() }).await;
    let keys = Keys { message_sids: ["MM1".into(), "MM2".into()].into(), ..Keys::default() };
    let related = store.related(&keys).await.unwrap();
    assert_eq!((related.messages, numbers(&related.callbacks)), (vec![named], vec![1]));
}

pub async fn attempts_are_found_by_the_sid_of_their_call(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    let mut named = attempt(1);
    named.submission.sid = Some("CA1".into());
    record(store, Batch { attempts: vec![named.clone(), attempt(2)], ..Batch::default() }).await;
    let sids = ["CA1".to_owned(), "CA2".to_owned()];
    assert_eq!(store.attempts_by_sid(&sids).await.unwrap(), [named]);
    assert_eq!(store.attempts_by_sid(&[]).await.unwrap(), []);
}

pub async fn recently_sent_calls_are_found_even_if_they_are_over(store: &dyn Store) {
    keep(store, (1..=5).map(callback)).await;
    let left = |n, second, stage| {
        let submission = Submission { submitted_at: Some(at(second)), ..submission(stage) };
        Attempt { submission, account: format!("account-{n}").into(), ..attempt(n) }
    };
    let over = Attempt { ended_at: Some(at(21)), ..left(4, 20, Stage::Accepted) };
    let attempts = vec![
        left(1, 19, Stage::Accepted),
        left(2, 20, Stage::Unknown),
        left(3, 21, Stage::Rejected),
        over,
        attempt(5),
    ];
    record(store, Batch { attempts, ..Batch::default() }).await;
    let mut found = store.submitted_since(at(20)).await.unwrap();
    found.sort();
    assert_eq!(found, ["account-2", "account-3", "account-4"].map(Into::into));
}

pub async fn live_inbound_calls_are_found(store: &dyn Store) {
    let calls = Pair { live_inbound: Some("CA1".into()), ..pair(1) };
    record(store, Batch { pairs: vec![calls.clone(), pair(2)], ..Batch::default() }).await;
    assert_eq!(store.pairs_with_live_inbound().await.unwrap(), [calls]);
    record(store, Batch { pairs: vec![Pair { version: 2, ..pair(1) }], ..Batch::default() }).await;
    assert_eq!(store.pairs_with_live_inbound().await.unwrap(), []);
}

pub async fn timelines_are_in_the_order_of_recording(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    let mut earlier = entry(1, "third");
    earlier.at = at(-5);
    let first = Batch { entries: vec![entry(1, "first"), entry(2, "other")], ..Batch::default() };
    record(store, first).await;
    let amended = next(&callback(1), waiting(3, None));
    assert!(amend(store, amended, vec![entry(1, "second")], vec![]).await.unwrap());
    record(store, Batch { entries: vec![earlier.clone()], ..Batch::default() }).await;
    let whole = [entry(1, "first"), entry(1, "second"), earlier];
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), whole);
    assert_eq!(store.pair_timeline(key(1)).await.unwrap(), whole);
    assert_eq!(store.pair_timeline(key(2)).await.unwrap(), [entry(2, "other")]);
}

pub async fn a_timeline_has_the_lines_of_its_pairs_while_the_callback_was_open(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    let of_pair = |n, moment, what| Entry { at: at(moment), callback: None, ..entry(n, what) };
    let end = next(&callback(1), closed(Outcome::Reached));
    let entries = vec![
        of_pair(1, 0, "before it was created"),
        of_pair(1, 1, "as it was created"),
        entry(1, "its own"),
        of_pair(2, 5, "another consumer's"),
        of_pair(1, 9, "as it was closed"),
        of_pair(1, 10, "after it was closed"),
    ];
    record(store, Batch { callbacks: vec![end], entries: entries.clone(), ..Batch::default() }).await;
    let its = [&entries[1], &entries[2], &entries[4]].map(Clone::clone);
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), its);
    assert_eq!(store.timeline(callback_id(2)).await.unwrap(), [entries[3].clone()]);
    // A callback of the same consumer has the lines of the pair, and not those of the other callback.
    let later = Callback { order: callback(1).order, created_at: at(10), ..callback(3) };
    keep(store, [later]).await;
    assert_eq!(store.timeline(callback_id(3)).await.unwrap(), [entries[5].clone()]);
}

pub async fn missing_values_are_left_out(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    let batch =
        Batch { attempts: vec![attempt(1), attempt(2)], messages: vec![message(1)], ..Batch::default() };
    record(store, batch).await;
    let found = store.callbacks(&[callback_id(2), callback_id(9), callback_id(1)]).await.unwrap();
    assert_eq!(found, [callback(2), callback(1)]);
    let found = store.attempts(&[attempt_id(9), attempt_id(2), attempt_id(1)]).await.unwrap();
    assert_eq!(found, [attempt(2), attempt(1)]);
    let found = store.messages(&[message_id(2), message_id(1)]).await.unwrap();
    assert_eq!(found, [message(1)]);
    assert_eq!(store.callbacks(&[]).await.unwrap(), []);
}

pub async fn an_empty_batch_is_no_fault(store: &dyn Store) {
    record(store, Batch::default()).await;
}

pub async fn the_census_counts_every_state(store: &dyn Store) {
    assert_eq!(store.census().await.unwrap(), Census::default());
    keep(store, (0..11).map(callback)).await;
    let abandoned = |callback: Callback| Callback { abandoned_at: Some(at(9)), ..callback };
    let mut callbacks: Vec<_> =
        (0..).zip(Outcome::ALL).map(|(n, outcome)| abandoned(next(&callback(n), closed(outcome)))).collect();
    callbacks.push(next(&callback(7), closed(Outcome::Failed)));
    callbacks.push(abandoned(next(&callback(8), State::Calling { attempt: attempt_id(8) })));
    callbacks.push(abandoned(next(&callback(9), callback(9).state)));
    store.append_reports(vec![report(1), report(2), report(3)]).await.unwrap();
    let folded = vec![store.unfolded_reports(1).await.unwrap()[0].seq];
    record(store, Batch { callbacks, folded, ..Batch::default() }).await;
    let expected = Census {
        waiting: 2,
        unlaunched: 0,
        calling: 1,
        abandoned: 2,
        closed: [1, 1, 1, 1, 1, 2, 1],
        unfolded_reports: 2,
        unmatched_reports: 0,
        invites: ringmaster::store::InviteCensus::default(),
    };
    assert_eq!(store.census().await.unwrap(), expected);
    // Served at last: no longer counted, and still there.
    let ended = abandoned(next(&callback(9), callback(9).state));
    let served = Callback { abandoned_at: None, ..next(&ended, closed(Outcome::Reached)) };
    record(store, Batch { callbacks: vec![served], ..Batch::default() }).await;
    let census = store.census().await.unwrap();
    assert_eq!((census.waiting, census.calling, census.abandoned, census.closed[0]), (1, 1, 1, 2));
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
}

pub async fn the_last_reading_of_the_clock_is_stored(store: &dyn Store) {
    assert_eq!(store.clock_mark().await.unwrap(), None);
    let (second, hour) = (SignedDuration::from_secs(1), SignedDuration::from_hours(1));
    let trusted = Reading { wall: at(7), boot: "one".into(), up: second };
    let first = ClockMark { trusted, doubt: Some(ClockDoubt { since: at(8), by: -hour }) };
    let trusted = Reading { wall: at(9), boot: "two".into(), up: hour };
    for mark in [first, ClockMark { trusted, doubt: None }] {
        store.record(Batch { clock: Some(mark.clone()), ..Batch::default() }).await.unwrap();
        store.record(Batch::default()).await.unwrap();
        assert_eq!(store.clock_mark().await.unwrap(), Some(mark));
    }
}
