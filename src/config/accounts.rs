//! `[accounts.<alias>]`: the Twilio accounts, their credentials and their senders.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use url::Url;

use crate::content::{self, role::Role};
use crate::domain::agent_target::AgentError;
use crate::domain::person::PORTFOLIO_DEFAULT;
use crate::domain::{
    AccountAlias, AgentTarget, CallbackPermission, ContentRef, Phone, PoolName, Portfolio, Sender,
};

use super::http::base;
use super::secret::Secret;
use super::section::Section;
use super::tree::Value;
use super::value::{Setting, quoted};

/// One Twilio account, or subaccount.
#[derive(Debug, Clone)]
pub struct Account {
    pub account_sid: String,
    pub api_key_sid: String,
    pub api_key_secret: Secret,
    /// Verifies Twilio's webhooks; API keys do not sign them.
    pub auth_token: Option<Secret>,
    /// Also accepted, while the token is being rotated.
    pub auth_token_next: Option<Secret>,
    /// Keys with which Twilio may sign instead of the token, by id.
    pub shared_keys: BTreeMap<String, Secret>,
    pub calls_per_second: f64,
    pub requests_in_flight_max: u32,
    /// The maximum of calls in progress that we placed.
    pub concurrent_calls_max: Option<u32>,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    pub api_url: Url,
    pub content_url: Url,
    pub messaging_url: Url,
    pub monitor_url: Url,
    pub taskrouter_url: Url,
    pub senders: BTreeMap<Phone, Sender>,
    /// The content that senders name instead of its SID. It is looked up at the start.
    pub named_content: BTreeMap<(Phone, Role), String>,
    /// The variables of the content that was looked up, which every message with it has to give.
    pub content_variables: BTreeMap<ContentRef, BTreeSet<String>>,
}

impl Account {
    /// The tokens that verify Twilio's signature, current first.
    pub fn auth_tokens(&self) -> impl Iterator<Item = &Secret> {
        self.auth_token.iter().chain(&self.auth_token_next)
    }

    pub(super) fn read(alias: &str, section: &mut Section<'_>) -> Option<Self> {
        if !is_alias(alias) {
            section.fault(
                "",
                "is not an alias: expected 1 to 32 small letters, digits and single \"_\", the first a letter",
            );
        }
        let seconds = Duration::from_secs;
        let account_sid = sid(section, "account_sid", "AC");
        let account_sid = account_sid.required("\"AC\" and 32 hexadecimal digits, from the Twilio console");
        let api_key_sid = sid(section, "api_key_sid", "SK");
        let api_key_sid = api_key_sid.required("\"SK\" and 32 hexadecimal digits, the SID of an API key");
        let api_key_secret = section.secret("api_key_secret").required("the secret of the API key");
        let auth_token = section.secret("auth_token").optional();
        let auth_token_next = section.secret("auth_token_next").optional();
        let calls_per_second = section.ask("calls_per_second").within(0.01, 10_000.0).or(1.0);
        let requests_in_flight_max = section.ask("requests_in_flight_max").within(1, 1000).or(16);
        let concurrent_calls_max = section.ask("concurrent_calls_max").within(1, 100_000).optional();
        let connect_timeout = section.ask("connect_timeout").within(seconds(1), seconds(60)).or(seconds(3));
        let request_timeout = section.ask("request_timeout").within(seconds(1), seconds(120)).or(seconds(15));
        let mut endpoint = |key: &str, default: &str| {
            section.ask(key).rule(twilio).or(Url::parse(default).expect("this is a URL"))
        };
        let api_url = endpoint("api_url", "https://api.twilio.com");
        let content_url = endpoint("content_url", "https://content.twilio.com");
        let messaging_url = endpoint("messaging_url", "https://messaging.twilio.com");
        let monitor_url = endpoint("monitor_url", "https://monitor.twilio.com");
        let taskrouter_url = endpoint("taskrouter_url", "https://taskrouter.twilio.com");
        let portfolio = section.ask("portfolio").rule(|name: &String| is_portfolio(name));
        let portfolio = Portfolio::from(portfolio.or(PORTFOLIO_DEFAULT.to_owned()));
        let shared_keys: Vec<Option<(String, Secret)>> =
            section.section("shared_keys", |section| section.each(|_, section| shared_key(section)));
        if auth_token.is_none() && shared_keys.is_empty() {
            refuse_without_keys(alias, section);
        }
        let (senders, named_content) = read_senders(&AccountAlias::from(alias), &portfolio, section);
        Some(Self {
            account_sid: account_sid?,
            api_key_sid: api_key_sid?,
            api_key_secret: api_key_secret?,
            auth_token,
            auth_token_next,
            shared_keys: shared_keys.into_iter().flatten().collect(),
            calls_per_second,
            requests_in_flight_max,
            concurrent_calls_max,
            connect_timeout,
            request_timeout,
            api_url,
            content_url,
            messaging_url,
            monitor_url,
            taskrouter_url,
            named_content,
            content_variables: BTreeMap::new(),
            senders,
        })
    }
}

