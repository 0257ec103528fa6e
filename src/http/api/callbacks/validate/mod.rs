//! Validates a parsed body and turns it into an order.
//!
//! All errors of an order are found at once. A validated order is trusted by the other modules.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::field_errors::{FieldErrors, nearest, quoted};
use super::metadata;
use super::request_body::{Amendment, Hours, HoursObject, Object, RequestBody, Text, Variables};
use crate::clock::later;
use crate::domain::callback::Waiting;
use crate::domain::country::barred_destination;
use crate::domain::hours::{Span, Weekdays, time_of_day};
use crate::domain::{
    AgentTarget, Callback, CallbackId, CallingHours, Order, Phone, Priority, Purpose, Reason, Sender, State,
};
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::error::FieldError;
use crate::policy::window;
use crate::text::visible::check_name;
use crate::twiml::{Document, RenderError, Values};

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
pub(super) const DEADLINE_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// On how many days the consumer may be called, if the order does not say until when.
const OPEN_DAYS: usize = 3;
/// With less time than this inside the hours a callback is accepted with a warning.
const OPEN_TIME_MIN: SignedDuration = SignedDuration::from_hours(1);

/// The variable that a sender may have a default for.
const WORKFLOW: &str = "workflow";

/// A placeholder for an id that does not exist yet.
const ID_SHAPED: &str = "cb_00000000000000000000000000000000";

/// The parts of an order that its document needs.
struct Simulation<'v, 'a> {
    variables: &'v Variables<'a>,
    agent: Option<&'v AgentTarget>,
    reference: Option<&'v str>,
}

/// The daemon's data that an order is checked against.
pub(super) struct Validator<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub now: Timestamp,
}

impl<'a> Validator<'a> {
    /// The clock is read once, in the store's resolution, so that the answer and the store agree.
    pub(super) fn open(app: &'a App, caller: &'a Caller) -> Self {
        Self { app, caller, now: whole_microseconds(app.clock.now()) }
    }

    /// The order in a body; `None` if `faults` is not empty.
    pub(super) fn order(&self, body: RequestBody<'_>, faults: &mut FieldErrors) -> Option<Order> {
        let consumer = required("consumer", body.consumer, faults)
            .and_then(|text| phone(self.app, "consumer", &text, faults));
        let senders = self.senders(body.sender, body.senders, faults);
        if let Some(consumer) = consumer
            && (self.app.directory.sender(consumer).is_some() || senders.contains(&consumer))
        {
            faults.add(
                "consumer",
                "consumer.is_sender",
                "is one of our own senders: a sender cannot call itself",
            );
        }
        if let Some(consumer) = consumer {
            self.check_destination(consumer, faults);
        }
        let earliest = time("earliest", body.earliest, faults).unwrap_or(self.now);
        let hours = match body.hours {
            Some(hours) => calling_hours(hours, faults),
            None => self.app.defaults.hours.clone(),
        };
        let given = body.latest.is_some() || faults.has("latest");
        let latest = if given {
            time("latest", body.latest, faults)
        } else {
            self.usual_deadline(earliest, hours.as_ref())
        };
        self.check_times(earliest, latest, hours.as_ref(), faults);
        let document =
            required("document", body.document, faults).and_then(|name| self.document(&name, faults));
        let mut variables = body.variables.unwrap_or_default();
        if document.is_some_and(|document| document.variables().contains(WORKFLOW))
            && !variables.0.contains_key(WORKFLOW)
            && let Some(workflow) = self.common(&senders, |sender| sender.workflow.as_ref())
        {
            variables.0.insert(Cow::Borrowed(WORKFLOW), Cow::Borrowed(workflow));
        }
        check_variables(document, &variables, faults);
        let agent = match (body.agent, document) {
            (Some(text), _) => agent(&text, faults),
            (None, Some(document)) if document.needs_agent() => self.usual_agent(document, &senders, faults),
            (None, _) => None,
        };
        let priority = priority(body.priority, faults);
        let attempts_max = self.attempts_max(body.attempts_max, faults);
        let campaign = name("campaign", body.campaign, CAMPAIGN_MAX, faults);
        let purpose = purpose(body.purpose, faults);
        let reference = name("reference", body.reference, REFERENCE_MAX, faults);
        let metadata = body.metadata.map(|json| json.get());
        match metadata.map(metadata::size) {
            Some(Err(fault)) => faults.add("metadata", "metadata.unreadable", fault.to_string()),
            Some(Ok(size)) if size > METADATA_MAX => {
                faults.add("metadata", "metadata.too_long", too_long(size, METADATA_MAX));
            }
            _ => {}
        }
        let (document, consumer) = (document?, consumer?);
        let simulation =
            Simulation { variables: &variables, agent: agent.as_ref(), reference: reference.as_deref() };
        self.rehearse(document, consumer, &senders, &simulation, faults);
        if !faults.is_empty() {
            return None;
        }
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Some(Order {
            hours,
            priority: priority.unwrap_or(Priority::DEFAULT),
            variables: variables.0.into_iter().map(owned).collect(),
            agent,
            attempts_max,
            campaign,
            purpose: purpose.unwrap_or_default(),
            waive_gap: body.waive_gap.unwrap_or(false),
            reference,
            metadata: metadata.map(str::to_owned),
            ..Order::new(consumer, senders, document.name().to_owned(), earliest, latest?)
        })
    }

