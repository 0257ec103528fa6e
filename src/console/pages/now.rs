//! The first page: what goes on now, why something waits, and what is held.

use axum::http::Method;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::Value;

use super::now_of_part::now_of_part;
use crate::console::ask::Answer;
use crate::console::charts::{Bar, bars};
use crate::console::layout::{Page, first_page, problem, see_other};
use crate::console::parts::{field, list, number, text, tile, tile_failed};
use crate::console::person::may_ask;
use crate::console::times::{from_now, moment, parsed};
use crate::console::visit::Visit;
use crate::console::words::{self, thousands};

/// The quarters of an hour in the chart.
const QUARTERS: usize = 12;
const QUARTER_S: i64 = 15 * 60;
/// So many reasons have a line.
const REASONS_MAX: usize = 12;

/// What the page shows: one answer of the API for each part, so that one that fails hides no other.
struct Seen {
    waiting: Answer,
    calls: Answer,
    unknown: Answer,
    senders: Answer,
    today: Answer,
    permissions: Answer,
    speed: Answer,
    recent: Answer,
    pools: Answer,
    pauses: Answer,
    /// Only for those who may read it.
    status: Option<Answer>,
    webhooks: Option<Answer>,
}

pub(super) async fn now(visit: Visit) -> Response {
    // An agent has no numbers of the floor.
    if let Some(other) = first_page(&visit.person) {
        return see_other(&format!("./{other}"));
    }
    if !visit.person.bounds.is_all() {
        return now_of_part(&visit).await;
    }
    let now = visit.now();
    let zone = visit.app().reports.zone.clone();
    let today = now.to_zoned(zone.clone()).date();
    let of_today = |report: &str, by: &str| format!("/v1/reports/{report}?from={today}&to={today}&by={by}");
    let addresses = [
        of_today("outcomes", "day"),
        of_today("permissions", "day"),
        of_today("speed", "day"),
        of_today("answer-rate", "time"),
    ];
    let for_who_may = async |path: &str| match may_ask(&visit.person, &Method::GET, path) {
        true => Some(visit.get(path).await),
        false => None,
    };
    let seen = Seen {
        waiting: visit.get("/v1/reports/waiting").await,
        calls: visit.get("/v1/attempts?limit=1").await,
        unknown: visit.get("/v1/attempts?is_unresolved=true&limit=1").await,
        senders: visit.get("/v1/senders").await,
        today: visit.get(&addresses[0]).await,
        permissions: visit.get(&addresses[1]).await,
        speed: visit.get(&addresses[2]).await,
        recent: visit.get(&addresses[3]).await,
        pools: visit.get("/v1/pools").await,
        pauses: visit.get("/v1/pauses?holds=true").await,
        status: for_who_may("/v1/status").await,
        webhooks: for_who_may("/v1/webhooks").await,
    };
    visit.page(Page::new("Now").live(shown(&seen, now, &zone)))
}

fn shown(seen: &Seen, now: Timestamp, zone: &TimeZone) -> Markup {
    html! {
        (banners(seen, now, zone))
        div.tiles {
            (read(&seen.waiting, "waiting", |it| tile("waiting", thousands(number(it, "total.callbacks")), "", Some("callbacks?status=waiting"))))
            (calling(&seen.calls, &seen.senders))
            (read(&seen.unknown, "checking with Twilio", |it| tile("checking with Twilio", number(it, "total"), "", Some("unknown"))))
            (read(&seen.today, "reached and abandoned today", served))
            (read(&seen.permissions, "permission answers today", permissions))
            (read(&seen.speed, "from permission to ringing", speed))
            (read(&seen.pools, "free seats", seats))
        }
        h2 { "Why they wait" }
        @match &seen.waiting {
            Ok(waiting) => (reasons(waiting)),
            Err(refused) => (problem(refused)),
        }
        h2 { "The last three hours" }
        @match &seen.recent {
            Ok(recent) => (recent_calls(recent, now, zone)),
            Err(refused) => (problem(refused)),
        }
    }
}

