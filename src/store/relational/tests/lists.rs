//! Pages and counts beside a model that reads everything, after random histories.

use jiff::Timestamp;
use uuid::Uuid;

use super::super::list::{self, BOUNDS, Bounds};
use super::super::sql::Connection;
use super::super::writer::in_savepoint;
use super::super::{callbacks, counts, file};
use crate::domain::callback::{Closed, Waiting};
use crate::domain::{AttemptId, Callback, CallbackId, Order, OrderKind, Outcome, Phone, Reason, State};
use crate::store::{Enqueue, Error, Filter, Page, Status};

/// Everything is cut, and nothing is narrow for long.
const TIGHT: Bounds = Bounds { looked_at_max: 7, narrow_max: 4, step: 3 };

/// Numbers that look random, from a seed (Knuth, MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

fn start() -> Timestamp {
    Timestamp::constant(1_790_000_000, 0)
}

fn phone(n: u64) -> Phone {
    Phone::from_stored(5_511_900_000_000 + n)
}

fn names() -> [Option<String>; 3] {
    [None, Some("a".into()), Some("b".into())]
}

fn state(random: &mut Random) -> State {
    let note = Reason::BeforeEarliest { earliest: start() }.note();
    match random.below(3) {
        0 => State::Waiting(Waiting { wake_at: start(), place: None, note }),
        1 => State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) },
        _ => State::Closed(Closed { outcome: random.one(&Outcome::ALL), at: start(), note }),
    }
}

fn callback(n: usize, random: &mut Random) -> Callback {
    let consumer = phone(random.below(4) as u64);
    let senders = [vec![phone(10)], vec![phone(11)], vec![phone(10), phone(11)]][random.below(3)].clone();
    let order = Order {
        attempts_max: 1,
        campaign: random.one(&names()),
        reference: random.one(&names()),
        ..Order::new(consumer, senders, "message", start(), start())
    };
    // Ids come in no order, as those of bulk orders that are stored at the same time.
    let id = Uuid::from_u128((n as u128 * 37) % 997 + 1);
    let waiting =
        Waiting { wake_at: start(), place: None, note: Reason::BeforeEarliest { earliest: start() }.note() };
    let mut callback = Callback::new(CallbackId::new(id), start(), order, State::Waiting(waiting));
    callback.tenant = ["default", "other"][usize::from(random.below(4) == 0)].parse().unwrap();
    callback.order.kind = OrderKind::ALL[usize::from(random.below(3) == 0)];
    callback
}

fn enqueue(db: &Connection, callbacks: &[Callback]) {
    let orders: Vec<_> = callbacks
        .iter()
        .map(|callback| Enqueue {
            callback: callback.clone(),
            idempotency: None,
            ceiling: None,
            of_one_group: Vec::new(),
        })
        .collect();
    super::super::callbacks::enqueue(db, &orders, &Default::default()).unwrap();
}

/// A store and what must be in it, after orders, changes, and changes that are refused.
fn history(seed: u64, orders: usize) -> (Connection, Vec<Callback>) {
    let db = file::open_memory().unwrap();
    let mut random = Random(seed);
    let mut all: Vec<Callback> = Vec::new();
    while all.len() < orders {
        let new: Vec<_> =
            (all.len()..all.len() + 1 + random.below(5)).map(|n| callback(n, &mut random)).collect();
        enqueue(&db, &new);
        all.extend(new);
        let at = random.below(all.len());
        let is_callback = all[at].order.kind == OrderKind::Callback;
        let abandoned_at = (is_callback && random.below(3) == 0).then(start);
        let changed = Callback {
            version: all[at].version + 1,
            state: state(&mut random),
            abandoned_at,
            ..all[at].clone()
        };
        let stale = Callback { version: all[0].version + 2, state: state(&mut random), ..all[0].clone() };
        let refused = in_savepoint(&db, |db| callbacks::amend(db, &[changed.clone(), stale]));
        assert!(matches!(refused, Err(Error::Conflict)) || at == 0);
        if refused.is_err() {
            callbacks::amend(&db, std::slice::from_ref(&changed)).unwrap();
            all[at] = changed;
        } else {
            all[0] = callbacks::one(&db, all[0].id).unwrap().unwrap();
        }
    }
    (db, all)
}

fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    let statuses = [None, Some(Status::Waiting), Some(Status::Calling), Some(Status::Closed)];
    for (kind, tenant) in [
        (OrderKind::Callback, "default"),
        (OrderKind::Callback, "other"),
        (OrderKind::Invite, "default"),
        (OrderKind::Invite, "other"),
    ] {
        for status in statuses {
            for (outcome, abandoned) in [
                (None, None),
                (None, Some(true)),
                (None, Some(false)),
                (Some(Outcome::Reached), None),
                (Some(Outcome::Exhausted), Some(true)),
            ] {
                for sender in [None, Some(phone(11)), Some(phone(12))] {
                    for consumer in [None, Some(phone(1)), Some(phone(9))] {
                        for campaign in names() {
                            for reference in names() {
                                filters.push(Filter {
                                    kind,
                                    tenant: tenant.parse().unwrap(),
                                    status,
                                    outcome,
                                    abandoned,
                                    sender,
                                    consumer,
                                    campaign: campaign.clone(),
                                    reference,
                                    reason: None,
                                    wrap_up_missing_at: None,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
    filters
}

fn matches(filter: &Filter, callback: &Callback) -> bool {
    let (status, outcome) = match &callback.state {
        State::Waiting(_) => (Status::Waiting, None),
        State::Calling { .. } => (Status::Calling, None),
        State::Closed(closed) => (Status::Closed, Some(closed.outcome)),
    };
    let order = &callback.order;
    filter.kind == order.kind
        && filter.tenant == callback.tenant
        && filter.status.is_none_or(|wanted| wanted == status)
        && (filter.outcome.is_none() || filter.outcome == outcome)
        && filter.abandoned.is_none_or(|wanted| wanted == callback.abandoned_at.is_some())
        && filter.sender.is_none_or(|wanted| order.senders.contains(&wanted))
        && filter.consumer.is_none_or(|wanted| order.consumer == wanted)
        && (filter.campaign.is_none() || filter.campaign == order.campaign)
        && (filter.reference.is_none() || filter.reference == order.reference)
}

/// All pages of a list, one after the other.
fn pages(db: &Connection, filter: &Filter, limit: usize, bounds: &Bounds) -> Vec<CallbackId> {
    let mut page = Page { before: None, limit };
    let mut all = Vec::new();
    loop {
        let listed = list::page(db, filter, &page, bounds).unwrap();
        assert!(listed.callbacks.len() <= limit, "{filter:?}");
        assert!(!listed.is_cut || listed.next.is_some(), "{filter:?}");
        assert!(listed.is_cut || listed.next.is_none() || listed.callbacks.len() == limit, "{filter:?}");
        all.extend(listed.callbacks.iter().map(|callback| callback.id));
        let Some(next) = listed.next else { return all };
        assert!(page.before.is_none_or(|before| next < before), "a cursor that stands still: {filter:?}");
        page.before = Some(next);
    }
}

#[test]
fn every_filter_lists_what_reading_everything_lists() {
    let (db, all) = history(1, 90);
    for filter in filters() {
        let mut expected: Vec<_> =
            all.iter().filter(|callback| matches(&filter, callback)).map(|callback| callback.id).collect();
        expected.sort_unstable_by(|a, b| b.cmp(a));
        for (limit, bounds) in [(1, BOUNDS), (50, BOUNDS), (3, TIGHT), (50, TIGHT)] {
            assert_eq!(pages(&db, &filter, limit, &bounds), expected, "{filter:?} {limit} {bounds:?}");
        }
    }
}

#[test]
fn a_page_is_cut_after_so_many_that_do_not_match() {
    let db = file::open_memory().unwrap();
    let mut random = Random(2);
    let mut all: Vec<_> = (0..9).map(|n| callback(n, &mut random)).collect();
    for (n, callback) in (1..).zip(&mut all) {
        callback.id = CallbackId::new(Uuid::from_u128(n));
        callback.tenant = "default".parse().unwrap();
        callback.order.kind = OrderKind::Callback;
        callback.order.senders = vec![phone(if n == 2 { 11 } else { 10 })];
    }
    enqueue(&db, &all);
    let filter = Filter { sender: Some(phone(11)), ..Filter::default() };
    let page = |before: Option<u128>, looked_at_max| {
        let page = Page { before: before.map(|n| CallbackId::new(Uuid::from_u128(n))), limit: 5 };
        let listed = list::page(&db, &filter, &page, &Bounds { looked_at_max, ..TIGHT }).unwrap();
        (listed.callbacks.len(), listed.next.map(|id| id.uuid().as_u128()), listed.is_cut)
    };
    assert_eq!(page(None, 7), (0, Some(3), true), "9 to 3 were looked at");
    assert_eq!(page(Some(3), 7), (1, None, false));
    assert_eq!(page(None, 8), (1, Some(2), true));
    assert_eq!(page(None, 9), (1, None, false));
}

#[test]
fn counts_are_those_of_counting_after_any_history() {
    for seed in 0..20 {
        let (db, all) = history(seed, 60);
        assert_eq!(counts::wrong(&db).unwrap(), Vec::<String>::new(), "seed {seed}");
        let census = counts::census(&db).unwrap();
        let of = |kind| all.iter().filter(move |callback| callback.order.kind == kind);
        let waiting =
            of(OrderKind::Callback).filter(|callback| matches!(callback.state, State::Waiting(_))).count();
        assert_eq!(census.waiting, waiting as u64);
        let invites = of(OrderKind::Invite).filter(|callback| !callback.is_closed()).count();
        assert_eq!(census.invites.waiting, invites as u64);
        let done = of(OrderKind::Invite).filter(|callback| callback.is_closed()).count();
        assert_eq!(census.invites.closed.iter().sum::<u64>(), done as u64);
        let abandoned =
            all.iter().filter(|callback| callback.abandoned_at.is_some() && !callback.is_closed());
        assert_eq!(census.abandoned, abandoned.count() as u64);
        let total = census.waiting + census.calling + census.closed.iter().sum::<u64>();
        assert_eq!(total, of(OrderKind::Callback).count() as u64);
    }
}

#[test]
fn a_wrong_count_is_told() {
    let (db, _) = history(3, 20);
    db.execute("UPDATE callback_counts SET callbacks = callbacks + 1 WHERE state = 'waiting'", []).unwrap();
    let wrong = counts::wrong(&db).unwrap();
    assert!(wrong.iter().all(|line| line.contains("waiting")) && !wrong.is_empty(), "{wrong:?}");
}
