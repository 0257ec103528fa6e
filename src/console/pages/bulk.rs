//! One change of many callbacks: what would change, the confirmation with the number, the progress, and the stop.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::console::ask::Answer;
use crate::console::asking::segment;
use crate::console::charts::meter;
use crate::console::fields::{Again, Fields, moments};
use crate::console::form::Form;
use crate::console::layout::Page;
use crate::console::parts::{Input, action, badge, button, facts, list, nothing, number, table, text};
use crate::console::times::place;
use crate::console::visit::Visit;
use crate::console::words::{self, counted};
use crate::domain::Scope;

/// The form below a list, as its fields are named.
const FORM: &str = "bulk";

/// The changes of many callbacks, newest first.
pub(super) async fn all(visit: Visit) -> Response {
    match visit.get("/v1/bulk").await {
        Ok(found) => visit.page(Page::new("Changes of many callbacks").live(rows(&visit, &found))),
        Err(refused) => visit.page_refused(&refused, Page::new("Changes of many callbacks")),
    }
}

fn rows(visit: &Visit, found: &Value) -> Markup {
    let rows: Vec<_> = list(found, "bulk")
        .iter()
        .map(|bulk| {
            vec![
                html! { a href={ (visit.root()) "bulk/" (text(bulk, "id")) } { (what(bulk)) } },
                badge(if text(bulk, "state") == "running" { "warn" } else { "plain" }, text(bulk, "state")),
                html! { (number(bulk, "applied")) " of " (number(bulk, "total")) },
                html! { (words::by(text(bulk, "by"))) },
                html! { (text(bulk, "why")) },
            ]
        })
        .collect();
    html! {
        @if rows.is_empty() { (nothing("Nobody has changed many callbacks at once.")) }
        @else { (table("Newest first", &["what", "state", "done", "by", "why"], &rows)) }
    }
}

/// What it does, in words.
fn what(bulk: &Value) -> String {
    match text(bulk, "act") {
        "cancel" => "cancel".to_owned(),
        _ => {
            let times = ["earliest", "latest"].iter().any(|name| !text(bulk, name).is_empty());
            let urgency = bulk.get("priority").map(|_| words::priority(number(bulk, "priority")));
            match (times, urgency) {
                (true, Some(urgency)) => format!("move the times, and make {urgency}"),
                (true, None) => "move the times".to_owned(),
                (false, urgency) => format!("make {}", urgency.unwrap_or("other")),
            }
        }
    }
}

/// By what a change is narrowed: the same parameters as the list has.
pub(super) const FILTERS: [&str; 3] = ["reason", "campaign", "reference"];

/// Which callbacks are meant, in words.
fn meant(filter: &[(&str, &str)]) -> String {
    let mut told = "All that wait".to_owned();
    for (name, value) in filter.iter().filter(|(_, value)| !value.is_empty()) {
        match (*name, *value) {
            ("reason", code) => told.push_str(&format!(" because of: {}", words::reason(code))),
            // The record of a change does not keep it.
            ("reference", "***") => told.push_str(", with a certain reference"),
            (name, value) => told.push_str(&format!(", with the {name} {value}")),
        }
    }
    told
}

/// The form below a list.
pub(super) fn form(visit: &Visit, filter: &[(&str, &str)], again: Option<Again<'_>>) -> Markup {
    let fields = Fields::new(FORM, again);
    let zone = format!("for other times, by the clock of {}", place(&visit.app().reports.zone));
    html! {
        p { (meant(filter)) ". First you see how many it is. Nothing changes before you confirm." }
        form method="post" action={ (visit.root()) "bulk" } {
            (visit.csrf())
            @for (name, value) in filter { input type="hidden" name=(name) value=(value); }
            (fields.choice("act", "What to do", &[("cancel", "cancel"), ("reschedule", "move the times"), ("priority", "change the urgency")]))
            (fields.input(Input::text("earliest", "Not before").of_kind("datetime-local").hint(&zone)))
            (fields.input(Input::text("latest", "Until").of_kind("datetime-local")))
            (fields.choice("priority", "Urgency", &[("", "as it is"), ("1", "bulk"), ("5", "normal"), ("8", "urgent")]))
            (fields.input(Input::text("why", "Why").required()))
            button type="submit" { "Show what would change" }
        }
    }
}

/// Prepares one from the form below a list.
pub(super) async fn make(form: Form) -> Response {
    let visit = &form.visit;
    let filter = FILTERS.map(|name| (name, form.text(name)));
    match prepared(&form, &filter).await {
        Ok(made) => visit.go(&format!("bulk/{}", text(&made, "id")), "previewed"),
        Err(refused) => {
            let again = Again::new(FORM, &form, &refused);
            let page = Page::new("Change all that match").rest(self::form(visit, &filter, Some(again)));
            visit.page_refused(&refused, page)
        }
    }
}

