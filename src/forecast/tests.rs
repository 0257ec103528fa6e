//! The model against what can be reckoned by hand.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::{Calendars, CallingHours};

/// A Monday, nine in the morning in Sao Paulo.
fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn work(rows: usize) -> Work {
    let row = Row {
        earliest: now(),
        latest: now() + hours(72),
        hours: None,
        priority: 5,
        attempts: 3,
        permission: Permission::Live(None),
    };
    let rates = Rates {
        granted: Rate::assumed(0.5),
        grant_s: Rate::assumed(600.0),
        answered: Rate::assumed(1.0),
        answered_s: Rate::assumed(120.0),
        missed_s: Rate::assumed(40.0),
    };
    Work {
        now: now(),
        total: rows as u64,
        rows: vec![row; rows],
        hours: Vec::new(),
        calendars: Calendars::default(),
        ceilings: Ceilings { calls: Some(10), ..Ceilings::default() },
        rates,
        retry: hours(2),
        permission: hours(7 * 24),
        zone: "America/Sao_Paulo".into(),
    }
}

fn told(work: &Work) -> Outlook {
    outlook(work, PLAYS_MIN, 1, || false).unwrap()
}

fn minutes(span: Span<Timestamp>) -> i64 {
    span.p50.duration_since(now()).as_mins()
}

#[test]
fn calls_take_their_time_in_the_places_that_there_are() {
    // 300 calls of two minutes in 10 places are an hour.
    let told = told(&work(300));
    let last = minutes(told.last_call.unwrap());
    assert!((57..=64).contains(&last), "{last} minutes");
    assert_eq!((told.calls.p50, told.reached.p90, told.requests.p90), (300.0, 300.0, 0.0));
    assert_eq!(told.binds[0].0, Bind::Calls);
    assert!(told.finished.p50 <= told.finished.p90);
}

#[test]
fn the_fewer_of_calls_and_agents_bind() {
    let mut one = work(300);
    one.ceilings.agents = Some(5);
    let with_five = told(&one);
    assert_eq!(with_five.binds[0].0, Bind::Agents);
    assert!((115..=126).contains(&minutes(with_five.last_call.unwrap())));
    one.ceilings.agents = Some(11);
    assert_eq!(told(&one).binds[0].0, Bind::Calls);
}

#[test]
fn agents_wait_while_phones_ring_that_nobody_answers() {
    let mut one = work(300);
    assert_eq!((told(&one).agents, told(&one).agents_idle), (None, None), "agents do not bound it");
    one.ceilings.agents = Some(5);
    let idle = |work: &Work| told(work).agents_idle.unwrap();
    assert!(idle(&one) < 0.05, "everybody answers: {}", idle(&one));
    one.rates.answered = Rate::assumed(0.5);
    one.rows.iter_mut().for_each(|row| row.attempts = 1);
    // For each answered call of 120 s there is one of 40 s that nobody answers.
    assert!((0.22..=0.30).contains(&idle(&one)), "{}", idle(&one));
    assert_eq!(told(&one).agents, Some(5));
}

#[test]
fn a_seat_is_held_until_the_wrap_up_is_over() {
    let mut one = work(300);
    one.ceilings.agents = Some(5);
    one.ceilings.wrap_up_s = 120.0;
    let last = minutes(told(&one).last_call.unwrap());
    assert!((232..=250).contains(&last), "twice as long as without: {last} minutes");
}

#[test]
fn a_pace_spreads_the_calls() {
    let mut one = work(300);
    one.ceilings = Ceilings { per_minute: Some(2.0), ..Ceilings::default() };
    let told = told(&one);
    assert!((149..=153).contains(&minutes(told.last_call.unwrap())), "{told:?}");
    assert_eq!(told.binds[0].0, Bind::Pace);
}

