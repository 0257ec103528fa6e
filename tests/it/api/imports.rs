//! Imports: the check of a list stores nothing, and each row is ordered once.

use axum::http::{Request, StatusCode};
use ringmaster::clock::Clock as _;
use ringmaster::http::{RequestLimits, auth};
use ringmaster::store::Token;
use serde_json::{Value, json};

use super::harness::{Answer, ApiHarness, SECOND_SENDER, SENDER, api, desk_with, order};

/// A consumer, with and without the ninth digit.
const SPELLING: &str = "+5521987650101";
const OTHER_SPELLING: &str = "+552187650101";

async fn post(api: &ApiHarness, path: &str, rows: &[Value]) -> Answer {
    let body: Vec<String> = rows.iter().map(ToString::to_string).collect();
    api.ask(Request::post(path).header("content-type", "application/x-ndjson"), body.join("\n")).await
}

async fn import(api: &ApiHarness, name: &str, rows: &[Value]) -> Vec<Value> {
    let answer = post(api, &format!("/v1/imports/{name}/rows"), rows).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn check(api: &ApiHarness, rows: &[Value]) -> Value {
    let answer = post(api, "/v1/imports/check", rows).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

/// The rows with this finding.
fn found(report: &Value, check: &str, code: &str) -> Vec<u64> {
    let findings = report["findings"].as_array().unwrap().iter();
    let finding = findings.filter(|finding| finding["check"] == check && finding["code"] == code);
    finding.flat_map(|finding| finding["rows"].as_array().unwrap()).map(|row| row.as_u64().unwrap()).collect()
}

fn codes(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["error"]["code"].as_str().unwrap_or("")).collect()
}

#[tokio::test]
async fn a_row_of_an_import_is_ordered_once_in_whatever_order_and_spelling_it_comes_again() {
    let api = api().await;
    let rows = [
        order(json!({})),
        order(json!({"consumer": "+5521976543211"})),
        order(json!({"consumer": "+5521976543212", "reference": "r-3"})),
    ];
    let first = import(&api, "leads", &rows).await;
    assert_eq!(codes(&first), ["", "", ""]);
    let ids: Vec<Value> = first.iter().map(|row| row["id"].clone()).collect();
    let [a, b, c] = rows;
    let again = import(&api, "leads", &[c, a, b]).await;
    for (row, first) in again.iter().zip([2, 0, 1]) {
        assert_eq!((&row["id"], &row["replayed"]), (&ids[first], &json!(true)));
    }
    assert_eq!(api.store.count().await, 3);
    let other = import(&api, "leads-2", &[order(json!({}))]).await;
    assert_eq!(other[0].get("replayed"), None, "another import is another order");
    assert_eq!(api.store.count().await, 4);
}

#[tokio::test]
async fn a_corrected_row_is_ordered_and_a_changed_one_is_refused() {
    let api = api().await;
    let wrong = order(json!({"reference": "r-1", "priority": 12}));
    assert_eq!(codes(&import(&api, "leads", &[wrong]).await), ["priority.out_of_range"]);
    let right = order(json!({"reference": "r-1", "priority": 1}));
    assert_eq!(codes(&import(&api, "leads", std::slice::from_ref(&right)).await), [""]);
    let changed = order(json!({"reference": "r-1", "priority": 2}));
    let refused = import(&api, "leads", &[changed, right]).await;
    assert_eq!(codes(&refused), ["import.row_changed", ""]);
    assert_eq!(refused[1]["replayed"], true);
    // Without a reference it is the person, under every spelling, with the senders.
    assert_eq!(codes(&import(&api, "leads", &[order(json!({"consumer": SPELLING}))]).await), [""]);
    let other = order(json!({"consumer": OTHER_SPELLING}));
    assert_eq!(codes(&import(&api, "leads", &[other]).await), ["import.row_changed"]);
    assert_eq!(api.store.count().await, 2);
}

#[tokio::test]
async fn the_same_person_from_another_sender_is_another_row() {
    let api = desk_with(&[SENDER, SECOND_SENDER], RequestLimits::default()).await;
    let rows = [SENDER, SECOND_SENDER].map(|sender| order(json!({"sender": sender})));
    assert_eq!(codes(&import(&api, "leads", &rows).await), ["", ""]);
    assert_eq!(api.store.count().await, 2);
}

#[tokio::test]
async fn an_import_belongs_to_the_name_of_its_token() {
    let api = api().await;
    let row = order(json!({})).to_string();
    assert_eq!(codes(&import(&api, "leads", &[order(json!({}))]).await), [""]);
    let (other, hash) = auth::new_token([9; 32]);
    api.store.create_token(Token::new("other", hash, api.clock.now())).await.unwrap();
    let request = Request::post("/v1/imports/leads/rows")
        .header("content-type", "application/x-ndjson")
        .header("authorization", format!("Bearer {other}"));
    let answer = super::harness::answer(&api.router, request.body(row.into()).unwrap()).await;
    assert!(!answer.text.contains("replayed"), "{}", answer.text);
    assert_eq!(api.store.count().await, 2);
}

#[tokio::test]
async fn a_name_that_could_be_a_number_is_refused_and_not_repeated() {
    let api = api().await;
    for name in ["5521976543210", "a%20b", "%2B5521976543210"] {
        let answer = post(&api, &format!("/v1/imports/{name}/rows"), &[order(json!({}))]).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "import.name_malformed")
        );
        assert!(!answer.text.contains("976543210"));
    }
    assert_eq!(api.store.count().await, 0);
}

