//! Validates a parsed body and turns it into an order.
//!
//! All errors of an order are found at once. A validated order is trusted by the other modules. `people`, `times`,
//! `document`, `content`, `messenger` and `values` have the rules of their fields, and `invite` those of orders that only invite.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod consent;
mod content;
mod document;
mod invite;
mod messenger;
mod people;
mod recent;
mod terms;
mod times;
mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::field_errors::FieldErrors;
use super::request_body::{Amendment, RequestBody};
use crate::domain::callback::Waiting;
use crate::domain::{
    Calendars, Callback, CallbackId, CallingHours, MissedWindow, Order, OrderKind, PersonId, PoolName,
    Priority, Purpose, Reason, State,
};
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::error::FieldError;
use crate::policy::{self, window};

use document::Simulation;
use recent::Recent;
use times::{Times, time, whole_microseconds};
use values::{check_metadata, missed_window, name, pool, priority, purpose, required};

pub(super) use people::phone;
pub(in crate::http::api) use times::check_zone;

/// The longest campaign, in bytes.
pub(super) const CAMPAIGN_MAX: usize = 100;
/// The longest reference, in bytes.
pub(super) const REFERENCE_MAX: usize = 200;
/// The longest metadata, in bytes of compact JSON whose characters are written out.
pub(super) const METADATA_MAX: usize = 4096;
/// The longest value of one variable, in bytes.
pub(super) const VARIABLE_MAX: usize = 2000;
/// The most senders of one callback.
pub(super) const SENDERS_MAX: usize = 20;
/// The most spans of calling hours.
pub(super) const SPANS_MAX: usize = 50;
/// The most attempts of one callback.
pub(super) const ATTEMPTS_MAX: u32 = 20;
/// The latest deadline. A later one is usually a mistake of units.
pub(in crate::http::api) const DEADLINE_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// With less time than this inside the hours a callback is accepted with a warning.
const OPEN_TIME_MIN: SignedDuration = SignedDuration::from_hours(1);

/// The zones of people by their ids. Whoever is not there has none.
pub(in crate::http::api) type ZonesOfPeople = BTreeMap<PersonId, Vec<String>>;

/// The daemon's data that an order is checked against.
pub(in crate::http::api) struct Validator<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub now: Timestamp,
    pub calendars: Calendars,
    /// The zones of people, as far as they are known and needed.
    pub zones: Arc<ZonesOfPeople>,
    /// What is computed once for the orders of a list.
    recent: Option<Box<Recent>>,
}

impl<'a> Validator<'a> {
    /// The clock is read once, in the store's resolution, so that the answer and the store agree.
    pub(in crate::http::api) fn open(app: &'a App, caller: &'a Caller, calendars: Calendars) -> Self {
        Self::at(app, caller, calendars, app.clock.now())
    }

    /// The same for the orders of a list.
    pub(in crate::http::api) fn of_list(app: &'a App, caller: &'a Caller, calendars: Calendars) -> Self {
        Self { recent: Some(Box::default()), ..Self::open(app, caller, calendars) }
    }

    /// As it is at another moment.
    pub(super) fn at(app: &'a App, caller: &'a Caller, calendars: Calendars, now: Timestamp) -> Self {
        Self { app, caller, now: whole_microseconds(now), calendars, zones: Arc::default(), recent: None }
    }

    /// With the zones of people.
    pub(in crate::http::api) fn knowing(self, zones: Arc<ZonesOfPeople>) -> Self {
        Self { zones, ..self }
    }

    /// The order of this kind in a body; `None` if `faults` is not empty.
    pub(super) fn order_of(
        &self,
        kind: OrderKind,
        body: RequestBody<'_>,
        faults: &mut FieldErrors,
    ) -> Option<Order> {
        match kind {
            OrderKind::Callback => self.order(body, faults),
            OrderKind::Invite => self.invite(body, faults),
        }
    }

