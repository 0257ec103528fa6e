//! The page of metrics: reads what is stored and in use, and shows it with the rest.
//!
//! It is read at most every [`FRESH`], whoever asks how often. What cannot be read, or not within [`WAIT_MAX`], stays as it
//! was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::routing::get;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::config::Config;
use crate::domain::pause::PauseKind;
use crate::domain::{
    AccountAlias, CampaignId, Directory, Gate, Loads, Phone, Pool, PoolLoad, Resource, Stage,
};
use crate::http::App;
use crate::metrics::{Metrics, Picture, PoolSeats, ResourceUse};
use crate::store;

/// How long what was read is shown.
const FRESH: Duration = Duration::from_secs(10);
/// How long a reader waits for the store. Prometheus gives up after 10 seconds, and has no metrics then.
const WAIT_MAX: Duration = Duration::from_secs(4);
/// The most reasons of a tenant.
const REASONS_MAX: usize = 1000;
/// The most tenants whose callbacks are counted by reason.
const TENANTS_MAX: usize = 50;
/// The most campaigns with series of their own.
const CAMPAIGNS_MAX: usize = 100;

/// The most gates that are counted, how far each is counted, and the most with series of their own.
const GATES_MAX: usize = 2000;
const AT_GATE_MAX: u32 = 1000;
const GATES_SHOWN: usize = 300;

/// What the page needs beside the App.
struct Page {
    app: Arc<App>,
    store_path: PathBuf,
    /// The campaigns of the configuration.
    campaigns: Vec<String>,
    read_at: Mutex<Option<Instant>>,
}

pub(super) fn router(config: &Config, app: &Arc<App>) -> Router {
    if !config.metrics.enabled {
        return Router::new();
    }
    let page = Arc::new(Page {
        app: app.clone(),
        store_path: config.store.path.clone(),
        campaigns: config.campaigns.keys().cloned().collect(),
        read_at: Mutex::default(),
    });
    let answer = move |headers: HeaderMap| {
        let page = page.clone();
        async move {
            let metrics = &page.app.metrics;
            if timeout(WAIT_MAX, page.refresh()).await.is_err() {
                metrics.picture_failed();
            }
            metrics.node_role(page.app.presence.role(page.app.clock.reading().up).as_str());
            match wants_classic(&headers) {
                true => ([(CONTENT_TYPE, Metrics::CLASSIC_TYPE)], metrics.encode_classic()),
                false => ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], metrics.encode()),
            }
        }
    };
    Router::new().route(&config.metrics.path, get(answer))
}

/// Whether the reader knows only the older text format.
fn wants_classic(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("text/plain") && !accept.contains("openmetrics")
}

impl Page {
    /// Reads the picture anew if it is old. Others who ask at the same time wait for it.
    async fn refresh(&self) {
        let mut read_at = self.read_at.lock().await;
        // Whether another daemon has the store, and what is paused, is asked for each time.
        let loads = self.app.loads().await;
        if let Ok(loads) = &loads {
            if loads.held.deposed_since.is_some() {
                self.app.metrics.deposed(true);
            }
            self.count_pauses(loads);
        }
        if read_at.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        let picture = async { self.picture(&loads?).await };
        match picture.await {
            Ok(picture) => {
                self.app.metrics.show(&picture);
                *read_at = Some(Instant::now());
            }
            Err(error) => {
                self.app.metrics.picture_failed();
                tracing::debug!(error = &error as &dyn std::error::Error, "the metrics of the store are old");
            }
        }
    }

    /// Counts the pauses in force when somebody looks, because a pause ends by itself.
    fn count_pauses(&self, loads: &Loads) {
        let in_force = loads.pauses.in_force(self.app.clock.now());
        for kind in PauseKind::ALL {
            let count = in_force.iter().filter(|pause| pause.scope.kind() == kind).count();
            self.app.metrics.pauses(kind.as_str(), count);
        }
    }

    async fn picture(&self, loads: &Loads) -> store::Result<Picture> {
        let (app, now) = (&self.app, self.app.clock.now());
        let census = app.store.census().await?;
        let oldest = app.store.oldest_unfolded().await?;
        let backlog = app.store.backlog().await?;
        let (waiting, waiting_is_cut) = self.waiting().await?;
        let is_unknown = |stage: Stage| stage == Stage::Unknown;
        let attempts = app.store.live_attempts().await?;
        let messages = app.store.unsettled_messages().await?;
        let endpoint = app.webhook_endpoint.as_ref();
        Ok(Picture {
            resources: self.resources(loads),
            pools: pools(loads, now),
            accounts: accounts(&app.directory, loads, now),
            senders: senders(&app.directory, loads, now),
            callbacks: vec![
                ("waiting", census.waiting),
                ("unlaunched", census.unlaunched),
                ("calling", census.calling),
                ("abandoned", census.abandoned),
            ],
            invites: vec![("waiting", census.invites.waiting), ("unlaunched", census.invites.unlaunched)],
            waiting,
            gates: self.gates(loads).await?,
            waiting_is_cut,
            inbox: census.unfolded_reports,
            inbox_oldest_s: oldest.map_or(0.0, |at| seconds(at, now)),
            unmatched: census.unmatched_reports,
            outbox: backlog.waiting,
            outbox_oldest_s: backlog.oldest.map_or(0.0, |at| seconds(at, now)),
            outbox_given_up: backlog.given_up,
            webhooks_disabled: endpoint.is_some_and(|own| own.standing().disabled.is_some()),
            unknown_attempts: count(attempts.iter().filter(|one| is_unknown(one.submission.stage))),
            unknown_messages: count(messages.iter().filter(|one| is_unknown(one.submission.stage))),
            store_bytes: store_bytes(&self.store_path),
        })
    }

