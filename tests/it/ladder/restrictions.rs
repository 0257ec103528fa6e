//! Restrictions that a platform tells: they pause a sender or an account with the platform's reason, survive a restart,
//! and end.

use super::*;

fn restriction(sender: Option<&str>, why: Option<&str>, until: Option<Timestamp>) -> Event {
    Event::Restriction {
        account: "cloud".into(),
        sender: sender.map(phone),
        why: why.map(str::to_owned),
        until,
    }
}

const WHY: &str = "RESTRICTED_BUSINESS_INITIATED_CALLING";

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
