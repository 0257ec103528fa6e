//! Who goes first at a resource, and what is reserved.

use super::*;
use crate::domain::{CampaignId, Priority};

const STEP: i64 = 3_600;

fn of_campaign(case: &mut Case, priority: u8) {
    case.callback.order.campaign = Some(CampaignId::new(uuid::Uuid::from_u128(7)).to_string());
    case.callback.order.priority = Priority::new(priority).unwrap();
}

fn reserving(share: u32, ceiling: u32) -> Rules {
    let mut rules = rules();
    rules.queueing.urgent_share = share;
    rules.ceilings.insert(Resource::Sender(sender_number()), ceiling);
    rules
}

#[test]
fn a_share_of_a_ceiling_is_reserved_and_parts_of_a_call_are_not() {
    let reserved = |share, ceiling| reserving(share, ceiling).reserved(&Resource::Sender(sender_number()));
    assert_eq!([reserved(10, 9), reserved(10, 10), reserved(10, 19), reserved(10, 20)], [0, 1, 1, 2]);
    assert_eq!([reserved(0, 1_000), reserved(90, 1_000), reserved(90, 1)], [0, 900, 0]);
    let rules = reserving(50, 10);
    assert_eq!(rules.reserved(&Resource::Account("main".into())), 0, "it has no ceiling");
    assert_eq!(rules.reserved(&Resource::Bot), 0);
}

#[test]
fn bulk_waits_for_the_reserved_calls_and_others_do_not() {
    let case = |priority, live| {
        ready().with(|case| {
            case.rules = reserving(20, 10);
            of_campaign(case, priority);
            case.live_calls = live;
        })
    };
    case(7, 7).check(&Call);
    case(7, 8).check(&Wait("urgent.reserved", 10 * DAY, true));
    case(7, 10).check(&Wait("urgent.reserved", 10 * DAY, true));
    for live in [8, 9] {
        case(8, live).check(&Call);
        case(7, live).with(|case| case.callback.order.campaign = None).check(&Call);
        case(7, live).with(|case| case.callback.order.campaign = Some("a label".into())).check(&Call);
    }
    case(8, 10).check(&Wait("sender.concurrency", 10 * DAY, true));
}

/// The class of a callback that was ordered at this second.
fn aged_at(second: i64, priority: u8, step: i64) -> Option<i64> {
    let mut case = ready();
    case.callback.created_at = at(second);
    case.callback.order.priority = Priority::new(priority).unwrap();
    let mut rules = rules();
    rules.queueing.ageing_step = SignedDuration::from_secs(step);
    aged(&case.callback, &rules)
}

#[test]
fn a_step_of_waiting_counts_as_much_as_one_more_of_priority() {
    // Steps are those of the clock, so begin with one.
    let begin = STEP - at(0).as_second().rem_euclid(STEP);
    let aged = |second, priority| aged_at(begin + second, priority, STEP).unwrap();
    assert_eq!(aged(0, 5), aged(STEP - 1, 5));
    assert_eq!(aged(STEP, 5), aged(0, 5) + 1);
    assert_eq!(aged(2 * STEP, 5), aged(0, 3), "as old as the difference");
    assert!(aged(2 * STEP - 1, 5) < aged(0, 3));
    assert!(aged(3 * STEP, 5) > aged(0, 3));
}

#[test]
fn urgent_callbacks_go_before_all_others_and_age_among_themselves() {
    let aged = |second, priority| aged_at(second, priority, 1).unwrap();
    assert!(aged(1_000_000, 8) < aged(0, 7));
    assert!(aged(2, 9) > aged(0, 8));
    assert_eq!(aged(1, 9), aged(0, 8));
}

#[test]
fn without_a_step_nobody_ages() {
    assert_eq!(aged_at(0, 5, 0), None);
}
