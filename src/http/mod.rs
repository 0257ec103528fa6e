//! The HTTP server: the customers' API under `/v1`, Twilio's webhooks, and the layers around all requests.
//!
//! A handler parses, reads or appends, and answers. It makes no decisions about callbacks; `policy` does.
//! Only `error` has status codes.

pub mod api;
pub mod audit;
pub mod auth;
pub mod error;
pub mod hooks;
pub mod peers;
pub mod server;
pub mod sign_in;

mod caller;
mod contents;
mod envelope;
mod health;
mod pages;
mod path;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::domain::attempt::UnresolvedAfter;
use crate::domain::calendar::oldest_marked;
use crate::domain::number_zones::Narrowed;
use crate::domain::zones::ZoneData;
use crate::domain::{
    AccountAlias, Calendars, CampaignId, Campaigns, Country, DeclaredDisposition, Directory, Issuer, Loads,
    Pauses, PoolName, WrittenHours,
};
use crate::hook_urls::HookUrls;
use crate::ids::IdGenerator;
use crate::metrics::Metrics;
use crate::nodes::Presence;
use crate::policy::Rules;
use crate::policy::presets::Preset;
use crate::reports::{DailyState, Rates};
use crate::store::{self, ApiStore, list_terms};
use crate::traces::Traces;
use crate::twiml::Library;
use crate::wake::Wake;
use crate::webhooks::Endpoint;

use peers::{PeerLimit, PeerLimitLayer};

pub use api::{BulkMemory, EventPlaces, forecast_told};
pub use auth::TokenRates;
pub use contents::OrderContents;
pub use error::ApiError;
pub use sign_in::SignIn;

/// State shared by all handlers. All of it is immutable or synchronized.
pub struct App {
    pub store: Arc<dyn ApiStore>,
    pub clock: Arc<dyn Clock>,
    pub directory: Arc<Directory>,
    pub documents: Arc<Library>,
    pub rules: Arc<Rules>,
    /// The calendars of the program and of the configuration.
    pub calendars: Calendars,
    /// The configuration of calls, for `/v1/limits`.
    pub chosen: Vec<Chosen>,
    /// The content that messages of orders are filled from.
    pub contents: OrderContents,
    /// The platform of each account whose identifiers are not Twilio's.
    pub issuers: BTreeMap<AccountAlias, Issuer>,
    /// When it was found that another daemon has opened the store.
    pub deposed_since: OnceLock<Timestamp>,
    /// When the daemon was told to stop. Requests are answered for a while after that.
    pub stopping_since: OnceLock<Timestamp>,
    /// This node, and whether it dials.
    pub presence: Arc<Presence>,
    pub waker: Arc<dyn Wake>,
    /// The endpoint of customer webhooks, if one is configured.
    pub webhook_endpoint: Option<Arc<Endpoint>>,
    pub hook_urls: Arc<HookUrls>,
    /// The zone data in use, if that was decided.
    pub zone_data: Option<ZoneData>,
    pub reports: ReportSettings,
    pub metrics: Arc<Metrics>,
    pub traces: Traces,
    /// How long a call must be without a report before an operator may resolve it.
    pub unresolved_after: UnresolvedAfter,
    /// How long an unknown call that the platform does not have stays unknown.
    pub unknown_for: SignedDuration,
    pub defaults: Defaults,
    pub limits: RequestLimits,
    /// Bounds the bulk orders that are in progress at the same time.
    pub bulk_memory: Arc<BulkMemory>,
    pub ids: Arc<IdGenerator>,
    /// Bounds the streams of events that are open.
    pub event_places: Arc<EventPlaces>,
    pub token_rates: TokenRates,
    /// How people sign in.
    pub sign_in: Arc<SignIn>,
    /// The pools of the configuration, which sources of their own feed.
    pub pools_with_source: BTreeSet<PoolName>,
    /// How long an answer waits for its command to be folded.
    pub command_wait: SignedDuration,
}

