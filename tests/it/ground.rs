//! Every request that is sent still has its ground. Each kind of request is delayed by two minutes, and each ground is
//! taken away in that time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::event::{PermissionAnswer, PermissionReply};
use ringmaster::domain::{CallbackId, MessagePurpose, Named, Numbers, PairKey, Phone, Stage};
use ringmaster::domain::{Event, Message};
use ringmaster::sim::world::{Answer, Faults, Stop};
use ringmaster::simulation::{Fixture, Mutation, SENDERS, fixture};
use ringmaster::store::{Batch, Report, Result, Store};
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::{CONSUMER, SimulatedDaemon};

/// Five minutes before the hours end.
const START: &str = "2026-11-23T17:55:00Z";
const HOURS: &str = "daily 09:00-18:00 @UTC";
const TWO_MINUTES: SignedDuration = SignedDuration::from_mins(2);

/// A transport that delays creates and changes until it is opened.
struct Road {
    closed: watch::Sender<bool>,
    /// Whether the daemon checks the ground again before the first byte.
    looks: bool,
    hung_up: AtomicU64,
}

impl Road {
    fn closed(looks: bool) -> Arc<Self> {
        Arc::new(Self { closed: watch::Sender::new(true), looks, hung_up: AtomicU64::new(0) })
    }

    /// The number of requests to hang up that reached the platform.
    fn hung_up(&self) -> u64 {
        self.hung_up.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Mutation for Road {
    async fn send(
        &self,
        transport: &dyn Transport,
        mut request: Request,
    ) -> std::result::Result<Response, TransportError> {
        if request.method == http::Method::POST {
            self.closed.subscribe().wait_for(|closed| !closed).await.unwrap();
            if !self.looks {
                request.leave_by = None;
            }
        }
        let hangs_up = request.url.contains("/Calls/CA");
        let answer = transport.send(request).await;
        if hangs_up && answer.is_ok() {
            self.hung_up.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }
}

/// The request that is delayed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Leaving {
    Call,
    Request,
    Invite,
}

/// The event that takes its ground away.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Taken {
    Nothing,
    Yes,
    No,
    Cancel,
    HoursEnd,
    Deadline,
    ConsumerCalls,
    Pause,
    Suppression,
}

struct Play {
    daemon: SimulatedDaemon,
    id: Option<CallbackId>,
}

fn phone(number: &str) -> Phone {
    Phone::parse(number).unwrap()
}

fn numbers() -> Numbers {
    Numbers::of(phone(SENDERS[0]), phone(CONSUMER))
}

fn pair() -> PairKey {
    PairKey::of(phone(SENDERS[0]), phone(CONSUMER))
}

impl Play {
    async fn begin(with: &Fixture, mutation: Arc<dyn Mutation>) -> Self {
        Self::begin_set(with, mutation, |_| {}).await
    }

    async fn begin_set(
        with: &Fixture,
        mutation: Arc<dyn Mutation>,
        set: impl FnOnce(&mut ringmaster::config::Config),
    ) -> Self {
        let (mut config, setup) = fixture(with);
        set(&mut config);
        Self { daemon: SimulatedDaemon::begin_with(&config, setup, START, mutation).await, id: None }
    }

    async fn post(&mut self, path: &str, body: Value) {
        self.daemon.post(path, &body).await;
    }

    async fn order(&mut self, consumer: &str, more: Value) {
        let id = self.daemon.order(consumer, "2026-11-25T12:00:00Z", &more).await;
        self.id = id.parse().ok();
    }

    async fn pass(&mut self, time: SignedDuration) {
        self.daemon.pass(time).await;
    }

    /// Sends the delayed requests.
    async fn open(&mut self, road: &Road) {
        road.closed.send_replace(false);
        // Any request makes the daemon run its turns.
        let request = http::Request::get("/healthz").body(Body::empty()).unwrap();
        self.daemon.request(request).await.unwrap();
    }