    /// Waiting callbacks by reason, of all tenants together.
    async fn waiting(&self) -> store::Result<(Vec<(String, u64)>, bool)> {
        let tenants = self.app.store.report_tenants(TENANTS_MAX).await?;
        let mut is_cut = tenants.len() == TENANTS_MAX;
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for tenant in &tenants {
            let waiting = self.app.store.waiting_by_reason(tenant, None, REASONS_MAX).await?;
            is_cut |= waiting.is_cut;
            for (reason, count) in waiting.reasons {
                *reasons.entry(reason).or_default() += count;
            }
        }
        Ok((reasons.into_iter().collect(), is_cut))
    }

    /// What waits at the gates, by their kinds and names.
    async fn gates(&self, loads: &Loads) -> store::Result<Vec<(&'static str, String, u64)>> {
        let names = SenderNames::new(&self.app.directory);
        let mut shown: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
        for (gate, count) in self.app.store.waiting_at_gates(GATES_MAX, AT_GATE_MAX).await? {
            let parts = match gate {
                Gate::Any(parts) => parts,
                one => BTreeSet::from([one]),
            };
            for part in parts {
                let (kind, name) = self.gate_label(loads, &names, &part);
                let is_own = shown.len() < GATES_SHOWN || shown.contains_key(&(kind, name.clone()));
                let name = if is_own { name } else { "other".to_owned() };
                *shown.entry((kind, name)).or_default() += count;
            }
        }
        Ok(shown.into_iter().map(|((kind, name), count)| (kind, name, count)).collect())
    }

    /// The kind and the label of a gate. No number, and no name of an agent.
    fn gate_label(&self, loads: &Loads, names: &SenderNames, gate: &Gate) -> (&'static str, String) {
        match gate {
            Gate::Room(resource) => self.label(loads, names, resource),
            Gate::Offer(resource) => ("offer", self.label(loads, names, resource).1),
            Gate::Account(alias) => ("account_pace", alias.to_string()),
            Gate::Rest(number) | Gate::Part(number, _) => ("sender_rest", names.of(*number)),
            Gate::Pause(_) => ("pause", "all".to_owned()),
            Gate::Calendar(name, _) => ("calendar", name.to_string()),
            Gate::Pace(id) => {
                let own = loads.campaigns.get(*id);
                ("campaign_pace", own.map_or_else(|| "other".to_owned(), |own| own.name.to_string()))
            }
            Gate::Token(token, _) => ("token", token.to_string()),
            Gate::Any(_) => ("other", "all".to_owned()),
        }
    }

