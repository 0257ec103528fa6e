//! What can be done with a callback: the forms of its page. Each posts to the API's own route of the same name.

use axum::http::Method;
use maud::{Markup, html};
use serde_json::Value;

use crate::console::fields::{Again, Fields};
use crate::console::parts::{Input, action, button, list, text};
use crate::console::person::may_ask;
use crate::console::times;
use crate::console::visit::Visit;
use crate::domain::Scope;

/// The forms that the person may use, and that the state of the callback allows.
pub(super) fn actions(
    visit: &Visit,
    record: &Value,
    dispositions: Option<&Value>,
    again: Option<Again<'_>>,
) -> Markup {
    let fields = |verb: &'static str| Fields::new(verb, again);
    let zone = format!("by the clock of {}", times::place(&visit.app().reports.zone));
    let path = |verb: &str| format!("callbacks/{}/{verb}", text(record, "id"));
    let (is_open, is_waiting) = (text(record, "status") != "closed", text(record, "status") == "waiting");
    let has_calls = !list(record, "attempts").is_empty();
    html! {
        h2 { "What you can do" }
        div.actions {
            @if is_open && visit.may(Scope::Order) {
                (action(visit, &path("cancel"), "Cancel", false, &html! { p { "It is called no more. A phone that rings for it is hung up." } }))
            }
            @if is_waiting && visit.may(Scope::Order) {
                @let fields = fields("reschedule");
                (action(visit, &path("reschedule"), "Reschedule", fields.is_refused(), &reschedule(fields, &zone)))
            }
            @if is_open && may_ask(&visit.person, &Method::POST, "/v1/callbacks/{id}/not-today") {
                @let fields = fields("not-today");
                (action(visit, &path("not-today"), "Not again today", fields.is_refused(), &not_today(fields)))
            }
            @if is_waiting && visit.may(Scope::Supervise) {
                @let fields = fields("allow-attempt");
                (action(visit, &path("allow-attempt"), "Allow one more call", fields.is_refused(), &allow(fields)))
            }
            @if has_calls && visit.may(Scope::Work) && dispositions.is_some() {
                @let fields = fields("wrap-up");
                (action(visit, &path("wrap-up"), "Wrap up", fields.is_refused(), &wrap_up(dispositions, fields, &zone)))
            }
            @if visit.may(Scope::Operate) { (button(visit, &path("replay"), "Send its webhooks again")) }
        }
    }
}

fn reschedule(fields: Fields<'_>, zone: &str) -> Markup {
    html! {
        (fields.input(Input::text("earliest", "Not before").of_kind("datetime-local").hint(zone)))
        (fields.input(Input::text("latest", "Until").of_kind("datetime-local").hint(zone)))
        (fields.choice("priority", "Urgency", &[("", "as it is"), ("1", "bulk"), ("5", "normal"), ("8", "urgent")]))
        (fields.input(Input::text("reason", "Why")))
    }
}

fn not_today(fields: Fields<'_>) -> Markup {
    html! {
        p { "No call and no message for it before the consumer's midnight. A call in progress goes on." }
        (fields.input(Input::text("reason", "Why")))
    }
}

fn allow(fields: Fields<'_>) -> Markup {
    html! {
        p { "WhatsApp blocks us after too many missed calls in a row. This is the last one before that." }
        (fields.input(Input::text("reason", "Why").required()))
    }
}

fn wrap_up(dispositions: Option<&Value>, fields: Fields<'_>, zone: &str) -> Markup {
    let known = dispositions.map_or(&[][..], |value| list(value, "dispositions"));
    let options: Vec<(&str, &str)> =
        known.iter().map(|disposition| (text(disposition, "name"), text(disposition, "label"))).collect();
    html! {
        (fields.choice("disposition", "What came of it", &options))
        (fields.input(Input::text("callback_at", "Call again at").of_kind("datetime-local").hint(&format!("if it was agreed, {zone}"))))
        (fields.input(Input::text("agent", "Agent")))
        (fields.input(Input::text("note", "Note")))
    }
}
