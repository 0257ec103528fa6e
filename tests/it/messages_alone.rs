//! Messages that belong to no callback: sent at most once, whatever dies, and not to a person who said stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::domain::event::Word;
use ringmaster::domain::{Event, Message, MessageId, MessagePurpose, Named, Numbers, Phone, Stage, Tenant};
use ringmaster::sim::world::Faults;
use ringmaster::simulation::Fixture;
use ringmaster::store::relational::SqlStore;
use ringmaster::store::{Batch, Report, Store};
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{RecordingTransport, SENDER, START, SimulatedDaemon, TestDaemon};

const CONSUMER: &str = "+5511987650001";
/// Approved content for any time, and the invite of every fixture.
const TEMPLATE: &str = "HX00000000000000000000000000000002";
const INVITE: &str = "HX00000000000000000000000000000003";

fn phone(number: &str) -> Phone {
    Phone::parse(number).unwrap()
}

fn start() -> Timestamp {
    START.parse().unwrap()
}

/// A message that nobody has sent yet.
fn intent(n: u128, purpose: MessagePurpose) -> Message {
    let content = match purpose {
        MessagePurpose::PermissionRequest => TEMPLATE,
        MessagePurpose::Invite => INVITE,
    };
    let numbers = Numbers::of(phone(SENDER), phone(CONSUMER));
    let id = MessageId::new(Uuid::from_u128(n));
    Message::new(id, purpose, content.parse().unwrap(), numbers, "main", start())
}

async fn keep(store: &dyn Store, message: Message) {
    store.record(Batch { messages: vec![message], ..Batch::default() }).await.unwrap();
}

async fn kept(store: &dyn Store, n: u128) -> Message {
    store.messages(&[MessageId::new(Uuid::from_u128(n))]).await.unwrap().remove(0)
}

