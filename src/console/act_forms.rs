//! The forms of acts. A form is there only for a person who may send it, and says at each field what is wrong with it.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::acts::{Act, Field, Kind, Posted, Said};
use super::ask::Refused;
use super::asking::Asking;

/// What a page puts into a form.
#[derive(Default)]
pub struct Filled<'a> {
    /// Values by field: of hidden ones, and of others those that are there from the beginning.
    pub given: Vec<(&'a str, String)>,
    /// The values, with their words, that a field offers.
    pub offered: BTreeMap<&'a str, Vec<(String, String)>>,
}

impl<'a> Filled<'a> {
    #[must_use]
    pub fn with(given: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self { given: given.into_iter().collect(), offered: BTreeMap::new() }
    }

    #[must_use]
    pub fn offering(mut self, field: &'a str, values: Vec<(String, String)>) -> Self {
        self.offered.insert(field, values);
        self
    }
}

/// The form of an act; nothing for a person who may not do it.
#[must_use]
pub fn form(asking: &Asking, act: &Act, filled: &Filled<'_>, said: &Said) -> Markup {
    if !act.is_allowed(asking) {
        return html! {};
    }
    let refused = said.refused(act, &filled.given);
    let key = asking.fresh_key();
    let form = Form { filled, refused, entered: said.shown(act).map(|(posted, _)| posted), key: &key };
    let has_fields = act.fields.iter().any(|field| field.kind != Kind::Hidden);
    let inside = html! {
        form method="post" class=[(!has_fields).then_some("inline")] {
            (asking.visit.csrf())
            input type="hidden" name="act" value=(act.name);
            // A live part is the same for all who look.
            @if !asking.visit.is_part() { input type="hidden" name="key" value=(key); }
            @for field in act.fields { (form.field(field)) }
            @if has_fields && !act.hint.is_empty() { p class="hint" { (act.hint) } }
            button type="submit" { (act.button) }
            @if !has_fields && !act.hint.is_empty() { " " small class="hint" { (act.hint) } }
        }
    };
    // A form of one button needs no place of its own.
    if has_fields {
        html! { details class="action" open[refused.is_some() || said.shown(act).is_some()] { summary { (act.button) } (inside) } }
    } else {
        inside
    }
}

struct Form<'a> {
    filled: &'a Filled<'a>,
    refused: Option<(&'a Posted, &'a Refused)>,
    /// What was entered before, if the answer is shown.
    entered: Option<&'a Posted>,
    key: &'a str,
}

