//! The first page of somebody who is bound to a part of the tenant: the same tiles, with the figures of that part only.
//!
//! What is counted is counted for one campaign or one sender. The figures of several are added up here; percentiles cannot be,
//! so the worst one is shown.

use axum::response::Response;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::now::{calling, read, reasons, recent_calls, seats, served, speed};
use crate::console::ask::Answer;
use crate::console::asking::segment;
use crate::console::layout::{Page, problem};
use crate::console::parts::{list, number, table, text, tile};
use crate::console::visit::Visit;
use crate::console::words::thousands;
use crate::domain::Bounds;

/// The filter of a campaign that was made begins so.
const MADE: &str = "campaign=cmp_";
/// So many campaigns or senders are added up.
const PARTS_MAX: usize = 8;

/// What the page shows. Reports are absent where the bounds are of several kinds: nothing is counted for both together.
struct Seen {
    calls: Answer,
    unknown: Answer,
    senders: Answer,
    pools: Answer,
    campaigns: Answer,
    waiting: Option<Answer>,
    today: Option<Answer>,
    speed: Option<Answer>,
    recent: Option<Answer>,
    /// Parts beyond [`PARTS_MAX`].
    is_cut: bool,
}

pub(super) async fn now_of_part(visit: &Visit) -> Response {
    let (now, zone) = (visit.now(), visit.app().reports.zone.clone());
    let today = now.to_zoned(zone.clone()).date();
    let of_today = format!("from={today}&to={today}");
    let parts = parts(&visit.person.bounds);
    let (of_campaigns, filters) = match &parts {
        Some(Parts::Campaigns(filters)) => (true, &**filters),
        Some(Parts::Senders(filters)) => (false, &**filters),
        None => (false, &[][..]),
    };
    let is_cut = filters.len() > PARTS_MAX;
    let filters = &filters[..filters.len().min(PARTS_MAX)];
    let added = async |report: &str, more: &str, is_counted: bool| match is_counted && !filters.is_empty() {
        true => Some(sum(visit, report, more, filters).await),
        false => None,
    };
    let seen = Seen {
        calls: visit.get("/v1/attempts?limit=1").await,
        unknown: visit.get("/v1/attempts?is_unresolved=true&limit=1").await,
        senders: visit.get("/v1/senders").await,
        pools: visit.get("/v1/pools").await,
        campaigns: visit.get("/v1/campaigns").await,
        // What waits is counted for campaigns that were made, and not for labels of orders.
        waiting: added("waiting", "", filters.iter().all(|filter| filter.starts_with(MADE))).await,
        today: added("outcomes", &format!("{of_today}&by=day"), true).await,
        speed: added("speed", &format!("{of_today}&by=day"), of_campaigns).await,
        recent: added("answer-rate", &format!("{of_today}&by=time"), true).await,
        is_cut,
    };
    visit.page(Page::new("Now").head(about(&visit.person.bounds)).live(shown(visit, &seen, &zone)))
}

fn about(bounds: &Bounds) -> Markup {
    let lines: Vec<String> = bounds.lines().collect();
    html! { p.hint { "You see your part: " (lines.join(", ").replace(':', " ")) "." } }
}

/// The filters of reports for the bounds, if they are of one kind for which something is counted.
enum Parts {
    Campaigns(Vec<String>),
    Senders(Vec<String>),
}

fn parts(bounds: &Bounds) -> Option<Parts> {
    match (bounds.campaigns.is_empty(), bounds.senders.is_empty(), bounds.pools.is_empty()) {
        (false, true, true) => Some(Parts::Campaigns(
            bounds.campaigns.iter().map(|name| format!("campaign={}", segment(name))).collect(),
        )),
        (true, false, true) => Some(Parts::Senders(
            bounds
                .senders
                .iter()
                .map(|sender| {
                    let digits = sender.digits().to_string();
                    // A number is in no address; its end is enough to name one of our own.
                    format!("sender={}", &digits[digits.len().saturating_sub(6)..])
                })
                .collect(),
        )),
        _ => None,
    }
}

/// A report for each of the filters, added up.
async fn sum(visit: &Visit, report: &str, more: &str, filters: &[String]) -> Answer {
    let mut tables = Vec::new();
    for filter in filters {
        match visit.get(&format!("/v1/reports/{report}?{filter}&{more}")).await {
            Ok(table) => tables.push(table),
            Err(refused) => return Err(refused),
        }
    }
    Ok(added(&tables))
}

/// The totals and the rows of several tables of one report. Rows with the same first column are one row.
fn added(tables: &[Value]) -> Value {
    let mut total = Map::new();
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for table in tables {
        if let Some(other) = table.get("total").and_then(Value::as_object) {
            add(&mut total, other);
        }
        for row in list(table, "rows").iter().filter_map(Value::as_object) {
            let key = |row: &Map<String, Value>| row.values().find(|value| value.is_string()).cloned();
            match rows.iter_mut().find(|known| key(known) == key(row)) {
                Some(known) => add(known, row),
                None => rows.push(row.clone()),
            }
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.get("callbacks").and_then(Value::as_u64)));
    json!({ "total": total, "rows": rows, "notes": [] })
}