/// A tile of an answer, or one that says that the answer is missing.
pub(super) fn read(answer: &Answer, name: &str, shown: impl FnOnce(&Value) -> Markup) -> Markup {
    match answer {
        Ok(value) => shown(value),
        Err(refused) => tile_failed(name, refused),
    }
}

fn percent(value: &Value, name: &str, of: &str) -> String {
    field(value, name).and_then(Value::as_f64).map(|share| format!("{share} % {of}")).unwrap_or_default()
}

/// The calls of today that served their consumers, and those that were answered and served nobody.
pub(super) fn served(report: &Value) -> Markup {
    let tile_of =
        |name, figure, of: String, link| tile(name, thousands(number(report, figure)), &of, Some(link));
    html! {
        (tile_of("reached today", "total.served", percent(report, "total.served_percent", "of the calls"), "callbacks?outcome=reached"))
        (tile_of("abandoned today", "total.abandoned", percent(report, "total.abandoned_percent", "of those answered"), "callbacks?abandoned=true"))
    }
}

/// Calls in progress, and how many there may be at most.
pub(super) fn calling(calls: &Answer, senders: &Answer) -> Markup {
    let most = senders.as_ref().ok().map(|senders| {
        let calling = list(senders, "senders")
            .iter()
            .filter(|sender| field(sender, "calls") == Some(&Value::Bool(true)));
        calling.fold(0_u64, |sum, sender| sum.saturating_add(number(sender, "live_calls_max")))
    });
    read(calls, "calling", |calls| {
        let more =
            most.map(|most| format!("of {} that the senders allow", thousands(most))).unwrap_or_default();
        tile("calling", thousands(number(calls, "total")), &more, Some("calls"))
    })
}

fn permissions(report: &Value) -> Markup {
    let (asked, answered, granted) =
        (number(report, "total.asked"), number(report, "total.answered"), number(report, "total.granted"));
    let more = format!("{} asked, {} granted", thousands(asked), thousands(granted));
    tile("permission answers today", thousands(answered), &more, None)
}

pub(super) fn speed(report: &Value) -> Markup {
    let seconds = |name| field(report, name).and_then(Value::as_u64).map(|s| format!("{s} s"));
    let figure = seconds("total.p95_s").unwrap_or_else(|| "–".to_owned());
    let half = seconds("total.p50_s").map(|half| format!("half within {half}")).unwrap_or_default();
    tile("lateness: 95 of 100 ring within", figure, &half, None)
}

pub(super) fn seats(pools: &Value) -> Markup {
    let pools = list(pools, "pools");
    let room = pools.iter().fold(0_u64, |sum, pool| sum.saturating_add(number(pool, "room")));
    let expired = pools.iter().filter(|pool| text(pool, "state") == "expired").count();
    let more = match (pools.len(), expired) {
        (0, _) => "no pools".to_owned(),
        (_, 0) => words::counted(pools.len() as u64, "pool"),
        (_, old) => format!("{} without a current figure", words::counted(old as u64, "pool")),
    };
    tile("free seats", thousands(room), &more, None)
}

pub(super) fn reasons(waiting: &Value) -> Markup {
    let rows = list(waiting, "rows");
    if rows.is_empty() {
        return html! { p.nothing { "Nothing waits." } };
    }
    let rest =
        rows.iter().skip(REASONS_MAX).fold(0_u64, |sum, row| sum.saturating_add(number(row, "callbacks")));
    let total = number(waiting, "total.callbacks");
    html! {
        div.scroll tabindex="0" role="region" aria-label="Waiting by reason" {
            table {
                thead { tr { th scope="col" { "reason" } th scope="col" { "waiting" } th scope="col" { "part" } } }
                tbody {
                    @for row in rows.iter().take(REASONS_MAX) {
                        @let code = text(row, "reason");
                        tr {
                            td data-label="reason" { a href={ "callbacks?status=waiting&reason=" (code) } { (words::reason(code)) } }
                            td data-label="waiting" { (thousands(number(row, "callbacks"))) }
                            td data-label="part" { (crate::console::charts::meter(code, number(row, "callbacks"), total)) }
                        }
                    }
                    @if rest > 0 { tr { td data-label="reason" { "other reasons" } td data-label="waiting" { (thousands(rest)) } td {} } }
                }
            }
        }
        @for note in list(waiting, "notes") { p.hint { (note.as_str().unwrap_or_default()) } }
    }
}

