//! The consumer's own call: with a token, without one, with a borrowed one, reported by several accounts, and unanswered.

use super::*;

const REACHED: (&str, Option<&str>) = ("invite.consumer_called", Some("reached"));

async fn invited(ladder: &mut Ladder) -> CallbackId {
    let id = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(id).await, ("invite.awaiting_call".into(), None));
    id
}

fn told<'a>(standing: &'a (String, Option<&'static str>)) -> (&'a str, Option<&'static str>) {
    (&standing.0, standing.1)
}

#[tokio::test]
async fn an_invite_says_until_when_it_is_of_use_and_whom_it_calls() {
    let mut ladder = Ladder::begin().await;
    let id = invited(&mut ladder).await;
    let latest = ladder.callback(id).await.order.latest;
    let plan = ladder.plans()[0].invite.clone().unwrap();
    assert_eq!((plan.road, plan.ends_at, plan.link_to), (RoadKind::Template, latest, phone(SENDER)));
    let long = ladder
        .order(OTHER, |order| {
            order.kind = OrderKind::Invite;
            order.latest = at("2027-03-01T00:00:00Z");
        })
        .await;
    ladder.minute().await;
    let plan = ladder.plans()[1].invite.clone().unwrap();
    let sent_at = ladder.callback(long).await.invited_at.unwrap();
    assert_eq!(plan.ends_at, sent_at + SignedDuration::from_hours(30 * 24));
}

#[tokio::test]
async fn a_call_with_its_token_closes_the_callback_and_counts() {
    let mut ladder = Ladder::begin().await;
    let id = invited(&mut ladder).await;
    let token = ladder.token();
    ladder.calls(CONSUMER, "wacid.1", Disposition::Completed, Some(token)).await;
    assert_eq!(told(&ladder.standing(id).await), REACHED);
    assert!(ladder.metric("ringmaster_invite_tokens_total{result=\"counted\"} 1").await);
    assert!(ladder.metric("ringmaster_invite_roads_total{road=\"template\"} 1").await);
}

#[tokio::test]
async fn without_a_token_the_person_the_sender_and_the_time_count() {
    let mut ladder = Ladder::begin().await;
    let id = invited(&mut ladder).await;
    ladder.calls(OTHER, "wacid.1", Disposition::Completed, None).await;
    assert_eq!(told(&ladder.standing(id).await), ("invite.awaiting_call", None), "somebody else called");
    ladder.calls(CONSUMER, "wacid.2", Disposition::Completed, None).await;
    assert_eq!(told(&ladder.standing(id).await), REACHED);
}

#[tokio::test]
async fn a_call_that_ended_before_the_invite_does_not_count() {
    let mut ladder = Ladder::begin().await;
    let id = invited(&mut ladder).await;
    let ended = |came_to_at| Event::InboundCall {
        sender: phone(SENDER),
        who: Named::number(phone(CONSUMER)),
        sid: format!("wacid.{came_to_at}"),
        progress: CallProgress::Ended(Disposition::Completed),
        came_to_at: Some(came_to_at),
        duration_s: Some(60),
        invite: None,
    };
    let invited_at = ladder.callback(id).await.invited_at.unwrap();
    let slack = SignedDuration::from_secs(30);
    ladder.daemon.file(vec![ended(invited_at - slack - SignedDuration::from_secs(1))]).await;
    assert_eq!(told(&ladder.standing(id).await), ("invite.awaiting_call", None));
    ladder.daemon.file(vec![ended(invited_at - slack)]).await;
    assert_eq!(told(&ladder.standing(id).await), REACHED);
}

#[tokio::test]
async fn a_borrowed_token_closes_nothing_of_its_owner() {
    let mut ladder = Ladder::begin().await;
    let theirs = invited(&mut ladder).await;
    let token = ladder.token();
    let own = ladder.invite(OTHER).await;
    ladder.minute().await;
    ladder.calls(OTHER, "wacid.1", Disposition::Completed, Some(token)).await;
    assert_eq!(told(&ladder.standing(theirs).await), ("invite.awaiting_call", None));
    assert_eq!(told(&ladder.standing(own).await), REACHED, "the call itself counts");
    assert!(ladder.metric("ringmaster_invite_tokens_total{result=\"borrowed\"} 1").await);
    let forged = InviteToken::Message(ringmaster::domain::MessageId::new(Uuid::from_u128(77)));
    ladder.calls(OTHER, "wacid.2", Disposition::Completed, Some(forged)).await;
    assert!(ladder.metric("ringmaster_invite_tokens_total{result=\"unknown\"} 1").await);
}

