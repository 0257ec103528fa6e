//! Turns at a gate: whose callbacks go next, if those of several campaigns wait.
//!
//! Each campaign has a lane at a gate, and all callbacks without a campaign have one together. Of the lanes whose first
//! callback is of the same class, each gets places by its weight: stride scheduling, in which a lane pays for each turn the
//! more the smaller its weight is, and who has paid least is next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;
use std::str::FromStr;

use super::campaign::campaign_id;
use super::{CampaignId, Order, Priority};

/// Whose callbacks take turns with those of others at a gate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// `None`: callbacks without a campaign.
    pub campaign: Option<CampaignId>,
    /// Callbacks of the campaign with an urgent priority, for which places are reserved.
    pub is_urgent: bool,
}

impl Lane {
    /// The lane of an order.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        match order.campaign_id() {
            None => Self::default(),
            campaign => Self { campaign, is_urgent: order.priority.is_urgent() },
        }
    }

    /// Whether the reserved places are not for it: callbacks of a campaign that are not urgent.
    #[must_use]
    pub const fn is_bulk(self) -> bool {
        self.campaign.is_some() && !self.is_urgent
    }
}

impl fmt::Display for Lane {
    /// The stored form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(campaign) = self.campaign else { return Ok(()) };
        write!(f, "{campaign}{}", if self.is_urgent { "!" } else { "" })
    }
}

impl FromStr for Lane {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let (id, is_urgent) = text.strip_suffix('!').map_or((text, false), |id| (id, true));
        Ok(Self { campaign: Some(campaign_id(id).ok_or(())?), is_urgent })
    }
}

/// How many callbacks a gate may let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub all: usize,
    /// Of these, how many may be of a campaign and not urgent.
    pub bulk: usize,
}

impl Room {
    pub const NONE: Self = Self::of(0);
    pub const ANY: Self = Self::of(usize::MAX);

    /// The same for all.
    #[must_use]
    pub const fn of(all: usize) -> Self {
        Self { all, bulk: all }
    }

    /// That of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { all: self.all.saturating_add(other.all), bulk: self.bulk.saturating_add(other.bulk) }
    }

    /// That which is left when so many are taken.
    #[must_use]
    pub const fn without(self, taken: usize) -> Self {
        Self { all: self.all.saturating_sub(taken), bulk: self.bulk.saturating_sub(taken) }
    }

    /// At most so many.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { all: self.all.min(most), bulk: self.bulk.min(most) }
    }
}

/// What a lane has paid for its turns at a gate, by campaign.
pub type Paid = BTreeMap<Option<CampaignId>, u64>;

/// What a campaign with this weight pays for a turn: [`ROUND`] for the smallest one.
#[must_use]
pub fn price(weight: u32) -> u64 {
    ROUND / u64::from(weight.max(1))
}

/// The price of a turn with weight 1.
pub const ROUND: u64 = 1_000_000_000;

/// The lanes that wait at a gate, each with the class of its first callback, or a lower one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lanes(BTreeMap<Lane, i64>);

/// Callbacks of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    pub callbacks: Vec<T>,
    /// The class of the first one after them; `None` if there is none. Read if fewer were found than wanted.
    pub next: Option<i64>,
}

/// What is read of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub lane: Lane,
    /// None of a higher class.
    pub class: i64,
    /// Without the first so many, which were read before.
    pub after: usize,
    /// At most so many.
    pub most: usize,
}

impl Lanes {
    /// The class of lanes of which nothing is known yet.
    pub const UNKNOWN: i64 = i64::MIN;

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose lanes there are.
    pub fn campaigns(&self) -> impl Iterator<Item = Option<CampaignId>> {
        self.0.keys().map(|lane| lane.campaign)
    }

    /// Whether the reserved places are for none of them. Of a gate whose lanes are not known yet that is not known.
    #[must_use]
    pub fn are_bulk(&self) -> bool {
        !self.is_empty() && self.0.keys().all(|lane| lane.is_bulk())
    }

    /// Whether several take turns.
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// A callback of this class waits in the lane.
    pub fn wait(&mut self, lane: Lane, class: i64) {
        let first = self.0.entry(lane).or_insert(class);
        *first = class.min(*first);
    }