/// Nothing verifies Twilio's webhooks.
fn refuse_without_keys(alias: &str, section: &mut Section<'_>) {
    let name = alias.to_ascii_uppercase();
    section.fault(
        "auth_token",
        format!(
            "is required: Twilio signs with it, or with one of shared_keys; set \
             RINGMASTER_ACCOUNTS__{name}__AUTH_TOKEN or name a file with auth_token_file"
        ),
    );
}

/// The senders of an account, which are all in its portfolio, and the content that they name.
fn read_senders(
    account: &AccountAlias,
    portfolio: &Portfolio,
    section: &mut Section<'_>,
) -> (BTreeMap<Phone, Sender>, BTreeMap<(Phone, Role), String>) {
    let senders = section
        .section("senders", |section| section.each(|number, section| read_sender(number, account, section)));
    if senders.is_empty() {
        section.fault("senders", "is empty: an account needs at least one sender to call from");
    }
    let (mut by_number, mut named) = (BTreeMap::new(), BTreeMap::new());
    for (sender, names) in senders.into_iter().flatten() {
        named.extend(names.into_iter().map(|(role, name)| ((sender.number, role), name)));
        by_number.insert(sender.number, Sender { portfolio: portfolio.clone(), ..sender });
    }
    (by_number, named)
}

/// Checks the name of a portfolio, which is part of the name of a person.
pub(super) fn is_portfolio(name: &str) -> Result<(), String> {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if fits { Ok(()) } else { Err("is not 1 to 64 letters, digits, \"_\" and \"-\"".into()) }
}

/// Content by its role and its declared name.
type Names = Vec<(Role, String)>;

fn read_sender(number: &str, account: &AccountAlias, section: &mut Section<'_>) -> Option<(Sender, Names)> {
    let parsed = Phone::parse(number);
    if let Err(error) = parsed {
        section.fault("", error.to_string());
    }
    if let Ok(number) = parsed {
        let origin = section.origin();
        section.reading.senders.push((account.clone(), number, origin));
    }
    let label = section.ask("label").optional();
    let permission_request = content(section, "permission_request_content_sid");
    let permission_template = content(section, "permission_request_template_sid");
    let invite = content(section, "invite_content_sid");
    let names = read_names(section, [&permission_request, &permission_template, &invite]);
    let concurrent_calls_max = section.ask("concurrent_calls_max").within(1, 1000).optional();
    let callback_permission = section.ask("callback_permission").or(CallbackPermission::Off);
    let agent = section.ask("agent").optional();
    let pool = section.ask("pool").optional();
    let workflow = sid(section, "workflow_sid", "WW").optional();
    let inbound_document = section.ask("inbound_document").rule(|name: &String| document(name)).optional();
    let sender = Sender {
        number: parsed.ok()?,
        account: account.clone(),
        portfolio: PORTFOLIO_DEFAULT.into(),
        label,
        agent,
        pool,
        workflow,
        permission_request,
        request_road: None,
        permission_template,
        invite,
        roads: Vec::new(),
        can_call: true,
        concurrent_calls_max,
        callback_permission,
        inbound_document,
    };
    Some((sender, names))
}