    /// Lets the request be decided and committed; the transport delays it.
    async fn decide(&mut self, leaving: Leaving, taken: Taken) {
        if leaving != Leaving::Request {
            let now = self.daemon.now();
            self.daemon.world().consumer_answers(
                now,
                numbers().sender,
                numbers().consumer,
                Answer::AcceptPermanently,
            );
            self.pass(SignedDuration::from_secs(1)).await;
        }
        if leaving == Leaving::Invite {
            // A fourth miss in a row would revoke the permission, so the consumer is invited to call.
            let [mut ledger] = self.daemon.store.pairs(&[pair()]).await.unwrap().try_into().unwrap();
            (ledger.misses, ledger.version) = (3, ledger.version + 1);
            self.daemon.store.record(Batch { pairs: vec![ledger], ..Batch::default() }).await.unwrap();
        }
        let mut order = json!({});
        match taken {
            Taken::HoursEnd => order["hours"] = HOURS.into(),
            Taken::Deadline => order["latest"] = "2026-11-23T17:56:30Z".into(),
            _ => {}
        }
        self.order(CONSUMER, order).await;
        assert_eq!(self.left(), 0, "the transport delays it");
    }

    async fn take(&mut self, taken: Taken) {
        let now = self.daemon.now();
        let Numbers { sender, consumer } = numbers();
        match taken {
            Taken::Nothing | Taken::Deadline => {}
            Taken::HoursEnd => self.pass(SignedDuration::from_mins(4)).await,
            Taken::Yes => _ = self.daemon.world().consumer_answers(now, sender, consumer, Answer::Accept),
            Taken::No => _ = self.daemon.world().consumer_answers(now, sender, consumer, Answer::Reject),
            Taken::ConsumerCalls => _ = self.daemon.world().consumer_calls(now, sender, consumer),
            Taken::Pause => {
                self.post("/v1/pauses", json!({"scope": "all", "why": "a drill"})).await;
                let stop = Stop { from: now, until: None, senders: None, consumer: None };
                self.daemon.world().oracle_mut().paused("ps_1", stop);
            }
            Taken::Suppression => {
                self.post("/v1/suppression", json!({"why": "a drill", "consumers": [CONSUMER]})).await;
            }
            Taken::Cancel => {
                let path = format!("/v1/callbacks/{}/cancel", self.id.unwrap());
                self.post(&path, json!({})).await;
            }
        }
    }

    /// Permission requests, invites and calls that reached the platform.
    fn left(&self) -> u64 {
        let counts = self.daemon.world().report().counts;
        counts.permission_requests + counts.invites + counts.creates_accepted + counts.creates_refused
    }

    fn faults(&mut self) -> Vec<String> {
        self.daemon.faults()
    }

    async fn timeline(&self) -> Vec<String> {
        let entries = self.daemon.store.timeline(self.id.unwrap()).await.unwrap();
        entries.into_iter().map(|entry| format!("{} {}", entry.what, entry.why)).collect()
    }

