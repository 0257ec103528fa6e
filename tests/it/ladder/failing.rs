//! Roads that fail: the next one is taken at the report of the failure, and each road once.

use ringmaster::domain::event::{PermissionAnswer, PermissionReply};

use super::*;

/// A client without buttons is told by the same code as a consumer who left WhatsApp. Found by the simulation of the
/// roads, seed 114: the consumer was asked for the permission again.
#[tokio::test]
async fn a_permission_outlives_an_invite_that_was_not_delivered() {
    for (answer, expected) in [(Some(PermissionAnswer::Permanent), "permanent"), (None, "uncallable")] {
        let mut ladder = Ladder::begin().await;
        if let Some(answer) = answer {
            let reply = PermissionReply {
                sender: phone(SENDER),
                who: Named::number(phone(CONSUMER)),
                answer,
                replied_to: None,
                automatic: false,
                replied_at: None,
            };
            ladder.daemon.file(vec![Event::PermissionReply(reply)]).await;
        }
        ladder.cloud.fail_next([(Failure::Undelivered, meta(131_026))]);
        let id = ladder.invite(CONSUMER).await;
        ladder.minute().await;
        assert_eq!(ladder.callback(id).await.roads_failed.len(), 1);
        let pair = json!({"sender": SENDER, "consumer": CONSUMER});
        let shown = ladder.daemon.post("/v1/permissions/show", pair).await;
        assert_eq!(shown["permission"], expected, "{shown}");
    }
}

#[tokio::test]
async fn each_road_is_taken_after_the_one_before_it_failed() {
    let mut ladder = Ladder::begin().await;
    ladder.writes(CONSUMER).await;
    ladder.writes_to_page(None).await;
    ladder.cloud.fail_next([
        (Failure::Refused, meta(131_009)),
        (Failure::Undelivered, meta(131_026)),
        (Failure::Undelivered, meta(131_026)),
        (Failure::Refused, meta(131_009)),
    ]);
    let id = ladder
        .order(CONSUMER, |order| {
            order.kind = OrderKind::Invite;
            order.psids = [("page".into(), psid())].into();
        })
        .await;
    ladder.minute().await;
    // The first was refused, so nothing of it was kept at the platform.
    assert_eq!(ladder.sent(), [RoadKind::Template, RoadKind::UrlButton, RoadKind::Messenger]);
    assert_eq!(ladder.standing(id).await, ("invite.awaiting_call".into(), None));
    let callback = ladder.callback(id).await;
    let failed: Vec<_> = callback.roads_failed.iter().map(|failure| failure.road.to_string()).collect();
    assert_eq!(failed, ["call_button:cloud", "template:cloud", "url_button:cloud", "deep_link:cloud"]);
    assert_eq!(callback.invited_by.map(|road| road.to_string()).as_deref(), Some("messenger:page"));
    let told = ladder.explain(id).await;
    let standings: Vec<_> =
        told["ladder"].as_array().unwrap().iter().map(|rung| rung["standing"].as_str().unwrap()).collect();
    assert_eq!(standings, ["passed_over", "passed_over", "passed_over", "passed_over", "invited"]);
    assert_eq!(told["ladder"][0]["reason"]["code"], "invite.road_failed");
    // The same is told of the closed order, in the order of the invites.
    let failed = told["ladder"].clone();
    ladder.calls(CONSUMER, "wacid.1", Disposition::Completed, None).await;
    assert_eq!(ladder.standing(id).await.1, Some("reached"));
    assert_eq!(ladder.explain(id).await["ladder"], failed);
}

#[tokio::test]
async fn an_order_without_a_road_left_fails_with_the_platforms_code() {
    let mut ladder = Ladder::configured(|config| {
        for sender in config.accounts.get_mut("main").unwrap().senders.values_mut() {
            sender.roads.retain(|road| road.kind == RoadKind::Template);
        }
    })
    .await;
    ladder.cloud.fail_next([(Failure::Refused, meta(131_008))]);
    let id = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(id).await, ("platform.refused".into(), Some("failed")));
    let told = ladder.explain(id).await;
    assert_eq!(told["ladder"].as_array().map(Vec::len), Some(1), "{told:#}");
    assert_eq!(told["ladder"][0]["standing"], "passed_over");
    assert!(told["ladder"][0]["reason"]["sentence"].as_str().unwrap().contains("131008"), "{told:#}");
}

