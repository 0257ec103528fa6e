//! What a person can do on a page, as data: a form, and the request of the API that it becomes.
//!
//! The API checks what was entered. Here texts only become JSON values of the kind that the API's field has.

use axum::http::{Method, StatusCode};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value};

use super::ask::Refused;
use super::asking::{Answered, Asking, segment};

/// One thing that can be done.
#[derive(Debug)]
pub struct Act {
    /// As the form names it.
    pub name: &'static str,
    pub method: Method,
    /// The route of the API. `{…}` in it is the value of the field with that name.
    pub route: &'static str,
    pub fields: &'static [Field],
    /// On the button.
    pub button: &'static str,
    /// What to know before pressing it; empty if the button says all.
    pub hint: &'static str,
    /// What the page says when it is done.
    pub done: &'static str,
    pub then: Then,
}

/// What follows when the API has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The page is shown again, with `done`.
    Back,
    /// The page of what was made: below this one, by its `id`.
    Open,
    /// Another page, seen from this one: this one is gone.
    Leave(&'static str),
    /// Nothing was changed: the page shows the answer.
    Show,
}

/// A field of a form.
#[derive(Debug)]
pub struct Field {
    /// As in the body of the API, with points between the levels.
    pub name: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    pub hint: &'static str,
    pub is_required: bool,
}

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Part of the path, or fixed by the page. It is not shown.
    Hidden,
    Text,
    /// A new password: it is sent as it was entered, and never shown again.
    Secret,
    /// Several lines.
    Area,
    /// A whole number.
    Number,
    /// A whole number; empty is `null`, which removes what is set.
    NumberOrNull,
    /// A moment in the zone of the console.
    Moment,
    Date,
    /// One of these: the value and its words.
    Choice(&'static [(&'static str, &'static str)]),
    /// The same, where the value is a whole number.
    Level(&'static [(&'static str, &'static str)]),
    /// One of those that the page offers.
    Offered,
    /// `true` or `false`.
    Flag,
    /// A list of texts, one in each line.
    Lines,
    /// An object of texts: `name = value` in each line.
    Pairs,
}

impl Field {
    pub const fn hidden(name: &'static str) -> Self {
        Self { name, label: "", kind: Kind::Hidden, hint: "", is_required: true }
    }

    /// The same, where it may be left empty.
    pub const fn hidden_if_given(name: &'static str) -> Self {
        Self { is_required: false, ..Self::hidden(name) }
    }

    pub const fn needed(name: &'static str, label: &'static str, kind: Kind, hint: &'static str) -> Self {
        Self { name, label, kind, hint, is_required: true }
    }

    pub const fn free(name: &'static str, label: &'static str, kind: Kind, hint: &'static str) -> Self {
        Self { name, label, kind, hint, is_required: false }
    }
}

/// What was sent with a form.
#[derive(Debug, Clone, Default)]
pub struct Posted(pub Vec<(String, String)>);

impl Posted {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the page says of an act.
#[derive(Debug, Clone, Default)]
pub enum Said {
    #[default]
    Nothing,
    /// It is done; its name.
    Done(String),
    /// It is stored and will be applied.
    Stored(String),
    /// It was refused, with what was entered.
    Refused(&'static str, Posted, Refused),
    /// The answer of an act that changes nothing, with what was entered.
    Shown(&'static str, Posted, Value),
}

impl Said {
    /// What the query of a page says of the act before.
    #[must_use]
    pub fn of_query(query: &Posted) -> Self {
        match (query.get("done"), query.get("stored")) {
            (Some(name), _) => Self::Done(name.to_owned()),
            (None, Some(name)) => Self::Stored(name.to_owned()),
            (None, None) => Self::Nothing,
        }
    }

    /// What was entered and why it was refused, if that was this act on the same thing.
    #[must_use]
    pub fn refused(&self, act: &Act, given: &[(&str, String)]) -> Option<(&Posted, &Refused)> {
        let Self::Refused(name, posted, error) = self else { return None };
        let hidden = act.fields.iter().filter(|field| field.kind == Kind::Hidden);
        let is_same = |field: &Field| {
            let own = given.iter().find(|(name, _)| *name == field.name).map(|(_, value)| value.as_str());
            own.is_none() || own == posted.get(field.name)
        };
        (*name == act.name && hidden.into_iter().all(is_same)).then_some((posted, error))
    }

    /// The answer of this act.
    #[must_use]
    pub fn shown(&self, act: &Act) -> Option<(&Posted, &Value)> {
        match self {
            Self::Shown(name, posted, answer) if *name == act.name => Some((posted, answer)),
            _ => None,
        }
    }
}

impl Act {
    /// Whether the person may do it.
    #[must_use]
    pub fn is_allowed(&self, asking: &Asking) -> bool {
        asking.may(&self.method, self.route)
    }

    /// The path of the request.
    #[must_use]
    pub fn path(&self, posted: &Posted) -> String {
        let mut path = self.route.to_owned();
        for field in self.fields {
            let place = format!("{{{}}}", field.name);
            path = path.replace(&place, &segment(posted.get(field.name).unwrap_or_default()));
        }
        path
    }

    /// The body of the request.
    ///
    /// # Errors
    /// The fields whose texts are no values of their kind.
    pub fn body(&self, posted: &Posted, zone: &TimeZone) -> Result<Value, Vec<(String, String)>> {
        let (mut body, mut faults) = (Map::new(), Vec::new());
        for field in self.fields {
            let text = posted.get(field.name).unwrap_or_default();
            if self.route.contains(&format!("{{{}}}", field.name)) {
                if text.trim().is_empty() {
                    faults.push((field.name.to_owned(), "is missing".to_owned()));
                }
                continue;
            }
            match value(field, text, zone) {
                Ok(None) if field.is_required => {
                    faults.push((field.name.to_owned(), "is missing".to_owned()));
                }
                Ok(None) => {}
                Ok(Some(value)) => put(&mut body, field.name, value),
                Err(detail) => faults.push((field.name.to_owned(), detail.to_owned())),
            }
        }
        if faults.is_empty() { Ok(Value::Object(body)) } else { Err(faults) }
    }

    /// Sends it.
    ///
    /// # Errors
    /// What the API refuses, and texts that are no values.
    pub async fn carry_out(&self, asking: &Asking, posted: &Posted) -> Result<Answered, Refused> {
        if !self.is_allowed(asking) {
            let detail = "Your role does not include this.";
            return Err(Refused::new(StatusCode::FORBIDDEN, "You may not do this", detail));
        }
        let body = self.body(posted, &asking.zone).map_err(|errors| {
            let detail = "some fields have no value of their kind";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Refused { errors, ..Refused::new(status, "The form cannot be sent", detail) }
        })?;
        let body = (self.method != Method::DELETE).then_some(&body);
        asking.change(self.method.clone(), &self.path(posted), posted.get("key"), body).await
    }
}

/// Puts a value at its place, with points between the levels.
fn put(body: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            body.insert(name.to_owned(), value);
        }
        Some((outer, inner)) => {
            let within = body.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(within) = within {
                put(within, inner, value);
            }
        }
    }
}

/// The value of a text; `None` for one that is left out.
fn value(field: &Field, text: &str, zone: &TimeZone) -> Result<Option<Value>, &'static str> {
    if field.kind == Kind::Secret {
        return Ok((!text.is_empty()).then(|| text.into()));
    }
    let text = text.trim();
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    match field.kind {
        Kind::Flag => return Ok(Some((!text.is_empty()).into())),
        Kind::NumberOrNull if text.is_empty() => return Ok(Some(Value::Null)),
        _ if text.is_empty() => return Ok(None),
        _ => {}
    }
    let value = match field.kind {
        Kind::Number | Kind::NumberOrNull | Kind::Level(_) => {
            text.parse::<i64>().map_err(|_| "is not a whole number")?.into()
        }
        Kind::Moment => moment(text, zone)?.to_string().into(),
        Kind::Lines => lines().collect(),
        Kind::Pairs => {
            let pair = |line: &str| {
                let (name, value) = line.split_once('=').ok_or("has a line without \"=\"")?;
                Ok((name.trim().to_owned(), Value::from(value.trim())))
            };
            Value::Object(lines().map(pair).collect::<Result<_, &'static str>>()?)
        }
        Kind::Hidden
        | Kind::Text
        | Kind::Secret
        | Kind::Area
        | Kind::Date
        | Kind::Choice(_)
        | Kind::Offered
        | Kind::Flag => text.into(),
    };
    Ok(Some(value))
}

/// A moment as browsers enter it, in the zone; or with its own offset.
pub fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, &'static str> {
    let unreadable = "is not a date and a time, such as 2026-12-25T10:00";
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let civil: DateTime = text.parse().map_err(|_| unreadable)?;
    // A time that a clock change repeats or leaves out is a mistake that costs calls.
    zone.to_ambiguous_zoned(civil)
        .unambiguous()
        .map(|zoned| zoned.timestamp())
        .map_err(|_| "is a time that the clock change leaves out or repeats; enter another one")
}

/// A moment as browsers enter it.
#[must_use]
pub fn entered(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// The moment so many hours later, as browsers enter it.
#[must_use]
pub fn entered_later(now: Timestamp, hours: i64, zone: &TimeZone) -> String {
    entered(now.checked_add(hours.hours()).unwrap_or(now), zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        Field::hidden("id"),
        Field::needed("why", "Why", Kind::Text, ""),
        Field::free("until", "Until", Kind::Moment, ""),
        Field::free("limits.calls", "Calls", Kind::Number, ""),
        Field::free("limits.pace", "Pace", Kind::NumberOrNull, ""),
        Field::free("on", "On", Kind::Flag, ""),
        Field::free("to", "To", Kind::Lines, ""),
        Field::free("values", "Values", Kind::Pairs, ""),
        Field::free("password", "Password", Kind::Secret, ""),
    ];
    const PAUSE: Act = Act {
        name: "pause",
        method: Method::POST,
        route: "/v1/things/{id}/pause",
        fields: FIELDS,
        button: "Pause",
        hint: "",
        done: "It is paused.",
        then: Then::Back,
    };

    fn posted(pairs: &[(&str, &str)]) -> Posted {
        Posted(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn zone() -> TimeZone {
        TimeZone::get("America/New_York").unwrap()
    }

    #[test]
    fn a_form_becomes_a_body_without_what_was_left_empty() {
        let form = posted(&[("id", "a/b"), ("why", " a drill "), ("until", ""), ("extra", "x")]);
        assert_eq!(PAUSE.path(&form), "/v1/things/a%2Fb/pause");
        let body = PAUSE.body(&form, &zone()).unwrap();
        assert_eq!(body, serde_json::json!({"why": "a drill", "limits": {"pace": null}, "on": false}));
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let form = posted(&[
            ("id", "1"),
            ("why", "x"),
            ("until", "2026-12-25T10:00"),
            ("limits.calls", "12"),
            ("limits.pace", "3"),
            ("on", "on"),
            ("to", "one\r\n\r\n two "),
            ("values", "a = b = c\nd="),
            ("password", " as it is "),
        ]);
        let expected = serde_json::json!({"why": "x", "password": " as it is ", "until": "2026-12-25T15:00:00Z", "limits": {"calls": 12, "pace": 3},
            "on": true, "to": ["one", "two"], "values": {"a": "b = c", "d": ""}});
        assert_eq!(PAUSE.body(&form, &zone()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_value_is_named_by_its_field() {
        let form = posted(&[("until", "tomorrow"), ("limits.calls", "1.5"), ("values", "x")]);
        let faults = PAUSE.body(&form, &zone()).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["id", "why", "until", "limits.calls", "values"], "what is needed is named too");
    }

    #[test]
    fn a_time_that_a_clock_change_repeats_or_leaves_out_is_refused() {
        for (text, is_read) in [
            ("2026-03-08T01:59", true),
            ("2026-03-08T02:00", false),
            ("2026-03-08T02:59", false),
            ("2026-03-08T03:00", true),
            ("2026-11-01T00:59", true),
            ("2026-11-01T01:00", false),
            ("2026-11-01T01:59", false),
            ("2026-11-01T02:00", true),
            ("2026-11-01T01:30-04:00", true),
        ] {
            assert_eq!(moment(text, &zone()).is_ok(), is_read, "{text}");
        }
        let at = "2026-12-25T15:00:00Z".parse().unwrap();
        assert_eq!(entered(at, &zone()), "2026-12-25T10:00");
        assert_eq!(entered_later(at, 2, &zone()), "2026-12-25T12:00");
    }

    #[test]
    fn a_refusal_is_shown_at_its_own_form_only() {
        let error = Refused::new(StatusCode::CONFLICT, "x", "y");
        let said = Said::Refused("pause", posted(&[("id", "1")]), error);
        assert!(said.refused(&PAUSE, &[("id", "1".into())]).is_some());
        assert!(said.refused(&PAUSE, &[("id", "2".into())]).is_none());
        assert!(said.refused(&Act { name: "resume", ..PAUSE }, &[("id", "1".into())]).is_none());
        assert!(Said::Nothing.refused(&PAUSE, &[]).is_none());
    }
}