impl Form<'_> {
    fn value(&self, field: &Field) -> &str {
        if field.kind == Kind::Secret {
            return "";
        }
        let entered = self.refused.map(|(posted, _)| posted).or(self.entered);
        match entered {
            Some(posted) if field.kind != Kind::Hidden => posted.get(field.name).unwrap_or_default(),
            _ => {
                let given = self.filled.given.iter().find(|(name, _)| *name == field.name);
                given.map_or("", |(_, value)| value.as_str())
            }
        }
    }

    fn field(&self, field: &Field) -> Markup {
        let value = self.value(field);
        if field.kind == Kind::Hidden {
            return html! { input type="hidden" name=(field.name) value=(value); };
        }
        let id = format!("f{}-{}", self.key.get(20..).unwrap_or_default(), field.name);
        let faults: Vec<String> = self.refused.map_or_else(Vec::new, |(_, error)| {
            let own = error.errors.iter().filter(|(path, _)| is_of(path, field.name));
            own.map(|(_, detail)| sentence(detail)).collect()
        });
        let (error_id, hint_id) = (format!("{id}-error"), format!("{id}-hint"));
        let described = match (faults.is_empty(), field.hint.is_empty()) {
            (false, _) => Some(error_id.as_str()),
            (true, false) => Some(hint_id.as_str()),
            (true, true) => None,
        };
        let is_flag = field.kind == Kind::Flag;
        html! {
            div class="field" {
                @if is_flag { (self.control(field, &id, value, described, !faults.is_empty())) " " }
                label for=(id) { (field.label) @if !field.is_required && !is_flag { " " small { "(optional)" } } }
                @if !is_flag { (self.control(field, &id, value, described, !faults.is_empty())) }
                @if !field.hint.is_empty() { small class="hint" id=(hint_id) { (field.hint) } }
                @if !faults.is_empty() {
                    span class="fault" id=(error_id) { (field.label) " " (faults.join(" ")) }
                }
            }
        }
    }

    fn control(&self, field: &Field, id: &str, value: &str, described: Option<&str>, wrong: bool) -> Markup {
        let (name, invalid) = (field.name, wrong.then_some("true"));
        let required = field.is_required;
        let kind = match field.kind {
            Kind::Number | Kind::NumberOrNull => "number",
            Kind::Moment => "datetime-local",
            Kind::Date => "date",
            _ => "text",
        };
        html! {
            @match field.kind {
                Kind::Area | Kind::Lines | Kind::Pairs => {
                    textarea id=(id) name=(name) rows="4" required[required] aria-describedby=[described] aria-invalid=[invalid] { (value) }
                }
                Kind::Choice(choices) | Kind::Level(choices) => {
                    select id=(id) name=(name) required[required] aria-describedby=[described] aria-invalid=[invalid] {
                        @if !required { option value="" { "–" } }
                        @for (choice, words) in choices { option value=(choice) selected[*choice == value] { (words) } }
                    }
                }
                Kind::Offered => {
                    select id=(id) name=(name) required[required] aria-describedby=[described] aria-invalid=[invalid] {
                        @if !required { option value="" { "–" } }
                        @for (choice, words) in self.filled.offered.get(name).into_iter().flatten() {
                            option value=(choice) selected[choice == value] { (words) }
                        }
                    }
                }
                Kind::Flag => {
                    input type="checkbox" id=(id) name=(name) value="on" checked[!value.is_empty()] aria-describedby=[described] aria-invalid=[invalid];
                }
                Kind::Secret => {
                    input type="password" id=(id) name=(name) required[required] autocomplete="new-password" aria-describedby=[described] aria-invalid=[invalid];
                }
                _ => {
                    input type=(kind) id=(id) name=(name) value=(value) required[required] autocomplete="off" aria-describedby=[described] aria-invalid=[invalid];
                }
            }
        }
    }
}

/// Whether a fault at this path is shown at this field: it is the field's, or of something inside it.
fn is_of(path: &str, field: &str) -> bool {
    path == field || path.strip_prefix(field).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// With a full stop.
fn sentence(detail: &str) -> String {
    if detail.ends_with('.') { detail.to_owned() } else { format!("{detail}.") }
}

/// What a page says first: that an act is done, is stored, or was refused. What is wrong with a field is at the field too.
#[must_use]
pub fn told(said: &Said, acts: &[&Act]) -> Markup {
    let known = |name: &str| acts.iter().find(|act| act.name == name);
    html! {
        @match said {
            Said::Done(name) => @if let Some(act) = known(name) { p class="done" role="status" { (act.done) } }
            Said::Stored(name) => @if known(name).is_some() {
                p class="done" role="status" { "It is stored, and is applied in a moment. Load the page again to see it." }
            }
            Said::Refused(name, _, error) => (refusal(known(name).copied(), error)),
            Said::Nothing | Said::Shown(..) => {}
        }
    }
}

/// Why an act was refused, with the words of the form for its fields.
fn refusal(act: Option<&Act>, error: &Refused) -> Markup {
    let label = |path: &str| {
        let own = act.and_then(|act| act.fields.iter().find(|field| is_of(path, field.name)));
        own.map_or_else(|| path.to_owned(), |field| field.label.to_owned())
    };
    html! {
        div class="problem" role="alert" {
            strong { (error.title) "." }
            @if error.errors.is_empty() { " " (sentence(&error.detail)) }
            @for (path, detail) in &error.errors { " " (label(path)) " " (sentence(detail)) }
            " Nothing was changed."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_inside_a_field_is_shown_at_it() {
        assert!(is_of("why", "why"));
        assert!(is_of("consumers[3]", "consumers"));
        assert!(is_of("defaults.hours.zone", "defaults.hours"));
        assert!(!is_of("reasons", "reason"));
        assert!(!is_of("defaults", "defaults.hours"));
    }
}
