//! Builds the parts from the configuration: rules, documents, accounts and keys.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use axum::Router;
use governor::Quota;
use jiff::SignedDuration;

use super::Deps;
use super::daily_reports::{self, DailyReports};
use super::rules::{rules, settings};
use super::{messenger, meta, metrics_page, named_content, pools, sign_in};
use crate::clock::Clock;
use crate::config::{self, Account, Config, PoolSettings};
use crate::console;
use crate::content::Folder;
use crate::domain::{AccountAlias, Directory, Issuer, Phone, Pool, PoolKey, PoolName, Tenant};
use crate::hook_urls::HookUrls;
use crate::http::hooks::messenger::MessengerHooks;
use crate::http::hooks::meta::MetaHooks;
use crate::http::hooks::{self, Alarm, HookKeys, Hooks, Ringing};
use crate::http::peers::{PeerLimit, TrustedProxies};
use crate::http::{
    self, App, BulkMemory, Defaults, Doors, OrderLimits, ReportSettings, RequestLimits, SignIn, TokenRates,
    server::ServerOptions,
};
use crate::ids::IdGenerator;
use crate::metrics::Metrics;
use crate::nodes::Presence;
use crate::platform::Platform;
use crate::policy::Rules;
use crate::pools::Feeder;
use crate::reports::{DailyState, Rate, Rates};
use crate::scheduler::{self, ClockGuard};
use crate::store::{Hashing, Store};
use crate::suppression::NameHasher;
use crate::traces::Traces;
use crate::twilio::signature::Key;
use crate::twilio::{self, Basic, Client, Endpoints, HttpOptions, HttpTransport, Transport, TwilioPlatform};
use crate::twiml::{APOLOGY, CANCELED, Document, INBOUND, Library};
use crate::wake::Waker;
use crate::webhooks::guard::{Guard, Subnet};
use crate::webhooks::sign::Signer;
use crate::webhooks::{Dispatcher, Endpoint, EndpointConfig, HttpSender, WebhookEvents};
use crate::zone_data;

/// How long an answer waits for its command to be folded; after that it says where to ask.
const COMMAND_WAIT: SignedDuration = SignedDuration::from_secs(1);

/// The rate card of the configuration.
fn rates(config: &Config) -> Rates {
    let cards = config.rates.iter().cloned().map(|rate| {
        let config::Rate { prefix, from, per_minute, per_call, per_message } = rate;
        Rate { prefix, from, per_minute, per_call, per_message }
    });
    Rates { currency: config.reports.currency.clone(), cards: cards.collect() }
}

fn chosen(chosen: &config::Chosen) -> http::Chosen {
    let config::Chosen { key, value, origin } = chosen.clone();
    http::Chosen { key, value, is_set: origin.is_some() }
}

/// The TwiML documents: the operator's, or the built-in ones.
///
/// # Errors
/// All faults of all documents.
pub fn documents(config: &Config) -> anyhow::Result<Library> {
    let library = match &config.twiml.directory {
        Some(directory) => {
            let documents = Library::load(directory)?;
            for (name, fault) in documents.warnings() {
                let file = directory.join(format!("{name}.xml"));
                tracing::warn!("{}:{fault}", file.display());
            }
            documents
        }
        None => Library::embedded(),
    };
    Ok(library.hold_to(&config.twiml.hosts)?)
}

/// Checks that each sender's inbound document exists, and hands over to flows of the sender's account only.
pub(super) fn check_inbound_documents(config: &Config, documents: &Library) -> anyhow::Result<()> {
    for (alias, sender) in config.senders() {
        if let Some(name) = &sender.inbound_document {
            anyhow::ensure!(
                documents.document(name).is_some(),
                "accounts.{alias}.senders: inbound_document {name:?} is not among the documents; there are {}",
                documents.names().collect::<Vec<_>>().join(", ")
            );
        }
        let name = sender.inbound_document.as_deref().unwrap_or(INBOUND);
        let flows = documents.document(name).map(Document::flows).unwrap_or_default();
        let own = config.accounts.get(alias).map(|account| account.account_sid.as_str());
        anyhow::ensure!(
            flows.iter().all(|flow| Some(flow.account.as_str()) == own),
            "accounts.{alias}.senders: the inbound document {name:?} hands over to a Studio flow of another account"
        );
    }
    Ok(())
}