impl App {
    /// What the leader publishes, with the pauses of operators. A daemon whose store another one has opened says so, since it was found out here.
    ///
    /// # Errors
    /// As any read of the store.
    pub async fn loads(&self) -> store::Result<Loads> {
        let mut loads = self.store.loads().await?;
        loads.held.deposed_since = match self.store.ping().await {
            Ok(()) => None,
            Err(store::Error::Deposed) => {
                // An idle scheduler does not write, so it would not notice.
                self.waker.now();
                Some(*self.deposed_since.get_or_init(|| self.clock.now()))
            }
            Err(error) => return Err(error),
        };
        loads.calendars = self.marked_calendars().await?;
        loads.pauses = Arc::new(Pauses::new(self.store.pauses(self.clock.now()).await?));
        loads.campaigns = Arc::new(Campaigns::new(self.store.open_campaigns().await?));
        loads.pools = Arc::new(self.store.pools().await?.into_iter().collect());
        if self.rules.stop_when_list_expired {
            loads.list_terms = list_terms(self.store.suppression_lists().await?).into();
        }
        loads.seats.forget_ended(self.clock.now());
        Ok(loads)
    }
}

impl App {
    /// The calendars with the days that operators closed and opened.
    ///
    /// # Errors
    /// As any read of the store.
    pub async fn marked_calendars(&self) -> store::Result<Calendars> {
        let marked = self.store.marked_days(oldest_marked(self.clock.now())).await?;
        Ok(self.calendars.marked(marked))
    }

    /// The calendars for the orders in a body. The days of operators are only read if an order may name a calendar.
    pub(crate) async fn calendars_for(&self, body: &[u8]) -> store::Result<Calendars> {
        let mentions = |word: &[u8]| memchr::memmem::find(body, word).is_some();
        let usual = self.defaults.hours.as_ref().is_some_and(|hours| hours.calendar.is_some())
            || self.defaults.hours_presets.iter().any(|preset| preset.calendar.is_some());
        // A campaign may give an order its hours.
        let campaign = CampaignId::PREFIX.as_bytes();
        if usual || mentions(b"except") || mentions(b"calendar") || mentions(campaign) {
            self.marked_calendars().await
        } else {
            Ok(self.calendars.clone())
        }
    }
}

/// One configuration key with its effective value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The key, such as `calling.faults_max`.
    pub key: String,
    /// The value as TOML.
    pub value: String,
    /// Whether the operator set it.
    pub is_set: bool,
}

/// Defaults of orders.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    pub attempts_max: u32,
    pub hours: Option<WrittenHours>,
    /// The zones of numbers that tell no region, by country.
    pub number_zones: Narrowed,
    /// The hours of laws that narrow those of orders.
    pub hours_presets: Vec<&'static Preset>,
    /// What agents may say of calls, by name.
    pub dispositions: BTreeMap<String, DeclaredDisposition>,
    /// Whether and when a wrap-up is missing.
    pub wrap_up_after: Option<SignedDuration>,
    /// The country of numbers that are written without `+`. Without it such numbers are refused.
    pub country: Option<Country>,
    /// How many calls per second each account starts.
    pub calls_per_second: BTreeMap<AccountAlias, f64>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            attempts_max: 3,
            hours: None,
            hours_presets: Vec::new(),
            dispositions: BTreeMap::new(),
            wrap_up_after: None,
            number_zones: Narrowed::default(),
            country: None,
            calls_per_second: BTreeMap::new(),
        }
    }
}

/// What reports are computed with.
#[derive(Debug, Clone)]
pub struct ReportSettings {
    /// The usual zone of their days.
    pub zone: TimeZone,
    pub rates: Rates,
    /// The files by schedule, if there are any.
    pub daily: Option<Arc<DailyState>>,
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, rates: Rates::default(), daily: None }
    }
}

