//! `[meta.<alias>]`: phone numbers at WhatsApp's Cloud API, over which consumers are invited.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use url::Url;

use crate::content::role::Role;
use crate::domain::person::PORTFOLIO_DEFAULT;
use crate::domain::{AccountAlias, ContentRef, Phone, Portfolio, RequestRoad, Road, RoadKind, Sender};

use super::Config;
use super::accounts::{content_name, is_alias, is_portfolio};
use super::http::base;
use super::secret::{Secret, app_secret};
use super::section::{Reading, Section};

/// One phone number at WhatsApp's Cloud API.
#[derive(Debug, Clone)]
pub struct Meta {
    /// Our sender.
    pub number: Phone,
    pub phone_number_id: String,
    /// Of the WhatsApp Business Account that has the number.
    pub business_account_id: String,
    pub portfolio: Portfolio,
    /// A token with the right `whatsapp_business_messaging`.
    pub token: Secret,
    /// Signs Meta's webhooks.
    pub app_secret: Secret,
    /// Chosen by the operator, for the check of the webhook's URL.
    pub verify_token: Secret,
    /// Such as `v25.0`.
    pub graph_version: String,
    pub graph_url: Url,
    /// Whether a Twilio account has the same number.
    pub shared_number: bool,
    pub requests_in_flight_max: u32,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    /// Declared content of permission requests inside the service window, for the calls of a shared number.
    pub permission_request: Option<ContentRef>,
    /// The declared content of each road.
    pub contents: BTreeMap<RoadKind, ContentRef>,
    /// The name at WhatsApp of the version of the template that is sent, once it was looked up. The declared one without.
    pub template: Option<String>,
}

/// The keys of declared content, in the order of the ladder.
const ROADS: [(RoadKind, &str); 4] = [
    (RoadKind::CallButton, "invite_call_button"),
    (RoadKind::Template, "invite_template"),
    (RoadKind::UrlButton, "invite_url_button"),
    (RoadKind::DeepLink, "invite_deep_link"),
];

impl Meta {
    /// The roads of the number, in the order of the ladder.
    pub fn roads(&self, alias: &AccountAlias) -> impl Iterator<Item = Road> {
        let road = |(kind, content): (&RoadKind, &ContentRef)| Road {
            kind: *kind,
            account: alias.clone(),
            content: content.clone(),
        };
        self.contents.iter().map(road)
    }

    /// By which the number asks for the permission of calls.
    #[must_use]
    pub fn request_road(&self, alias: &AccountAlias) -> Option<RequestRoad> {
        let content = self.permission_request.clone()?;
        Some(RequestRoad { account: alias.clone(), content })
    }

    /// The declared content that it names, each with its key.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &ContentRef)> {
        let roads = ROADS.into_iter().filter_map(|(kind, key)| Some((key, self.contents.get(&kind)?)));
        roads.chain(self.permission_request.iter().map(|name| ("permission_request_content", name)))
    }

    /// What is allowed and probably not meant, each a line.
    pub(super) fn doubts(&self, alias: &AccountAlias) -> Vec<String> {
        let is_idle = self.permission_request.is_some() && !self.shared_number;
        let doubt = format!(
            "meta.{alias}.permission_request_content is not used: no account calls from the number, so nobody could use \
             the permission"
        );
        is_idle.then_some(doubt).into_iter().collect()
    }

    /// The sender of a number that no Twilio account has. It invites, and never calls.
    #[must_use]
    pub fn sender(&self, alias: &AccountAlias) -> Sender {
        Sender {
            portfolio: self.portfolio.clone(),
            roads: self.roads(alias).collect(),
            can_call: false,
            ..Sender::new(self.number, alias.clone())
        }
    }

    pub(super) fn read(alias: &str, section: &mut Section<'_>) -> Option<Self> {
        if !is_alias(alias) {
            section.fault(
                "",
                "is not an alias: expected 1 to 32 small letters, digits and single \"_\", the first a letter",
            );
        }
        let seconds = Duration::from_secs;
        let number = section
            .ask("number")
            .rule(|text: &String| Phone::parse(text).map(drop).map_err(|fault| fault.to_string()))
            .required("the sender's number, as \"+5511987654321\"");
        let phone_number_id = section.ask("phone_number_id").rule(|text: &String| id(text));
        let phone_number_id = phone_number_id
            .required("the id of the number, in the app's dashboard under WhatsApp, API setup");
        let business_account_id = section.ask("business_account_id").rule(|text: &String| id(text));
        let business_account_id =
            business_account_id.required("the id of the WhatsApp Business Account, on the same page");
        let portfolio = section.ask("portfolio").rule(|name: &String| is_portfolio(name));
        let portfolio = Portfolio::from(portfolio.or(PORTFOLIO_DEFAULT.to_owned()));
        let token = section.secret("token").required("a system user's token for the account");
        let app_secret = section.secret("app_secret").rule(app_secret);
        let app_secret = app_secret.required("the secret of the app, which signs webhooks");
        let verify_token = section
            .secret("verify_token")
            .required("a text that you also give to Meta with the webhook's URL");
        let graph_version =
            section.ask("graph_version").rule(|text: &String| version(text)).or("v25.0".to_owned());
        let graph_url = Url::parse("https://graph.facebook.com").expect("this is a URL");
        let graph_url = section.ask("graph_url").rule(base).or(graph_url);
        let shared_number = section.ask("shared_number").or(false);
        let requests_in_flight_max = section.ask("requests_in_flight_max").within(1, 1000).or(16);
        let connect_timeout = section.ask("connect_timeout").within(seconds(1), seconds(60)).or(seconds(3));
        let request_timeout = section.ask("request_timeout").within(seconds(1), seconds(120)).or(seconds(15));
        let permission_request =
            section.ask("permission_request_content").rule(|name: &String| content_name(name)).optional();
        let contents = ROADS.into_iter().filter_map(|(kind, key)| {
            let name = section.ask(key).rule(|name: &String| content_name(name)).optional()?;
            Some((kind, name.parse().ok()?))
        });
        let contents = contents.collect();
        Some(Self {
            number: Phone::parse(&number?).ok()?,
            phone_number_id: phone_number_id?,
            business_account_id: business_account_id?,
            portfolio,
            token: token?,
            app_secret: app_secret?,
            verify_token: verify_token?,
            graph_version,
            graph_url,
            shared_number,
            requests_in_flight_max,
            connect_timeout,
            request_timeout,
            permission_request: permission_request.and_then(|name| name.parse().ok()),
            contents,
            template: None,
        })
    }
}