    /// Callbacks wait in all of these too.
    pub fn join(&mut self, others: &Self) {
        others.0.iter().for_each(|(lane, class)| self.wait(*lane, *class));
    }

    /// Reads as many callbacks as there is room for: the lowest class first, and of the same class each lane by its weight.
    /// Reads no more than those, and for a lane whose class has run out the next class. Lanes in which nothing waits are
    /// forgotten.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn call_up<T, E>(
        &mut self,
        room: Room,
        mut paid: Paid,
        weight: impl Fn(Option<CampaignId>) -> u32,
        mut read: impl FnMut(Wanted) -> Result<Found<T>, E>,
    ) -> Result<Vec<T>, E> {
        let mut called = Vec::new();
        let mut taken: BTreeMap<Lane, usize> = BTreeMap::new();
        let Room { all: mut left, bulk: mut bulk_left } = room;
        while left > 0 {
            let may_go = |lane: &Lane| !lane.is_bulk() || bulk_left > 0;
            let Some(class) = self.0.iter().filter(|(lane, _)| may_go(lane)).map(|(_, class)| *class).min()
            else {
                break;
            };
            if let Some(lane) = self.only().filter(may_go) {
                let most = if lane.is_bulk() { left.min(bulk_left) } else { left };
                let after = taken.get(&lane).copied().unwrap_or_default();
                let found = read(Wanted { lane, class: i64::MAX, after, most })?;
                if found.callbacks.len() < most {
                    self.0.clear();
                }
                called.extend(found.callbacks);
                break;
            }
            let first = |(lane, of): (&Lane, &i64)| (*of == class && may_go(lane)).then_some(*lane);
            let first: Vec<Lane> = self.0.iter().filter_map(first).collect();
            if class == Self::UNKNOWN {
                for lane in first {
                    let next = read(Wanted { lane, class, after: 0, most: 0 })?.next;
                    self.goes_on(lane, next);
                }
                continue;
            }
            for (lane, most) in shared(&first, (left, bulk_left), &mut paid, &weight) {
                let taken = taken.entry(lane).or_default();
                let found = read(Wanted { lane, class, after: *taken, most })?;
                let count = found.callbacks.len();
                *taken += count;
                left = left.saturating_sub(count);
                if lane.is_bulk() {
                    bulk_left = bulk_left.saturating_sub(count);
                }
                if count < most {
                    let unused = price(weight(lane.campaign)).saturating_mul((most - count) as u64);
                    paid.entry(lane.campaign).and_modify(|paid| *paid = paid.saturating_sub(unused));
                    self.goes_on(lane, found.next);
                }
                called.extend(found.callbacks);
            }
        }
        Ok(called)
    }

    fn only(&self) -> Option<Lane> {
        if self.0.len() == 1 { self.0.keys().next().copied() } else { None }
    }

    /// The class of a lane has run out.
    fn goes_on(&mut self, lane: Lane, next: Option<i64>) {
        match next {
            Some(class) => _ = self.0.insert(lane, class),
            None => _ = self.0.remove(&lane),
        }
    }
}

impl FromIterator<Lane> for Lanes {
    /// Lanes of which it is only known that somebody waits in them.
    fn from_iter<T: IntoIterator<Item = Lane>>(lanes: T) -> Self {
        Self(lanes.into_iter().map(|lane| (lane, Self::UNKNOWN)).collect())
    }
}

/// How many turns each of the lanes has, of `left` for all and `bulk` for bulk. They pay for them.
fn shared(
    lanes: &[Lane],
    (left, mut bulk): (usize, usize),
    paid: &mut Paid,
    weight: &impl Fn(Option<CampaignId>) -> u32,
) -> BTreeMap<Lane, usize> {
    let due = |lane: &Lane| Reverse((paid.get(&lane.campaign).copied().unwrap_or_default(), *lane));
    let mut next: BinaryHeap<_> = lanes.iter().map(due).collect();
    let mut turns: BTreeMap<Lane, usize> = BTreeMap::new();
    for _ in 0..left {
        while next.peek().is_some_and(|Reverse((_, lane))| lane.is_bulk() && bulk == 0) {
            next.pop();
        }
        let Some(Reverse((before, lane))) = next.pop() else { break };
        if lane.is_bulk() {
            bulk -= 1;
        }
        *turns.entry(lane).or_default() += 1;
        let after = before.saturating_add(price(weight(lane.campaign)));
        paid.insert(lane.campaign, after);
        next.push(Reverse((after, lane)));
    }
    turns
}

