//! The forecast of a draft: what is assumed, and what is refused.

use axum::http::StatusCode;
use serde_json::json;

use super::harness::{api, inviting_api, order};

#[tokio::test]
async fn a_draft_is_forecast_with_rates_that_are_assumed() {
    let api = api().await;
    let draft = json!({"name": "Spring", "calls_per_minute": 10});
    let made = api.change("/v1/campaigns", draft.to_string()).await.json();
    let path = format!("/v1/campaigns/{}/forecast", made["id"].as_str().unwrap());
    let empty = api.post(&path, "").await;
    assert_eq!((empty.status, empty.code().as_str()), (StatusCode::CONFLICT, "campaign.nothing_open"));
    for row in 0..30 {
        let changes = json!({"consumer": format!("+552198765{row:04}"), "campaign": made["id"]});
        let ordered = api.post("/v1/callbacks", order(changes).to_string()).await;
        assert!(ordered.status.is_success(), "{}", ordered.text);
    }
    let told = api.post(&path, "{}").await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text);
    let told = told.json();
    assert_eq!((&told["open"], &told["sample"], &told["plays"]), (&json!(30), &json!(30), &json!(20)));
    assert_eq!(told["requests"]["p50"], 30, "everybody has to be asked: {told}");
    assert_eq!(told["rates"]["granted_percent"], json!({"value": 40.0, "from": "assumed", "sample": 0}));
    assert!(told["finished_at"]["p50"].as_str() <= told["finished_at"]["p90"].as_str());
    assert_eq!(api.post(&path, r#"{"seed": 1}"#).await.json(), told, "the same seed, the same forecast");
}

#[tokio::test]
async fn a_forecast_of_few_plays_or_of_another_campaign_is_refused() {
    let api = api().await;
    let made = api.change("/v1/campaigns", json!({"name": "Spring"}).to_string()).await.json();
    let path = format!("/v1/campaigns/{}/forecast", made["id"].as_str().unwrap());
    for plays in [19, 201] {
        let refused = api.post(&path, json!({"plays": plays}).to_string()).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "campaign.invalid")
        );
    }
    assert_eq!(api.post(&path, r#"{"turns": 20}"#).await.code(), "body.shape");
    let unknown = "/v1/campaigns/cmp_00000000000000000000000000000007/forecast";
    assert_eq!(api.post(unknown, "{}").await.code(), "campaign.not_found");
}

#[tokio::test]
async fn invites_of_the_campaign_are_not_forecast_as_calls() {
    let api = inviting_api().await;
    let made = api.change("/v1/campaigns", json!({"name": "Spring"}).to_string()).await.json();
    for row in 0..30 {
        let consumer = format!("+552198765{row:04}");
        let ordered = match row % 3 {
            0 => api.order(json!({"consumer": consumer, "campaign": made["id"]})).await,
            _ => api.invite(json!({"consumer": consumer, "campaign": made["id"]})).await,
        };
        assert!(ordered.status.is_success(), "{}", ordered.text);
    }
    let path = format!("/v1/campaigns/{}/forecast", made["id"].as_str().unwrap());
    let told = api.post(&path, "{}").await.json();
    assert_eq!((&told["open"], &told["sample"]), (&json!(10), &json!(10)), "{told}");
}
