//! What reports count of real calls: with the turn in which they end, late ones apart, and again by a recount.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::domain::reporting::{Calls, Counts, Family, Quarter};
use ringmaster::domain::{Attempt, CallProgress, Disposition, OrderKind, Outcome, Stage, Tenant};
use ringmaster::scheduler::told;
use ringmaster::simulation::Fixture;
use ringmaster::store::relational::SqlStore;
use ringmaster::store::{Batch, CellsWanted, LabelsWanted, ReportChange, Reporting as _, SumBy};
use serde_json::{Value, json};

use crate::harness::{CONSUMER, RecordingTransport, START, SimulatedDaemon, TestDaemon, message};
use crate::store::samples;

const NOW: SignedDuration = SignedDuration::ZERO;

/// A daemon whose call was answered.
struct AnsweredCall {
    daemon: TestDaemon,
    id: String,
    urls: String,
    sid: String,
}

impl AnsweredCall {
    async fn answered(more: Value) -> Self {
        let platform = Arc::new(RecordingTransport::default());
        let mut daemon = TestDaemon::open(platform.clone()).await;
        daemon.grant(CONSUMER).await;
        let mut order = message();
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let id = daemon.order(CONSUMER, order).await["id"].as_str().unwrap().to_owned();
        daemon.advance(NOW).await;
        daemon.advance(SignedDuration::from_secs(10)).await;
        let call = platform.calls().remove(0);
        let urls = call.form["Url"].split('#').next().unwrap().strip_suffix("document").unwrap().to_owned();
        let mut call = Self { daemon, id, urls, sid: call.sid };
        call.told("document", "in-progress", &[]).await;
        call
    }

    async fn told(&mut self, to: &str, status: &str, more: &[(&str, &str)]) {
        let account = self.daemon.account_sid().to_owned();
        let usual = [("CallSid", &*self.sid), ("AccountSid", &*account), ("CallStatus", status)];
        let form: Vec<(String, String)> =
            usual.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let url = format!("{}{to}", self.urls);
        assert!((200..300).contains(&self.daemon.hook(&url, &form).await), "{to}");
        self.daemon.advance(NOW).await;
    }

    /// The call is over in second 60, and lasted 50.
    async fn over(&mut self) {
        let end = [("Timestamp", "Mon, 23 Nov 2026 12:01:00 +0000"), ("CallDuration", "50")];
        self.told("status", "completed", &end).await;
    }

    /// An operator says that the consumer heard the message.
    async fn was_heard(&mut self) {
        let shown = self.daemon.get(&format!("/v1/callbacks/{}", self.id)).await;
        let attempt = shown["attempts"][0]["id"].as_str().unwrap().to_owned();
        let note = "the last URL is in the call's log";
        let said = json!({"outcome": "completed", "note": note});
        self.daemon.post(&format!("/v1/attempts/{attempt}/resolve"), said).await;
        self.daemon.advance(NOW).await;
    }

    async fn report(&mut self, path: &str) -> Value {
        self.daemon.get(&format!("/v1/reports/{path}")).await
    }
}

const DAY: &str = "from=2026-11-23&to=2026-11-23";

#[tokio::test]
async fn a_call_is_counted_when_it_is_over() {
    let mut call = AnsweredCall::answered(json!({"campaign": "spring", "agent": "client:ana"})).await;
    assert_eq!(call.report(&format!("outcomes?{DAY}")).await["total"]["placed"], 0, "it is in progress");
    call.told("action", "in-progress", &[]).await;
    call.over().await;
    let outcomes = call.report(&format!("outcomes?{DAY}&by=campaign")).await;
    let row = &outcomes["rows"][0];
    assert_eq!(
        (&row["campaign"], &row["placed"], &row["served"]),
        (&json!("spring"), &json!(1), &json!(1)),
        "{outcomes}"
    );
    assert_eq!((&row["abandoned"], &row["talk_mean_s"]), (&json!(0), &json!(50)), "{outcomes}");
    let attempts = call.report(&format!("attempts?{DAY}")).await;
    assert_eq!(
        attempts["rows"],
        json!([{"attempts": "1", "reached": 1, "percent": 100.0, "percent_so_far": 100.0}])
    );
    let agents = call.report(&format!("agents?{DAY}")).await;
    assert_eq!(
        (&agents["rows"][0]["agent"], &agents["total"]["busy_s"]),
        (&json!("client:ana"), &json!(50)),
        "{agents}"
    );
    let cost = call.report(&format!("cost?{DAY}&campaign=spring")).await;
    assert_eq!(
        (&cost["rows"][0]["country"], &cost["total"]["minutes"]),
        (&json!("+55"), &json!(1)),
        "{cost}"
    );
}