    /// The end of the third day on which the consumer may be called, in the zone of the hours. Without hours the days
    /// are three times 24 h, for no zone says when a day ends.
    fn usual_deadline(&self, earliest: Timestamp, hours: Option<&CallingHours>) -> Option<Timestamp> {
        let from = earliest.max(self.now);
        let close = hours.and_then(|hours| window::close_of_open_day(hours, from, OPEN_DAYS));
        let days =
            || from.checked_add(SignedDuration::from_hours((OPEN_DAYS as i64).saturating_mul(24))).ok();
        close.or_else(days)
    }

    /// Warnings about accepted values that may be mistakes.
    pub(super) fn warnings(&self, order: &Order) -> Vec<FieldError> {
        let from = order.earliest.max(self.now);
        let open = match &order.hours {
            Some(hours) => window::open_time(hours, from, order.latest, OPEN_TIME_MIN),
            None => order.latest.duration_since(from),
        };
        if open >= OPEN_TIME_MIN {
            return Vec::new();
        }
        let minutes = open.as_secs() / 60;
        let detail = match minutes {
            0 => "the consumer may be called for less than a minute before the deadline".to_owned(),
            1 => "the consumer may be called for only 1 minute before the deadline".to_owned(),
            _ => format!("the consumer may be called for only {minutes} minutes before the deadline"),
        };
        vec![FieldError { field: "latest".to_owned(), code: "deadline.little_time", detail }]
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
        match amendment.hours {
            Some(Some(hours)) => order.hours = calling_hours(hours, faults),
            Some(None) => order.hours = None,
            None => {}
        }
        if let Some(level) = priority(amendment.priority, faults) {
            order.priority = level;
        }
        self.check_times(order.earliest, latest, order.hours.as_ref(), faults);
        order.latest = latest.unwrap_or(order.latest);
        order
    }

    /// A new callback with this order. Its first decision is early enough to ask the consumer ahead of the call.
    pub(super) fn callback(&self, id: CallbackId, order: Order) -> Callback {
        let lead = self.app.rules.lead(order.purpose);
        let ahead = order.earliest.checked_sub(lead).unwrap_or(self.now);
        let wake_at = whole_microseconds(ahead.max(self.now));
        let note = self.first_reason(&order).note();
        Callback {
            tenant: self.caller.tenant().clone(),
            ordered_by: Some(self.caller.name().into()),
            ..Callback::new(id, self.now, order, State::Waiting(Waiting { wake_at, place: None, note }))
        }
    }

    /// The reason of a callback before the first decision of the scheduler.
    pub(super) fn first_reason(&self, order: &Order) -> Reason {
        if order.earliest > self.now {
            Reason::BeforeEarliest { earliest: order.earliest }
        } else {
            Reason::Ready
        }
    }

