//! `docs/API.md` shows every field of a callback and of an invite, and every code of a problem.

use std::collections::BTreeSet;

use ringmaster::domain::callback::Closed;
use ringmaster::domain::event::MessageProgress;
use ringmaster::domain::{
    AgentTarget, Assigned, Attempt, AttemptId, CallProgress, Callback, CallbackId, Disposition, ErrorCode,
    Handling, LegOrder, ListName, Message, MessageId, MessagePurpose, Notice, Numbers, Offer, Origin,
    Outcome, Preview, PreviewElse, Reason, Recording, RecordingState, Recordings, RoadKind, Stage, State,
    Submission, SuppressionScope, Taken, Tenant, Terms, WrapUp, WrapUpEffect, WrapUpRecord,
};
use ringmaster::http::{ApiError, api};
use ringmaster::store::{AgentChanges, Batch, Enqueue};
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{ApiHarness, CONSUMER, NOW, SENDER, at, phone};

const PAGE: &str = include_str!("../../../docs/API.md");

/// Fields with the customer's own keys.
const OPEN: [&str; 3] = ["variables", "metadata", "messenger"];

/// The paths of all fields, such as `attempts[].error.code`.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(_) if OPEN.contains(&path) => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                paths(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{path}[]"), found)),
        _ => {}
    }
}

/// The paths of all fields of a schema.
fn described(schema: &Value, schemas: &Value, path: &str, found: &mut BTreeSet<String>) {
    if OPEN.contains(&path) {
        return;
    }
    if let Some(name) = schema["$ref"].as_str() {
        return described(&schemas[name.rsplit('/').next().unwrap()], schemas, path, found);
    }
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|kind| schema[kind].as_array()).flatten();
    parts.for_each(|part| described(part, schemas, path, found));
    if !schema["items"].is_null() {
        described(&schema["items"], schemas, &format!("{path}[]"), found);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        described(property, schemas, &path, found);
        found.insert(path);
    }
}

fn example(of: &str) -> BTreeSet<String> {
    let (_, rest) = PAGE.split_once(&format!("### The whole shape of {of}\n")).expect("the section");
    let (_, rest) = rest.split_once("```json\n").expect("the example");
    let (text, _) = rest.split_once("```").expect("its end");
    let mut found = BTreeSet::new();
    paths(&serde_json::from_str(text).unwrap(), "", &mut found);
    found
}

/// A callback with a value in every field of a waiting callback, with an attempt and a message.
async fn filled(api: &ApiHarness) -> CallbackId {
    let ordered = api.order(json!({
        "separate": false,
        "missed_window": "close",
        "hours": "daily 00:00-24:00 @America/Sao_Paulo and America/Manaus except office",
        "agent": "client:alice",
        "pool": "support",
        "campaign": "spring",
        "reference": "ticket-17",
        "metadata": {"anything": 1},
        "messenger": {"shop": "6789012345678901"},
        "consent": {"source": "the form", "at": NOW, "text_version": "7", "expires_at": "2027-11-23T12:00:00Z"},
    }));
    let id = ordered.await.id();
    let pair = Numbers { sender: phone(SENDER), consumer: phone(CONSUMER) };
    let submission = Submission {
        stage: Stage::Accepted,
        sid: Some("CA1".into()),
        submitted_at: Some(at(NOW)),
        error_code: Some(ErrorCode::of_twilio(37003)),
        ..Submission::intent(at(NOW))
    };
    let attempt = Attempt {
        submission: submission.clone(),
        first_leg: CallProgress::Ended(Disposition::Completed),
        rang_at: Some(at(NOW)),
        connected_at: Some(at(NOW)),
        ended_at: Some(at(NOW)),
        duration_s: Some(110),
        agent: Some("client:ana".parse().unwrap()),
        recordings: Recordings::new(vec![Recording {
            sid: "RE1".to_owned(),
            link: Some("https://api.example/RE1".to_owned()),
            duration_s: Some(104),
            notice: Notice::Spoken,
            told_at: at(NOW),
            delete_at: Some(at(NOW)),
            state: RecordingState::Deleted,
            ask_at: None,
            tries: 1,
            deleted_at: Some(at(NOW)),
        }]),
        ..Attempt::new(AttemptId::new(Uuid::from_u128(1)), id, pair, "main", LegOrder::ConsumerFirst, at(NOW))
    };
    let (asked, content) = (MessagePurpose::PermissionRequest, "HX1".parse().unwrap());
    let message = Message {
        submission,
        progress: MessageProgress::Delivered,
        delivered_at: Some(at(NOW)),
        ..Message::new(MessageId::new(Uuid::from_u128(2)), asked, content, pair, "main", at(NOW))
            .for_callback(id)
    };
    let message = Message { road: Some(RoadKind::Template), ..message };
    api.store
        .change(id, |record| {
            record.attempts.push(attempt);
            record.messages.push(message);
            let callback = &mut record.callback;
            callback.retry_at = Some(at(NOW));
            callback.abandoned_at = Some(at(NOW));
            callback.invited_at = Some(at(NOW));
            callback.attempt_allowed_at = Some(at(NOW));
            callback.cancel_requested_at = Some(at(NOW));
            callback.reached_late_at = Some(at(NOW));
        })
        .await;
    id
}

