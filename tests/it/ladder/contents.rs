//! Content that the platform refuses is paused by its account and name; other roads, calls and other content go on.

use ringmaster::domain::{Pause, PauseId, PauseScope, Tenant};
use ringmaster::store::Report;

use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn only_template() -> Ladder {
    Ladder::configured(|config| {
        for sender in config.accounts.get_mut("main").unwrap().senders.values_mut() {
            sender.roads.retain(|road| road.kind == RoadKind::Template);
        }
    })
    .await
}

async fn pauses(ladder: &mut Ladder) -> Value {
    ladder.daemon.get("/v1/pauses").await["pauses"].clone()
}

#[tokio::test]
async fn a_paused_template_holds_its_orders_for_six_hours_and_not_its_sender() {
    let mut ladder = Ladder::begin().await;
    ladder.cloud.fail_next([(Failure::Refused, meta(132_015))]);
    let held = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(held).await, ("content.paused".into(), None));
    // Nobody's window was open. Another consumer has written, and is invited by the same sender.
    ladder.writes(OTHER).await;
    ladder.invite(OTHER).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::CallButton]);
    let senders = ladder.daemon.get("/v1/senders").await;
    let sender = &senders["senders"][0];
    assert_eq!(sender.get("paused_until"), None, "{senders}");
    assert_eq!(sender["roads"][1]["content_pause"]["content"], "content-template");
    assert_eq!(sender["roads"][0].get("content_pause"), None);
    ladder.pass(SignedDuration::from_mins(6 * 60 - 5)).await;
    assert_eq!(ladder.sent().len(), 1);
    ladder.pass(SignedDuration::from_mins(5)).await;
    assert_eq!(ladder.sent(), [RoadKind::CallButton, RoadKind::Template]);
    let callback = ladder.callback(held).await;
    assert_eq!((callback.faults, callback.roads_failed.len()), (0, 0), "the order was not the cause");
}

#[tokio::test]
async fn a_missing_template_is_tried_once_a_day_and_not_once_for_each_order() {
    let mut ladder = only_template().await;
    let mut ladder_ids = Vec::new();
    ladder.cloud.fail_next([(Failure::Refused, meta(132_001)), (Failure::Refused, meta(131_008))]);
    for n in 0..5 {
        ladder_ids.push(ladder.invite(&format!("+55119876500{n}0")).await);
    }
    ladder.pass(DAY - SignedDuration::from_mins(1)).await;
    for id in &ladder_ids {
        assert_eq!(ladder.standing(*id).await, ("content.paused".into(), None));
    }
    let listed = pauses(&mut ladder).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    for (field, value) in [
        ("scope", "content"),
        ("account", "cloud"),
        ("content", "content-template"),
        ("by", "platform"),
        ("why", "the template is missing, not approved, or disabled"),
    ] {
        assert_eq!(listed[0][field], value, "{listed}");
    }
    // The second failure that waits at the platform is used up only now.
    ladder.pass(SignedDuration::from_mins(2)).await;
    assert_eq!(ladder.sent().len(), 4, "all but the order that the platform refused for itself");
}

#[tokio::test]
async fn the_pause_of_content_survives_a_restart_and_an_operator_lifts_it() {
    let mut ladder = only_template().await;
    ladder.cloud.fail_next([(Failure::Refused, meta(132_016))]);
    let id = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    let mut ladder = ladder.restart().await;
    ladder.minute().await;
    assert_eq!(ladder.standing(id).await, ("content.paused".into(), None));
    let told = ladder.explain(id).await;
    let reason = &told["ladder"][0]["reason"];
    assert_eq!(
        (&told["ladder"][0]["standing"], &reason["code"]),
        (&json!("resting"), &json!("content.paused"))
    );
    assert!(reason["lifts_at"].is_string(), "{told:#}");
    let listed = pauses(&mut ladder).await;
    let path = format!("/v1/pauses/{}", listed[0]["id"].as_str().unwrap());
    assert_eq!(ladder.daemon.try_delete(&path).await.0, 200);
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
    assert_eq!(pauses(&mut ladder).await, json!([]));
}

#[tokio::test]
async fn content_is_not_paused_by_hand() {
    let mut ladder = only_template().await;
    let order = json!({"scope": "content", "content": "HX1", "why": "a drill"});
    let (status, told) = ladder.daemon.try_post("/v1/pauses", order).await;
    assert_eq!(status, 400, "{told}");
    let (status, told) =
        ladder.daemon.try_post("/v1/pauses", json!({"scope": "content", "why": "a drill"})).await;
    assert_eq!((status, &told["errors"][0]["field"]), (422, &json!("scope")), "{told}");
}

/// A pause of the template as the start writes it.
fn seen_by_the_start(ladder: &Ladder, number: u128) -> Pause {
    Pause {
        id: PauseId::new(Uuid::from_u128(number)),
        scope: PauseScope::Content("cloud".into(), "content-template".parse().unwrap()),
        tenant: Tenant::default(),
        who: Pause::PLATFORM.into(),
        why: "WhatsApp paused the template for low quality".into(),
        from: ladder.daemon.now(),
        until: Some(ladder.daemon.now() + DAY),
    }
}

async fn report(ladder: &mut Ladder, number: u8, event: Event) {
    let report = Report { key: [number; 16], received_at: ladder.daemon.now(), event };
    ladder.daemon.watch().append_reports(vec![report]).await.unwrap();
    ladder.minute().await;
}

#[tokio::test]
async fn a_template_that_is_paused_at_the_start_rests_once_and_its_next_version_does_not() {
    let mut ladder = only_template().await;
    let first = seen_by_the_start(&ladder, 1);
    report(&mut ladder, 1, Event::PauseSet(first.clone())).await;
    // Another start, which did not know that the first one had written it.
    let second = seen_by_the_start(&ladder, 2);
    report(&mut ladder, 2, Event::PauseSet(second)).await;
    let held = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(held).await, ("content.paused".into(), None));
    let listed = pauses(&mut ladder).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert!(ladder.sent().is_empty());
    let by = Pause::PLATFORM.to_owned();
    report(&mut ladder, 3, Event::PauseLifted { pause: first.id, by }).await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
}