    fn senders(
        &self,
        one: Option<Text<'_>>,
        many: Option<Vec<Text<'_>>>,
        faults: &mut FieldErrors,
    ) -> Vec<Phone> {
        if faults.has("sender") || faults.has("senders") {
            return Vec::new();
        }
        let (field, texts) = match (one, many) {
            (Some(_), Some(_)) => {
                faults.add("senders", "sender.twice", "is given together with sender: give one of the two");
                return Vec::new();
            }
            (Some(one), None) => ("sender", vec![one]),
            (None, Some(many)) => ("senders", many),
            (None, None) => return self.only_sender(faults).into_iter().collect(),
        };
        if texts.is_empty() || texts.len() > SENDERS_MAX {
            let detail = format!("has {} senders: expected 1 to {SENDERS_MAX}", texts.len());
            faults.add(field, "sender.count", detail);
            return Vec::new();
        }
        let mut senders = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let path = || if field == "sender" { field.to_owned() } else { format!("{field}[{index}]") };
            let number = match Phone::read(&text.0, self.app.defaults.country) {
                Ok(number) => number,
                Err(error) => {
                    faults.add(path(), "phone.invalid", error.to_string());
                    continue;
                }
            };
            if self.app.directory.sender(number).is_none() {
                faults.add(
                    path(),
                    "sender.unknown",
                    "is not a configured sender; GET /v1/senders lists them",
                );
            } else if !self.caller.may_use_sender(number) {
                faults.add(path(), "sender.not_allowed", "is not one of the senders of the token");
            } else if senders.contains(&number) {
                faults.add(path(), "sender.twice", "is repeated");
            } else {
                senders.push(number);
            }
        }
        senders
    }

    /// Refuses a destination that is not called.
    fn check_destination(&self, consumer: Phone, faults: &mut FieldErrors) {
        let Some(prefix) = self.app.rules.bars(consumer) else { return };
        let rule = barred_destination(prefix).map_or_else(
            || "by the operator's own rule".to_owned(),
            |barred| format!("{}, by sanctions ({}, {})", barred.name, barred.source, barred.as_of),
        );
        let detail =
            format!("starts with {prefix}, which is not called: {rule}; see limits.destinations_refused");
        faults.add("consumer", "consumer.destination_barred", detail);
    }

    fn only_sender(&self, faults: &mut FieldErrors) -> Option<Phone> {
        let allowed = |sender: &&Sender| self.caller.may_use_sender(sender.number);
        let mut senders = self.app.directory.senders().filter(allowed);
        match (senders.next(), senders.count()) {
            (Some(only), 0) => Some(only.number),
            (first, others) => {
                let count = others.saturating_add(usize::from(first.is_some()));
                let detail =
                    format!("is missing: {count} senders are configured, so the order must name one");
                faults.add("sender", "field.missing", detail);
                None
            }
        }
    }

    /// The value that all senders of a callback share, so that it does not depend on which one calls.
    fn common<T: PartialEq>(&self, senders: &[Phone], of: fn(&Sender) -> Option<&T>) -> Option<&'a T> {
        let app: &'a App = self.app;
        let mut each = senders.iter().map(|&number| app.directory.sender(number).and_then(of));
        let first = each.next().flatten()?;
        each.all(|other| other == Some(first)).then_some(first)
    }

    /// The agent of the senders' calls, for orders without one.
    fn usual_agent(
        &self,
        document: &Document,
        senders: &[Phone],
        faults: &mut FieldErrors,
    ) -> Option<AgentTarget> {
        let usual = self.common(senders, |sender| sender.agent.as_ref());
        if usual.is_none() && !faults.has("agent") {
            let detail = format!(
                "is missing: the document {:?} connects an agent, and the senders do not share one",
                document.name()
            );
            faults.add("agent", "agent.missing", detail);
        }
        usual.cloned()
    }

    fn check_times(
        &self,
        earliest: Timestamp,
        latest: Option<Timestamp>,
        hours: Option<&CallingHours>,
        faults: &mut FieldErrors,
    ) {
        if faults.has("earliest") || faults.has("latest") {
            return;
        }
        let Some(latest) = latest else {
            faults.add("earliest", "deadline.too_far", "is too late for a deadline after it");
            return;
        };
        if latest <= earliest {
            let detail = format!("{latest} is not after the earliest time {earliest}");
            faults.add("latest", "deadline.not_after_earliest", detail);
        } else if latest <= self.now {
            faults.add("latest", "deadline.passed", format!("{latest} has passed; it is {} now", self.now));
        } else if latest.duration_since(self.now) > DEADLINE_MAX {
            let detail = format!("{latest} is more than {} days away", DEADLINE_MAX.as_hours() / 24);
            faults.add("latest", "deadline.too_far", detail);
        } else if let Some(hours) = hours.filter(|_| !faults.has("hours")) {
            let from = earliest.max(self.now);
            let opens_at = window::next_open(hours, from, later(from, window::FAR));
            if opens_at.is_none_or(|opens_at| opens_at >= latest) {
                let opens = opens_at.map_or("they never open".to_owned(), |at| format!("they open at {at}"));
                let detail = format!("the hours do not open before the deadline {latest}: {opens}");
                faults.add("hours", "hours.never_open", detail);
            }
        }
    }

    fn document(&self, name: &Text<'_>, faults: &mut FieldErrors) -> Option<&'a Document> {
        let documents = &self.app.documents;
        let found = documents.document(&name.0);
        if found.is_none() {
            let near = nearest(&name.0, documents.names());
            let detail = format!("no TwiML document is named {}{near}", quoted(&name.0));
            faults.add("document", "document.unknown", detail);
        } else if !self.caller.may_use_document(&name.0) {
            faults.add("document", "document.not_allowed", "is not one of the documents of the token");
            return None;
        }
        found
    }

    /// Fills the document as an attempt would, so that an unusable value is refused now and not when a consumer has
    /// answered. Missing values were reported before.
    fn rehearse(
        &self,
        document: &Document,
        consumer: Phone,
        senders: &[Phone],
        with: &Simulation<'_, '_>,
        faults: &mut FieldErrors,
    ) {
        let base = self.app.hook_urls.base();
        for &sender in senders {
            let values = Values {
                sender,
                consumer: Some(consumer),
                agent: with.agent,
                callback: ID_SHAPED,
                attempt: ID_SHAPED,
                reference: with.reference,
                action_url: base,
                leg_status_url: base,
                variables: &|name| with.variables.0.get(name).map(|value| &**value),
                is_our_sender: &|number| self.app.directory.sender(number).is_some(),
            };
            for error in document.check(&values) {
                let (field, code) = match &error {
                    RenderError::MissingVariable { .. }
                    | RenderError::MissingAgent
                    | RenderError::NoConsumer => continue,
                    RenderError::Character { name } | RenderError::Unfit { name, .. } => {
                        (variable(name), "variable.unfit")
                    }
                    RenderError::Host { name, .. } => (variable(name), "host.not_allowed"),
                    RenderError::TooLarge { .. } => ("variables".to_owned(), "document.too_large"),
                    RenderError::OtherConsumer | RenderError::OtherSender | RenderError::UnknownSender => {
                        ("variables".to_owned(), "document.refused")
                    }
                };
                if !faults.has(&field) {
                    faults.add(field, code, error.to_string());
                }
            }
        }
    }

    fn attempts_max(&self, given: Option<i64>, faults: &mut FieldErrors) -> u32 {
        let Some(given) = given else { return self.app.defaults.attempts_max };
        let fit = u32::try_from(given).ok().filter(|count| (1..=ATTEMPTS_MAX).contains(count));
        if fit.is_none() {
            let detail = format!("{given} is out of range: expected 1 to {ATTEMPTS_MAX}");
            faults.add("attempts_max", "attempts.out_of_range", detail);
        }
        fit.unwrap_or_default()
    }
}

