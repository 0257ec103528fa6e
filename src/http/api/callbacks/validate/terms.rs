//! The rarer fields of an order: an assigned agent, a promise, a place in line, a preview.

use jiff::{SignedDuration, Timestamp};

use super::Validator;
use super::times::time;
use crate::domain::{AgentTarget, Assigned, Preview, PreviewElse, Terms};
use crate::http::api::callbacks::field_errors::{FieldErrors, nearest};
use crate::http::api::callbacks::request_body::RareFields;
use crate::twiml::Document;

/// How far ahead of ours the clock of the caller may be.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// The longest time between a promise, or the begin of a wait, and its order.
const FAR: SignedDuration = SignedDuration::from_hours(366 * 24);

impl Validator<'_> {
    /// The terms of an order with this document and deadline.
    pub(super) fn terms(
        &self,
        mut given: RareFields<'_>,
        document: Option<&Document>,
        latest: Option<Timestamp>,
        faults: &mut FieldErrors,
    ) -> Terms {
        let preview = preview(&mut given, faults);
        let assigned = self.assigned(&mut given, document, latest, faults);
        let promised_at = time("promised_at", given.promised_at, faults);
        if promised_at.is_some_and(|at| at.duration_since(self.now).abs() > FAR) {
            faults.add("promised_at", "time.too_far", "is more than a year away");
        }
        let in_line_since = time("place_in_line_since", given.place_in_line_since, faults);
        if let Some(since) = in_line_since {
            let ahead = since.duration_since(self.now);
            if ahead > AHEAD_MAX {
                let detail =
                    "is more than 5 minutes in the future: expected since when the consumer has waited";
                faults.add("place_in_line_since", "time.in_future", detail);
            } else if ahead.abs() > FAR {
                faults.add("place_in_line_since", "time.too_far", "is more than a year ago");
            }
        }
        let in_line_since = in_line_since.map(|since| since.min(self.now));
        Terms { assigned, promised_at, in_line_since, preview, origin: None, traced: None }
    }

    fn assigned(
        &self,
        given: &mut RareFields<'_>,
        document: Option<&Document>,
        latest: Option<Timestamp>,
        faults: &mut FieldErrors,
    ) -> Option<Assigned> {
        let until = time("exclusive_until", given.exclusive_until.take(), faults);
        let Some(text) = given.assigned_agent.take() else {
            if until.is_some() {
                let detail = "is missing: exclusive_until says until when only this agent is called";
                faults.add("assigned_agent", "field.missing", detail);
            }
            return None;
        };
        let agent: Option<AgentTarget> = text
            .0
            .parse()
            .map_err(|error| faults.add("assigned_agent", "agent.invalid", format!("{error}")))
            .ok();
        if until.is_none() && !faults.has("exclusive_until") {
            let detail = "is missing: it says until when only the assigned agent is called";
            faults.add("exclusive_until", "field.missing", detail);
        }
        if until.is_some_and(|until| until <= self.now) {
            faults.add("exclusive_until", "time.passed", "is not in the future");
        }
        if until.zip(latest).is_some_and(|(until, latest)| until > latest) {
            faults.add("exclusive_until", "time.too_far", "is after the deadline in latest");
        }
        if document.is_some_and(|document| !document.needs_agent()) {
            let detail = "is not used: the document connects no agent of the order";
            faults.add("assigned_agent", "agent.unused", detail);
        }
        if let (Some(document), Some(agent)) = (document, &agent)
            && !document.takes_agent(agent)
        {
            let detail = "is at a host that twiml.sip_hosts does not list";
            faults.add("assigned_agent", "host.not_allowed", detail);
        }
        Some(Assigned { agent: agent?, until: until? })
    }
}

fn preview(given: &mut RareFields<'_>, faults: &mut FieldErrors) -> Option<Preview> {
    let seconds = within(
        "preview_s",
        given.preview_s,
        (Preview::SECONDS_MIN, Preview::SECONDS_DEFAULT, Preview::SECONDS_MAX),
        faults,
    );
    let times =
        within("preview_times", given.preview_times, (1, Preview::TIMES_DEFAULT, Preview::TIMES_MAX), faults);
    let otherwise = given.preview_else.take().map_or(Some(PreviewElse::default()), |text| {
        let known = text.0.parse().ok();
        if known.is_none() {
            let all = PreviewElse::ALL.map(PreviewElse::as_str);
            let near = nearest(&text.0, all);
            faults.add(
                "preview_else",
                "field.value",
                format!("is not known: expected {}{near}", all.join(", ")),
            );
        }
        known
    });
    given.preview.unwrap_or(false).then_some(())?;
    Some(Preview { seconds: seconds?, times: times?, otherwise: otherwise? })
}

/// A whole number within its range, or the default between its ends.
fn within(
    field: &str,
    given: Option<i64>,
    (least, usual, most): (u32, u32, u32),
    faults: &mut FieldErrors,
) -> Option<u32> {
    let Some(given) = given else { return Some(usual) };
    let fit = u32::try_from(given).ok().filter(|number| (least..=most).contains(number));
    if fit.is_none() {
        faults.add(field, "field.value", format!("{given} is out of range: expected {least} to {most}"));
    }
    fit
}