    /// The order of a callback in a body; `None` if `faults` is not empty.
    fn order(&self, mut body: RequestBody<'_>, faults: &mut FieldErrors) -> Option<Order> {
        let rare = body.take_rare();
        let consumer = required("consumer", body.consumer, faults)
            .and_then(|text| phone(self.app, "consumer", &text, faults));
        let purpose = purpose(body.purpose, faults);
        let senders = self.senders(body.sender, body.senders, faults);
        if let Some(consumer) = consumer {
            self.check_consumer(consumer, &senders, faults);
        }
        let Times { earliest, latest, hours } = self.times(
            body.earliest,
            body.latest,
            (body.hours, body.zone),
            (consumer, purpose.unwrap_or_default()),
            faults,
        );
        let missed_window = missed_window(body.missed_window, hours.as_ref(), faults);
        let document = required("document", body.document, faults);
        let document = document.and_then(|name| self.document(&name, faults));
        let psids = self.psids(body.messenger, faults);
        let of_content = self.of_content(OrderKind::Callback, &senders, &psids);
        let variables = self.variables(body.variables, document, &senders, &of_content, faults);
        let agent = self.agent(body.agent, document, &senders, faults);
        let priority = priority(body.priority, faults);
        let attempts_max = self.attempts_max(body.attempts_max, faults);
        let terms = self.terms(rare, document, latest, faults);
        let campaign = name("campaign", body.campaign, CAMPAIGN_MAX, faults);
        let pool = pool(body.pool, faults);
        self.check_bounds(campaign.as_deref(), pool.as_ref(), faults);
        let consent = self.consent(body.consent, purpose, faults);
        let reference = name("reference", body.reference, REFERENCE_MAX, faults);
        let metadata = body.metadata.map(|json| json.get());
        check_metadata(metadata, faults);
        let (document, consumer) = (document?, consumer?);
        let simulation =
            Simulation { variables: &variables, agent: agent.as_ref(), reference: reference.as_deref() };
        self.rehearse(document, consumer, &senders, &simulation, faults);
        self.check_contents(OrderKind::Callback, consumer, &senders, (&variables, &psids), faults);
        if !faults.is_empty() {
            return None;
        }
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Some(Order {
            kind: OrderKind::Callback,
            psids,
            hours,
            priority: priority.unwrap_or(Priority::DEFAULT),
            variables: variables.0.into_iter().map(owned).collect(),
            agent,
            pool,
            attempts_max,
            campaign,
            purpose: purpose.unwrap_or_default(),
            consent,
            waive_gap: body.waive_gap.unwrap_or(false),
            separate: body.separate.unwrap_or(false),
            missed_window,
            reference,
            metadata: metadata.map(str::to_owned),
            terms: terms.kept(),
            ..Order::new(consumer, senders, document.name().to_owned(), earliest, latest?)
        })
    }

    /// Refuses an order outside of what the person is bound to. The senders are checked one by one.
    fn check_bounds(&self, campaign: Option<&str>, pool: Option<&PoolName>, faults: &mut FieldErrors) {
        let bounds = self.caller.bounds();
        if !bounds.has_campaign(campaign) {
            faults.add("campaign", "campaign.not_allowed", "is not one of the person's campaigns");
        }
        if !bounds.has_pool(pool) {
            faults.add("pool", "pool.not_allowed", "is not one of the person's pools");
        }
    }

    /// What is accepted and may still be a mistake.
    pub(in crate::http::api) fn warnings(&self, order: &Order) -> Vec<FieldError> {
        let from = order.earliest.max(self.now);
        let open = match &order.hours {
            Some(hours) => self.open_time(hours, from, order.latest),
            None => order.latest.duration_since(from),
        };
        let mut warnings: Vec<FieldError> = order.hours.iter().filter_map(ambiguous).collect();
        if open >= OPEN_TIME_MIN {
            return warnings;
        }
        let time = match open.as_secs() / 60 {
            0 => "less than a minute".to_owned(),
            1 => "only 1 minute".to_owned(),
            minutes => format!("only {minutes} minutes"),
        };
        let what = match order.kind {
            OrderKind::Callback => "called",
            OrderKind::Invite => "invited",
        };
        let detail = format!("the consumer may be {what} for {time} before the deadline");
        warnings.push(FieldError { field: "latest".to_owned(), code: "deadline.little_time", detail });
        warnings
    }

    /// For how long the hours are open, as far as it matters.
    fn open_time(&self, hours: &CallingHours, from: Timestamp, latest: Timestamp) -> SignedDuration {
        let recent = self.recent.as_ref().map(|recent| &recent.open_time);
        let known = |last: &(CallingHours, Timestamp, Timestamp)| {
            (last.1, last.2) == (from, latest) && last.0 == *hours
        };
        if let Some(open) = recent.and_then(|recent| recent.of(known)) {
            return open;
        }
        let open = window::open_time(self.calendars.opening(hours), from, latest, OPEN_TIME_MIN);
        if let Some(recent) = recent {
            recent.keep((hours.clone(), from, latest), open);
        }
        open
    }

