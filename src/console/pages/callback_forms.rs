//! What can be done with a callback: the forms of its page. Each posts to the API's own route of the same name.

use maud::{Markup, html};
use serde_json::Value;

use crate::console::ask::Refused;
use crate::console::parts::{Input, action, button, choice, list, text};
use crate::console::visit::Visit;
use crate::domain::Scope;

/// The forms that the person may use, and that the state of the callback allows.
pub(super) fn actions(
    visit: &Visit,
    record: &Value,
    dispositions: Option<&Value>,
    refused: Option<&Refused>,
) -> Markup {
    let path = |verb: &str| format!("callbacks/{}/{verb}", text(record, "id"));
    let (is_open, is_waiting) = (text(record, "status") != "closed", text(record, "status") == "waiting");
    let has_calls = !list(record, "attempts").is_empty();
    html! {
        h2 { "What you can do" }
        div.actions {
            @if is_open && visit.may(Scope::Order) {
                (action(visit, &path("cancel"), "Cancel", false, &html! { p { "It is called no more. A phone that rings for it is hung up." } }))
            }
            @if is_waiting && visit.may(Scope::Order) { (action(visit, &path("reschedule"), "Reschedule", refused.is_some(), &reschedule(refused))) }
            @if is_waiting && visit.may(Scope::Supervise) {
                (action(visit, &path("allow-attempt"), "Allow one more call", false, &allow(refused)))
            }
            @if has_calls && visit.may(Scope::Work) && dispositions.is_some() {
                (action(visit, &path("wrap-up"), "Wrap up", false, &wrap_up(dispositions, refused)))
            }
            @if visit.may(Scope::Operate) { (button(visit, &path("replay"), "Send its webhooks again")) }
        }
    }
}

fn reschedule(refused: Option<&Refused>) -> Markup {
    html! {
        (Input::text("earliest", "Not before").hint("such as 2026-11-30T09:00:00-03:00").shown(refused))
        (Input::text("latest", "Until").shown(refused))
        (choice("priority", "Urgency", "", &[("", "as it is"), ("1", "bulk"), ("5", "normal"), ("8", "urgent")]))
        (Input::text("reason", "Why").shown(refused))
    }
}

fn allow(refused: Option<&Refused>) -> Markup {
    html! {
        p { "WhatsApp blocks us after too many missed calls in a row. This is the last one before that." }
        (Input::text("reason", "Why").required().shown(refused))
    }
}

fn wrap_up(dispositions: Option<&Value>, refused: Option<&Refused>) -> Markup {
    let known = dispositions.map_or(&[][..], |value| list(value, "dispositions"));
    let options: Vec<(&str, &str)> =
        known.iter().map(|disposition| (text(disposition, "name"), text(disposition, "label"))).collect();
    html! {
        (choice("disposition", "What came of it", "", &options))
        (Input::text("callback_at", "Call again at").hint("if it was agreed, with the time zone").shown(refused))
        (Input::text("agent", "Agent").shown(refused))
        (Input::text("note", "Note").shown(refused))
    }
}
