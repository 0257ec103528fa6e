//! The sample callbacks: various consumers, all with numbers that regulators reserve for fiction.
//!
//! The last two digits of a number determine what its consumer does; see `sim::world::Habit`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::setting::INVITES;
use crate::domain::Phone;
use crate::sim::world::Client;
use crate::sim::{Sandbox, World};
use crate::simulation::{AtMessenger, PAGE, SENDERS};

/// One order on each line, as the API takes it.
const WRITTEN: &str = include_str!("callbacks.ndjson");
/// French numbers for fiction: `+33 6 39 98` and four digits, starting at these.
const MORE_FROM: u64 = 33_639_981_012;
/// How many samples are written one by one.
pub(super) const WRITTEN_COUNT: usize = 20;
/// The maximum number of samples.
pub const MAX: u16 = 5000;

/// The fixed samples, and more up to `count`, whose consumers' habits are random.
#[must_use]
pub fn orders(count: usize, now: Timestamp, deadline: SignedDuration) -> Vec<Value> {
    let latest = now + deadline;
    let mut orders: Vec<Map<String, Value>> = written().take(count).collect();
    let more = (0_u64..).map(|index| MORE_FROM + index).filter(|number| number % 100 > 11);
    orders.extend(more.take(count - orders.len()).map(another));
    let due = |mut order: Map<String, Value>| {
        order.entry("sender").or_insert_with(|| SENDERS[0].into());
        order.insert("latest".to_owned(), latest.to_string().into());
        Value::Object(order)
    };
    orders.into_iter().map(due).collect()
}

/// The samples that are for a person of the page name the person's id there, which the world knows.
pub(super) fn name_people(orders: &mut [Value], world: &mut World) {
    let page = AtMessenger::default().page_id;
    for order in orders {
        let consumer = order["consumer"].as_str().and_then(|number| Phone::parse(number).ok());
        let people = order.get_mut("messenger").and_then(Value::as_object_mut);
        if let (Some(people), Some(consumer)) = (people, consumer) {
            people.insert(PAGE.to_owned(), world.psid(&page, consumer).into());
        }
    }
}

/// The consumers of the number that only invites write to it, which opens the service window.
pub(super) async fn write_first(world: &Sandbox) {
    world.with(write);
    world.until(|report| report.counts.webhooks_taken > 0).await;
}

/// The first of them gets a call button, and the last, whose WhatsApp shows none, a calling link. The one between has not
/// written and gets a template. The one of the page has such a WhatsApp, too, and writes to the page.
pub(super) fn write(world: &mut World, now: Timestamp) {
    let number = Phone::parse(INVITES).expect("the number is one");
    let theirs = written().filter(|order| order.get("sender").is_some_and(|sender| sender == INVITES));
    let (at_page, others): (Vec<_>, Vec<_>) = theirs.partition(|order| order.contains_key("messenger"));
    let no_buttons = Client { has_no_buttons: true, ..Client::default() };
    let page = AtMessenger::default().page_id;
    for person in consumers(&at_page) {
        world.set_client(person, no_buttons);
        world.consumer_writes_to_page(now, &page, person, "Hello, I have a question.");
    }
    let others: Vec<Phone> = consumers(&others).collect();
    if let Some(last) = others.last() {
        world.set_client(*last, no_buttons);
    }
    for consumer in [others.first(), others.last()].into_iter().flatten() {
        world.consumer_writes(now, number, *consumer, "Hello, I have a question.");
    }
}

fn consumers(orders: &[Map<String, Value>]) -> impl Iterator<Item = Phone> + '_ {
    orders.iter().filter_map(|order| Phone::parse(order.get("consumer")?.as_str()?).ok())
}

fn written() -> impl Iterator<Item = Map<String, Value>> {
    WRITTEN.lines().map(|line| serde_json::from_str(line).expect("the tests read every sample"))
}

fn another(number: u64) -> Map<String, Value> {
    let order = json!({
        "consumer": format!("+{number}"), "document": "message", "campaign": "more",
        "variables": {"message": "Thank you for waiting."}, "priority": number % 7,
    });
    order.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::AgentTarget;
    use crate::twiml::Library;

    fn all(count: usize) -> Vec<Value> {
        orders(count, Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1))
    }

    #[test]
    fn every_sample_fits_its_document() {
        let library = Library::embedded();
        for order in all(40) {
            let text = |name: &str| order[name].as_str().map(str::to_owned);
            Phone::parse(&text("consumer").unwrap()).unwrap();
            let document = library.document(&text("document").unwrap()).unwrap();
            let given: BTreeSet<String> =
                order["variables"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
            assert_eq!(&given, document.variables(), "{order}");
            let agent = text("agent").map(|agent| agent.parse::<AgentTarget>().unwrap());
            assert_eq!(agent.is_some(), document.needs_agent(), "{order}");
        }
    }

    #[test]
    fn each_consumer_is_in_one_sample() {
        let orders = all(usize::from(MAX));
        let consumers: BTreeSet<&str> =
            orders.iter().filter_map(|order| order["consumer"].as_str()).collect();
        assert_eq!(consumers.len(), usize::from(MAX));
    }

    #[test]
    fn every_habit_is_among_the_samples() {
        let habits: BTreeSet<u64> = written()
            .filter_map(|order| Phone::parse(order["consumer"].as_str()?).ok())
            .map(|consumer| consumer.digits() % 100)
            .collect();
        assert!((1..=11).all(|habit| habits.contains(&habit)), "{habits:?}");
    }

    #[test]
    fn the_written_samples_are_counted() {
        assert_eq!(written().count(), WRITTEN_COUNT);
    }

    #[test]
    fn the_number_of_samples_can_be_limited() {
        assert_eq!((all(1).len(), all(16).len(), all(17).len()), (1, 16, 17));
    }
}
