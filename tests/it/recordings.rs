//! Recordings of calls: what is kept of them, and that they are deleted at the platform when their time is over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use ringmaster::domain::event::CallReport;
use ringmaster::domain::{AttemptId, CallProgress, Disposition, Event, Notice, RecordingReport};
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::{Value, json};

use crate::harness::{CONSUMER, RecordingTransport, TestDaemon, message};

const RECORDING: &str = "RE0123456789abcdef0123456789abcdef";
const OTHER: &str = "RE00000000000000000000000000000002";
const DAY: SignedDuration = SignedDuration::from_hours(24);
const NANO: SignedDuration = SignedDuration::from_nanos(1);

/// A platform that records which recordings it is asked to delete, and answers from a list; the last answer is repeated.
struct Keeper {
    platform: RecordingTransport,
    asked: Mutex<Vec<String>>,
    answers: Mutex<VecDeque<u16>>,
}

impl Keeper {
    fn that_answers<const N: usize>(answers: [u16; N]) -> Arc<Self> {
        let (platform, asked) = (RecordingTransport::default(), Mutex::default());
        Arc::new(Self { platform, asked, answers: Mutex::new(answers.into()) })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Keeper {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method != http::Method::DELETE || !request.url.contains("/Recordings/") {
            return self.platform.send(request).await;
        }
        let name = request.url.rsplit('/').next().unwrap().trim_end_matches(".json").to_owned();
        self.asked.lock().unwrap().push(name);
        let mut answers = self.answers.lock().unwrap();
        let status = if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() };
        Ok(Response::new(status.unwrap(), ""))
    }
}

/// A daemon with one call that is over, its callback and its attempt.
struct Called {
    daemon: TestDaemon,
    callback: String,
    attempt: AttemptId,
    call: String,
}

async fn called(platform: &Arc<Keeper>, days: Option<i64>) -> Called {
    let mut daemon = TestDaemon::configured(platform.clone(), |config| {
        config.recordings.keep = days.map(|days| DAY * i32::try_from(days).unwrap());
        config.recordings.notice = Notice::None;
        config.recordings.notices = [("message".to_owned(), Notice::Spoken)].into();
    })
    .await;
    daemon.grant(CONSUMER).await;
    let callback = daemon.order(CONSUMER, message()).await["id"].as_str().unwrap().to_owned();
    daemon.advance(SignedDuration::ZERO).await;
    daemon.advance(SignedDuration::from_secs(5)).await;
    let id = callback.parse().unwrap();
    let attempt = daemon.watch().callback(id).await.unwrap().unwrap().attempts.pop().unwrap();
    let call = attempt.submission.sid.clone().unwrap();
    let over = CallReport {
        attempt: attempt.id,
        sid: call.clone(),
        parent_sid: None,
        progress: CallProgress::Ended(Disposition::Completed),
        at: None,
        duration_s: Some(60),
        sip_code: None,
        error_code: None,
    };
    daemon.file(vec![Event::Call(over)]).await;
    Called { daemon, callback, attempt: attempt.id, call }
}

impl Called {
    fn report(&self, sid: &str, is_absent: bool) -> Event {
        let (attempt, call_sid) = (self.attempt, self.call.clone());
        Event::Recorded(RecordingReport {
            attempt,
            call_sid,
            sid: sid.to_owned(),
            duration_s: Some(42),
            is_absent,
        })
    }

    async fn recorded(&mut self, sid: &str, is_absent: bool) {
        let report = self.report(sid, is_absent);
        self.daemon.file(vec![report]).await;
    }

    async fn shown(&mut self) -> Value {
        let record = self.daemon.get(&format!("/v1/callbacks/{}", self.callback)).await;
        record["attempts"][0]["recordings"].clone()
    }

    async fn codes(&mut self) -> Vec<String> {
        let timeline = self.daemon.get(&format!("/v1/callbacks/{}/timeline", self.callback)).await;
        let what = |entry: &Value| entry["what"].as_str().map(str::to_owned);
        let all = timeline["entries"].as_array().unwrap().iter().filter_map(what);
        all.filter(|what| what.starts_with("recording.")).collect()
    }
}

#[tokio::test]
async fn an_attempt_shows_its_recording_with_a_link_made_of_the_account_and_the_sid() {
    let platform = Keeper::that_answers([204]);
    let mut called = called(&platform, Some(30)).await;
    let told_at = called.daemon.now();
    called.recorded(RECORDING, false).await;
    let shown = called.shown().await;
    let account = called.daemon.account_sid().to_owned();
    let link = shown[0]["link"].as_str().unwrap();
    assert!(link.ends_with(&format!("/2010-04-01/Accounts/{account}/Recordings/{RECORDING}")), "{link}");
    let (state, notice, seconds) = (&shown[0]["state"], &shown[0]["notice"], &shown[0]["duration_s"]);
    assert_eq!((state, notice, seconds), (&json!("kept"), &json!("spoken"), &json!(42)));
    assert_eq!(shown[0]["delete_at"], json!((told_at + DAY * 30).to_string()));
    assert_eq!(called.codes().await, ["recording.kept"]);
}

