//! Messages that are delivered late: what they say counts from the time at which they were written.

use ringmaster::domain::event::{PermissionAnswer, PermissionReply, Word};

use super::*;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A message to the sender on WhatsApp, or to the page, that was written some time ago.
fn message(is_to_page: bool, word: Option<Word>, wrote_at: Option<Timestamp>) -> Event {
    if is_to_page {
        return Event::MessengerMessage { account: "page".into(), psid: psid(), word, wrote_at };
    }
    let who = Named::number(phone(CONSUMER));
    Event::InboundMessage { sender: phone(SENDER), who, word, wrote_at }
}

#[tokio::test]
async fn a_message_of_yesterday_does_not_open_the_window_today() {
    for (ago, road) in [(23, RoadKind::CallButton), (24, RoadKind::Template), (-1, RoadKind::CallButton)] {
        let mut ladder = Ladder::begin().await;
        let wrote_at = ladder.daemon.now() - HOUR * ago;
        ladder.daemon.file(vec![message(false, None, Some(wrote_at))]).await;
        ladder.invite(CONSUMER).await;
        ladder.minute().await;
        assert_eq!(ladder.sent(), [road], "{ago} h ago");
    }
}

#[tokio::test]
async fn a_message_of_yesterday_does_not_open_the_window_of_the_page() {
    for (ago, sent) in [(23, 1), (24, 0)] {
        let mut ladder = Ladder::configured(|config| {
            let main = config.accounts.get_mut("main").unwrap();
            for sender in main.senders.values_mut() {
                sender.roads.retain(|road| road.kind == RoadKind::Messenger);
            }
        })
        .await;
        let wrote_at = ladder.daemon.now() - HOUR * ago;
        ladder.daemon.file(vec![message(true, None, Some(wrote_at))]).await;
        let psids = [("page".into(), psid())];
        ladder.order(CONSUMER, |order| (order.kind, order.psids) = (OrderKind::Invite, psids.into())).await;
        ladder.minute().await;
        assert_eq!(ladder.sent().len(), sent, "{ago} h ago");
    }
}

#[tokio::test]
async fn a_late_start_does_not_end_a_stop_that_is_newer() {
    for is_to_page in [false, true] {
        let mut ladder = Ladder::begin().await;
        let psids = [("page".into(), psid())];
        ladder.order(CONSUMER, |order| (order.kind, order.psids) = (OrderKind::Invite, psids.into())).await;
        let now = ladder.daemon.now();
        let say = |word, wrote_at| message(is_to_page, Some(word), Some(wrote_at));
        ladder.daemon.file(vec![say(Word::Stop, now - HOUR)]).await;
        ladder.daemon.file(vec![say(Word::Start, now - HOUR * 2)]).await;
        let refused = ladder.invite(CONSUMER).await;
        assert_eq!(ladder.standing(refused).await, ("consumer.stopped".into(), Some("declined")));
        // In the same second the later delivery counts: Meta tells whole seconds.
        ladder.daemon.file(vec![say(Word::Start, now - HOUR)]).await;
        let taken = ladder.invite(CONSUMER).await;
        assert_eq!(ladder.standing(taken).await.1, None);
    }
}

#[tokio::test]
async fn a_late_yes_does_not_end_a_no_that_is_newer() {
    for automatic in [false, true] {
        let mut ladder = Ladder::begin().await;
        let now = ladder.daemon.now();
        let reply = |answer, replied_at, automatic| {
            let who = Named::number(phone(CONSUMER));
            let reply = PermissionReply {
                sender: phone(SENDER),
                who,
                answer,
                replied_to: None,
                automatic,
                replied_at: Some(replied_at),
            };
            vec![Event::PermissionReply(reply)]
        };
        ladder.daemon.file(reply(PermissionAnswer::Rejected, now - HOUR, false)).await;
        ladder.daemon.file(reply(PermissionAnswer::Permanent, now - HOUR * 2, automatic)).await;
        let refused = ladder.invite(CONSUMER).await;
        assert_eq!(ladder.standing(refused).await.1, Some("declined"), "automatic: {automatic}");
        let pair = json!({"sender": SENDER, "consumer": CONSUMER});
        let shown = ladder.daemon.post("/v1/permissions/show", pair).await;
        assert_eq!(shown["permission"], "declined", "{shown}");
        ladder.daemon.file(reply(PermissionAnswer::Permanent, now - HOUR, false)).await;
        let taken = ladder.invite(CONSUMER).await;
        assert_eq!(ladder.standing(taken).await.1, None);
    }
}
