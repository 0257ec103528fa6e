//! Restrictions that a platform tells: they pause a sender or an account with the platform's reason, survive a restart,
//! and end.

use super::*;

fn restriction(sender: Option<&str>, why: Option<&str>, until: Option<Timestamp>) -> Event {
    Event::Restriction {
        account: "cloud".into(),
        sender: sender.map(phone),
        what: Restricted::Everything,
        why: why.map(str::to_owned),
        until,
    }
}

const WHY: &str = "RESTRICTED_BIZ_INITIATED_MESSAGING";

#[tokio::test]
async fn a_restricted_sender_rests_until_the_platform_ends_it() {
    let mut ladder = Ladder::begin().await;
    ladder.daemon.file(vec![restriction(Some(SENDER), Some(WHY), None)]).await;
    let id = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(id).await.0, "sender.paused");
    let told = ladder.explain(id).await;
    assert!(told["reasons"][0]["sentence"].as_str().unwrap().contains(WHY), "{told}");
    let senders = ladder.daemon.get("/v1/senders").await;
    let shown = senders["senders"].as_array().unwrap().iter().find(|it| it["number"] == SENDER).unwrap();
    assert_eq!(shown["why"], WHY);
    ladder.daemon.file(vec![restriction(Some(SENDER), None, None)]).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
}

#[tokio::test]
async fn a_restriction_with_an_end_ends_by_itself_also_after_a_restart() {
    let mut ladder = Ladder::begin().await;
    let until = ladder.daemon.now() + SignedDuration::from_hours(2);
    ladder.daemon.file(vec![restriction(None, Some(WHY), Some(until))]).await;
    let mut ladder = ladder.restart().await;
    let id = ladder.invite(CONSUMER).await;
    ladder.pass(SignedDuration::from_mins(119)).await;
    assert_eq!(ladder.standing(id).await.0, "account.paused");
    let senders = ladder.daemon.get("/v1/senders").await;
    let roads = senders["senders"][0]["roads"].as_array().unwrap().clone();
    assert_eq!((&roads[0]["why"], &roads[4]["why"]), (&Value::from(WHY), &Value::Null), "{senders}");
    ladder.pass(SignedDuration::from_mins(2)).await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
}

#[tokio::test]
async fn what_is_restricted_no_longer_is_not_paused_after_a_restart() {
    let mut ladder = Ladder::begin().await;
    ladder.daemon.file(vec![restriction(None, Some(WHY), None), restriction(None, None, None)]).await;
    let mut ladder = ladder.restart().await;
    ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
}

fn of_part(what: Restricted, why: Option<&str>) -> Event {
    let why = why.map(str::to_owned);
    Event::Restriction { account: "cloud".into(), sender: None, what, why, until: None }
}

#[tokio::test]
async fn a_restriction_of_placed_calls_stops_no_invite() {
    let mut ladder = Ladder::begin().await;
    ladder.daemon.file(vec![of_part(Restricted::Placed, Some("calls"))]).await;
    let mut ladder = ladder.restart().await;
    ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
    let senders = ladder.daemon.get("/v1/senders").await;
    let parts = &senders["senders"][0]["paused_parts"];
    assert_eq!(*parts, json!([{"part": "placed", "why": "calls"}]), "{senders}");
}

#[tokio::test]
async fn a_restriction_of_buttons_is_waited_for_also_over_a_restart_and_its_end_lets_the_invite_leave() {
    let mut ladder = Ladder::begin().await;
    let id = ladder.invite(OTHER).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
    ladder.daemon.file(vec![of_part(Restricted::Buttons, Some("buttons"))]).await;
    let held = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(held).await.0, "sender.paused");
    let mut ladder = ladder.restart().await;
    ladder.minute().await;
    assert_eq!((ladder.sent().len(), ladder.standing(held).await.0.as_str()), (1, "sender.paused"));
    assert_eq!(ladder.standing(id).await.0, "invite.awaiting_call");
    // The end is that of every restriction of the account, whatever it stops.
    ladder.daemon.file(vec![of_part(Restricted::Everything, None)]).await;
    ladder.minute().await;
    assert_eq!((ladder.sent().len(), ladder.standing(held).await.0.as_str()), (2, "invite.awaiting_call"));
}
