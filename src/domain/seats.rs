//! The seats of pools that our calls hold, until the call is over or its agent has wrapped up.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{AttemptId, Figure, Pool, PoolKey, Pools};

/// A seat that a call of ours holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// When the call was decided.
    pub taken_at: Timestamp,
    /// When the consumer answered, so that an agent is busy with the call.
    pub busy_since: Option<Timestamp>,
    /// The first moment at which it is free again; `None` while the call is in progress.
    pub until: Option<Timestamp>,
}

impl Seat {
    /// Whether somebody who counted the free agents at this moment may have counted its agent.
    #[must_use]
    pub fn looked_free(&self, as_of: Timestamp) -> bool {
        self.taken_at >= as_of || self.busy_since.is_none_or(|since| since >= as_of)
    }
}

/// A seat that is held after its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapUpSeat {
    pub attempt: AttemptId,
    pub pool: PoolKey,
    pub taken_at: Timestamp,
    pub busy_since: Timestamp,
    pub until: Timestamp,
}

/// All seats that our calls hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seats(BTreeMap<PoolKey, BTreeMap<AttemptId, Seat>>);

/// What a pool has for one more call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolLoad {
    /// Nobody has fed it, or it was removed.
    Unknown,
    Fed {
        /// The seats that our calls may hold.
        usable: u32,
        /// The first moment at which the figure holds no more.
        until: Timestamp,
    },
}

impl Seats {
    pub fn take(&mut self, pool: &PoolKey, attempt: AttemptId, seat: Seat) {
        self.0.entry(pool.clone()).or_default().insert(attempt, seat);
    }

    /// Changes the seat of a call, if it holds one.
    pub fn change(&mut self, pool: &PoolKey, attempt: AttemptId, change: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.0.get_mut(pool).and_then(|held| held.get_mut(&attempt)) {
            change(seat);
        }
    }

    /// Whether the call held one.
    pub fn give_back(&mut self, pool: &PoolKey, attempt: AttemptId) -> bool {
        let Some(held) = self.0.get_mut(pool) else { return false };
        let had = held.remove(&attempt).is_some();
        if held.is_empty() {
            self.0.remove(pool);
        }
        had
    }

    /// Gives back those whose wrap-up is over at `now`.
    pub fn forget_ended(&mut self, now: Timestamp) {
        self.0.retain(|_, held| {
            held.retain(|_, seat| seat.until.is_none_or(|until| now < until));
            !held.is_empty()
        });
    }

    /// The pool in whose wrap-up this call is.
    #[must_use]
    pub fn wrapping_up(&self, attempt: AttemptId) -> Option<&PoolKey> {
        let has =
            |held: &BTreeMap<AttemptId, Seat>| held.get(&attempt).is_some_and(|seat| seat.until.is_some());
        self.0.iter().find(|(_, held)| has(held)).map(|(pool, _)| pool)
    }

    /// The calls after which a seat is held for the wrap-up.
    pub fn in_wrap_up(&self) -> impl Iterator<Item = AttemptId> {
        let held = self.0.values().flatten();
        held.filter(|(_, seat)| seat.until.is_some()).map(|(attempt, _)| *attempt)
    }

    /// When the next wrap-up of a pool is over.
    #[must_use]
    pub fn next_end(&self, pool: &PoolKey) -> Option<Timestamp> {
        self.0.get(pool)?.values().filter_map(|seat| seat.until).min()
    }

    /// The seats of a pool that our calls hold: in calls, and in wrap-ups.
    #[must_use]
    pub fn held(&self, pool: &PoolKey) -> (u32, u32) {
        let held = self.0.get(pool).into_iter().flat_map(BTreeMap::values);
        held.fold((0, 0), |(calls, wrap_ups), seat| match seat.until {
            None => (calls + 1, wrap_ups),
            Some(_) => (calls, wrap_ups + 1),
        })
    }

    /// The seats that are subtracted from the figure of a pool.
    #[must_use]
    pub fn subtracted(&self, pool: &Pool) -> u32 {
        let held = self.0.get(&pool.key).into_iter().flat_map(BTreeMap::values);
        let counts = |seat: &&Seat| match pool.figure {
            Figure::Seats(_) => true,
            Figure::Free(_) => seat.looked_free(pool.as_of),
        };
        u32::try_from(held.filter(counts).count()).unwrap_or(u32::MAX)
    }

