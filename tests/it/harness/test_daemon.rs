//! A daemon on one thread (its API, hooks and turns) with the test's own platform and clock.
//!
//! When it is dropped, it asserts the invariants of everything that was committed and sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock, ManualClock};
use ringmaster::config::Config;
use ringmaster::daemon::{self, Assembled, Deps};
use ringmaster::domain::{AccountAlias, Event, Scope, Scopes, TokenLimits};
use ringmaster::hook_urls;
use ringmaster::http::auth;
use ringmaster::ids::IdGenerator;
use ringmaster::nodes::{LeaseRenewal, Presence};
use ringmaster::platform::{Platform, Trust};
use ringmaster::policy::lease;
use ringmaster::scheduler::{Scheduler, told};
use ringmaster::simulation::{Fixture, InvariantChecks, fixture};
use ringmaster::store::{Error, Report, Store, Token};
use ringmaster::traces::Traces;
use ringmaster::twilio::Transport;
use ringmaster::twilio::signature::{Key, Payload};
use ringmaster::wake::Waker;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::fresh::{OnDatabase, fresh_store};

/// A Monday, nine in the morning in Sao Paulo.
pub(crate) const START: &str = "2026-11-23T12:00:00Z";
pub(crate) const SENDER: &str = "+551140000001";
pub(crate) const CONSUMER: &str = "+5511987650012";

/// The hash of the token that sets ceilings.
const LIMITING: [u8; 32] = [9; 32];

/// The parts that survive when the daemon is killed, and the platform.
#[derive(Clone)]
struct Ground {
    config: Config,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    token: String,
    checks: InvariantChecks,
    /// Accounts of another platform than the transport's.
    platforms: BTreeMap<AccountAlias, Arc<dyn Platform>>,
    traces: Traces,
    /// Dropped after the store.
    database: OnDatabase,
}

pub(crate) struct TestDaemon {
    ground: Ground,
    starts: u64,
    pub(crate) scheduler: Scheduler,
    router: Router,
    /// When the scheduler must run next.
    wakes_at: Option<Timestamp>,
    asserts: bool,
    /// How many reports were filed without a hook.
    filed: u128,
    /// The test expects errors of the store: a failed turn is repeated at once.
    pub(crate) forgives: bool,
    /// Of a node among several.
    renewal: Option<LeaseRenewal>,
}

impl TestDaemon {
    pub(crate) async fn open(platform: Arc<dyn Transport>) -> Self {
        Self::configured(platform, |_| {}).await
    }

    /// Opens a daemon with changes to the fixture's configuration.
    pub(crate) async fn configured(platform: Arc<dyn Transport>, change: impl FnOnce(&mut Config)) -> Self {
        Self::fitted(&Fixture::default(), platform, change).await
    }

    pub(crate) async fn fitted(
        with: &Fixture,
        platform: Arc<dyn Transport>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let (mut config, _) = fixture(with);
        config.accounts.values_mut().for_each(|account| account.requests_in_flight_max = 200);
        config.calling.agent_calls_max = 10;
        change(&mut config);
        let clock = Arc::new(ManualClock::new(START.parse().unwrap()));
        let (store, database) = fresh_store();
        let mut daemon = Self::begin(config, store, clock, platform).await;
        daemon.ground.database = database;
        daemon
    }

    /// With accounts of another platform, which has the daemon's clock.
    pub(crate) async fn beyond_twilio(
        platform: Arc<dyn Transport>,
        change: impl FnOnce(&mut Config),
        platforms: impl FnOnce(Arc<dyn Clock>) -> BTreeMap<AccountAlias, Arc<dyn Platform>>,
    ) -> Self {
        let mut daemon = Self::configured(platform.clone(), change).await;
        daemon.ground.platforms = platforms(daemon.ground.clock.clone());
        daemon.restart(platform).await
    }

    /// The same daemon, which records traces from now on.
    pub(crate) async fn traced(mut self, platform: Arc<dyn Transport>, traces: Traces) -> Self {
        self.ground.traces = traces;
        self.restart(platform).await
    }