#[tokio::test]
async fn the_token_of_a_closed_order_is_counted_as_closed() {
    let mut ladder = Ladder::begin().await;
    invited(&mut ladder).await;
    let token = ladder.token();
    for sid in ["wacid.1", "wacid.2"] {
        ladder.calls(CONSUMER, sid, Disposition::Completed, Some(token)).await;
    }
    for line in ["{result=\"counted\"} 1", "{result=\"closed\"} 1"] {
        assert!(ladder.metric(&format!("ringmaster_invite_tokens_total{line}")).await, "{line}");
    }
}

#[tokio::test]
async fn the_token_of_a_link_closes_a_callback_that_was_not_invited() {
    let mut ladder = Ladder::configured(|config| {
        config.accounts.get_mut("main").unwrap().senders.values_mut().for_each(|sender| {
            sender.roads.retain(|road| road.kind == RoadKind::CallButton);
        });
    })
    .await;
    let id = ladder.invite(CONSUMER).await;
    assert_eq!(told(&ladder.standing(id).await), ("invite.service_window_closed", None));
    let token = Some(InviteToken::Callback(id));
    ladder.calls(OTHER, "wacid.1", Disposition::Completed, token).await;
    assert_eq!(ladder.callback(id).await.closed(), None, "somebody else used the link");
    ladder.calls(CONSUMER, "wacid.2", Disposition::Completed, token).await;
    assert_eq!(told(&ladder.standing(id).await), REACHED);
}

/// An order that is not due for a day, so that nobody is invited.
async fn not_due(ladder: &mut Ladder) -> CallbackId {
    ladder.order(CONSUMER, |order| order.earliest += SignedDuration::from_hours(24)).await
}

#[tokio::test]
async fn a_call_after_a_link_was_given_out_closes_the_callback_without_a_payload() {
    let mut ladder = Ladder::begin().await;
    let id = not_due(&mut ladder).await;
    ladder.calls(CONSUMER, "CA1", Disposition::Completed, None).await;
    assert_eq!(ladder.callback(id).await.closed(), None, "the consumer did not know of it");
    ladder.minute().await;
    let path = format!("/v1/callbacks/{id}/link");
    let link = ladder.daemon.get(&path).await;
    let given = ladder.callback(id).await;
    let now = ladder.daemon.now();
    assert_eq!(given.links, [LinkGiven { sender: phone(SENDER), at: now }]);
    let told = ladder.timeline(id).await;
    assert!(told["callback.link_given"].contains("was given out"), "{told:?}");
    assert!(!told["callback.link_given"].contains(SENDER), "the number is masked");
    // Once: the same again writes nothing, also for another form.
    ladder.minute().await;
    assert_eq!(ladder.daemon.get(&path).await, link);
    assert_eq!(ladder.callback(id).await, given);
    assert_eq!((given.invited_at, ladder.sent()), (None, vec![]), "it is no invite");
    let mut ladder = ladder.restart().await;
    ladder.calls(OTHER, "CA2", Disposition::Completed, None).await;
    assert_eq!(ladder.callback(id).await.closed(), None, "somebody else called");
    ladder.calls(CONSUMER, "CA3", Disposition::Completed, None).await;
    assert_eq!(told_of(&ladder, id).await, REACHED);
}

async fn told_of(ladder: &Ladder, id: CallbackId) -> (&'static str, Option<&'static str>) {
    let (code, outcome) = ladder.standing(id).await;
    (if code == REACHED.0 { REACHED.0 } else { "another" }, outcome)
}

#[tokio::test]
async fn a_call_that_ended_before_the_link_was_given_out_does_not_count() {
    let mut ladder = Ladder::begin().await;
    let id = not_due(&mut ladder).await;
    ladder.minute().await;
    ladder.daemon.get(&format!("/v1/callbacks/{id}/link")).await;
    let given_at = ladder.callback(id).await.links[0].at;
    let ended = |came_to_at| Event::InboundCall {
        sender: phone(SENDER),
        who: Named::number(phone(CONSUMER)),
        sid: format!("wacid.{came_to_at}"),
        progress: CallProgress::Ended(Disposition::Completed),
        came_to_at: Some(came_to_at),
        duration_s: Some(60),
        invite: None,
    };
    let slack = SignedDuration::from_secs(30);
    ladder.daemon.file(vec![ended(given_at - slack - SignedDuration::from_secs(1))]).await;
    assert_eq!(ladder.callback(id).await.closed(), None);
    ladder.daemon.file(vec![ended(given_at - slack)]).await;
    assert_eq!(told_of(&ladder, id).await, REACHED);
}

