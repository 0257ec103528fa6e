//! Pools of agents: folds their figures, and keeps the seats that calls hold.
//!
//! A figure that ends changes nothing here: its gate has no room then. A new figure opens the gate in the next turn.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::state::Scheduler;
use super::turn::Turn;
use crate::clock::later;
use crate::domain::{
    Attempt, AttemptId, CallbackId, CommandOutcome, Figure, Gate, Pool, PoolAct, PoolCommand, Pools,
    Resource, Seat, State, WrapUpSeat,
};
use crate::store;

/// Folds a command about a pool that was received at `at`.
pub(super) fn fold(turn: &mut Turn<'_>, at: Timestamp, command: &PoolCommand) -> CommandOutcome {
    let known = turn.loads.pools.get(&command.pool);
    let pool = match &command.act {
        PoolAct::Feed { figure, as_of, valid_until, headroom, wrap_up } => {
            match known {
                // After a step back of the clock the known figure would look newer for too long.
                Some(known) if *as_of < known.as_of && known.as_of <= turn.now => {
                    return CommandOutcome::Refused("pool.older_figure".into());
                }
                None if !turn.loads.pools.has_room(&command.pool.tenant) => {
                    return CommandOutcome::Refused("pool.too_many".into());
                }
                _ => {}
            }
            Pool {
                key: command.pool.clone(),
                figure: *figure,
                as_of: *as_of,
                valid_until: *valid_until,
                headroom: *headroom,
                wrap_up: *wrap_up,
                by: Arc::clone(&command.by),
                fault: None,
            }
        }
        PoolAct::Fail { why } => {
            if known.is_none() && !turn.loads.pools.has_room(&command.pool.tenant) {
                return CommandOutcome::Refused("pool.too_many".into());
            }
            failed(known, at, command, why)
        }
        PoolAct::Remove if known.is_none() => return CommandOutcome::Refused("pool.not_found".into()),
        PoolAct::Remove => {
            Arc::make_mut(&mut turn.loads.pools).remove(&command.pool);
            turn.work.pools.pools.insert(command.pool.clone(), None);
            tracing::info!(pool = %command.pool, token = &*command.by, "a pool was removed");
            return CommandOutcome::Applied;
        }
    };
    Arc::make_mut(&mut turn.loads.pools).set(pool.clone());
    turn.work.pools.pools.insert(command.pool.clone(), Some(pool));
    CommandOutcome::Applied
}

/// The pool after its source failed: what it has is over.
fn failed(known: Option<&Pool>, at: Timestamp, command: &PoolCommand, why: &Arc<str>) -> Pool {
    let mut pool = known.cloned().unwrap_or_else(|| Pool {
        key: command.pool.clone(),
        figure: Figure::Seats(0),
        as_of: at,
        valid_until: at,
        headroom: Pool::HEADROOM_DEFAULT,
        wrap_up: SignedDuration::ZERO,
        by: Arc::clone(&command.by),
        fault: None,
    });
    pool.valid_until = pool.valid_until.min(at);
    pool.fault = Some(Arc::clone(why));
    pool
}

/// A call begins, or exists after all.
pub(super) fn take(turn: &mut Turn<'_>, attempt: &Attempt) {
    for pool in attempt.holds.pools() {
        turn.loads.seats.take(pool, attempt.id, seat(attempt));
    }
}

const fn seat(attempt: &Attempt) -> Seat {
    Seat { taken_at: attempt.submission.intended_at, busy_since: attempt.connected_at, until: None }
}

/// The consumer has answered, so that an agent is busy.
pub(super) fn answered(turn: &mut Turn<'_>, attempt: &Attempt) {
    for pool in attempt.holds.pools() {
        turn.loads.seats.change(pool, attempt.id, |seat| seat.busy_since = attempt.connected_at);
    }
}

/// A call is over. If the consumer answered it, its agent wraps up, and the seat is held for that, unless the agent has
/// already said what came of it.
pub(super) fn ended(turn: &mut Turn<'_>, attempt: &Attempt) {
    let callback = turn.work.callbacks.get(attempt.callback);
    let handling = callback.and_then(|callback| callback.handling.as_ref());
    let is_wrapped_up = handling.is_some_and(|handling| handling.is_wrapped_up);
    for pool in attempt.holds.pools() {
        let wrap_up = turn.loads.pools.get(pool).map_or(SignedDuration::ZERO, |pool| pool.wrap_up);
        let until = later(attempt.ended_at.unwrap_or(turn.now), wrap_up);
        match attempt.connected_at.filter(|_| until > turn.now && !is_wrapped_up) {
            Some(busy_since) => {
                let taken_at = attempt.submission.intended_at;
                let seat = Seat { taken_at, busy_since: Some(busy_since), until: Some(until) };
                turn.loads.seats.take(pool, attempt.id, seat);
                let pool = pool.clone();
                turn.work.pools.wrap_ups.push(WrapUpSeat {
                    attempt: attempt.id,
                    pool,
                    taken_at,
                    busy_since,
                    until,
                });
            }
            None => {
                turn.loads.seats.give_back(pool, attempt.id);
                // An answered call may have ended before, and come back: then its wrap-up is stored.
                if attempt.connected_at.is_some() {
                    turn.work.pools.wrap_ups.retain(|wrap_up| wrap_up.attempt != attempt.id);
                    turn.work.pools.wrapped_up.push(attempt.id);
                }
            }
        }
    }
}

/// An agent has said what came of a callback: the seats that are held after its calls are free before their time.
pub(super) fn end_wrap_up(turn: &mut Turn<'_>, callback: CallbackId) {
    turn.work.callbacks.change(callback, |callback| {
        if matches!(callback.state, State::Calling { .. }) {
            callback.handled().is_wrapped_up = true;
        }
    });
    let attempts = turn.work.attempts.values().filter(|attempt| attempt.callback == callback);
    for attempt in attempts.map(|attempt| attempt.id).collect::<Vec<_>>() {
        give_back_after(turn, attempt);
    }
}

fn give_back_after(turn: &mut Turn<'_>, attempt: AttemptId) {
    let Some(pool) = turn.loads.seats.wrapping_up(attempt).cloned() else { return };
    turn.loads.seats.give_back(&pool, attempt);
    turn.work.pools.wrap_ups.retain(|wrap_up| wrap_up.attempt != attempt);
    turn.work.pools.wrapped_up.push(attempt);
    turn.slot_freed |= turn.scheduler.somebody_waits_at(&Gate::Room(Resource::Pool(pool)));
}

impl Scheduler {
    /// Reads the pools, and the seats that are held after their calls. Those of calls in progress are counted with these.
    pub(super) async fn read_pools(&mut self) -> store::Result<()> {
        let pools = self.deps.store.pools().await?;
        self.loads.pools = Arc::new(pools.into_iter().collect::<Pools>());
        let wrap_ups = self.deps.store.seats_in_wrap_up(self.deps.clock.now()).await?;
        let seat = |wrap_up: WrapUpSeat| {
            let WrapUpSeat { attempt, pool, taken_at, busy_since, until } = wrap_up;
            (pool, attempt, Seat { taken_at, busy_since: Some(busy_since), until: Some(until) })
        };
        self.loads.seats = wrap_ups.into_iter().map(seat).collect();
        Ok(())
    }
}