impl Priority {
    /// From this priority on places are reserved.
    const URGENT_FROM: u8 = 8;

    /// Whether places are reserved for it: 8 and 9.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        self.level() >= Self::URGENT_FROM
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use uuid::Uuid;

    use super::*;

    fn bulk(n: u128) -> Lane {
        Lane { campaign: Some(CampaignId::new(Uuid::from_u128(n))), is_urgent: false }
    }

    fn urgent(n: u128) -> Lane {
        Lane { is_urgent: true, ..bulk(n) }
    }

    const COMMON: Lane = Lane { campaign: None, is_urgent: false };

    /// Callbacks by their lanes, each with its number and its class, sorted by class.
    #[derive(Default)]
    struct Gate {
        waiting: BTreeMap<Lane, Vec<(usize, i64)>>,
        reads: usize,
    }

    impl Gate {
        fn with(waiting: &[(Lane, &[i64])]) -> Self {
            let numbered = |of: &[i64]| of.iter().copied().enumerate().collect();
            Self { waiting: waiting.iter().map(|(lane, of)| (*lane, numbered(of))).collect(), reads: 0 }
        }

        fn many(lanes: impl IntoIterator<Item = Lane>, each: usize) -> Self {
            let waiting = lanes.into_iter().map(|lane| (lane, (0..each).map(|n| (n, 0)).collect()));
            Self { waiting: waiting.collect(), reads: 0 }
        }

        fn lanes(&self) -> Lanes {
            self.waiting.keys().copied().collect()
        }

        fn read(&mut self, Wanted { lane, class, after, most }: Wanted) -> Found<(Lane, usize)> {
            self.reads += 1;
            let all = self.waiting.get(&lane).cloned().unwrap_or_default();
            let within = all.iter().filter(|(_, of)| *of <= class).skip(after).take(most);
            let next = all.iter().map(|(_, of)| *of).find(|of| *of > class);
            Found { callbacks: within.map(|(n, _)| (lane, *n)).collect(), next }
        }

        /// How many of each lane are called up, and they leave.
        fn call(
            &mut self,
            lanes: &mut Lanes,
            room: Room,
            paid: Paid,
            weights: &[(Lane, u32)],
        ) -> BTreeMap<Lane, usize> {
            let weight = |campaign| {
                weights.iter().find(|(lane, _)| lane.campaign == campaign).map_or(10, |(_, weight)| *weight)
            };
            let called =
                lanes.call_up(room, paid, weight, |wanted| Ok::<_, Infallible>(self.read(wanted))).unwrap();
            let mut counts: BTreeMap<Lane, usize> = BTreeMap::new();
            for (lane, number) in called {
                *counts.entry(lane).or_default() += 1;
                let waiting = self.waiting.get_mut(&lane).unwrap();
                let at = waiting.iter().position(|(n, _)| *n == number).expect("each is called up once");
                waiting.remove(at);
            }
            counts
        }
    }

    fn counts<const N: usize>(counts: [(Lane, usize); N]) -> BTreeMap<Lane, usize> {
        counts.into_iter().collect()
    }

    #[test]
    fn a_lane_reads_back_what_it_writes() {
        for lane in [COMMON, bulk(7), urgent(7)] {
            assert_eq!(lane.to_string().parse(), Ok(lane));
        }
        assert_eq!("spring".parse::<Lane>(), Err(()));
        assert_eq!([COMMON, bulk(7), urgent(7)].map(Lane::is_bulk), [false, true, false]);
    }

    #[test]
    fn lanes_of_equal_class_share_a_gate_by_their_weights() {
        let mut gate = Gate::many([COMMON, bulk(1), bulk(2)], 1_000);
        let mut lanes = gate.lanes();
        let weights = [(bulk(1), 30), (bulk(2), 10)];
        let called = gate.call(&mut lanes, Room::of(50), Paid::new(), &weights);
        assert_eq!(called, counts([(COMMON, 10), (bulk(1), 30), (bulk(2), 10)]));
    }