    /// What is in use, and what has a ceiling. Agents and what has no name of an operator are counted together.
    fn resources(&self, loads: &Loads) -> Vec<ResourceUse> {
        let (rules, directory) = (&self.app.rules, &self.app.directory);
        let names = SenderNames::new(directory);
        let mut known: BTreeMap<(&'static str, String), (u32, Option<u32>)> = BTreeMap::new();
        for sender in directory.senders() {
            let resource = Resource::Sender(sender.number);
            known.insert(("sender", names.of(sender.number)), (0, rules.ceiling(&resource)));
        }
        for alias in directory.accounts() {
            let ceiling = rules.ceiling(&Resource::Account(alias.clone()));
            known.insert(("account", alias.to_string()), (0, ceiling));
        }
        for name in self.campaigns.iter().take(CAMPAIGNS_MAX) {
            known.insert(("campaign", name.clone()), (0, rules.ceiling(&Resource::campaign(name))));
        }
        let open = loads.campaigns.iter().filter(|campaign| campaign.concurrent_calls_max.is_some());
        for campaign in open.take(CAMPAIGNS_MAX) {
            known.insert(("campaign", campaign.name.to_string()), (0, campaign.concurrent_calls_max));
        }
        for (resource, live) in loads.in_use.iter() {
            let (kind, name) = self.label(loads, &names, resource);
            let key = if known.contains_key(&(kind, name.clone())) || kind != "campaign" {
                (kind, name)
            } else {
                (kind, "other".to_owned())
            };
            let ceiling = if kind == "agents" { None } else { rules.ceiling(resource) };
            known.entry(key).or_insert((0, ceiling)).0 += live;
        }
        known
            .into_iter()
            .map(|((kind, name), (in_use, ceiling))| ResourceUse { kind, name, in_use, ceiling })
            .collect()
    }

    /// The kind and the label of a resource. No number, and no name of an agent.
    fn label(&self, loads: &Loads, names: &SenderNames, resource: &Resource) -> (&'static str, String) {
        match resource {
            Resource::Sender(number) => ("sender", names.of(*number)),
            Resource::Account(alias) => ("account", alias.to_string()),
            Resource::Campaign(name) => {
                let own = name.parse::<CampaignId>().ok().and_then(|id| loads.campaigns.get(id));
                ("campaign", own.map_or_else(|| name.to_string(), |campaign| campaign.name.to_string()))
            }
            Resource::Agents(_) => ("agents", "all".to_owned()),
            Resource::Bot => ("bot", "all".to_owned()),
            Resource::Pool(pool) => ("pool", pool.to_string()),
        }
    }
}

/// Each sender as its account and its place among the senders of that account by number, from 1: `main/1`.
struct SenderNames(BTreeMap<Phone, String>);

impl SenderNames {
    fn new(directory: &Directory) -> Self {
        let mut places: BTreeMap<&AccountAlias, u32> = BTreeMap::new();
        let mut names = BTreeMap::new();
        for sender in directory.senders() {
            let place = places.entry(&sender.account).or_default();
            *place += 1;
            names.insert(sender.number, format!("{}/{place}", sender.account));
        }
        Self(names)
    }

    fn of(&self, number: Phone) -> String {
        self.0.get(&number).map_or_else(|| "other".to_owned(), Clone::clone)
    }
}

fn accounts(directory: &Directory, loads: &Loads, now: Timestamp) -> Vec<(String, bool)> {
    let is_paused = |alias: &AccountAlias| loads.account(alias).paused.is_some_and(|(until, _)| until > now);
    directory.accounts().into_iter().map(|alias| (alias.to_string(), is_paused(alias))).collect()
}

fn senders(directory: &Directory, loads: &Loads, now: Timestamp) -> Vec<(String, bool)> {
    let is_paused = |number| loads.paused_senders.get(&number).is_some_and(|(until, _)| *until > now);
    let names = SenderNames::new(directory);
    directory.senders().map(|sender| (names.of(sender.number), is_paused(sender.number))).collect()
}

fn pools(loads: &Loads, now: Timestamp) -> Vec<PoolSeats> {
    let seats = |pool: &Pool| {
        let key = &pool.key;
        let (load, _) = loads.seats.load(&loads.pools, key);
        let (in_calls, in_wrap_up) = loads.seats.held(key);
        let (usable, holds_for_s) = match load {
            PoolLoad::Unknown => (0, 0.0),
            PoolLoad::Fed { usable, until } => (usable, -seconds(until, now)),
        };
        PoolSeats { name: key.to_string(), usable, in_calls, in_wrap_up, holds_for_s }
    };
    loads.pools.iter().map(seats).collect()
}

/// The sizes of the files; a file that is not there has none.
fn store_bytes(path: &Path) -> Vec<(&'static str, u64)> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let files = [("data", path.to_owned()), ("log", PathBuf::from(log))];
    let size = |path: PathBuf| std::fs::metadata(path).map(|file| file.len());
    files.into_iter().filter_map(|(part, path)| Some((part, size(path).ok()?))).collect()
}

fn count<T>(all: impl Iterator<Item = T>) -> u64 {
    all.count() as u64
}

/// From one moment to another; negative if the first is later.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Sender;

    #[test]
    fn only_a_reader_of_the_older_format_alone_gets_it() {
        for (accept, classic) in [
            ("", false),
            ("*/*", false),
            ("text/plain", true),
            ("text/plain;version=0.0.4;q=0.3", true),
            ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_classic(&headers), classic, "{accept}");
        }
        assert!(!wants_classic(&HeaderMap::new()));
    }

    #[test]
    fn senders_are_named_by_their_place_in_the_account() {
        let [one, other, elsewhere, unknown] =
            ["+551151991234", "+551151991235", "+14155550123", "+14155550124"]
                .map(|text| Phone::parse(text).unwrap());
        let senders = [(other, "main"), (one, "main"), (elsewhere, "us")];
        let directory = Directory::new(senders.map(|(number, account)| Sender::new(number, account)));
        let names = SenderNames::new(&directory);
        let names = [one, other, elsewhere, unknown].map(|number| names.of(number));
        assert_eq!(names, ["main/1", "main/2", "us/1", "other"]);
    }
}