/// Calls by the quarter of an hour in which they were placed.
pub(super) fn recent_calls(report: &Value, now: Timestamp, zone: &TimeZone) -> Markup {
    let last = now.as_second().div_euclid(QUARTER_S);
    let quarters: Vec<Bar> = (0..QUARTERS)
        .rev()
        .filter_map(|back| {
            let begins = (last - i64::try_from(back).ok()?) * QUARTER_S;
            let begins = Timestamp::from_second(begins).ok()?;
            let begins = begins.to_zoned(zone.clone());
            // The report is of today, so that the chart grows from midnight on.
            if begins.date() != now.to_zoned(zone.clone()).date() {
                return None;
            }
            let label = begins.strftime("%H:%M").to_string();
            let found = list(report, "rows").iter().find(|row| text(row, "time") == label);
            let count = |name| found.map_or(0, |row| number(row, name));
            Some(Bar { label, total: count("placed"), part: count("answered") })
        })
        .collect();
    let (placed, answered) = quarters
        .iter()
        .fold((0_u64, 0_u64), |(placed, answered), bar| (placed + bar.total, answered + bar.part));
    let since = if quarters.len() < QUARTERS { "since midnight" } else { "in the last three hours" };
    let told = format!(
        "{} placed and {answered} answered {since}, by quarter of an hour",
        words::counted(placed, "call")
    );
    html! { (bars(&told, &quarters)) p.hint { (told) "." } }
}

fn banners(seen: &Seen, now: Timestamp, zone: &TimeZone) -> Markup {
    html! {
        @match &seen.pauses {
            Ok(pauses) => @for pause in list(pauses, "pauses") { (paused(pause, now, zone)) },
            Err(refused) => (problem(refused)),
        }
        @if let Ok(senders) = &seen.senders { @for sender in list(senders, "senders") { (resting(sender, now, zone)) } }
        @match &seen.status { Some(Ok(status)) => { (health(status)) (resting_accounts(status, now, zone)) }, Some(Err(refused)) => (problem(refused)), None => {} }
        @match &seen.webhooks { Some(Ok(hooks)) => (webhooks(hooks)), Some(Err(refused)) => (problem(refused)), None => {} }
    }
}

/// What is paused, why, and that what waits for it ends at its own time all the same.
fn paused(pause: &Value, now: Timestamp, zone: &TimeZone) -> Markup {
    let what = match text(pause, "scope") {
        "all" => "Everything is paused".to_owned(),
        "account" => format!("The account {} is paused", text(pause, "account")),
        "sender" => format!("The sender {} is paused", text(pause, "sender")),
        "campaign" => format!("The campaign {} is paused", text(pause, "campaign")),
        "content" => format!("The message {} is paused", text(pause, "content")),
        _ => "A person is paused".to_owned(),
    };
    let until = parsed(text(pause, "until"));
    html! {
        div.banner role="status" {
            strong { (what) } " by " (text(pause, "by")) ": " (text(pause, "why"))
            p {
                @match until {
                    Some(until) => { "It ends " (from_now(until, now)) ", at " (moment(until, now, &[zone])) ". " },
                    None => "Somebody has to lift it. ",
                }
                (meanwhile(pause, until.is_some()))
            }
        }
    }
}