/// The lines about messages on the timeline of the pair.
async fn told(daemon: &mut TestDaemon) -> Vec<String> {
    let pair = daemon.post("/v1/permissions/show", json!({"sender": SENDER, "consumer": CONSUMER})).await;
    let lines = pair["timeline"].as_array().unwrap().iter().filter(|line| line["message"].is_string());
    lines.map(|line| line["what"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_message_without_a_callback_is_sent_once_also_across_restarts() {
    for purpose in [MessagePurpose::Invite, MessagePurpose::PermissionRequest] {
        let platform = Arc::new(RecordingTransport::default());
        let mut daemon = TestDaemon::open(platform.clone()).await;
        let store = daemon.store();
        keep(&*store, intent(1, purpose)).await;
        for _ in 0..3 {
            daemon = daemon.restart(platform.clone()).await;
            daemon.advance(SignedDuration::from_mins(5)).await;
            assert_eq!(platform.messages().len(), 1, "{purpose:?}");
        }
        let message = kept(&*store, 1).await;
        assert_eq!(message.submission.stage, Stage::Accepted);
        assert_eq!(message.submission.sid.as_deref(), Some(&*platform.messages()[0].sid));
        let content = match purpose {
            MessagePurpose::PermissionRequest => TEMPLATE,
            MessagePurpose::Invite => INVITE,
        };
        assert_eq!(platform.messages()[0].form["ContentSid"], content);
    }
}

#[tokio::test]
async fn what_was_submitting_when_the_daemon_died_is_not_sent_again_and_an_operator_resolves_it() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(platform.clone()).await;
    let store = daemon.store();
    let mut message = intent(1, MessagePurpose::PermissionRequest);
    message.submission.submit(start());
    keep(&*store, message).await;
    daemon = daemon.restart(platform.clone()).await;
    daemon.advance(SignedDuration::from_hours(1)).await;
    assert_eq!(kept(&*store, 1).await.submission.stage, Stage::Unknown);
    let open = daemon.get("/v1/messages?stage=unknown").await;
    assert_eq!((&open["total"], &open["messages"][0]["callback"]), (&json!(1), &Value::Null));
    assert_eq!(open["messages"][0]["channel"], "whatsapp");
    let path = format!("/v1/messages/{}/resolve", open["messages"][0]["id"].as_str().unwrap());
    let taken = daemon.post(&path, json!({"outcome": "not_sent"})).await;
    assert_eq!((&taken["outcome"], taken.get("callback")), (&json!("not_sent"), None));
    assert_eq!(kept(&*store, 1).await.submission.stage, Stage::NotPlaced);
    assert_eq!(platform.messages().len(), 0);
    assert_eq!(
        told(&mut daemon).await,
        ["permission.request_unknown", "message.resolved", "permission.request_refused"]
    );
}

#[tokio::test]
async fn a_person_who_said_stop_gets_no_message() {
    for purpose in [MessagePurpose::Invite, MessagePurpose::PermissionRequest] {
        let platform = Arc::new(RecordingTransport::default());
        let mut daemon = TestDaemon::open(platform.clone()).await;
        let store = daemon.store();
        keep(&*store, intent(1, purpose)).await;
        let who = Named::number(phone(CONSUMER));
        let event =
            Event::InboundMessage { sender: phone(SENDER), who, word: Some(Word::Stop), wrote_at: None };
        let stop = Report { key: [1; 16], received_at: start(), event };
        store.append_reports(vec![stop]).await.unwrap();
        daemon = daemon.restart(platform.clone()).await;
        daemon.advance(SignedDuration::from_mins(5)).await;
        assert_eq!(platform.messages().len(), 0, "{purpose:?}");
        assert_eq!(kept(&*store, 1).await.submission.stage, Stage::Withdrawn);
        let withdrawn = match purpose {
            MessagePurpose::PermissionRequest => "permission.request_withdrawn",
            MessagePurpose::Invite => "invite.withdrawn",
        };
        assert_eq!(told(&mut daemon).await, [withdrawn]);
    }
}

/// The consumer's stop is acknowledged right before the batch that lets the message leave is written.
#[derive(Default)]
struct StopJustBefore {
    said: AtomicUsize,
}

#[async_trait]
impl ringmaster::simulation::Mutation for StopJustBefore {
    async fn record(&self, store: &dyn Store, batch: Batch) -> ringmaster::store::Result<()> {
        let leaves = batch.messages.iter().any(|message| message.submission.stage == Stage::Submitting);
        if leaves && self.said.fetch_add(1, Ordering::Relaxed) == 0 {
            let who = Named::number(phone(CONSUMER));
            let event =
                Event::InboundMessage { sender: phone(SENDER), who, word: Some(Word::Stop), wrote_at: None };
            store.append_reports(vec![Report { key: [1; 16], received_at: start(), event }]).await?;
        }
        store.record(batch).await
    }
}

#[tokio::test]
async fn a_stop_that_is_acknowledged_before_the_batch_is_in_its_ground() {
    let store: Arc<dyn Store> = Arc::new(SqlStore::in_memory().unwrap());
    keep(&*store, intent(1, MessagePurpose::Invite)).await;
    let stops = ringmaster::simulation::mutated(store.clone(), Arc::new(StopJustBefore::default()));
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::on_store(stops, platform.clone()).await;
    daemon.advance(SignedDuration::from_mins(5)).await;
    assert_eq!(platform.messages().len(), 0);
    assert_eq!(kept(&*store, 1).await.submission.stage, Stage::Withdrawn);
}

/// A platform that refuses every message with this code.
struct Refusing(u32);

#[async_trait]
impl Transport for Refusing {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        Ok(Response::new(400, json!({"code": self.0, "message": "no", "status": 400}).to_string()))
    }
}

#[tokio::test]
async fn a_refused_message_teaches_the_ledger_and_is_not_tried_again() {
    let platform = Arc::new(Refusing(21_610));
    let mut daemon = TestDaemon::open(platform.clone()).await;
    let store = daemon.store();
    keep(&*store, intent(1, MessagePurpose::Invite)).await;
    daemon = daemon.restart(platform).await;
    daemon.advance(SignedDuration::from_mins(5)).await;
    assert_eq!(kept(&*store, 1).await.submission.stage, Stage::Rejected);
    // The person opted out: what comes next is withdrawn.
    keep(&*store, intent(2, MessagePurpose::Invite)).await;
    let platform = Arc::new(RecordingTransport::default());
    daemon = daemon.restart(platform.clone()).await;
    daemon.advance(SignedDuration::from_mins(5)).await;
    assert_eq!((kept(&*store, 2).await.submission.stage, platform.messages().len()), (Stage::Withdrawn, 0));
}

#[tokio::test]
async fn a_tenant_sees_only_its_own_messages() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(platform.clone()).await;
    let store = daemon.store();
    let tenant: Tenant = "other".parse().unwrap();
    let mut theirs = Message { tenant, ..intent(1, MessagePurpose::Invite) };
    theirs.submission.submit(start());
    keep(&*store, theirs).await;
    daemon = daemon.restart(platform).await;
    daemon.advance(SignedDuration::from_mins(5)).await;
    assert_eq!(daemon.get("/v1/messages").await["total"], 0);
    let (id, outcome) = (MessageId::new(Uuid::from_u128(1)), json!({"outcome": "not_sent"}));
    let (status, refused) = daemon.try_post(&format!("/v1/messages/{id}/resolve"), outcome).await;
    assert_eq!((status, &refused["code"]), (404, &json!("message.not_found")));
    assert_eq!(told(&mut daemon).await, Vec::<String>::new());
}

