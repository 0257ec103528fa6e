//! A fixture: a configuration and a matching world.

use std::collections::BTreeMap;

use url::Url;

use crate::config::{Account, Config, Secret};
use crate::domain::{Phone, Sender};
use crate::hook_urls::SenderUrls;
use crate::sim::world::{AccountSetup, ContentSetup, SenderSetup, Setup};

/// Options of a fixture.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// Base URL of the simulated Twilio.
    pub api_url: Url,
    /// Base URL at which the world reaches the daemon.
    pub public_url: Url,
    pub calls_per_second: u32,
    pub seed: u64,
    /// Whether the senders have content for invites.
    pub invites: bool,
    /// Whether customer webhooks are configured. No one receives them.
    pub webhooks: bool,
    /// How many of [`SENDERS`] are used.
    pub senders: usize,
}

impl Default for Fixture {
    fn default() -> Self {
        let here = Url::parse("http://127.0.0.1").expect("this is a URL");
        Self {
            api_url: here.clone(),
            public_url: here,
            calls_per_second: 1,
            seed: 1,
            invites: false,
            webhooks: false,
            senders: SENDERS.len(),
        }
    }
}

const ACCOUNT: &str = "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
const API_KEY: &str = "SK5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
const SIGNING_SECRET: &str = "whsec_c3RhZ2VzdGFnZXN0YWdlc3RhZ2VzdGFnZXN0YWdl";
const REQUEST: &str = "HX00000000000000000000000000000001";
const TEMPLATE: &str = "HX00000000000000000000000000000002";
const INVITE: &str = "HX00000000000000000000000000000003";

/// The senders of every fixture. Brazilian numbers may place calls.
pub const SENDERS: [&str; 2] = ["+551140000001", "+551140000002"];

/// One account with its senders, for the daemon and for the world.
#[must_use]
pub fn fixture(fixture: &Fixture) -> (Config, Setup) {
    // Credentials that are valid only in this process.
    let (secret, token) = (format!("secret-{:016x}", fixture.seed), format!("token-{:016x}", fixture.seed));
    let numbers = SENDERS.map(|number| Phone::parse(number).expect("the fixture's senders are numbers"));

    let mut config = Config::default();
    config.http.public_url = fixture.public_url.clone().into();
    // They would keep the limits of the platforms from being reached.
    (config.calling.people.caps.per_day, config.calling.people.caps.per_week) = (0, 0);
    if fixture.webhooks {
        config.webhooks.url = Url::parse("https://customer.example/hooks").ok();
        config.webhooks.secret = Some(Secret::new(SIGNING_SECRET));
    }
    let numbers = &numbers[..fixture.senders.min(SENDERS.len())];
    let senders = numbers.iter().map(|&number| (number, sender(number, fixture.invites))).collect();
    config.accounts.insert(
        "main".into(),
        Account {
            account_sid: ACCOUNT.to_owned(),
            api_key_sid: API_KEY.to_owned(),
            api_key_secret: Secret::new(&*secret),
            auth_token: Some(Secret::new(&*token)),
            auth_token_next: None,
            shared_keys: BTreeMap::new(),
            calls_per_second: f64::from(fixture.calls_per_second),
            requests_in_flight_max: 64,
            concurrent_calls_max: None,
            connect_timeout: std::time::Duration::from_secs(3),
            request_timeout: std::time::Duration::from_secs(15),
            api_url: fixture.api_url.clone(),
            content_url: fixture.api_url.clone(),
            messaging_url: fixture.api_url.clone(),
            monitor_url: fixture.api_url.clone(),
            taskrouter_url: fixture.api_url.clone(),
            named_content: BTreeMap::new(),
            content_variables: BTreeMap::new(),
            senders,
        },
    );

    let urls = SenderUrls::below(config.http.public_url.as_str());
    let mut account = AccountSetup::new(ACCOUNT, token);
    account.api_keys.push((API_KEY.to_owned(), secret));
    account.calls_per_second = fixture.calls_per_second;
    account.contents = vec![
        ContentSetup::permission_request(REQUEST, false),
        ContentSetup::permission_request(TEMPLATE, true),
        ContentSetup::invite(INVITE, true),
    ];
    account.senders = numbers
        .iter()
        .map(|&number| SenderSetup {
            message_url: Some(urls.messages.clone()),
            voice_url: Some(urls.calls.clone()),
            voice_status_url: Some(urls.call_status.clone()),
            ..SenderSetup::new(number)
        })
        .collect();
    (config, Setup::new(fixture.seed, vec![account]))
}

fn sender(number: Phone, invites: bool) -> Sender {
    Sender {
        permission_request: REQUEST.parse().ok(),
        permission_template: TEMPLATE.parse().ok(),
        invite: INVITE.parse().ok().filter(|_| invites),
        ..Sender::new(number, "main")
    }
}
