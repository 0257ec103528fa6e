//! The limits in force, with what each platform published, and the configuration of calls.

use maud::{Markup, html};
use serde::Deserialize;

use crate::console::blocks::{badge, cell, duration, facts, table, thousands};
use crate::console::labels;

/// The limits, as the API tells them.
#[derive(Deserialize)]
pub(super) struct Limits {
    limits: Vec<Limit>,
    ask_ahead_s: i64,
    margin_s: i64,
    faults_max: u32,
    #[serde(default)]
    settings: Vec<Setting>,
}

#[derive(Deserialize)]
struct Limit {
    name: String,
    value: i64,
    origin: String,
    unit: String,
    counts: String,
    published: Published,
    since: String,
    source: String,
}

#[derive(Deserialize)]
struct Published {
    twilio: i64,
    meta: i64,
    test_number: i64,
}

#[derive(Deserialize)]
struct Setting {
    key: String,
    value: String,
    origin: String,
}

pub(super) fn list(limits: &Limits) -> Markup {
    let row = |limit: &Limit| {
        let shown = |value: i64| in_unit(&limit.unit, value);
        let published = &limit.published;
        vec![
            html! { (labels::plain(&limit.name)) br; small { (limit.counts) } },
            html! {
                strong { (shown(limit.value)) }
                @if limit.origin == "configuration" { " " (badge("warn", "set by the configuration")) }
            },
            cell(shown(published.twilio)),
            cell(shown(published.meta)),
            cell(shown(published.test_number)),
            html! { (limit.source) ", " (limit.since) },
        ]
    };
    let set: Vec<&Setting> =
        limits.settings.iter().filter(|setting| setting.origin == "configuration").collect();
    html! {
        (table(
            "Limits in force",
            &["Limit", "In force", "Twilio", "Meta", "Test number", "Source and date"],
            limits.limits.iter().map(row),
        ))
        (facts(&[
            ("Permissions are asked for at most so long ahead", cell(duration(limits.ask_ahead_s))),
            ("Added to every window", cell(duration(limits.margin_s))),
            ("Failures in a row after which a callback fails", cell(limits.faults_max.to_string())),
        ]))
        @if !limits.settings.is_empty() {
            details {
                summary { "Configuration of calls (" (set.len()) " of " (limits.settings.len()) " keys are set)" }
                (table(
                    "Configuration of calls",
                    &["Key", "Value", "From"],
                    limits.settings.iter().map(|setting| vec![
                        html! { code { (setting.key) } },
                        html! { code { (setting.value) } },
                        cell(if setting.origin == "configuration" { "the configuration" } else { "usual" }),
                    ]),
                ))
            }
        }
    }
}

fn in_unit(unit: &str, value: i64) -> String {
    match unit {
        "seconds" => duration(value),
        _ => u64::try_from(value).map_or_else(|_| value.to_string(), thousands),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_in_its_unit() {
        assert_eq!(in_unit("count", 5), "5");
        assert_eq!(in_unit("count", -1), "-1");
        assert_eq!(in_unit("seconds", 86_400), "24 h");
    }
}
