//! Erasure: what is open of a person ends, nothing in the file tells who it was, and nothing comes back for long.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use jiff::SignedDuration;
use ringmaster::config::Secret;
use ringmaster::domain::event::{CallReport, SuppressionAdded, Word};
use ringmaster::domain::{CallProgress, Callback, Disposition, Event, Named, Phone, State};
use ringmaster::store::relational::SqlStore;
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{RecordingTransport, SENDER, TestDaemon, message};

const PERSON: &str = "+5511987650077";
const OTHER: &str = "+5511987650078";
const USER: &str = "BR.70077abc";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A daemon on a file, in which both consumers have allowed calls.
async fn daemon() -> (TestDaemon, Arc<RecordingTransport>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqlStore::open_inline(&dir.path().join("ringmaster.db")).unwrap());
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::on_store(store, notes.clone()).await;
    for consumer in [PERSON, OTHER] {
        daemon.grant(consumer).await;
    }
    (daemon, notes, dir)
}

async fn erase(daemon: &mut TestDaemon, more: Value) -> Value {
    let mut order = json!({"why": "a request by mail"});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, answer) = daemon.post_as_admin("/v1/consumers/erase", order).await;
    assert_eq!(status, 202, "{answer}");
    answer
}

async fn shown(daemon: &mut TestDaemon, erasure: &Value) -> Value {
    daemon.get(&format!("/v1/erasures/{}", erasure["id"].as_str().unwrap())).await
}

/// A callback that waits until tomorrow.
async fn tomorrow(daemon: &mut TestDaemon, consumer: &str, more: Value) -> Value {
    let mut order = message();
    for (field, hours) in [("earliest", 24), ("latest", 48)] {
        order[field] = (daemon.now() + HOUR * hours).to_string().into();
    }
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    daemon.order(consumer, order).await
}

async fn stored(daemon: &mut TestDaemon, answer: &Value) -> Callback {
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    daemon.watch().callback(id).await.unwrap().unwrap().callback
}

async fn closed(daemon: &mut TestDaemon, answer: &Value) -> Option<(&'static str, String)> {
    match stored(daemon, answer).await.state {
        State::Closed(closed) => Some((closed.outcome.as_str(), closed.note.code.to_string())),
        _ => None,
    }
}

fn canceled() -> Option<(&'static str, String)> {
    Some(("canceled", "consumer.erased".to_owned()))
}

/// The call of the newest attempt of a callback comes to this.
async fn comes_to(daemon: &mut TestDaemon, answer: &Value, progress: CallProgress) {
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    let attempt = daemon.watch().callback(id).await.unwrap().unwrap().attempts.pop().unwrap();
    let (sid, at) = (attempt.submission.sid.unwrap(), Some(daemon.now()));
    let report = CallReport {
        attempt: attempt.id,
        sid,
        parent_sid: None,
        progress,
        at,
        duration_s: None,
        sip_code: None,
        error_code: None,
    };
    daemon.file(vec![Event::Call(report)]).await;
}

fn person() -> Phone {
    Phone::parse(PERSON).unwrap()
}

fn wrote(who: Named, word: Option<Word>) -> Event {
    Event::InboundMessage { sender: Phone::parse(SENDER).unwrap(), who, word, wrote_at: None }
}

