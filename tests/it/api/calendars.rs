//! Calendars in orders, and what can be read of them.

use axum::http::StatusCode;
use ringmaster::domain::calendar::holidays;
use serde_json::{Value, json};

use super::harness::{ApiHarness, NOW, api};

const WEEKDAYS: &str = "mon-fri 09:00-18:00 @America/Sao_Paulo";

async fn trial(api: &ApiHarness, hours: &str, at: &str) -> Value {
    let answer = api.post("/v1/calendars/simulate", json!({"hours": hours, "at": at}).to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn an_order_keeps_its_calendar_as_the_calendar_spells_itself() {
    let api = api().await;
    let span = json!({"days": "mon-fri", "from": "09:00", "to": "18:00"});
    let zone = "America/Sao_Paulo";
    for (hours, name) in [
        (json!(format!("{WEEKDAYS} except br-sp")), "BR-SP"),
        (json!({"zone": zone, "spans": [span], "calendar": "OFFICE"}), "office"),
    ] {
        let answer = api.order(json!({"hours": hours})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let kept = api.get(&format!("/v1/callbacks/{id}")).await.json();
        assert_eq!(kept["hours"]["calendar"], name);
    }
    let plain = api.order(json!({"hours": WEEKDAYS})).await.json();
    assert_eq!(plain["hours"].get("calendar"), None);
}

#[tokio::test]
async fn a_calendar_that_does_not_exist_is_refused_with_its_name() {
    let api = api().await;
    let told = async |hours: Value| api.order(json!({"hours": hours})).await;
    let answer = told(json!(format!("{WEEKDAYS} except nowhere"))).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = answer.json()["errors"][0].clone();
    assert_eq!((&error["field"], &error["code"]), (&json!("hours"), &json!("calendar.unknown")));
    assert!(error["detail"].as_str().unwrap().contains("nowhere"), "{error}");
    let answer = told(json!(format!("{WEEKDAYS} except 2"))).await;
    assert_eq!(answer.json()["errors"][0]["code"], "hours.invalid");
    let answer = told(json!({"zone": "UTC", "spans": [], "calendar": 7})).await;
    assert_eq!(answer.json()["errors"][0]["field"], "hours.calendar");
}

#[tokio::test]
async fn a_deadline_counts_the_days_on_which_the_calendar_is_open() {
    let api = api().await;
    // Wednesday 23, Thursday 24 and Friday 25 December 2026: the office is closed on two of them, and at the weekend.
    let order = json!({"hours": format!("{WEEKDAYS} except office"), "earliest": "2026-12-23T12:00:00Z", "latest": null});
    let kept = api.order(order).await.json();
    assert_eq!(kept["latest"], "2026-12-29T21:00:00Z");
    // On the closed days alone they never open.
    let order = json!({"hours": format!("{WEEKDAYS} except office"), "earliest": "2026-12-24T12:00:00Z",
        "latest": "2026-12-26T12:00:00Z"});
    let answer = api.order(order).await;
    assert_eq!(answer.json()["errors"][0]["code"], "hours.never_open");
    let detail = answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("they open at 2026-12-28T12:00:00Z"), "{detail}");
}

#[tokio::test]
async fn a_trial_says_whether_hours_are_open_and_why_not() {
    let api = api().await;
    let hours = format!("{WEEKDAYS} except office");
    let open = trial(&api, &hours, NOW).await;
    assert_eq!(
        open,
        json!({"at": NOW, "local": "2026-11-23T09:00:00-03:00", "hours":
            "mon+tue+wed+thu+fri 09:00-18:00 @America/Sao_Paulo except office", "open": true,
            "day": {"day": "2026-11-23", "state": "open"}, "closes_at": "2026-11-23T21:00:00Z"})
    );
    let christmas = trial(&api, &hours, "2026-12-25T13:00:00Z").await;
    assert_eq!((&christmas["open"], &christmas["reason"]), (&json!(false), &json!("calendar.closed")));
    assert_eq!(christmas["day"]["by"], "holiday");
    assert_eq!(christmas["opens_at"], "2026-12-28T12:00:00Z");
    let eve = trial(&api, &hours, "2026-12-24T13:00:00Z").await;
    assert_eq!(eve["day"], json!({"day": "2026-12-24", "state": "closed", "by": "configuration"}));
    let night = trial(&api, &hours, "2026-12-22T22:00:00Z").await;
    assert_eq!((&night["reason"], &night["day"]["state"]), (&json!("window.outside_hours"), &json!("open")));
}

#[tokio::test]
async fn a_trial_names_every_wrong_field() {
    let api = api().await;
    let answer = api.post("/v1/calendars/simulate", json!({"at": "tomorrow"}).to_string()).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "calendar.invalid")
    );
    let errors = answer.json()["errors"].clone();
    let named: Vec<(&str, &str)> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(named, [("hours", "field.missing"), ("at", "time.invalid")]);
    let hours = json!({"hours": format!("{WEEKDAYS} except nowhere")});
    let answer = api.post("/v1/calendars/simulate", hours.to_string()).await;
    assert_eq!(answer.json()["errors"][0]["code"], "calendar.unknown");
}

