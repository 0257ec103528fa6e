//! The files behind the pages: exports, and reports as CSV, JSON and SVG.

use axum::http::StatusCode;
use jiff::SignedDuration;
use ringmaster::domain::{CallPermission, Pair, PairKey, PersonId, Scope, Scopes};
use serde_json::json;

use super::super::harness::{CONSUMER, NOW, SENDER, at, phone};
use super::{Visitor, assert_page, get};

#[tokio::test]
async fn who_can_be_called_is_exported_with_complete_numbers_for_those_who_may_see_them() {
    let visitor = Visitor::with_everything().await;
    let until = at(NOW) + SignedDuration::from_hours(48);
    let key = PairKey { sender: phone(SENDER), person: PersonId::of(phone(CONSUMER)) };
    let permission = CallPermission::Temporary { expires_at: until };
    visitor.api.store.put_pair(Pair { permission, misses: 1, ..Pair::unknown(key) }).await;
    let page = visitor.get("permissions").await.text;
    assert!(page.contains("permissions/callable.csv"), "{page}");
    let csv = visitor.get("permissions/callable.csv?sender=Support").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let consumer = key.person.number().e164();
    let row = format!("'{SENDER},'{consumer},temporary,2026-11-25T12:00:00Z,1,4\n");
    assert_eq!(csv.text, format!("sender,consumer,permission,until,misses,misses_before_revocation\n{row}"));
    let reader = visitor.seen_by(Scopes::from_iter([Scope::Read]));
    assert!(!get(&reader, "permissions").await.text.contains("callable.csv"));
    assert_page(&get(&reader, "permissions/callable.csv").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_report_is_a_table_a_plot_and_files_with_the_same_filters() {
    let visitor = Visitor::with_everything().await;
    visitor.api.order(json!({})).await;
    let page = visitor.get("reports/waiting").await;
    assert_page(&page, StatusCode::OK);
    assert!(
        page.text.contains("waiting/table.csv") && page.text.contains("<img class=\"plot\""),
        "{}",
        page.text
    );
    let filtered = visitor.get("reports/answer-rate?by=day&sender=Support").await.text;
    assert!(filtered.contains("answer-rate/table.csv?by=day&amp;sender=Support"), "{filtered}");
    for (file, kind) in [
        ("table.csv", "text/csv; charset=utf-8"),
        ("data.json", "application/json"),
        ("plot.svg", "image/svg+xml"),
    ] {
        let answer = visitor.get(&format!("reports/waiting/{file}")).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, kind), "{file}");
    }
    let plot = visitor.get("reports/waiting/plot.svg").await;
    assert!(plot.header("content-security-policy").contains("style-src 'unsafe-inline'"));
    let wrong = visitor.get("reports/waiting?by=colour").await;
    assert_page(&wrong, StatusCode::BAD_REQUEST);
    assert_page(&visitor.get("reports/waiting/table.csv?by=colour").await, StatusCode::BAD_REQUEST);
}