/// Checks that the document of the rule of missed calls exists, and can be filled without an order.
pub(super) fn check_missed_calls(config: &Config, documents: &Library) -> anyhow::Result<()> {
    let rule = &config.missed_calls;
    let Some(name) = &rule.document else { return Ok(()) };
    let Some(document) = documents.document(name) else {
        anyhow::bail!(
            "missed_calls: document {name:?} is not among the documents; there are {}",
            documents.names().collect::<Vec<_>>().join(", ")
        );
    };
    anyhow::ensure!(
        document.variables().is_empty(),
        "missed_calls: the document {name:?} needs variables, which no order gives"
    );
    let directory = config.directory();
    let has_agent = |number: &Phone| directory.sender(*number).is_some_and(|sender| sender.agent.is_some());
    let all: Vec<Phone> = directory.senders().map(|sender| sender.number).collect();
    let theirs = if rule.senders.is_empty() { &all } else { &rule.senders };
    anyhow::ensure!(
        !document.needs_agent() || rule.agent.is_some() || theirs.iter().all(has_agent),
        "missed_calls: the document {name:?} connects an agent: set missed_calls.agent, or the agent of each sender"
    );
    anyhow::ensure!(
        rule.agent.as_ref().is_none_or(|agent| document.takes_agent(agent)),
        "missed_calls: agent is at a host that twiml.sip_hosts does not list"
    );
    anyhow::ensure!(
        rule.senders.iter().all(|number| directory.sender(*number).is_some()),
        "missed_calls: senders has a number that is no sender of the configuration"
    );
    Ok(())
}

/// The documents for canceled calls and apologies must not need any value and must not dial the consumer.
pub(super) fn check_spoken_documents(documents: &Library) -> anyhow::Result<()> {
    for name in [APOLOGY, CANCELED] {
        anyhow::ensure!(
            documents.document(name).is_none_or(Document::needs_nothing),
            "the document {name:?} must need no variables and no agent, and must not dial the consumer: it is said to \
             whoever is on the phone"
        );
    }
    Ok(())
}

pub(super) fn server_options(config: &Config) -> ServerOptions {
    ServerOptions {
        connections_max: config.http.connections_max as usize,
        connections_per_peer_max: Some(config.http.connections_per_peer_max as usize),
        trusted_proxies: TrustedProxies::new(config.http.trusted_proxies.iter().copied()),
        headers_max: config.http.headers_max as usize,
        headers_max_bytes: config.http.headers_max_bytes as usize,
        headers_timeout: config.http.headers_timeout,
        write_timeout: config.http.write_timeout,
        bodies_give_way: false,
        drain_timeout: config.http.drain_timeout,
    }
}

/// The same for the listener of the hooks. The platforms ask from few addresses, so each may have many
/// connections.
pub(super) fn hooks_server_options(config: &Config) -> ServerOptions {
    ServerOptions {
        connections_max: config.http.hooks_connections_max as usize,
        connections_per_peer_max: None,
        headers_timeout: config.http.hooks_headers_timeout,
        write_timeout: config.http.hooks_write_timeout,
        bodies_give_way: true,
        ..server_options(config)
    }
}

/// The accounts of Meta's. Every other one is at Twilio.
fn issuers(config: &Config) -> BTreeMap<AccountAlias, Issuer> {
    let numbers = config.meta.keys().map(|alias| (alias.clone(), Issuer::Meta));
    numbers.chain(config.messenger.keys().map(|alias| (alias.clone(), Issuer::Messenger))).collect()
}

