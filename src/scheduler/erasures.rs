//! Erasures: closes what is open of a person, erases the rows a batch at a time, searches the inbox, and empties the log.
//!
//! A turn does one step. Without an erasure a turn reads nothing for them. Once somebody was erased, a turn with reports that
//! name people asks which of them are, and lets go of those reports.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use super::deletions;
use super::erasing::Erasing;
use super::named::names;
use super::settle::cancel;
use super::state::Scheduler;
use super::turn::Turn;
use crate::clock::later;
use crate::domain::{Erasure, ErasureId, ErasureState, Event, Name, PauseScope, Reason};
use crate::store::{self, ErasureStep, FiledReport, ListChange, PauseLifted, Store};

/// How many orders one step erases: some milliseconds of the writer.
const ROWS: usize = 100;
/// How many reports, and idempotency keys, one step searches: some milliseconds of a reader.
const SEARCHED: usize = 10_000;
/// When to try again to empty the log, if somebody reads it.
const CLEAN_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// Reads what is next for the open erasures.
pub(super) async fn sweep(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    reports: &[FiledReport],
    max: usize,
) -> store::Result<()> {
    let begins = reports.iter().any(|report| matches!(report.event, Event::Erasure { .. }));
    if begins {
        turn.scheduler.erasing.has_erased = true;
    }
    if begins || turn.scheduler.erasing.is_stale {
        turn.scheduler.erasing.open = store.open_erasures().await?;
        turn.scheduler.erasing.is_stale = false;
    }
    turn.scheduler.erasing.delete_at = None;
    if turn.scheduler.erasing.is_idle() {
        return clean(turn, store).await.map(drop);
    }
    let named: BTreeSet<Name> = reports.iter().flat_map(|report| names(turn, &report.event)).collect();
    for erasure in turn.scheduler.erasing.open.clone() {
        // Reports of this turn are folded after what was read here.
        let is_named = !named.is_disjoint(&erasure.names);
        let step = match erasure.state {
            ErasureState::Closing => close_or_erase(turn, store, erasure, is_named, max).await?,
            ErasureState::Searching => {
                let after = turn.scheduler.erasing.keys_after.get(&erasure.id).cloned().unwrap_or_default();
                let found = store.erasure_traces(&erasure, &after, SEARCHED).await?;
                Some(ErasureStep::Traces { id: erasure.id, found })
            }
            ErasureState::Cleaning | ErasureState::Done => {
                let (id, at) = (erasure.id, turn.now);
                turn.scheduler.erasing.clean_at.get_or_insert(at);
                clean(turn, store).await?.then_some(ErasureStep::Clean { id, at })
            }
            ErasureState::Deleting => {
                deletions::ask(turn, store, erasure.id).await?;
                None
            }
        };
        if let Some(step) = step {
            turn.erasing.steps.push(step);
            break;
        }
    }
    Ok(())
}

async fn close_or_erase(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    erasure: Erasure,
    is_named: bool,
    max: usize,
) -> store::Result<Option<ErasureStep>> {
    let work = store.erasure_work(&erasure, max).await?;
    if work.open.is_empty() && work.busy == 0 && !is_named {
        lift_pauses(turn, &erasure);
        return Ok(Some(ErasureStep::Rows { erasure, most: ROWS }));
    }
    let by = erasure.asked_by;
    turn.erasing.closing.extend(work.open.into_iter().map(|id| (id, by.clone())));
    Ok(None)
}

/// Lifts the pauses of the person, whose scope is a number.
fn lift_pauses(turn: &mut Turn<'_>, erasure: &Erasure) {
    let at = turn.now;
    let theirs = |scope: &PauseScope| match scope {
        PauseScope::Person(number) => erasure.names.contains(&Name::Number(*number)),
        _ => false,
    };
    let pauses = turn.loads.pauses.in_force(at);
    let ids: Vec<_> = pauses.into_iter().filter(|pause| theirs(&pause.scope)).map(|pause| pause.id).collect();
    for id in ids {
        Arc::make_mut(&mut turn.loads.pauses).remove(id);
        turn.work.pauses_lifted.push(PauseLifted { id, at, by: erasure.asked_by.clone() });
    }
}

/// Empties the log, in which erased rows are as they were, if that is due. Whether it is empty now.
async fn clean(turn: &mut Turn<'_>, store: &dyn Store) -> store::Result<bool> {
    let now = turn.now;
    if turn.scheduler.erasing.clean_at.is_none_or(|at| at > now) {
        return Ok(false);
    }
    let is_empty = store.clean_log().await?;
    turn.scheduler.erasing.clean_at = (!is_empty).then(|| later(now, CLEAN_AGAIN));
    Ok(is_empty)
}

/// Finds the erased people in the reports of this turn. While their orders are being closed, reports still count: a call
/// has to end.
pub(super) async fn find(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    reports: &[FiledReport],
) -> store::Result<()> {
    if !turn.scheduler.erasing.has_erased {
        return Ok(());
    }
    let named: BTreeSet<Name> = reports.iter().flat_map(|report| names(turn, &report.event)).collect();
    if named.is_empty() {
        return Ok(());
    }
    let erased = store.erased_names(&Vec::from_iter(named)).await?;
    let open = &turn.scheduler.erasing.open;
    let closing = open.iter().filter(|erasure| erasure.state == ErasureState::Closing);
    let closing: BTreeSet<&Name> = closing.flat_map(|erasure| &erasure.names).collect();
    turn.erasing.erased = erased.into_iter().filter(|name| !closing.contains(name)).collect();
    Ok(())
}

/// Whether the report names an erased person. Then nothing comes of it.
pub(super) fn drops(turn: &mut Turn<'_>, report: &FiledReport) -> bool {
    if turn.erasing.erased.is_empty() {
        return false;
    }
    let is_theirs = names(turn, &report.event).iter().any(|name| turn.erasing.erased.contains(name));
    if is_theirs {
        turn.erasing.dropped.push(report.seq);
    }
    is_theirs
}

/// An erasure began: its entries are counted.
pub(super) fn began(turn: &mut Turn<'_>, erasure: ErasureId, list: i64, entries: u32, by: &str) {
    if entries > 0 {
        turn.work.suppressions.push(ListChange::Added { list, entries });
    }
    tracing::warn!(%erasure, token = by, "the data of a person is to be erased");
}

/// Closes the orders that were read. A call in progress is hung up.
pub(super) fn close(turn: &mut Turn<'_>) {
    for (id, by) in std::mem::take(&mut turn.erasing.closing) {
        cancel(turn, id, &Reason::Erased, &by);
    }
    turn.is_at_nothing();
}

impl Scheduler {
    /// Reads the erasures that are not done.
    pub(super) async fn read_erasures(&mut self) -> store::Result<()> {
        self.erasing = Erasing {
            open: self.deps.store.open_erasures().await?,
            has_erased: self.deps.store.has_erased().await?,
            ..Erasing::default()
        };
        Ok(())
    }
}
