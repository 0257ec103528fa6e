//! The configuration: one TOML file, overridden by environment variables. Secrets come only from variables or
//! files.
//!
//! It is parsed once at start into typed sections, and all faults are reported at once. No other module reads
//! environment variables, which are an argument here. `default.toml` describes the keys.
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::LazyLock;

use crate::domain::calendar::OwnCalendar;
use crate::domain::country::BARRED_DESTINATIONS;
use crate::domain::lease::GroupName;
use crate::domain::{
    AccountAlias, Agents, CalendarName, Calendars, DeclaredDisposition, Directory, PoolName, RecordingRules,
    Register, Sender,
};
use crate::policy::InviteRules;

mod accounts;
mod across;
mod agents;
mod calendars;
mod calling;
mod dispositions;
mod fault;
mod http;
mod inviting;
mod messenger;
mod meta;
mod missed_calls;
mod nodes;
mod parts;
mod pools;
mod recordings;
mod registers;
mod reports;
mod retention;
mod secret;
mod section;
mod sign_in;
mod suppression;
#[cfg(test)]
mod tests;
mod tracing;
mod tree;
mod value;

pub use accounts::Account;
pub use agents::AgentSettings;
pub use calling::{Calling, Campaign, LimitOverrides};
pub use fault::{ConfigErrors, Fault};
pub use http::{Http, PublicUrl};
pub use messenger::Messenger;
pub use meta::Meta;
pub use missed_calls::MissedCalls;
pub use nodes::NodeSettings;
pub use parts::{Content, Log, LogFormat, Metrics, Store, Twiml, Webhooks};
pub use pools::{PoolSettings, PoolSource};
pub use reports::{Daily, Rate, Reports};
pub use retention::Retention;
pub use secret::Secret;
pub use sign_in::{OpenId, SignIn};
pub use suppression::Suppression;
pub use tracing::Tracing;

use section::{Reading, Section};
use tree::{Origin, Table};

/// The bottom layer, the embedded `default.toml`.
static DEFAULTS: LazyLock<Table> = LazyLock::new(|| {
    let mut faults = Vec::new();
    let table = Table::from_toml(Config::default_toml(), Path::new("default.toml"), &mut faults);
    debug_assert!(faults.is_empty(), "{faults:?}");
    table
});

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    pub http: Http,
    pub store: Store,
    pub twiml: Twiml,
    pub content: Content,
    pub calling: Calling,
    /// Rules of invites.
    pub inviting: InviteRules,
    pub limits: LimitOverrides,
    pub campaigns: BTreeMap<String, Campaign>,
    /// Registers that answer a submitted list.
    pub registers: BTreeMap<String, Register>,
    /// Our own calendars.
    pub calendars: BTreeMap<CalendarName, OwnCalendar>,
    /// Rules for single agents.
    pub agents: BTreeMap<Agents, AgentSettings>,
    /// This process among several.
    pub node: NodeSettings,
    /// The accounts of each dialling group. Every other account is in the group `main`.
    pub groups: BTreeMap<GroupName, Vec<AccountAlias>>,
    /// Pools of agents that are fed from a source.
    pub pools: BTreeMap<PoolName, PoolSettings>,
    pub accounts: BTreeMap<AccountAlias, Account>,
    /// Phone numbers at WhatsApp's Cloud API.
    pub meta: BTreeMap<AccountAlias, Meta>,
    /// Pages of Messenger.
    pub messenger: BTreeMap<AccountAlias, Messenger>,
    /// What agents may say of calls, by name.
    pub dispositions: BTreeMap<String, DeclaredDisposition>,
    pub missed_calls: MissedCalls,
    pub suppression: Suppression,
    pub sign_in: SignIn,
    pub reports: Reports,
    /// What holds for recordings of calls.
    pub recordings: RecordingRules,
    /// How long what is over is kept.
    pub retention: Retention,
    /// What calls cost, in no order.
    pub rates: Vec<Rate>,
    pub webhooks: Webhooks,
    pub log: Log,
    pub metrics: Metrics,
    pub tracing: Tracing,
    effective: Effective,
    /// The sections about calls.
    chosen: Vec<Chosen>,
}