async fn prepared(form: &Form, filter: &[(&str, &str)]) -> Answer {
    let given = filter.iter().filter(|(_, value)| !value.is_empty());
    let mut narrowed: Map<String, Value> =
        given.map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    if narrowed.is_empty() {
        narrowed.insert("all".to_owned(), true.into());
    }
    let mut body = Map::new();
    body.insert("act".to_owned(), form.text("act").into());
    body.insert("filter".to_owned(), narrowed.into());
    body.insert("why".to_owned(), form.text("why").into());
    moments(form, &["earliest", "latest"], &form.visit.app().reports.zone, &mut body)?;
    if let Some(given) = form.given("priority") {
        body.insert("priority".to_owned(), given.parse::<u64>().map_or_else(|_| given.into(), Value::from));
    }
    form.visit.post("/v1/bulk", &body.into()).await
}

pub(super) async fn one(Path(id): Path<String>, visit: Visit) -> Response {
    page(&visit, &id, None).await
}

/// The page of one, after its form was refused with what is wrong.
async fn page(visit: &Visit, id: &str, again: Option<Again<'_>>) -> Response {
    match visit.get(&format!("/v1/bulk/{}", segment(id))).await {
        Ok(bulk) => {
            let page = Page::new("A change of many callbacks").live(progress(&bulk)).rest(forms(
                visit,
                &bulk,
                Fields::new("confirm", again),
            ));
            match again {
                Some(again) => visit.page_refused(again.refused, page),
                None => visit.page(page),
            }
        }
        Err(refused) => visit.refused(&refused),
    }
}

fn progress(bulk: &Value) -> Markup {
    let (total, applied) = (number(bulk, "total"), number(bulk, "applied"));
    let filter = FILTERS.map(|name| (name, bulk["filter"][name].as_str().unwrap_or_default()));
    html! {
        p.sentence { (what(bulk)) ": " (counted(total, "callback")) }
        (badge(if text(bulk, "state") == "running" { "warn" } else { "plain" }, text(bulk, "state"))) " "
        (meter("done", total.saturating_sub(number(bulk, "open")), total))
        (facts(&[
            ("which", html! { (meant(&filter)) }),
            ("why", html! { (text(bulk, "why")) }),
            ("by", html! { (words::by(text(bulk, "by"))) }),
            ("done", html! { (applied) }),
            ("under way", html! { (number(bulk, "pending")) }),
            ("not begun", html! { (number(bulk, "open")) }),
            ("passed over, because they had changed", html! { (number(bulk, "changed")) }),
            ("refused, because they changed right before", html! { (number(bulk, "refused")) }),
        ]))
    }
}

fn forms(visit: &Visit, bulk: &Value, fields: Fields<'_>) -> Markup {
    let path = |verb: &str| format!("bulk/{}/{verb}", text(bulk, "id"));
    let hint = format!("type {}", number(bulk, "total"));
    html! {
        @if visit.may(Scope::Order) {
            div.actions {
                @if text(bulk, "state") == "preview" {
                    @let count = Input::text("count", "How many callbacks").of_kind("number").hint(&hint).required();
                    (action(visit, &path("confirm"), "Confirm", true, &fields.input(count)))
                }
                @if matches!(text(bulk, "state"), "preview" | "running") { (button(visit, &path("stop"), "Stop")) }
            }
        }
        p { a href={ (visit.root()) "bulk" } { "All changes of many callbacks" } }
    }
}

pub(super) async fn confirm(Path(id): Path<String>, form: Form) -> Response {
    let visit = &form.visit;
    let body = json!({ "count": form.text("count").parse::<u64>().ok() });
    match visit.post(&format!("/v1/bulk/{}/confirm", segment(&id)), &body).await {
        Ok(_) => visit.go(&format!("bulk/{id}"), "confirmed"),
        Err(refused) => page(visit, &id, Some(Again::new("confirm", &form, &refused))).await,
    }
}

pub(super) async fn stop(Path(id): Path<String>, form: Form) -> Response {
    let visit = &form.visit;
    match visit.post(&format!("/v1/bulk/{}/stop", segment(&id)), &json!({})).await {
        Ok(_) => visit.go(&format!("bulk/{id}"), "stopped"),
        Err(refused) => page(visit, &id, Some(Again::new("stop", &form, &refused))).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_are_meant_is_told_in_words() {
        assert_eq!(meant(&[("reason", ""), ("campaign", "")]), "All that wait");
        let filter = [("reason", "limit.streak_guard"), ("campaign", "autumn"), ("reference", "***")];
        let expected = "All that wait because of: one call left before WhatsApp blocks us, with the campaign autumn, \
                        with a certain reference";
        assert_eq!(meant(&filter), expected);
    }

    #[test]
    fn what_it_does_is_told_in_words() {
        assert_eq!(what(&json!({"act": "cancel"})), "cancel");
        assert_eq!(what(&json!({"act": "reschedule", "latest": "x"})), "move the times");
        assert_eq!(what(&json!({"act": "reschedule", "priority": 8})), "make urgent");
        assert_eq!(
            what(&json!({"act": "reschedule", "earliest": "x", "priority": 1})),
            "move the times, and make bulk"
        );
    }
}
