//! The setting of the demo: a world, and the configuration of a daemon that works in it.
//!
//! Every secret here opens only what is made up.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use crate::config::{Account, Config, Secret};
use crate::domain::{AgentTarget, CallbackPermission, Phone, Sender};
use crate::sim::world::{AccountSetup, ContentSetup, SenderSetup, Setup};

const ALIAS: &str = "demo";
const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
const KEY_SID: &str = "SK00000000000000000000000000000001";
const SECRET: &str = "demo";
const REQUEST: &str = "HX00000000000000000000000000000001";
const TEMPLATE: &str = "HX00000000000000000000000000000002";
const INVITE: &str = "HX00000000000000000000000000000003";
const CALLS_PER_SECOND: u32 = 5;

/// A London number that the regulator keeps free for fiction.
const SENDER: &str = "+442079460000";

/// What both sides have to agree about.
#[derive(Debug)]
pub(super) struct Setting {
    pub seed: u64,
    /// How much faster than real time; what the machine needs counts that much more.
    pub speed: f64,
    /// Where the world is.
    pub world: Url,
    /// Where the daemon is.
    pub daemon: Url,
    pub store: PathBuf,
}

impl Setting {
    /// The world, with one account and one sender.
    pub(super) fn world(&self) -> Setup {
        let hook = |path: &str| Some(format!("{}{path}", self.daemon.as_str().trim_end_matches('/')));
        let sender = SenderSetup {
            message_url: hook("/hooks/messages"),
            voice_url: hook("/hooks/inbound"),
            voice_status_url: hook("/hooks/inbound/status"),
            callback_permission: true,
            ..SenderSetup::new(sender())
        };
        let account = AccountSetup {
            api_keys: vec![(KEY_SID.to_owned(), SECRET.to_owned())],
            calls_per_second: CALLS_PER_SECOND,
            senders: vec![sender],
            contents: vec![
                ContentSetup::permission_request(REQUEST, false),
                ContentSetup::permission_request(TEMPLATE, true),
                ContentSetup::invite(INVITE, true),
            ],
            ..AccountSetup::new(ACCOUNT_SID, SECRET)
        };
        let mut setup = Setup::new(self.seed, vec![account]);
        setup.limits.pace_tolerance_ms = i64::from(self.stretched(50));
        setup
    }

    /// The daemon's configuration.
    pub(super) fn config(&self) -> Config {
        let mut config = Config::default();
        config.http.public_url = self.daemon.clone();
        config.store.path.clone_from(&self.store);
        // The two clocks are one, but what travels between them takes real time.
        config.calling.limit_margin = SignedDuration::from_millis(i64::from(self.stretched(2_000)));
        config.accounts.insert(ALIAS.into(), self.account());
        config
    }

    fn account(&self) -> Account {
        let sender = Sender {
            number: sender(),
            account: ALIAS.into(),
            label: Some("Demo".to_owned()),
            agent: Some(AgentTarget::Client("alice".to_owned())),
            workflow: None,
            permission_request: Some(REQUEST.to_owned()),
            permission_template: Some(TEMPLATE.to_owned()),
            invite: Some(INVITE.to_owned()),
            concurrent_calls_max: None,
            callback_permission: CallbackPermission::Missed,
            inbound_document: Some("inbound".to_owned()),
        };
        Account {
            account_sid: ACCOUNT_SID.to_owned(),
            api_key_sid: KEY_SID.to_owned(),
            api_key_secret: Secret::new(SECRET),
            auth_token: Some(Secret::new(SECRET)),
            auth_token_next: None,
            shared_keys: [].into(),
            calls_per_second: f64::from(CALLS_PER_SECOND),
            requests_in_flight_max: 32,
            connect_timeout: Duration::from_secs(3),
            request_timeout: Duration::from_secs(15),
            api_url: self.world.clone(),
            content_url: self.world.clone(),
            messaging_url: self.world.clone(),
            monitor_url: self.world.clone(),
            senders: [(sender.number, sender)].into(),
        }
    }

    /// Milliseconds of the machine in those of the demo; never fewer than they are.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a stretch saturates")]
    fn stretched(&self, millis: u32) -> u32 {
        (f64::from(millis) * self.speed.max(1.0)) as u32
    }
}

fn sender() -> Phone {
    Phone::parse(SENDER).expect("the number is written above")
}