#[tokio::test]
async fn a_recording_is_deleted_at_its_date_and_not_before() {
    let platform = Keeper::that_answers([204]);
    let mut called = called(&platform, Some(2)).await;
    let told_at = called.daemon.now();
    called.recorded(RECORDING, false).await;
    called.daemon.advance_to(told_at + DAY * 2 - SignedDuration::from_micros(1)).await;
    assert_eq!(platform.asked(), [""; 0]);
    called.daemon.advance_to(told_at + DAY * 2).await;
    assert_eq!(platform.asked(), [RECORDING]);
    let shown = called.shown().await;
    assert_eq!(
        (&shown[0]["state"], &shown[0]["deleted_at"]),
        (&json!("deleted"), &json!((told_at + DAY * 2).to_string()))
    );
    called.daemon.advance(DAY).await;
    assert_eq!(platform.asked().len(), 1, "once");
    assert_eq!(called.codes().await, ["recording.kept", "recording.deleted"]);
}

#[tokio::test]
async fn without_a_time_it_is_kept() {
    let platform = Keeper::that_answers([204]);
    let mut called = called(&platform, None).await;
    called.recorded(RECORDING, false).await;
    called.daemon.advance(DAY * 400).await;
    assert_eq!(platform.asked(), [""; 0]);
    let shown = called.shown().await;
    assert_eq!((&shown[0]["state"], shown[0].get("delete_at")), (&json!("kept"), None));
}

#[tokio::test]
async fn an_absent_recording_and_one_that_is_gone_already_are_no_fault() {
    let platform = Keeper::that_answers([404]);
    let mut called = called(&platform, Some(1)).await;
    called.recorded(OTHER, true).await;
    called.recorded(RECORDING, false).await;
    called.recorded(RECORDING, false).await;
    called.daemon.advance(DAY).await;
    assert_eq!(platform.asked(), [RECORDING], "what is absent is not asked for");
    let shown = called.shown().await;
    let states: Vec<&Value> = shown.as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["absent", "deleted"]);
    assert_eq!(called.codes().await, ["recording.absent", "recording.kept", "recording.deleted"]);
}

#[tokio::test]
async fn a_recording_of_an_unknown_call_changes_nothing() {
    let platform = Keeper::that_answers([204]);
    let mut called = called(&platform, Some(1)).await;
    let Event::Recorded(report) = called.report(RECORDING, false) else { unreachable!() };
    let unknown = RecordingReport { attempt: AttemptId::new(uuid::Uuid::from_u128(77)), ..report };
    called.daemon.file(vec![Event::Recorded(unknown)]).await;
    called.daemon.advance(DAY * 2).await;
    assert_eq!((platform.asked().len(), called.shown().await), (0, Value::Null));
}

#[tokio::test]
async fn a_failed_deletion_is_repeated_also_after_a_restart_and_a_refused_one_is_not() {
    let platform = Keeper::that_answers([503, 503, 400]);
    let mut called = called(&platform, Some(1)).await;
    called.recorded(RECORDING, false).await;
    called.daemon.advance(DAY).await;
    assert_eq!(platform.asked().len(), 1);
    called.daemon.advance(SignedDuration::from_mins(1) - NANO).await;
    assert_eq!(platform.asked().len(), 1);
    called.daemon.advance(NANO).await;
    assert_eq!(platform.asked().len(), 2);
    called.daemon = called.daemon.restart(platform.clone()).await;
    called.daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.asked().len(), 2, "a restart adds no try");
    called.daemon.advance(SignedDuration::from_mins(5)).await;
    assert_eq!(platform.asked().len(), 3);
    assert_eq!(called.shown().await[0]["state"], "refused");
    called.daemon.advance(DAY * 3).await;
    assert_eq!(platform.asked().len(), 3);
    assert_eq!(called.codes().await, ["recording.kept", "recording.not_deleted"]);
}

#[tokio::test]
async fn an_erased_person_has_no_link_and_a_late_recording_of_theirs_is_deleted_at_once() {
    let platform = Keeper::that_answers([204]);
    let mut called = called(&platform, Some(30)).await;
    called.recorded(RECORDING, false).await;
    let erase = json!({"consumer": CONSUMER, "why": "a request by mail"});
    let (status, answer) = called.daemon.post_as_admin("/v1/consumers/erase", erase).await;
    assert_eq!(status, 202, "{answer}");
    for _ in 0..5 {
        called.daemon.advance(SignedDuration::from_secs(2)).await;
    }
    assert_eq!(called.shown().await, Value::Null, "nothing of a recording is left");
    called.recorded(OTHER, false).await;
    called.daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.asked(), [OTHER]);
    let shown = called.shown().await;
    assert_eq!((&shown[0]["state"], shown[0].get("link")), (&json!("deleted"), None));
}
