//! What only an outsider can see at the end of a play: that everything answered "accepted" was kept and has
//! ended, that no slot stayed taken, and what the world's own oracle and the witness of the commits saw.

use std::collections::BTreeSet;

use super::{Simulation, Trace};
use crate::domain::timeline::Entry;
use crate::domain::{CallbackId, PairKey, Stage, State};

/// Everything that the daemon did wrong, in words.
pub(super) async fn wrongs(
    daemon: &Simulation,
    accepted: &BTreeSet<CallbackId>,
) -> anyhow::Result<Vec<String>> {
    let report = daemon.world().report();
    let violations = report.violations.iter();
    let mut wrongs: Vec<String> = violations
        .map(|violation| format!("{} {:?}: {}", violation.at, violation.law, violation.details))
        .collect();
    wrongs.extend(daemon.contradictions());
    if report.calls_live > 0 {
        wrongs.push(format!("{} calls never ended in the world", report.calls_live));
    }
    for attempt in daemon.store.live_attempts().await? {
        wrongs.push(format!("{} still holds a slot, {:?}", attempt.id, attempt.submission.stage));
    }
    for message in daemon.store.unsettled_messages().await? {
        // What a message came to cannot always be found out, so an unknown one may stay so.
        if message.submission.stage != Stage::Unknown {
            wrongs.push(format!("{} is not settled, {:?}", message.id, message.submission.stage));
        }
    }
    for pair in daemon.store.pairs_with_live_inbound().await? {
        wrongs.push(format!("{} has a call of the consumer that never ended", pair.key.consumer));
    }
    let ids = Vec::from_iter(accepted.iter().copied());
    let kept = daemon.store.callbacks(&ids).await?;
    if kept.len() != ids.len() {
        wrongs.push(format!("{} accepted orders were lost", ids.len() - kept.len()));
    }
    let open = kept.iter().filter(|callback| !matches!(callback.state, State::Closed(_)));
    wrongs.extend(open.map(|callback| format!("{} never ended: {:?}", callback.id, callback.state)));
    Ok(wrongs)
}

/// Adds to the trace what the daemon itself has recorded.
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
        pairs.extend(callback.order.senders.iter().map(|&sender| PairKey { sender, consumer }));
    }
    for pair in pairs {
        for entry in daemon.store.pair_timeline(pair).await? {
            let (sender, consumer) = (pair.sender, pair.consumer);
            trace.note(entry.at, || format!("record   {sender} {consumer} {} {}", entry.what, entry.why));
        }
    }
    Ok(())
}
