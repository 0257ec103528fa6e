//! The fields of a form on a page that has several: each with an id of its own, and after a refusal with what was entered
//! and what is wrong.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::acts::moment;
use super::ask::Refused;
use super::form::Form;
use super::parts::{Input, options};

/// A form that was refused: which one, what was entered, and why.
#[derive(Clone, Copy)]
pub struct Again<'a> {
    pub verb: &'a str,
    pub entered: &'a [(String, String)],
    pub refused: &'a Refused,
}

impl<'a> Again<'a> {
    #[must_use]
    pub fn new(verb: &'a str, form: &'a Form, refused: &'a Refused) -> Self {
        Self { verb, entered: form.fields(), refused }
    }
}

/// The fields of one form.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    name: &'a str,
    again: Option<Again<'a>>,
}

impl<'a> Fields<'a> {
    /// Of the form `name`. Another form that was refused leaves this one as it is.
    #[must_use]
    pub fn new(name: &'a str, again: Option<Again<'a>>) -> Self {
        Self { name, again: again.filter(|again| again.verb == name) }
    }

    #[must_use]
    pub const fn is_refused(&self) -> bool {
        self.again.is_some()
    }

    fn entered(&self, name: &str) -> Option<&'a str> {
        let entered = self.again?.entered.iter().find(|(given, _)| given == name)?;
        Some(entered.1.as_str())
    }

    #[must_use]
    pub fn input(&self, input: Input<'_>) -> Markup {
        let value = self.entered(input.name).unwrap_or(input.value);
        Input { value, form: self.name, ..input }.shown(self.again.map(|again| again.refused))
    }

    /// A choice among words.
    #[must_use]
    pub fn choice(&self, name: &str, label: &str, choices: &[(&str, &str)]) -> Markup {
        let id = format!("field-{}-{name}", self.name);
        let fault = self.again.and_then(|again| again.refused.of_field(name));
        let told = format!("{id}-told");
        html! {
            div.field {
                label for=(id) { (label) }
                select id=(id) name=(name) aria-invalid=[fault.map(|_| "true")] aria-describedby=[fault.map(|_| &told)] {
                    (options(self.entered(name).unwrap_or_default(), choices))
                }
                @if let Some(fault) = fault { span.fault id=(told) { (fault) } }
            }
        }
    }
}

/// Puts the moments that a form has under these names into a body, by the clock of the team.
///
/// # Errors
/// The fields that have no moment.
pub fn moments(
    form: &Form,
    names: &[&str],
    zone: &TimeZone,
    body: &mut Map<String, Value>,
) -> Result<(), Refused> {
    let mut errors = Vec::new();
    for name in names {
        match form.given(name).map(|text| moment(text, zone)) {
            None => {}
            Some(Ok(at)) => _ = body.insert((*name).to_owned(), at.to_string().into()),
            Some(Err(detail)) => errors.push(((*name).to_owned(), detail.to_owned())),
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    let detail = "A date or a time cannot be read. Nothing was changed.";
    Err(Refused { errors, ..Refused::new(status, "The form cannot be sent", detail) })
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn a_refused_form_keeps_what_was_entered_and_another_one_stays_as_it_is() {
        let mut refused = Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong", "wrong");
        refused.errors.push(("reason".to_owned(), "is <too> long".to_owned()));
        refused.errors.push(("priority".to_owned(), "is another".to_owned()));
        let entered = [("reason", "\"><b>"), ("priority", "8")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let again = Again { verb: "reschedule", entered: &entered, refused: &refused };
        let fields = Fields::new("reschedule", Some(again));
        let shown = fields.input(Input::text("reason", "Why")).into_string();
        assert!(
            shown.contains("value=\"&quot;&gt;&lt;b&gt;\"") && shown.contains("is &lt;too&gt; long"),
            "{shown}"
        );
        assert!(shown.contains("id=\"field-reschedule-reason\""), "{shown}");
        let choice = fields.choice("priority", "Urgency", &[("", "as it is"), ("8", "urgent")]).into_string();
        assert!(choice.contains("value=\"8\" selected") && choice.contains("is another"), "{choice}");
        let other = Fields::new("allow-attempt", Some(again));
        let shown = other.input(Input::text("reason", "Why")).into_string();
        assert!(
            !other.is_refused() && !shown.contains("aria-invalid") && shown.contains("value=\"\""),
            "{shown}"
        );
        assert!(
            shown.contains("id=\"field-allow-attempt-reason\""),
            "two fields of a page share no id: {shown}"
        );
    }
}