    /// Posts with further headers. Returns the status and the body of the answer.
    pub(crate) async fn post_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> (u16, Value) {
        let request = http::Request::post(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.ask(request, Body::from(body.to_string())).await
    }

    /// Files what a platform reports, as its hooks would.
    pub(crate) async fn file(&mut self, events: Vec<Event>) {
        let received_at = self.now();
        let mut reports = Vec::new();
        for event in events {
            self.filed += 1;
            reports.push(Report { key: self.filed.to_be_bytes(), received_at, event });
        }
        self.ground.store.append_reports(reports).await.unwrap();
        self.idle().await;
    }

    /// Opens a daemon on the test's own store.
    pub(crate) async fn on_store(store: Arc<dyn Store>, platform: Arc<dyn Transport>) -> Self {
        let (config, _) = fixture(&Fixture::default());
        Self::begin(config, store, Arc::new(ManualClock::new(START.parse().unwrap())), platform).await
    }

    async fn begin(
        config: Config,
        store: Arc<dyn Store>,
        clock: Arc<ManualClock>,
        platform: Arc<dyn Transport>,
    ) -> Self {
        let (token, hash) = auth::new_token([7; 32]);
        store.create_token(Token::new("test", hash, clock.now())).await.unwrap();
        let checks = InvariantChecks::new(clock.clone());
        let (platforms, traces) = (BTreeMap::new(), Traces::default());
        let ground = Ground { config, store, clock, token, checks, platforms, traces, database: None };
        Self::on(ground, 1, platform).await
    }

    /// Kills the daemon, and starts another one on the same store.
    pub(crate) async fn restart(self, platform: Arc<dyn Transport>) -> Self {
        let mut daemon = Self::on(self.ground.clone(), self.starts + 1, platform).await;
        daemon.scheduler.recover().await.unwrap();
        daemon
    }

    /// Starts another daemon on the same store, while this one runs.
    pub(crate) async fn beside(&self, platform: Arc<dyn Transport>) -> Self {
        Self::on(self.ground.clone(), self.starts + 1, platform).await
    }

    /// Another process that has the same file open in another way, and does not lead.
    pub(crate) async fn elsewhere(&self, store: Arc<dyn Store>, platform: Arc<dyn Transport>) -> Self {
        let mut daemon = Self::on(Ground { store, ..self.ground.clone() }, self.starts + 1, platform).await;
        daemon.asserts = false;
        daemon
    }

    /// Starts nodes of these names on one store, each with its own platform. None has the lease yet. They wake each other.
    pub(crate) async fn nodes<const N: usize>(
        store: Arc<dyn Store>,
        nodes: [(&str, Arc<dyn Transport>); N],
    ) -> Vec<Self> {
        let (config, _) = fixture(&Fixture::default());
        let clock = Arc::new(ManualClock::new(START.parse().unwrap()));
        let (token, hash) = auth::new_token([7; 32]);
        store.create_token(Token::new("test", hash, clock.now())).await.unwrap();
        let checks = InvariantChecks::new(clock.clone());
        let (platforms, traces) = (BTreeMap::new(), Traces::default());
        let ground = Ground { config, store, clock, token, checks, platforms, traces, database: None };
        let waker: Arc<Waker> = Arc::default();
        let mut daemons = Vec::new();
        for (starts, (name, platform)) in (1..).zip(nodes) {
            let presence = Arc::new(Presence::new(name, None, Trust::by_lease(lease::LEFT_AT_LEAST)));
            let renewal = LeaseRenewal::new(
                ground.store.clone(),
                ground.clock.clone(),
                presence.clone(),
                waker.clone(),
            );
            renewal.join().await.unwrap().unwrap();
            let node = (presence, waker.clone());
            let mut daemon = Self::on_node(ground.clone(), starts, platform, node).await;
            daemon.renewal = Some(renewal);
            daemons.push(daemon);
        }
        daemons
    }

    /// The node gives a sign of life: it claims or renews the lease. Returns how long to wait until the next one.
    pub(crate) async fn beat(&mut self) -> SignedDuration {
        self.renewal.as_mut().unwrap().beat().await
    }

    /// The node gives the lease back.
    pub(crate) async fn resign(&mut self) {
        self.renewal.as_mut().unwrap().resign().await;
    }

    /// Runs turns until there is nothing to do at this time.
    pub(crate) async fn run(&mut self) {
        self.idle().await;
    }

    async fn on(ground: Ground, starts: u64, platform: Arc<dyn Transport>) -> Self {
        Self::on_node(ground, starts, platform, Default::default()).await
    }

    async fn on_node(
        ground: Ground,
        starts: u64,
        platform: Arc<dyn Transport>,
        (presence, waker): (Arc<Presence>, Arc<Waker>),
    ) -> Self {
        let store = ground.checks.store(ground.store.clone());
        let transport = ground.checks.transport(platform);
        let deps = Deps {
            api_store: store.clone(),
            store,
            clock: ground.clock.clone(),
            // Otherwise a restarted daemon would use the ids of the one before.
            ids: Arc::new(IdGenerator::seeded(starts)),
            graph_transport: {
                let transport = transport.clone();
                Box::new(move |_| Ok(transport.clone()))
            },
            transport: Box::new(move |_| Ok(transport.clone())),
            platforms: ground.platforms.clone(),
            metrics: Arc::default(),
            traces: ground.traces.clone(),
            presence,
            waker,
        };
        let Assembled { scheduler, doors, .. } = daemon::assemble(&ground.config, deps).await.unwrap();
        Self {
            ground,
            starts,
            scheduler,
            router: doors.together(),
            wakes_at: None,
            asserts: true,
            // Otherwise the reports of a restarted daemon would repeat those of the one before.
            filed: u128::from(starts) << 64,
            forgives: false,
            renewal: None,
        }
    }

    /// Lets the wall clock jump; the daemon does nothing yet.
    pub(crate) fn jump_clock(&self, by: SignedDuration) {
        self.ground.clock.jump(by);
    }

    /// Sends a request and runs the daemon until the answer: a command is answered when it is folded.
    async fn send(&mut self, request: http::Request<Body>) -> (u16, String) {
        let mut answer = std::pin::pin!(self.router.clone().oneshot(request));
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut answer => break answer.unwrap(),
                () = self.scheduler.woken() => {}
            }
            self.idle().await;
        };
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn idle(&mut self) {
        let mut tries = if self.forgives { 3 } else { 1 };
        self.wakes_at = loop {
            tries -= 1;
            let checks = &self.ground.checks;
            match self.scheduler.idle_watched(|scheduler| checks.counted(scheduler)).await {
                Ok(wakes_at) => break wakes_at,
                Err(Error::Deposed) if self.forgives => break None,
                Err(error) => assert!(tries > 0, "{error}"),
            }
        };
    }