/// Counts are added, times within which calls rang are those of the worst part, and shares are left out.
fn add(sum: &mut Map<String, Value>, other: &Map<String, Value>) {
    for (name, value) in other {
        if name.ends_with("_percent") || name == "percent" {
            sum.remove(name);
            continue;
        }
        let Some(more) = value.as_u64() else {
            sum.entry(name.clone()).or_insert_with(|| value.clone());
            continue;
        };
        let known = sum.get(name).and_then(Value::as_u64).unwrap_or(0);
        let both = if name.ends_with("_s") { known.max(more) } else { known.saturating_add(more) };
        sum.insert(name.clone(), both.into());
    }
}

fn shown(visit: &Visit, seen: &Seen, zone: &TimeZone) -> Markup {
    let counted = |answer: &Option<Answer>, name: &str, show: &dyn Fn(&Value) -> Markup| match answer {
        Some(answer) => read(answer, name, show),
        None => html! {},
    };
    html! {
        div.tiles {
            (counted(&seen.waiting, "waiting", &|it| tile("waiting", thousands(number(it, "total.callbacks")), "", Some("callbacks?status=waiting"))))
            (calling(&seen.calls, &seen.senders))
            (read(&seen.unknown, "checking with Twilio", |it| tile("checking with Twilio", number(it, "total"), "", Some("unknown"))))
            (counted(&seen.today, "reached today", &served))
            (counted(&seen.speed, "lateness", &speed))
            (read(&seen.pools, "free seats", seats))
        }
        @if seen.is_cut { p.hint { "The figures are those of the first " (PARTS_MAX) " of your campaigns or senders." } }
        @match &seen.waiting {
            Some(Ok(waiting)) => { h2 { "Why they wait" } (reasons(waiting)) },
            Some(Err(refused)) => { h2 { "Why they wait" } (problem(refused)) },
            None => {},
        }
        @match &seen.recent {
            Some(Ok(recent)) => { h2 { "The last three hours" } (recent_calls(recent, visit.now(), zone)) },
            Some(Err(refused)) => { h2 { "The last three hours" } (problem(refused)) },
            None => {},
        }
        @match &seen.campaigns {
            Ok(found) => (campaigns(found)),
            Err(refused) => { h2 { "Campaigns" } (problem(refused)) },
        }
    }
}

fn campaigns(found: &Value) -> Markup {
    let rows: Vec<_> = list(found, "campaigns")
        .iter()
        .map(|campaign| {
            vec![
                html! { a href={ "campaigns/" (text(campaign, "id")) } { (text(campaign, "name")) } },
                html! { (text(campaign, "state")) },
            ]
        })
        .collect();
    html! {
        @if !rows.is_empty() { h2 { "Campaigns" } (table("Your campaigns", &["campaign", "state"], &rows)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_added_and_the_worst_time_is_shown() {
        let one = json!({"total": {"rang": 3, "p95_s": 30, "kept_percent": 50.0, "day": null},
            "rows": [{"reason": "a.b", "callbacks": 2, "percent": 100.0}]});
        let two = json!({"total": {"rang": 4, "p95_s": 10, "kept_percent": 10.0},
            "rows": [{"reason": "c.d", "callbacks": 9}, {"reason": "a.b", "callbacks": 1}]});
        let both = added(&[one, two]);
        assert_eq!((number(&both, "total.rang"), number(&both, "total.p95_s")), (7, 30));
        assert!(both["total"].get("kept_percent").is_none(), "{both}");
        let rows = list(&both, "rows");
        assert_eq!(rows.len(), 2);
        assert_eq!((text(&rows[0], "reason"), number(&rows[0], "callbacks")), ("c.d", 9));
        assert_eq!((text(&rows[1], "reason"), number(&rows[1], "callbacks")), ("a.b", 3));
        assert_eq!(number(&added(&[]), "total.callbacks"), 0);
    }

    #[test]
    fn only_bounds_of_one_kind_have_counts() {
        let bounds = |lines: &[&str]| {
            let mut bounds = Bounds::default();
            lines.iter().for_each(|line| bounds.add(line).unwrap());
            bounds
        };
        let names = |lines: &[&str]| match parts(&bounds(lines)) {
            Some(Parts::Campaigns(names) | Parts::Senders(names)) => names.join(" "),
            None => String::new(),
        };
        assert_eq!(names(&["campaign:spring", "campaign:a b"]), "campaign=a%20b campaign=spring");
        assert_eq!(names(&["sender:+551151991234"]), "sender=991234");
        assert_eq!(names(&["campaign:spring", "sender:+551151991234"]), "");
        assert_eq!(names(&["pool:night"]), "");
    }
}
