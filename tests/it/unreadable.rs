//! A stored report that cannot be read is set aside, its person is neither asked nor called, and everything else goes on.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::domain::event::{PermissionAnswer, PermissionReply};
use ringmaster::domain::{Event, Named, Phone, SetAsideId};
use ringmaster::simulation::Fixture;
use ringmaster::store::Report;
use ringmaster::store::relational::SqlStore;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{SENDER, START, SimulatedDaemon};

/// `CONSUMER` and `OTHER` accept the request and answer the call.
const CONSUMER: &str = "+5511987650001";
const OTHER: &str = "+5511987660001";
const DEADLINE: &str = "2026-12-03T12:00:00Z";

struct Harness {
    daemon: SimulatedDaemon,
    path: PathBuf,
    _dir: TempDir,
}

impl Harness {
    async fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ringmaster.db");
        let store = Arc::new(SqlStore::open_inline(&path).unwrap());
        let with = Fixture { calls_per_second: 10, ..Fixture::default() };
        Self { daemon: SimulatedDaemon::begin_on(&with, START, store).await, path, _dir: dir }
    }

    /// The consumer says no, and the report is damaged before it is folded.
    async fn no_that_is_damaged(&self) {
        let reply = PermissionReply {
            sender: Phone::parse(SENDER).unwrap(),
            who: Named::number(Phone::parse(CONSUMER).unwrap()),
            answer: PermissionAnswer::Rejected,
            replied_to: None,
            automatic: false,
            replied_at: None,
        };
        let event = Event::PermissionReply(reply);
        let report = Report { key: [1; 16], received_at: self.daemon.now(), event };
        assert_eq!(self.daemon.store.append_reports(vec![report]).await.unwrap(), [true]);
        self.replace("rejected", "perhaps");
    }

    fn replace(&self, old: &str, new: &str) {
        let db = Connection::open(&self.path).unwrap();
        let sql = "UPDATE reports SET event = replace(event, ?1, ?2) WHERE event LIKE '%' || ?1 || '%'";
        assert_eq!(db.execute(sql, [old, new]).unwrap(), 1);
    }

    async fn pass(&mut self) {
        self.daemon.pass(SignedDuration::from_mins(30)).await;
    }

    async fn shown(&mut self, id: &str) -> Value {
        self.daemon.get(&format!("/v1/callbacks/{id}")).await
    }

    async fn set_aside(&self) -> Vec<SetAsideId> {
        self.daemon.store.set_aside().await.unwrap().iter().map(|item| item.id).collect()
    }

    async fn retry(&mut self, id: SetAsideId) {
        self.daemon.post(&format!("/v1/set-aside/{id}/retry"), &json!({})).await;
        self.pass().await;
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_read_blocks_only_its_person() {
    let mut harness = Harness::begin().await;
    harness.no_that_is_damaged().await;
    let held = harness.daemon.order(CONSUMER, DEADLINE, &json!({})).await;
    let other = harness.daemon.order(OTHER, DEADLINE, &json!({})).await;
    harness.pass().await;
    assert_eq!(harness.shown(&held).await["reason"]["code"], "report.set_aside");
    assert_eq!(harness.shown(&other).await["outcome"], "reached");
    let listed = harness.daemon.get("/v1/set-aside").await;
    let [item] = &listed["set_aside"].as_array().unwrap()[..] else { panic!("one: {listed}") };
    assert_eq!((&item["item"], &item["kind"]), (&json!("report"), &json!("permission_reply")));
    assert_eq!(item["consumer"], CONSUMER);
    assert_eq!(harness.daemon.world().report().counts.permission_requests, 1);
    harness.daemon.restart().await.unwrap();
    harness.pass().await;
    assert_eq!(harness.shown(&held).await["reason"]["code"], "report.set_aside");
}

#[tokio::test]
async fn an_unreadable_report_is_folded_after_a_retry_when_it_can_be_read() {
    let mut harness = Harness::begin().await;
    harness.no_that_is_damaged().await;
    let held = harness.daemon.order(CONSUMER, DEADLINE, &json!({})).await;
    harness.pass().await;
    let [first] = harness.set_aside().await[..] else { panic!("one") };
    harness.retry(first).await;
    let [second] = harness.set_aside().await[..] else { panic!("one") };
    assert_ne!(first, second, "it still cannot be read");
    harness.replace("perhaps", "rejected");
    harness.retry(second).await;
    assert!(harness.set_aside().await.is_empty());
    assert_eq!(harness.shown(&held).await["outcome"], "declined");
    assert_eq!(harness.daemon.world().report().counts.permission_requests, 0);
}
