//! The page of an import: how much has arrived, and what became of its rows, by row number and code.

use axum::http::Method;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Act, Field, Said, Then};
use crate::console::asking::{Asking, segment};
use crate::console::blocks::{bar, cell, facts, not_read, nothing, table, thousands, when, when_if};
use crate::console::labels;
use crate::console::page_of::{PageOf, Place, Shown};

const COMPLETE: Act = Act {
    name: "complete-import",
    method: Method::POST,
    route: "/v1/imports/{name}/complete",
    fields: &[Field::hidden("name")],
    button: "The list is whole",
    hint: "Nothing follows.",
    done: "The import is complete.",
    then: Then::Back,
};
const REMOVE: Act = Act {
    name: "remove-import",
    method: Method::DELETE,
    route: "/v1/imports/{name}",
    fields: &[Field::hidden("name")],
    button: "Delete the report",
    hint: "Its contacts stay.",
    done: "The report is deleted.",
    then: Then::Leave("../campaigns"),
};

pub(super) const PAGE: PageOf = PageOf {
    path: "imports/{id}",
    acts: &[&COMPLETE, &REMOVE],
    show: |asking, place, said| show(asking, place, said),
};

/// An import in a list.
#[derive(Deserialize)]
pub(super) struct ImportRow {
    id: String,
    name: String,
    state: String,
    size: Option<u64>,
    received: u64,
    rows: u64,
    accepted: u64,
    created_at: Timestamp,
    created_by: String,
}

impl ImportRow {
    pub(super) const HEADS: [&'static str; 5] = ["List", "State", "Rows", "Refused", "Imported"];

    /// The row of a table. `up` leads to the console's first page.
    pub(super) fn cells(&self, asking: &Asking, up: &str) -> Vec<Markup> {
        let refused = self.rows.saturating_sub(self.accepted);
        vec![
            html! { a href={ (up) "imports/" (segment(&self.id)) } { (self.name) } },
            cell(arrived(&self.state, self.received, self.size)),
            cell(thousands(self.rows)),
            cell(thousands(refused)),
            html! { (when(asking, self.created_at)) " " small { (labels::by(&self.created_by)) } },
        ]
    }
}

#[derive(Deserialize)]
struct Import {
    id: String,
    name: String,
    state: String,
    campaign: Option<String>,
    size: Option<u64>,
    received: u64,
    created_at: Timestamp,
    created_by: String,
    completed_at: Option<Timestamp>,
    format: Option<String>,
    encoding: Option<String>,
    #[serde(default)]
    unused_columns: Vec<u64>,
    rows: u64,
    accepted: u64,
    accepted_before: u64,
    refused: Vec<Group>,
    findings: Vec<Group>,
}

/// Rows that have something, as the API tells them.
#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) check: String,
    pub(super) code: String,
    pub(super) count: u64,
    /// The numbers of the first.
    pub(super) rows: Vec<u32>,
}

fn show<'a>(asking: &'a Asking, place: &'a Place, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let import: Result<Import, _> = asking.read(&format!("/v1/imports/{}", segment(&place.id))).await;
        let title =
            import.as_ref().map_or_else(|_| "Import".to_owned(), |import| format!("Import {}", import.name));
        let body = html! {
            (told(said, PAGE.acts))
            @match &import {
                Ok(import) => (body(asking, import, said)),
                Err(error) => (not_read(error)),
            }
        };
        Shown::new(title, body).about(&import)
    })
}

