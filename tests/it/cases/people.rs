//! Cases 01, 02, 04, 05 and 14: the person of a number in another spelling or of a user id without a number, and
//! refusals across senders.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::form;
use crate::harness::{RecordingTransport, TestDaemon, message};

const MEXICO: &str = include_str!("../../cases/01-mexico-521/reply.form");
const BRAZIL_YES: &str = include_str!("../../cases/02-brazil-ninth-digit/reply-yes.form");
const BRAZIL_NO: &str = include_str!("../../cases/02-brazil-ninth-digit/reply-no.form");
const BY_REQUEST: &str = include_str!("../../cases/04-bsuid-only-reply/reply-by-request.form");
const BY_ID: &str = include_str!("../../cases/04-bsuid-only-reply/reply-by-id.form");
const WITH_BOTH: &str = include_str!("../../cases/04-bsuid-only-reply/text-with-both.form");
const STOP: &str = include_str!("../../cases/05-opt-out-21610/stop.form");

/// A daemon with its platform, and the number of messages sent to it.
struct Play {
    daemon: TestDaemon,
    platform: Arc<RecordingTransport>,
    brought: u32,
}

impl Play {
    async fn begin() -> Self {
        let platform = Arc::<RecordingTransport>::default();
        Self { daemon: TestDaemon::open(platform.clone()).await, platform, brought: 0 }
    }

    /// Orders a callback and returns its path.
    async fn order(&mut self, consumer: &str, more: Value) -> String {
        let mut order = message();
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.daemon.order(consumer, order).await;
        self.daemon.advance(SignedDuration::ZERO).await;
        format!("/v1/callbacks/{}", answer["id"].as_str().unwrap())
    }

    /// Sends a new message of a consumer with these values to the hook.
    async fn bring(&mut self, text: &str, values: &[(&str, &str)]) {
        self.post(text, values).await;
        self.daemon.advance(SignedDuration::ZERO).await;
    }

    /// The same, before the scheduler takes a turn.
    async fn post(&mut self, text: &str, values: &[(&str, &str)]) {
        self.brought += 1;
        let sid = format!("SM{:032x}", 0xabc_0000 + self.brought);
        let values: Vec<_> = values.iter().copied().chain([("MessageSid", &*sid)]).collect();
        let (text, url) = (form(&self.daemon, text, &values), self.daemon.public("/hooks/messages"));
        assert_eq!(self.daemon.deliver(&url, &text).await, 200);
    }

    fn request(&self) -> String {
        self.platform.messages().last().expect("a request was sent").sid.clone()
    }

    /// The called numbers, in order.
    fn called(&self) -> Vec<String> {
        self.platform.calls().iter().map(|call| call.form["To"].clone()).collect()
    }

    async fn closed(&mut self, path: &str) -> (String, String) {
        let callback = self.daemon.get(path).await;
        let word = |value: &Value| value.as_str().unwrap_or("open").to_owned();
        (word(&callback["outcome"]), word(&callback["reason"]["code"]))
    }