/// One key with its effective value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The full key, such as `calling.faults_max`.
    pub key: String,
    /// The value as TOML.
    pub value: String,
    /// Where it was set; `None` for a default.
    pub origin: Option<String>,
}

/// One key with its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The section, with the example names of `default.toml` such as `accounts.main`.
    pub section: String,
    pub name: String,
    /// The type of its values.
    pub kind: &'static str,
    /// The smallest and the largest value, such as `1s to 5m`; both are accepted.
    pub range: Option<String>,
    /// As TOML.
    pub default: Option<String>,
    pub is_required: bool,
}

/// Not in `Debug`, because it has unmasked phone numbers.
#[derive(Clone)]
struct Effective(String);

impl fmt::Debug for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The environment variables with our prefix, for [`Config::load`].
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with(tree::PREFIX))?;
        // A value that is not UTF-8 keeps a replacement character, by which it is refused with its name.
        Some((name, value.to_string_lossy().into_owned()))
    })
}

impl Default for Config {
    /// The defaults. They have no account, so the caller has to add one.
    fn default() -> Self {
        Self::read(&Table::empty(), &mut Reading::default())
    }
}

impl Config {
    /// Reads the file, if one is given, overrides it with variables that start with `RINGMASTER_`, and reads
    /// the files with secrets.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every fault found.
    pub fn load(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let text = match path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                ConfigErrors(vec![Fault {
                    origin: Some(path.display().to_string()),
                    key: String::new(),
                    problem: format!("cannot be read: {error}"),
                }])
            })?,
        };
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        let (config, reading) = Self::parse(text, path.unwrap_or(Path::new("")), environment);
        if reading.faults.is_empty() { Ok(config) } else { Err(ConfigErrors(reading.faults)) }
    }

    /// Warnings about values that are accepted and may still be wrong, a line for each key.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let numbers = self.meta.iter().flat_map(|(alias, meta)| meta.doubts(alias));
        self.http.doubts().into_iter().chain(numbers).collect()
    }

    /// The commented reference of all keys with their defaults.
    #[must_use]
    pub const fn default_toml() -> &'static str {
        include_str!("default.toml")
    }

    /// Every key that can be set, in the order in which they are read. `docs/CONFIGURATION.md` is made from it.
    #[must_use]
    pub fn keys() -> Vec<Key> {
        let mut reading = Reading::default();
        let table = Table::from_toml(&uncommented(), Path::new("default.toml"), &mut Vec::new());
        Self::read(&table, &mut reading);
        reading
            .answers
            .into_iter()
            .map(|answer| Key {
                section: answer.section,
                name: answer.key,
                kind: answer.kind,
                range: answer.range,
                default: answer.default,
                is_required: answer.is_required,
            })
            .collect()
    }

    /// The effective configuration as TOML, each value with its origin. Secrets are shown as `***`.
    #[must_use]
    pub fn to_masked_string(&self) -> &str {
        &self.effective.0
    }

    /// The effective values of `[calling]`, `[limits]` and `[campaigns]`.
    #[must_use]
    pub fn chosen(&self) -> &[Chosen] {
        &self.chosen
    }

    /// All calendars that hours may name.
    #[must_use]
    pub fn calendars(&self) -> Calendars {
        Calendars::new(self.calendars.clone())
    }

    /// Every sender of every account.
    pub fn senders(&self) -> impl Iterator<Item = (&AccountAlias, &Sender)> {
        self.accounts
            .iter()
            .flat_map(|(alias, account)| account.senders.values().map(move |sender| (alias, sender)))
    }

    /// The senders as domain values.
    #[must_use]
    pub fn directory(&self) -> Directory {
        let road_of = |sender: &Sender| {
            let here = self.meta.iter().filter(|(_, meta)| meta.number == sender.number);
            let pages = self.messenger.iter();
            let pages = pages.filter_map(|(alias, page)| page.road(alias, sender.number));
            here.flat_map(|(alias, meta)| meta.roads(alias)).chain(pages).collect::<Vec<_>>()
        };
        let on_twilio = self.senders().map(|(_, sender)| {
            let roads = sender.roads.iter().cloned().chain(road_of(sender)).collect();
            let mut here = self.meta.iter().filter(|(_, meta)| meta.number == sender.number);
            let request_road = here.find_map(|(alias, meta)| meta.request_road(alias));
            Sender { roads, request_road, ..sender.clone() }
        });
        let alone = self.meta.iter().filter(|(_, meta)| !meta.shared_number);
        let alone = alone.map(|(alias, meta)| meta.sender(alias)).map(|sender| {
            let roads = road_of(&sender);
            Sender { roads, ..sender }
        });
        let of_group = |(group, accounts): (&GroupName, &Vec<AccountAlias>)| {
            let group = group.clone();
            accounts.clone().into_iter().map(move |account| (account, group.clone()))
        };
        Directory::new(alone.chain(on_twilio)).with_groups(self.groups.iter().flat_map(of_group))
    }

    fn parse(
        text: &str,
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> (Self, Reading) {
        let mut reading = Reading::default();
        let mut tree = Table::from_toml(text, path, &mut reading.faults);
        if !reading.faults.is_empty() {
            // After a syntax error the rest may be read wrongly, and its faults would be misleading.
            return (Self::default(), reading);
        }
        tree.overlay(environment, &mut reading.faults);
        let config = Self::read(&tree, &mut reading);
        if config.accounts.is_empty() && config.meta.is_empty() && reading.faults.is_empty() {
            let problem = "is empty: at least one account is needed, as [accounts.main]";
            reading.fault(&Origin::Nowhere, "accounts", problem);
        }
        (config, reading)
    }

    fn read(tree: &Table, reading: &mut Reading) -> Self {
        let mut root = Section::root(tree, &DEFAULTS, reading);
        let http = root.section("http", Http::read);
        let store = root.section("store", Store::read);
        let twiml = root.section("twiml", Twiml::read);
        let content = root.section("content", Content::read);
        let mut calling = root.section("calling", Calling::read);
        let inviting = root.section("inviting", inviting::read);
        let limits = root.section("limits", LimitOverrides::read);
        let accounts = root.section("accounts", |section| {
            let accounts: Vec<_> = section
                .each(|alias, section| Some((AccountAlias::from(alias), Account::read(alias, section)?)));
            accounts.into_iter().flatten().collect::<BTreeMap<_, _>>()
        });
        let meta = root.section("meta", |section| {
            let numbers =
                section.each(|alias, section| Some((AccountAlias::from(alias), Meta::read(alias, section)?)));
            numbers.into_iter().flatten().collect()
        });
        let messenger = root.section("messenger", |section| {
            let pages = section
                .each(|alias, section| Some((AccountAlias::from(alias), Messenger::read(alias, section)?)));
            pages.into_iter().flatten().collect()
        });
        let campaigns = root.section("campaigns", |section| {
            let campaigns =
                section.each(|name, section| Some((name.to_owned(), Campaign::read(name, section)?)));
            campaigns.into_iter().flatten().collect()
        });
        let registers = root.section("registers", |section| {
            let registers =
                section.each(|name, section| Some((name.to_owned(), registers::read(name, section)?)));
            registers.into_iter().flatten().collect()
        });
        let own_calendars = root.section("calendars", |section| {
            let own = section.each(calendars::read);
            own.into_iter().flatten().collect()
        });
        let agents = root.section("agents", |section| {
            let agents = section.each(AgentSettings::read);
            agents.into_iter().flatten().collect()
        });
        let pools = root.section("pools", |section| {
            let pools = section.each(pools::read);
            pools.into_iter().flatten().collect()
        });
        let node = root.section("node", NodeSettings::read);
        let groups = root.section("groups", |section| {
            let groups = section.each(nodes::group);
            groups.into_iter().flatten().collect()
        });
        let dispositions = root.section("dispositions", |section| {
            dispositions::or_usual(section.each(dispositions::read).into_iter().flatten().collect())
        });
        let mut missed_calls = root.section("missed_calls", MissedCalls::read);
        let suppression = root.section("suppression", Suppression::read);
        let sign_in = root.section("sign_in", SignIn::read);
        let reports = root.section("reports", Reports::read);
        let rates = root.section("rates", |section| {
            let rates = section.each(Rate::read);
            rates.into_iter().flatten().collect()
        });
        let recordings = root.section("recordings", recordings::read);
        let retention = root.section("retention", Retention::read);
        let webhooks = root.section("webhooks", Webhooks::read);
        let log = root.section("log", Log::read);
        let metrics = root.section("metrics", Metrics::read);
        let tracing = root.section("tracing", Tracing::read);
        root.note_unknown();
        reading.refuse_unknown_keys();
        calendars::settle(&mut calling.hours, "calling", &own_calendars, reading);
        calendars::settle(&mut missed_calls.hours, "missed_calls", &own_calendars, reading);
        let effective = Effective(effective(reading));
        let chosen = chosen(reading);
        let config = Self {
            http,
            store,
            twiml,
            content,
            calling,
            inviting,
            limits,
            campaigns,
            registers,
            calendars: own_calendars,
            agents,
            node,
            groups,
            pools,
            accounts,
            meta,
            messenger,
            dispositions,
            missed_calls,
            suppression,
            sign_in,
            reports,
            recordings,
            retention,
            rates,
            webhooks,
            log,
            metrics,
            tracing,
            effective,
            chosen,
        };
        across::check(&config, reading);
        nodes::check(&config, reading);
        retention::check(&config, reading);
        recordings::check(&config, reading);
        meta::check(&config, reading);
        messenger::check(&config, reading);
        config
    }
}