/// Which of the needles are in the files of the store.
fn found(dir: &Path, needles: &[(&'static str, Vec<u8>)]) -> Vec<&'static str> {
    let files = std::fs::read_dir(dir).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let bytes: Vec<u8> = files.flatten().collect();
    let is_in = |needle: &[u8]| memchr::memmem::find(&bytes, needle).is_some();
    needles.iter().filter(|(_, needle)| is_in(needle)).map(|(name, _)| *name).collect()
}

/// A number as the file has it: as text, and as an integer of 48 bits in either order of its bytes.
fn spelled(name: [&'static str; 3], number: &str) -> Vec<(&'static str, Vec<u8>)> {
    let digits = Phone::parse(number).unwrap().digits();
    let (big, little) = (digits.to_be_bytes(), digits.to_le_bytes());
    vec![
        (name[0], digits.to_string().into_bytes()),
        (name[1], big[2..].to_vec()),
        (name[2], little[..6].to_vec()),
    ]
}

fn needles() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = spelled(["text", "big", "little"], PERSON);
    for (name, text) in [
        ("user id", USER),
        ("variable", "Ana Marcadora"),
        ("metadata", "ticket-of-ana"),
        ("reference", "ref-of-ana"),
        ("consent", "form-of-ana"),
        ("key", "key-of-ana"),
        ("reason", "ana asked for later"),
        ("note", "asks for the blue boat"),
        ("agent", "agent-of-the-boat"),
    ] {
        all.push((name, text.as_bytes().to_vec()));
    }
    all
}

/// A life of the person in every table that can name one.
async fn live(daemon: &mut TestDaemon) -> [Value; 2] {
    let called = daemon.order(PERSON, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    for progress in
        [CallProgress::Ringing, CallProgress::InProgress, CallProgress::Ended(Disposition::Completed)]
    {
        comes_to(daemon, &called, progress).await;
    }
    let details = json!({
        "variables": {"message": "Hello Ana Marcadora"}, "metadata": {"ticket": "ticket-of-ana"},
        "reference": "ref-of-ana", "purpose": "marketing",
        "consent": {"source": "form-of-ana", "at": "2026-11-01T12:00:00Z"},
    });
    let waiting = tomorrow(daemon, PERSON, details).await;
    let id = waiting["id"].as_str().unwrap();
    let earliest = (daemon.now() + HOUR * 30).to_string();
    let reschedule = json!({"earliest": earliest, "reason": "ana asked for later"});
    daemon.post(&format!("/v1/callbacks/{id}/reschedule"), reschedule).await;
    let who = Named { number: Some(person()), user_id: Some(USER.parse().unwrap()) };
    daemon.file(vec![wrote(who, None)]).await;
    let pause = json!({"scope": "person", "consumer": PERSON, "why": "she is ill"});
    let (status, answer) = daemon.try_post("/v1/pauses", pause).await;
    assert!(status == 200, "{answer}");
    tomorrow(daemon, OTHER, json!({"metadata": {"ticket": "ticket-of-bob"}})).await;
    let said = json!({"disposition": "done", "note": "asks for the blue boat", "agent": "agent-of-the-boat"});
    let path = format!("/v1/callbacks/{}/wrap-up", called["id"].as_str().unwrap());
    daemon.post(&path, said).await;
    [called, waiting]
}

#[tokio::test]
async fn nothing_in_the_file_tells_who_an_erased_person_was() {
    let (mut daemon, _, dir) = daemon().await;
    let [called, waiting] = live(&mut daemon).await;
    let before = daemon.watch().census().await.unwrap();
    let needles = needles();
    let theirs = found(dir.path(), &needles);
    for name in
        ["text", "big", "user id", "variable", "metadata", "reference", "consent", "reason", "note", "agent"]
    {
        assert!(theirs.contains(&name), "the test would not find the {name}: {theirs:?}");
    }
    let erasure = erase(&mut daemon, json!({"consumer": PERSON})).await;
    daemon.advance(SignedDuration::ZERO).await;
    let done = shown(&mut daemon, &erasure).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(found(dir.path(), &needles), Vec::<&str>::new());
    assert_eq!((&done["erased"]["orders"], &done["erased"]["attempts"]), (&json!(2), &json!(1)), "{done}");
    assert!(done["erased"]["reports"].as_u64() >= Some(3), "{done}");
    let held = &done["held_elsewhere"];
    let sid =
        daemon.watch().callback(called["id"].as_str().unwrap().parse().unwrap()).await.unwrap().unwrap();
    let sid = sid.attempts[0].submission.sid.clone().unwrap();
    assert_eq!((&held["total"], &held["items"][0]["sid"]), (&json!(1), &json!(sid)), "{done}");
    assert_eq!(held["items"][0]["kind"], "call");
    assert_eq!(closed(&mut daemon, &waiting).await, canceled());
    let kept = stored(&mut daemon, &called).await;
    assert_eq!(kept.order.consumer.e164(), done["pseudonym"].as_str().unwrap());
    let after = daemon.watch().census().await.unwrap();
    assert_eq!(
        before.waiting + before.calling + before.closed.iter().sum::<u64>(),
        after.waiting + after.calling + after.closed.iter().sum::<u64>()
    );
    let others = spelled(["text of the other", "big", "little"], OTHER);
    assert!(found(dir.path(), &others).contains(&"text of the other"));
    assert_eq!(found(dir.path(), &[("ticket", b"ticket-of-bob".to_vec())]), ["ticket"]);
    let shown = daemon.post("/v1/consumers/export", json!({"consumer": PERSON})).await;
    assert_eq!((&shown["orders"], &shown["permissions"]), (&json!([]), &json!([])), "{shown}");
    assert_eq!(shown["suppression"][0]["list"], "erased");
}

#[tokio::test]
async fn webhooks_about_an_erased_person_lose_the_number() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(platform, |config| {
        config.webhooks.url = Some("http://127.0.0.1:9/hook".parse().unwrap());
        config.webhooks.secret = Some(Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        config.webhooks.allow = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    daemon.grant(PERSON).await;
    let told = async |daemon: &TestDaemon| -> Vec<Value> {
        let now = daemon.now();
        let due = daemon.watch().claim_deliveries(now, now, 100).await.unwrap();
        due.iter().map(|delivery| serde_json::from_str(&delivery.row.payload).unwrap()).collect()
    };
    let before = told(&daemon).await;
    assert_eq!(
        (&before[0]["type"], &before[0]["data"]["consumer"]),
        (&json!("permission.granted"), &json!(PERSON))
    );
    let erasure = erase(&mut daemon, json!({"consumer": PERSON})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(shown(&mut daemon, &erasure).await["state"], "done");
    let after = told(&daemon).await;
    assert_eq!(after.len(), before.len());
    assert_eq!(after[0]["data"].get("consumer"), None, "{after:?}");
}

#[tokio::test]
async fn a_call_in_progress_is_hung_up_and_the_erasure_waits_for_its_end() {
    let (mut daemon, notes, dir) = daemon().await;
    let calling = daemon.order(PERSON, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    comes_to(&mut daemon, &calling, CallProgress::Ringing).await;
    let erasure = erase(&mut daemon, json!({"consumer": PERSON})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(notes.hang_ups(), 1);
    let waits = shown(&mut daemon, &erasure).await;
    assert_eq!((&waits["state"], &waits["waits_for"]), (&json!("closing"), &json!(1)), "{waits}");
    comes_to(&mut daemon, &calling, CallProgress::Ended(Disposition::Canceled)).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(shown(&mut daemon, &erasure).await["state"], "done");
    assert_eq!(closed(&mut daemon, &calling).await, canceled());
    assert_eq!(notes.hang_ups(), 1, "the hang-up is asked for once");
    assert_eq!(found(dir.path(), &needles()), Vec::<&str>::new());
    // A late repetition about the call names nobody.
    comes_to(&mut daemon, &calling, CallProgress::Ended(Disposition::Completed)).await;
    assert_eq!(found(dir.path(), &needles()), Vec::<&str>::new());
}

#[tokio::test]
async fn what_comes_later_is_let_go_and_start_ends_nothing() {
    let (mut daemon, notes, dir) = daemon().await;
    let who = Named { number: Some(person()), user_id: Some(USER.parse().unwrap()) };
    daemon.file(vec![wrote(who.clone(), None)]).await;
    erase(&mut daemon, json!({"consumer": PERSON})).await;
    daemon.advance(SignedDuration::ZERO).await;
    let alone = Named { number: None, ..who.clone() };
    daemon.file(vec![wrote(who, Some(Word::Start)), wrote(alone, Some(Word::Start))]).await;
    assert_eq!(daemon.watch().unmatched_reports(9).await.unwrap(), [], "an id alone is known too");
    daemon.advance(SignedDuration::from_secs(59)).await;
    let places = found(dir.path(), &needles());
    assert!(!places.is_empty(), "the log has the reports until it is emptied, or the test would not see it");
    daemon.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(found(dir.path(), &needles()), Vec::<&str>::new());
    let mut order = message();
    for (field, value) in [("consumer", PERSON), ("sender", SENDER), ("latest", "2026-11-30T12:00:00Z")] {
        order[field] = value.into();
    }
    let (status, refused) = daemon.try_post("/v1/callbacks", order).await;
    assert_eq!((status, &refused["code"]), (409, &json!("consumer.suppressed")), "{refused}");
    let grant = json!({"consumer": PERSON, "sender": SENDER, "kind": "permanent", "reason": "on paper"});
    let (status, refused) = daemon.try_post("/v1/permissions/grant", grant).await;
    assert_eq!((status, &refused["code"]), (409, &json!("permission.refused")), "{refused}");
    let remove = json!({"consumer": PERSON, "list": "erased", "why": "a mistake"});
    assert_eq!(daemon.try_post("/v1/suppression/remove", remove).await.1["code"], "suppression.erased");
    assert!(notes.calls().is_empty());
}

#[tokio::test]
async fn a_restart_goes_on_with_an_erasure() {
    let (mut daemon, _, dir) = daemon().await;
    let calling = daemon.order(PERSON, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    comes_to(&mut daemon, &calling, CallProgress::Ringing).await;
    let erasure = erase(&mut daemon, json!({"consumer": PERSON})).await;
    let mut daemon = daemon.restart(Arc::new(RecordingTransport::default())).await;
    comes_to(&mut daemon, &calling, CallProgress::Ended(Disposition::NoAnswer)).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(shown(&mut daemon, &erasure).await["state"], "done");
    assert_eq!(closed(&mut daemon, &calling).await, canceled());
    assert_eq!(found(dir.path(), &needles()), Vec::<&str>::new());
    let mut daemon = daemon.restart(Arc::new(RecordingTransport::default())).await;
    daemon.file(vec![wrote(Named::number(person()), None)]).await;
    daemon.advance(HOUR).await;
    assert_eq!(found(dir.path(), &needles()), Vec::<&str>::new());
}

#[tokio::test]
async fn every_order_of_a_person_with_many_is_erased() {
    let (mut daemon, _, dir) = daemon().await;
    let mut last = Value::Null;
    for n in 0..205 {
        last = tomorrow(&mut daemon, PERSON, json!({"reference": format!("ref-of-ana-{n}")})).await;
    }
    let erasure = erase(&mut daemon, json!({"consumer": PERSON})).await;
    daemon.advance(SignedDuration::ZERO).await;
    let done = shown(&mut daemon, &erasure).await;
    assert_eq!((&done["state"], &done["erased"]["orders"]), (&json!("done"), &json!(205)), "{done}");
    assert_eq!(closed(&mut daemon, &last).await, canceled());
    assert_eq!(found(dir.path(), &needles()), Vec::<&str>::new());
}

#[tokio::test]
async fn a_person_is_erased_by_the_user_id_and_in_every_spelling() {
    let (mut daemon, _, dir) = daemon().await;
    let (old, today) = ("+553187650144", "+5531987650144");
    daemon.grant(old).await;
    let user: Named =
        Named { number: Some(Phone::parse(old).unwrap()), user_id: Some("BR.spelled1".parse().unwrap()) };
    daemon.file(vec![wrote(user, None)]).await;
    let waiting = tomorrow(&mut daemon, today, json!({})).await;
    erase(&mut daemon, json!({"user_id": "BR.spelled1"})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(closed(&mut daemon, &waiting).await, canceled());
    let mut all = spelled(["old", "old big", "old little"], old);
    all.extend(spelled(["today", "today big", "today little"], today));
    all.push(("user id", b"BR.spelled1".to_vec()));
    assert_eq!(found(dir.path(), &all), Vec::<&str>::new());
}

#[tokio::test]
async fn an_erasure_needs_its_scope_a_person_and_a_reason_without_a_name() {
    let (mut daemon, _, _dir) = daemon().await;
    let usual = daemon.try_post("/v1/consumers/erase", json!({"consumer": PERSON, "why": "asked"})).await;
    assert_eq!((usual.0, &usual.1["code"]), (403, &json!("auth.scope")));
    for (order, field) in [
        (json!({"consumer": PERSON}), "why"),
        (json!({"why": "asked"}), "consumer"),
        (json!({"consumer": "5", "why": "asked"}), "consumer"),
        (json!({"user_id": USER, "why": format!("{USER} asked")}), "why"),
        (json!({"consumer": PERSON, "user_id": USER, "why": "asked"}), "user_id"),
    ] {
        let (status, answer) = daemon.post_as_admin("/v1/consumers/erase", order.clone()).await;
        assert_eq!((status, &answer["code"]), (422, &json!("consumer.invalid")), "{order}: {answer}");
        assert_eq!(answer["errors"][0]["field"], field, "{order}: {answer}");
        assert!(!answer.to_string().contains("987650077"), "{answer}");
    }
    let lists = daemon.get("/v1/suppression/lists").await;
    assert!(!lists.to_string().contains("erased"), "nothing was half done: {lists}");
    let (status, answer) = daemon
        .post_as_admin("/v1/consumers/erase", json!({"consumer": "+5511987650999", "why": "asked"}))
        .await;
    assert_eq!(status, 202, "somebody without a record is suppressed too: {answer}");
    let (status, answer) = daemon.ask_for("/v1/erasures/er_00000000000000000000000000000001").await;
    assert_eq!((status, &answer["code"]), (404, &json!("erasure.not_found")));
}

#[tokio::test]
async fn a_command_that_named_the_person_loses_its_text() {
    let (mut daemon, _, dir) = daemon().await;
    daemon.post("/v1/suppression", json!({"consumers": [PERSON], "why": "ref-of-ana wrote"})).await;
    let event = Event::Suppressed(SuppressionAdded {
        list: "house".parse().unwrap(),
        list_id: 1,
        entries: 0,
        consumers: vec![person()],
        waiting: Vec::new(),
        is_cut: false,
        by: "test".into(),
    });
    daemon.file(vec![event]).await;
    erase(&mut daemon, json!({"consumer": PERSON})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(found(dir.path(), &needles()), Vec::<&str>::new());
    let found = daemon.post("/v1/suppression/check", json!({"consumer": PERSON})).await;
    let lists: Vec<&str> =
        found["entries"].as_array().unwrap().iter().filter_map(|entry| entry["list"].as_str()).collect();
    assert!(lists.contains(&"house") && lists.contains(&"erased"), "{found}");
}

const RECORDING: &str = "RE0123456789abcdef0123456789abcdef";

/// A platform that answers requests to delete from a list, and repeats the last answer. The call has one recording.
struct Deleting {
    inner: RecordingTransport,
    answers: Mutex<VecDeque<u16>>,
    asked: Mutex<Vec<String>>,
}

impl Deleting {
    fn that_answers<const N: usize>(answers: [u16; N]) -> Arc<Self> {
        let (answers, asked) = (Mutex::new(answers.into()), Mutex::default());
        Arc::new(Self { inner: RecordingTransport::default(), answers, asked })
    }

    /// The resources that were to be deleted, in order.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Deleting {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method == http::Method::GET && request.url.contains("/Recordings.json?CallSid=CA") {
            let page = json!({"recordings": [{"sid": RECORDING}], "next_page_uri": null});
            return Ok(Response::new(200, page.to_string()));
        }
        if request.method != http::Method::DELETE {
            return self.inner.send(request).await;
        }
        let resource = request.url.rsplit('/').take(2).collect::<Vec<_>>();
        self.asked.lock().unwrap().push(format!("{}/{}", resource[1], resource[0]));
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() };
        Ok(Response::new(answer.unwrap(), ""))
    }
}

/// A daemon that has called the person and erases the data, and the erasure.
async fn erasing(platform: &Arc<Deleting>) -> (TestDaemon, Value, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqlStore::open_inline(&dir.path().join("ringmaster.db")).unwrap());
    let mut daemon = TestDaemon::on_store(store, platform.clone()).await;
    daemon.grant(PERSON).await;
    let called = daemon.order(PERSON, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    comes_to(&mut daemon, &called, CallProgress::Ended(Disposition::NoAnswer)).await;
    let erasure = erase(&mut daemon, json!({"consumer": PERSON})).await;
    daemon.advance(SignedDuration::ZERO).await;
    (daemon, erasure, dir)
}

async fn state_and_item(daemon: &mut TestDaemon, erasure: &Value) -> (String, String) {
    let shown = shown(daemon, erasure).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&shown["state"]), text(&shown["held_elsewhere"]["items"][0]["state"]))
}

fn both(state: &str, item: &str) -> (String, String) {
    (state.to_owned(), item.to_owned())
}

#[tokio::test]
async fn the_platform_is_asked_to_delete_the_recordings_and_then_the_call() {
    let platform = Deleting::that_answers([204]);
    let (mut daemon, erasure, _dir) = erasing(&platform).await;
    let call = format!("Calls/CA{:032x}.json", 1);
    assert_eq!(platform.asked(), [format!("Recordings/{RECORDING}.json"), call]);
    assert_eq!(state_and_item(&mut daemon, &erasure).await, both("done", "deleted"));
    daemon.advance(HOUR * 48).await;
    assert_eq!(platform.asked().len(), 2, "it is asked once");
}

#[tokio::test]
async fn what_the_platform_does_not_have_counts_as_deleted_and_a_refusal_is_told() {
    for (answer, item) in [(404, "deleted"), (400, "refused"), (409, "refused")] {
        let platform = Deleting::that_answers([answer]);
        let (mut daemon, erasure, _dir) = erasing(&platform).await;
        assert_eq!(state_and_item(&mut daemon, &erasure).await, both("done", item), "{answer}");
    }
}

#[tokio::test]
async fn a_request_to_delete_without_an_answer_is_repeated_for_two_days_and_then_told() {
    let platform = Deleting::that_answers([503]);
    let (mut daemon, erasure, _dir) = erasing(&platform).await;
    let mut asked = 1;
    for minutes in [1, 5, 15, 60, 180, 360, 720, 1_440] {
        let wait = SignedDuration::from_mins(minutes);
        assert_eq!(state_and_item(&mut daemon, &erasure).await, both("deleting", "held"));
        daemon.advance(wait - SignedDuration::from_secs(1)).await;
        assert_eq!(platform.asked().len(), asked, "{minutes}");
        daemon.advance(SignedDuration::from_secs(1)).await;
        asked += 1;
        assert_eq!(platform.asked().len(), asked, "{minutes}");
    }
    assert_eq!(state_and_item(&mut daemon, &erasure).await, both("done", "refused"));
}

#[tokio::test]
async fn a_restart_goes_on_asking_the_platform_to_delete() {
    let platform = Deleting::that_answers([503, 204]);
    let (daemon, erasure, _dir) = erasing(&platform).await;
    let mut daemon = daemon.restart(platform.clone()).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(
        (platform.asked().len(), state_and_item(&mut daemon, &erasure).await.0),
        (1, "deleting".into())
    );
    daemon.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(state_and_item(&mut daemon, &erasure).await, both("done", "deleted"));
}
