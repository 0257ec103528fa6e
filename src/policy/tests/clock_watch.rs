//! The boundaries of the clock watch.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{ClockDoubt, ClockMark, Reading};
use crate::policy::ClockWatch;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
}

/// The clocks `up` milliseconds after the start; the wall clock is ahead by `ahead` milliseconds.
fn reading(up: i64, ahead: i64) -> Reading {
    Reading { wall: at(up + ahead), boot: "one".into(), up: SignedDuration::from_millis(up) }
}

fn begun() -> ClockWatch {
    ClockWatch::begin(&reading(0, 0), None)
}

/// In doubt since the first minute, with the wall clock ahead by an hour.
fn in_doubt() -> ClockWatch {
    let mut watch = begun();
    watch.look(&reading(MINUTE, HOUR));
    assert_eq!(watch.doubt(), Some(doubt(MINUTE, HOUR)));
    watch
}

fn doubt(since: i64, by: i64) -> ClockDoubt {
    ClockDoubt { since: at(since), by: SignedDuration::from_millis(by) }
}

#[test]
fn a_jump_of_more_than_five_minutes_is_a_doubt_in_either_direction() {
    for (ahead, jumped) in [
        (0, false),
        (5 * MINUTE - 1, false),
        (5 * MINUTE, false),
        (5 * MINUTE + 1, true),
        (-5 * MINUTE + 1, false),
        (-5 * MINUTE, false),
        (-5 * MINUTE - 1, true),
        (300 * 24 * HOUR, true),
        (-300 * 24 * HOUR, true),
    ] {
        let mut watch = begun();
        let time = watch.look(&reading(MINUTE, ahead));
        assert_eq!(watch.doubt().is_some(), jumped, "{ahead}");
        assert_eq!(time, at(MINUTE + if jumped { 0 } else { ahead }), "{ahead}");
    }
}

#[test]
fn a_long_sleep_of_the_machine_is_no_jump() {
    let mut watch = begun();
    assert_eq!(watch.look(&reading(90 * HOUR, 0)), at(90 * HOUR));
    assert_eq!(watch.doubt(), None);
}

#[test]
fn small_corrections_add_up_within_a_day_only() {
    let mut watch = begun();
    watch.look(&reading(HOUR, 4 * MINUTE));
    watch.look(&reading(24 * HOUR - 1, 6 * MINUTE));
    assert_eq!(watch.doubt(), Some(doubt(24 * HOUR - 1, 6 * MINUTE)));
    let mut watch = begun();
    watch.look(&reading(24 * HOUR, 4 * MINUTE));
    watch.look(&reading(25 * HOUR, 9 * MINUTE));
    assert_eq!(watch.doubt(), None);
    watch.look(&reading(25 * HOUR, 9 * MINUTE + 1));
    assert_eq!(watch.doubt(), Some(doubt(25 * HOUR + 4 * MINUTE, 5 * MINUTE + 1)));
}

#[test]
fn in_doubt_time_goes_on_from_before_the_jump() {
    let mut watch = in_doubt();
    assert_eq!(watch.look(&reading(2 * MINUTE, HOUR)), at(2 * MINUTE));
    assert_eq!(watch.look(&reading(3 * MINUTE, 2 * HOUR)), at(3 * MINUTE));
    assert_eq!(watch.doubt(), Some(doubt(MINUTE, 2 * HOUR)), "the jump grew");
    assert_eq!(watch.look(&reading(4 * MINUTE, 0)), at(4 * MINUTE));
    assert_eq!(watch.doubt(), Some(doubt(MINUTE, 2 * HOUR)), "that it came back alone proves nothing");
}

#[test]
fn two_dates_that_agree_end_the_doubt() {
    for (first, second, ends) in [
        (HOUR, HOUR, true),
        (HOUR + 5 * MINUTE, HOUR - 5 * MINUTE, true),
        (HOUR + 5 * MINUTE + 1, HOUR, false),
        (HOUR, HOUR - 5 * MINUTE - 1, false),
        (0, 0, false),
    ] {
        let mut watch = in_doubt();
        watch.told(&reading(2 * MINUTE, HOUR), at(2 * MINUTE + first));
        watch.look(&reading(2 * MINUTE, HOUR));
        assert!(watch.doubt().is_some(), "one is too few");
        watch.told(&reading(3 * MINUTE, HOUR), at(3 * MINUTE + second));
        let time = watch.look(&reading(3 * MINUTE, HOUR));
        assert_eq!(watch.doubt().is_none(), ends, "{first} {second}");
        assert_eq!(time, at(3 * MINUTE + if ends { HOUR } else { 0 }));
    }
}