/// `default.toml` with its example keys enabled.
fn uncommented() -> String {
    let lines = Config::default_toml().lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn chosen(reading: &Reading) -> Vec<Chosen> {
    let about_calls = |section: &str| {
        ["calling", "inviting", "limits", "campaigns"]
            .contains(&section.split('.').next().unwrap_or_default())
    };
    let mut chosen: Vec<Chosen> = reading
        .answers
        .iter()
        // The lists of words are too long for the table.
        .filter(|answer| about_calls(&answer.section) && !answer.key.ends_with("_words"))
        .filter_map(|answer| {
            let key = format!("{}.{}", answer.section, answer.key);
            Some(Chosen { key, value: answer.value.clone()?, origin: answer.origin.shown() })
        })
        .collect();
    let barred = "limits.destinations_refused";
    if chosen.iter().all(|chosen| chosen.key != barred) {
        let prefixes: Vec<String> =
            BARRED_DESTINATIONS.iter().map(|barred| format!("\"{}\"", barred.prefix)).collect();
        let value = format!("[{}]", prefixes.join(", "));
        chosen.push(Chosen { key: barred.to_owned(), value, origin: None });
    }
    chosen
}

/// The values read so far as TOML. It could be loaded again, except that its secrets are removed.
fn effective(reading: &Reading) -> String {
    let mut out = String::new();
    let mut current = "";
    for answer in &reading.answers {
        let Some(value) = &answer.value else { continue };
        if answer.section != current {
            let gap = if out.is_empty() { "" } else { "\n" };
            let _ = writeln!(out, "{gap}[{}]", answer.section);
            current = &answer.section;
        }
        let mark = if answer.is_secret { "# " } else { "" };
        let _ = writeln!(out, "{mark}{} = {value}  # {}", answer.key, answer.origin);
    }
    out
}
