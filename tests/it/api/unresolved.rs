//! Resolutions of unresolved attempts and messages.

use axum::http::StatusCode;
use jiff::SignedDuration;
use ringmaster::domain::event::{AttemptOverride, MessageOverride};
use ringmaster::domain::{
    Answer, Attempt, AttemptId, AttemptResolution, CallPermission, Disposition, ErrorCode, Event, LegOrder,
    Message, MessageId, MessagePurpose, MessageResolution, Numbers, Pair, PairKey, State, Submission,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{ApiHarness, CONSUMER, NOW, SENDER, api, at, phone};

const SID: &str = "CA0123456789abcdef0123456789abcdef";
const OTHER_SID: &str = "CA0123456789abcdef0123456789abcde0";

/// A submission that got this answer at [`NOW`].
fn submission(answer: &Answer) -> Submission {
    let mut submission = Submission::intent(at(NOW));
    submission.submit(at(NOW));
    submission.answer(at(NOW), answer);
    submission
}

fn accepted() -> Answer {
    Answer::Accepted { sid: SID.into() }
}

/// Puts an attempt into the store, as the scheduler would have left it.
async fn attempt(api: &ApiHarness, n: u128, answer: &Answer) -> String {
    let (id, callback) = (AttemptId::new(Uuid::from_u128(n)), api.callback().await);
    let attempt = Attempt {
        submission: submission(answer),
        ..Attempt::new(
            id,
            callback,
            Numbers::of(phone(SENDER), phone(CONSUMER)),
            "main",
            LegOrder::ConsumerFirst,
            at(NOW),
        )
    };
    api.store.change(callback, |record| record.attempts = vec![attempt]).await;
    format!("/v1/attempts/{id}/resolve")
}

async fn message(api: &ApiHarness, n: u128, answer: &Answer) -> String {
    let (id, callback) = (MessageId::new(Uuid::from_u128(n)), api.callback().await);
    let message = Message {
        submission: submission(answer),
        ..Message::new(
            id,
            MessagePurpose::PermissionRequest,
            "HX1".parse().unwrap(),
            Numbers::of(phone(SENDER), phone(CONSUMER)),
            "main",
            at(NOW),
        )
        .for_callback(callback)
    };
    api.store.change(callback, |record| record.messages = vec![message]).await;
    format!("/v1/messages/{id}/resolve")
}

async fn heard(api: &ApiHarness) -> Vec<Event> {
    api.store.unfolded_reports(10).await.unwrap().into_iter().map(|report| report.event).collect()
}

#[tokio::test]
async fn a_resolution_of_an_attempt_is_stored_once_with_the_name_of_the_token() {
    let api = api().await;
    let path = attempt(&api, 1, &Answer::Unknown).await;
    let word = json!({"outcome": "no_answer", "call_sid": SID, "note": "seen by 5511987654321."}).to_string();
    for _ in 0..2 {
        let taken = api.post(&path, word.clone()).await;
        assert_eq!((taken.status, &taken.json()["outcome"]), (StatusCode::ACCEPTED, &json!("no_answer")));
    }
    let said = Event::AttemptResolved(AttemptOverride {
        attempt: AttemptId::new(Uuid::from_u128(1)),
        fate: AttemptResolution::Ended(Disposition::NoAnswer),
        sid: Some(SID.into()),
        by: "crm".into(),
        note: Some("seen by *************".into()),
    });
    assert_eq!(heard(&api).await, [said]);
}

#[tokio::test]
async fn a_resolution_of_a_message_is_stored_once() {
    let api = api().await;
    let path = message(&api, 1, &Answer::Unknown).await;
    for _ in 0..2 {
        let taken = api.post(&path, json!({"outcome": "not_sent"}).to_string()).await;
        assert_eq!((taken.status, &taken.json()["outcome"]), (StatusCode::ACCEPTED, &json!("not_sent")));
    }
    let said = Event::MessageResolved(MessageOverride {
        message: MessageId::new(Uuid::from_u128(1)),
        fate: MessageResolution::NotSent,
        sid: None,
        by: "crm".into(),
        note: None,
    });
    assert_eq!(heard(&api).await, [said]);
}

#[tokio::test]
async fn a_resolved_attempt_or_message_cannot_be_resolved_and_its_state_is_named() {
    let api = api().await;
    let accepted = attempt(&api, 1, &accepted()).await;
    let rejected = attempt(&api, 2, &Answer::Rejected { error_code: None }).await;
    let sent = message(&api, 3, &self::accepted()).await;
    for (path, outcome, code, state) in [
        (&accepted, "no_answer", "attempt.not_in_doubt", "accepted and queued"),
        (&rejected, "no_answer", "attempt.not_in_doubt", "rejected, and ended as failed"),
        (&sent, "not_sent", "message.not_in_doubt", "accepted"),
    ] {
        let refused = api.post(path, json!({"outcome": outcome}).to_string()).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, code), "{path}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(state), "{}", refused.text);
    }
    assert_eq!(heard(&api).await, []);
}