#[test]
fn the_last_two_dates_count() {
    let mut watch = in_doubt();
    for (minute, ahead) in [(2, HOUR), (3, 0), (4, HOUR)] {
        watch.told(&reading(minute * MINUTE, HOUR), at(minute * MINUTE + ahead));
        watch.look(&reading(minute * MINUTE, HOUR));
        assert!(watch.doubt().is_some());
    }
    watch.told(&reading(5 * MINUTE, HOUR), at(5 * MINUTE + HOUR));
    watch.look(&reading(5 * MINUTE, HOUR));
    assert_eq!(watch.doubt(), None);
}

#[test]
fn dates_count_for_an_hour_and_for_a_clock_that_is_set_back_meanwhile() {
    for (up, ends) in [(HOUR + 2 * MINUTE, true), (HOUR + 2 * MINUTE + 1, false)] {
        let mut watch = in_doubt();
        for minute in [2, 3] {
            watch.told(&reading(minute * MINUTE, HOUR), at(minute * MINUTE));
        }
        assert_eq!(watch.look(&reading(4 * MINUTE, HOUR)), at(4 * MINUTE));
        assert_eq!(watch.look(&reading(up, 0)), at(up));
        assert_eq!(watch.doubt().is_none(), ends, "{up}");
    }
}

#[test]
fn dates_from_before_the_jump_prove_nothing() {
    let mut watch = begun();
    for minute in [1, 2] {
        watch.told(&reading(minute * MINUTE, 0), at(minute * MINUTE + HOUR));
    }
    watch.look(&reading(3 * MINUTE, HOUR));
    watch.look(&reading(3 * MINUTE, HOUR));
    assert!(watch.doubt().is_some());
}

#[test]
fn an_operator_ends_the_doubt_and_the_next_jump_counts_from_there() {
    let mut watch = in_doubt();
    watch.confirm(&reading(2 * MINUTE, HOUR));
    assert_eq!(watch.doubt(), None);
    assert_eq!(watch.look(&reading(3 * MINUTE, HOUR)), at(3 * MINUTE + HOUR));
    watch.look(&reading(3 * MINUTE, HOUR + 5 * MINUTE));
    assert_eq!(watch.doubt(), None);
    watch.look(&reading(3 * MINUTE, 0));
    assert_eq!(watch.doubt(), Some(doubt(3 * MINUTE + HOUR, -HOUR)));
}

#[test]
fn a_restart_finds_a_jump_and_keeps_a_doubt() {
    let restarted = |watch: &ClockWatch, now: &Reading| {
        let mut watch = ClockWatch::begin(now, Some(watch.mark()));
        watch.look(now);
        watch
    };
    for (ahead, jumped) in [(5 * MINUTE, false), (5 * MINUTE + 1, true)] {
        assert_eq!(restarted(&begun(), &reading(HOUR, ahead)).doubt().is_some(), jumped);
    }
    let kept = restarted(&in_doubt(), &reading(HOUR, 0));
    assert_eq!(kept.doubt(), Some(doubt(MINUTE, HOUR)));
}

#[test]
fn another_boot_has_nothing_to_compare_with_but_keeps_a_doubt() {
    let other = Reading { boot: "two".into(), ..reading(0, 90 * HOUR) };
    let mut watch = ClockWatch::begin(&other, Some(begun().mark()));
    assert_eq!(watch.look(&other), other.wall);
    assert_eq!(watch.mark(), ClockMark { trusted: other.clone(), doubt: None });
    let mut watch = ClockWatch::begin(&other, Some(in_doubt().mark()));
    assert_eq!(watch.look(&other), other.wall);
    assert_eq!(watch.doubt(), Some(doubt(MINUTE, HOUR)));
}