/// Checks the rules between numbers and accounts.
pub(super) fn check(config: &Config, reading: &mut Reading) {
    let on_twilio: BTreeMap<Phone, AccountAlias> =
        config.senders().map(|(alias, sender)| (sender.number, alias.clone())).collect();
    let (mut numbers, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (alias, meta) in &config.meta {
        let mut fault = |key: &str, problem: String| {
            let path = format!("meta.{alias}{key}");
            reading.fault(&super::tree::Origin::Nowhere, &path, problem);
        };
        if config.accounts.contains_key(alias) {
            fault("", format!("has the alias of accounts.{alias}: every alias is used once (our rule)"));
        }
        if !numbers.insert(meta.number) {
            fault(".number", "belongs to another [meta] section as well: a number has one (our rule)".into());
        }
        if !ids.insert(&meta.phone_number_id) {
            let problem = "belongs to another [meta] section as well: a number has one id";
            fault(".phone_number_id", problem.into());
        }
        if meta.permission_request.is_some()
            && let Some(account) = on_twilio.get(&meta.number)
            && asks_itself(config, account, meta.number)
        {
            fault(
                ".permission_request_content",
                format!(
                    "has to be left out, because the sender at accounts.{account} has content for requests in the \
                     service window as well: a sender asks by one account (our rule)"
                ),
            );
        }
        match (on_twilio.get(&meta.number), meta.shared_number) {
            (Some(account), false) => fault(
                ".shared_number",
                format!(
                    "has to be true, because the number is a sender of accounts.{account} as well; whether Twilio and \
                     Meta both serve one number is not verified (our rule)"
                ),
            ),
            (None, true) => fault(
                ".shared_number",
                "is true, and the number is no sender of [accounts] (our rule)".into(),
            ),
            _ => {}
        }
    }
}

/// Whether a sender at Twilio has content for requests inside the service window.
fn asks_itself(config: &Config, account: &AccountAlias, number: Phone) -> bool {
    let Some(account) = config.accounts.get(account) else { return false };
    let by_sid = account.senders.get(&number).is_some_and(|sender| sender.permission_request.is_some());
    by_sid || account.named_content.contains_key(&(number, Role::Request))
}

/// Checks an id of Meta's. The fault does not repeat the text, which may be a misplaced secret.
fn id(text: &str) -> Result<(), String> {
    let fits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(()) } else { Err("is not an id of Meta's: expected 1 to 32 digits in quotes".into()) }
}

fn version(text: &str) -> Result<(), String> {
    let part = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let parts = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    match parts {
        Some((major, minor)) if part(major) && part(minor) => Ok(()),
        _ => Err("is not a version of the Graph API: expected one such as \"v25.0\"".into()),
    }
}