    async fn unmatched(&mut self) -> Vec<Value> {
        self.daemon.get("/v1/inbox/unmatched").await["reports"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_yes_in_the_old_mexican_spelling_counts_and_the_ordered_number_is_dialled() {
    let mut play = Play::begin().await;
    play.order("+525555500142", json!({})).await;
    let request = play.request();
    play.bring(MEXICO, &[("OriginalRepliedMessageSid", &request)]).await;
    assert_eq!(play.called(), ["whatsapp:+525555500142"]);
}

#[tokio::test]
async fn a_yes_without_the_ninth_digit_counts_even_without_its_request() {
    let mut play = Play::begin().await;
    play.order("+5531987650142", json!({})).await;
    let request = play.request();
    play.bring(BRAZIL_YES, &[("OriginalRepliedMessageSid", &request)]).await;
    play.order("+5531987650143", json!({})).await;
    // Only WaId has the number, and no request was sent.
    let values = [("From", "whatsapp:anna"), ("WaId", "553187650143"), ("OriginalRepliedMessageSid", "")];
    play.bring(BRAZIL_YES, &values).await;
    // The account places one call a second.
    play.daemon.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(play.called(), ["whatsapp:+5531987650142", "whatsapp:+5531987650143"]);
}

#[tokio::test]
async fn a_no_without_the_ninth_digit_revokes_a_grant() {
    let mut play = Play::begin().await;
    play.daemon.grant("+5531987650145").await;
    let path = play.order("+5531987650145", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.bring(BRAZIL_NO, &[]).await;
    assert_eq!(play.closed(&path).await.0, "declined");
    play.daemon.advance(SignedDuration::from_hours(4)).await;
    assert_eq!(play.called(), [""; 0]);
}

const RINGS: &str = "CallSid=CA11111111111111111111111111111111&CallStatus=ringing&Direction=inbound&AccountSid=x\
                     &From=whatsapp%3A%2B447700900160&To=whatsapp%3A%2B442079460000";

/// A consumer's call is reported after the consumer's no. The time of the call counts, not that of the report.
#[tokio::test]
async fn a_call_that_began_before_a_refusal_does_not_end_it_even_if_reported_later() {
    const NUMBER: &str = "+447700900160";
    let (status, document) = ("/hooks/inbound/status", "/hooks/inbound");
    for (path, rang_after_s, lifts) in [
        (status, Some(-60), false),
        (status, Some(0), true),
        (status, Some(60), true),
        (status, None, false),
        (document, None, true),
    ] {
        let mut play = Play::begin().await;
        let named = [("From", "whatsapp:+447700900160"), ("WaId", "447700900160")];
        play.bring(BRAZIL_NO, &named).await;
        let said_at = play.daemon.now();
        play.daemon.advance(SignedDuration::from_mins(5)).await;
        let mut rings = form(&play.daemon, RINGS, &[]);
        rings.extend(rang_after_s.map(|after| {
            let at = (said_at + SignedDuration::from_secs(after)).to_zoned(jiff::tz::TimeZone::UTC);
            ("Timestamp".to_owned(), jiff::fmt::rfc2822::to_string(&at).unwrap())
        }));
        let url = play.daemon.public(path);
        assert!((200..300).contains(&play.daemon.hook(&url, &rings).await));
        play.daemon.advance(SignedDuration::ZERO).await;
        let order = play.order(NUMBER, json!({})).await;
        let declined = play.closed(&order).await.0 == "declined";
        assert_eq!(declined, !lifts, "{path} {rang_after_s:?}");
    }
}

#[tokio::test]
async fn a_landline_that_looks_like_a_mobile_is_somebody_else() {
    let mut play = Play::begin().await;
    play.daemon.grant("+5531933330145").await;
    play.order("+5531933330145", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.bring(BRAZIL_NO, &[("From", "whatsapp:+553133330145"), ("WaId", "553133330145")]).await;
    play.daemon.advance(SignedDuration::from_hours(4)).await;
    assert_eq!(play.called(), ["whatsapp:+5531933330145"]);
}

#[tokio::test]
async fn a_reply_without_a_number_belongs_to_the_request_that_it_answers() {
    let mut play = Play::begin().await;
    play.order("+447700900104", json!({})).await;
    let request = play.request();
    play.bring(BY_REQUEST, &[("OriginalRepliedMessageSid", &request)]).await;
    assert_eq!(play.called(), ["whatsapp:+447700900104"]);
    // The id is known now, with and without its channel.
    let path = play.order("+447700900104", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    let id = "GB.1349120865530274";
    let values =
        [("ButtonPayload", "REJECTED"), ("From", &*format!("whatsapp:{id}")), ("ExternalUserId", id)];
    play.bring(BY_ID, &values).await;
    assert_eq!(play.closed(&path).await.0, "declined");
}

#[tokio::test]
async fn a_user_id_that_arrived_with_a_number_identifies_that_person() {
    let mut play = Play::begin().await;
    play.order("+447700900105", json!({})).await;
    play.bring(WITH_BOTH, &[]).await;
    assert_eq!(play.called(), [""; 0]);
    play.bring(BY_ID, &[]).await;
    assert_eq!(play.called(), ["whatsapp:+447700900105"]);
}

#[tokio::test]
async fn a_no_by_user_id_revokes_a_grant() {
    let mut play = Play::begin().await;
    play.daemon.grant("+447700900105").await;
    let path = play.order("+447700900105", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.bring(WITH_BOTH, &[]).await;
    play.bring(BY_ID, &[("ButtonPayload", "REJECTED")]).await;
    assert_eq!(play.closed(&path).await.0, "declined");
    play.daemon.advance(SignedDuration::from_hours(4)).await;
    assert_eq!(play.called(), [""; 0]);
}

#[tokio::test]
async fn a_no_of_an_unknown_person_is_stored_and_counts_when_the_person_becomes_known() {
    let mut play = Play::begin().await;
    play.daemon.grant("+447700900105").await;
    let path = play.order("+447700900105", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.bring(BY_ID, &[("ButtonPayload", "REJECTED")]).await;
    let kept = play.unmatched().await;
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0]["kind"], &kept[0]["user_id"]), (&json!("no"), &json!("GB.***1110")));
    assert_eq!(play.daemon.get("/v1/status").await["unmatched_reports"], 1);
    assert_eq!(play.closed(&path).await.0, "open");
    // A restart loses nothing.
    let platform = play.platform.clone();
    play.daemon = play.daemon.restart(platform).await;
    play.bring(WITH_BOTH, &[]).await;
    assert_eq!(play.closed(&path).await.0, "declined");
    assert_eq!(play.unmatched().await, [Value::Null; 0]);
    play.daemon.advance(SignedDuration::from_hours(4)).await;
    assert_eq!(play.called(), [""; 0]);
}

#[tokio::test]
async fn an_answer_that_is_neither_yes_nor_no_holds_its_person_back() {
    let mut play = Play::begin().await;
    play.daemon.grant("+447700900105").await;
    let path = play.order("+447700900105", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.bring(WITH_BOTH, &[]).await;
    play.bring(BY_ID, &[("ButtonPayload", "MAYBE")]).await;
    play.daemon.advance(SignedDuration::from_hours(4)).await;
    assert_eq!(play.called(), [""; 0], "it may be a no");
    assert_eq!(play.closed(&path).await, ("open".to_owned(), "report.set_aside".to_owned()));
    let listed = play.daemon.get("/v1/set-aside").await;
    assert_eq!(listed["set_aside"][0]["kind"], "permission_reply", "{listed}");
    let why = "the answer to a permission request is neither a yes nor a no that is known";
    assert_eq!(listed["set_aside"][0]["place"], why, "{listed}");
}

#[tokio::test]
async fn of_a_yes_and_a_stop_in_one_message_the_stop_counts() {
    let mut play = Play::begin().await;
    let path = play.order("+447700900105", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.bring(WITH_BOTH, &[]).await;
    play.bring(BY_ID, &[("Body", "STOP")]).await;
    assert_eq!(play.closed(&path).await, ("declined".to_owned(), "consumer.stopped".to_owned()));
}

#[tokio::test]
async fn an_operators_permission_does_not_end_a_refusal_of_the_person() {
    let mut play = Play::begin().await;
    play.bring(WITH_BOTH, &[("Body", "STOP")]).await;
    let grant = |more: Value| {
        let mut body = json!({
            "sender": crate::harness::SENDER, "consumer": "+447700900105", "kind": "permanent", "reason": "seen"
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (status, refused) = play.daemon.try_post("/v1/permissions/grant", grant(json!({}))).await;
    assert_eq!((status, &refused["code"]), (409, &json!("permission.refused")), "{refused}");
    assert!(
        refused["detail"].as_str().unwrap().starts_with(&*format!("stop to {} at ", crate::harness::SENDER)),
        "{refused}"
    );
    let path = play.order("+447700900105", json!({})).await;
    assert_eq!(play.closed(&path).await, ("declined".to_owned(), "consumer.stopped".to_owned()));
    // The operator has seen that the person allowed calls since.
    let (status, granted) =
        play.daemon.try_post("/v1/permissions/grant", grant(json!({"ends_refusals": true}))).await;
    assert!(matches!(status, 200 | 202), "{granted}");
    play.daemon.advance(SignedDuration::ZERO).await;
    play.order("+447700900105", json!({})).await;
    assert_eq!(play.called(), ["whatsapp:+447700900105"]);
}

#[tokio::test]
async fn a_refusal_of_a_number_that_may_be_the_same_is_shown() {
    let mut play = Play::begin().await;
    play.bring(WITH_BOTH, &[("From", "whatsapp:+22512345678"), ("WaId", "22512345678"), ("Body", "STOP")])
        .await;
    let pair = json!({"sender": crate::harness::SENDER, "consumer": "+2250712345678"});
    let (_, shown) = play.daemon.try_post("/v1/permissions/show", pair).await;
    assert_eq!(shown["refusals"][0]["kind"], "stop", "{shown}");
}

#[tokio::test]
async fn a_no_counts_whose_person_becomes_known_in_the_same_turn() {
    let mut play = Play::begin().await;
    play.daemon.grant("+447700900105").await;
    let path = play.order("+447700900105", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.post(BY_ID, &[("ButtonPayload", "REJECTED")]).await;
    play.bring(WITH_BOTH, &[]).await;
    assert_eq!(play.closed(&path).await.0, "declined");
    assert_eq!(play.unmatched().await, [Value::Null; 0]);
    play.daemon.advance(SignedDuration::from_hours(4)).await;
    assert_eq!(play.called(), [""; 0]);
}

#[tokio::test]
async fn a_message_without_a_name_is_stored_and_listed() {
    let mut play = Play::begin().await;
    play.bring(WITH_BOTH, &[("From", "whatsapp:?"), ("WaId", ""), ("ExternalUserId", "not an id")]).await;
    let kept = play.unmatched().await;
    assert_eq!((kept.len(), &kept[0]["kind"], kept[0].get("user_id")), (1, &json!("message"), None));
}

#[tokio::test]
async fn a_reply_from_another_number_does_not_add_that_number_to_the_person() {
    let mut play = Play::begin().await;
    play.order("+447700900104", json!({})).await;
    let request = play.request();
    let stranger = "+447700900199";
    let from = format!("whatsapp:{stranger}");
    let values = [("From", &*from), ("WaId", "447700900199"), ("OriginalRepliedMessageSid", &request)];
    play.bring(MEXICO, &values).await;
    assert_eq!(play.called(), ["whatsapp:+447700900104"], "the request names who answers");
    play.order(stranger, json!({})).await;
    assert_eq!(play.platform.messages().len(), 2, "the stranger is asked");
    assert_eq!(play.called().len(), 1);
}

#[tokio::test]
async fn two_records_of_one_person_are_merged_with_the_stricter_permission() {
    let mut play = Play::begin().await;
    play.daemon.grant("+447700900105").await;
    // A person known by another number and the id revokes the permission there.
    play.bring(WITH_BOTH, &[("From", "whatsapp:+447700900106"), ("WaId", "447700900106")]).await;
    play.bring(BY_ID, &[("ButtonPayload", "REJECTED")]).await;
    let path = play.order("+447700900105", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    assert_eq!(play.closed(&path).await.0, "open");
    // The same id with the first number: one person, who said no.
    play.bring(WITH_BOTH, &[]).await;
    assert_eq!(play.closed(&path).await.0, "declined");
    let timeline = play.daemon.get(&format!("{path}/timeline")).await;
    let lines: Vec<&str> =
        timeline["entries"].as_array().unwrap().iter().filter_map(|line| line["what"].as_str()).collect();
    assert!(lines.contains(&"person.united"), "{lines:?}");
    play.daemon.advance(SignedDuration::from_hours(4)).await;
    assert_eq!(play.called(), [""; 0]);
}

#[tokio::test]
async fn a_number_with_another_id_has_a_new_owner_without_a_permission() {
    let mut play = Play::begin().await;
    play.bring(WITH_BOTH, &[]).await;
    play.daemon.grant("+447700900105").await;
    let path = play.order("+447700900105", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.bring(WITH_BOTH, &[("ExternalUserId", "GB.999")]).await;
    assert_eq!(play.closed(&path).await.0, "open");
    play.daemon.advance_to("2026-11-23T15:01:00Z".parse().unwrap()).await;
    assert_eq!((play.called().len(), play.platform.messages().len()), (0, 1), "the new owner is asked");
    // The former owner's id does not belong to this number any more.
    play.bring(BY_ID, &[("ButtonPayload", "REJECTED")]).await;
    assert_eq!((play.closed(&path).await.0, play.unmatched().await.len()), ("open".to_owned(), 1));
}

#[tokio::test]
async fn stop_closes_waiting_callbacks_and_start_ends_the_refusal() {
    let mut play = Play::begin().await;
    play.daemon.grant("+447700900152").await;
    let path = play.order("+447700900152", json!({"earliest": "2026-11-23T15:00:00Z"})).await;
    play.bring(STOP, &[]).await;
    assert_eq!(play.closed(&path).await, ("declined".to_owned(), "consumer.stopped".to_owned()));
    let path = play.order("+447700900152", json!({})).await;
    assert_eq!(play.closed(&path).await.1, "consumer.stopped");
    play.bring(STOP, &[("Body", "START"), ("OptOutType", "START")]).await;
    play.order("+447700900152", json!({})).await;
    assert_eq!(play.called(), ["whatsapp:+447700900152"]);
    assert_eq!(play.platform.messages().len(), 0);
}

#[tokio::test]
async fn an_opt_out_that_the_platform_reports_binds_the_person() {
    let mut play = Play::begin().await;
    let path = play.order("+447700900152", json!({})).await;
    let [request] = &play.platform.messages()[..] else { panic!("one request") };
    let text = "MessageStatus=failed&ErrorCode=21610&AccountSid=x";
    let status =
        form(&play.daemon, text, &[]).into_iter().chain([("MessageSid".to_owned(), request.sid.clone())]);
    let status: Vec<_> = status.collect();
    assert!((200..300).contains(&play.daemon.hook(&request.form["StatusCallback"], &status).await));
    assert_eq!(play.closed(&path).await, ("declined".to_owned(), "consumer.opted_out".to_owned()));
    let path = play.order("+447700900152", json!({})).await;
    assert_eq!(play.closed(&path).await, ("declined".to_owned(), "consumer.opted_out".to_owned()));
    assert_eq!(play.platform.messages().len(), 1);
}

/// Case 14: two equal orders, and one under another spelling.
#[tokio::test]
async fn one_person_has_one_call_at_a_time_whatever_the_spelling() {
    let mut play = Play::begin().await;
    play.daemon.grant("+525555500142").await;
    for _ in 0..2 {
        play.order("+525555500142", json!({})).await;
    }
    let path = play.order("+525555500142", json!({"waive_gap": true})).await;
    assert_eq!(play.called().len(), 1);
    let explained = play.daemon.get(&format!("{path}/explain")).await;
    assert_eq!(explained["reasons"][0]["code"], "pair.on_the_phone", "{explained}");
}
