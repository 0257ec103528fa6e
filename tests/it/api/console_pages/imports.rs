//! Lists imported in the browser: by the form alone, and in parts by the script.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use super::super::harness::{Answer, SENDER, answer};
use super::{CSRF, Visitor, assert_page, multipart};

/// The third row has a priority out of range.
const LIST: &[u8] =
    b"phone,priority,var.message\n+5521987650101,3,Hello\n+5521987650102,12,Hello\n+5521987650103,5,Hello\n";

/// A draft that gives its rows what they need.
async fn draft(visitor: &Visitor) -> String {
    let draft = json!({"name": "Autumn", "defaults": {"sender": SENDER, "document": "message",
        "latest": "2026-11-24T12:00:00Z"}});
    let made = visitor.api.change("/v1/campaigns", draft.to_string()).await.json();
    made["id"].as_str().unwrap().to_owned()
}

async fn upload(visitor: &Visitor, campaign: &str, fields: &[(&str, &str)], file: &[u8]) -> Answer {
    let (kind, body) = multipart(fields, file);
    let request = Request::post(format!("/console/campaigns/{campaign}/import"))
        .header("host", "localhost")
        .header("content-type", kind);
    answer(&visitor.pages, request.body(Body::from(body)).unwrap()).await
}

async fn put(visitor: &Visitor, id: &str, offset: usize, token: &str, part: &'static [u8]) -> Answer {
    let request = Request::put(format!("/console/imports/{id}/part?offset={offset}"))
        .header("host", "localhost")
        .header("x-csrf-token", token);
    answer(&visitor.pages, request.body(Body::from(part)).unwrap()).await
}

#[tokio::test]
async fn a_file_is_imported_without_a_script_and_its_refused_rows_are_told_by_number_and_code() {
    let visitor = Visitor::with_everything().await;
    let campaign = draft(&visitor).await;
    let page = visitor.get(&format!("campaigns/{campaign}/import")).await;
    assert_page(&page, StatusCode::OK);
    assert!(page.text.contains("Import a list for Autumn") && page.text.contains("multipart/form-data"));
    let sent = upload(&visitor, &campaign, &[("csrf", CSRF), ("name", "l1")], LIST).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let report = sent.header("location").strip_prefix("../../").unwrap().to_owned();
    assert!(report.starts_with("imports/imp_"), "{report}");
    let shown = visitor.get(&report).await;
    assert_page(&shown, StatusCode::OK);
    for part in ["priority.out_of_range", "refused.csv", "complete"] {
        assert!(shown.text.contains(part), "{part} is not in {}", shown.text);
    }
    let csv = visitor.get(&format!("{report}/refused.csv")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.text.starts_with("row,field,code,detail\n3,priority,priority.out_of_range,"), "{}", csv.text);
    let of_campaign = visitor.get(&format!("campaigns/{campaign}")).await.text;
    assert!(
        of_campaign.contains(">l1</a>") && of_campaign.contains("data-label=\"Refused\">1</td>"),
        "{of_campaign}"
    );
    let left = visitor
        .post(&report, &[("act", "remove-import"), ("name", report.rsplit('/').next().unwrap())])
        .await;
    assert_eq!(left.header("location"), "../campaigns");
    assert_page(&visitor.get(&report).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_list_is_checked_before_it_is_imported_and_nothing_is_stored() {
    let visitor = Visitor::with_everything().await;
    let campaign = draft(&visitor).await;
    let fields = [("csrf", CSRF), ("name", "l1"), ("check", "1")];
    let checked = upload(&visitor, &campaign, &fields, LIST).await;
    assert_page(&checked, StatusCode::OK);
    for part in ["nothing is imported yet", "priority.out_of_range", "Must be asked for the permission first"]
    {
        assert!(checked.text.contains(part), "{part} is not in {}", checked.text);
    }
    assert!(checked.text.contains("value=\"l1\""), "what was entered stays");
    let unread = upload(&visitor, &campaign, &fields, b"a,b\n1,2\n").await;
    assert_page(&unread, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unread.text.contains("none of the 2 columns"), "{}", unread.text);
    assert_eq!(visitor.api.get("/v1/imports").await.json()["imports"], json!([]));
    assert_eq!(visitor.api.store.count().await, 0);
}

#[tokio::test]
async fn a_form_without_a_file_or_with_a_wrong_name_says_so_and_imports_nothing() {
    let visitor = Visitor::with_everything().await;
    let campaign = draft(&visitor).await;
    let empty = upload(&visitor, &campaign, &[("csrf", CSRF), ("name", "l1")], b"").await;
    assert_page(&empty, StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = upload(&visitor, &campaign, &[("csrf", CSRF), ("name", "5521976543210")], LIST).await;
    assert_page(&wrong, StatusCode::BAD_REQUEST);
    let country = [("csrf", CSRF), ("name", "l1"), ("default_country", "xx")];
    let country = upload(&visitor, &campaign, &country, LIST).await;
    assert_page(&country, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(country.text.contains("expected two capital letters"), "{}", country.text);
    assert_eq!(visitor.api.get("/v1/imports").await.json()["imports"], json!([]));
    for token in [&[][..], &[("csrf", "another")]] {
        let fields: Vec<_> = token.iter().copied().chain([("name", "l1")]).collect();
        let refused = upload(&visitor, &campaign, &fields, LIST).await;
        assert_page(&refused, StatusCode::FORBIDDEN);
    }
    assert_eq!(visitor.api.get("/v1/imports").await.json()["imports"], json!([]), "nothing was stored");
}

#[tokio::test]
async fn a_list_arrives_in_parts_and_goes_on_after_a_fault() {
    let visitor = Visitor::with_everything().await;
    let campaign = draft(&visitor).await;
    let size = LIST.len().to_string();
    let begin = [("name", "l1"), ("size", size.as_str()), ("mapping", "")];
    let begun = visitor.post(&format!("campaigns/{campaign}/import/begin"), &begin).await.json();
    let id = begun["id"].as_str().unwrap().to_owned();
    assert_eq!(begun["received"], 0);
    let listed = visitor.api.get("/v1/imports").await.json();
    assert_eq!(
        listed["imports"][0]["received"], 0,
        "a list of which nothing has arrived is listed: {listed}"
    );
    assert_eq!(put(&visitor, &id, 0, "another", &LIST[..30]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(put(&visitor, &id, 0, CSRF, &LIST[..30]).await.json()["received"], 30);
    let gap = put(&visitor, &id, 40, CSRF, &LIST[40..]).await;
    assert_eq!(gap.status, StatusCode::CONFLICT);
    assert!(gap.json()["detail"].as_str().unwrap().contains("30"), "{}", gap.text);
    let again = visitor.post(&format!("campaigns/{campaign}/import/begin"), &begin).await.json();
    assert_eq!((&again["id"], &again["received"]), (&json!(id), &json!(30)), "it goes on");
    assert!(visitor.get(&format!("imports/{id}")).await.text.contains("30 of "));
    assert_eq!(put(&visitor, &id, 30, CSRF, &LIST[30..]).await.json()["received"], json!(LIST.len()));
    let whole = visitor.post(&format!("imports/{id}/complete"), &[]).await.json();
    assert_eq!((&whole["rows"], &whole["accepted"]), (&json!(3), &json!(2)));
}
