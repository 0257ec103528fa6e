//! `explain`, limits, senders and the status of the daemon.

use std::borrow::Cow;

use jiff::Timestamp;
use ringmaster::domain::{
    AccountView, AttemptId, CallPermission, InUse, Loads, Pair, PairKey, Resource, State,
};
use serde_json::json;
use uuid::Uuid;

use super::harness::{CONSUMER, SENDER, api, at, phone};

fn pair(permission: CallPermission) -> Pair {
    let key = PairKey::of(phone(SENDER), phone(CONSUMER));
    Pair { permission, ..Pair::unknown(key) }
}

fn calls(live: u32) -> InUse {
    [(Resource::Sender(phone(SENDER)), live)].into_iter().collect()
}

#[tokio::test]
async fn a_waiting_callback_has_its_deciding_reason_and_when_it_ends() {
    let api = api().await;
    api.store
        .put_pair(Pair {
            misses: 1,
            ..pair(CallPermission::Temporary { expires_at: at("2026-11-28T12:00:00Z") })
        })
        .await;
    let paused = Some((at("2026-11-23T12:05:00Z"), Cow::Borrowed("its calls per second are used up")));
    let accounts = [("main".into(), AccountView { paused, next_call_at: Timestamp::MIN })].into();
    api.publish(Loads { in_use: calls(50), accounts, ..Loads::default() }).await;
    let hours = "mon-fri 10:00-18:00 @America/Sao_Paulo";
    let id = api.order(json!({"hours": hours})).await.id();
    let mut explained = api.get(&format!("/v1/callbacks/{id}/explain")).await.json();
    explained["id"] = "cb_".into();
    insta::assert_json_snapshot!("explanation", explained);
    assert_eq!(explained["next_look_at"], "2026-11-23T13:00:00Z");
}

#[tokio::test]
async fn without_permission_the_next_step_is_to_ask() {
    let api = api().await;
    let id = api.callback().await;
    let explained = api.get(&format!("/v1/callbacks/{id}/explain")).await.json();
    assert_eq!(explained["step"], "request_permission");
    assert_eq!(explained["reasons"][0]["code"], "permission.none");
    assert_eq!(explained["senders"][0]["permission"], "none");
}

#[tokio::test]
async fn a_permission_is_shown_as_expired_from_the_moment_it_ends() {
    let api = api().await;
    let id = api.callback().await;
    for (expires_at, word) in [("2026-11-23T12:00:01Z", "temporary"), ("2026-11-23T12:00:00Z", "expired")] {
        api.store.put_pair(pair(CallPermission::Temporary { expires_at: at(expires_at) })).await;
        let explained = api.get(&format!("/v1/callbacks/{id}/explain")).await.json();
        assert_eq!(explained["senders"][0]["permission"], word);
    }
}

#[tokio::test]
async fn a_callback_in_a_call_or_closed_is_explained_by_its_state() {
    let api = api().await;
    let id = api.callback().await;
    api.change(&format!("/v1/callbacks/{id}/cancel"), "").await;
    let closed = api.get(&format!("/v1/callbacks/{id}/explain")).await.json();
    assert_eq!((&closed["status"], &closed["outcome"]), (&json!("closed"), &json!("canceled")));
    assert_eq!((closed.get("step"), &closed["reasons"][0]["code"]), (None, &json!("customer.canceled")));
    let id = api.callback().await;
    api.store
        .change(id, |record| {
            record.callback.state = State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) };
        })
        .await;
    let calling = api.get(&format!("/v1/callbacks/{id}/explain")).await.json();
    assert_eq!(calling["reasons"][0]["code"], "attempt.in_progress");
    assert_eq!(calling["reasons"][0]["lifted_by"], "the end of a call in progress");
}

#[tokio::test]
async fn the_limits_are_shown_with_their_sources() {
    let api = api().await;
    insta::assert_json_snapshot!("limits", api.get("/v1/limits").await.json());
}

#[tokio::test]
async fn senders_and_state_of_the_daemon_are_shown() {
    let api = api().await;
    let id = api.callback().await;
    api.callback().await;
    api.change(&format!("/v1/callbacks/{id}/cancel"), "").await;
    api.publish(Loads { in_use: calls(3), ..Loads::default() }).await;
    insta::assert_json_snapshot!("senders", api.get("/v1/senders").await.json());
    insta::assert_json_snapshot!("status", api.get("/v1/status").await.json());
}

#[tokio::test]
async fn a_paused_sender_is_shown_with_the_end_and_the_reason() {
    let api = api().await;
    let shown = async || api.get("/v1/senders").await.json()["senders"][0].clone();
    assert_eq!((shown().await.get("paused_until"), shown().await.get("why")), (None, None));
    let rest = (at("2026-11-23T12:01:00Z"), "the sender's call rate is used up".into());
    let paused_senders = [(phone(SENDER), rest)].into();
    api.publish(Loads { paused_senders, ..Loads::default() }).await;
    let resting = shown().await;
    assert_eq!(resting["paused_until"], "2026-11-23T12:01:00Z");
    assert_eq!(resting["why"], "the sender's call rate is used up");
    api.clock.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(shown().await.get("paused_until"), None);
}