/// Two callbacks with a value in every field that agents and missed calls fill.
async fn of_agents(api: &ApiHarness) -> [CallbackId; 2] {
    let known = api.order(Value::Null).await.id();
    let store = api.store.shared();
    let usual = store.callback(known).await.unwrap().unwrap().callback;
    let agent: AgentTarget = "client:dora".parse().unwrap();
    let ids = [11, 12].map(|id| CallbackId::new(Uuid::from_u128(id)));
    let full = Terms {
        assigned: Some(Assigned { agent: agent.clone(), until: at(NOW) }),
        promised_at: Some(at(NOW)),
        in_line_since: Some(at(NOW)),
        preview: Some(Preview { seconds: 30, times: 3, otherwise: PreviewElse::Ask }),
        origin: Some(Origin::FollowUp(known)),
        traced: None,
    };
    let missed = Terms { origin: Some(Origin::MissedCall), ..Terms::default() };
    let taken = Some(Taken { agent: Some(agent), at: at(NOW) });
    let offer = Offer { times: 1, until: Some(at(NOW)), taken };
    for (id, terms) in ids.into_iter().zip([full, missed]) {
        let mut callback = Callback { id, ..usual.clone() };
        callback.order.terms = terms.kept();
        *callback.handled() = Handling {
            first_rang_at: Some(at(NOW)),
            offer: offer.clone(),
            not_today_until: Some(at(NOW)),
            ..Handling::default()
        };
        let order = Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() };
        store.enqueue_callbacks(vec![order]).await.unwrap();
    }
    let suppress = WrapUpEffect::Suppress { list: ListName::House, scope: SuppressionScope::All };
    let said = [WrapUpEffect::CallbackAt { at: at(NOW) }, suppress].into_iter().zip(ids);
    let wrap_ups = said.map(|(effect, callback)| WrapUpRecord {
        callback,
        tenant: Tenant::default(),
        said: WrapUp {
            disposition: "call_again".into(),
            effect,
            note: Some("asks for the invoice".into()),
            agent: Some("alice".into()),
        },
        by: "crm".into(),
        at: at(NOW),
        follow_up: Some(known),
        revision: 1,
    });
    let agents = AgentChanges { wrap_ups: wrap_ups.collect(), ..AgentChanges::default() };
    store.record(Batch { agents, ..Batch::default() }).await.unwrap();
    ids
}

