//! Twilio's request signatures: verified for webhooks, and created for the simulated world.
//!
//! Twilio documents them under "Webhooks security" and "Webhook shared keys" (read November 2026). The signed
//! text is the public URL followed by every form parameter in order, or the URL alone with the digest of a
//! body that is not a form in its query. The caller passes the public URL that Twilio was given, because a request
//! behind a proxy does not have it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";
/// The header with the shared key and its algorithm; absent if the auth token signed.
pub const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";

const BODY_DIGEST: &str = "bodySHA256";

/// One decoded form parameter.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The content of a webhook besides its URL.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// A GET, or a POST without a body.
    None,
    /// The decoded parameters of a form body, in any order, repeated names included.
    Form(&'a [Pair<'a>]),
    /// The raw bytes of any other body.
    Raw(&'a [u8]),
}

/// The signed parts of a webhook, and its signature headers.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The URL that Twilio was given: scheme, host and path as configured, and the raw query as received.
    pub url: &'a str,
    pub payload: Payload<'a>,
    pub signature: Option<&'a str>,
    pub settings: Option<&'a str>,
}

/// Why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the webhook has no signature")]
    Missing,
    #[error("the webhook names an unknown signature algorithm")]
    UnknownAlgorithm,
    #[error("the webhook names a shared key that is not configured")]
    UnknownKey,
    #[error("the body does not have the digest in its URL")]
    BodyMismatch,
    #[error("the signature does not match")]
    Mismatch,
}

/// One signing secret, with its key schedule computed once.
#[derive(Clone)]
pub struct Key {
    mac: KeyedMac,
    id: Option<String>,
}

#[derive(Clone)]
enum KeyedMac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
}

impl Key {
    /// The auth token of the account, or of the subaccount that owns the number. API keys never sign.
    #[must_use]
    pub fn auth_token(token: &SecretString) -> Self {
        let mac =
            Hmac::new_from_slice(token.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
        Self { mac: KeyedMac::Sha1(mac), id: None }
    }

    /// A shared key: `webhooks_sharedkey_…` and its secret. Without an id, it is used for all shared keys.
    #[must_use]
    pub fn shared(id: Option<String>, secret: &SecretString) -> Self {
        let mac =
            Hmac::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
        Self { mac: KeyedMac::Sha256(mac), id }
    }

    /// The signature of a webhook. The URL of a [`Payload::Raw`] must come from [`with_body_digest`].
    #[must_use]
    pub fn sign(&self, url: &str, payload: Payload<'_>) -> String {
        let params = sorted(payload);
        let url = [without_fragment(url), "", ""];
        match &self.mac {
            KeyedMac::Sha1(mac) => STANDARD.encode(fed(mac, url, &params).finalize().into_bytes()),
            KeyedMac::Sha256(mac) => STANDARD.encode(fed(mac, url, &params).finalize().into_bytes()),
        }
    }

    /// The value of [`SETTINGS_HEADER`] for this key, if the header is sent.
    #[must_use]
    pub fn settings(&self) -> Option<String> {
        match &self.mac {
            KeyedMac::Sha1(_) => None,
            KeyedMac::Sha256(_) => Some(format!(
                "key={},algorithm=HMAC_SHA256",
                self.id.as_deref().unwrap_or("webhooks_sharedkey")
            )),
        }
    }

    fn made(&self, signature: &[u8], url: [&str; 3], params: &[(&str, &str)]) -> bool {
        match &self.mac {
            KeyedMac::Sha1(mac) => fed(mac, url, params).verify_slice(signature).is_ok(),
            KeyedMac::Sha256(mac) => fed(mac, url, params).verify_slice(signature).is_ok(),
        }
    }

    fn answers_to(&self, settings: &Settings<'_>) -> bool {
        match &self.mac {
            KeyedMac::Sha1(_) => settings.algorithm == Algorithm::Sha1,
            KeyedMac::Sha256(_) => {
                settings.algorithm == Algorithm::Sha256
                    && self.id.as_deref().is_none_or(|id| settings.key.is_none_or(|key| key == id))
            }
        }
    }
}

/// Verifies webhooks with all secrets in use. There are two auth tokens while one is being replaced.
#[derive(Clone)]
pub struct Verifier {
    keys: Vec<Key>,
}

impl Verifier {
    #[must_use]
    pub fn new(keys: Vec<Key>) -> Self {
        Self { keys }
    }