/// What ends while it lasts.
fn meanwhile(pause: &Value, has_end: bool) -> Markup {
    let counted = |name: &str, noun: &str| {
        let count = field(pause, &format!("holds.{name}"))?;
        let least = if field(count, "at_least") == Some(&Value::Bool(true)) { "at least " } else { "" };
        Some(format!("{least}{}", words::counted(number(count, "count"), noun)))
    };
    let ended = [("permissions", "permission"), ("deadlines", "deadline"), ("promises", "promised time")];
    let is_any = |name: &str| number(pause, &format!("holds.{name}.count")) > 0;
    let ended: Vec<String> = ended
        .iter()
        .filter(|(name, _)| is_any(name))
        .filter_map(|(name, noun)| counted(name, noun))
        .collect();
    html! {
        @if let Some(held) = counted("callbacks", "callback") { (held) " held back. " }
        @if ended.is_empty() { "Meanwhile permissions and deadlines go on ending at their time." }
        @else if has_end { "Before its end: " (ended.join(", ")) "." }
        @else { "At stake until somebody lifts it: " (ended.join(", ")) "." }
    }
}

/// A sender that the platform holds or restricts.
fn resting(sender: &Value, now: Timestamp, zone: &TimeZone) -> Markup {
    let name = match text(sender, "label") {
        "" => text(sender, "number"),
        label => label,
    };
    let rest = |what: &str, value: &Value| {
        let until = parsed(text(value, "paused_until"));
        html! {
            div.banner role="status" {
                strong { (name) " " (what) } ": " (text(value, "why")) " "
                @if let Some(until) = until { "Until " (moment(until, now, &[zone])) "." } @else { "WhatsApp ends it." }
            }
        }
    };
    html! {
        @if !text(sender, "why").is_empty() { (rest("rests", sender)) }
        @for part in list(sender, "paused_parts") {
            @let what = if text(part, "part") == "buttons" { "sends no call buttons" } else { "neither calls nor asks" };
            (rest(what, part))
        }
    }
}

/// Accounts that the platform throttles or has paused.
fn resting_accounts(status: &Value, now: Timestamp, zone: &TimeZone) -> Markup {
    html! {
        @for account in list(status, "accounts") {
            @if !text(account, "why").is_empty() {
                div.banner role="status" {
                    strong { "The account " (text(account, "name")) " rests" } ": " (text(account, "why")) ". "
                    @match parsed(text(account, "paused_until")) {
                        Some(until) => { "Until " (moment(until, now, &[zone])) "." },
                        None => "The platform ends it.",
                    }
                }
            }
        }
    }
}

/// What hinders the whole daemon.
fn health(status: &Value) -> Markup {
    let mut told: Vec<String> = Vec::new();
    if field(status, "deposed_since").is_some() {
        told.push("Another daemon has the store. This one calls nobody.".to_owned());
    }
    if field(status, "lineage_held_since").is_some() {
        told.push(
            "The store is not the one that was last written. Nothing is called until an operator releases it.".to_owned(),
        );
    }
    if field(status, "dialling_stopped_since").is_some() {
        told.push(
            "Calling has stopped after three failures within a minute. A restart resumes it.".to_owned(),
        );
    }
    if field(status, "clock_in_doubt").is_some() {
        told.push("The machine's clock jumped. Nothing is called until it is confirmed.".to_owned());
    }
    if number(status, "set_aside") > 0 {
        told.push(format!(
            "{} set aside after a failure of the program.",
            words::counted(number(status, "set_aside"), "item")
        ));
    }
    html! { @for sentence in told { div.banner role="status" { (sentence) } } }
}