/// Limits of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    pub body_max_bytes: usize,
    /// Limits of a bulk order.
    pub bulk_body_max_bytes: usize,
    /// The most rows of one bulk order.
    pub bulk_rows_max: usize,
    pub order: OrderLimits,
    /// The request line and all headers, as they are sent.
    pub headers_max_bytes: usize,
    /// For a request with its body, and for its answer up to the first byte.
    pub timeout: Duration,
    /// The same for the hooks.
    pub hooks_timeout: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            body_max_bytes: 256 << 10,
            bulk_body_max_bytes: 32 << 20,
            bulk_rows_max: 100_000,
            order: OrderLimits::default(),
            headers_max_bytes: 32 << 10,
            timeout: Duration::from_secs(15),
            hooks_timeout: Duration::from_secs(10),
        }
    }
}

/// Limits of one order, alone or as a row of a bulk order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderLimits {
    pub bytes_max: usize,
    /// For each object in it: the order itself, its variables, its hours.
    pub fields_max: usize,
    /// How many faults are reported.
    pub faults_max: usize,
}

impl Default for OrderLimits {
    fn default() -> Self {
        Self { bytes_max: 16 << 10, fields_max: 100, faults_max: 20 }
    }
}

/// The API routes with their layers.
pub fn router(app: Arc<App>) -> Router {
    router_with(app, Router::new())
}

/// The API routes and `others`, with the layers around both. Routes that are merged into the result later have no
/// layers: no time limit, and a panic there ends the connection.
pub fn router_with(app: Arc<App>, others: Router) -> Router {
    let timeout = app.limits.timeout;
    let router = with_no_such(customers(&app).merge(others));
    in_envelope(app, timeout, router)
}

/// The API for requests within the process, which carry a [`Caller`](auth::Caller). A refusal is an [`ApiError`] in the
/// extensions of the answer, whose body is empty.
pub fn within(app: &Arc<App>) -> Router {
    with_no_such(api::router(app)).layer(DefaultBodyLimit::max(app.limits.body_max_bytes))
}

/// Pages of the console: who is not signed in is led to the page where people sign in.
pub fn signed_in(app: &Arc<App>, pages: Router) -> Router {
    sign_in::guarded(app, pages.with_state(()))
}

/// All routes of a daemon, for one listener or two.
pub struct Doors {
    pub app: Arc<App>,
    pub peer_limit: Option<Arc<PeerLimit>>,
    /// The routes for the platforms.
    pub hooks: Router,
    /// The metrics, if they are served.
    pub metrics: Router,
    /// The console, if it is served.
    pub console: Router,
}

impl Doors {
    /// The API, its description, the metrics and the health checks.
    pub fn api(&self) -> Router {
        in_envelope(Arc::clone(&self.app), self.app.limits.timeout, self.limited())
    }

    /// The hooks with the documents, and the health checks. No limit per peer, because the platforms have few addresses.
    pub fn hooks(&self) -> Router {
        let health = health::router(Arc::clone(&self.app));
        let router = with_no_such(self.hooks.clone().merge(health));
        in_envelope(Arc::clone(&self.app), self.app.limits.hooks_timeout, router)
    }

    /// All routes for one listener. Only the hooks have no limit per peer.
    pub fn together(&self) -> Router {
        let hooks = self.hooks.clone().method_not_allowed_fallback(error::no_such_method);
        in_envelope(Arc::clone(&self.app), self.app.limits.timeout, self.limited().merge(hooks))
    }

    /// Everything but the hooks, with the limit per peer: it counts unknown paths and methods too.
    fn limited(&self) -> Router {
        let router =
            with_no_such(customers(&self.app).merge(self.metrics.clone()).merge(self.console.clone()));
        match &self.peer_limit {
            Some(limit) => router.layer(PeerLimitLayer(Arc::clone(limit))),
            None => router,
        }
    }
}

fn customers(app: &Arc<App>) -> Router {
    api::router(app).merge(pages::router()).merge(health::router(Arc::clone(app))).merge(sign_in::router(app))
}

/// With the answers to unknown paths and methods.
fn with_no_such(router: Router) -> Router {
    router.fallback(error::no_such_address).method_not_allowed_fallback(error::no_such_method)
}

fn in_envelope(app: Arc<App>, timeout: Duration, router: Router) -> Router {
    router
        .layer(DefaultBodyLimit::max(app.limits.body_max_bytes))
        .layer(from_fn_with_state((app, timeout), envelope::envelope))
}