#[tokio::test]
async fn the_documented_fields_of_a_callback_equal_the_answer_and_the_schema() {
    let api = super::harness::inviting_api().await;
    let mut answered = BTreeSet::new();
    let id = filled(&api).await;
    let waiting = Reason::OutsideHours { opens_at: at(NOW) };
    let closed = Closed { outcome: Outcome::Reached, at: at(NOW), note: Reason::Answered.note() };
    api.store
        .change(id, |record| {
            if let State::Waiting(state) = &mut record.callback.state {
                state.note = waiting.note();
            }
        })
        .await;
    paths(&api.get(&format!("/v1/callbacks/{id}")).await.json(), "", &mut answered);
    api.store.change(id, |record| record.callback.state = State::Closed(closed)).await;
    paths(&api.get(&format!("/v1/callbacks/{id}")).await.json(), "", &mut answered);
    for id in of_agents(&api).await {
        paths(&api.get(&format!("/v1/callbacks/{id}")).await.json(), "", &mut answered);
    }
    // Only `explain` has this field; a stored reason does not.
    let explained = api.order(Value::Null).await.id();
    let reasons = api.get(&format!("/v1/callbacks/{explained}/explain")).await.json()["reasons"].clone();
    assert!(reasons.as_array().unwrap().iter().any(|reason| reason["lifted_by"].is_string()), "{reasons}");
    answered.insert("reason.lifted_by".to_owned());

    let description = serde_json::to_value(api::openapi()).unwrap();
    let schemas = &description["components"]["schemas"];
    let mut schema = BTreeSet::new();
    described(&schemas["CallbackRecord"], schemas, "", &mut schema);
    assert_eq!(example("a callback"), schema, "docs/API.md and the description");
    assert_eq!(example("a callback"), answered, "docs/API.md and the answers");
}

#[tokio::test]
async fn the_documented_fields_of_an_invite_equal_the_answer_and_the_schema() {
    let api = super::harness::inviting_api().await;
    let mut answered = BTreeSet::new();
    let ordered = api.invite(json!({
        "hours": "daily 00:00-24:00 @America/Sao_Paulo and America/Manaus except office",
        "variables": {"1": "Ana"},
        "messenger": {"shop": "6789012345678901"},
        "consent": {"source": "the form", "at": NOW, "text_version": "7", "expires_at": "2027-11-23T12:00:00Z"},
        "campaign": "spring",
        "reference": "ticket-17",
        "metadata": {"anything": 1},
    }));
    let id = ordered.await.invite_id();
    let pair = Numbers { sender: phone(SENDER), consumer: phone(CONSUMER) };
    let submission = Submission {
        stage: Stage::Accepted,
        sid: Some("MM1".into()),
        error_code: Some(ErrorCode::of_twilio(63016)),
        ..Submission::intent(at(NOW))
    };
    let message = Message {
        submission,
        road: Some(RoadKind::Template),
        delivered_at: Some(at(NOW)),
        ..Message::new(
            MessageId::new(Uuid::from_u128(2)),
            MessagePurpose::Invite,
            "HX3".parse().unwrap(),
            pair,
            "main",
            at(NOW),
        )
        .for_callback(id.into())
    };
    let waiting = Reason::OutsideHours { opens_at: at(NOW) };
    let closed = Closed { outcome: Outcome::Reached, at: at(NOW), note: Reason::Answered.note() };
    api.store
        .change(id.into(), |record| {
            record.messages.push(message);
            record.callback.invited_at = Some(at(NOW));
            if let State::Waiting(state) = &mut record.callback.state {
                state.note = waiting.note();
            }
        })
        .await;
    paths(&api.get(&format!("/v1/invites/{id}")).await.json(), "", &mut answered);
    api.store.change(id.into(), |record| record.callback.state = State::Closed(closed)).await;
    paths(&api.get(&format!("/v1/invites/{id}")).await.json(), "", &mut answered);
    let description = serde_json::to_value(api::openapi()).unwrap();
    let schemas = &description["components"]["schemas"];
    let mut schema = BTreeSet::new();
    described(&schemas["InviteRecord"], schemas, "", &mut schema);
    // Only `explain` has this field; a stored reason does not.
    answered.insert("reason.lifted_by".to_owned());
    assert_eq!(example("an invite"), schema, "docs/API.md and the description");
    assert_eq!(example("an invite"), answered, "docs/API.md and the answers");
}

#[test]
fn every_code_of_a_problem_is_explained() {
    for code in ApiError::codes() {
        assert!(PAGE.contains(&format!("`{code}`")), "docs/API.md does not explain {code}");
    }
    let (_, rest) = PAGE.split_once("| status | code | meaning |\n").unwrap();
    for row in rest.lines().skip(1).take_while(|line| line.starts_with('|')) {
        let cell = row.split('|').nth(2).unwrap();
        for code in cell.split('`').skip(1).step_by(2) {
            assert!(ApiError::codes().any(|known| known == code), "docs/API.md: {code} is no code");
        }
    }
}