#[tokio::test]
async fn a_report_after_the_day_has_closed_is_a_correction() {
    let mut call = AnsweredCall::answered(json!({})).await;
    call.over().await;
    let outcomes = call.report(&format!("outcomes?{DAY}")).await;
    assert_eq!(
        (&outcomes["total"]["abandoned"], &outcomes["corrections"]),
        (&json!(1), &Value::Null),
        "{outcomes}"
    );
    let path = format!("/v1/callbacks/{}/cancel", call.id);
    call.daemon.post(&path, json!({})).await;
    // The day closes at the 26th, 00:00.
    call.daemon.advance_to("2026-11-26T00:00:00Z".parse().unwrap()).await;
    call.was_heard().await;
    let outcomes = call.report(&format!("outcomes?{DAY}")).await;
    let (total, corrections) = (&outcomes["total"], &outcomes["corrections"]);
    assert_eq!((&total["abandoned"], &total["served"]), (&json!(0), &json!(1)), "{outcomes}");
    assert_eq!((&corrections["abandoned"], &corrections["served"]), (&json!(-1), &json!(1)), "{outcomes}");
}

#[tokio::test]
async fn a_report_just_before_the_day_closes_is_none() {
    let mut call = AnsweredCall::answered(json!({})).await;
    call.over().await;
    let path = format!("/v1/callbacks/{}/cancel", call.id);
    call.daemon.post(&path, json!({})).await;
    call.daemon.advance_to("2026-11-25T23:59:59Z".parse().unwrap()).await;
    call.was_heard().await;
    let outcomes = call.report(&format!("outcomes?{DAY}")).await;
    assert_eq!(
        (&outcomes["total"]["served"], &outcomes["corrections"]),
        (&json!(1), &Value::Null),
        "{outcomes}"
    );
}

#[tokio::test]
async fn a_granted_request_is_in_the_funnel_and_the_time_to_the_ringing_is_counted() {
    let mut daemon = SimulatedDaemon::begin(&Fixture::default(), START).await;
    // The last digits say what a consumer does: grants and talks, refuses.
    for consumer in ["+5511987650101", "+5511987650102"] {
        daemon.order(consumer, "2026-11-27T12:00:00Z", &json!({"campaign": "spring"})).await;
    }
    daemon.pass(SignedDuration::from_hours(30)).await;
    let days = "from=2026-11-23&to=2026-11-25";
    let funnel = daemon.get(&format!("/v1/reports/permissions?{days}")).await;
    let total = &funnel["total"];
    assert_eq!(
        (&total["asked"], &total["answered"], &total["granted"]),
        (&json!(2), &json!(2), &json!(1)),
        "{funnel}"
    );
    assert_eq!((&total["called"], &total["connected"]), (&json!(1), &json!(1)), "{funnel}");
    let speed = daemon.get(&format!("/v1/reports/speed?{days}&campaign=spring")).await;
    assert_eq!(
        (&speed["rows"][0]["campaign"], &speed["total"]["rang"]),
        (&json!("spring"), &json!(1)),
        "{speed}"
    );
    assert!(speed["total"]["p50_s"].is_number(), "{speed}");
}

/// A call that ended so.
fn ended(n: u32, end: Disposition) -> Attempt {
    let mut attempt = samples::attempt(n);
    attempt.submission.submit(samples::at(i64::from(n) * 400));
    attempt.submission.stage = Stage::Accepted;
    attempt.first_leg = CallProgress::Ended(end);
    attempt.ended_at = Some(samples::at(i64::from(n) * 400 + 30));
    attempt.duration_s = Some(30);
    attempt
}

async fn placed(store: &SqlStore, label: &str) -> i64 {
    let wanted = CellsWanted {
        tenant: Tenant::default(),
        family: Family::Campaign,
        labels: LabelsWanted::Of(label.to_owned()),
        quarters: Quarter(i64::MIN)..Quarter(i64::MAX),
        by: SumBy::Label,
    };
    let read = store.cells(wanted).await.unwrap();
    read.sums.iter().map(|sum: &ringmaster::store::CellSum| sum.all[Calls::PLACED]).sum()
}