    async fn messages(&self) -> Vec<Message> {
        self.daemon.store.callback(self.id.unwrap()).await.unwrap().unwrap().messages
    }
}

/// Delays a request by two minutes, in which its ground is taken away. Returns the timeline.
async fn delayed(leaving: Leaving, taken: Taken) -> Vec<String> {
    let road = Road::closed(true);
    let with = Fixture { invites: leaving == Leaving::Invite, ..Fixture::default() };
    let mut play = Play::begin(&with, road.clone()).await;
    play.decide(leaving, taken).await;
    play.pass(SignedDuration::from_secs(30)).await;
    play.take(taken).await;
    play.pass(TWO_MINUTES).await;
    play.open(&road).await;
    assert_eq!(play.left(), 0, "{leaving:?} was sent after {taken:?}: {:#?}", play.timeline().await);
    play.pass(SignedDuration::from_secs(5)).await;
    assert_eq!(play.faults(), Vec::<String>::new(), "{leaving:?} {taken:?}");
    let timeline = play.timeline().await;
    let withdrawn = match leaving {
        Leaving::Call => "attempt.withdrawn",
        Leaving::Request => "permission.request_withdrawn",
        Leaving::Invite => "invite.withdrawn",
    };
    assert!(timeline.iter().any(|line| line.starts_with(withdrawn)), "{leaving:?} {taken:?}: {timeline:#?}");
    timeline
}

#[tokio::test]
async fn a_delayed_request_is_decided_again_and_sent_once() {
    for leaving in [Leaving::Call, Leaving::Request, Leaving::Invite] {
        let timeline = delayed(leaving, Taken::Nothing).await;
        let again = match leaving {
            Leaving::Call => "attempt.accepted",
            Leaving::Request => "permission.requested",
            Leaving::Invite => "invite.sent",
        };
        let sent = timeline.iter().filter(|line| line.starts_with(again)).count();
        assert_eq!(sent, 1, "{timeline:#?}");
    }
}

#[tokio::test]
async fn no_delayed_call_is_sent_without_its_ground() {
    for taken in [
        Taken::No,
        Taken::Cancel,
        Taken::HoursEnd,
        Taken::Deadline,
        Taken::ConsumerCalls,
        Taken::Pause,
        Taken::Suppression,
    ] {
        let timeline = delayed(Leaving::Call, taken).await;
        assert!(
            !timeline.iter().any(|line| line.starts_with("attempt.accepted")),
            "{taken:?}: {timeline:#?}"
        );
    }
}

#[tokio::test]
async fn no_delayed_request_is_sent_without_its_ground() {
    for taken in [
        Taken::Yes,
        Taken::No,
        Taken::Cancel,
        Taken::HoursEnd,
        Taken::Deadline,
        Taken::Pause,
        Taken::Suppression,
    ] {
        let timeline = delayed(Leaving::Request, taken).await;
        let sent = timeline.iter().any(|line| line.starts_with("permission.requested"));
        assert!(!sent, "{taken:?}: {timeline:#?}");
    }
}

#[tokio::test]
async fn no_delayed_invite_is_sent_without_its_ground() {
    for taken in [Taken::Cancel, Taken::HoursEnd, Taken::Deadline, Taken::Pause, Taken::Suppression] {
        let timeline = delayed(Leaving::Invite, taken).await;
        assert!(!timeline.iter().any(|line| line.starts_with("invite.sent")), "{taken:?}: {timeline:#?}");
    }
}

/// A ringing call that is canceled while the transport delays requests, among them its hang-up.
async fn canceled(road: &Arc<Road>, consumer: &str) -> Play {
    road.closed.send_replace(false);
    let mut play = Play::begin(&Fixture::default(), road.clone()).await;
    let (now, sender) = (play.daemon.now(), pair().sender);
    play.daemon.world().consumer_answers(now, sender, phone(consumer), Answer::AcceptPermanently);
    play.pass(SignedDuration::from_secs(1)).await;
    play.order(consumer, json!({})).await;
    assert_eq!(play.left(), 1, "it rings");
    road.closed.send_replace(true);
    let path = format!("/v1/callbacks/{}/cancel", play.id.unwrap());
    play.post(&path, json!({})).await;
    assert_eq!(road.hung_up(), 0, "the transport delays it");
    play
}

/// Phones ring for longer than the transport delays requests.
const MISSES: &str = "+5511987650005";
/// Consumers answer within 20 seconds.
const TALKS: &str = "+5511987650001";

#[tokio::test]
async fn a_delayed_hang_up_is_sent_with_the_next_try() {
    let road = Road::closed(true);
    let mut play = canceled(&road, MISSES).await;
    play.pass(SignedDuration::from_secs(20)).await;
    play.open(&road).await;
    assert_eq!(road.hung_up(), 0, "it is too late for its first byte");
    // The next try is the one after 30 seconds.
    play.pass(SignedDuration::from_secs(9)).await;
    assert_eq!(road.hung_up(), 0);
    play.pass(SignedDuration::from_secs(2)).await;
    assert_eq!(road.hung_up(), 1);
    assert_eq!(play.faults(), Vec::<String>::new());
}

#[tokio::test]
async fn no_delayed_hang_up_is_sent_after_an_answer() {
    let road = Road::closed(true);
    let mut play = canceled(&road, TALKS).await;
    play.pass(SignedDuration::from_secs(25)).await;
    play.open(&road).await;
    play.pass(TWO_MINUTES).await;
    assert_eq!(road.hung_up(), 0);
    assert_eq!(play.faults(), Vec::<String>::new());
}

/// The faults of a daemon that sends delayed requests without a second check.
async fn unlooked(leaving: Leaving, taken: Taken) -> String {
    let road = Road::closed(false);
    let with = Fixture { invites: leaving == Leaving::Invite, ..Fixture::default() };
    let mut play = Play::begin(&with, road.clone()).await;
    play.decide(leaving, taken).await;
    let (opens_at, closes_at): (Timestamp, Timestamp) =
        (START.parse().unwrap(), "2026-11-23T18:00:00Z".parse().unwrap());
    let Numbers { sender, consumer } = numbers();
    play.daemon.world().oracle_mut().allow_messages(sender, consumer, opens_at, closes_at);
    if taken == Taken::HoursEnd {
        play.daemon.world().oracle_mut().allow(sender, consumer, opens_at, closes_at);
    }
    play.take(taken).await;
    play.pass(TWO_MINUTES).await;
    play.open(&road).await;
    play.pass(SignedDuration::from_secs(5)).await;
    play.faults().join("\n")
}

#[tokio::test]
async fn a_daemon_without_the_second_check_is_found() {
    const LATE: &str = "later than a quarter of a second";
    for (leaving, taken, law) in [
        (Leaving::Request, Taken::Nothing, LATE),
        (Leaving::Request, Taken::Yes, "RequestAfterAnswer"),
        (Leaving::Request, Taken::No, "RequestAfterAnswer"),
        (Leaving::Request, Taken::HoursEnd, "MessageInsideHours"),
        (Leaving::Request, Taken::Cancel, "a message left although its callback was canceled"),
        (Leaving::Request, Taken::Pause, "PauseIsKept"),
        (Leaving::Call, Taken::Pause, "PauseIsKept"),
        (Leaving::Invite, Taken::Pause, "PauseIsKept"),
        (Leaving::Call, Taken::Nothing, LATE),
        (Leaving::Call, Taken::No, "CallNeedsPermission"),
        (Leaving::Call, Taken::HoursEnd, "CallInsideWindow"),
        (Leaving::Call, Taken::Cancel, "a call left although its callback was canceled"),
        (Leaving::Invite, Taken::Nothing, LATE),
        (Leaving::Invite, Taken::HoursEnd, "MessageInsideHours"),
        (Leaving::Invite, Taken::Cancel, "a message left although its callback was canceled"),
    ] {
        let faults = unlooked(leaving, taken).await;
        assert!(faults.contains(law), "{leaving:?} {taken:?}: {law} was not named: {faults}");
    }
}

#[tokio::test]
async fn a_hang_up_without_the_second_check_is_found() {
    let road = Road::closed(false);
    let mut play = canceled(&road, TALKS).await;
    play.pass(SignedDuration::from_secs(25)).await;
    play.open(&road).await;
    play.pass(SignedDuration::from_secs(5)).await;
    let faults = play.faults().join("\n");
    assert!(faults.contains("hung up that was answered or over"), "{faults}");
}

/// Kills the daemon at every step of the second permission request, which is sent once.
#[tokio::test]
async fn a_consumer_is_asked_once_more_wherever_the_daemon_is_killed() {
    const IGNORES: &str = "+5511987650003";
    for steps in 0.. {
        let mut play = Play::begin(&Fixture::default(), Arc::new(ringmaster::simulation::NoMutation)).await;
        play.order(IGNORES, json!({"latest": "2026-11-27T12:00:00Z"})).await;
        play.pass(SignedDuration::from_hours(24)).await;
        assert_eq!(play.daemon.world().report().counts.permission_requests, 1);
        play.daemon.crashes.crash_after(steps);
        play.pass(SignedDuration::from_hours(3)).await;
        let deaths = play.daemon.deaths;
        assert_eq!(play.daemon.world().report().counts.permission_requests, 2, "killed at step {steps}");
        assert_eq!(play.faults(), Vec::<String>::new(), "killed at step {steps}");
        if deaths == 0 {
            assert!(steps > 6, "the daemon was not killed around the commits and the request: {steps} steps");
            return;
        }
    }
}

/// Fills the account's requests in flight; the platform answers each after ten seconds.
async fn crowd(people: u32, hours: Option<&str>) -> Play {
    const IN_FLIGHT: u32 = 8;
    let mut play =
        Play::begin_set(&Fixture::default(), Arc::new(ringmaster::simulation::NoMutation), |config| {
            config.accounts.values_mut().for_each(|account| account.requests_in_flight_max = IN_FLIGHT);
        })
        .await;
    play.daemon.world().set_faults(Faults {
        delay_answer: 1.0,
        answer_delay_ms: 10_000,
        ..Faults::default()
    });
    for person in 0..people {
        play.order(&format!("+55119876{person:03}08"), json!({"hours": hours})).await;
    }
    assert_eq!(play.left(), u64::from(IN_FLIGHT));
    play
}

#[tokio::test]
async fn a_consumer_who_allows_calls_while_requests_wait_is_not_asked() {
    let mut play = crowd(60, None).await;
    let asked = play.left();
    let now = play.daemon.now();
    for person in 0..60 {
        let consumer = phone(&format!("+55119876{person:03}08"));
        play.daemon.world().consumer_answers(now, pair().sender, consumer, Answer::Accept);
    }
    play.pass(SignedDuration::from_mins(3)).await;
    assert_eq!(play.daemon.world().report().counts.permission_requests, asked);
    assert_eq!(play.faults(), Vec::<String>::new());
}

#[tokio::test]
async fn consumers_whose_requests_still_wait_when_the_hours_end_are_not_asked() {
    let mut play = crowd(400, Some(HOURS)).await;
    play.pass(SignedDuration::from_secs(299)).await;
    let asked = play.daemon.world().report().counts.permission_requests;
    assert!((200..300).contains(&asked), "{asked} were asked in time");
    play.pass(SignedDuration::from_mins(30)).await;
    assert_eq!(play.daemon.world().report().counts.permission_requests, asked);
}

/// The consumer's yes is acknowledged right before the batch that submits the request is written.
#[derive(Default)]
struct YesJustBefore {
    said: AtomicBool,
}

fn yes() -> Report {
    let reply = PermissionReply {
        sender: pair().sender,
        who: Named::number(numbers().consumer),
        answer: PermissionAnswer::Permanent,
        replied_to: None,
        automatic: false,
        replied_at: None,
    };
    Report { key: [9; 16], received_at: START.parse().unwrap(), event: Event::PermissionReply(reply) }
}

#[async_trait]
impl Mutation for YesJustBefore {
    async fn record(&self, store: &dyn Store, batch: Batch) -> Result<()> {
        let leaves = batch.messages.iter().any(|message| message.submission.stage == Stage::Submitting);
        if leaves && !self.said.swap(true, Ordering::Relaxed) {
            store.append_reports(vec![yes()]).await?;
        }
        store.record(batch).await
    }
}

#[tokio::test]
async fn an_answer_that_is_acknowledged_before_the_batch_prevents_the_request() {
    let mut play = Play::begin(&Fixture::default(), Arc::new(YesJustBefore::default())).await;
    play.order(CONSUMER, json!({})).await;
    play.pass(SignedDuration::from_secs(5)).await;
    // The test created this yes, so the following call has no permission in the world.
    assert!(play.faults().iter().all(|fault| fault.starts_with("CallNeedsPermission")));
    assert_eq!(play.daemon.world().report().counts.permission_requests, 0);
    let messages = play.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].purpose, MessagePurpose::PermissionRequest);
    assert_eq!(messages[0].submission.stage, Stage::Withdrawn);
}

