//! The short sections: `[store]`, `[twiml]`, `[webhooks]`, `[log]`, `[metrics]`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use strum::{EnumString, IntoStaticStr};
use url::Url;

use crate::domain::AllowedHosts;

use super::http::endpoint;
use super::secret::Secret;
use super::section::Section;
use super::tree::Value;
use super::value::{Setting, quoted};

/// The store: a SQLite file, or a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct Store {
    /// The file, if there is no `url`.
    pub path: PathBuf,
    /// Where the witness of the store is; `None` beside the store.
    pub state_dir: Option<PathBuf>,
    /// The address of the database, without a password.
    pub url: Option<String>,
    pub password: Option<Secret>,
    /// A file with the certificates that the server's certificate is checked with; `None` for those of the system.
    pub ca: Option<PathBuf>,
    /// The address for notifications, if `url` is that of a pooler.
    pub listen_url: Option<String>,
    /// Read connections beside the write connection.
    pub readers: u32,
    /// Connections that read for requests to the API.
    pub api_readers: u32,
    pub api_reads_waiting_max: u32,
    pub api_read_timeout: Duration,
    /// The maximum of commands in one commit.
    pub group_max: u32,
}

impl Store {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            url: {
                let has_path = section.has("path");
                let once = |url: &String| match has_path {
                    true => Err("is given beside store.path: expected one of them".to_owned()),
                    false => database(url),
                };
                section.ask("url").rule(once).optional()
            },
            path: section.ask("path").value(),
            state_dir: section.ask("state_dir").optional(),
            password: section.secret("password").optional(),
            ca: section.ask("ca").optional(),
            listen_url: section.ask("listen_url").rule(|url: &String| database(url)).optional(),
            readers: section.ask("readers").within(1, 64).value(),
            api_readers: section.ask("api_readers").within(1, 64).value(),
            api_reads_waiting_max: section.ask("api_reads_waiting_max").within(1, 100_000).value(),
            api_read_timeout: section
                .ask("api_read_timeout")
                .within(Duration::from_millis(100), Duration::from_mins(1))
                .value(),
            group_max: section.ask("group_max").within(1, 10_000).value(),
        }
    }
}

/// Checks the address of a database. The fault does not repeat it.
fn database(url: &str) -> Result<(), String> {
    let form = "postgres://user@host/database";
    let url = Url::parse(url).map_err(|error| format!("is no address ({error}): expected {form}"))?;
    if !["postgres", "postgresql"].contains(&url.scheme()) {
        return Err(format!("is not the address of a PostgreSQL database: expected {form}"));
    }
    if url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password") {
        return Err(
            "has a password: set it with RINGMASTER_STORE__PASSWORD or name a file with store.password_file"
                .to_owned(),
        );
    }
    if url.path().trim_matches('/').is_empty() {
        return Err(format!("names no database: expected {form}"));
    }
    Ok(())
}

/// Location of the TwiML documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twiml {
    /// `None` for the built-in documents.
    pub directory: Option<PathBuf>,
    /// The hosts that calls may be connected to.
    pub hosts: AllowedHosts,
}

impl Twiml {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let directory = section.ask("directory").optional();
        let mut list = |key| section.ask(key).rule(|list: &Vec<String>| hosts(list)).or(Vec::new());
        let (sip, bots) = (list("sip_hosts"), list("bot_hosts"));
        let flows = section.ask("studio_flows").rule(|list: &Vec<String>| studio_flows(list)).or(Vec::new());
        Self { directory, hosts: AllowedHosts::new(&sip, &bots).with_flows(&flows) }
    }
}

/// Location of the declarations of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub directory: PathBuf,
}

impl Content {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self { directory: section.ask("directory").value() }
    }
}

fn hosts(list: &[String]) -> Result<(), String> {
    match list.iter().find(|host| !AllowedHosts::is_entry(host)) {
        Some(other) => Err(format!(
            "{} is no host: expected a host name or IP address without scheme and port, or \"*.\" and a name",
            quoted(other)
        )),
        None => Ok(()),
    }
}

fn studio_flows(list: &[String]) -> Result<(), String> {
    match list.iter().find(|flow| !AllowedHosts::is_sid("FW", flow)) {
        Some(other) => {
            Err(format!("{} is no Studio flow: expected FW and 32 hexadecimal digits", quoted(other)))
        }
        None => Ok(()),
    }
}

/// Customer webhooks.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// `None` switches webhooks off.
    pub url: Option<Url>,
    /// Signs webhooks. Set if `url` is set.
    pub secret: Option<Secret>,
    /// A second signature, while receivers change to the new secret.
    pub secret_next: Option<Secret>,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    pub in_flight_max: u32,
    /// Private addresses that webhooks may be sent to.
    pub allow: Vec<IpNet>,
    /// Hosts that may resolve to private addresses.
    pub allow_hosts: Vec<String>,
    /// How long delivery is retried before it is given up.
    pub give_up_after: Duration,
}