#[tokio::test]
async fn a_recount_finds_what_was_never_counted_and_then_nothing_more() {
    let store = SqlStore::in_memory().unwrap();
    let ends = [Disposition::NoAnswer, Disposition::Busy, Disposition::Failed, Disposition::Completed];
    let mut orders = Vec::new();
    for n in 1..=40_u32 {
        let mut callback = samples::callback(n);
        callback.order.campaign = Some(if n % 2 == 0 { "spring" } else { "autumn" }.to_owned());
        orders.push(callback);
    }
    samples::keep(&store, orders.clone()).await;
    let attempts = (1..=40_u32).map(|n| ended(n, ends[n as usize % 4])).collect();
    let callbacks = orders.into_iter().map(|mut callback| {
        (callback.version, callback.attempts_opened, callback.attempts_made) = (2, 1, 1);
        assert_eq!(callback.order.kind, OrderKind::Callback);
        callback.state = samples::closed(Outcome::Reached);
        callback
    });
    let callbacks = callbacks.collect();
    samples::record(&store, Batch { attempts, callbacks, ..Batch::default() }).await;
    assert!(!store.wrong_reports(told).await.unwrap().is_empty());
    let recounted = store.recount_reports(told).await.unwrap();
    assert!(recounted.changed > 0 && recounted.cells > 0);
    assert_eq!(store.wrong_reports(told).await.unwrap(), Vec::<String>::new());
    assert_eq!((placed(&store, "spring").await, placed(&store, "autumn").await), (20, 20));
    assert_eq!(store.recount_reports(told).await.unwrap().changed, 0);
    assert_eq!(placed(&store, "spring").await, 20, "nothing is counted twice");
}

#[tokio::test]
async fn a_recount_keeps_what_was_counted_late() {
    let store = SqlStore::in_memory().unwrap();
    samples::keep(&store, [samples::callback(1)]).await;
    let attempts = vec![ended(1, Disposition::Busy)];
    let mut callback = samples::next(&samples::callback(1), samples::waiting(9, None));
    callback.attempts_opened = 1;
    samples::record(&store, Batch { attempts, callbacks: vec![callback], ..Batch::default() }).await;
    store.recount_reports(told).await.unwrap();
    // What was counted once as no answer became busy after the day had closed.
    let late = {
        let mut reported = ReportChange::default();
        let mut counts = Counts::default();
        (counts[Calls::BUSY], counts[Calls::NO_ANSWER]) = (1, -1);
        let mut early = Counts::default();
        (early[Calls::BUSY], early[Calls::NO_ANSWER]) = (-1, 1);
        for (is_late, counts) in [(true, counts), (false, early)] {
            let key = ringmaster::domain::reporting::CellKey {
                tenant: Tenant::default(),
                family: Family::Sender,
                label: samples::sender(0).digits().to_string(),
                quarter: Quarter::of(samples::at(400)),
                is_late,
            };
            reported.cells.add(key, &counts);
        }
        reported
    };
    samples::record(&store, Batch { reported: late, ..Batch::default() }).await;
    assert_eq!(store.wrong_reports(told).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.recount_reports(told).await.unwrap().changed, 0);
    let wanted = CellsWanted {
        tenant: Tenant::default(),
        family: Family::Sender,
        labels: LabelsWanted::All,
        quarters: Quarter(i64::MIN)..Quarter(i64::MAX),
        by: SumBy::Quarter,
    };
    let sum = store.cells(wanted).await.unwrap().sums.remove(0);
    assert_eq!((sum.all[Calls::BUSY], sum.all[Calls::NO_ANSWER]), (1, 0));
    assert_eq!((sum.late[Calls::BUSY], sum.late[Calls::NO_ANSWER]), (1, -1));
}

#[test]
fn the_notes_of_csv_are_told_beside_it() {
    let (_sandbox, _daemon, program) = crate::registers::started();
    let told = program.run(&["report", "outcomes", "--format", "csv"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.out.starts_with("day,placed,") && !told.out.contains("not closed"), "{}", told.out);
    assert!(told.err.contains("The last days are not closed yet"), "{}", told.err);
    let told = program.run(&["report", "outcomes"]);
    assert!(told.out.contains("The last days are not closed yet") && told.err.is_empty(), "{}", told.err);
}
