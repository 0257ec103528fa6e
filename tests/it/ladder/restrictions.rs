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
        told_at: None,
    }
}

/// The same, told at this second of the run.
fn told(event: Event, second: i64) -> Event {
    let Event::Restriction { account, sender, what, why, until, .. } = event else { panic!("{event:?}") };
    let told_at = Some(at("2026-01-01T00:00:00Z") + SignedDuration::from_secs(second));
    Event::Restriction { account, sender, what, why, until, told_at }
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
    Event::Restriction { account: "cloud".into(), sender: None, what, why, until: None, told_at: None }
}

/// Webhooks overtake each other: what was told first neither ends nor replaces what was told later.
#[tokio::test]
async fn an_end_that_is_older_than_the_restriction_does_not_end_it_also_after_a_restart() {
    for restarts in [false, true] {
        let mut ladder = Ladder::begin().await;
        ladder.daemon.file(vec![told(restriction(None, Some(WHY), None), 10)]).await;
        if restarts {
            ladder = ladder.restart().await;
        }
        ladder.daemon.file(vec![told(restriction(None, None, None), 9)]).await;
        let id = ladder.invite(CONSUMER).await;
        ladder.minute().await;
        assert_eq!(ladder.standing(id).await.0, "account.paused");
        if restarts {
            ladder = ladder.restart().await;
        }
        ladder.minute().await;
        assert_eq!(ladder.standing(id).await.0, "account.paused");
        // At the same second, the order of the reports counts.
        ladder.daemon.file(vec![told(restriction(None, None, None), 10)]).await;
        ladder.minute().await;
        assert_eq!(ladder.sent(), [RoadKind::Template]);
    }
}

#[tokio::test]
async fn a_restriction_that_is_older_than_its_end_is_not_taken_also_after_a_restart() {
    for restarts in [false, true] {
        let mut ladder = Ladder::begin().await;
        ladder.daemon.file(vec![told(restriction(None, None, None), 10)]).await;
        if restarts {
            ladder = ladder.restart().await;
        }
        ladder.daemon.file(vec![told(restriction(None, Some(WHY), None), 9)]).await;
        ladder.daemon.file(vec![told(of_part(Restricted::Buttons, Some(WHY)), 9)]).await;
        ladder.invite(CONSUMER).await;
        ladder.minute().await;
        assert_eq!(ladder.sent(), [RoadKind::Template]);
        ladder.daemon.file(vec![told(restriction(None, Some(WHY), None), 10)]).await;
        let id = ladder.invite(OTHER).await;
        ladder.minute().await;
        assert_eq!(ladder.standing(id).await.0, "account.paused");
    }
}

#[tokio::test]
async fn an_older_restriction_of_the_same_part_does_not_replace_a_later_one() {
    let mut ladder = Ladder::begin().await;
    let now = ladder.daemon.now();
    let until = |hours| Some(now + SignedDuration::from_hours(hours));
    ladder.daemon.file(vec![told(restriction(None, Some(WHY), until(2)), 10)]).await;
    ladder.daemon.file(vec![told(restriction(None, Some(WHY), until(1)), 9)]).await;
    let id = ladder.invite(CONSUMER).await;
    ladder.pass(SignedDuration::from_mins(90)).await;
    assert_eq!(ladder.standing(id).await.0, "account.paused");
    ladder.pass(SignedDuration::from_mins(31)).await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
}

/// The platform's clock and ours differ by the margin at most.
#[tokio::test]
async fn a_restriction_is_kept_for_the_margin_beyond_its_end() {
    let mut ladder = Ladder::begin().await;
    let until = ladder.daemon.now() + SignedDuration::from_hours(2);
    ladder.daemon.file(vec![restriction(None, Some(WHY), Some(until))]).await;
    let id = ladder.invite(CONSUMER).await;
    ladder.pass(SignedDuration::from_secs(7_200 + 29)).await;
    assert_eq!(ladder.standing(id).await.0, "account.paused");
    ladder.pass(SignedDuration::from_secs(1)).await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
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
