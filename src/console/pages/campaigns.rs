//! The page of all campaigns, and the form for a new one.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::campaign_acts::CREATE;
use super::senders::{Pause, Senders};
use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Said, entered_later};
use crate::console::ask::Refused;
use crate::console::asking::{Asking, query};
use crate::console::blocks::{badge, bar, nothing, section, table, text_if, thousands, when};
use crate::console::labels;
use crate::console::page_of::{PageOf, Place, Shown};
use crate::console::table_of_report::ReportData;

pub(super) const PAGE: PageOf =
    PageOf { path: "campaigns", acts: &[&CREATE], show: |asking, place, said| show(asking, place, said) };

#[derive(Deserialize)]
struct Campaigns {
    campaigns: Vec<Row>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    name: String,
    state: String,
    created_at: Timestamp,
    created_by: String,
    pause: Option<Pause>,
}

fn show<'a>(asking: &'a Asking, place: &'a Place, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let page = query([("before", place.filter("before").unwrap_or_default())]);
        let list: Result<Campaigns, _> = asking.read(&format!("/v1/campaigns{page}")).await;
        let progress: Result<ReportData, _> = asking.read("/v1/reports/penetration").await;
        let senders: Result<Senders, _> = asking.read("/v1/senders").await;
        let filled = Filled::with([("defaults.latest", entered_later(asking.now, 24 * 7, &asking.zone))])
            .offering("defaults.sender", senders.map_or_else(|_| Vec::new(), |senders| senders.offered()));
        let body = html! {
            (told(said, PAGE.acts))
            (section("Campaigns", &list, |list| rows(asking, place, list, &progress)))
            (form(asking, &CREATE, &filled, said))
        };
        Shown::new("Campaigns", body).about(&list)
    })
}

fn rows(asking: &Asking, place: &Place, list: &Campaigns, progress: &Result<ReportData, Refused>) -> Markup {
    let row = |row: &Row| {
        vec![
            html! { a href={ "campaigns/" (row.id) } { (row.name) } },
            html! {
                (badge(kind(&row.state), labels::campaign(&row.state)))
                @if let Some(pause) = &row.pause { " " small { (pause.words(asking)) } }
            },
            done(progress, &row.id),
            share(progress, &row.id, "reached_percent"),
            html! { (when(asking, row.created_at)) " " small { (labels::by(&row.created_by)) } },
        ]
    };
    html! {
        @if list.campaigns.is_empty() {
            (nothing("There is no campaign. Make one below."))
        } @else {
            (table("Campaigns", &["Campaign", "State", "Done", "Reached", "Made"], list.campaigns.iter().map(row)))
        }
        nav class="pages" aria-label="Pages of the list" {
            @if place.filter("before").is_some() { a href=(place.with("before", "")) { "First page" } " " }
            @if let Some(next) = &list.next { a rel="next" href=(place.with("before", next)) { "Next page" } }
        }
    }
}

/// The colour of a state.
pub(super) fn kind(state: &str) -> &'static str {
    match state {
        "running" => "good",
        "paused" | "draining" => "warn",
        _ => "",
    }
}

/// How many of the contacts are done, from the report of lists.
fn done(progress: &Result<ReportData, Refused>, id: &str) -> Markup {
    let Ok(progress) = progress else { return html! { "not known" } };
    let Some(row) = progress.rows.iter().find(|row| row.get("campaign").is_some_and(|own| own == id)) else {
        return text_if(None);
    };
    let count = |name: &str| row.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let (total, open) = (count("total"), count("open"));
    let closed = total.saturating_sub(open);
    html! { (thousands(closed)) " of " (thousands(total)) " " (bar(closed, total)) }
}

fn share(progress: &Result<ReportData, Refused>, id: &str, name: &str) -> Markup {
    let row = progress.as_ref().ok().and_then(|progress| {
        progress.rows.iter().find(|row| row.get("campaign").is_some_and(|own| own == id))
    });
    let share = row.and_then(|row| row.get(name)?.as_f64());
    html! { @match share { Some(share) => { (share) " %" } None => (text_if(None)) } }
}