    /// Puts the changes into a copy of the order, and checks it like a new one. Unless it is told, the deadline
    /// moves with the start.
    pub(super) fn amended(&self, order: &Order, amendment: Amendment<'_>, faults: &mut FieldErrors) -> Order {
        let mut order = order.clone();
        let mut latest = Some(order.latest);
        if let Some(earliest) = time("earliest", amendment.earliest, faults) {
            latest = order.latest.checked_add(earliest.duration_since(order.earliest)).ok();
            order.earliest = earliest;
        }
        if let Some(told) = time("latest", amendment.latest, faults) {
            latest = Some(told);
        }
        let whom = self.whom(Some(order.consumer), None, faults);
        match amendment.hours {
            Some(Some(hours)) => order.hours = self.calling_hours(hours, &whom, faults),
            Some(None) => order.hours = None,
            None => {}
        }
        order.hours = self.narrowed(order.hours.take(), (&whom, order.purpose), faults);
        if order.hours.is_none() && order.missed_window != MissedWindow::default() && !faults.has("hours") {
            let detail = format!("are needed, because missed_window is {}", order.missed_window.as_str());
            faults.add("hours", "missed_window.no_hours", detail);
        }
        if let Some(level) = priority(amendment.priority, faults) {
            order.priority = level;
        }
        self.check_times(order.earliest, latest, true, order.hours.as_ref(), faults);
        order.latest = latest.unwrap_or(order.latest);
        order
    }

    /// A new callback with this order. Its first decision is early enough to ask the consumer ahead of the call. An
    /// invite asks for nothing.
    pub(super) fn callback(&self, id: CallbackId, order: Order) -> Callback {
        let ahead = match order.kind {
            OrderKind::Callback => self.asks_from(&order).unwrap_or(self.now),
            OrderKind::Invite => order.earliest,
        };
        let wake_at = whole_microseconds(ahead.max(self.now));
        let note = self.first_reason(&order).note();
        let group = self.app.directory.group_of_senders(&order.senders);
        Callback {
            tenant: self.caller.tenant().clone(),
            group,
            ordered_by: Some(self.caller.name().into()),
            ..Callback::new(id, self.now, order, State::Waiting(Waiting { wake_at, place: None, note }))
        }
    }

    /// From when on a request for the first possible call is useful.
    fn asks_from(&self, order: &Order) -> Option<Timestamp> {
        if order.earliest <= self.now {
            return None;
        }
        let recent = self.recent.as_ref().map(|recent| &recent.asks_from);
        let known = |last: &(Option<CallingHours>, Timestamp, Timestamp, Purpose)| {
            (last.1, last.2, last.3) == (order.earliest, order.latest, order.purpose) && last.0 == order.hours
        };
        if let Some(asks_from) = recent.and_then(|recent| recent.of(known)) {
            return asks_from;
        }
        let asks_from = self.useful_from(order);
        if let Some(recent) = recent {
            recent.keep((order.hours.clone(), order.earliest, order.latest, order.purpose), asks_from);
        }
        asks_from
    }

    fn useful_from(&self, order: &Order) -> Option<Timestamp> {
        let hours = order.hours.as_ref().map(|hours| self.calendars.opening(hours));
        let opens_at = hours.and_then(|hours| window::next_open(hours, order.earliest, order.latest));
        let dial_at = opens_at.unwrap_or(order.earliest);
        let asks_from = policy::useful_from(dial_at, order.purpose, hours, &self.app.rules)?;
        // A day that is opened meanwhile may be the first one.
        let usual = order.earliest.checked_sub(self.app.rules.lead(order.purpose)).ok()?;
        Some(asks_from.min(usual))
    }

    /// The reason of a callback before the first decision of the scheduler.
    pub(super) fn first_reason(&self, order: &Order) -> Reason {
        if order.earliest > self.now {
            Reason::BeforeEarliest { earliest: order.earliest }
        } else {
            Reason::Ready
        }
    }
}

/// Hours in several zones, because the number may be in any of them.
fn ambiguous(hours: &CallingHours) -> Option<FieldError> {
    if hours.also.is_empty() {
        return None;
    }
    let zones: Vec<&str> = hours.zones().collect();
    let detail = format!("the hours have to be open in {} zones at once: {}", zones.len(), zones.join(", "));
    Some(FieldError { field: "hours".to_owned(), code: "zone.ambiguous", detail })
}