fn required<'a>(field: &str, text: Option<Text<'a>>, faults: &mut FieldErrors) -> Option<Text<'a>> {
    if text.is_none() && !faults.has(field) {
        faults.add(field, "field.missing", "is missing: every callback needs it");
    }
    text
}

pub(super) fn phone(app: &App, field: &str, text: &Text<'_>, faults: &mut FieldErrors) -> Option<Phone> {
    Phone::read(&text.0, app.defaults.country)
        .map_err(|error| faults.add(field, "phone.invalid", error.to_string()))
        .ok()
}

/// A time in the store's resolution, so that the answer and the store agree.
fn time(field: &str, text: Option<Text<'_>>, faults: &mut FieldErrors) -> Option<Timestamp> {
    let parsed: Result<Timestamp, _> = text?.0.parse();
    match parsed {
        Ok(at) => Some(whole_microseconds(at)),
        Err(_) => {
            let detail = "is not a time in RFC 3339 with an offset, such as 2026-11-23T09:00:00-03:00";
            faults.add(field, "time.invalid", detail);
            None
        }
    }
}

fn calling_hours(hours: Hours<'_>, faults: &mut FieldErrors) -> Option<CallingHours> {
    let parsed = match hours {
        Hours::Text(text) => text.0.parse::<CallingHours>().map_err(|error| ("hours".to_owned(), error)),
        Hours::Object(object) => hours_of(&object),
    };
    match parsed {
        Ok(hours) if hours.spans.len() <= SPANS_MAX => Some(hours),
        Ok(hours) => {
            let detail = format!("has {} spans: expected at most {SPANS_MAX}", hours.spans.len());
            faults.add("hours", "hours.invalid", detail);
            None
        }
        Err((field, error)) => {
            faults.add(field, "hours.invalid", error.to_string());
            None
        }
    }
}