/// The names of content; `sids` are those of [`Role::ALL`].
fn read_names(section: &mut Section<'_>, sids: [&Option<ContentRef>; 3]) -> Names {
    let mut names = Vec::new();
    for (role, sid) in Role::ALL.into_iter().zip(sids) {
        let name = section.ask(role.key()).rule(|name: &String| content_name(name)).optional();
        if name.is_some() && sid.is_some() {
            section.fault(role.key(), format!("is given beside {}_sid: give one of the two", role.key()));
        }
        names.extend(name.map(|name| (role, name)));
    }
    names
}

fn shared_key(section: &mut Section<'_>) -> Option<(String, Secret)> {
    let id = section.ask("id").required("the id that Twilio announces, \"webhooks_sharedkey_…\"");
    let secret = section.secret("secret").required("the secret of the shared key");
    Some((id?, secret?))
}

/// Checks a SID. The fault does not repeat the text, which may be a misplaced secret.
pub(super) fn sid<'s, 'a>(
    section: &'s mut Section<'a>,
    key: &str,
    prefix: &str,
) -> super::section::Asked<'s, 'a, String> {
    section.ask(key).rule(|text: &String| {
        let digits = text.strip_prefix(prefix).unwrap_or_default();
        if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(())
        } else {
            Err(format!("is not a SID of its kind: expected \"{prefix}\" and 32 hexadecimal digits"))
        }
    })
}

fn content(section: &mut Section<'_>, key: &str) -> Option<ContentRef> {
    sid(section, key, "HX").optional()?.parse().ok()
}

pub(super) fn is_alias(alias: &str) -> bool {
    alias.len() <= 32
        && alias.starts_with(|c: char| c.is_ascii_lowercase())
        && !alias.contains("__")
        && !alias.ends_with('_')
        && alias.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn twilio(url: &Url) -> Result<(), String> {
    base(url)?;
    // Twilio, "Legacy regional hostnames": `api.<region>.twilio.com` stopped working on 28 April 2026.
    let labels: Vec<&str> = url.host_str().unwrap_or_default().split('.').collect();
    match labels.as_slice() {
        [product, region, "twilio", "com"] => Err(format!(
            "names a region without an edge, which Twilio no longer serves: expected \
             {product}.<edge>.{region}.twilio.com, such as api.dublin.ie1.twilio.com"
        )),
        _ => Ok(()),
    }
}

pub(super) fn content_name(name: &str) -> Result<(), String> {
    if content::is_name(name) {
        Ok(())
    } else {
        Err(format!("is not the name of content: {}", content::Rule::Name.sentence()))
    }
}

fn document(name: &str) -> Result<(), String> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if plain && name.len() <= 64 {
        Ok(())
    } else {
        Err("is not the name of a document: expected letters, digits, \"-\" and \"_\", without directory and \
             extension"
            .into())
    }
}

impl Setting for CallbackPermission {
    const EXPECTED: &'static str = "one of \"off\", \"missed\", \"missed-and-answered\"";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|_| "is not a known value".to_owned())
    }

    fn write(&self) -> String {
        quoted(self.into())
    }
}

impl Setting for PoolName {
    const EXPECTED: &'static str = "the name of a pool: letters, digits, \"-\", \"_\" and \".\"";
    const KIND: &'static str = "pool";

    fn read(value: &Value) -> Result<Self, String> {
        PoolName::given(&String::read(value)?).map_err(|error| error.to_string())
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}

impl Setting for AgentTarget {
    const EXPECTED: &'static str = "\"client:name\" or \"sip:user@host\"";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|error| match error {
            AgentError::Shape => "names no agent that a WhatsApp call can be connected to".to_owned(),
            AgentError::Loopback => error.to_string(),
        })
    }

    fn write(&self) -> String {
        quoted(&self.to_string())
    }
}