fn body(asking: &Asking, import: &Import, said: &Said) -> Markup {
    let refused = import.rows.saturating_sub(import.accepted);
    let given = || Filled::with([("name", import.id.clone())]);
    html! {
        @if let Some(campaign) = &import.campaign {
            p { a href={ "../campaigns/" (segment(campaign)) } { "The campaign" } }
        }
        (facts(&[
            ("State", cell(arrived(&import.state, import.received, import.size))),
            ("Rows", cell(thousands(import.rows))),
            ("Accepted", html! { (thousands(import.accepted)) " " (bar(import.accepted, import.rows)) }),
            ("Of these, known from an earlier list of this name", cell(thousands(import.accepted_before))),
            ("Refused", cell(thousands(refused))),
            ("Imported", html! { (when(asking, import.created_at)) " " (labels::by(&import.created_by)) }),
            ("Complete", when_if(asking, import.completed_at)),
            ("Read as", cell([import.format.as_deref(), import.encoding.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", "))),
        ]))
        @if !import.unused_columns.is_empty() {
            p class="second" {
                "Columns that are not used: "
                (import.unused_columns.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")) "."
            }
        }
        section {
            h2 { "Refused rows" }
            @if import.refused.is_empty() {
                (nothing("No row was refused."))
            } @else {
                p { a href={ (segment(&import.id)) "/refused.csv" } download { "All refused rows (CSV)" } }
                (groups("Refused rows", &import.refused))
                p class="second" { "Correct these rows and import the list again under the same name: rows that were accepted are passed over." }
            }
        }
        section {
            h2 { "What was found about the other rows" }
            @if import.findings.is_empty() { (nothing("Nothing.")) } @else { (groups("Findings", &import.findings)) }
        }
        @if import.state == "receiving" { (form(asking, &COMPLETE, &given(), said)) " " }
        (form(asking, &REMOVE, &given(), said))
    }
}

/// Groups of rows as a table, in words.
pub(super) fn groups(caption: &str, groups: &[Group]) -> Markup {
    let row = |group: &Group| {
        let rows: Vec<String> = group.rows.iter().map(u32::to_string).collect();
        let more = if group.count > group.rows.len() as u64 { ", …" } else { "" };
        vec![
            html! { (finding(&group.check, &group.code)) " " small { code { (group.code) } } },
            cell(thousands(group.count)),
            cell(format!("{}{more}", rows.join(", "))),
        ]
    };
    table(caption, &["What", "Rows", "Row numbers"], groups.iter().map(row))
}

/// What a finding means, in words.
fn finding(check: &str, code: &str) -> String {
    let words = match (check, code) {
        ("open", "already_open") => "A callback to this person is open already",
        ("open", "in_this_campaign") => "This person is in the campaign already",
        ("open", "in_a_draft") => "This person is in a campaign that is not launched",
        ("permission", "live") => "May be called: the permission is there",
        ("permission", "asked") => "Is asked already, no answer yet",
        ("permission", "ends_before") => "The permission ends before the call may begin",
        ("permission", "must_ask") => "Must be asked for the permission first",
        ("permission", "must_wait") => "Must be asked, and the limits allow it only later",
        ("permission", "guarded_by_streak") => "One call left before WhatsApp blocks us",
        ("permission", "revoked_by_consumer") => "The consumer took the permission back",
        ("permission", "revoked_automatically") => "WhatsApp took the permission back",
        ("permission", "uncallable") => "Is not on WhatsApp",
        ("sender", _) => "The sender places no calls",
        ("hours", _) => "The calling hours leave little time",
        ("zone", "given") => "The time zone is given",
        ("zone", "by_person") => "The time zone is known from the person",
        ("zone", "by_number") => "The time zone follows from the number",
        ("zone", "ambiguous") => "The number has several time zones; all of them must be open",
        ("zone", "unknown") => "The time zone is not known",
        ("step", "place_call") => "Would be called now",
        ("step", "request_permission") => "Would be asked now",
        ("step", "invite") => "Would be invited now",
        ("step", "wait") => "Would wait",
        ("step", "finish") => "Would be closed at once",
        ("suppressed", list) => return format!("Is on the suppression list {list}"),
        ("reason", code) => return format!("Would wait: {}", labels::plain(code).replace('.', ", ")),
        (_, code) => return labels::plain(code).replace('.', ", "),
    };
    words.to_owned()
}

/// How far a list is.
fn arrived(state: &str, received: u64, size: Option<u64>) -> String {
    match (state, size) {
        ("complete", _) => "complete".to_owned(),
        (_, Some(size)) => format!("{} of {} bytes have arrived", thousands(received), thousands(size)),
        (_, None) => format!("{} bytes have arrived", thousands(received)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_finding_is_told_by_its_code() {
        assert_eq!(finding("order", "phone.invalid"), "phone, invalid");
        assert_eq!(finding("suppressed", "house"), "Is on the suppression list house");
        assert_eq!(finding("permission", "must_ask"), "Must be asked for the permission first");
    }

    #[test]
    fn an_import_says_how_much_of_it_has_arrived() {
        assert_eq!(arrived("complete", 9, Some(9)), "complete");
        assert_eq!(arrived("receiving", 1_000, Some(2_000)), "1,000 of 2,000 bytes have arrived");
        assert_eq!(arrived("receiving", 0, None), "0 bytes have arrived");
    }
}