fn hours_of(object: &HoursObject<'_>) -> Result<CallingHours, (String, crate::domain::hours::HoursError)> {
    let mut spans = Vec::with_capacity(object.spans.len());
    for (index, Object(span)) in object.spans.iter().enumerate() {
        let field = |name: &str| format!("hours.spans[{index}].{name}");
        spans.push(Span {
            days: Weekdays::parse(&span.days.0).map_err(|error| (field("days"), error))?,
            from: time_of_day(&span.from.0).map_err(|error| (field("from"), error))?,
            to: time_of_day(&span.to.0).map_err(|error| (field("to"), error))?,
        });
    }
    CallingHours::new(spans, &object.zone.0).map_err(|error| ("hours".to_owned(), error))
}

fn check_variables(document: Option<&Document>, given: &Variables<'_>, faults: &mut FieldErrors) {
    // If the variables could not be read, it is unknown which are missing.
    let unread = given.0.is_empty() && faults.has("variables");
    for (name, value) in given.0.iter().filter(|(_, value)| value.len() > VARIABLE_MAX) {
        faults.add(variable(name), "field.too_long", too_long(value.len(), VARIABLE_MAX));
    }
    let Some(document) = document else { return };
    let needed = document.variables();
    for name in needed.iter().filter(|name| !unread && !given.0.contains_key(name.as_str())) {
        let field = variable(name);
        if !faults.has(&field) {
            let detail = format!("is missing: the document {:?} needs it", document.name());
            faults.add(field, "variable.missing", detail);
        }
    }
    for name in given.0.keys().filter(|name| !needed.contains(&***name)) {
        let near = nearest(name, needed.iter().map(String::as_str));
        let detail = format!("the document {:?} has no such variable{near}", document.name());
        faults.add(variable(name), "variable.unknown", detail);
    }
}

fn variable(name: &str) -> String {
    format!("variables.{}", quoted(name).trim_matches('"'))
}

fn agent(text: &Text<'_>, faults: &mut FieldErrors) -> Option<AgentTarget> {
    text.0.parse().map_err(|error| faults.add("agent", "agent.invalid", format!("{error}"))).ok()
}

fn priority(given: Option<i64>, faults: &mut FieldErrors) -> Option<Priority> {
    let given = given?;
    let fit = u8::try_from(given).ok().and_then(Priority::new);
    if fit.is_none() {
        let detail = format!("{given} is out of range: expected 0 to {}", Priority::MAX);
        faults.add("priority", "priority.out_of_range", detail);
    }
    fit
}

fn purpose(given: Option<Text<'_>>, faults: &mut FieldErrors) -> Option<Purpose> {
    let Text(given) = given?;
    let known = given.parse().ok();
    if known.is_none() {
        let all = Purpose::ALL.map(Purpose::as_str);
        let detail =
            format!("is no purpose: expected {}{}", all.join(", "), nearest(&given, all.into_iter()));
        faults.add("purpose", "purpose.unknown", detail);
    }
    known
}

/// A name that appears in lists: short, on one line, and not empty.
fn name(field: &str, text: Option<Text<'_>>, max: usize, faults: &mut FieldErrors) -> Option<String> {
    let text = text?.0;
    if text.is_empty() {
        faults.add(field, "field.empty", "is empty: leave it out instead");
    } else if text.len() > max {
        faults.add(field, "field.too_long", too_long(text.len(), max));
    } else if let Err(hidden) = check_name(&text) {
        faults.add(field, "field.characters", hidden.to_string());
    } else if !text.chars().all(is_xml) {
        faults.add(field, "field.characters", "has a character that XML cannot contain");
    } else {
        return Some(text.into_owned());
    }
    None
}

fn too_long(length: usize, max: usize) -> String {
    format!("has {length} bytes: expected at most {max}")
}

/// Whether XML 1.0, and so a TwiML document, can contain the character.
const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn whole_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
