//! Every call that needs a seat of a pool has one: when it is decided, the pool's figure holds, and our calls use no more of
//! it than it says, less what is kept back.
//!
//! It counts by itself, from what the customer told and from what was committed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Seen;
use crate::domain::{Attempt, AttemptId, Figure, PoolKey, Stage};
use crate::store::Batch;

/// A figure that a customer told.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulation) struct Fed {
    pub(in crate::simulation) figure: Figure,
    pub(in crate::simulation) as_of: Timestamp,
    pub(in crate::simulation) valid_until: Timestamp,
    pub(in crate::simulation) headroom: u32,
    pub(in crate::simulation) wrap_up: SignedDuration,
}

/// What was told of pools, and which calls are wrapped up.
#[derive(Debug, Default)]
pub(super) struct Desks {
    /// The figures of which one holds: the last that was acknowledged, and those told since.
    told: BTreeMap<PoolKey, Vec<Fed>>,
    /// Until when the seats of calls that are over are held.
    wrap_ups: BTreeMap<AttemptId, (PoolKey, Timestamp)>,
}

impl Seen {
    /// From now on the calls of this pool are looked at: nobody has told a figure yet.
    pub(in crate::simulation) fn watches(&mut self, pool: &PoolKey) {
        self.desks.told.entry(pool.clone()).or_default();
    }

    /// A customer tells a figure; it is not answered yet.
    pub(in crate::simulation) fn told(&mut self, pool: &PoolKey, fed: Fed) {
        self.desks.told.entry(pool.clone()).or_default().push(fed);
    }

    /// The last figure is acknowledged: no earlier one holds.
    pub(in crate::simulation) fn heard(&mut self, pool: &PoolKey) {
        if let Some(told) = self.desks.told.get_mut(pool) {
            let last = told.len().saturating_sub(1);
            told.drain(..last);
        }
    }

    /// The last figure was refused.
    pub(in crate::simulation) fn refused(&mut self, pool: &PoolKey) {
        self.desks.told.get_mut(pool).map(Vec::pop);
    }

    /// Before a batch is taken in: notes which calls end with it.
    pub(super) fn wrap_up(&mut self, batch: &Batch) {
        for attempt in &batch.attempts {
            let was_live = self.attempts.get(&attempt.id).is_some_and(Attempt::is_live);
            let Some(ended_at) = attempt.ended_at.filter(|_| was_live && !attempt.is_live()) else {
                continue;
            };
            if attempt.connected_at.is_none() {
                continue;
            }
            for pool in attempt.holds.pools() {
                let told = self.desks.told.get(pool).into_iter().flatten();
                let Some(wrap_up) = told.map(|fed| fed.wrap_up).min() else { continue };
                self.desks.wrap_ups.insert(attempt.id, (pool.clone(), ended_at + wrap_up));
            }
        }
    }

    /// After a batch was taken in: each call that it opens has a seat.
    pub(super) fn seats(&mut self, batch: &Batch) {
        for attempt in &batch.attempts {
            let is_new = self.seated.insert(attempt.id);
            if !is_new || attempt.submission.stage != Stage::Intent {
                continue;
            }
            for pool in attempt.holds.pools() {
                let at = attempt.submission.intended_at;
                // Of other pools it does not know what was told.
                let Some(told) = self.desks.told.get(pool).cloned() else { continue };
                if !told.iter().any(|fed| self.has_seat(pool, *fed, at)) {
                    let id = attempt.id;
                    self.problem(format!("{id} has no seat of {pool} at {at}; it was told {told:?}"));
                }
            }
        }
    }

    /// Whether the seats that are held now, with that of a new call, are within this figure at `at`.
    fn has_seat(&self, pool: &PoolKey, fed: Fed, at: Timestamp) -> bool {
        let may_look_free = |id: &AttemptId| {
            let answered_at = self.attempts.get(id).and_then(|attempt| attempt.connected_at);
            let taken_at = self.attempts.get(id).map(|attempt| attempt.submission.intended_at);
            answered_at.is_none_or(|answered_at| answered_at >= fed.as_of) || taken_at >= Some(fed.as_of)
        };
        let counts = |id: &AttemptId| match fed.figure {
            Figure::Seats(_) => true,
            Figure::Free(_) => may_look_free(id),
        };
        let in_calls = self.live.iter().filter(|(_, holds)| holds.pools().any(|held| held == pool));
        let in_calls = in_calls.filter(|(id, _)| counts(id)).count();
        let wrap_ups = self.desks.wrap_ups.iter();
        let wrap_ups =
            wrap_ups.filter(|(id, (held, until))| held == pool && at < *until && counts(id)).count();
        let (Figure::Seats(most) | Figure::Free(most)) = fed.figure;
        let most = i64::from(most) - i64::from(fed.headroom);
        at < fed.valid_until && i64::try_from(in_calls + wrap_ups).is_ok_and(|used| used <= most)
    }
}