#[tokio::test]
async fn the_calendars_are_listed_with_the_end_of_their_data() {
    let api = api().await;
    let all = api.get("/v1/calendars").await.json();
    assert_eq!(
        all["calendars"][0],
        json!({"name": "office", "origin": "configuration", "holidays": "BR-SP"})
    );
    assert_eq!(all["holidays"]["last_day"], holidays::last_day().to_string());
    let brazil = api.get("/v1/calendars?country=br").await.json();
    let names: Vec<&str> =
        brazil["calendars"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"BR") && names.contains(&"BR-SP"), "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("BR")), "{names:?}");
    for query in ["country=XX", "country=BR-SP", "country=", "land=BR"] {
        let answer = api.get(&format!("/v1/calendars?{query}")).await;
        assert_eq!(answer.code(), "query.invalid", "{query}");
    }
}

#[tokio::test]
async fn the_days_of_a_calendar_are_shown_between_two_days() {
    let api = api().await;
    let shown = api.get("/v1/calendars/Office?from=2026-12-24&until=2026-12-25").await.json();
    assert_eq!(shown["name"], "office");
    assert_eq!(shown["days"][0], json!({"day": "2026-12-24", "state": "closed", "by": "configuration"}));
    assert_eq!(
        (&shown["days"][1]["day"], &shown["days"][1]["by"]),
        (&json!("2026-12-25"), &json!("holiday"))
    );
    assert_eq!(shown["days"].as_array().unwrap().len(), 2);
    assert_eq!(shown.get("holidays_known_until"), None);
    let later = api.get("/v1/calendars/BR?from=2030-12-31&until=2031-01-01").await.json();
    assert_eq!(later["holidays_known_until"], holidays::last_day().to_string());
    for (path, code) in [
        ("/v1/calendars/nowhere", "calendar.not_found"),
        ("/v1/calendars/BR?from=2026-12-25&until=2026-12-24", "query.invalid"),
        ("/v1/calendars/BR?from=25.12.2026", "query.invalid"),
        ("/v1/calendars/BR?from=2026-01-01&until=2036-02-19", "query.invalid"),
        ("/v1/calendars/BR?day=2026-01-01", "query.invalid"),
    ] {
        assert_eq!(api.get(path).await.code(), code, "{path}");
    }
    assert_eq!(api.get("/v1/calendars/BR?from=2026-01-01&until=2036-02-18").await.status, StatusCode::OK);
}

fn closing(more: Value) -> String {
    let mut order = json!({"state": "closed", "first": "2026-12-28", "why": "a storm"});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order.to_string()
}

async fn mark(api: &ApiHarness, calendar: &str, more: Value) -> Value {
    let taken = api.change(&format!("/v1/calendars/{calendar}/days"), closing(more)).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    taken.json()
}

#[tokio::test]
async fn a_day_is_closed_by_a_command_with_the_name_of_the_token() {
    let api = api().await;
    let taken = mark(&api, "Office", json!({"last": "2026-12-29"})).await;
    let expected = json!({"calendar": "office", "state": "closed", "first": "2026-12-28", "last": "2026-12-29",
        "who": "crm", "why": "a storm"});
    assert_eq!(taken, expected);
    let hours = format!("{WEEKDAYS} except office");
    let closed = trial(&api, &hours, "2026-12-28T13:00:00Z").await;
    let day =
        json!({"day": "2026-12-28", "state": "closed", "by": "operator", "who": "crm", "why": "a storm"});
    assert_eq!((&closed["day"], &closed["opens_at"]), (&day, &json!("2026-12-30T12:00:00Z")));
    mark(&api, "office", json!({"state": "default"})).await;
    assert_eq!(trial(&api, &hours, "2026-12-28T13:00:00Z").await["open"], true);
    // A holiday can be opened, and a day that the configuration closes cannot.
    mark(&api, "office", json!({"state": "open", "first": "2026-12-24", "last": "2026-12-25"})).await;
    assert_eq!(trial(&api, &hours, "2026-12-24T13:00:00Z").await["open"], false);
    assert_eq!(trial(&api, &hours, "2026-12-25T13:00:00Z").await["open"], true);
}

#[tokio::test]
async fn the_deadline_of_an_order_knows_the_days_that_operators_closed() {
    let api = api().await;
    mark(&api, "office", json!({"state": "closed", "first": "2026-11-23", "last": "2026-12-04"})).await;
    let hours = format!("{WEEKDAYS} except office");
    let kept = api.order(json!({"hours": hours, "latest": null})).await.json();
    // Monday 7, Tuesday 8 and Wednesday 9 December.
    assert_eq!(kept["latest"], "2026-12-09T21:00:00Z");
    let early = api.order(json!({"hours": hours, "latest": "2026-12-04T21:00:00Z"})).await;
    assert_eq!(early.json()["errors"][0]["code"], "hours.never_open", "{}", early.text);
}

