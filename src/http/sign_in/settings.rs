//! How people may sign in, and what is kept in memory for it.

use std::sync::Arc;

use axum::http::HeaderName;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use sha2::Sha256;
use tokio::sync::Semaphore;

use super::oidc::Oidc;
use super::tries::Tries;
use crate::domain::Way;
use crate::http::peers::TrustedProxies;

/// How many passwords are hashed at the same time. Each takes 19 MiB for some 20 ms.
const HASHED_TOGETHER: usize = 2;

/// The configuration of sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInSettings {
    /// Whether people sign in with a password.
    pub password: bool,
    /// The header in which a trusted proxy names the person.
    pub proxy_header: Option<HeaderName>,
    /// The names by which browsers reach the console through a proxy on this machine, without a port.
    pub proxy_hosts: Vec<String>,
    pub trusted_proxies: TrustedProxies,
    /// A session ends after this time without a request.
    pub idle: SignedDuration,
    /// A session ends after this time in any case.
    pub longest: SignedDuration,
}

impl Default for SignInSettings {
    /// Nobody signs in.
    fn default() -> Self {
        Self {
            password: false,
            proxy_header: None,
            proxy_hosts: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
            idle: SignedDuration::from_mins(30),
            longest: SignedDuration::from_hours(12),
        }
    }
}

/// How people may sign in, with what is kept in memory for it.
pub struct SignIn {
    pub settings: SignInSettings,
    pub(super) oidc: Option<Oidc>,
    key: [u8; 32],
    pub(super) tries: Tries,
    pub(super) hashing: Arc<Semaphore>,
}

impl Default for SignIn {
    fn default() -> Self {
        Self::new(SignInSettings::default(), None, &[0; 32])
    }
}

impl SignIn {
    /// `key` is a secret of this installation, the same on all its machines.
    #[must_use]
    pub fn new(settings: SignInSettings, oidc: Option<Oidc>, key: &[u8; 32]) -> Self {
        let hashing = Arc::new(Semaphore::new(HASHED_TOGETHER));
        let mut this = Self { settings, oidc, key: *key, tries: Tries::default(), hashing };
        this.key = this.mac("key of sign-in", "");
        this
    }

    /// Whether people sign in at all. If not, the console answers on this machine only.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.settings.password || self.settings.proxy_header.is_some() || self.oidc.is_some()
    }

    /// Whether sessions that began in this way still hold.
    pub(super) const fn takes(&self, way: Way) -> bool {
        match way {
            Way::Password => self.settings.password,
            Way::Oidc => self.oidc.is_some(),
            Way::Token | Way::Proxy | Way::Loopback | Way::Machine => false,
        }
    }

    /// What the forms of a session or of a person without one carry.
    #[must_use]
    pub fn csrf(&self, of: &str) -> String {
        self.mac("csrf", of).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn mac(&self, purpose: &str, text: &str) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length is a key for an HMAC");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}
