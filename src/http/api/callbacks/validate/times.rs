//! When an order may be called: its start, its deadline and its calling hours.

use jiff::{SignedDuration, Timestamp};

use super::{DEADLINE_MAX, SPANS_MAX, Validator};
use crate::clock::later;
use crate::domain::hours::{self, HoursError, Span, Weekdays, time_of_day};
use crate::domain::{CallingHours, PersonId, Phone, Purpose, WrittenHours};
use crate::http::api::callbacks::field_errors::FieldErrors;
use crate::http::api::callbacks::request_body::{Hours, HoursObject, Text};
use crate::policy::window;
use crate::text::time::moment;

/// On how many days the consumer may be called, if the order does not say until when.
const OPEN_DAYS: usize = 3;

/// Whom the hours are meant for.
pub(super) struct Whom {
    consumer: Option<Phone>,
    /// The zone that the order names, which goes before all others.
    zone: Option<String>,
    /// The zones of the person's record, which go before those of the number.
    known: Vec<String>,
}

/// When an order may be carried out.
pub(super) struct Times {
    pub earliest: Timestamp,
    /// `None` if there is a fault.
    pub latest: Option<Timestamp>,
    pub hours: Option<CallingHours>,
}

impl Validator<'_> {
    /// The times of an order, with their defaults.
    pub(super) fn times(
        &self,
        earliest: Option<Text<'_>>,
        latest: Option<Text<'_>>,
        (hours, zone): (Option<Hours<'_>>, Option<Text<'_>>),
        (consumer, purpose): (Option<Phone>, Purpose),
        faults: &mut FieldErrors,
    ) -> Times {
        let earliest = time("earliest", earliest, faults).unwrap_or(self.now);
        let whom = self.whom(consumer, zone, faults);
        let hours = match hours {
            Some(hours) => self.calling_hours(hours, &whom, faults),
            None => self.usual_hours(&whom, faults),
        };
        let hours = self.narrowed(hours, (&whom, purpose), faults);
        let is_given = latest.is_some();
        let latest = self.deadline(latest, earliest, hours.as_ref(), faults);
        self.check_times(earliest, latest, is_given, hours.as_ref(), faults);
        Times { earliest, latest, hours }
    }

    /// The deadline of the order, or the usual one if it has none.
    pub(super) fn deadline(
        &self,
        given: Option<Text<'_>>,
        earliest: Timestamp,
        hours: Option<&CallingHours>,
        faults: &mut FieldErrors,
    ) -> Option<Timestamp> {
        if given.is_some() || faults.has("latest") {
            time("latest", given, faults)
        } else {
            self.usual_deadline(earliest, hours)
        }
    }

    /// The end of the third day on which the consumer may be called, in the zone of the hours. Without hours the days
    /// are three times 24 h, for no zone says when a day ends.
    fn usual_deadline(&self, earliest: Timestamp, hours: Option<&CallingHours>) -> Option<Timestamp> {
        let from = earliest.max(self.now);
        let close =
            hours.and_then(|hours| window::close_of_open_day(self.calendars.opening(hours), from, OPEN_DAYS));
        let days =
            || from.checked_add(SignedDuration::from_hours((OPEN_DAYS as i64).saturating_mul(24))).ok();
        close.or_else(days)
    }

    /// `is_given` says whether the deadline stands in the order.
    pub(super) fn check_times(
        &self,
        earliest: Timestamp,
        latest: Option<Timestamp>,
        is_given: bool,
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
        if latest <= self.now && earliest <= self.now {
            faults.add("latest", "deadline.passed", format!("{latest} has passed; it is {} now", self.now));
        } else if latest <= earliest {
            let detail = format!("{latest} is not after the earliest time {earliest}");
            faults.add("latest", "deadline.not_after_earliest", detail);
        } else if latest.duration_since(self.now) > DEADLINE_MAX {
            let detail =
                format!("the deadline {latest} is more than {} days away", DEADLINE_MAX.as_hours() / 24);
            faults.add(if is_given { "latest" } else { "earliest" }, "deadline.too_far", detail);
        } else if let Some(hours) = hours.filter(|_| !faults.has("hours")) {
            let from = earliest.max(self.now);
            let opens_at = self.opens_at(hours, from);
            if opens_at.is_none_or(|opens_at| opens_at >= latest) {
                let opens = opens_at.map_or_else(|| never_open(hours), |at| format!("they open at {at}"));
                let detail = format!("the hours do not open before the deadline {latest}: {opens}");
                faults.add("hours", "hours.never_open", detail);
            }
        }
    }
}