/// More reports than a turn reads are stored while a request waits to be sent; the last one is the answer.
#[derive(Default)]
struct Flood {
    came: AtomicBool,
}

#[async_trait]
impl Mutation for Flood {
    async fn record(&self, store: &dyn Store, batch: Batch) -> Result<()> {
        let intended = batch.messages.iter().any(|message| message.submission.stage == Stage::Intent);
        store.record(batch).await?;
        if intended && !self.came.swap(true, Ordering::Relaxed) {
            let other = |number: u64| Report {
                key: u128::from(number).to_be_bytes(),
                received_at: START.parse().unwrap(),
                event: Event::InboundMessage {
                    sender: pair().sender,
                    who: Named::number(Phone::from_stored(5_511_987_000_000 + number)),
                    word: None,
                    wrote_at: None,
                },
            };
            let mut reports: Vec<Report> = (0..1_500).map(other).collect();
            reports.push(yes());
            store.append_reports(reports).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn all_reports_are_folded_before_a_request_is_sent() {
    let mut play = Play::begin(&Fixture::default(), Arc::new(Flood::default())).await;
    play.order(CONSUMER, json!({})).await;
    play.pass(SignedDuration::from_secs(5)).await;
    // The test created this yes, so the following call has no permission in the world.
    assert!(play.faults().iter().all(|fault| fault.starts_with("CallNeedsPermission")));
    assert_eq!(play.daemon.world().report().counts.permission_requests, 0);
    assert_eq!(play.messages().await[0].submission.stage, Stage::Withdrawn);
}
