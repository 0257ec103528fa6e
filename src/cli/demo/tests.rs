//! The samples of the demo, under virtual time.

use axum::body::Body;
use http::Request;
use jiff::SignedDuration;

use super::*;
use crate::simulation::Simulation;

#[tokio::test]
async fn the_samples_are_reached_by_every_way_and_break_no_rule() {
    let folder = tempfile::tempdir().unwrap();
    let here: Url = "http://127.0.0.1".parse().unwrap();
    let setting = Setting {
        seed: 7,
        speed: 1.0,
        world: here.clone(),
        daemon: here,
        store: folder.path().join("demo.db"),
        content: folder.path().join("content"),
    };
    let (config, setup) = setting.fixture().unwrap();
    let start = "2026-11-23T12:00:00Z".parse().unwrap();
    let mut daemon = Simulation::begin(&config, setup, start).await.unwrap();
    let (token, hash) = new_token([7; 32]);
    daemon.store.create_token(Token::new("demo", hash, start)).await.unwrap();
    samples::write(&mut daemon.world(), start);
    daemon.advance(SignedDuration::from_secs(5)).await.unwrap();
    let mut orders = samples::orders(20, start, DEADLINE);
    samples::name_people(&mut orders, &mut daemon.world());
    for order in &orders {
        let request = Request::post("/v1/callbacks")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(order.to_string()))
            .unwrap();
        let (status, answer) = daemon.request(request).await.unwrap();
        assert_eq!(status, 202, "{order}: {answer}");
    }
    daemon.advance(DEADLINE + SignedDuration::from_hours(1)).await.unwrap();
    let ways = ways(&*daemon.store, orders.len()).await.unwrap();
    let reached = |way: &str| ways.iter().find(|(known, _)| *known == way).map_or(0, |(_, count)| *count);
    for way in ["call", "call_button", "template", "deep_link", "messenger"] {
        assert!(reached(way) > 0, "{way}: {ways:?}");
    }
    let report = daemon.world().report();
    assert_eq!(report.violations_total, 0, "{:?}", report.violations);
    assert_eq!(daemon.store.census().await.unwrap().waiting, 0);
}
