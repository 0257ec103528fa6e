//! Text from other programs: byte-order marks, other encodings and formats, and invisible characters.

use axum::http::StatusCode;
use serde_json::json;

use super::harness::{api, order};

const MARK: &str = "\u{FEFF}";

#[tokio::test]
async fn a_byte_order_mark_before_json_is_ignored_everywhere() {
    let api = api().await;
    let one = format!("{MARK}{}", order(json!({})));
    assert_eq!(api.post("/v1/callbacks", one.clone()).await.status, StatusCode::ACCEPTED);
    let array = format!("{MARK}[{}]", order(json!({})));
    let answer = api.post("/v1/callbacks/bulk", array).await;
    assert_eq!((answer.status, answer.header("x-rows-kept")), (StatusCode::OK, "1"), "{}", answer.text);
    // Files that were joined have a mark in the middle.
    let answer = api.ndjson(format!("{one}\r\n{one}\r\n")).await;
    assert_eq!((answer.status, answer.header("x-rows-kept")), (StatusCode::OK, "2"), "{}", answer.text);
}

#[tokio::test]
async fn a_file_from_the_field_is_read() {
    let api = api().await;
    let rows = include_str!("../../cases/10-bom-ndjson/mark.ndjson");
    assert!(rows.starts_with(MARK));
    let answer = api.ndjson(rows).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.text.contains("body.syntax"), "{}", answer.text);
}

#[tokio::test]
async fn another_encoding_or_format_is_refused_with_one_sentence() {
    let api = api().await;
    let utf16: Vec<u8> =
        format!("{MARK}{}", order(json!({}))).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let table = "consumer,document\n+447700900213,message\n+447700900214,message\n";
    for (body, found) in [
        (utf16, "UTF-16"),
        (table.as_bytes().to_vec(), "CSV"),
        (b"<html><body>502</body></html>".to_vec(), "HTML"),
    ] {
        for path in ["/v1/callbacks", "/v1/callbacks/bulk"] {
            let answer = api.post(path, body.clone()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert_eq!(answer.code(), "body.not_json");
            assert!(answer.json()["detail"].as_str().unwrap().contains(found), "{}", answer.text);
        }
        let answer = api.ndjson(body).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "body.not_json".to_owned()));
    }
    assert_eq!(api.store.count().await, 0);
}

#[tokio::test]
async fn names_with_invisible_characters_are_refused() {
    let api = api().await;
    for field in ["reference", "campaign"] {
        for hidden in ["a\u{202E}b", "a\u{200B}b", "a\u{2066}b", "\u{FEFF}a", "a\u{200D}", "a\u{9B}b", "a\nb"]
        {
            let answer = api.order(json!({field: hidden})).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{hidden:?}");
            assert_eq!(answer.json()["errors"][0]["code"], "field.characters");
        }
        for name in ["می\u{200C}خواهم", "👩\u{200D}👧", "Ação"] {
            assert_eq!(api.order(json!({field: name})).await.status, StatusCode::ACCEPTED, "{name}");
        }
    }
}

#[tokio::test]
async fn metadata_that_strict_parsers_refuse_is_refused() {
    let api = api().await;
    let send = async |metadata: &str| {
        let order = order(json!({"metadata": "here"})).to_string().replace("\"here\"", metadata);
        api.post("/v1/callbacks", order).await
    };
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for metadata in ["{\"a\": [1, 2.5, null]}", &nested(64), "\"\\ud83d\\ude00\""] {
        assert_eq!(send(metadata).await.status, StatusCode::ACCEPTED, "{metadata}");
    }
    for metadata in [&*nested(65), &nested(2_000), "\"\\ud800\"", "1e999"] {
        let answer = send(metadata).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{metadata}");
        assert_eq!(answer.json()["errors"][0]["code"], "metadata.unreadable", "{}", answer.text);
    }
}
