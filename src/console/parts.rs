//! What pages consist of: tiles, tables, filters, fields, links to the next page. All of it is data to markup.

use maud::{Markup, Render, html};
use serde_json::Value;

use super::ask::Refused;
use super::visit::Visit;

/// The text of a field of the API's answer; empty if it is not there. `name` may be a path such as `reason.code`.
#[must_use]
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    field(value, name).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number of a field; 0 if it is not there.
#[must_use]
pub fn number(value: &Value, name: &str) -> u64 {
    field(value, name).and_then(Value::as_u64).unwrap_or_default()
}

/// A field, also of an object within.
#[must_use]
pub fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(value, |value, part| value.get(part))
}

/// The elements of a field; none if it is not there.
#[must_use]
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    field(value, name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A figure with its name, which leads to the list behind it.
#[must_use]
pub fn tile(name: &str, figure: impl Render, more: &str, link: Option<&str>) -> Markup {
    let inner = html! {
        span.figure { (figure) }
        span.what { (name) }
        @if !more.is_empty() { span.more { (more) } }
    };
    html! {
        @match link {
            Some(link) => a.tile href=(link) { (inner) },
            None => div.tile { (inner) },
        }
    }
}

/// A tile whose figure could not be read.
#[must_use]
pub fn tile_failed(name: &str, refused: &Refused) -> Markup {
    html! { div.tile.failed { span.figure { "?" } span.what { (name) } span.more { "not known: " (refused.title) } } }
}

/// A table with these headings. On a narrow screen each row is a card.
#[must_use]
pub fn table(caption: &str, headings: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                tbody { @for row in rows { tr {
                    @for (index, cell) in row.iter().enumerate() {
                        td data-label=(headings.get(index).copied().unwrap_or_default()) { (cell) }
                    }
                } } }
            }
        }
    }
}

/// What is shown in place of an empty table.
#[must_use]
pub fn nothing(sentence: &str) -> Markup {
    html! { p.nothing { (sentence) } }
}

/// Names with values.
#[must_use]
pub fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! { dl { @for (name, value) in facts {
        div { dt { (name) } dd { @if value.0.is_empty() { span.none aria-label="none" { "–" } } @else { (value) } } }
    } } }
}

/// A link to the next page of a list.
#[must_use]
pub fn next_page(visit: &Visit, cursor: &str) -> Markup {
    html! {
        nav.pages aria-label="Pages of the list" {
            @if visit.query("cursor").is_some() { a href={ "?" (visit.query_with("cursor", None)) } { "First page" } }
            @if !cursor.is_empty() { " " a rel="next" href={ "?" (visit.query_with("cursor", Some(cursor))) } { "Next page" } }
        }
    }
}

/// A field of a form with its label, and with what is wrong with it.
pub struct Input<'a> {
    /// The form that it is in, on a page with several forms; empty on others.
    pub form: &'a str,
    pub name: &'a str,
    pub label: &'a str,
    pub value: &'a str,
    /// The type of the input: `text`, `number`, `search`, `datetime-local`.
    pub kind: &'a str,
    pub hint: &'a str,
    pub is_required: bool,
}

impl<'a> Input<'a> {
    #[must_use]
    pub const fn text(name: &'a str, label: &'a str) -> Self {
        Self { form: "", name, label, value: "", kind: "text", hint: "", is_required: false }
    }

    #[must_use]
    pub const fn of_kind(self, kind: &'a str) -> Self {
        Self { kind, ..self }
    }

    #[must_use]
    pub const fn value(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    #[must_use]
    pub const fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    #[must_use]
    pub const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The field, with the fault that the API found in it.
    #[must_use]
    pub fn shown(&self, refused: Option<&Refused>) -> Markup {
        let fault = refused.and_then(|refused| refused.of_field(self.name));
        let id = match self.form {
            "" => format!("field-{}", self.name),
            form => format!("field-{form}-{}", self.name),
        };
        let told = format!("{id}-told");
        let is_told = fault.is_some() || !self.hint.is_empty();
        html! {
            div.field {
                label for=(id) { (self.label) }
                input id=(id) name=(self.name) type=(self.kind) value=(self.value) required[self.is_required]
                    aria-invalid=[fault.map(|_| "true")] aria-describedby=[is_told.then_some(&told)];
                @if let Some(fault) = fault { span.fault id=(told) { (fault) } }
                @else if !self.hint.is_empty() { span.hint id=(told) { (self.hint) } }
            }
        }
    }
}

/// A choice among words. The first pair is shown if none is chosen.
#[must_use]
pub fn choice(name: &str, label: &str, chosen: &str, options: &[(&str, &str)]) -> Markup {
    let id = format!("field-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) { (self::options(chosen, options)) }
        }
    }
}

/// What a choice offers, with the chosen one.
#[must_use]
pub fn options(chosen: &str, offered: &[(&str, &str)]) -> Markup {
    html! { @for (value, shown) in offered { option value=(value) selected[*value == chosen] { (shown) } } }
}

/// A form of filters: a GET, so that the list can be bookmarked.
#[must_use]
pub fn filters(fields: &Markup) -> Markup {
    html! { form.filters method="get" role="search" { (fields) button type="submit" { "Show" } " " a href="?" { "All" } } }
}

/// A form with one button that does something at once. `path` is below the console's first page.
#[must_use]
pub fn button(visit: &Visit, path: &str, label: &str) -> Markup {
    html! {
        form.inline method="post" action={ (visit.root()) (path) } { (visit.csrf()) button type="submit" { (label) } }
    }
}

/// A form that is opened first, for what needs more than a button.
#[must_use]
pub fn action(visit: &Visit, path: &str, label: &str, is_open: bool, fields: &Markup) -> Markup {
    html! {
        details.action open[is_open] {
            summary { (label) }
            form method="post" action={ (visit.root()) (path) } { (visit.csrf()) (fields) button type="submit" { (label) } }
        }
    }
}

/// A word with a colour that also differs by its text.
#[must_use]
pub fn badge(kind: &str, word: &str) -> Markup {
    html! { span class={ "badge " (kind) } { (word) } }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn fields_within_objects_are_read_and_absent_ones_are_empty() {
        let value = serde_json::json!({ "reason": { "code": "a.b" }, "n": 3, "rows": [1] });
        assert_eq!(text(&value, "reason.code"), "a.b");
        assert_eq!((number(&value, "n"), number(&value, "x.y")), (3, 0));
        assert_eq!((list(&value, "rows").len(), list(&value, "n").len()), (1, 0));
    }

    #[test]
    fn what_people_write_is_escaped_and_a_fault_is_at_its_field() {
        let mut refused = Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong", "wrong");
        refused.errors.push(("latest".to_owned(), "is <before> earliest".to_owned()));
        let shown = Input::text("latest", "Until").value("\"><script>").shown(Some(&refused)).into_string();
        assert!(
            shown.contains("aria-invalid=\"true\"") && shown.contains("is &lt;before&gt; earliest"),
            "{shown}"
        );
        assert!(!shown.contains("<script>"), "{shown}");
        assert!(
            !Input::text("earliest", "From").shown(Some(&refused)).into_string().contains("aria-invalid")
        );
        let row = vec![vec![html! { ("<b>") }]];
        assert!(table("<i>", &["A"], &row).into_string().contains("&lt;b&gt;"));
    }
}