impl Validator<'_> {
    pub(super) fn whom(
        &self,
        consumer: Option<Phone>,
        zone: Option<Text<'_>>,
        faults: &mut FieldErrors,
    ) -> Whom {
        let zone = zone.map(|Text(name)| name.into_owned()).filter(|name| match check_zone(name) {
            Ok(()) => true,
            Err(error) => {
                faults.add("zone", "zone.invalid", error.to_string());
                false
            }
        });
        let known = consumer.and_then(|consumer| self.zones.get(&PersonId::of(consumer)));
        Whom { consumer, zone, known: known.cloned().unwrap_or_default() }
    }

    /// When the hours open from a moment on, if they ever do.
    fn opens_at(&self, hours: &CallingHours, from: Timestamp) -> Option<Timestamp> {
        let recent = self.recent.as_ref().map(|recent| &recent.opening);
        let known = |last: &(CallingHours, Timestamp)| last.1 == from && last.0 == *hours;
        if let Some(opens_at) = recent.and_then(|recent| recent.of(known)) {
            return opens_at;
        }
        let opens_at = window::next_open(self.calendars.opening(hours), from, later(from, window::FAR));
        if let Some(recent) = recent {
            recent.keep((hours.clone(), from), opens_at);
        }
        opens_at
    }

    /// The hours of an order: in the zones that it names, or else in those of the number. If the number is not known
    /// because it is wrong, that is the only fault.
    pub(super) fn calling_hours(
        &self,
        hours: Hours<'_>,
        whom: &Whom,
        faults: &mut FieldErrors,
    ) -> Option<CallingHours> {
        let text = match (&self.recent, &hours) {
            (Some(recent), Hours::Text(text)) if whom.zone.is_none() => {
                if let Some(hours) = recent.hours.of(|known| *known == text.0) {
                    return Some(hours);
                }
                Some((recent, text.0.to_string()))
            }
            _ => None,
        };
        match written(hours) {
            Ok(hours) if hours.spans.len() > SPANS_MAX => {
                let detail = format!("has {} spans: expected at most {SPANS_MAX}", hours.spans.len());
                faults.add("hours", "hours.invalid", detail);
                None
            }
            Ok(hours) => {
                let names_zones = !hours.zones.is_empty();
                let hours = self.placed(hours, whom, faults)?;
                if let Some((recent, text)) = text.filter(|_| names_zones) {
                    recent.hours.keep(text, hours.clone());
                }
                Some(hours)
            }
            Err((field, error)) => {
                faults.add(field, "hours.invalid", error.to_string());
                None
            }
        }
    }

    /// The hours of the configuration.
    fn usual_hours(&self, whom: &Whom, faults: &mut FieldErrors) -> Option<CallingHours> {
        let hours = self.app.defaults.hours.clone()?;
        self.placed(hours, whom, faults)
    }

    /// The hours that the chosen presets leave; `None` is any time.
    pub(super) fn narrowed(
        &self,
        hours: Option<CallingHours>,
        (whom, purpose): (&Whom, Purpose),
        faults: &mut FieldErrors,
    ) -> Option<CallingHours> {
        let Some(consumer) = whom.consumer else { return hours };
        let mut hours = hours;
        if faults.has("hours") {
            return hours;
        }
        let binding = self.app.defaults.hours_presets.iter().filter(|preset| preset.binds(consumer, purpose));
        for preset in binding {
            hours = match hours {
                None => self.placed(preset.hours(), whom, faults),
                Some(wanted) => preset.narrow(wanted).or_else(|| {
                    let detail = format!("have no time within {} ({})", preset.hours, preset.source);
                    faults.add("hours", "hours.not_allowed", detail);
                    None
                }),
            };
            if faults.has("hours") {
                return None;
            }
        }
        hours
    }

    fn placed(&self, mut hours: WrittenHours, whom: &Whom, faults: &mut FieldErrors) -> Option<CallingHours> {
        if let Some(zone) = &whom.zone {
            hours.zones = vec![zone.clone()];
        } else if hours.zones.is_empty() {
            hours.zones.clone_from(&whom.known);
        }
        let consumer = whom.consumer;
        if hours.zones.is_empty() && consumer.is_none() {
            if let Err(error) = hours.check() {
                faults.add("hours", "hours.invalid", error.to_string());
            }
            return None;
        }
        let placed = match consumer {
            Some(consumer) => hours.of(consumer, &self.app.defaults.number_zones),
            // They name a zone.
            None => CallingHours::new(hours.spans, &hours.zones).map(|placed| placed.except(hours.calendar)),
        };
        let placed = placed.and_then(|hours| hours.check_zone().map(|()| hours));
        let hours = match placed {
            Ok(hours) => hours,
            Err(error) => {
                let code = if error == HoursError::NoZoneOfNumber { "zone.unknown" } else { "hours.invalid" };
                faults.add("hours", code, error.to_string());
                return None;
            }
        };
        let Some(name) = &hours.calendar else { return Some(hours) };
        let spelt = self.calendars.find(name.as_str());
        if spelt.is_none() {
            let detail = format!("there is no calendar {name}; GET /v1/calendars lists them");
            faults.add("hours", "calendar.unknown", detail);
        }
        spelt.map(|spelt| hours.except(Some(spelt)))
    }
}

