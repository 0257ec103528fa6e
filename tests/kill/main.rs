//! The kill loop: the real daemon with a real store is killed at random times and at failpoints, and started
//! again, while customers order callbacks. No callback may be lost, called twice or left open.
//!
//! `cargo test --test kill --features failpoints -- --cycles 1000` is a long run; the default is a short one. With
//! `--store postgresql` the store is in a database. There the next daemon waits for the lease of the one that was killed, so
//! each cycle takes some ten seconds, and a short run reaches only the failpoints around a call.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a loop that cannot go on says so by its panic"
)]

mod customers;
mod loopback;
#[path = "../it/harness/postgres.rs"]
#[expect(dead_code, reason = "the other test program uses the rest")]
mod postgres;
mod setting;
mod strangers;
mod verdict;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringmaster::failpoint::PLACES;

use postgres::Database;

use customers::{Books, Customers, Deadlines, pass, take_news};
use setting::{Life, Setting};
use strangers::Strangers;
use verdict::{Stored, World, settle};

/// The default number of cycles, enough to reach each failpoint at least once.
const SHORT: u64 = 3 * PLACES.len() as u64 / 2 + 3;
/// The same with a database: each of these failpoints, and kills at random between them.
const SHORT_SHARED: u64 = 3 * PLACES_SHARED.len() as u64 / 2;
/// The failpoints of a short run with a database.
const PLACES_SHARED: [&str; 6] = [
    "intent.committed",
    "submission.committed",
    "request.left",
    "answer.uncommitted",
    "group.uncommitted",
    "delivery.unsettled",
];
/// For so long a daemon waits for the lease of one that was killed.
const LEASE: Duration = Duration::from_secs(9);
/// Every 50th process runs long enough to resolve all attempts that earlier crashes left unknown.
const LONG_LIFE: Duration = Duration::from_secs(4);
/// If a failpoint is not reached often enough by then, the process is killed instead.
const FAILPOINT_WAIT: Duration = Duration::from_secs(5);
/// How often a failpoint is tried again that has not killed a process yet.
const MORE_TRIES: u32 = 3;
/// How soon a restarted daemon has to dial.
const FIRST_DIAL: Duration = Duration::from_secs(15);
/// How soon everything has to be settled at the end. The daemon is configured to look up silent calls within
/// seconds, and nothing else keeps a callback open past its deadline.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

