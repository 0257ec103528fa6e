//! The rule of missed calls: what a call makes that nobody answered, and when it makes nothing.

use super::*;
use crate::domain::Origin;
use crate::policy::{Earlier, Missed, MissedCallRule, NotMade};

const MINUTE: i64 = 60;

fn consumer() -> Phone {
    Phone::parse("+5511987654321").unwrap()
}

fn rule() -> MissedCallRule {
    MissedCallRule {
        tenant: Tenant::default(),
        senders: Vec::new(),
        document: "dial-client".into(),
        variables: BTreeMap::new(),
        agent: "client:desk".parse().ok(),
        hours: None,
        presets: Vec::new(),
        number_zones: crate::domain::number_zones::Narrowed::default(),
        priority: Priority::DEFAULT,
        attempts_max: 3,
        within: SignedDuration::from_hours(24),
        quiet: SignedDuration::from_mins(30),
        per_day_max: 2,
    }
}

fn called(ended: i64) -> Missed {
    Missed { sender: sender_number(), consumer: consumer(), at: at(ended) }
}

/// A callback that a missed call made so long before, and that is closed.
fn made(second: i64) -> Earlier {
    Earlier { created_at: at(second), is_open: false, by_missed_call: true, called_at: None }
}

fn make(rule: &MissedCallRule, now: i64, earlier: &[Earlier]) -> Result<Callback, NotMade> {
    rule.make(at(now), called(0), earlier, &[], CallbackId::new(Uuid::from_u128(7)))
}

#[test]
fn a_missed_call_makes_a_callback_that_was_asked_for() {
    let callback = make(&rule(), 5, &[]).unwrap();
    let order = &callback.order;
    assert_eq!((order.purpose, order.consumer), (Purpose::Requested, consumer()));
    assert_eq!((order.earliest, order.latest), (at(5), at(DAY)));
    assert_eq!(order.senders, [sender_number()]);
    assert_eq!(order.terms.as_ref().and_then(|terms| terms.origin), Some(Origin::MissedCall));
}

#[test]
fn a_person_has_one_open_order() {
    let open = Earlier { is_open: true, by_missed_call: false, ..made(-9 * DAY) };
    assert_eq!(make(&rule(), 0, &[open]), Err(NotMade::Open));
    assert!(make(&rule(), 0, &[Earlier { is_open: false, ..open }]).is_ok());
}

#[test]
fn a_call_soon_after_one_of_ours_makes_nothing() {
    let after = |second| Earlier { called_at: Some(at(second)), by_missed_call: false, ..made(-DAY) };
    assert_eq!(make(&rule(), 0, &[after(-30 * MINUTE + 1)]), Err(NotMade::CalledBefore));
    assert!(make(&rule(), 0, &[after(-30 * MINUTE)]).is_ok());
    // One that was placed since: the report is late.
    assert_eq!(make(&rule(), 9, &[after(5)]), Err(NotMade::CalledBefore));
}

#[test]
fn a_person_has_so_many_in_a_day() {
    let two = |second| [made(second), made(-HOUR)];
    assert_eq!(make(&rule(), 0, &two(-DAY + 1)), Err(NotMade::Capped));
    assert!(make(&rule(), 0, &two(-DAY)).is_ok());
    let ordered = Earlier { by_missed_call: false, ..made(-HOUR) };
    assert!(make(&rule(), 0, &[ordered; 3]).is_ok(), "orders of customers do not count");
}

#[test]
fn other_senders_and_old_calls_make_nothing() {
    let other = MissedCallRule { senders: vec![consumer()], ..rule() };
    assert_eq!(make(&other, 0, &[]), Err(NotMade::OtherSender));
    assert!(make(&MissedCallRule { senders: vec![sender_number()], ..rule() }, 0, &[]).is_ok());
    assert!(make(&rule(), DAY - 1, &[]).is_ok());
    assert_eq!(make(&rule(), DAY, &[]), Err(NotMade::TooOld));
}

#[test]
fn its_hours_are_in_the_zone_of_the_number() {
    let hours = "mon-fri 09:00-18:00".parse().ok();
    let callback = make(&MissedCallRule { hours, ..rule() }, 0, &[]).unwrap();
    let hours = callback.order.hours.as_ref().unwrap();
    assert_eq!(&*hours.zone, "America/Sao_Paulo");
}

#[test]
fn its_hours_are_in_the_zones_of_the_person_unless_they_name_one() {
    let made = |hours: &str, zones: &[&str]| {
        let rule = MissedCallRule { hours: hours.parse().ok(), ..rule() };
        let zones: Vec<String> = zones.iter().map(|zone| (*zone).to_owned()).collect();
        let made = rule.make(at(0), called(0), &[], &zones, CallbackId::new(Uuid::from_u128(7)));
        made.map(|callback| {
            let hours = callback.order.hours.clone().unwrap();
            hours.zones().map(str::to_owned).collect::<Vec<_>>()
        })
    };
    let daily = "mon-fri 09:00-18:00";
    assert_eq!(made(daily, &["Europe/Lisbon"]).unwrap(), ["Europe/Lisbon"]);
    assert_eq!(made(daily, &["Europe/Lisbon", "Asia/Tokyo"]).unwrap(), ["Europe/Lisbon", "Asia/Tokyo"]);
    assert_eq!(made(daily, &[]).unwrap(), ["America/Sao_Paulo"]);
    assert_eq!(made(&format!("{daily} @UTC"), &["Europe/Lisbon"]).unwrap(), ["UTC"]);
}
