//! Bulk orders: rows are accepted or refused individually, and the answer has the result of each.

use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use ringmaster::clock::Clock as _;
use ringmaster::http::{OrderLimits, RequestLimits, auth};
use ringmaster::store::Token;
use serde_json::{Value, json};

use super::harness::{Answer, ApiHarness, SECOND_SENDER, SENDER, api, desk_with, order};

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
async fn only_the_broken_row_is_refused() {
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
async fn a_row_with_little_time_is_accepted_with_a_warning() {
    let api = api().await;
    let mut body = rows(3);
    body[1] = order(json!({"reference": "row-2", "latest": "2026-11-23T12:10:00Z"})).to_string();
    for replayed in [Value::Null, json!(true)] {
        let request = Request::post("/v1/callbacks/bulk")
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", "import-7");
        let answer = api.ask(request, body.join("\n")).await;
        let results = lines(&answer);
        let warned: Vec<_> = results.iter().map(|row| row["warnings"][0]["code"].clone()).collect();
        assert_eq!(warned, [Value::Null, json!("deadline.little_time"), Value::Null]);
        assert!(
            results.iter().all(|row| row["id"].is_string() && row["replayed"] == replayed),
            "{results:?}"
        );
    }
}

/// Case 14: two equal rows of one bulk order.
#[tokio::test]
async fn a_row_that_repeats_an_earlier_one_is_accepted_with_a_warning() {
    let api = desk_with(&[SENDER, SECOND_SENDER], RequestLimits::default()).await;
    let first = json!({"consumer": "+5521976543210", "sender": SENDER, "document": "conference"});
    let with = |more: Value| {
        let mut row = first.clone();
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row.to_string()
    };
    let later = "2026-11-23T18:00:00Z";
    let rows = [
        (first.to_string(), None),
        (first.to_string(), Some(1)),
        (with(json!({"consumer": "+552176543210"})), None),
        (with(json!({"consumer": "+552187654321"})), None),
        (with(json!({"consumer": "+5521987654321"})), Some(4)),
        (with(json!({"priority": 9, "attempts_max": 1, "metadata": {"row": 6}})), Some(1)),
        (with(json!({"sender": SECOND_SENDER})), None),
        (with(json!({"earliest": later})), None),
        (with(json!({"earliest": "2026-11-23T15:00:00-03:00"})), Some(8)),
        (with(json!({"latest": later})), None),
        (with(json!({"hours": "mon-fri 09:00-18:00 @America/Sao_Paulo"})), None),
        (with(json!({"document": "message", "variables": {"message": "one"}})), None),
        (with(json!({"document": "message", "variables": {"message": "two"}})), None),
        (with(json!({"document": "dial-client", "agent": "client:anna"})), None),
        (with(json!({"document": "dial-client", "agent": "client:bert"})), None),
        (with(json!({"purpose": "collections"})), None),
        (with(json!({"campaign": "a"})), None),
        (with(json!({"reference": "a"})), None),
        (with(json!({"reference": "a", "consumer": null})), None),
        (with(json!({"reference": "a"})), Some(18)),
    ];
    let body: Vec<&str> = rows.iter().map(|(row, _)| &**row).collect();
    let results = lines(&api.ndjson(body.join("\n")).await);
    for ((row, equal), result) in rows.iter().zip(&results) {
        let warnings = result["warnings"].as_array().cloned().unwrap_or_default();
        let warning = warnings.iter().find(|warning| warning["code"] == "row.repeated");
        let told = warning.map(|warning| warning["detail"].as_str().unwrap().to_owned());
        let expected = equal.map(|first| {
            format!("orders the same as row {first}; both are stored, and what is open when one reaches the consumer closes")
        });
        assert_eq!(told, expected, "{row}: {result}");
    }
    assert_eq!(results.iter().filter(|result| result["id"].is_null()).count(), 1);
}

/// What the row before had counts for no other row, whatever of it is equal.
#[tokio::test]
async fn a_row_is_taken_as_it_would_be_alone() {
    let api = api().await;
    let (office, night) = ("mon-fri 09:00-18:00 @America/Sao_Paulo", "daily 22:00-23:00 @Asia/Tokyo");
    let orders = [
        json!({"hours": office, "latest": "2026-11-25T12:10:00Z"}),
        json!({"hours": office, "latest": "2026-11-23T12:10:00Z"}),
        json!({"hours": office, "earliest": "2026-11-24T20:59:00Z", "latest": "2026-11-25T12:10:00Z"}),
        json!({"hours": night, "latest": "2026-11-25T12:10:00Z"}),
        json!({"hours": night, "latest": "2026-11-23T12:10:00Z"}),
        json!({"hours": "daily 09:00-10:00", "latest": "2026-11-25T12:10:00Z"}),
        json!({"hours": "daily 09:00-10:00", "consumer": "+919876543210", "latest": "2026-11-25T12:10:00Z"}),
        json!({"hours": "daily 09:00-10:00 @Mars/Base"}),
        json!({"earliest": "2026-11-24T20:59:00Z", "latest": "2026-11-24T21:00:00Z"}),
    ];
    let mut alone = Vec::new();
    for body in &orders {
        let answer = api.order(body.clone()).await.json();
        alone.push(told(&api, &answer, &answer).await);
    }
    let pairs = (0..orders.len()).flat_map(|first| (0..orders.len()).flat_map(move |next| [first, next]));
    let pairs: Vec<usize> = pairs.collect();
    let body: Vec<String> = pairs.iter().map(|&at| order(orders[at].clone()).to_string()).collect();
    let results = lines(&api.ndjson(body.join("\n")).await);
    assert_eq!(results.len(), pairs.len());
    for (result, at) in results.iter().zip(pairs) {
        let error =
            if result["errors"].is_null() { json!({"errors": [result["error"]]}) } else { result.clone() };
        assert_eq!(told(&api, result, &error).await, alone[at], "{}", orders[at]);
    }
}

/// The codes of faults and warnings, and what was stored.
async fn told(api: &ApiHarness, result: &Value, refused: &Value) -> Value {
    let codes = |list: &Value| -> Vec<Value> {
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["code"].clone()).filter(|code| code != "row.repeated").collect()
    };
    let Some(id) = result["id"].as_str() else { return json!(codes(&refused["errors"])) };
    let stored = api.get(&format!("/v1/callbacks/{id}")).await.json();
    json!([
        codes(&result["warnings"]),
        stored["hours"],
        stored["earliest"],
        stored["latest"],
        stored["wake_at"]
    ])
}