#[tokio::test]
async fn a_check_stores_nothing_and_tells_each_row_by_its_number() {
    let api = api().await;
    let rows = [
        order(json!({})),
        order(json!({"consumer": "+19", "priority": 12})),
        order(json!({"consumer": "+5351234567"})),
        order(json!({"consumer": "+5521976543211", "sender": SECOND_SENDER})),
        order(json!({"consumer": "+5521976543212", "latest": "2026-11-23T12:30:00Z"})),
        order(json!({"consumer": "+5521976543213",
            "hours": "mon-fri 09:00-18:00 @America/Sao_Paulo"})),
        order(json!({"consumer": "+5521976543214",
            "hours": "mon-sun 06:00-22:00 @America/Sao_Paulo and America/Manaus"})),
    ];
    let report = check(&api, &rows).await;
    assert_eq!((&report["rows"], &report["good"]), (&json!(7), &json!(4)));
    let refused: Vec<(u64, &str)> = report["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["row"].as_u64().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    let expected = [
        (2, "phone.invalid"),
        (2, "priority.out_of_range"),
        (3, "consumer.destination_barred"),
        (4, "sender.unknown"),
    ];
    assert_eq!(refused, expected);
    assert_eq!(found(&report, "hours", "deadline.little_time"), [5]);
    assert_eq!(found(&report, "permission", "must_ask"), [1, 5, 6, 7]);
    assert_eq!(found(&report, "zone", "by_number"), [1, 5]);
    assert_eq!(found(&report, "zone", "given"), [6]);
    assert_eq!(found(&report, "zone", "ambiguous"), [7]);
    assert_eq!(found(&report, "step", "request_permission"), [1, 5, 6, 7]);
    assert_eq!(found(&report, "open", "already_open"), [0_u64; 0]);
    assert!(!report.to_string().contains("976543"), "no number is repeated");
    assert_eq!(api.store.count().await, 0);
}

#[tokio::test]
async fn a_check_knows_who_waits_already_and_who_granted_a_permission() {
    let api = api().await;
    let grant =
        json!({"sender": SENDER, "consumer": "+5521976543211", "kind": "temporary", "reason": "by letter"});
    let granted = api.change("/v1/permissions/grant", grant.to_string()).await;
    assert!(granted.status.is_success(), "{}", granted.text);
    assert!(api.order(json!({"consumer": SPELLING})).await.status.is_success());
    let rows = [
        order(json!({"consumer": OTHER_SPELLING})),
        order(json!({"consumer": "+5521976543211"})),
        order(json!({"consumer": "+5521976543211", "earliest": "2026-12-20T12:00:00Z",
            "latest": "2026-12-21T12:00:00Z"})),
    ];
    let report = check(&api, &rows).await;
    assert_eq!(found(&report, "open", "already_open"), [1]);
    assert_eq!(found(&report, "permission", "live"), [2]);
    assert_eq!(found(&report, "permission", "ends_before"), [3]);
    assert_eq!(found(&report, "step", "place_call"), [2]);
}

#[tokio::test]
async fn a_check_has_the_limits_of_a_bulk_order() {
    let limits = RequestLimits { bulk_rows_max: 2, ..RequestLimits::default() };
    let api = desk_with(&[SENDER], limits).await;
    let row = |last: u32| order(json!({"consumer": format!("+552197654321{last}")}));
    assert_eq!(check(&api, &[row(0), row(1)]).await["good"], 2);
    for path in ["/v1/imports/check", "/v1/imports/leads/rows"] {
        let answer = post(&api, path, &[row(0), row(1), row(2)]).await;
        assert_eq!(answer.code(), "body.too_many_rows");
        let answer = api.ask(Request::post(path).header("content-type", "text/csv"), "phone\n").await;
        assert_eq!(answer.code(), "body.media_type");
    }
    assert_eq!(api.store.count().await, 0);
}

#[tokio::test]
async fn more_rows_than_a_chunk_are_all_checked() {
    let api = api().await;
    let row = |number: usize| order(json!({"consumer": format!("+5521976{number:06}")}));
    for count in [500, 501] {
        let rows: Vec<Value> = (0..count).map(row).collect();
        let report = check(&api, &rows).await;
        assert_eq!(report["good"], count);
        let asked = &report["findings"].as_array().unwrap()[0];
        assert_eq!((&asked["count"], asked["rows"].as_array().unwrap().len()), (&json!(count), 20));
    }
}

#[tokio::test]
async fn a_check_tells_which_list_suppresses_a_row() {
    let api = api().await;
    let entry = json!({"consumers": [SPELLING], "why": "by letter"});
    let added = api.change("/v1/suppression", entry.to_string()).await;
    assert!(added.status.is_success(), "{}", added.text);
    let rows = [order(json!({})), order(json!({"consumer": OTHER_SPELLING})), order(json!({"priority": 12}))];
    let report = check(&api, &rows).await;
    assert_eq!(report["good"], 1);
    assert_eq!(found(&report, "suppressed", "house"), [2]);
    let refused = report["refused"].as_array().unwrap();
    let refused: Vec<(u64, &str)> = refused
        .iter()
        .map(|fault| (fault["row"].as_u64().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    assert_eq!(refused, [(2, "consumer.suppressed"), (3, "priority.out_of_range")]);
}