    /// The time does not depend on how much of a signature is right.
    ///
    /// # Errors
    /// [`SignatureError`]; only for the log, not for the answer.
    pub fn verify(&self, signed: &Signed<'_>) -> Result<(), SignatureError> {
        let signature = signed.signature.filter(|text| !text.is_empty()).ok_or(SignatureError::Missing)?;
        let settings = Settings::parse(signed.settings)?;
        if !self.keys.iter().any(|key| key.answers_to(&settings)) {
            return Err(SignatureError::UnknownKey);
        }
        let mut decoded = [0; 64];
        let length = STANDARD.decode_slice(signature, &mut decoded).map_err(|_| SignatureError::Mismatch)?;
        let url = without_fragment(signed.url);
        let params = sorted(signed.payload);
        let keys = || self.keys.iter().filter(|key| key.answers_to(&settings));
        let made = |url: [&str; 3]| keys().any(|key| key.made(&decoded[..length], url, &params));
        if !made([url, "", ""]) && !other_port(url).is_some_and(made) {
            return Err(SignatureError::Mismatch);
        }
        match signed.payload {
            Payload::Raw(body) if !has_digest(url, body) => Err(SignatureError::BodyMismatch),
            _ => Ok(()),
        }
    }
}

/// The URL as Twilio requests it when the body is not a form: with the digest of the body in its query.
#[must_use]
pub fn with_body_digest(url: &str, body: &[u8]) -> String {
    let url = without_fragment(url);
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{BODY_DIGEST}={}", hex(&Sha256::digest(body)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha1,
    Sha256,
}

struct Settings<'a> {
    algorithm: Algorithm,
    key: Option<&'a str>,
}

impl<'a> Settings<'a> {
    fn parse(header: Option<&'a str>) -> Result<Self, SignatureError> {
        let mut settings = Self { algorithm: Algorithm::Sha1, key: None };
        for part in header.unwrap_or_default().split(',') {
            match part.trim().split_once('=') {
                Some(("algorithm", "HMAC_SHA1")) => settings.algorithm = Algorithm::Sha1,
                Some(("algorithm", "HMAC_SHA256")) => settings.algorithm = Algorithm::Sha256,
                Some(("algorithm", _)) => return Err(SignatureError::UnknownAlgorithm),
                Some(("key", key)) => settings.key = Some(key),
                _ => {}
            }
        }
        Ok(settings)
    }
}

/// The parameters in the order in which they are signed: by name in byte order; the values of a repeated name
/// in byte order too, and each of them once.
fn sorted<'a>(payload: Payload<'a>) -> Vec<(&'a str, &'a str)> {
    let Payload::Form(pairs) = payload else { return Vec::new() };
    let mut params: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    params.sort_unstable();
    params.dedup();
    params
}

/// The MAC over the URL and the parameters. The URL is in three pieces, so that a port can be added or left out
/// without a copy.
fn fed<M: Mac + Clone>(keyed: &M, url: [&str; 3], params: &[(&str, &str)]) -> M {
    let mut mac = keyed.clone();
    for piece in url {
        mac.update(piece.as_bytes());
    }
    for (name, value) in params {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac
}

/// The URL without its port, or with its scheme's port if it has none: Twilio is not consistent about which of
/// the two it signs.
#[expect(clippy::arithmetic_side_effects, reason = "positions in one text, each within its length")]
fn other_port(url: &str) -> Option<[&str; 3]> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    let start = url.len() - rest.len();
    let end = start + authority.len();
    // The colons of an IPv6 address are in brackets, so a port follows the last colon after the last bracket.
    let host_end = authority[host_at..].rfind(']').map_or(host_at, |at| host_at + at);
    if let Some(colon) = authority[host_end..].find(':') {
        return Some([&url[..start + host_end + colon], "", &url[end..]]);
    }
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    Some([&url[..end], port, &url[end..]])
}

fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}

fn has_digest(url: &str, body: &[u8]) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let announced = query.split('&').find_map(|part| part.strip_prefix(BODY_DIGEST)?.strip_prefix('='));
    announced.is_some_and(|announced| {
        bool::from(hex(&Sha256::digest(body)).as_bytes().ct_eq(announced.as_bytes()))
    })
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

#[cfg(test)]
mod tests;