#[tokio::test]
async fn every_wrong_field_of_days_is_named() {
    let api = api().await;
    for (change, fields) in [
        (json!({"state": "shut", "first": "tomorrow", "why": null}), vec!["state", "first", "why"]),
        (json!({"state": null, "first": null}), vec!["state", "first"]),
        (json!({"last": "2026-12-27"}), vec!["last"]),
        (json!({"last": "2027-12-28"}), Vec::new()),
        (json!({"last": "2027-12-29"}), vec!["last"]),
        (json!({"first": "2026-11-22"}), Vec::new()),
        (json!({"first": "2026-11-21"}), vec!["first"]),
        // 1,100 days after 23 November 2026.
        (json!({"first": "2029-11-27"}), Vec::new()),
        (json!({"first": "2029-11-28"}), vec!["last"]),
        (json!({"why": " . "}), vec!["why"]),
    ] {
        let answer = api.post("/v1/calendars/office/days", closing(change.clone())).await;
        let errors = answer.json().get("errors").cloned().unwrap_or(json!([]));
        let named: Vec<&str> =
            errors.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{change}");
        assert_eq!(answer.status.is_success(), fields.is_empty(), "{change}: {}", answer.text);
    }
    let unknown = api.post("/v1/calendars/nowhere/days", closing(json!({}))).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::NOT_FOUND, "calendar.not_found"));
    let other = api.post("/v1/calendars/office/days", closing(json!({"until": "2026-12-31"}))).await;
    assert!(other.status.is_client_error(), "an unknown field is refused");
}

#[tokio::test]
async fn a_bounded_number_of_days_is_marked() {
    let api = api().await;
    let year = json!({"first": "2027-01-01", "last": "2028-01-01"});
    for country in holidays::codes().filter(|code| code.len() == 2).take(27) {
        mark(&api, country, year.clone()).await;
    }
    // 27 calendars with 366 days each; the next ones go beyond 10,000.
    mark(&api, "office", json!({"first": "2027-01-01", "last": "2027-04-28"})).await;
    let answer = api.change("/v1/calendars/office/days", closing(json!({}))).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "calendar.too_many_days"));
}

#[tokio::test]
async fn hours_without_a_zone_are_those_of_the_number() {
    let api = api().await;
    let of = async |consumer: &str, hours: Value| {
        api.order(json!({"consumer": consumer, "hours": hours, "latest": null})).await
    };
    let spans = json!([{"days": "daily", "from": "09:00", "to": "18:00"}]);
    for hours in [json!("daily 09:00-18:00 except br"), json!({"spans": spans, "calendar": "BR"})] {
        let kept = of("+5592987654321", hours).await.json();
        assert_eq!(kept["hours"]["zone"], "America/Manaus");
        assert_eq!((kept["hours"].get("also"), kept.get("warnings")), (None, None));
        assert_eq!(kept["hours"]["calendar"], "BR");
    }
    let kept = of("+12085550123", json!("daily 09:00-18:00")).await.json();
    let zones = kept["hours"]["also"].as_array().unwrap().len() + 1;
    assert!(zones > 1);
    let warning = &kept["warnings"][0];
    assert_eq!((&warning["field"], &warning["code"]), (&json!("hours"), &json!("zone.ambiguous")));
    assert!(warning["detail"].as_str().unwrap().contains(&format!("{zones} zones")), "{warning}");
    let mobile = of("+61412345678", json!("daily 08:00-20:00")).await.json();
    assert_eq!(mobile["hours"]["also"].as_array().map(Vec::len), Some(7), "it tells no region");
    // When it is eleven in Boise, it is ten in Los Angeles.
    let never = of("+12085550123", json!("daily 10:00-11:00")).await;
    assert_eq!(never.json()["errors"][0]["code"], "hours.never_open");
}

#[tokio::test]
async fn a_wrong_number_is_the_only_fault_of_hours_without_a_zone() {
    let api = api().await;
    let faults = async |consumer: &str, hours: Value| {
        let answer = api.order(json!({"consumer": consumer, "hours": hours})).await.json();
        let fields = answer["errors"].as_array().unwrap().iter();
        fields.map(|error| error["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(faults("nobody", json!("daily 09:00-18:00")).await, ["consumer"]);
    assert_eq!(faults("nobody", json!("daily 09:00-08:00")).await, ["consumer", "hours"]);
    let also = json!({"spans": [], "also": ["UTC"]});
    assert_eq!(faults("+5511987654321", also).await, ["hours.zone"]);
}
