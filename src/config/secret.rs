//! A secret value: it is printed as `***` and wiped from memory on drop.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A password, token or key.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value, to send it or to sign with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value for modules that do not depend on the configuration.
    #[must_use]
    pub const fn as_secret(&self) -> &SecretString {
        &self.0
    }
}

/// The fewest characters of the secret of an app at Meta (our rule: whoever guesses it can sign a consumer's permission).
const APP_SECRET_MIN: usize = 16;

/// Checks the secret of an app at Meta. The fault does not repeat it.
///
/// # Errors
/// If it is too short to be one.
pub(super) fn app_secret(secret: &Secret) -> Result<(), String> {
    match secret.expose().chars().count() {
        count if count < APP_SECRET_MIN => Err(format!(
            "has {count} characters: expected at least {APP_SECRET_MIN} (our rule); copy it from the app's dashboard, \
             under App settings, Basic"
        )),
        _ => Ok(()),
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
