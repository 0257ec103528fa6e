//! The configuration: one TOML file, the environment over it, secrets from the environment or files only.
//!
//! Parsed once, at start, into typed sections; what can be refused is refused then, all faults at once. This
//! is the only room that knows of the environment, and it is handed in. The keys are described in
//! `default.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::domain::country::exclusion_of;
use crate::domain::{AccountAlias, Country, Phone};

mod accounts;
mod calling;
mod fault;
mod http;
mod parts;
mod secret;
mod section;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use accounts::{Account, Sender};
pub use calling::{Calling, LimitOverrides, LimitProfile, RetryDelays};
pub use fault::{ConfigErrors, Fault};
pub use http::Http;
pub use parts::{Log, LogFormat, Metrics, Store, Twiml, Webhooks};
pub use secret::Secret;

use section::{Reading, Section};
use tree::{Origin, Table};

/// Everything that an operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    pub http: Http,
    pub store: Store,
    pub twiml: Twiml,
    pub calling: Calling,
    pub limits: LimitOverrides,
    pub accounts: BTreeMap<AccountAlias, Account>,
    pub webhooks: Webhooks,
    pub log: Log,
    pub metrics: Metrics,
    effective: String,
}

impl Default for Config {
    /// What holds where nothing is configured. It has no account, so it is for code that adds one.
    fn default() -> Self {
        Self::read(&Table::empty(), &mut Reading::default())
    }
}

impl Config {
    /// Reads the file, if one is named, lays the variables that start with `RINGMASTER_` over it, and reads
    /// the files that hold secrets.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every fault that was found, if any was.
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
        let (config, reading) = Self::parse(&text, path.unwrap_or(Path::new("")), environment);
        if reading.faults.is_empty() { Ok(config) } else { Err(ConfigErrors(reading.faults)) }
    }

    /// The commented reference: every key with its default.
    #[must_use]
    pub const fn default_toml() -> &'static str {
        include_str!("default.toml")
    }

    /// What was loaded, as TOML, each value with where it was set; secrets show as `***`.
    #[must_use]
    pub fn to_masked_string(&self) -> &str {
        &self.effective
    }

    /// Every sender of every account.
    pub fn senders(&self) -> impl Iterator<Item = (&AccountAlias, &Sender)> {
        self.accounts
            .iter()
            .flat_map(|(alias, account)| account.senders.values().map(move |sender| (alias, sender)))
    }

    fn parse(
        text: &str,
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> (Self, Reading) {
        let mut reading = Reading::default();
        let mut tree = Table::from_toml(text, path, &mut reading.faults);
        if !reading.faults.is_empty() {
            // What comes after a broken line may have been read wrongly; its faults would mislead.
            return (Self::default(), reading);
        }
        tree.overlay(environment, &mut reading.faults);
        let config = Self::read(&tree, &mut reading);
        if config.accounts.is_empty() && reading.faults.is_empty() {
            let problem = "is empty: at least one account is needed, as [accounts.main]";
            reading.fault(&Origin::Nowhere, "accounts", problem);
        }
        (config, reading)
    }

    fn read(tree: &Table, reading: &mut Reading) -> Self {
        let mut root = Section::root(tree, reading);
        let http = root.section("http", Http::read);
        let store = root.section("store", Store::read);
        let twiml = root.section("twiml", Twiml::read);
        let calling = root.section("calling", Calling::read);
        let limits = root.section("limits", LimitOverrides::read);
        let accounts = root.section("accounts", |section| {
            let accounts: Vec<_> = section.each(|alias, section| {
                let account = Account::read(alias, section)?;
                refuse_countries(&account, &limits, calling.limit_profile, section);
                refuse_unreachable(&account, &http, section);
                Some((AccountAlias::from(alias), account))
            });
            accounts.into_iter().flatten().collect::<BTreeMap<_, _>>()
        });
        let webhooks = root.section("webhooks", Webhooks::read);
        let log = root.section("log", Log::read);
        let metrics = root.section("metrics", Metrics::read);
        root.note_unknown();
        reading.refuse_unknown_keys();
        refuse_duplicates(&accounts, reading);
        let effective = effective(reading);
        Self { http, store, twiml, calling, limits, accounts, webhooks, log, metrics, effective }
    }
}

fn sender_path(alias: &str, number: Phone) -> String {
    format!("accounts.{alias}.senders.\"{}\"", number.e164())
}

fn refuse_countries(
    account: &Account,
    limits: &LimitOverrides,
    profile: LimitProfile,
    section: &mut Section<'_>,
) {
    for (&number, sender) in &account.senders {
        let Some(country) = Country::of(number).filter(|&country| limits.refuses(country, profile)) else {
            continue;
        };
        let why = exclusion_of(country)
            .map_or_else(String::new, |exclusion| format!(" ({}: {})", exclusion.name, exclusion.note));
        let problem = format!(
            "is a number of {country}{why}, whose business numbers cannot place WhatsApp calls; \
             limits.sender_countries_refused changes the list"
        );
        section.reading.fault(&Origin::Nowhere, &sender_path(&sender.sender.account, number), problem);
    }
}

/// Twilio cannot call an address that only this machine has.
fn refuse_unreachable(account: &Account, http: &Http, section: &mut Section<'_>) {
    if http::is_loopback(&http.public_url) && !http::is_loopback(&account.api_url) {
        section.reading.fault(
            &Origin::Nowhere,
            "http.public_url",
            format!(
                "is an address of this machine, which {} cannot reach: set the https address under which \
                 Twilio reaches this daemon",
                account.api_url.host_str().unwrap_or("Twilio")
            ),
        );
    }
}

fn refuse_duplicates(accounts: &BTreeMap<AccountAlias, Account>, reading: &mut Reading) {
    let mut owners: BTreeMap<Phone, &AccountAlias> = BTreeMap::new();
    for (alias, account) in accounts {
        for &number in account.senders.keys() {
            if let Some(owner) = owners.insert(number, alias) {
                let problem =
                    format!("belongs to accounts.{owner} as well: a sender belongs to one account only");
                reading.fault(&Origin::Nowhere, &sender_path(alias, number), problem);
            }
        }
    }
}

/// The answers as TOML that could be loaded again, had it not its secrets removed.
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