#[tokio::test]
async fn a_link_does_not_keep_a_person_from_being_invited() {
    let mut ladder = Ladder::configured(|config| {
        config.accounts.get_mut("main").unwrap().senders.values_mut().for_each(|sender| {
            sender.roads.retain(|road| road.kind == RoadKind::CallButton);
        });
    })
    .await;
    let id = ladder.invite(CONSUMER).await;
    ladder.daemon.get(&format!("/v1/invites/{}/link", InviteId::from(id))).await;
    assert_eq!(
        told(&ladder.standing(id).await),
        ("invite.service_window_closed", None),
        "nothing is decided"
    );
    ladder.writes(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.sent(), [RoadKind::CallButton]);
    assert_eq!(told(&ladder.standing(id).await), ("invite.awaiting_call", None));
}

#[tokio::test]
async fn a_call_by_a_link_that_nobody_answered_moves_the_callback_ahead() {
    let mut ladder = Ladder::begin().await;
    let id = not_due(&mut ladder).await;
    ladder.daemon.get(&format!("/v1/callbacks/{id}/link")).await;
    ladder.calls(CONSUMER, "CA1", Disposition::NoAnswer, None).await;
    assert_eq!(ladder.callback(id).await.missed_call_at, Some(ladder.daemon.now()));
}

#[tokio::test]
async fn a_call_that_two_accounts_report_closes_the_callback_once() {
    let mut ladder = Ladder::begin().await;
    let id = invited(&mut ladder).await;
    let token = ladder.token();
    for (sid, token) in [("wacid.1", Some(token)), ("CA1", None), ("wacid.1", Some(token))] {
        ladder.calls(CONSUMER, sid, Disposition::Completed, token).await;
    }
    assert_eq!(told(&ladder.standing(id).await), REACHED);
    let entries = ladder.daemon.watch().timeline(id).await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.what == "callback.closed").count(), 1);
}

#[tokio::test]
async fn a_call_that_nobody_answered_moves_the_callback_ahead() {
    let mut ladder = Ladder::begin().await;
    let id = invited(&mut ladder).await;
    ladder.calls(CONSUMER, "wacid.1", Disposition::NoAnswer, None).await;
    let missed_at = ladder.callback(id).await.missed_call_at;
    assert_eq!(missed_at, Some(ladder.daemon.now()));
    assert!(ladder.timeline(id).await.contains_key("callback.moved_ahead"));
    assert_eq!(told(&ladder.standing(id).await), ("invite.awaiting_call", None));
    ladder.minute().await;
    ladder.calls(CONSUMER, "wacid.2", Disposition::NoAnswer, None).await;
    assert_eq!(ladder.callback(id).await.missed_call_at, missed_at, "the first one counts");
    ladder.calls(CONSUMER, "wacid.3", Disposition::Completed, None).await;
    assert_eq!(told(&ladder.standing(id).await), REACHED);
}

#[tokio::test]
async fn a_stop_of_marketing_closes_what_is_for_marketing_and_nothing_else_until_it_is_resumed() {
    let mut ladder = Ladder::begin().await;
    let word = |is_stopped: bool| Event::MarketingPreference {
        sender: phone(SENDER),
        who: Named::number(phone(CONSUMER)),
        is_stopped,
    };
    let marketing = |order: &mut Order| {
        order.kind = OrderKind::Invite;
        order.purpose = Purpose::Marketing;
        let at = order.earliest;
        order.consent = Some(Consent { source: "form".into(), at, text_version: None, expires_at: None });
    };
    ladder.daemon.file(vec![word(true)]).await;
    let refused = ladder.order(CONSUMER, marketing).await;
    assert_eq!(ladder.standing(refused).await, ("consumer.stopped_marketing".into(), Some("declined")));
    assert_eq!(ladder.sent(), [], "and no window is open");
    // START is about something else.
    let start = Event::InboundMessage {
        sender: phone(SENDER),
        who: Named::number(phone(CONSUMER)),
        word: Some(ringmaster::domain::event::Word::Start),
        wrote_at: None,
    };
    ladder.daemon.file(vec![start]).await;
    let refused = ladder.order(CONSUMER, marketing).await;
    assert_eq!(ladder.standing(refused).await, ("consumer.stopped_marketing".into(), Some("declined")));
    let service = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(service).await, ("invite.awaiting_call".into(), None));
    ladder.daemon.file(vec![word(false)]).await;
    let resumed = ladder.order(CONSUMER, marketing).await;
    assert_eq!(ladder.standing(resumed).await.1, None);
}

#[tokio::test]
async fn the_number_in_the_answer_to_an_invite_is_another_name_of_the_person() {
    let mut ladder = Ladder::begin().await;
    // No rule of spellings joins these two.
    let spelled = "+5511912340000";
    ladder.cloud.spell(phone(CONSUMER), phone(spelled));
    let id = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(id).await, ("invite.awaiting_call".into(), None));
    ladder.calls(spelled, "CA9", Disposition::Completed, None).await;
    assert_eq!(ladder.standing(id).await, ("invite.consumer_called".into(), Some("reached")));
}