#[tokio::test]
async fn an_accepted_call_can_be_resolved_when_it_was_silent_for_longer_than_it_can_last() {
    let api = api().await;
    let path = attempt(&api, 1, &accepted()).await;
    let word = json!({"outcome": "completed"}).to_string();
    api.clock.advance(SignedDuration::from_secs(16 * 60 - 1));
    assert_eq!(api.post(&path, word.clone()).await.code(), "attempt.not_in_doubt");
    api.clock.advance(SignedDuration::from_secs(1));
    let absent = api.post(&path, json!({"outcome": "not_placed"}).to_string()).await;
    assert_eq!(absent.code(), "attempt.not_in_doubt");
    assert!(absent.text.contains("the platform has the call"), "{}", absent.text);
    assert_eq!(api.post(&path, word).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_resolution_that_is_known_already_changes_nothing() {
    let api = api().await;
    let absent = attempt(&api, 1, &Answer::NotSent).await;
    let sent = message(&api, 2, &accepted()).await;
    for (path, outcome) in [(&absent, "not_placed"), (&sent, "sent")] {
        let taken = api.post(path, json!({"outcome": outcome}).to_string()).await;
        assert_eq!((taken.status, &taken.json()["outcome"]), (StatusCode::OK, &json!(outcome)));
    }
    assert_eq!(heard(&api).await, []);
}

#[tokio::test]
async fn a_resolution_with_faults_lists_all_of_them() {
    let api = api().await;
    let path = attempt(&api, 1, &Answer::Unknown).await;
    let faults = async |body: Value| {
        let answer = api.post(&path, body.to_string()).await;
        assert_eq!(answer.code(), "resolution.invalid");
        answer.faults()
    };
    assert_eq!(faults(json!({})).await, ["outcome: field.missing"]);
    let long = json!({"outcome": "sent", "sid": "CA1", "note": "x".repeat(201)});
    assert_eq!(faults(long).await, ["outcome: field.value", "sid: field.value", "note: field.too_long"]);
    let named = json!({"outcome": "not_placed", "call_sid": SID});
    assert_eq!(faults(named).await, ["call_sid: field.value"]);
    let twice = json!({"outcome": "busy", "sid": SID, "call_sid": SID});
    assert_eq!(faults(twice).await, ["call_sid: field.duplicate"]);
    let known = attempt(&api, 2, &accepted()).await;
    let other = api.post(&known, json!({"outcome": "busy", "sid": OTHER_SID}).to_string()).await;
    assert_eq!(other.faults(), ["sid: field.value"]);
    let nobody = api.post("/v1/attempts/at_00000000000000000000000000000009/resolve", "{}").await;
    assert_eq!((nobody.status, nobody.code().as_str()), (StatusCode::NOT_FOUND, "attempt.not_found"));
    assert_eq!(api.post("/v1/messages/at_1/resolve", "{}").await.code(), "id.malformed");
}

#[tokio::test]
async fn unresolved_attempts_are_found() {
    let api = api().await;
    attempt(&api, 1, &Answer::Unknown).await;
    attempt(&api, 2, &accepted()).await;
    attempt(&api, 3, &Answer::Throttled).await;
    message(&api, 4, &Answer::Unknown).await;
    message(&api, 5, &accepted()).await;
    let ids = async |path: &str| -> (Vec<String>, Value) {
        let list = api.get(path).await.json();
        let (_, rows) = list.as_object().unwrap().iter().find(|(_, value)| value.is_array()).unwrap();
        let last = |row: &Value| row["id"].as_str().unwrap().chars().last().unwrap().to_string();
        (rows.as_array().unwrap().iter().map(last).collect(), list["total"].clone())
    };
    for (path, found, total) in [
        ("/v1/attempts", &["1", "2"][..], 2),
        ("/v1/attempts?limit=1", &["1"], 2),
        ("/v1/attempts?stage=unknown", &["1"], 1),
        ("/v1/attempts?stage=accepted&is_unresolved=true", &[], 0),
        ("/v1/attempts?is_unresolved=false", &["2"], 1),
        ("/v1/messages", &["4"], 1),
        ("/v1/messages?stage=unknown", &["4"], 1),
        ("/v1/messages?stage=intent", &[], 0),
    ] {
        assert_eq!(
            ids(path).await,
            (found.iter().map(ToString::to_string).collect(), json!(total)),
            "{path}"
        );
    }
    api.clock.advance(SignedDuration::from_mins(16));
    assert_eq!(ids("/v1/attempts?is_unresolved=true").await.0, ["1", "2"]);
    for query in ["stage=rejected", "is_unresolved=maybe", "limit=0", "limit=501", "since=1"] {
        assert_eq!(api.get(&format!("/v1/attempts?{query}")).await.code(), "query.invalid", "{query}");
    }
    let first = &api.get("/v1/attempts?limit=1").await.json()["attempts"][0];
    assert_eq!((&first["consumer"], &first["is_unresolved"]), (&json!(CONSUMER), &json!(true)));
}

#[tokio::test]
async fn messages_are_shown_with_what_they_await() {
    let api = api().await;
    message(&api, 1, &accepted()).await;
    message(&api, 2, &Answer::Unknown).await;
    let lapses_at = at(NOW) + SignedDuration::from_hours(1);
    api.store
        .put_pair(Pair {
            permission: CallPermission::Requested { expires_at: lapses_at },
            request: Some(MessageId::new(Uuid::from_u128(1))),
            ..Pair::unknown(PairKey::of(phone(SENDER), phone(CONSUMER)))
        })
        .await;
    let list = async |query: &str| {
        let page = api.get(&format!("/v1/messages{query}")).await.json();
        let rows = page["messages"].as_array().unwrap().clone();
        let told = rows.iter().map(|row| (row["awaits"].clone(), row.get("lapses_at").cloned())).collect();
        (told, page["total"].clone())
    };
    let reply = (json!("reply"), Some(json!(lapses_at.to_string())));
    let confirmation = (json!("confirmation"), None);
    for (query, expected, total) in [
        ("", vec![reply.clone(), confirmation.clone()], 2),
        ("?limit=1", vec![reply.clone()], 2),
        ("?stage=accepted", vec![reply], 1),
        ("?stage=unknown", vec![confirmation], 1),
        ("?stage=intent", vec![], 0),
    ] {
        assert_eq!(list(query).await, (expected, json!(total)), "{query}");
    }
    api.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(list("?stage=accepted").await, (Vec::new(), json!(0)), "it has lapsed");
}

#[tokio::test]
async fn an_unknown_code_is_shown_without_a_meaning() {
    let api = api().await;
    attempt(&api, 1, &Answer::Rejected { error_code: Some(ErrorCode::of_twilio(99_999)) }).await;
    message(&api, 2, &Answer::Rejected { error_code: Some(ErrorCode::of_twilio(63_024)) }).await;
    let list = api.get("/v1/callbacks").await.json();
    let mut errors = Vec::new();
    for callback in list["callbacks"].as_array().unwrap() {
        let shown = api.get(&format!("/v1/callbacks/{}", callback["id"].as_str().unwrap())).await.json();
        let all = [&shown["attempts"], &shown["messages"]].map(|of| of.as_array().unwrap().clone());
        errors.extend(all.concat().into_iter().map(|of| of["error"].clone()));
    }
    let known = json!({"issuer": "twilio", "code": 63_024, "meaning": "the consumer is not on WhatsApp"});
    assert_eq!(errors, [known, json!({"issuer": "twilio", "code": 99_999})]);
}

#[tokio::test]
async fn an_unknown_attempt_is_shown_as_unknown_wherever_its_callback_is_shown() {
    for (answer, code) in [(Answer::Unknown, "attempt.unknown"), (accepted(), "attempt.in_progress")] {
        let api = api().await;
        let resolve = attempt(&api, 1, &answer).await;
        assert!(resolve.starts_with("/v1/attempts/"));
        let list = api.get("/v1/callbacks").await.json();
        let id = list["callbacks"][0]["id"].as_str().unwrap().to_owned();
        let open = State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) };
        api.store.change(id.parse().unwrap(), |record| record.callback.state = open).await;
        let list = api.get("/v1/callbacks").await.json();
        let shown = api.get(&format!("/v1/callbacks/{id}")).await.json();
        let explained = api.get(&format!("/v1/callbacks/{id}/explain")).await.json();
        assert_eq!(list["callbacks"][0]["reason"]["code"], code, "{list}");
        assert_eq!(shown["reason"]["code"], code);
        assert_eq!(explained["reasons"][0]["code"], code);
    }
}