/// Dependencies that several parts share.
pub(super) struct Shared {
    /// The declarations for `[meta]` and `[messenger]`.
    folder: Folder,
    store: Arc<dyn Store>,
    api_store: Arc<dyn Store>,
    clock: Arc<ClockGuard>,
    ids: Arc<IdGenerator>,
    directory: Arc<Directory>,
    documents: Arc<Library>,
    rules: Arc<Rules>,
    waker: Arc<Waker>,
    presence: Arc<Presence>,
    hook_urls: Arc<HookUrls>,
    metrics: Arc<Metrics>,
    traces: Traces,
    webhook_events: WebhookEvents,
    /// The files of reports.
    daily: Arc<DailyState>,
    sign_in: Arc<SignIn>,
}

impl Shared {
    pub(super) async fn new(config: &Config, deps: &Deps, documents: Arc<Library>) -> anyhow::Result<Self> {
        let key = deps.store.address_key(secret_bytes()).await.context("cannot read the store")?;
        let hashing = Hashing {
            hasher: match &config.suppression.key {
                Some(own) => NameHasher::new(own.expose().as_bytes()),
                None => NameHasher::derived(&key),
            },
            accounts: config.directory().senders().map(|own| (own.number, own.account.clone())).collect(),
        };
        deps.store.hash_with(hashing).await.context("cannot use the suppression lists")?;
        let stored = deps.store.clock_mark().await.context("cannot read the store")?;
        Ok(Self {
            folder: named_content::of_meta(config)?,
            store: deps.store.clone(),
            api_store: deps.api_store.clone(),
            clock: Arc::new(ClockGuard::new(deps.clock.clone(), stored)),
            ids: deps.ids.clone(),
            metrics: deps.metrics.clone(),
            traces: deps.traces.clone(),
            directory: Arc::new(config.directory()),
            documents,
            rules: Arc::new(rules(config)),
            waker: deps.waker.clone(),
            presence: deps.presence.clone(),
            hook_urls: Arc::new(HookUrls::new(config.http.public_url.as_str(), &key)),
            webhook_events: match config.webhooks.url {
                Some(_) => WebhookEvents::of(Arc::new(Endpoint::default())),
                None => WebhookEvents::default(),
            },
            daily: Arc::default(),
            sign_in: Arc::new(sign_in::sign_in(config, &key)?),
        })
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub(super) fn scheduler_deps(&self, config: &Config, deps: &Deps) -> anyhow::Result<scheduler::Deps> {
        // No call leaves by these, so the pace of calls does not matter.
        let silent = |platform, requests_in_flight_max| scheduler::Account {
            platform,
            calls_per_second: 1.0,
            requests_in_flight_max,
        };
        let pages = config.messenger.iter().map(|(alias, page)| {
            let platform = match deps.platforms.get(alias) {
                Some(platform) => platform.clone(),
                None => {
                    let transport = (deps.graph_transport)(&messenger::reach(page))?;
                    messenger::platform(page, transport, &self.folder, self.hook_urls.clone(), self.clock())
                }
            };
            Ok((alias.clone(), silent(platform, page.requests_in_flight_max)))
        });
        let numbers = config.meta.iter().map(|(alias, own)| {
            let platform = match deps.platforms.get(alias) {
                Some(platform) => platform.clone(),
                None => {
                    let transport = (deps.graph_transport)(&meta::reach(own))?;
                    meta::platform(own, transport, &self.folder, self.hook_urls.clone(), self.clock())
                }
            };
            Ok((alias.clone(), silent(platform, own.requests_in_flight_max)))
        });
        let accounts = config
            .accounts
            .iter()
            .map(|(alias, account)| {
                let platform = match deps.platforms.get(alias) {
                    Some(platform) => platform.clone(),
                    None => on_twilio(account, (deps.transport)(account)?, self.hook_urls.clone()),
                };
                let dialling = scheduler::Account {
                    platform,
                    calls_per_second: account.calls_per_second,
                    requests_in_flight_max: account.requests_in_flight_max,
                };
                Ok((alias.clone(), dialling))
            })
            .chain(numbers)
            .chain(pages)
            .collect::<anyhow::Result<BTreeMap<AccountAlias, scheduler::Account>>>()?;
        Ok(scheduler::Deps {
            store: self.store.clone(),
            clock: self.clock(),
            clock_guard: self.clock.clone(),
            directory: self.directory.clone(),
            documents: self
                .documents
                .all()
                .map(|document| (document.name().to_owned(), document.script().clone()))
                .collect(),
            rules: self.rules.clone(),
            calendars: config.calendars(),
            waker: self.waker.clone(),
            trust: self.presence.trust.clone(),
            webhook_events: self.webhook_events.clone(),
            accounts,
            ids: self.ids.clone(),
            metrics: self.metrics.clone(),
            traces: self.traces.clone(),
            settings: settings(config),
        })
    }

    fn app(&self, config: &Config) -> Arc<App> {
        Arc::new(App {
            store: self.api_store.clone(),
            clock: self.clock(),
            directory: self.directory.clone(),
            documents: self.documents.clone(),
            rules: self.rules.clone(),
            calendars: config.calendars(),
            deposed_since: OnceLock::new(),
            stopping_since: OnceLock::new(),
            presence: self.presence.clone(),
            waker: self.waker.clone(),
            webhook_endpoint: self.webhook_events.endpoint().cloned(),
            hook_urls: self.hook_urls.clone(),
            unresolved_after: settings(config).unresolved_after(),
            unknown_for: settings(config).timeouts.horizon,
            chosen: config.chosen().iter().map(chosen).collect(),
            contents: named_content::of_orders(config, &self.folder),
            issuers: issuers(config),
            defaults: Defaults {
                attempts_max: config.calling.attempts_max,
                hours: config.calling.hours.clone(),
                hours_presets: config.calling.hours_presets.clone(),
                number_zones: config.calling.number_zones.clone(),
                dispositions: config.dispositions.clone(),
                wrap_up_after: config.calling.wrap_up_after,
                country: config.calling.default_country,
                calls_per_second: config
                    .accounts
                    .iter()
                    .map(|(alias, account)| (alias.clone(), account.calls_per_second))
                    .collect(),
            },
            limits: RequestLimits {
                body_max_bytes: config.http.body_max_bytes as usize,
                bulk_body_max_bytes: config.http.bulk_body_max_bytes as usize,
                bulk_rows_max: config.http.bulk_rows_max as usize,
                order: OrderLimits {
                    bytes_max: config.http.order_max_bytes as usize,
                    fields_max: config.http.order_fields_max as usize,
                    faults_max: config.http.order_faults_max as usize,
                },
                headers_max_bytes: config.http.headers_max_bytes as usize,
                timeout: config.http.request_timeout,
                hooks_timeout: config.http.hooks_request_timeout,
            },
            bulk_memory: Arc::new(BulkMemory::new(
                config.http.bulk_in_progress_max as usize,
                config.http.bulk_body_max_bytes as usize,
            )),
            ids: self.ids.clone(),
            event_places: Arc::default(),
            zone_data: zone_data::choice().map(|choice| choice.counts.clone()),
            reports: ReportSettings {
                zone: config.reports.zone.clone(),
                rates: rates(config),
                daily: config.reports.daily.as_ref().map(|_| self.daily.clone()),
            },
            metrics: self.metrics.clone(),
            traces: self.traces.clone(),
            token_rates: TokenRates::default(),
            sign_in: self.sign_in.clone(),
            pools_with_source: config.pools.keys().cloned().collect(),
            command_wait: COMMAND_WAIT,
        })
    }

    /// Who writes the files of reports, if they are configured.
    ///
    /// # Errors
    /// If there is no report of a configured name, or it has no days.
    pub(super) fn daily_reports(&self, config: &Config) -> anyhow::Result<Option<DailyReports>> {
        let Some(daily) = config.reports.daily.clone() else { return Ok(None) };
        let reports = daily_reports::named(&daily.names)?;
        daily_reports::check_directory(&daily)?;
        let store = self.api_store.clone();
        let (clock, state) = (self.clock(), self.daily.clone());
        Ok(Some(DailyReports { daily, reports, rates: rates(config), store, clock, state }))
    }

    pub(super) fn doors(&self, config: &Config) -> Doors {
        let http = &config.http;
        let peer_limit = NonZeroU32::new(http.requests_per_peer_per_second).map(|per_second| {
            let trusted = TrustedProxies::new(http.trusted_proxies.iter().copied());
            Arc::new(PeerLimit::new(trusted, Quota::per_second(per_second)))
        });
        let hooks = hooks::router(self.hooks(config))
            .merge(hooks::meta::router(self.meta_hooks(config)))
            .merge(hooks::messenger::router(self.messenger_hooks(config)));
        let app = self.app(config);
        let metrics = metrics_page::router(config, &app);
        let console = console::router(&app);
        Doors { app, peer_limit, hooks: at_both(http, hooks), metrics, console }
    }

    fn hooks(&self, config: &Config) -> Hooks {
        let keys = config.accounts.iter().map(|(alias, account)| {
            let tokens = account.auth_tokens().map(|token| Key::auth_token(token.as_secret()));
            let shared =
                account.shared_keys.iter().map(|(id, key)| Key::shared(Some(id.clone()), key.as_secret()));
            (account.account_sid.clone(), alias.clone(), tokens.chain(shared).collect())
        });
        Hooks {
            store: self.store.clone(),
            clock: self.clock(),
            directory: self.directory.clone(),
            documents: self.documents.clone(),
            hook_urls: self.hook_urls.clone(),
            waker: self.waker.clone(),
            keys: Arc::new(HookKeys::new(keys)),
            people: config.calling.people,
            calendars: config.calendars(),
            words: config.calling.words.clone(),
            metrics: Some(self.metrics.clone()),
            ringing: Ringing::default(),
        }
    }

    fn meta_hooks(&self, config: &Config) -> MetaHooks {
        MetaHooks {
            store: self.store.clone(),
            clock: self.clock(),
            hook_urls: self.hook_urls.clone(),
            waker: self.waker.clone(),
            words: config.calling.words.clone(),
            metrics: Some(self.metrics.clone()),
            numbers: meta::numbers(config),
            alarm: Alarm::default(),
        }
    }

    fn messenger_hooks(&self, config: &Config) -> MessengerHooks {
        MessengerHooks {
            store: self.store.clone(),
            clock: self.clock(),
            waker: self.waker.clone(),
            words: config.calling.words.clone(),
            metrics: Some(self.metrics.clone()),
            pages: messenger::pages(config),
            alarm: Alarm::default(),
        }
    }

    /// What feeds the pools of the configuration.
    pub(super) fn feeders(&self, config: &Config, deps: &Deps) -> anyhow::Result<Vec<Feeder>> {
        let feeder = |(name, own): (&PoolName, &PoolSettings)| {
            let pool = PoolKey { tenant: Tenant::default(), name: name.clone() };
            let (by, source) = pools::source(config, (deps, self.clock()), &pool, own)?;
            Ok(Feeder {
                pool,
                by: by.into(),
                source,
                every: SignedDuration::try_from(own.every).unwrap_or(Pool::VALID_LONGEST),
                timeout: own.timeout,
                headroom: own.headroom,
                wrap_up: own.wrap_up,
                store: self.store.clone(),
                clock: self.clock(),
                ids: self.ids.clone(),
                waker: self.waker.clone(),
            })
        };
        config.pools.iter().map(feeder).collect()
    }

    /// The dispatcher of customer webhooks, if a URL is configured.
    pub(super) fn dispatcher(&self, config: &Config) -> anyhow::Result<Option<Dispatcher>> {
        let webhooks = &config.webhooks;
        let Some((url, endpoint)) = webhooks.url.as_ref().zip(self.webhook_events.endpoint()) else {
            return Ok(None);
        };
        let sender = HttpSender::new(EndpointConfig {
            url: url.clone(),
            signer: Signer::new(webhooks.secrets().map(|secret| secret.expose()))?,
            guard: guard(webhooks),
            connect_timeout: webhooks.connect_timeout,
            request_timeout: webhooks.request_timeout,
        })
        .context("cannot set up TLS")?;
        Ok(Some(Dispatcher {
            store: self.store.clone(),
            clock: self.clock(),
            metrics: self.metrics.clone(),
            endpoint: endpoint.clone(),
            sender: Arc::new(sender),
            traces: self.traces.clone(),
            records: self.store.clone(),
            in_flight_max: webhooks.in_flight_max as usize,
            claim_for: CLAIM_SPARE
                + SignedDuration::try_from(webhooks.request_timeout).unwrap_or(SignedDuration::ZERO),
            give_up_after: SignedDuration::try_from(webhooks.give_up_after).unwrap_or(SignedDuration::MAX),
        }))
    }
}

/// The addresses at which customers are asked and told.
pub(super) fn guard(webhooks: &config::Webhooks) -> Guard {
    let subnets = webhooks.allow.iter().map(|subnet| Subnet::new(subnet.addr(), subnet.prefix_len()));
    Guard::new(subnets).with_hosts(webhooks.allow_hosts.iter().cloned())
}

/// The hooks below the path of the public URL as well, for a proxy that leaves the path as it is. A proxy that
/// takes it away finds them at the top.
fn at_both(http: &config::Http, hooks: Router) -> Router {
    match http.public_url.url().path().trim_end_matches('/') {
        "" => hooks,
        path => hooks.clone().nest(path, hooks),
    }
}

/// The HTTP transport to Twilio.
pub(super) fn over_http(account: &Account) -> anyhow::Result<Arc<dyn Transport>> {
    let transport = HttpTransport::new(&HttpOptions {
        connect_timeout: account.connect_timeout,
        pool_idle_connections_max: account.requests_in_flight_max as usize,
        ..HttpOptions::default()
    })
    .context("cannot set up TLS")?;
    Ok(Arc::new(transport))
}

/// An account at Twilio.
fn on_twilio(
    account: &Account,
    transport: Arc<dyn Transport>,
    hook_urls: Arc<HookUrls>,
) -> Arc<dyn Platform> {
    let variables = account.content_variables.clone();
    Arc::new(TwilioPlatform::new(client(account, transport), hook_urls).with_content_variables(variables))
}

/// The client for an account.
pub(super) fn client(account: &Account, transport: Arc<dyn Transport>) -> Client {
    let base = |url: &url::Url| url.as_str().trim_end_matches('/').to_owned();
    let credentials =
        Basic { user: account.api_key_sid.clone(), secret: account.api_key_secret.as_secret().clone() };
    let account_at_twilio = twilio::Account {
        endpoints: Endpoints {
            api: base(&account.api_url),
            content: base(&account.content_url),
            messaging: base(&account.messaging_url),
            monitor: base(&account.monitor_url),
            task_router: base(&account.taskrouter_url),
        },
        create_timeout: account.request_timeout,
        read_timeout: account.request_timeout,
        ..twilio::Account::new(account.account_sid.clone(), credentials)
    };
    Client::new(transport, account_at_twilio)
}

/// A claim on a delivery outlives its try by this much.
const CLAIM_SPARE: SignedDuration = SignedDuration::from_secs(30);

/// Two random UUIDs: 244 random bits.
fn secret_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes
}