impl Webhooks {
    /// The signing secrets, current first.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secret.iter().chain(&self.secret_next)
    }

    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let seconds = Duration::from_secs;
        let allowed: Vec<Allowed> = section
            .ask("allow")
            .rule(|list: &Vec<String>| list.iter().try_for_each(|text| allowed(text).map(drop)))
            .or(Vec::new())
            .iter()
            .filter_map(|text| allowed(text).ok())
            .collect();
        let webhooks = Self {
            url: section.ask("url").rule(endpoint).optional(),
            secret: section.secret("secret").rule(signing_key).optional(),
            secret_next: section.secret("secret_next").rule(signing_key).optional(),
            connect_timeout: section.ask("connect_timeout").within(seconds(1), seconds(60)).value(),
            request_timeout: section.ask("request_timeout").within(seconds(1), seconds(60)).value(),
            in_flight_max: section.ask("in_flight_max").within(1, 256).value(),
            allow: allowed
                .iter()
                .filter_map(|allowed| match allowed {
                    Allowed::Subnet(subnet) => Some(*subnet),
                    Allowed::Host(_) => None,
                })
                .collect(),
            allow_hosts: allowed
                .into_iter()
                .filter_map(|allowed| match allowed {
                    Allowed::Host(host) => Some(host),
                    Allowed::Subnet(_) => None,
                })
                .collect(),
            give_up_after: section.ask("give_up_after").within(seconds(60), seconds(30 * 24 * 3600)).value(),
        };
        let allows_nothing = webhooks.allow.is_empty() && webhooks.allow_hosts.is_empty();
        if webhooks.url.as_ref().is_some_and(|url| url.scheme() == "http") && allows_nothing {
            section.fault(
                "allow",
                "is required with a webhooks.url on this machine: deliveries go to public addresses and to \
                 those that are listed, such as \"127.0.0.0/8\"",
            );
        }
        if webhooks.url.is_some() && webhooks.secret.is_none() {
            section.fault(
                "secret",
                "is required with webhooks.url: receivers verify deliveries by it; set \
                 RINGMASTER_WEBHOOKS__SECRET or webhooks.secret_file",
            );
        }
        webhooks
    }
}

enum Allowed {
    Subnet(IpNet),
    Host(String),
}

/// A host name has a letter in its last label; an IP address does not.
fn allowed(text: &str) -> Result<Allowed, String> {
    let is_name = |host: &str| {
        host.rsplit('.')
            .find(|part| !part.is_empty())
            .is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()))
            && host.split('.').all(|part| !part.starts_with('-') && !part.ends_with('-'))
            && !host.bytes().any(|b| matches!(b, b'_' | b'*'))
    };
    match url::Host::parse(text) {
        Ok(url::Host::Domain(host)) if is_name(&host) => Ok(Allowed::Host(host)),
        _ => network(text).map(Allowed::Subnet).ok_or_else(|| {
            format!(
                "holds {text:?}, which is no subnet and no host: expected an address and its bits, as \
                 \"10.1.0.0/16\", or a name, as \"crm.internal\""
            )
        }),
    }
}

/// Parses a subnet: an address and the number of its first bits, or one address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

/// Checks the format of the Standard Webhooks specification: `whsec_` and Base64 of 24 to 64 random bytes.
fn signing_key(secret: &Secret) -> Result<(), String> {
    let bytes = secret.expose().strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
    match bytes {
        Some(bytes) if (24..=64).contains(&bytes.len()) => Ok(()),
        Some(_) => Err("has the wrong length: expected \"whsec_\" and Base64 of 24 to 64 bytes".into()),
        None => Err("is not \"whsec_\" and Base64 of 24 to 64 bytes".into()),
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    Text,
    Json,
}

impl Setting for LogFormat {
    const EXPECTED: &'static str = "one of \"auto\", \"text\", \"json\"";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|_| "is not a known value".to_owned())
    }

    fn write(&self) -> String {
        quoted(self.into())
    }
}

/// The log on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Filter directives for `tracing_subscriber::EnvFilter`.
    pub filter: String,
    pub format: LogFormat,
}

impl Log {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            filter: section.ask("filter").rule(|directives: &String| filter(directives)).value(),
            format: section.ask("format").value(),
        }
    }
}

fn filter(directives: &str) -> Result<(), String> {
    tracing_subscriber::EnvFilter::builder().parse(directives).map(drop).map_err(|error| {
        format!(
            "is not a filter ({error}): expected a level or directives, as \"info,ringmaster::twilio=debug\""
        )
    })
}

/// What the paths of the daemon begin with that have another meaning.
const PATHS_TAKEN: [&str; 8] =
    ["console", "docs", "healthz", "hooks", "livez", "openapi.json", "readyz", "v1"];

fn metrics_path(path: &str) -> Result<(), String> {
    let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b));
    if path.len() < 2 || !path.starts_with('/') || path.ends_with('/') || !plain {
        return Err(
            "is not a path: expected \"/\" and letters, digits, \"-\", \"_\", as \"/metrics\"".to_owned()
        );
    }
    let first = path[1..].split('/').next().unwrap_or_default();
    match PATHS_TAKEN.contains(&first) {
        true => Err(format!(
            "begins with /{first}, which has other pages of the daemon: expected another path, as \"/metrics\""
        )),
        false => Ok(()),
    }
}

/// The metrics endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    pub enabled: bool,
    pub path: String,
}

impl Metrics {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            enabled: section.ask("enabled").value(),
            path: section.ask("path").rule(|path: &String| metrics_path(path)).value(),
        }
    }
}
