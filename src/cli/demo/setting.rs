//! The setting of the demo: a fixture whose daemon and world run faster than real time, with a number at WhatsApp's Cloud
//! API that only invites, and a page of Messenger.

use std::path::PathBuf;

use jiff::SignedDuration;
use url::Url;

use crate::config::Config;
use crate::domain::{AgentTarget, CallbackPermission, Phone, RoadKind};
use crate::sim::world::Setup;
use crate::simulation::{AtMessenger, Cloud, Fixture, fixture};

/// The number that only invites, which the samples name.
pub(super) const INVITES: &str = "+551140000009";

/// Values that the daemon and the world share.
#[derive(Debug)]
pub(super) struct Setting {
    pub seed: u64,
    /// How much faster than real time. The machine's own delays are as much longer.
    pub speed: f64,
    /// The URL of the world.
    pub world: Url,
    /// The URL of the daemon.
    pub daemon: Url,
    pub store: PathBuf,
    /// Where the content of invites is declared.
    pub content: PathBuf,
}

impl Setting {
    /// The daemon's configuration, and its world.
    ///
    /// # Errors
    /// If content cannot be declared.
    pub(super) fn fixture(&self) -> anyhow::Result<(Config, Setup)> {
        let with = Fixture {
            webhooks: false,
            api_url: self.world.clone(),
            public_url: self.daemon.clone(),
            calls_per_second: 5,
            seed: self.seed,
            invites: true,
            senders: 1,
        };
        let (mut config, mut setup) = fixture(&with);
        let number = Phone::parse(INVITES).expect("the samples' number is one");
        let roads = vec![RoadKind::CallButton, RoadKind::Template, RoadKind::DeepLink];
        Cloud { roads, ..Cloud::new(number) }.add(&with, (&mut config, &mut setup), &self.content)?;
        AtMessenger::default().add(&with, (&mut config, &mut setup), &self.content)?;
        config.store.path.clone_from(&self.store);
        // Both use the same clock, but requests between them take real time.
        config.calling.limit_margin = self.stretched(2_000);
        // The default delays of hours are too long for a demo.
        config.calling.retry.no_answer = SignedDuration::from_mins(20);
        config.calling.retry.busy = SignedDuration::from_mins(5);
        let senders = config.accounts.values_mut().flat_map(|account| account.senders.values_mut());
        for sender in senders {
            sender.agent = Some(AgentTarget::Client("alice".to_owned()));
            sender.callback_permission = CallbackPermission::Missed;
            sender.inbound_document = Some("inbound-message".to_owned());
        }
        setup.limits.pace_tolerance_ms = i64::try_from(self.stretched(50).as_millis()).unwrap_or(i64::MAX);
        for sender in setup.accounts.iter_mut().flat_map(|account| &mut account.senders) {
            sender.callback_permission = true;
        }
        Ok((config, setup))
    }

    /// Real milliseconds as milliseconds of the demo; never fewer than given.
    fn stretched(&self, millis: u32) -> SignedDuration {
        SignedDuration::from_secs_f64(f64::from(millis) / 1000.0 * self.speed.max(1.0))
    }
}
