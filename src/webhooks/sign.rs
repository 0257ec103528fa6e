//! Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one for each secret.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Signs with one secret, or with two while receivers change over.
#[derive(Clone)]
pub struct Signer {
    keys: Vec<Hmac<Sha256>>,
}

/// A secret that is not `whsec_` and Base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is not \"whsec_\" and Base64")]
pub struct SecretError;

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer of {} keys", self.keys.len())
    }
}

impl Signer {
    /// # Errors
    /// [`SecretError`], which does not contain the secret.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Result<Self, SecretError> {
        let key = |secret: &str| {
            let bytes = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
            Hmac::new_from_slice(&bytes).ok()
        };
        let keys =
            secrets.into_iter().map(|secret| key(secret).ok_or(SecretError)).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// The value of the header `webhook-signature`; `timestamp` is in seconds.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let signatures = self.keys.iter().map(|key| {
            let mut mac = key.clone();
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body.as_bytes());
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example of the specification's reference libraries.
    #[test]
    fn the_published_example_gets_the_published_signature() {
        let signer = Signer::new([SECRET]).unwrap();
        let signature = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_give_two_signatures_the_current_one_first() {
        let next = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let of = |secrets: &[&str]| Signer::new(secrets.iter().copied()).unwrap().sign("msg_1", 1, "{}");
        assert_eq!(of(&[SECRET, next]), format!("{} {}", of(&[SECRET]), of(&[next])));
        assert_ne!(of(&[SECRET]), of(&[next]));
    }

    #[test]
    fn a_text_that_is_not_a_secret_is_refused() {
        for text in ["", "whsec_*", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(Signer::new([text]).map(drop), Err(SecretError), "{text}");
        }
    }
}
