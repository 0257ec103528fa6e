//! What consumers have installed, and what they show of themselves.

use serde::{Deserialize, Serialize};

use super::super::World;
use crate::domain::{Country, Phone};

/// A consumer's WhatsApp.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// It is older than 2.25.27 and does not return the payload of a button or a link (Meta, *Call Button Messages and
    /// Deep Links*, 26 Jun 2026).
    pub drops_payload: bool,
    /// It is so old that no call button and no permission request is delivered (the same page: code 131026).
    pub has_no_buttons: bool,
    /// It is only used on a computer, where no link calls (the same page).
    pub is_desktop: bool,
    /// The consumer has a user name, so that webhooks have the user id and no number (Meta, *Business-scoped user IDs*,
    /// 28 May 2026).
    pub hides_number: bool,
}

impl World {
    /// Overrides what the seed gives to a consumer.
    pub fn set_client(&mut self, consumer: Phone, client: Client) {
        self.graph.clients.insert(consumer, client);
    }

    /// Depends only on the seed and the number, not on earlier draws.
    pub(super) fn client(&self, consumer: Phone) -> Client {
        if let Some(client) = self.graph.clients.get(&consumer) {
            return *client;
        }
        let behaviour = &self.setup.behaviour;
        let seed = self.setup.seed ^ consumer.digits().wrapping_mul(0xD134_2543_DE82_EF95);
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut is = |of_ten: u32| rng.u32(..10) < of_ten;
        Client {
            drops_payload: is(behaviour.payload_dropped_of_ten),
            hides_number: is(behaviour.number_hidden_of_ten),
            ..Client::default()
        }
    }

    /// The consumer's id for the one portfolio of the world.
    pub(super) fn user_id(&mut self, consumer: Phone) -> String {
        let country = Country::of(consumer);
        let letters = country.as_ref().map_or("GB", Country::letters);
        let seed = self.setup.seed ^ consumer.digits().wrapping_mul(0xA24B_AED4_963E_E407);
        let number = fastrand::Rng::with_seed(seed).u64(10_u64.pow(15)..10_u64.pow(16));
        let id = format!("{letters}.{number}");
        self.graph.people.insert(id.clone(), consumer);
        id
    }
}
