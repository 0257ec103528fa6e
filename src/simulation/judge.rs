//! Checks at the end of a run: every accepted order was kept and has ended, no slot is still taken, and the
//! oracle and the invariant checker found nothing.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::simulate::STEP_MAX_S;
use super::{Simulation, Trace};
use crate::domain::timeline::Entry;
use crate::domain::{
    AttemptId, Callback, CallbackId, OrderKind, Outcome, PairKey, PersonId, Reason, Stage, State,
    is_pseudonym,
};
use crate::hook_urls::HookUrls;
use crate::scheduler::told;

/// Describes everything that the daemon did wrong.
pub(super) async fn problems(
    daemon: &Simulation,
    accepted: &BTreeSet<CallbackId>,
) -> anyhow::Result<Vec<String>> {
    let report = daemon.world().report();
    let violations = report.violations.iter();
    let mut problems: Vec<String> = violations
        .map(|violation| format!("{} {:?}: {}", violation.at, violation.law, violation.details))
        .collect();
    problems.extend(daemon.contradictions());
    if report.calls_live > 0 {
        problems.push(format!("{} calls never ended in the world", report.calls_live));
    }
    for attempt in daemon.store.live_attempts().await? {
        problems.push(format!("{} still has a slot, {:?}", attempt.id, attempt.submission.stage));
    }
    for message in daemon.store.unsettled_messages().await? {
        // The fate of a message cannot always be found out, so a message may stay unknown.
        if message.submission.stage != Stage::Unknown {
            problems.push(format!("{} is not settled, {:?}", message.id, message.submission.stage));
        }
    }
    for pair in daemon.store.pairs_with_live_inbound().await? {
        problems.push(format!("{} has a call of the consumer that never ended", pair.key.person));
    }
    problems.extend(daemon.store.wrong_counts().await?.into_iter().map(|wrong| format!("counts: {wrong}")));
    let wrong = daemon.store.wrong_reports(told).await?;
    problems.extend(wrong.into_iter().map(|wrong| format!("reports: {wrong}")));
    let ids = Vec::from_iter(accepted.iter().copied());
    let kept = daemon.store.callbacks(&ids).await?;
    if kept.len() != ids.len() {
        problems.push(format!("{} accepted orders were lost", ids.len() - kept.len()));
    }
    problems.extend(reached_nobody(daemon, &kept).await?);
    // The answer to the order that reached the consumer may have been lost on the way to the customer.
    let named: Vec<CallbackId> = kept.iter().filter_map(reached_by).collect();
    let others = daemon.store.callbacks(&named).await?;
    problems.extend(
        kept.iter().filter(|callback| !is_reached_elsewhere_if_it_says_so(callback, &others)).map(
            |callback| {
                format!("{} is reached elsewhere, and no other order reached its consumer", callback.id)
            },
        ),
    );
    let open = kept.iter().filter(|callback| !matches!(callback.state, State::Closed(_)));
    problems.extend(open.map(|callback| format!("{} never ended: {:?}", callback.id, callback.state)));
    Ok(problems)
}

/// Between what the daemon decided by its clock, and the world's time of it.
pub(super) const APART: SignedDuration = SignedDuration::from_secs(STEP_MAX_S + 40);

/// A callback is closed as reached by a call only if the platform connected its consumer with somebody, or played the
/// message to its end; or if the consumer called and was answered while an attempt was in progress.
async fn reached_nobody(daemon: &Simulation, kept: &[Callback]) -> anyhow::Result<Vec<String>> {
    let served: BTreeSet<AttemptId> =
        daemon.world().served().filter_map(HookUrls::unverified_id).map(AttemptId::new).collect();
    let mut problems = Vec::new();
    let calls = daemon.world().answered_calls();
    let by_call = Reason::Answered.note().code;
    for callback in kept {
        let reached =
            callback.closed().filter(|end| end.outcome == Outcome::Reached && end.note.code == by_call);
        if reached.is_none() {
            continue;
        }
        let called = |late: Timestamp| {
            calls
                .iter()
                .any(|call| call.consumer == callback.order.consumer && call.answered_at < late + APART)
        };
        if callback.reached_late_at.is_some_and(called) {
            continue;
        }
        let record = daemon.store.callback(callback.id).await?;
        if !record.is_some_and(|record| record.attempts.iter().any(|attempt| served.contains(&attempt.id))) {
            problems.push(format!("{} is reached, and nobody served its consumer", callback.id));
        }
    }
    Ok(problems)
}

/// The order that reached the consumer of one that ended for it.
fn reached_by(callback: &Callback) -> Option<CallbackId> {
    let end = callback.closed().filter(|end| end.outcome == Outcome::ReachedElsewhere)?;
    let kinds = [OrderKind::Callback, OrderKind::Invite];
    let id = |word: &str| kinds.iter().find_map(|kind| kind.read_id(word).ok());
    end.note.sentence.split([' ', ',']).find_map(id)
}

/// A callback that is closed as reached elsewhere names an order of the same purpose that reached the person, and is not
/// separate. Of erased people no order tells whose it was.
fn is_reached_elsewhere_if_it_says_so(callback: &Callback, others: &[Callback]) -> bool {
    let elsewhere =
        |callback: &Callback, outcome| callback.closed().filter(|end| end.outcome == outcome).cloned();
    let Some(end) = elsewhere(callback, Outcome::ReachedElsewhere) else { return true };
    let person = PersonId::of(callback.order.consumer);
    if is_pseudonym(callback.order.consumer) {
        return true;
    }
    !callback.order.separate
        && others.iter().any(|by| {
            end.note.sentence.contains(&by.shown_id())
                && elsewhere(by, Outcome::Reached).is_some_and(|reached| reached.at <= end.at)
                && PersonId::of(by.order.consumer) == person
                && by.order.purpose == callback.order.purpose
        })
}

/// Adds the daemon's own timelines to the trace.
pub(super) async fn tell(
    daemon: &Simulation,
    callbacks: &BTreeSet<CallbackId>,
    trace: &Trace,
) -> anyhow::Result<()> {
    if !trace.is_kept() {
        return Ok(());
    }
    let mut pairs = BTreeSet::new();
    for callback in daemon.store.callbacks(&Vec::from_iter(callbacks.iter().copied())).await? {
        let id = callback.id;
        let of_callback = |entry: &Entry| entry.callback == Some(id);
        for entry in daemon.store.timeline(id).await?.into_iter().filter(of_callback) {
            let attempt = entry.attempt.map_or_else(|| "-".to_owned(), |attempt| attempt.to_string());
            trace.note(entry.at, || format!("record   {id} {attempt} {} {}", entry.what, entry.why));
        }
        let consumer = callback.order.consumer;
        pairs.extend(callback.order.senders.iter().map(|&sender| PairKey::of(sender, consumer)));
    }
    for pair in pairs {
        for entry in daemon.store.pair_timeline(pair).await? {
            let (sender, consumer) = (pair.sender, pair.person);
            trace.note(entry.at, || format!("record   {sender} {consumer} {} {}", entry.what, entry.why));
        }
    }
    Ok(())
}
