//! Pages of Messenger: their window, their words, and calls to them.

use ringmaster::domain::event::Word;

use super::*;

async fn at_page(ladder: &mut Ladder) -> CallbackId {
    ladder
        .order(CONSUMER, |order| {
            order.kind = OrderKind::Invite;
            order.psids = [("page".into(), psid())].into();
        })
        .await
}

/// The sender has no road but the page.
async fn only_the_page() -> Ladder {
    Ladder::configured(|config| {
        config.accounts.get_mut("main").unwrap().senders.values_mut().for_each(|sender| {
            sender.roads.retain(|road| road.kind == RoadKind::Messenger);
        });
    })
    .await
}

fn call(page: &str, psid: &str, at: Option<Timestamp>) -> Event {
    Event::MessengerCall { account: page.into(), psid: psid.parse().unwrap(), at }
}

#[tokio::test]
async fn a_message_to_the_page_opens_its_window_for_a_waiting_order() {
    let mut ladder = only_the_page().await;
    let id = at_page(&mut ladder).await;
    assert_eq!(ladder.standing(id).await.0, "invite.page_window_closed");
    ladder.writes_to_page(None).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Messenger]);
    let plan = &ladder.plans()[0];
    assert_eq!(plan.channel.psid(), Some(&psid()));
    assert_eq!(
        plan.invite.as_ref().unwrap().ends_at,
        ladder.callback(id).await.invited_at.unwrap() + SignedDuration::from_hours(168)
    );
}

/// Found by the simulation of the roads, seed 353: the first order waited until its deadline.
#[tokio::test]
async fn a_stop_that_a_later_order_explains_ends_the_earlier_orders_too() {
    let mut ladder = only_the_page().await;
    ladder.writes_to_page(Some(Word::Stop)).await;
    // Nothing says yet that it is the same person.
    let first = ladder
        .order(CONSUMER, |order| {
            order.kind = OrderKind::Invite;
            order.psids = [("page".into(), "6789012345678902".parse().unwrap())].into();
        })
        .await;
    assert_eq!(ladder.standing(first).await, ("invite.page_window_closed".into(), None));
    let second = at_page(&mut ladder).await;
    for id in [first, second] {
        assert_eq!(ladder.standing(id).await, ("consumer.stopped".into(), Some("declined")));
    }
}

#[tokio::test]
async fn the_account_of_a_page_can_be_paused() {
    let mut ladder = only_the_page().await;
    let pause = json!({"scope": "account", "account": "page", "why": "a drill"});
    let taken = ladder.daemon.post("/v1/pauses", pause).await;
    ladder.writes_to_page(None).await;
    let id = at_page(&mut ladder).await;
    ladder.minute().await;
    assert_eq!((ladder.standing(id).await.0.as_str(), ladder.sent()), ("pause.account", vec![]));
    let path = format!("/v1/pauses/{}", taken["pause"]["id"].as_str().unwrap());
    assert_eq!(ladder.daemon.try_delete(&path).await.0, 200);
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Messenger]);
    let status = ladder.daemon.get("/v1/status").await;
    let names: Vec<_> = status["accounts"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["main", "page"], "the accounts of roads are shown too");
}

#[tokio::test]
async fn a_message_of_before_the_order_counts_for_a_day() {
    let mut ladder = only_the_page().await;
    ladder.writes_to_page(None).await;
    // The margin of the limits shortens the window by 30 s.
    ladder.pass(SignedDuration::from_secs(24 * 3600 - 31)).await;
    at_page(&mut ladder).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Messenger]);
    let mut late = only_the_page().await;
    late.writes_to_page(None).await;
    late.pass(SignedDuration::from_secs(24 * 3600 - 30)).await;
    let id = at_page(&mut late).await;
    assert_eq!(late.standing(id).await.0, "invite.page_window_closed");
}

#[tokio::test]
async fn a_call_to_the_page_closes_what_was_invited_through_it() {
    let mut ladder = only_the_page().await;
    ladder.writes_to_page(None).await;
    let id = at_page(&mut ladder).await;
    ladder.minute().await;
    let now = ladder.daemon.now();
    let before = ladder.callback(id).await.invited_at.unwrap() - SignedDuration::from_secs(31);
    for other in [call("page", "1", None), call("other", PSID, None), call("page", PSID, Some(before))] {
        ladder.daemon.file(vec![other]).await;
        assert_eq!(ladder.standing(id).await, ("invite.awaiting_call".into(), None));
    }
    ladder.daemon.file(vec![call("page", PSID, Some(now)), call("page", PSID, None)]).await;
    assert_eq!(ladder.standing(id).await, ("invite.consumer_called".into(), Some("reached")));
}

#[tokio::test]
async fn a_call_to_the_page_does_not_close_what_was_invited_on_whatsapp() {
    let mut ladder = Ladder::begin().await;
    let id = at_page(&mut ladder).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::Template]);
    ladder.daemon.file(vec![call("page", PSID, None)]).await;
    assert_eq!(ladder.standing(id).await, ("invite.awaiting_call".into(), None));
}

#[tokio::test]
async fn a_stop_at_the_page_is_a_no_of_the_person() {
    let mut ladder = only_the_page().await;
    let id = at_page(&mut ladder).await;
    ladder.writes_to_page(Some(Word::Stop)).await;
    assert_eq!(ladder.standing(id).await, ("consumer.stopped".into(), Some("declined")));
    let again = ladder.invite(CONSUMER).await;
    assert_eq!(
        ladder.standing(again).await,
        ("consumer.stopped".into(), Some("declined")),
        "on WhatsApp too"
    );
    ladder.writes_to_page(Some(Word::Start)).await;
    let third = at_page(&mut ladder).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(third).await, ("invite.awaiting_call".into(), None));
}

#[tokio::test]
async fn a_stop_of_somebody_unknown_binds_the_person_whom_an_order_names_later() {
    let mut ladder = Ladder::begin().await;
    ladder.writes_to_page(Some(Word::Stop)).await;
    let id = at_page(&mut ladder).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(id).await, ("consumer.stopped".into(), Some("declined")));
    assert_eq!(ladder.sent(), []);
}

#[tokio::test]
async fn a_stop_counts_for_every_consumer_named_with_the_id_and_a_start_for_none_of_several() {
    let mut ladder = only_the_page().await;
    let first = at_page(&mut ladder).await;
    let second = ladder
        .order(OTHER, |order| {
            order.kind = OrderKind::Invite;
            order.psids = [("page".into(), psid())].into();
        })
        .await;
    ladder.writes_to_page(Some(Word::Stop)).await;
    for id in [first, second] {
        assert_eq!(ladder.standing(id).await, ("consumer.stopped".into(), Some("declined")));
    }
    ladder.writes_to_page(Some(Word::Start)).await;
    for consumer in [CONSUMER, OTHER] {
        let id = ladder.invite(consumer).await;
        assert_eq!(ladder.standing(id).await, ("consumer.stopped".into(), Some("declined")), "{consumer}");
    }
}

#[tokio::test]
async fn a_page_in_trouble_does_not_pause_the_sender() {
    let mut ladder = Ladder::begin().await;
    ladder.writes_to_page(None).await;
    ladder.cloud.fail_next([(Failure::Refused, meta(131_009))]);
    ladder.page.fail_next([(Failure::Refused, ErrorCode::new(Issuer::Messenger, 190))]);
    let id = at_page(&mut ladder).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(id).await, ("account.paused".into(), None));
    let other = ladder.invite(OTHER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(other).await, ("invite.awaiting_call".into(), None));
}