/// How one daemon process ends.
#[derive(Debug, Clone)]
enum Fate {
    /// Killed by a signal after this time, ready or not.
    Random(Duration),
    /// Aborts the nth time that it reaches this failpoint.
    At(&'static str, u32),
}

impl Fate {
    /// Two of three processes end at a failpoint; the failpoints take turns.
    fn draw(cycle: u64, random: &mut fastrand::Rng, places: &[&'static str], wait: Duration) -> Self {
        if cycle % 50 == 49 {
            return Self::Random(wait + LONG_LIFE);
        }
        if cycle % 3 == 2 {
            return Self::Random(wait + Duration::from_millis(random.u64(5..1_200)));
        }
        let turn = usize::try_from(cycle - cycle / 3).unwrap();
        let place = places[turn % places.len()];
        let most = match place.split_once('.').unwrap() {
            ("recovery" | "term" | "set_aside" | "clock", _) => 1,
            ("unmatched" | "matched", _) => 3,
            ("hang_up", _) => 2,
            ("group", "half_run") => 12,
            ("group", _) => 50,
            _ => 12,
        };
        Self::At(place, random.u32(1..=most))
    }

    /// A report of a call has to fail before it can be set aside.
    fn panic_at(&self) -> Option<String> {
        match self {
            Self::At(place, _) if place.starts_with("set_aside.") => Some("fold:Call(=3".to_owned()),
            _ => None,
        }
    }
}

/// Results so far.
#[derive(Default)]
struct Tally {
    random: u64,
    before_ready: u64,
    /// For each failpoint: crashes there, and processes that did not reach it often enough.
    places: BTreeMap<&'static str, (u64, u64)>,
    start_longest: Duration,
    /// From ready to the first dial. Processes that ended before it are added up.
    dial_longest: Duration,
    without_dial: Duration,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let index = arguments.iter().position(|argument| argument == name)?;
        arguments.get(index + 1)?.parse::<u64>().ok()
    };
    if given("--list") {
        if !given("--ignored") {
            println!("kill_loop: test\n{ON_POSTGRESQL}: test");
        }
        return;
    }
    let is_shared = given("postgresql") || given(ON_POSTGRESQL);
    let short = if is_shared { SHORT_SHARED } else { SHORT };
    let (cycles, seed) = (value("--cycles").unwrap_or(short), value("--seed").unwrap_or(1));
    let deadlines = if cycles <= 100 && !is_shared { Deadlines(4, 9) } else { Deadlines(10, 30) };
    let database = is_shared.then(Database::new);
    run(cycles, seed, deadlines, database);
}

/// The name of the test whose store is a database.
const ON_POSTGRESQL: &str = "kill_loop_on_postgresql";

fn run(cycles: u64, seed: u64, deadlines: Deadlines, database: Option<Database>) {
    let wait = if database.is_some() { LEASE } else { Duration::ZERO };
    let places: &[&'static str] =
        if database.is_some() && cycles <= SHORT_SHARED { &PLACES_SHARED } else { &PLACES };
    // The term of a start is counted for files only.
    let places: Vec<&'static str> = places
        .iter()
        .copied()
        .filter(|place| {
            database.is_none() || !["term", "recovery"].iter().any(|kind| place.starts_with(kind))
        })
        .collect();
    let began = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (setting, _sandbox) = Setting::begin(seed, &listener, database);
    let (setting, books) = (Arc::new(setting), Arc::<Books>::default());
    take_news(listener, books.clone());
    let customers = Customers::begin(&setting, &books, deadlines, seed);
    let strangers = Strangers::begin(&setting);
    let mut tally = Tally::default();
    for cycle in 0..cycles {
        let fate = Fate::draw(cycle, &mut random, &places, wait);
        tally.live(&setting, &fate, wait);
        if (cycle + 1) % 100 == 0 {
            let accepted = books.accepted.lock().unwrap().len();
            let dials = World(&setting.report()).dials();
            println!(
                "{} kills, {accepted} callbacks, {dials} calls, {:.0} s",
                cycle + 1,
                began.elapsed().as_secs_f64()
            );
        }
    }
    // On a busy machine a process may not reach its failpoint.
    for _ in 0..MORE_TRIES {
        let missing = places.iter().filter(|place| !tally.was_reached(place));
        for place in missing.copied().collect::<Vec<_>>() {
            tally.live(&setting, &Fate::At(place, 1), wait);
        }
    }
    let killing = began.elapsed();
    let last = setting.serve(None, None);
    while last.ready.lock().unwrap().is_none() {
        assert!(last.began.elapsed() < Duration::from_secs(30), "the last daemon did not start");
        pass(Duration::from_millis(5));
    }
    customers.end(&books);
    let strangers = strangers.end();
    let (callbacks, settled) = settle(&setting, &books, Duration::from_secs(deadlines.1) + SETTLES_WITHIN);
    drop(last);
    let report = setting.report();
    let (world, file) = (World(&report), Stored::read(&setting));
    let (accepted, told) = (books.accepted.lock().unwrap(), books.told.lock().unwrap());

    let lost = accepted.difference(&callbacks.all).count();
    let untold = callbacks.all.iter().filter(|id| !told.contains_key(*id)).count();
    let told_twice = told.values().filter(|deliveries| deliveries.len() > 1).count();
    let calls = world.number("counts.creates_accepted");
    println!(
        "{cycles} kills in {:.0} s, settled {:.1} s after the last:",
        killing.as_secs_f64(),
        settled.as_secs_f64()
    );
    println!("  {} at random, {} of these before the daemon was ready", tally.random, tally.before_ready);
    for place in &places {
        let (died, spared) = tally.places.get(*place).copied().unwrap_or_default();
        println!(
            "  {died} at {place}{}",
            if spared > 0 { format!(" ({spared} not reached)") } else { String::new() }
        );
    }
    println!(
        "  callbacks: {} accepted, {lost} lost, {} never closed, {:?}",
        accepted.len(),
        callbacks.open,
        callbacks.ends
    );
    println!(
        "  orders that found no daemon in time: {}",
        books.too_late.load(std::sync::atomic::Ordering::Relaxed)
    );
    println!(
        "  calls: {calls} created, {} answered, {} duplicates, {} unknown to the daemon, {} violations",
        world.number("counts.calls_connected"),
        world.duplicates(),
        calls.abs_diff(file.called),
        world.number("violations_total"),
    );
    println!(
        "  permission requests: {}, granted: {}, webhooks taken: {}, lost on the way: {}",
        world.number("counts.permission_requests"),
        world.number("counts.permission_grants"),
        world.number("counts.webhooks_taken"),
        world.number("counts.webhooks_refused"),
    );
    println!(
        "  recovery: {} calls withdrawn, {} unknown, {} of these not placed; {} messages unknown",
        file.withdrawn, file.unknown, file.not_placed, file.messages_unknown
    );
    println!(
        "  strangers: {} without a number, {} with one; {} reports of nobody kept",
        strangers.unnamed.len(),
        strangers.named.len(),
        file.unmatched.len()
    );
    println!("  webhooks: {} ends reported, {untold} not reported, {told_twice} under two ids", told.len());
    println!(
        "  longest start {} ms; longest wait from ready to a dial {} ms",
        tally.start_longest.as_millis(),
        tally.dial_longest.as_millis()
    );

    assert_eq!(world.number("violations_total"), 0, "{report:#}");
    assert_eq!(world.duplicates(), 0, "an attempt was called twice");
    assert_eq!(lost, 0, "accepted callbacks were lost");
    assert_eq!(callbacks.all.difference(&accepted).next(), None, "an order was accepted twice");
    assert_eq!(callbacks.open, 0, "callbacks never closed: {:?}", callbacks.ends);
    assert_eq!(calls, file.called, "the calls of the world and of the attempts differ");
    assert_eq!(file.open, [], "slots were leaked");
    assert_eq!(
        file.unmatched, strangers.unnamed,
        "reports of nobody were lost, or kept although somebody is known"
    );
    assert!(!strangers.named.is_empty() && !strangers.unnamed.is_empty(), "no stranger wrote");
    assert!(file.is_whole, "the store is damaged: {:?}", setting.complaints.lock().unwrap());
    assert_eq!((untold, told_twice), (0, 0), "ends were not reported, or under two ids");
    // A process may be killed while it waits for the lease.
    assert!(tally.dial_longest < FIRST_DIAL + wait * 3, "a restarted daemon did not dial");
    assert!(
        world.number("counts.calls_connected") > 0 && file.unknown > 0,
        "no process was killed during a call"
    );
    assert!(callbacks.ends.contains_key("reached"), "nobody was reached: {:?}", callbacks.ends);
    for place in places {
        assert!(tally.was_reached(place), "no process was killed at {place}");
    }
    let complaints = setting.complaints.lock().unwrap();
    assert!(complaints.is_empty(), "daemons complained: {:#?}", &complaints[..complaints.len().min(20)]);
}

impl Tally {
    /// Whether a process was killed at this failpoint.
    fn was_reached(&self, place: &str) -> bool {
        self.places.get(place).is_some_and(|(died, _)| *died > 0)
    }

    /// Runs one daemon process from its start to its end.
    fn live(&mut self, setting: &Setting, fate: &Fate, wait: Duration) {
        let dials_before = World(&setting.report()).dials();
        let (place, lives) = match fate {
            Fate::Random(after) => (None, *after),
            Fate::At(place, passing) => (Some(format!("{place}={passing}")), wait + FAILPOINT_WAIT),
        };
        let panic_at = fate.panic_at();
        let mut life = setting.serve(place.as_deref(), panic_at.as_deref());
        let mut first_dial = None;
        let mut looked = Instant::now();
        let died_by_itself = loop {
            if let Some(status) = life.program.0.try_wait().unwrap() {
                assert_eq!(status.signal(), Some(9), "the daemon ended by itself: {status}, {fate:?}");
                break true;
            }
            if life.began.elapsed() >= lives {
                life.program.0.kill().unwrap();
                life.program.0.wait().unwrap();
                break false;
            }
            if first_dial.is_none() && looked.elapsed() > Duration::from_millis(25) {
                looked = Instant::now();
                first_dial = (World(&setting.report()).dials() > dials_before).then(Instant::now);
            }
            pass(Duration::from_millis(2));
        };
        let ended = Instant::now();
        if first_dial.is_none() && World(&setting.report()).dials() > dials_before {
            first_dial = Some(ended);
        }
        self.count_death(fate, died_by_itself, &life);
        self.measure(&life, first_dial, ended);
    }

    fn count_death(&mut self, fate: &Fate, died_by_itself: bool, life: &Life) {
        match fate {
            Fate::Random(_) => {
                assert!(!died_by_itself, "the daemon was killed by somebody else");
                self.random += 1;
                self.before_ready += u64::from(life.ready.lock().unwrap().is_none());
            }
            Fate::At(place, _) => {
                let (died, spared) = self.places.entry(*place).or_default();
                *(if died_by_itself { died } else { spared }) += 1;
            }
        }
    }

    fn measure(&mut self, life: &Life, first_dial: Option<Instant>, ended: Instant) {
        let Some(ready) = *life.ready.lock().unwrap() else { return };
        self.start_longest = self.start_longest.max(ready.duration_since(life.began));
        let waited = first_dial.unwrap_or(ended).saturating_duration_since(ready);
        self.dial_longest = self.dial_longest.max(self.without_dial + waited);
        self.without_dial = if first_dial.is_some() { Duration::ZERO } else { self.without_dial + waited };
    }
}