fn webhooks(hooks: &Value) -> Markup {
    html! {
        @if text(hooks, "state") == "disabled" {
            div.banner role="status" {
                strong { "Webhooks are disabled" } ": " (text(hooks, "disabled_because")) ". "
                (words::counted(number(hooks, "backlog"), "delivery").replace("deliverys", "deliveries")) " wait."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::console::ask::Refused;

    fn now() -> Timestamp {
        "2026-11-29T12:07:00Z".parse().unwrap()
    }

    fn seen() -> Seen {
        Seen {
            waiting: Ok(
                json!({"rows": [{"reason": "limit.streak_guard", "callbacks": 3}], "total": {"callbacks": 3}, "notes": []}),
            ),
            calls: Ok(json!({"total": 2})),
            unknown: Ok(json!({"total": 1})),
            senders: Ok(json!({"senders": [
                {"number": "+551151991234", "calls": true, "live_calls_max": 40},
                {"number": "+4930123456", "calls": false, "live_calls_max": 9},
            ]})),
            today: Ok(json!({"total": {"served": 1200, "served_percent": 40.5, "abandoned": 2}})),
            permissions: Ok(json!({"total": {"asked": 10, "answered": 6, "granted": 4}})),
            speed: Ok(json!({"total": {"p50_s": 4, "p90_s": 25, "p95_s": 30}})),
            recent: Ok(json!({"rows": [{"time": "12:00", "placed": 5, "answered": 3}]})),
            pools: Ok(json!({"pools": [{"state": "fed", "room": 4}, {"state": "expired", "room": 0}]})),
            pauses: Ok(json!({"pauses": []})),
            status: None,
            webhooks: None,
        }
    }

    fn page(seen: &Seen) -> String {
        shown(seen, now(), &TimeZone::UTC).into_string()
    }

    #[test]
    fn the_figures_are_those_of_the_answers() {
        let page = page(&seen());
        for part in [
            "one call left before WhatsApp blocks us",
            "of 40 that the senders allow",
            ">1,200<",
            "40.5 % of the calls",
            "10 asked, 4 granted",
            "30 s",
            "1 pool without a current figure",
            "5 calls placed and 3 answered",
            "12:00: 3 of 5",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("banner"), "{page}");
    }

    #[test]
    fn soon_after_midnight_the_chart_says_that_it_has_less_than_three_hours() {
        let told = |now: &str| shown(&seen(), now.parse().unwrap(), &TimeZone::UTC).into_string();
        assert!(told("2026-11-29T02:44:59Z").contains("answered since midnight"));
        assert!(told("2026-11-29T02:45:00Z").contains("answered in the last three hours"));
    }

    #[test]
    fn a_failed_read_says_so_and_hides_nothing_else() {
        let mut seen = seen();
        seen.waiting =
            Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "The store cannot be read", "try again"));
        let page = page(&seen);
        assert!(page.contains("not known: The store cannot be read"), "{page}");
        assert!(!page.contains("Nothing waits"), "{page}");
        assert!(page.contains(">1,200<"), "{page}");
    }

    #[test]
    fn pauses_and_rests_have_banners() {
        let mut seen = seen();
        seen.pauses = Ok(json!({"pauses": [
            {"scope": "all", "by": "ops", "why": "storm <b>", "until": "2026-11-29T13:07:00Z", "holds": {
                "callbacks": {"count": 10000, "at_least": true}, "deadlines": {"count": 1, "at_least": false},
                "permissions": {"count": 12, "at_least": false}, "promises": {"count": 0, "at_least": false},
            }},
            {"scope": "sender", "sender": "+551151991234", "by": "ops", "why": "quality"},
        ]}));
        seen.senders =
            Ok(json!({"senders": [{"number": "+4930", "label": "Berlin", "why": "error 130429"}]}));
        seen.webhooks = Some(Ok(json!({"state": "disabled", "disabled_because": "410", "backlog": 7})));
        let page = page(&seen);
        for part in [
            "Everything is paused",
            "storm &lt;b&gt;",
            "It ends in 1 h",
            "at least 10,000 callbacks held back",
            "Before its end: 12 permissions, 1 deadline.",
            "Somebody has to lift it",
            "Berlin rests",
            "Webhooks are disabled",
            "7 deliveries",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}
