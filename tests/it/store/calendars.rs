//! The days of calendars that operators marked.

use jiff::civil::Date;
use ringmaster::domain::Event;
use ringmaster::domain::calendar::{CalendarMark, Mark, MarkedDay};
use ringmaster::store::{Batch, Error, Ground, NewCommand, Report, Store};

use super::samples::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn marked(calendar: &str, on: &str, mark: Mark, second: i64) -> MarkedDay {
    let calendar = calendar.parse().unwrap();
    MarkedDay {
        calendar,
        day: day(on),
        mark,
        who: "ops".into(),
        why: "no agents: \"snow\" 🎩".into(),
        at: at(second),
    }
}

async fn keep(store: &dyn Store, days: impl Into<Vec<MarkedDay>>) {
    record(store, Batch { marked_days: days.into(), ..Batch::default() }).await;
}

pub async fn a_marked_day_is_found_from_its_day_on(store: &dyn Store) {
    let days = [
        marked("BR", "2026-12-24", Mark::Closed, 1),
        marked("office", "2026-12-24", Mark::Open, 1),
        marked("BR", "2026-12-31", Mark::Default, 2),
        marked("BR", "2027-01-01", Mark::Open, 2),
    ];
    keep(store, days.clone()).await;
    let found = async |from: &str| store.marked_days(day(from)).await.unwrap();
    assert_eq!(found("2026-12-24").await, days);
    assert_eq!(found("2026-12-25").await, days[2..]);
    assert_eq!(found("2027-01-01").await, days[3..]);
    assert_eq!(found("2027-01-02").await, []);
}

pub async fn the_last_mark_of_a_day_counts(store: &dyn Store) {
    let closed = marked("BR", "2026-12-24", Mark::Closed, 1);
    let (open, again) =
        (marked("BR", "2026-12-24", Mark::Open, 2), marked("BR", "2026-12-24", Mark::Closed, 3));
    keep(store, [closed.clone()]).await;
    keep(store, [open.clone(), again.clone()]).await;
    assert_eq!(store.marked_days(day("2026-01-01")).await.unwrap(), [again]);
    keep(store, [open.clone()]).await;
    assert_eq!(store.marked_days(day("2026-01-01")).await.unwrap(), [open]);
}

pub async fn nothing_leaves_after_a_day_was_closed(store: &dyn Store) {
    let event = Event::CalendarMarked(CalendarMark {
        calendar: "BR".parse().unwrap(),
        first: day("2026-12-24"),
        last: day("2026-12-24"),
        mark: Mark::Closed,
        who: "ops".into(),
        why: "a storm".into(),
    });
    let report = Report { key: [9; 16], received_at: at(4), event };
    let command = NewCommand { report, tenant: "other".parse().unwrap(), callback: None, content: [0; 32] };
    store.append_command(command).await.unwrap();
    let entries = vec![entry(1, "attempt.submitting")];
    let leaves = Batch { ground: Some(Ground::default()), entries, ..Batch::default() };
    assert!(matches!(store.record(leaves).await, Err(Error::Conflict)));
}
