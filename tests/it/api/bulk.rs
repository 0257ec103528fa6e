//! Many callbacks in one body: each row by itself, and the answer says exactly what was kept.

use std::sync::atomic::Ordering;

use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::harness::{Answer, ApiHarness, api, order};

fn rows(count: usize) -> Vec<String> {
    (1..=count).map(|row| order(json!({"reference": format!("row-{row}")})).to_string()).collect()
}

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn references(api: &ApiHarness) -> Vec<String> {
    let listed = api.get("/v1/callbacks?limit=500").await.json();
    let reference = |row: &Value| row["reference"].as_str().unwrap().to_owned();
    listed["callbacks"].as_array().unwrap().iter().map(reference).collect()
}

#[tokio::test]
async fn a_broken_row_is_refused_by_itself_and_the_others_are_kept() {
    let api = api().await;
    let mut body = rows(100);
    body[56] = "{\"consumer\": \"+5521976543210\", oops}".into();
    let answer = api.ndjson(body.join("\n")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!((answer.header("x-rows-kept"), answer.header("x-rows-refused")), ("99", "1"));
    let results = lines(&answer);
    assert_eq!(results.len(), 100);
    assert_eq!(api.store.count().await, 99);
    insta::assert_json_snapshot!("bulk_row_57", results[55..58]);
}

#[tokio::test]
async fn a_row_with_wrong_fields_names_them() {
    let api = api().await;
    let mut body = rows(3);
    body[1] = order(json!({"priority": 12})).to_string();
    body[2] = order(json!({"priority": 12, "consumer": null})).to_string();
    let results = lines(&api.ndjson(body.join("\r\n") + "\r\n\r\n").await);
    assert_eq!(results.len(), 3);
    assert_eq!(results[1]["error"]["field"], "priority");
    assert_eq!(results[1].get("errors"), None);
    assert_eq!(results[2]["error"]["field"], "consumer");
    assert_eq!(results[2]["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn rows_are_listed_in_the_order_in_which_they_were_given() {
    let api = api().await;
    api.ndjson(rows(300).join("\n")).await;
    let newest_first: Vec<_> = (1..=300).rev().map(|row| format!("row-{row}")).collect();
    assert_eq!(references(&api).await, newest_first);
}

#[tokio::test]
async fn an_array_is_answered_with_an_array() {
    let api = api().await;
    let mut body = rows(3);
    body[1] = "7".into();
    let answer = api.post("/v1/callbacks/bulk", format!("[{}]", body.join(","))).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let results = answer.json();
    assert_eq!(results[0]["row"], 1);
    assert!(results[0]["id"].as_str().unwrap().starts_with("cb_"));
    assert_eq!(results[1]["error"]["code"], "body.shape");
    assert!(results[2]["id"].is_string());
    assert_eq!(api.store.count().await, 2);
    assert_eq!(api.post("/v1/callbacks/bulk", "[]").await.text, "[]");
}

#[tokio::test]
async fn a_broken_array_is_refused_whole_and_the_row_is_named() {
    let api = api().await;
    let mut body = rows(100);
    body[56] = "{\"consumer\" 1}".into();
    let answer = api.post("/v1/callbacks/bulk", format!("[\n{}]", body.join(",\n"))).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "body.syntax".into()));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("row 57, line 58, column 13:"), "{detail}");
    assert_eq!(api.store.count().await, 0);
    assert_eq!(api.post("/v1/callbacks/bulk", "{}").await.code(), "body.shape");
}

#[tokio::test]
async fn more_rows_than_a_commit_takes_are_all_kept() {
    let api = api().await;
    let answer = api.ndjson(rows(2500).join("\n")).await;
    assert_eq!(answer.header("x-rows-kept"), "2500");
    assert!(lines(&answer).iter().enumerate().all(|(index, row)| row["row"] == index + 1));
    assert_eq!(api.store.count().await, 2500);
}

#[tokio::test]
async fn when_the_store_fails_midway_the_answer_says_what_was_kept() {
    let api = api().await;
    api.store.fails_after.store(2, Ordering::Relaxed);
    let mut body = rows(3500);
    body[3400] = "broken".into();
    let answer = api.ndjson(body.join("\n")).await;
    assert_eq!((answer.status, answer.header("x-rows-kept")), (StatusCode::OK, "2000"));
    let results = lines(&answer);
    assert_eq!(results.len(), 3500);
    assert!(results[1999]["id"].is_string());
    assert_eq!(results[2000]["error"]["code"], "store.unavailable");
    assert_eq!(results[3400]["error"]["code"], "body.syntax");
    assert_eq!(results[3499]["error"]["code"], "store.unavailable");
    assert_eq!(api.store.count().await, 2000);
}

#[tokio::test]
async fn when_nothing_can_be_kept_the_whole_request_is_refused() {
    let api = api().await;
    api.store.fails_after.store(1, Ordering::Relaxed);
    api.callback().await;
    let answer = api.ndjson(rows(3).join("\n")).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "store.unavailable".into()));
}

#[tokio::test]
async fn a_body_that_is_sent_again_with_its_key_keeps_no_row_twice() {
    let api = api().await;
    let send = async |body: &[String]| {
        let request = Request::post("/v1/callbacks/bulk")
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", "import-7");
        lines(&api.ask(request, body.join("\n")).await)
    };
    let first = send(&rows(3)).await;
    let mut body = rows(4);
    body[1] = order(json!({"priority": 1})).to_string();
    let again = send(&body).await;
    assert_eq!(again[0], json!({"row": 1, "id": first[0]["id"], "replayed": true}));
    assert_eq!(again[1]["error"]["code"], "idempotency.key_reused");
    assert_eq!(again[3].get("replayed"), None);
    assert_eq!(api.store.count().await, 4);
}
