//! Not again today: no call, request or invite before the end of the consumer's day.

use super::*;
use crate::domain::number_zones::Narrowed;
use crate::policy::day_ends;

fn marked(case: Case, until: i64) -> Case {
    case.with(|case| case.callback.handled().not_today_until = Some(at(until)))
}

#[test]
fn nothing_is_dialled_before_the_end_of_the_mark() {
    for now in [0, 99] {
        marked(ready(), 100).now(now).check(&Wait("window.not_today", 100, false));
    }
    marked(ready(), 100).now(100).check(&Call);
    marked(ready(), 100).now(101).check(&Call);
}

#[test]
fn the_later_of_the_mark_and_the_earliest_time_decides() {
    let case =
        |until, earliest| marked(ready(), until).with(|case| case.callback.order.earliest = at(earliest));
    case(100, 200).check(&Wait("window.before_earliest", 200, false));
    case(200, 100).check(&Wait("window.not_today", 200, false));
}

#[test]
fn the_consumer_is_not_asked_on_that_day_either() {
    let case = marked(ready(), 100).with(|case| case.pair.permission = CallPermission::None);
    let step = case.assess().step;
    assert!(matches!(&step, Step::Wait { until, .. } if *until >= at(100)), "{step:?}");
    assert_eq!(step.reason().code(), "window.not_today");
}

#[test]
fn the_day_is_that_of_the_zone_that_ends_last() {
    let ends = |consumer: &str, now: &str| {
        let consumer = Phone::parse(consumer).unwrap();
        let order = Order::new(consumer, vec![sender_number()], "message", at(0), at(DAY));
        day_ends(&order, &Narrowed::default(), now.parse().unwrap()).to_string()
    };
    assert_eq!(ends("+5511987654321", "2026-11-23T12:00:00Z"), "2026-11-24T03:00:00Z");
    assert_eq!(ends("+5511987654321", "2026-11-24T02:59:59Z"), "2026-11-24T03:00:00Z");
    assert_eq!(ends("+5511987654321", "2026-11-24T03:00:00Z"), "2026-11-25T03:00:00Z");
}
