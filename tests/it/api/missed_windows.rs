//! Orders that say what happens if their first calling hours pass without a call.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::harness::{ApiHarness, api};

const HOURS: &str = "daily 09:00-18:00 @America/Sao_Paulo";

async fn faults(api: &ApiHarness, order: Value) -> Vec<(String, String)> {
    let answer = api.order(order).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let errors = answer.json()["errors"].clone();
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    errors.as_array().unwrap().iter().map(|error| (text(error, "field"), text(error, "code"))).collect()
}

#[tokio::test]
async fn an_order_keeps_what_to_do_after_missed_hours() {
    let api = api().await;
    for rule in ["close", "ask"] {
        let answer = api.order(json!({"hours": HOURS, "missed_window": rule})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(api.get(&format!("/v1/callbacks/{id}")).await.json()["missed_window"], rule);
    }
    let usual = api.order(json!({"hours": HOURS, "missed_window": "next_window"})).await.json();
    assert_eq!(usual.get("missed_window"), None);
    let without = api.order(json!({"hours": null, "missed_window": "next_window"})).await;
    assert_eq!(without.status, StatusCode::ACCEPTED, "what is usual needs no hours");
}

#[tokio::test]
async fn wrong_rules_and_rules_without_hours_are_refused() {
    let api = api().await;
    let fault = |code: &str| vec![("missed_window".to_owned(), code.to_owned())];
    let unknown = json!({"hours": HOURS, "missed_window": "closed"});
    assert_eq!(faults(&api, unknown).await, fault("missed_window.unknown"));
    for rule in ["close", "ask"] {
        let order = json!({"hours": null, "missed_window": rule});
        assert_eq!(faults(&api, order).await, fault("missed_window.no_hours"));
    }
    let number = json!({"hours": HOURS, "missed_window": 7});
    assert_eq!(faults(&api, number).await, fault("field.type"));
    // Wrong hours are the only fault.
    let order = json!({"hours": "daily 9-18", "missed_window": "ask"});
    assert_eq!(faults(&api, order).await, [("hours".to_owned(), "hours.invalid".to_owned())]);
}

#[tokio::test]
async fn the_hours_of_such_an_order_cannot_be_removed() {
    let api = api().await;
    let order = api.order(json!({"hours": HOURS, "missed_window": "ask"})).await.json();
    let path = format!("/v1/callbacks/{}/reschedule", order["id"].as_str().unwrap());
    let answer = api.change(&path, json!({"hours": null}).to_string()).await;
    assert_eq!(answer.json()["errors"][0]["code"], "missed_window.no_hours", "{}", answer.text);
    let answer =
        api.change(&path, json!({"hours": "daily 10:00-11:00 @America/Sao_Paulo"}).to_string()).await;
    assert!(answer.status.is_success(), "{}", answer.text);
}
