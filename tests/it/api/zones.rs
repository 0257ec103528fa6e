//! The zones of people: an order without a zone takes those of the person, and else those of the number.

use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::harness::{Answer, ApiHarness, api, order};

/// A consumer, with and without the ninth digit.
const CONSUMER: &str = "+5521987650101";
const OTHER_SPELLING: &str = "+552187650101";

const HOURS: &str = "mon-sun 09:00-18:00";

async fn set(api: &ApiHarness, consumer: &str, zones: &[&str]) -> Answer {
    let body = json!({"consumer": consumer, "zones": zones});
    let request = Request::put("/v1/consumers/zone").header("content-type", "application/json");
    api.ask(request, body.to_string()).await
}

/// The zones of an order: of its hours, and those beside it.
async fn zones_of(api: &ApiHarness, changes: Value) -> Vec<String> {
    let answer = api.order(changes).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let hours = answer.json()["hours"].clone();
    let also = hours["also"].as_array().cloned().unwrap_or_default();
    std::iter::once(hours["zone"].clone()).chain(also).map(|zone| zone.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_zone_is_that_of_the_order_or_else_of_the_person_or_else_of_the_number() {
    let api = api().await;
    let plain = json!({"consumer": CONSUMER, "hours": HOURS});
    assert_eq!(zones_of(&api, plain.clone()).await, ["America/Sao_Paulo"], "the number tells the region");
    assert_eq!(set(&api, CONSUMER, &["America/Manaus"]).await.status, StatusCode::OK);
    assert_eq!(zones_of(&api, plain.clone()).await, ["America/Manaus"]);
    let other_spelling = json!({"consumer": OTHER_SPELLING, "hours": HOURS});
    assert_eq!(zones_of(&api, other_spelling).await, ["America/Manaus"]);
    let written = json!({"consumer": CONSUMER, "hours": format!("{HOURS} @America/Recife")});
    assert_eq!(zones_of(&api, written).await, ["America/Recife"]);
    let told = json!({"consumer": CONSUMER, "hours": format!("{HOURS} @America/Recife"),
        "zone": "America/Rio_Branco"});
    assert_eq!(zones_of(&api, told).await, ["America/Rio_Branco"]);
    assert_eq!(set(&api, CONSUMER, &["America/Manaus", "America/Recife"]).await.status, StatusCode::OK);
    assert_eq!(zones_of(&api, plain.clone()).await, ["America/Manaus", "America/Recife"], "all must be open");
    assert_eq!(set(&api, CONSUMER, &[]).await.status, StatusCode::OK);
    assert_eq!(zones_of(&api, plain).await, ["America/Sao_Paulo"]);
}

#[tokio::test]
async fn new_hours_of_an_order_take_the_zones_of_the_person() {
    let api = api().await;
    set(&api, CONSUMER, &["America/Manaus"]).await;
    let made = api.order(json!({"consumer": CONSUMER})).await.json();
    let path = format!("/v1/callbacks/{}/reschedule", made["id"].as_str().unwrap());
    let answer = api.change(&path, json!({"hours": HOURS}).to_string()).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    assert_eq!(answer.json()["hours"]["zone"], "America/Manaus", "{}", answer.text);
}

#[tokio::test]
async fn rows_of_lists_take_the_zones_of_their_people() {
    let api = api().await;
    set(&api, CONSUMER, &["America/Manaus"]).await;
    let row = order(json!({"consumer": CONSUMER, "hours": HOURS})).to_string();
    let request = Request::post("/v1/imports/check").header("content-type", "application/x-ndjson");
    let report = api.ask(request, row.clone()).await.json();
    assert!(report["findings"].as_array().unwrap().iter().any(|it| it["code"] == "by_person"), "{report}");
    assert_eq!(api.ndjson(row.clone()).await.status, StatusCode::OK);
    let begun = api.post("/v1/imports", json!({"name": "leads"}).to_string()).await;
    assert_eq!(begun.status, StatusCode::CREATED);
    let put = api.ask(Request::put("/v1/imports/leads/parts?offset=0"), format!("{row}\n")).await;
    assert_eq!(put.json()["accepted"], 1, "{}", put.text);
    let listed = api.get("/v1/callbacks").await.json();
    let zones: Vec<&Value> =
        listed["callbacks"].as_array().unwrap().iter().map(|order| &order["hours"]["zone"]).collect();
    assert_eq!(zones, ["America/Manaus", "America/Manaus"]);
}

#[tokio::test]
async fn a_wrong_zone_is_told_by_its_place() {
    let api = api().await;
    let answer = set(&api, CONSUMER, &["America/Manaus", "America/Nowhere"]).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "consumer.invalid")
    );
    assert_eq!(answer.json()["errors"][0]["field"], "zones[1]");
    assert!(!answer.text.contains(CONSUMER));
    let many: Vec<&str> = vec!["America/Manaus"; 11];
    assert_eq!(set(&api, CONSUMER, &many).await.code(), "consumer.invalid");
    let order = api.order(json!({"hours": HOURS, "zone": "Factory"})).await;
    assert_eq!(order.json()["errors"][0]["code"], "zone.invalid", "{}", order.text);
}