#[test]
fn nobody_is_called_outside_of_the_hours() {
    let mut one = work(280);
    one.hours = vec![
        CallingHours::daily(
            jiff::civil::time(9, 0, 0, 0),
            jiff::civil::time(9, 30, 0, 0),
            "America/Sao_Paulo",
        )
        .unwrap(),
    ];
    one.rows.iter_mut().for_each(|row| row.hours = Some(0));
    let told = told(&one);
    // Half an hour is enough for 150 calls and those that begin before its end, so the rest follows on the next morning.
    let last = minutes(told.last_call.unwrap());
    assert!((24 * 60 + 22..=24 * 60 + 29).contains(&last), "{last}");
    assert_eq!(told.binds[0].0, Bind::Hours);
    let dates: Vec<String> = told.days.iter().map(|day| day.date.to_string()).collect();
    assert_eq!(dates, ["2026-11-23", "2026-11-24"]);
    assert!((told.days[0].mean + told.days[1].mean - 280.0).abs() < 1e-6);
}

#[test]
fn who_has_to_be_asked_is_asked_and_some_never_answer() {
    let mut one = work(1_000);
    one.rows.iter_mut().for_each(|row| row.permission = Permission::AskedAt(now()));
    let told = told(&one);
    assert_eq!(told.requests.p50, 1_000.0);
    assert!((450.0..=550.0).contains(&told.reached.p50), "{told:?}");
    assert_eq!(told.finished.p50, now() + hours(72), "whoever does not answer waits for the deadline");
}

#[test]
fn calls_that_are_not_answered_are_tried_again_and_end_with_the_attempts() {
    let mut one = work(100);
    one.rates.answered = Rate::assumed(0.0);
    let told_all = told(&one);
    assert_eq!((told_all.calls.p50, told_all.reached.p50), (300.0, 0.0));
    // Twice two hours and three calls.
    assert!((4 * 60..=4 * 60 + 15).contains(&minutes(told_all.last_call.unwrap())));
    one.ceilings.per_person_day = 2;
    let capped = told(&one);
    assert!(minutes(capped.last_call.unwrap()) >= 24 * 60, "the third is a day after the first");
    one.rows.iter_mut().for_each(|row| row.latest = now() + hours(1));
    assert_eq!(told(&one).calls.p50, 100.0, "no call after the deadline");
}

#[test]
fn rows_and_ceilings_are_thinned_alike() {
    let mut whole = work(2_000);
    whole.rates.answered = Rate::assumed(0.6);
    let mut thinned = whole.clone();
    thinned.rows.truncate(200);
    let (all, some) = (told(&whole), told(&thinned));
    let near = |a: f64, b: f64| (a - b).abs() / a < 0.10;
    let lasts = |told: &Outlook| minutes(told.last_call.unwrap()) as f64;
    assert!(near(lasts(&all), lasts(&some)), "{} and {}", lasts(&all), lasts(&some));
    assert!(near(all.calls.p50, some.calls.p50), "{} and {}", all.calls.p50, some.calls.p50);
    // Less than one place.
    thinned.rows.truncate(100);
    assert!(near(lasts(&all), lasts(&told(&thinned))));
    assert_eq!((some.sample, some.total), (200, 2_000));
}

#[test]
fn a_forecast_ends_when_its_time_is_over() {
    let turns = std::cell::Cell::new(0);
    let is_over = || {
        turns.set(turns.get() + 1);
        turns.get() > 3
    };
    assert_eq!(outlook(&work(10), PLAYS_MIN, 1, is_over).unwrap().plays, 3);
    assert_eq!(outlook(&work(10), PLAYS_MIN, 1, || true), None);
    assert_eq!(outlook(&work(0), PLAYS_MIN, 1, || false), None);
}

#[test]
fn a_rate_is_measured_with_enough_cases() {
    let assumed = Rate::assumed(0.4);
    assert_eq!(Rate::measured(0.7, 49, assumed), assumed);
    assert_eq!(Rate::measured(0.7, 50, assumed), Rate { value: 0.7, sample: 50 });
    assert_eq!(Rate::measured(f64::NAN, 50, assumed), assumed);
}

#[test]
fn the_same_seed_gives_the_same_forecast() {
    let mut one = work(200);
    one.rates.answered = Rate::assumed(0.5);
    assert_eq!(told(&one), told(&one));
    assert_ne!(told(&one), outlook(&one, PLAYS_MIN, 2, || false).unwrap());
}