    async fn ask(&mut self, request: http::request::Builder, body: Body) -> (u16, Value) {
        let request = request.header("authorization", format!("Bearer {}", self.ground.token));
        let request = request.header("content-type", "application/json").body(body).unwrap();
        let (status, body) = self.send(request).await;
        (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{status}, {error}: {body}")))
    }

    pub(crate) async fn try_post(&mut self, path: &str, body: Value) -> (u16, Value) {
        self.ask(http::Request::post(path), Body::from(body.to_string())).await
    }

    pub(crate) async fn try_put(&mut self, path: &str, body: Value) -> (u16, Value) {
        self.ask(http::Request::put(path), Body::from(body.to_string())).await
    }

    /// Sends a request that must succeed. Returns the body of the answer.
    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_post(path, body).await;
        assert!((200..300).contains(&status), "{status}: {answer}");
        answer
    }

    /// Asks without a token. Returns the status and the text of the answer.
    pub(crate) async fn look(&mut self, path: &str) -> (u16, String) {
        self.send(http::Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Value {
        let (status, answer) = self.ask(http::Request::get(path), Body::empty()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(crate) async fn ask_for(&mut self, path: &str) -> (u16, Value) {
        self.ask(http::Request::get(path), Body::empty()).await
    }

    /// Sends a request with a token that may erase.
    pub(crate) async fn post_as_admin(&mut self, path: &str, body: Value) -> (u16, Value) {
        let (secret, hash) = auth::new_token([8; 32]);
        let scopes = Scopes::from_iter([Scope::Admin, Scope::Reveal]);
        let token = Token { scopes, ..Token::new("eraser", hash, self.now()) };
        // It may be there from an earlier request.
        _ = self.ground.store.create_token(token).await;
        let usual = std::mem::replace(&mut self.ground.token, secret);
        let answer = self.try_post(path, body).await;
        self.ground.token = usual;
        answer
    }

    pub(crate) async fn try_delete(&mut self, path: &str) -> (u16, Value) {
        self.ask(http::Request::delete(path), Body::empty()).await
    }

    /// The store, to look at.
    pub(crate) fn watch(&self) -> Arc<dyn Store> {
        self.ground.store.clone()
    }

    pub(crate) async fn order(&mut self, consumer: &str, more: Value) -> Value {
        let mut order = json!({"consumer": consumer, "sender": SENDER, "latest": "2026-12-03T12:00:00Z"});
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/v1/callbacks", order).await
    }

    pub(crate) async fn grant(&mut self, consumer: &str) {
        let grant =
            json!({"consumer": consumer, "sender": SENDER, "kind": "permanent", "reason": "on paper"});
        self.post("/v1/permissions/grant", grant).await;
    }

    /// Sets ceilings for the name of the ordering token.
    pub(crate) async fn limit_token(&mut self, limits: TokenLimits) {
        let token = Token { limits, ..Token::new("test", LIMITING, self.now()) };
        self.ground.store.create_token(token).await.unwrap();
    }

    /// Revokes the token that set the ceilings.
    pub(crate) async fn revoke_token_of_limits(&mut self) {
        assert!(self.ground.store.revoke_token(LIMITING).await.unwrap());
    }

    /// Sends a form to `url`, one of our public URLs, signed by the platform. Returns the status of the answer.
    pub(crate) async fn hook(&mut self, url: &str, form: &[(String, String)]) -> u16 {
        let status = self.deliver(url, form).await;
        self.idle().await;
        status
    }

    /// The same, without a turn of the scheduler.
    pub(crate) async fn deliver(&mut self, url: &str, form: &[(String, String)]) -> u16 {
        let pairs: Vec<_> = form.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let account = self.ground.config.accounts.values().next().unwrap();
        let key = Key::auth_token(account.auth_token.as_ref().unwrap().as_secret());
        let path = url.splitn(4, '/').last().unwrap();
        let request = http::Request::post(format!("/{path}"))
            .header("x-twilio-signature", key.sign(url, Payload::Form(&pairs)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()))
            .unwrap();
        self.send(request).await.0
    }

    /// The store itself, for values that a test writes directly. From now on the invariants are not asserted, because the
    /// checker did not see these values.
    pub(crate) fn store(&mut self) -> Arc<dyn Store> {
        self.asserts = false;
        self.ground.store.clone()
    }

    /// The public URL of a path.
    pub(crate) fn public(&self, path: &str) -> String {
        hook_urls::below(self.ground.config.http.public_url.as_str(), path)
    }

    /// The account's SID, which is in every form of the platform.
    pub(crate) fn account_sid(&self) -> &str {
        &self.ground.config.accounts.values().next().unwrap().account_sid
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ground.clock.now()
    }

    /// When the scheduler runs next by itself.
    pub(crate) const fn wakes_at(&self) -> Option<Timestamp> {
        self.wakes_at
    }

    /// Advances the clock; nothing runs.
    pub(crate) fn pass(&self, by: SignedDuration) {
        self.ground.clock.advance(by);
    }

    /// Advances the clock in one step, and then runs everything that is due.
    pub(crate) async fn advance(&mut self, by: SignedDuration) {
        self.ground.clock.advance(by);
        self.idle().await;
    }

    /// Advances the clock from one due time to the next, until `at`.
    pub(crate) async fn advance_to(&mut self, at: Timestamp) {
        loop {
            let next = self.wakes_at.filter(|wakes_at| *wakes_at <= at).unwrap_or(at).max(self.now());
            self.advance(next.duration_since(self.now())).await;
            if next == at {
                return;
            }
        }
    }
}

impl Drop for TestDaemon {
    fn drop(&mut self) {
        if self.asserts && !std::thread::panicking() {
            assert_eq!(self.ground.checks.problems(), Vec::<String>::new());
            let store = &self.ground.store;
            assert_eq!(awaited(store.wrong_counts()).unwrap(), Vec::<String>::new());
            match awaited(store.wrong_reports(told)) {
                // The comparison is a command to the writer, and another daemon has the store.
                Err(Error::Deposed) => {}
                miscounted => assert_eq!(miscounted.unwrap(), Vec::<String>::new()),
            }
        }
    }
}

/// Waits for a store with or without threads.
fn awaited<T: Send>(answer: impl Future<Output = T> + Send) -> T {
    let wait = || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer);
    std::thread::scope(|scope| scope.spawn(wait).join().unwrap())
}

pub(crate) fn message() -> Value {
    json!({"document": "message", "variables": {"message": "Your parcel is at the door."}})
}

pub(crate) fn to_alice() -> Value {
    json!({"document": "agent-first", "agent": "client:alice"})
}
