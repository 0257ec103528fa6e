//! The list of callbacks: filters in the address, a search by number in a form, and changes of all that match.

use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::bulk;
use super::shown::{campaign, consumer, deadline, standing, told};
use crate::console::ask::Answer;
use crate::console::asking;
use crate::console::form::Form;
use crate::console::layout::{Page, problem};
use crate::console::parts::{Input, choice, field, filters, list, next_page, nothing, number, table, text};
use crate::console::visit::Visit;
use crate::console::words;
use crate::domain::Scope;

/// The parameters that the API's list has too.
const FILTERS: [&str; 8] =
    ["status", "outcome", "abandoned", "wrap_up", "reason", "campaign", "reference", "cursor"];
const ROWS: &str = "50";

pub(super) async fn callbacks(visit: Visit) -> Response {
    let mut query = visit.query_of(&FILTERS);
    query.push_str(if query.is_empty() { "limit=" } else { "&limit=" });
    query.push_str(ROWS);
    let found = visit.get(&format!("/v1/callbacks?{query}")).await;
    let page = Page::new("Callbacks").head(html! { (filter_form(&visit)) (search_form(&visit, "", None)) });
    match &found {
        Ok(_) => visit.page(page.live(rows(&visit, &found)).rest(changes(&visit))),
        Err(refused) => visit.page_refused(refused, page),
    }
}

/// Searches by number, which is in no address: addresses end up in logs.
pub(super) async fn search(form: Form) -> Response {
    let visit = &form.visit;
    let asked = json!({ "consumer": form.text("consumer"), "limit": 100 });
    let found = visit.post("/v1/callbacks/search", &asked).await;
    let refused = found.as_ref().err();
    let page = Page::new("Callbacks of a number")
        .head(html! { (search_form(visit, form.text("consumer"), refused)) });
    match refused {
        Some(refused) => visit.page_refused(refused, page),
        None => visit.page(page.rest(rows(visit, &found))),
    }
}

fn filter_form(visit: &Visit) -> Markup {
    let chosen = |name| visit.query(name).unwrap_or_default();
    filters(&html! {
        (choice("status", "State", chosen("status"), &[("", "any"), ("waiting", "waiting"), ("calling", "calling"), ("closed", "closed")]))
        (choice("outcome", "Outcome", chosen("outcome"), &[
            ("", "any"), ("reached", "reached"), ("exhausted", "exhausted"), ("declined", "declined"), ("expired", "expired"),
            ("canceled", "cancelled"), ("failed", "failed"), ("reached_elsewhere", "reached elsewhere"),
        ]))
        (choice("abandoned", "Abandoned", chosen("abandoned"), &[("", "any"), ("true", "abandoned"), ("false", "not abandoned")]))
        (choice("wrap_up", "Wrap-up", chosen("wrap_up"), &[("", "any"), ("missing", "missing")]))
        (Input::text("reason", "Reason").value(chosen("reason")).hint("a code, such as limit.streak_guard").shown(None))
        (Input::text("campaign", "Campaign").value(chosen("campaign")).shown(None))
        (Input::text("reference", "Reference").value(chosen("reference")).shown(None))
    })
}

fn search_form(visit: &Visit, number: &str, refused: Option<&crate::console::ask::Refused>) -> Markup {
    html! {
        details open[refused.is_some()] {
            summary { "Search by number" }
            form.filters method="post" action={ (visit.root()) "callbacks/search" } {
                (visit.csrf())
                (Input::text("consumer", "Number").of_kind("tel").value(number).hint("with the country, such as +44…").required().shown(refused))
                button type="submit" { "Search" }
            }
        }
    }
}

fn rows(visit: &Visit, found: &Answer) -> Markup {
    let page = match found {
        Ok(page) => page,
        Err(refused) => return problem(refused),
    };
    let callbacks = list(page, "callbacks");
    let now = visit.now();
    let shown = callbacks.iter().map(|callback| row(visit, callback, now)).collect::<Vec<_>>();
    html! {
        @if shown.is_empty() {
            @if field(page, "incomplete").is_some() { (nothing("None of those looked at match. There may be more on the next page.")) }
            @else { (nothing("No callback matches.")) }
        } @else {
            (table("Newest first", &["what", "consumer", "state", "why", "until", "calls", "urgency", "campaign"], &shown))
        }
        (next_page(visit, text(page, "next_cursor")))
    }
}

fn row(visit: &Visit, callback: &Value, now: jiff::Timestamp) -> Vec<Markup> {
    let id = text(callback, "id");
    vec![
        html! { a href={ (visit.root()) "callbacks/" (id) } { (words::noun(text(callback, "purpose"))) " " span.second { (short(id)) } } },
        consumer(callback),
        standing(callback),
        html! { (told(visit, callback, text(callback, "reason.sentence"), now)) },
        deadline(visit, callback, now),
        html! { (number(callback, "attempts_made")) " of " (number(callback, "attempts_max")) },
        html! { (words::priority(number(callback, "priority"))) },
        campaign(visit, text(callback, "campaign")),
    ]
}

/// The end of an id, by which people tell two rows apart.
fn short(id: &str) -> String {
    format!("…{}", id.get(id.len().saturating_sub(6)..).unwrap_or(id))
}

/// The change of all that match. It is only offered where it changes what the list shows: a change has fewer filters.
fn changes(visit: &Visit) -> Markup {
    if !visit.may(Scope::Order) {
        return html! {};
    }
    let filter = bulk::FILTERS.map(|name| (name, visit.query(name).unwrap_or_default()));
    let is_wider = ["outcome", "abandoned", "wrap_up"].iter().any(|name| visit.query(name).is_some())
        || visit.query("status").is_some_and(|status| status != "waiting");
    let waiting = asking::query(std::iter::once(("status", "waiting")).chain(filter));
    html! {
        @if is_wider {
            p.hint {
                "Only what waits can be changed at once, by its reason, campaign or reference. " a href=(waiting) { "Show what waits" }
            }
        } @else {
            details.action {
                summary { "Change all that match" }
                (bulk::form(visit, &filter, None))
            }
        }
        p { a href={ (visit.root()) "bulk" } { "Changes of many callbacks" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_by_its_end() {
        assert_eq!(short("cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"), "…8d9e0f");
        assert_eq!(short("x"), "…x");
    }
}
