//! The pages of reports: which there are, and one as a table and a plot, with links to its files.

use futures_util::future::BoxFuture;
use maud::{Markup, html};
use serde::Deserialize;

use super::senders::{SenderRow, Senders};
use crate::console::acts::Said;
use crate::console::ask::Refused;
use crate::console::asking::{Asking, query, segment};
use crate::console::blocks::{not_read, section};
use crate::console::labels;
use crate::console::page_of::{PageOf, Place, Shown};
use crate::console::table_of_report::ReportData;

/// The filters that the API's report takes.
pub const FILTERS: [&str; 6] = ["from", "to", "zone", "by", "campaign", "sender"];

pub(super) const LIST: PageOf = PageOf { path: "reports", acts: &[], show: |asking, _, _| list(asking) };
pub(super) const ONE: PageOf =
    PageOf { path: "reports/{id}", acts: &[], show: |asking, place, said| one(asking, place, said) };

#[derive(Deserialize)]
struct Reports {
    reports: Vec<Known>,
    days_max: u32,
}

#[derive(Deserialize)]
struct Known {
    name: String,
    about: String,
    by: Vec<String>,
    of_now: bool,
    takes_campaign: bool,
    takes_sender: bool,
}

fn list(asking: &Asking) -> BoxFuture<'_, Shown> {
    Box::pin(async move {
        let known: Result<Reports, _> = asking.read("/v1/reports").await;
        let body = html! {
            (section("Reports", &known, |known| html! {
                dl class="reports" {
                    @for report in &known.reports {
                        div {
                            dt { a href={ "reports/" (report.name) } { (labels::plain(&report.name)) } }
                            dd { (report.about) }
                        }
                    }
                }
                p class="second" { "A report covers up to " (known.days_max) " days." }
            }))
        };
        Shown::new("Reports", body).about(&known)
    })
}

fn one<'a>(asking: &'a Asking, place: &'a Place, _: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let known: Result<Reports, _> = asking.read("/v1/reports").await;
        let senders: Result<Senders, _> = asking.read("/v1/senders").await;
        let filters = filters(place);
        let read: Result<ReportData, _> =
            asking.read(&format!("/v1/reports/{}{filters}", segment(&place.id))).await;
        let about = known.as_ref().ok();
        let about = about.and_then(|known| known.reports.iter().find(|report| report.name == place.id));
        let senders = senders.as_ref().map_or(&[][..], |senders| &senders.senders);
        let title = labels::plain(&place.id);
        Shown::new(format!("Report: {title}"), body(asking, place, (about, senders), &read)).about(&read)
    })
}

/// The filters of the page, as the API takes them.
#[must_use]
pub fn filters(place: &Place) -> String {
    query(FILTERS.map(|name| (name, place.filter(name).unwrap_or_default())))
}

type Context<'a> = (Option<&'a Known>, &'a [SenderRow]);

fn body(
    asking: &Asking,
    place: &Place,
    (known, senders): Context<'_>,
    read: &Result<ReportData, Refused>,
) -> Markup {
    let (id, filters) = (segment(&place.id), filters(place));
    html! {
        p { a href="../reports" { "All reports" } }
        @if let Some(known) = known { (choice(place, known, senders, read.as_ref().ok())) }
        @match read {
            Err(error) => (not_read(error)),
            Ok(report) => {
                p { (report.about) " " (report.period()) }
                p class="files" {
                    a href={ (id) "/table.csv" (filters) } download { "CSV" } " "
                    a href={ (id) "/data.json" (filters) } download { "JSON" } " "
                    a href={ (id) "/plot.svg" (filters) } { "SVG" }
                }
                @if !report.rows.is_empty() {
                    details open {
                        summary { "Plot" }
                        img class="plot" src={ (id) "/plot.svg" (filters) } alt={ "Plot of the report " (labels::plain(&place.id)) "; the table below has its numbers." };
                    }
                }
                (report.markup(asking, &labels::plain(&place.id)))
            }
        }
    }
}

fn choice(place: &Place, known: &Known, senders: &[SenderRow], report: Option<&ReportData>) -> Markup {
    let value = |name: &str| place.filter(name).unwrap_or_default();
    let day = |name: &'static str, words: &str, used: Option<&String>| {
        html! {
            label { (words) " " input type="date" name=(name) value=(place.filter(name).or(used.map(String::as_str)).unwrap_or_default()); }
        }
    };
    html! {
        form method="get" class="filters" {
            @if !known.of_now {
                (day("from", "From", report.and_then(|report| report.from.as_ref())))
                (day("to", "To", report.and_then(|report| report.to.as_ref())))
                label { "Time zone " input type="text" name="zone" value=(value("zone")) placeholder=(report.and_then(|report| report.zone.as_deref()).unwrap_or_default()); }
            }
            label { "A row for each " select name="by" {
                @for by in &known.by {
                    option value=(by) selected[report.is_some_and(|report| report.by == *by)] { (labels::plain(by)) }
                }
            } }
            @if known.takes_campaign {
                label { "Campaign " input type="text" name="campaign" value=(value("campaign")) placeholder="cmp_… or a label"; }
            }
            @if known.takes_sender {
                label { "Sender " select name="sender" {
                    option value="" { "all" }
                    @for sender in senders {
                        option value=(sender.name()) selected[sender.name() == value("sender")] { (sender.words()) }
                    }
                } }
            }
            button type="submit" { "Show" }
        }
    }
}