#[tokio::test]
async fn an_unknown_code_at_three_people_pauses_the_sender() {
    let mut ladder = Ladder::begin().await;
    let unknown = || (Failure::Refused, meta(139_999));
    ladder.cloud.fail_next([unknown(), unknown()]);
    let mut orders = Vec::new();
    for n in 0..2 {
        orders.push(ladder.invite(&format!("+55119876501{n}0")).await);
    }
    ladder.pass(SignedDuration::from_secs(1)).await;
    for id in &orders {
        assert_eq!(ladder.standing(*id).await.0, "pair.paused", "two may be a chance");
    }
    ladder.cloud.fail_next([unknown()]);
    ladder.invite("+5511987650120").await;
    ladder.pass(SignedDuration::from_secs(1)).await;
    let senders = ladder.daemon.get("/v1/senders").await;
    assert!(senders["senders"][0]["why"].as_str().unwrap().contains("whose meaning is unknown"), "{senders}");
    // A fourth order waits, and is not burnt.
    let fourth = ladder.invite("+5511987650130").await;
    ladder.pass(SignedDuration::from_mins(50)).await;
    assert_eq!(ladder.standing(fourth).await, ("sender.paused".into(), None));
    assert!(ladder.sent().is_empty());
    ladder.pass(SignedDuration::from_mins(15)).await;
    assert!(ladder.sent().len() > 1, "{:?}", ladder.sent());
}

#[tokio::test]
async fn a_closed_order_that_invited_nobody_has_no_roads_to_explain() {
    let mut ladder = Ladder::begin().await;
    // The account's request rate is used up, so that nothing is sent, and no road has failed.
    ladder.cloud.fail_next([(Failure::Refused, meta(80_007))]);
    let id = ladder
        .order(CONSUMER, |order| {
            order.kind = OrderKind::Invite;
            order.latest = order.earliest + SignedDuration::from_mins(3);
        })
        .await;
    ladder.pass(SignedDuration::from_mins(4)).await;
    let told = ladder.explain(id).await;
    assert_eq!((&told["status"], &told["ladder"]), (&json!("closed"), &Value::Null), "{told:#}");
}

#[tokio::test]
async fn a_failed_invite_is_given_back_to_the_person() {
    let mut ladder = Ladder::begin().await;
    ladder.cloud.fail_next([(Failure::Undelivered, meta(131_026))]);
    let first = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
    // The window is closed and there is no page, so nothing is left but a new order.
    assert_eq!(ladder.callback(first).await.invited_at, None);
    ladder.writes(CONSUMER).await;
    ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert!(ladder.sent().len() > 1, "{:?}", ladder.sent());
}

#[tokio::test]
async fn a_road_whose_account_rests_is_skipped_and_not_counted_as_failed() {
    let mut ladder = Ladder::begin().await;
    ladder.writes(CONSUMER).await;
    ladder.writes_to_page(None).await;
    // The account's request rate is used up.
    ladder.cloud.fail_next([(Failure::Refused, meta(80_007))]);
    let id = ladder
        .order(CONSUMER, |order| {
            order.kind = OrderKind::Invite;
            order.psids = [("page".into(), psid())].into();
        })
        .await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Messenger]);
    assert!(ladder.callback(id).await.roads_failed.is_empty());
}

#[tokio::test]
async fn a_road_whose_account_rests_is_waited_for_if_the_operator_wants_that() {
    let mut ladder = Ladder::configured(|config| {
        config.inviting.resting_road = ringmaster::policy::RestingRoad::Wait;
    })
    .await;
    ladder.writes(CONSUMER).await;
    ladder.cloud.fail_next([(Failure::Refused, meta(80_007))]);
    let id = ladder.invite(CONSUMER).await;
    ladder.pass(SignedDuration::from_secs(30)).await;
    assert_eq!(ladder.standing(id).await, ("account.paused".into(), None));
    // It rests for five minutes.
    ladder.pass(SignedDuration::from_mins(5)).await;
    assert_eq!(ladder.sent(), [RoadKind::CallButton]);
}

#[tokio::test]
async fn a_closed_window_ends_a_road_only_if_there_is_another_one() {
    for (roads, sent) in [(2, vec![RoadKind::Template]), (1, vec![])] {
        let mut ladder = Ladder::configured(|config| {
            for sender in config.accounts.get_mut("main").unwrap().senders.values_mut() {
                sender.roads.truncate(roads);
            }
        })
        .await;
        ladder.writes(CONSUMER).await;
        ladder.cloud.fail_next([(Failure::Refused, meta(131_047))]);
        let id = ladder.invite(CONSUMER).await;
        ladder.minute().await;
        assert_eq!(ladder.sent(), sent);
        assert_eq!(ladder.callback(id).await.roads_failed.len(), roads - 1);
    }
}
