//! Reports: computed from counts, for the tenant of the token, within bounds.

use axum::http::StatusCode;
use jiff::Timestamp;
use ringmaster::domain::Tenant;
use ringmaster::domain::reporting::{Calls, CellKey, Cells, Contents, Counts, Family, Hours, Lines, Quarter};
use ringmaster::store::{Batch, ReportChange};
use serde_json::{Value, json};

use super::access::with_token;
use super::harness::{ApiHarness, SENDER, api};

const DAY: &str = "from=2026-11-20&to=2026-11-20";

/// So many calls that were placed and answered at this moment.
fn calls(placed: i64, answered: i64) -> Counts {
    let mut counts = Counts::default();
    (counts[Calls::PLACED], counts[Calls::ANSWERED], counts[Calls::SERVED]) = (placed, answered, answered);
    counts
}

struct Cell<'a>(Family, &'a str, &'a str, Counts);

async fn count(api: &ApiHarness, cells: &[Cell<'_>]) {
    count_for(api, &Tenant::default(), false, cells).await;
}

async fn count_for(api: &ApiHarness, tenant: &Tenant, is_late: bool, cells: &[Cell<'_>]) {
    let mut reported = ReportChange::default();
    let mut all = Cells::default();
    for Cell(family, label, at, counts) in cells {
        let quarter = Quarter::of(at.parse::<Timestamp>().unwrap());
        let (tenant, label) = (tenant.clone(), (*label).to_owned());
        all.add(CellKey { tenant, family: *family, label, quarter, is_late }, counts);
    }
    reported.cells = all;
    api.store.shared().record(Batch { reported, ..Batch::default() }).await.unwrap();
}

fn digits() -> String {
    SENDER.trim_start_matches('+').to_owned()
}

async fn report(api: &ApiHarness, path: &str) -> Value {
    let answer = api.get(&format!("/v1/reports/{path}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json()
}

/// The detail of a refusal.
async fn refused(api: &ApiHarness, path: &str) -> (u16, String, String) {
    let answer = api.get(&format!("/v1/reports/{path}")).await;
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text("code"), text("detail"))
}

#[tokio::test]
async fn a_call_belongs_to_its_local_day_up_to_its_last_instant() {
    let api = api().await;
    let sender = digits();
    let at = |at| Cell(Family::Sender, &sender, at, calls(1, 0));
    // Midnight in Sao Paulo is 03:00Z.
    count(
        &api,
        &[at("2026-11-21T02:59:59.999Z"), at("2026-11-21T03:00:00Z"), at("2026-11-20T02:59:59.999Z")],
    )
    .await;
    let zone = "zone=America/Sao_Paulo&by=day";
    let day = report(&api, &format!("answer-rate?{DAY}&{zone}")).await;
    assert_eq!(
        day["rows"],
        json!([{"day": "2026-11-20", "placed": 1, "answered": 0, "no_answer": 0, "busy": 0,
        "failed": 0, "hung_up": 0, "answered_percent": 0.0, "answered_percent_before": null}])
    );
    assert_eq!(
        (&day["zone"], &day["closes_at"]),
        (&json!("America/Sao_Paulo"), &json!("2026-11-23T03:00:00Z"))
    );
    let time = report(&api, &format!("answer-rate?{DAY}&zone=America/Sao_Paulo&by=time")).await;
    assert_eq!(time["rows"][0]["time"], "23:45");
    let utc = report(&api, &format!("answer-rate?{DAY}&by=day")).await;
    assert_eq!(utc["total"]["placed"], 1, "the usual zone is UTC here: {utc}");
}

#[tokio::test]
async fn days_of_23_and_25_hours_have_all_their_calls() {
    let api = api().await;
    let sender = digits();
    let hours = |first: &str, hours: i64| -> Vec<String> {
        let first: Timestamp = first.parse().unwrap();
        (0..hours).map(|hour| (first + jiff::SignedDuration::from_hours(hour)).to_string()).collect()
    };
    for (day, first, length) in
        [("2026-03-29", "2026-03-28T23:00:00Z", 23), ("2025-10-26", "2025-10-25T22:00:00Z", 25)]
    {
        let moments = hours(first, length + 1);
        let cells: Vec<Cell<'_>> =
            moments.iter().map(|at| Cell(Family::Sender, &sender, at, calls(1, 1))).collect();
        count(&api, &cells).await;
        let query = format!("answer-rate?from={day}&to={day}&zone=Europe/Berlin&by=day");
        assert_eq!(report(&api, &query).await["total"]["placed"], length, "{day}");
        let by_time = report(&api, &query.replace("by=day", "by=time")).await;
        assert_eq!(by_time["rows"].as_array().unwrap().len(), length.min(24) as usize, "{day}");
    }
}

#[tokio::test]
async fn the_answer_rate_is_compared_with_the_same_days_of_the_week_before() {
    let api = api().await;
    let sender = digits();
    count(
        &api,
        &[
            Cell(Family::Sender, &sender, "2026-11-20T12:00:00Z", calls(3, 1)),
            Cell(Family::Sender, &sender, "2026-11-13T12:05:00Z", calls(4, 3)),
            Cell(Family::Sender, &sender, "2026-11-12T12:00:00Z", calls(100, 0)),
        ],
    )
    .await;
    for by in ["time", "weekday", "day", "sender"] {
        let rate = report(&api, &format!("answer-rate?{DAY}&by={by}")).await;
        let row = &rate["rows"][0];
        assert_eq!(
            (&row["answered_percent"], &row["answered_percent_before"]),
            (&json!(33.3), &json!(75.0)),
            "{by}: {rate}"
        );
    }
    let rate = report(&api, &format!("answer-rate?{DAY}&by=sender")).await;
    assert_eq!(rate["rows"][0]["sender"], SENDER);
    assert!(rate["notes"][0].as_str().unwrap().contains("2026-11-13 to 2026-11-13"), "{rate}");
}

#[tokio::test]
async fn a_campaign_and_a_sender_narrow_a_report() {
    let api = api().await;
    let (sender, other) = (digits(), "449900112233");
    let at = "2026-11-20T12:00:00Z";
    let spring = Family::pair("spring", &sender);
    let spring_other = Family::pair("spring", other);
    let spring_2 = Family::pair("spring 2", &sender);
    let none = Family::pair("", &sender);
    count(
        &api,
        &[
            Cell(Family::Campaign, &spring, at, calls(2, 1)),
            Cell(Family::Campaign, &spring_other, at, calls(5, 5)),
            Cell(Family::Campaign, &spring_2, at, calls(7, 0)),
            Cell(Family::Campaign, &none, at, calls(11, 0)),
        ],
    )
    .await;
    let placed = async |query: &str| {
        report(&api, &format!("outcomes?{DAY}&{query}")).await["total"]["placed"].as_i64().unwrap()
    };
    assert_eq!(placed("campaign=spring").await, 7);
    assert_eq!(placed(&format!("campaign=spring&sender={}", &sender[sender.len() - 5..])).await, 2);
    assert_eq!(placed("campaign=sprin").await, 0);
    let by = report(&api, &format!("outcomes?{DAY}&by=campaign")).await;
    let names: Vec<&str> =
        by["rows"].as_array().unwrap().iter().map(|row| row["campaign"].as_str().unwrap()).collect();
    assert_eq!(names, ["(none)", "spring", "spring 2"]);
    assert_eq!(by["total"]["placed"], 25);
}

#[tokio::test]
async fn tenants_see_their_own() {
    let mut api = api().await;
    let sender = digits();
    let cell = || Cell(Family::Sender, &sender, "2026-11-20T12:00:00Z", calls(9, 9));
    count_for(&api, &"acme".parse().unwrap(), false, &[cell()]).await;
    assert_eq!(report(&api, &format!("outcomes?{DAY}")).await["total"]["placed"], 0);
    for name in ["suppressed", "expiring"] {
        assert_eq!(api.get(&format!("/v1/reports/{name}")).await.status, StatusCode::OK);
    }
    api.token = with_token(&api, |token| token.tenant = "acme".parse().unwrap()).await;
    assert_eq!(report(&api, &format!("outcomes?{DAY}")).await["total"]["placed"], 9);
    for name in ["suppressed", "expiring"] {
        assert_eq!(refused(&api, name).await.1, "auth.tenant");
    }
    let listed = api.get("/v1/reports").await.json();
    let names: Vec<&str> =
        listed["reports"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"cost") && !names.contains(&"suppressed"), "{names:?}");
}

#[tokio::test]
async fn corrections_are_shown_apart() {
    let api = api().await;
    let sender = digits();
    let cell = |counts| Cell(Family::Sender, &sender, "2026-11-20T12:00:00Z", counts);
    let mut abandoned = calls(1, 1);
    (abandoned[Calls::SERVED], abandoned[Calls::ABANDONED]) = (0, 1);
    count(&api, &[cell(abandoned)]).await;
    let shown = report(&api, &format!("outcomes?{DAY}")).await;
    assert_eq!((&shown["total"]["abandoned"], &shown["corrections"]), (&json!(1), &Value::Null));
    let mut late = Counts::default();
    (late[Calls::SERVED], late[Calls::ABANDONED]) = (1, -1);
    count_for(&api, &Tenant::default(), true, &[cell(late)]).await;
    let shown = report(&api, &format!("outcomes?{DAY}")).await;
    assert_eq!((&shown["total"]["abandoned"], &shown["total"]["served"]), (&json!(0), &json!(1)));
    let corrections = &shown["corrections"];
    assert_eq!(
        (&corrections["abandoned"], &corrections["served"], &corrections["placed"]),
        (&json!(-1), &json!(1), &json!(0))
    );
    assert!(shown["notes"].to_string().contains("after its day had closed"), "{shown}");
}

#[tokio::test]
async fn every_report_answers_in_every_format_without_any_counts() {
    let api = api().await;
    let listed = api.get("/v1/reports").await.json();
    for listed in listed["reports"].as_array().unwrap() {
        let name = listed["name"].as_str().unwrap();
        for by in listed["by"].as_array().unwrap() {
            for (format, media) in
                [("json", "application/json"), ("csv", "text/csv; charset=utf-8"), ("svg", "image/svg+xml")]
            {
                let path = format!("/v1/reports/{name}?by={}&format={format}", by.as_str().unwrap());
                let answer = api.get(&path).await;
                assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
                assert_eq!(answer.header("content-type"), media, "{path}");
                assert!(
                    !answer.text.contains("NaN") && !answer.text.contains("inf"),
                    "{path}: {}",
                    answer.text
                );
            }
        }
    }
}

#[tokio::test]
async fn a_label_in_csv_is_never_computed() {
    let api = api().await;
    let label = Family::pair("=1+1", &digits());
    count(&api, &[Cell(Family::Campaign, &label, "2026-11-20T12:00:00Z", calls(1, 1))]).await;
    let answer = api.get(&format!("/v1/reports/answer-rate?{DAY}&by=campaign&format=csv")).await;
    let rows: Vec<&str> = answer.text.lines().collect();
    assert_eq!(rows[1], "'=1+1,'=1+1,1,1,0,0,0,0,100.0,");
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_rule() {
    let api = api().await;
    for (path, status, code, detail) in [
        ("answer-rat", 404, "report.not_found", "did you mean \"answer-rate\"?"),
        ("answer-rate?from=2026-11-21&to=2026-11-20", 400, "query.invalid", "before the first day"),
        ("answer-rate?from=2025-10-15&to=2026-11-20", 400, "query.invalid", "at most 400 days"),
        ("answer-rate?from=20.11.2026", 400, "query.invalid", "\"from\" is not a day"),
        ("answer-rate?by=wekday", 400, "query.invalid", "did you mean \"weekday\"?"),
        (
            "answer-rate?by=agent",
            400,
            "query.invalid",
            "expected one of time, weekday, day, sender, campaign",
        ),
        ("answer-rate?format=xlsx", 400, "query.invalid", "expected json, csv or svg"),
        ("answer-rate?zone=Mars/Base", 400, "query.invalid", "time zone"),
        ("answer-rate?sender=5511999", 400, "query.invalid", "last 4 to 6 digits"),
        ("answer-rate?sender=000000", 400, "query.invalid", "no number ends with it"),
        ("answer-rate?days=7", 400, "query.invalid", "is not a parameter"),
        ("answer-rate?by=day&by=day", 400, "query.invalid", "is repeated"),
        ("answer-rate?campaign=", 400, "query.invalid", "is no campaign"),
        ("penetration?campaign=spring", 400, "query.invalid", "is no id of a campaign"),
        (
            "penetration?campaign=cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f",
            404,
            "campaign.not_found",
            "is not known",
        ),
        ("waiting?zone=UTC", 400, "query.invalid", "\"zone\" is refused"),
        ("penetration?zone=UTC", 400, "query.invalid", "\"zone\" is refused"),
        ("suppressed?zone=UTC", 400, "query.invalid", "\"zone\" is refused"),
        ("waiting?from=2026-11-20", 400, "query.invalid", "what is now"),
        ("agents?campaign=spring", 400, "query.invalid", "does not narrow"),
        ("cost?sender=1234", 400, "query.invalid", "does not narrow"),
        ("cost?campaign=cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f", 404, "campaign.not_found", "is not known"),
    ] {
        let told = refused(&api, path).await;
        assert_eq!((told.0, &*told.1), (status, code), "{path}: {}", told.2);
        assert!(told.2.contains(detail), "{path}: {}", told.2);
    }
}

#[tokio::test]
async fn funnel_agents_and_cost_are_sums_of_their_cells() {
    let api = api().await;
    let at = "2026-11-20T12:00:00Z";
    let mut asked = Counts::default();
    (asked[Contents::ASKED], asked[Contents::DELIVERED], asked[Contents::GRANTED]) = (4, 3, 1);
    let mut agent = Counts::default();
    (agent[Hours::HANDLED], agent[Hours::BUSY_S], agent[Hours::QUARTERS]) = (2, 450, 2);
    let mut line = Counts::default();
    (line[Lines::PLACED], line[Lines::SERVED], line[Lines::MINUTES_BEGUN]) = (3, 1, 4);
    count(
        &api,
        &[
            Cell(Family::Content, "HXask", at, asked),
            Cell(Family::Agent, "client:ana", at, agent),
            Cell(Family::Country, "\t55", at, line),
        ],
    )
    .await;
    let funnel = report(&api, &format!("permissions?{DAY}")).await;
    assert_eq!(
        (&funnel["rows"][0]["content"], &funnel["rows"][0]["granted_percent"]),
        (&json!("HXask"), &json!(25.0))
    );
    let agents = report(&api, &format!("agents?{DAY}")).await;
    let ana = &agents["rows"][0];
    assert_eq!((&ana["handle_mean_s"], &ana["occupancy_percent"]), (&json!(225), &json!(25.0)));
    let cost = report(&api, &format!("cost?{DAY}")).await;
    assert_eq!((&cost["rows"][0]["country"], &cost["rows"][0]["minutes"]), (&json!("+55"), &json!(4)));
    assert_eq!((&cost["rows"][0]["cost"], &cost["total"]["per_served"]), (&Value::Null, &Value::Null));
    assert!(cost["notes"].to_string().contains("3 calls and messages have no rate"), "{cost}");
    for format in ["csv", "svg"] {
        let answer = api.get(&format!("/v1/reports/cost?{DAY}&format={format}")).await;
        let notes = answer.header("x-report-notes");
        assert!(notes.contains("3 calls and messages have no rate"), "{format}: {notes}");
    }
    let today = api.get("/v1/reports/outcomes?format=csv").await;
    assert!(today.header("x-report-notes").contains("The last days are not closed yet"), "{}", today.text);
}

#[tokio::test]
async fn what_waits_is_counted_by_its_reason() {
    let api = api().await;
    api.callback().await;
    let waiting = report(&api, "waiting").await;
    assert_eq!(waiting["total"]["callbacks"], 1, "{waiting}");
    assert_eq!(waiting["rows"][0]["percent"], 100.0);
    assert!(waiting.get("from").is_none());
}

#[tokio::test]
async fn what_corrections_took_away_has_no_row() {
    let api = api().await;
    let (sender, at) = (digits(), "2026-11-20T12:00:00Z");
    let some = |sign: i64| {
        let mut counts = Counts::default();
        counts[0] = sign;
        counts
    };
    let labels = [
        (Family::Sender, sender.clone()),
        (Family::Campaign, Family::pair("spring", &sender)),
        (Family::Content, "HXask".to_owned()),
        (Family::Agent, "client:ana".to_owned()),
        (Family::Reach, "spring".to_owned()),
        (Family::Speed, "spring".to_owned()),
        (Family::Country, Family::pair("spring", "55")),
    ];
    let cells = |sign| labels.iter().map(move |(family, label)| Cell(*family, label, at, some(sign)));
    let paths = [
        "answer-rate?by=day",
        "answer-rate?by=campaign",
        "outcomes?by=sender",
        "permissions?by=content",
        "agents?by=agent",
        "attempts?by=campaign",
        "speed?by=campaign",
        "cost?by=country",
    ];
    let rows = async |expected: usize| {
        for path in paths {
            let shown = report(&api, &format!("{path}&{DAY}")).await;
            assert_eq!(shown["rows"].as_array().unwrap().len(), expected, "{path}: {shown}");
        }
    };
    count(&api, &cells(1).collect::<Vec<_>>()).await;
    rows(1).await;
    count_for(&api, &Tenant::default(), true, &cells(-1).collect::<Vec<_>>()).await;
    rows(0).await;
    let shown = report(&api, &format!("outcomes?by=sender&{DAY}")).await;
    assert_eq!(shown["corrections"]["placed"], -1, "it stays a correction: {shown}");
}

#[tokio::test]
async fn columns_of_numbers_have_numbers() {
    let api = api().await;
    let at = "2026-11-20T12:00:00Z";
    let (mut reached, mut rang) = (Counts::default(), Counts::default());
    (reached[1], reached[2]) = (1, 1);
    rang[ringmaster::domain::reporting::SPEED_STEPS_S.len()] = 1;
    count(&api, &[Cell(Family::Reach, "spring", at, reached), Cell(Family::Speed, "spring", at, rang)]).await;
    let attempts = report(&api, &format!("attempts?by=campaign&{DAY}")).await;
    assert_eq!(attempts["rows"][0]["attempts_mean"], 1.5, "{attempts}");
    assert_eq!(attempts["columns"][4], json!({"name": "attempts_mean", "unit": "number"}));
    let speed = report(&api, &format!("speed?{DAY}")).await;
    assert_eq!((&speed["rows"][0]["p50_s"], &speed["total"]["p90_s"]), (&json!(86_400), &json!(86_400)));
    assert!(speed["notes"].to_string().contains("86400 stands for longer times too"), "{speed}");
}