    #[test]
    fn who_has_paid_less_is_next() {
        let mut gate = Gate::many([bulk(1), bulk(2)], 10);
        let mut lanes = gate.lanes();
        let paid = Paid::from([(bulk(1).campaign, price(10)), (bulk(2).campaign, 0)]);
        assert_eq!(gate.call(&mut lanes, Room::of(1), paid.clone(), &[]), counts([(bulk(2), 1)]));
        let called = gate.call(&mut lanes, Room::of(3), paid, &[]);
        assert_eq!(called, counts([(bulk(1), 1), (bulk(2), 2)]));
        let equal = gate.call(&mut lanes, Room::of(1), Paid::new(), &[]);
        assert_eq!(equal, counts([(bulk(1), 1)]), "the lane with the lower id begins");
    }

    #[test]
    fn a_lower_class_goes_first_whatever_the_weights_are() {
        let mut gate = Gate::with(&[(bulk(1), &[-3, -3, -3]), (bulk(2), &[-5, -3]), (COMMON, &[-4])]);
        let mut lanes = gate.lanes();
        let weights = [(bulk(1), 100), (bulk(2), 1)];
        let called = gate.call(&mut lanes, Room::of(1), Paid::new(), &weights);
        assert_eq!(called, counts([(bulk(2), 1)]));
        let called = gate.call(&mut lanes, Room::of(3), Paid::new(), &weights);
        assert_eq!(called, counts([(COMMON, 1), (bulk(1), 1), (bulk(2), 1)]), "then the next class");
    }

    #[test]
    fn what_a_lane_does_not_use_goes_to_the_others() {
        let mut gate = Gate::with(&[(bulk(1), &[0]), (bulk(2), &[0; 20])]);
        let mut lanes = gate.lanes();
        let called = gate.call(&mut lanes, Room::of(10), Paid::new(), &[(bulk(1), 100)]);
        assert_eq!(called, counts([(bulk(1), 1), (bulk(2), 9)]));
        assert_eq!(lanes.campaigns().collect::<Vec<_>>(), [bulk(2).campaign], "nothing waits in the other");
        let called = gate.call(&mut lanes, Room::of(100), Paid::new(), &[]);
        assert_eq!((called, lanes.is_empty()), (counts([(bulk(2), 11)]), true));
    }

    #[test]
    fn bulk_leaves_the_reserved_places_to_others() {
        let mut gate = Gate::with(&[(bulk(1), &[-3; 9]), (urgent(1), &[-8]), (COMMON, &[-5, -1])]);
        let mut lanes = gate.lanes();
        let called = gate.call(&mut lanes, Room { all: 6, bulk: 2 }, Paid::new(), &[]);
        assert_eq!(called, counts([(urgent(1), 1), (COMMON, 2), (bulk(1), 2)]));
        let called = gate.call(&mut lanes, Room { all: 1, bulk: 0 }, Paid::new(), &[]);
        assert_eq!((called, lanes.is_empty()), (counts([]), false), "they wait for room of their own");
        let called = gate.call(&mut lanes, Room { all: 3, bulk: 3 }, Paid::new(), &[]);
        assert_eq!(called, counts([(bulk(1), 3)]));
    }

    #[test]
    fn no_more_is_read_with_many_campaigns_or_with_much_that_waits() {
        let campaigns = (1..=1_000).map(bulk);
        let mut gate = Gate::many(campaigns, 100);
        let mut lanes = gate.lanes();
        gate.call(&mut lanes, Room::of(10), Paid::new(), &[]);
        gate.reads = 0;
        gate.call(&mut lanes, Room::of(10), Paid::new(), &[]);
        assert_eq!(gate.reads, 10, "one read for each place");
        let mut gate = Gate::many([bulk(1), bulk(2)], 100_000);
        let mut lanes = gate.lanes();
        gate.call(&mut lanes, Room::of(1), Paid::new(), &[]);
        gate.reads = 0;
        gate.call(&mut lanes, Room::of(10), Paid::new(), &[]);
        assert_eq!(gate.reads, 2, "one read for each campaign");
    }

    #[test]
    fn an_urgent_priority_is_8_or_9() {
        let urgent = |level| Priority::new(level).unwrap().is_urgent();
        assert_eq!([0, 7, 8, 9].map(urgent), [false, false, true, true]);
    }
}
