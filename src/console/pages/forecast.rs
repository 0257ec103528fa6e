//! The forecast on the page of a campaign.

use axum::http::Method;
use maud::{Markup, html};

use crate::console::ask::Refused;
use crate::console::asking::Asking;
use crate::console::blocks::{cell, facts, not_read, table, thousands, until, when};
use crate::console::labels;
use crate::console::page_of::Place;
use crate::http::forecast_told::{AssumedRate, AssumedRates, Day, Forecast, Moments, Numbers};

const ROUTE: &str = "/v1/campaigns/{id}/forecast";

/// The section with the forecast, or with the link that makes one. The link can be bookmarked.
pub(super) fn part(
    asking: &Asking,
    place: &Place,
    made: Option<&Result<Forecast, Refused>>,
    open: u64,
) -> Markup {
    html! {
        @if asking.may(&Method::POST, ROUTE) && (open > 0 || made.is_some()) {
            section id="forecast" {
                h2 { "Forecast" }
                @match made {
                    None => p {
                        a href={ (place.with("forecast", "1")) "#forecast" } { "Forecast the rest of the campaign" }
                        " " small class="hint" { "It plays the open work many times, and takes some seconds." }
                    },
                    Some(Err(error)) => (not_read(error)),
                    Some(Ok(forecast)) => (told(asking, forecast)),
                }
            }
        }
    }
}

fn told(asking: &Asking, forecast: &Forecast) -> Markup {
    let span = |numbers: &Numbers| html! { (thousands(numbers.p50)) " " small { "(nine in ten: at most " (thousands(numbers.p90)) ")" } };
    let moments = |moments: &Moments| html! { (until(asking, moments.p50)) ", " small { "nine in ten by " (when(asking, moments.p90)) } };
    let day = |day: &Day| {
        vec![
            cell(day.date.to_string()),
            cell(thousands(day.mean)),
            cell(format!("{} to {}", thousands(day.min), thousands(day.max))),
        ]
    };
    html! {
        (facts(&[
            ("Last call", match &forecast.last_call_at { Some(at) => moments(at), None => cell("no call") }),
            ("All contacts done", moments(&forecast.finished_at)),
            ("Calls", span(&forecast.calls)),
            ("Permission requests", span(&forecast.requests)),
            ("Reached", span(&forecast.reached)),
        ]))
        @if !forecast.binds.is_empty() {
            p {
                "It waits most for: "
                @for (place, bind) in forecast.binds.iter().enumerate() {
                    @if place > 0 { ", " }
                    (labels::plain(&bind.what)) " (" (bind.percent) " %)"
                }
                "."
            }
        }
        @if let (Some(agents), Some(idle)) = (forecast.agents, forecast.agents_idle_percent) {
            p {
                (thousands(agents.into())) " agents are assumed. They wait for " (idle)
                " % of the time in which somebody could be called."
            }
        }
        @if !forecast.days.is_empty() {
            (table("Calls by day", &["Day", "Calls", "Of all plays"], forecast.days.iter().map(day)))
        }
        (rates(&forecast.rates))
        p class="second" {
            "As of " (when(asking, forecast.as_of)) ": " (forecast.plays) " plays of "
            (thousands(forecast.sample)) " of " (thousands(forecast.open)) " open contacts."
        }
    }
}

fn rates(rates: &AssumedRates) -> Markup {
    let rate = |rate: &AssumedRate, unit: &str| {
        html! {
            (rate.value) " " (unit) " "
            small { @if rate.from == "measured" { "(measured from " (thousands(rate.sample)) " cases)" } @else { "(assumed)" } }
        }
    };
    html! {
        details {
            summary { "What was assumed" }
            (facts(&[
                ("Requests that are granted", rate(&rates.granted_percent, "%")),
                ("Time to the answer", rate(&rates.grant_minutes, "min")),
                ("Calls that are answered", rate(&rates.answered_percent, "%")),
                ("An answered call lasts", rate(&rates.answered_s, "s")),
                ("Another call lasts", rate(&rates.missed_s, "s")),
            ]))
        }
    }
}