#[tokio::test]
async fn equal_rows_are_found_across_chunks() {
    let api = api().await;
    let mut body = rows(1_002);
    body[1_001] = body[0].clone();
    api.clock.advance(SignedDuration::from_secs(1));
    let results = lines(&api.ndjson(body.join("\n")).await);
    let warned: Vec<_> =
        results.iter().filter(|row| row["warnings"].is_array()).map(|row| row["row"].clone()).collect();
    assert_eq!(warned, [json!(1_002)]);
}

#[tokio::test]
async fn rows_are_listed_in_the_order_of_the_request() {
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
async fn a_broken_array_is_refused_completely_and_the_row_is_named() {
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
async fn more_rows_than_fit_into_a_commit_are_all_stored() {
    let api = api().await;
    let answer = api.ndjson(rows(2500).join("\n")).await;
    assert_eq!(answer.header("x-rows-kept"), "2500");
    assert!(lines(&answer).iter().enumerate().all(|(index, row)| row["row"] == index + 1));
    assert_eq!(api.store.count().await, 2500);
}

#[tokio::test]
async fn when_the_store_fails_midway_the_answer_names_the_stored_rows() {
    let api = api().await;
    api.store.faults().fails_after.store(2, Ordering::Relaxed);
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

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Page(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn rows_that_the_store_did_not_take_are_one_line_in_the_log() {
    let api = api().await;
    let page = Page::default();
    let writer = page.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let logging = tracing::subscriber::set_default(log);
    api.ndjson(rows(3).join("\n")).await;
    api.store.faults().fails_after.store(2, Ordering::Relaxed);
    let mut body = rows(3500);
    body[3400] = "broken".into();
    api.ndjson(body.join("\n")).await;
    drop(logging);
    let logged = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = logged.lines().filter(|line| line.contains("WARN")).collect();
    let [line] = lines.as_slice() else { panic!("{logged}") };
    for part in ["not stored", "rows=2499", "store.unavailable", "the disk is full"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[tokio::test]
async fn when_no_row_can_be_stored_the_whole_request_is_refused() {
    let api = api().await;
    api.store.faults().fails_after.store(1, Ordering::Relaxed);
    api.callback().await;
    let answer = api.ndjson(rows(3).join("\n")).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "store.unavailable".into()));
}

#[tokio::test]
async fn a_body_that_is_sent_again_with_its_key_stores_no_row_twice() {
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

#[tokio::test]
async fn a_bulk_order_has_a_maximum_of_rows_and_a_longer_one_stores_nothing() {
    let limits = RequestLimits { bulk_rows_max: 3, ..RequestLimits::default() };
    let api = desk_with(&[SENDER], limits).await;
    for (count, status) in [(3, StatusCode::OK), (4, StatusCode::PAYLOAD_TOO_LARGE)] {
        let lines = api.ndjson(rows(count).join("\n\n")).await;
        let array = api.post("/v1/callbacks/bulk", format!("[{}]", rows(count).join(","))).await;
        assert_eq!((lines.status, array.status), (status, status));
        if status != StatusCode::OK {
            assert_eq!(
                (lines.code(), array.code()),
                ("body.too_many_rows".into(), "body.too_many_rows".into())
            );
        }
    }
    assert_eq!(api.store.count().await, 6);
}

#[tokio::test]
async fn a_row_and_a_single_order_have_a_maximum_size() {
    let api = api().await;
    let exact = order(json!({"metadata": ""})).to_string();
    for (bytes, is_kept) in [(16_383, true), (16_384, true), (16_385, false)] {
        // White space around the values counts, and is no other fault.
        let padded = exact.replacen('{', &format!("{{{}", " ".repeat(bytes - exact.len())), 1);
        let row = lines(&api.ndjson(padded.clone()).await)[0].clone();
        assert_eq!(row.get("id").is_some(), is_kept, "{bytes}: {row}");
        let single = api.post("/v1/callbacks", padded).await;
        if is_kept {
            assert_eq!(single.status, StatusCode::ACCEPTED);
        } else {
            assert_eq!(row["error"]["code"], "body.too_large");
            assert_eq!(
                (single.status, single.code()),
                (StatusCode::PAYLOAD_TOO_LARGE, "body.too_large".into())
            );
        }
    }
}

#[tokio::test]
async fn fields_of_an_object_and_reported_faults_are_limited() {
    let order_limits = OrderLimits { bytes_max: 1 << 20, ..OrderLimits::default() };
    let api = desk_with(&[SENDER], RequestLimits { order: order_limits, ..RequestLimits::default() }).await;
    let with = |count: usize| {
        let names: Vec<_> = (0..count).map(|index| format!("\"n{index}\":1")).collect();
        format!("{{{}}}", names.join(","))
    };
    // The last row has as many names as once took 22 seconds.
    let bodies = [with(100), with(101), with(1000), with(1001), with(80_000)];
    let results = lines(&api.ndjson(bodies.join("\n")).await);
    for (row, count) in results.iter().zip([None, Some(101), Some(1000), Some(1001), Some(80_000)]) {
        let errors = row["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 21, "{row}");
        assert_eq!(errors[20]["code"], "errors.omitted");
        let first = count.map_or("field.unknown", |_| "field.count");
        assert_eq!(row["error"]["code"], first);
        if let Some(count) = count {
            assert_eq!(row["error"]["detail"], format!("has {count} fields: expected at most 100"));
        }
    }
    let variables: Value = (0..101).map(|index| (format!("v{index}"), json!("x"))).collect();
    let first = api.order(json!({"variables": variables})).await.json()["errors"][0].clone();
    assert_eq!((&first["field"], &first["code"]), (&json!("variables"), &json!("field.count")));
}

#[tokio::test]
async fn a_token_has_its_share_of_the_bulk_orders_until_their_answers_are_taken() {
    let api = api().await;
    let (other, hash) = auth::new_token([8; 32]);
    api.store.create_token(Token::new("other", hash, api.clock.now())).await.unwrap();
    let send = async |token: &str, body: Body| {
        let request = Request::post("/v1/callbacks/bulk")
            .header("content-type", "application/x-ndjson")
            .header("authorization", format!("Bearer {token}"))
            .body(body)
            .unwrap();
        tower::ServiceExt::oneshot(api.router.clone(), request).await.unwrap()
    };
    let rows = || Body::from(rows(2).join("\n"));
    // One of the largest size fits, or a few small ones.
    let mut answers = Vec::new();
    let refused = loop {
        let answer = send(&api.token, rows()).await;
        if answer.status() != StatusCode::OK {
            break answer;
        }
        answers.push(answer);
    };
    assert_eq!(answers.len(), 2);
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "2");
    let text = refused.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(serde_json::from_slice::<Value>(&text).unwrap()["code"], "bulk.busy");
    assert_eq!(send(&other, rows()).await.status(), StatusCode::OK, "the other token has its own share");
    let taken = answers.pop().unwrap().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(taken.split(|&byte| byte == b'\n').count(), 3);
    assert_eq!(send(&api.token, rows()).await.status(), StatusCode::OK);
    drop(answers);
    assert_eq!(api.store.count().await, 2 * 4);
}

#[tokio::test]
async fn slow_uploads_of_a_token_keep_nobody_out() {
    let api = api().await;
    let request = |body: Body| {
        Request::post("/v1/callbacks/bulk")
            .header("content-type", "application/x-ndjson")
            .header("authorization", format!("Bearer {}", api.token))
            .body(body)
            .unwrap()
    };
    // Each sends a byte and then nothing more.
    let slow = || {
        let first = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"{")) });
        let body = Body::from_stream(first.chain(stream::pending()));
        Box::pin(tower::ServiceExt::oneshot(api.router.clone(), request(body)))
    };
    let mut uploads: Vec<_> = (0..100).map(|_| slow()).collect();
    for upload in &mut uploads {
        assert!(upload.now_or_never().is_none());
    }
    let whole = request(Body::from(rows(1).join("\n")));
    let answer = tower::ServiceExt::oneshot(api.router.clone(), whole).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_faults_of_a_large_wrong_order_are_bounded() {
    let api = api().await;
    let wrong: String = (0..50).map(|index| format!("\"{index:05}\":0,")).collect();
    let body = format!("{{{}}}\n", wrong.trim_end_matches(',')).repeat(10_000);
    let answer = api.ndjson(body).await;
    assert_eq!(answer.header("x-rows-refused"), "10000");
    let row = |line: Option<&str>| serde_json::from_str::<Value>(line.unwrap()).unwrap();
    let (first, last) = (row(answer.text.lines().next()), row(answer.text.lines().last()));
    assert_eq!(first["errors"].as_array().unwrap().len(), 21);
    // After 16 MiB of faults, only the first fault of a row is reported.
    assert_eq!((last["row"].as_u64(), last.get("errors")), (Some(10_000), None));
    assert_eq!(last["error"]["code"], "field.unknown");
    assert!(answer.text.len() < 2 * (16 << 20), "{}", answer.text.len());
}
