//! `[messenger.<alias>]`: pages of Messenger, over which consumers are invited.

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

use crate::domain::{AccountAlias, ContentRef, Phone, Road, RoadKind};

use super::Config;
use super::accounts::{content_name, is_alias};
use super::http::base;
use super::secret::{Secret, app_secret};
use super::section::{Reading, Section};
use super::tree::Origin;

/// One page of Messenger.
#[derive(Debug, Clone)]
pub struct Messenger {
    pub page_id: String,
    /// A token of the page with the right `pages_messaging`.
    pub token: Secret,
    /// Signs Meta's webhooks.
    pub app_secret: Secret,
    /// Chosen by the operator, for the check of the webhook's URL.
    pub verify_token: Secret,
    /// Such as `v25.0`.
    pub graph_version: String,
    pub graph_url: Url,
    /// The senders whose callbacks may be invited here; empty for all.
    pub senders: BTreeSet<Phone>,
    pub requests_in_flight_max: u32,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    /// The declared content that invites.
    pub invite: Option<ContentRef>,
}

impl Messenger {
    /// The road of a sender over this page.
    #[must_use]
    pub fn road(&self, alias: &AccountAlias, sender: Phone) -> Option<Road> {
        let is_served = self.senders.is_empty() || self.senders.contains(&sender);
        let content = self.invite.clone().filter(|_| is_served)?;
        Some(Road { kind: RoadKind::Messenger, account: alias.clone(), content })
    }

    pub(super) fn read(alias: &str, section: &mut Section<'_>) -> Option<Self> {
        if !is_alias(alias) {
            section.fault(
                "",
                "is not an alias: expected 1 to 32 small letters, digits and single \"_\", the first a letter",
            );
        }
        let seconds = Duration::from_secs;
        let page_id = section
            .ask("page_id")
            .rule(|text: &String| page_id(text))
            .required("the id of the page, in its About section");
        let token =
            section.secret("token").required("a token of the page, not of a system user for WhatsApp");
        let app_secret = section.secret("app_secret").rule(app_secret);
        let app_secret = app_secret.required("the secret of the app, which signs webhooks");
        let verify_token = section
            .secret("verify_token")
            .required("a text that you also give to Meta with the webhook's URL");
        let graph_version =
            section.ask("graph_version").rule(|text: &String| version(text)).or("v25.0".to_owned());
        let graph_url = Url::parse("https://graph.facebook.com").expect("this is a URL");
        let graph_url = section.ask("graph_url").rule(base).or(graph_url);
        let senders: Vec<String> =
            section.ask("senders").rule(|list: &Vec<String>| numbers(list)).or(Vec::new());
        let requests_in_flight_max = section.ask("requests_in_flight_max").within(1, 1000).or(16);
        let connect_timeout = section.ask("connect_timeout").within(seconds(1), seconds(60)).or(seconds(3));
        let request_timeout = section.ask("request_timeout").within(seconds(1), seconds(120)).or(seconds(15));
        let invite = section.ask("invite").rule(|name: &String| content_name(name)).optional();
        Some(Self {
            page_id: page_id?,
            token: token?,
            app_secret: app_secret?,
            verify_token: verify_token?,
            graph_version,
            graph_url,
            senders: senders.iter().filter_map(|number| Phone::parse(number).ok()).collect(),
            requests_in_flight_max,
            connect_timeout,
            request_timeout,
            invite: invite.and_then(|name| name.parse().ok()),
        })
    }
}

/// Checks the rules between pages, accounts and senders.
pub(super) fn check(config: &Config, reading: &mut Reading) {
    let on_twilio = config.senders().map(|(_, sender)| sender.number);
    let senders: BTreeSet<Phone> = on_twilio.chain(config.meta.values().map(|meta| meta.number)).collect();
    let mut pages = BTreeSet::new();
    for (alias, page) in &config.messenger {
        let mut fault = |key: &str, problem: String| {
            reading.fault(&Origin::Nowhere, &format!("messenger.{alias}{key}"), problem);
        };
        for (section, is_taken) in
            [("accounts", config.accounts.contains_key(alias)), ("meta", config.meta.contains_key(alias))]
        {
            if is_taken {
                fault("", format!("has the alias of {section}.{alias}: every alias is used once (our rule)"));
            }
        }
        for (other, meta) in &config.meta {
            if [&meta.phone_number_id, &meta.business_account_id].contains(&&page.page_id) {
                fault(
                    ".page_id",
                    format!("is an id of meta.{other}: a page has an id of its own (our rule)"),
                );
            }
            if meta.token.expose() == page.token.expose() {
                fault(
                    ".token",
                    format!(
                        "is the token of meta.{other} as well: a page and a number have their own (our rule)"
                    ),
                );
            }
        }
        if !pages.insert(&page.page_id) {
            fault(".page_id", "belongs to another [messenger] section as well (our rule)".into());
        }
        if !page.senders.is_subset(&senders) {
            fault(".senders", "names a number that is no sender of the configuration (our rule)".into());
        }
    }
}

/// Checks the id of a page. The fault does not repeat the text, which may be a misplaced secret.
fn page_id(text: &str) -> Result<(), String> {
    let fits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(()) } else { Err("is not the id of a page: expected 1 to 32 digits in quotes".into()) }
}

fn version(text: &str) -> Result<(), String> {
    let part = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let parts = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    match parts {
        Some((major, minor)) if part(major) && part(minor) => Ok(()),
        _ => Err("is not a version of the Graph API: expected one such as \"v25.0\"".into()),
    }
}

fn numbers(list: &[String]) -> Result<(), String> {
    match list.iter().find_map(|number| Phone::parse(number).err()) {
        Some(error) => Err(format!("has a number that is none: {error}")),
        None => Ok(()),
    }
}