/// Whether somebody may live in the zone.
pub(in crate::http::api) fn check_zone(name: &str) -> Result<(), HoursError> {
    let daily = Span { days: Weekdays::ALL, from: jiff::civil::Time::MIN, to: jiff::civil::Time::MAX };
    CallingHours::new(vec![daily], &[name])?.check_zone()
}

fn never_open(hours: &CallingHours) -> String {
    match hours.zones().count() {
        1 => "they never open".to_owned(),
        zones => format!(
            "they never open in all of the {zones} zones of the number at once; name a zone after \"@\""
        ),
    }
}

/// A time in the store's resolution, so that the answer and the store agree.
pub(super) fn time(field: &str, text: Option<Text<'_>>, faults: &mut FieldErrors) -> Option<Timestamp> {
    let text = text?.0;
    let read = moment(&text).map_err(|fault| faults.add(field, "time.invalid", fault.to_string()));
    read.ok().map(whole_microseconds)
}

fn written(hours: Hours<'_>) -> Result<WrittenHours, (String, HoursError)> {
    match hours {
        Hours::Text(text) => text.0.parse().map_err(|error| ("hours".to_owned(), error)),
        Hours::Object(object) => hours_of(&object),
    }
}

fn hours_of(object: &HoursObject<'_>) -> Result<WrittenHours, (String, HoursError)> {
    let mut spans = Vec::with_capacity(object.spans.len());
    for (index, span) in object.spans.iter().enumerate() {
        let field = |name: &str| format!("hours.spans[{index}].{name}");
        spans.push(Span {
            days: Weekdays::parse(&span.days.0).map_err(|error| (field("days"), error))?,
            from: time_of_day(&span.from.0).map_err(|error| (field("from"), error))?,
            to: time_of_day(&span.to.0).map_err(|error| (field("to"), error))?,
        });
    }
    let calendar = object.calendar.as_ref().map(|name| hours::calendar(&name.0)).transpose();
    let calendar = calendar.map_err(|error| ("hours.calendar".to_owned(), error))?;
    let zones = object.zone.iter().chain(object.also.iter().flatten());
    Ok(WrittenHours { spans, zones: zones.map(|zone| zone.0.to_string()).collect(), calendar })
}

pub(super) fn whole_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