    /// What a pool has, and how many of its seats are used.
    #[must_use]
    pub fn load(&self, pools: &Pools, key: &PoolKey) -> (PoolLoad, u32) {
        match pools.get(key) {
            None => (PoolLoad::Unknown, 0),
            Some(pool) => {
                (PoolLoad::Fed { usable: pool.usable(), until: pool.valid_until }, self.subtracted(pool))
            }
        }
    }

    /// How many more calls a pool takes at `now`.
    #[must_use]
    pub fn room(&self, pools: &Pools, key: &PoolKey, now: Timestamp) -> u32 {
        let pool = pools.get(key).filter(|pool| pool.is_fed(now));
        pool.map_or(0, |pool| pool.usable().saturating_sub(self.subtracted(pool)))
    }

    /// Each seat, with its pool and its call.
    pub fn iter(&self) -> impl Iterator<Item = (&PoolKey, AttemptId, Seat)> {
        self.0.iter().flat_map(|(pool, held)| held.iter().map(move |(id, seat)| (pool, *id, *seat)))
    }
}

impl FromIterator<(PoolKey, AttemptId, Seat)> for Seats {
    fn from_iter<T: IntoIterator<Item = (PoolKey, AttemptId, Seat)>>(held: T) -> Self {
        let mut seats = Self::default();
        held.into_iter().for_each(|(pool, attempt, seat)| seats.take(&pool, attempt, seat));
        seats
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn at(second: i64) -> Timestamp {
        NOON + SignedDuration::from_secs(second)
    }

    fn pool(figure: Figure, as_of: i64) -> Pool {
        Pool {
            key: "default/support".parse().unwrap(),
            figure,
            as_of: at(as_of),
            valid_until: at(as_of + 60),
            headroom: 1,
            wrap_up: SignedDuration::ZERO,
            by: "acd".into(),
            fault: None,
        }
    }

    fn id(number: u128) -> AttemptId {
        AttemptId::new(Uuid::from_u128(number))
    }

    fn room(seats: &Seats, pool: &Pool, now: i64) -> u32 {
        seats.room(&[pool.clone()].into_iter().collect(), &pool.key, at(now))
    }

    /// Three calls: one rings since second 10, one is answered at 20, one was answered at 20 and wraps up until 50.
    fn three() -> Seats {
        let key = pool(Figure::Seats(0), 0).key;
        let seat = |busy: Option<i64>, until: Option<i64>| Seat {
            taken_at: at(10),
            busy_since: busy.map(at),
            until: until.map(at),
        };
        let held = [(1, seat(None, None)), (2, seat(Some(20), None)), (3, seat(Some(20), Some(50)))];
        held.into_iter().map(|(number, seat)| (key.clone(), id(number), seat)).collect()
    }

    #[test]
    fn all_our_seats_are_subtracted_from_a_total() {
        let seats = three();
        for (total, left) in [(0, 0), (1, 0), (3, 0), (4, 0), (5, 1), (14, 10)] {
            assert_eq!(room(&seats, &pool(Figure::Seats(total), 30), 40), left, "of {total}");
        }
    }

    #[test]
    fn of_the_free_agents_those_are_subtracted_who_were_not_busy_with_our_calls() {
        let seats = three();
        // Before the calls, while they rang, at the moment of the answer, and after it.
        for (as_of, left) in [(5, 1), (10, 1), (15, 1), (20, 1), (21, 3)] {
            assert_eq!(room(&seats, &pool(Figure::Free(5), as_of), 40), left, "as of {as_of}");
        }
    }

    #[test]
    fn a_figure_holds_until_its_end_and_not_at_it() {
        let (seats, pool) = (Seats::default(), pool(Figure::Free(3), 0));
        assert_eq!([59, 60, 61].map(|now| room(&seats, &pool, now)), [2, 0, 0]);
        assert_eq!(seats.room(&Pools::default(), &pool.key, at(0)), 0);
    }

    #[test]
    fn a_wrap_up_ends_at_its_time() {
        let (mut seats, key) = (three(), pool(Figure::Seats(0), 0).key);
        assert_eq!((seats.held(&key), seats.next_end(&key)), ((2, 1), Some(at(50))));
        assert_eq!((seats.wrapping_up(id(2)), seats.wrapping_up(id(3))), (None, Some(&key)));
        seats.forget_ended(at(49));
        assert_eq!(seats, three());
        seats.forget_ended(at(50));
        assert_eq!((seats.held(&key), seats.next_end(&key)), ((2, 0), None));
        assert!(seats.give_back(&key, id(1)) && !seats.give_back(&key, id(1)));
        assert!(seats.give_back(&key, id(2)));
        assert_eq!(seats, Seats::default());
    }
}