/// In a whole world: the request is answered by the consumer, and one whose answer was lost is found by a lookup.
#[tokio::test]
async fn a_request_without_a_callback_is_counted_found_and_answered() {
    for drop_answer in [0.0, 1.0] {
        let store: Arc<dyn Store> = Arc::new(SqlStore::in_memory().unwrap());
        let fixture = Fixture::default();
        let mut daemon = SimulatedDaemon::begin_on(&fixture, START, store.clone()).await;
        keep(&*store, intent(1, MessagePurpose::PermissionRequest)).await;
        daemon.world().set_faults(Faults { drop_answer, lose_webhook: drop_answer, ..Faults::default() });
        daemon.restart().await.unwrap();
        daemon.pass(SignedDuration::from_secs(5)).await;
        daemon.world().set_faults(Faults::default());
        let expected = if drop_answer > 0.0 { Stage::Unknown } else { Stage::Accepted };
        assert_eq!(kept(&*store, 1).await.submission.stage, expected);
        daemon.pass(SignedDuration::from_hours(2)).await;
        daemon.restart().await.unwrap();
        assert_eq!(kept(&*store, 1).await.submission.stage, Stage::Accepted);
        assert_eq!(daemon.world().report().counts.permission_requests, 1);
        let key = ringmaster::domain::PairKey::of(phone(SENDER), phone(CONSUMER));
        let pair = store.pairs(&[key]).await.unwrap().remove(0);
        assert_eq!(pair.requests.len(), 1, "it counts");
        // A second request within the day is withdrawn, or the permission is there.
        keep(&*store, intent(2, MessagePurpose::PermissionRequest)).await;
        daemon.restart().await.unwrap();
        daemon.pass(SignedDuration::from_mins(5)).await;
        assert_eq!(kept(&*store, 2).await.submission.stage, Stage::Withdrawn);
        assert_eq!(daemon.world().report().counts.permission_requests, 1);
    }
}

#[tokio::test]
async fn a_message_waits_for_a_list_past_its_term_until_a_newer_version_is_whole() {
    for purpose in [MessagePurpose::Invite, MessagePurpose::PermissionRequest] {
        let platform = Arc::new(RecordingTransport::default());
        let stops = |config: &mut Config| config.suppression.stop_when_expired = true;
        let mut daemon = TestDaemon::configured(platform.clone(), stops).await;
        let store = daemon.store();
        whole_list(&mut daemon, "1", 12).await;
        daemon.advance(SignedDuration::from_hours(13)).await;
        keep(&*store, intent(1, purpose)).await;
        for _ in 0..2 {
            daemon = daemon.restart(platform.clone()).await;
            daemon.advance(SignedDuration::from_hours(1)).await;
            assert_eq!(platform.messages().len(), 0, "{purpose:?}: the list is past its term");
            assert_eq!(kept(&*store, 1).await.submission.stage, Stage::Intent);
        }
        let lines = told(&mut daemon).await;
        assert!(lines.iter().all(|line| line == "message.waits") && !lines.is_empty(), "{lines:?}");
        whole_list(&mut daemon, "2", 1).await;
        daemon.advance(SignedDuration::from_mins(1)).await;
        assert_eq!(platform.messages().len(), 1, "{purpose:?}: the newer version is whole");
        assert_eq!(kept(&*store, 1).await.submission.stage, Stage::Accepted);
    }
}

/// A person who says stop meanwhile gets nothing when the list is there.
#[tokio::test]
async fn a_message_that_waits_for_a_list_is_withdrawn_for_what_was_said_meanwhile() {
    let platform = Arc::new(RecordingTransport::default());
    let stops = |config: &mut Config| config.suppression.stop_when_expired = true;
    let mut daemon = TestDaemon::configured(platform.clone(), stops).await;
    let store = daemon.store();
    whole_list(&mut daemon, "1", 12).await;
    daemon.advance(SignedDuration::from_hours(13)).await;
    keep(&*store, intent(1, MessagePurpose::PermissionRequest)).await;
    daemon = daemon.restart(platform.clone()).await;
    let who = Named::number(phone(CONSUMER));
    let event = Event::InboundMessage { sender: phone(SENDER), who, word: Some(Word::Stop), wrote_at: None };
    daemon.file(vec![event]).await;
    whole_list(&mut daemon, "2", 100).await;
    daemon.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(platform.messages().len(), 0);
    assert_eq!(kept(&*store, 1).await.submission.stage, Stage::Withdrawn);
}

/// Imports a version of a list without entries, which ends in so many hours.
async fn whole_list(daemon: &mut TestDaemon, version: &str, ends_in_hours: i64) {
    let until = (daemon.now() + SignedDuration::from_hours(ends_in_hours)).to_string();
    let list =
        json!({"list": "imported:dnc", "version": version, "valid_until": until, "purposes": ["marketing"]});
    daemon.post("/v1/suppression/lists", list).await;
    daemon.post("/v1/suppression/lists/complete", json!({"list": "imported:dnc", "version": version})).await;
    daemon.advance(SignedDuration::ZERO).await;
}
