//! The handshake by which Meta checks the URL of a webhook: a GET with a token that the operator chose.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The longest challenge that is returned, in bytes. Meta's are numbers (our rule).
pub const CHALLENGE_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    #[error("hub.mode is not \"subscribe\"")]
    Mode,
    #[error("hub.verify_token is not the configured one")]
    Token,
    #[error("hub.challenge is not 1 to {CHALLENGE_MAX} letters, digits, \"-\" and \"_\" (our rule)")]
    Challenge,
}

/// The text to answer with, from the query of the request.
///
/// # Errors
/// [`HandshakeError`].
pub fn answer(query: &str, verify_token: &SecretString) -> Result<String, HandshakeError> {
    let value = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find_map(|(given, value)| (given == name).then_some(value))
    };
    if value("hub.mode").as_deref() != Some("subscribe") {
        return Err(HandshakeError::Mode);
    }
    let given = value("hub.verify_token").unwrap_or_default();
    // Of digests, so that the time does not tell the length either.
    let [given, expected] = [given.as_bytes(), verify_token.expose_secret().as_bytes()].map(Sha256::digest);
    if !bool::from(given.as_slice().ct_eq(expected.as_slice())) {
        return Err(HandshakeError::Token);
    }
    let challenge = value("hub.challenge").unwrap_or_default();
    let is_plain = challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_plain && (1..=CHALLENGE_MAX).contains(&challenge.len()) {
        Ok(challenge.into_owned())
    } else {
        Err(HandshakeError::Challenge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_returned_for_the_right_token() {
        let token = SecretString::from("my token");
        let asked = |mode: &str, given: &str, challenge: &str| {
            let query = format!("hub.mode={mode}&hub.verify_token={given}&hub.challenge={challenge}");
            answer(&query, &token)
        };
        assert_eq!(asked("subscribe", "my+token", "1158201444"), Ok("1158201444".to_owned()));
        assert_eq!(asked("unsubscribe", "my+token", "1"), Err(HandshakeError::Mode));
        for given in ["", "my", "my+token+", "My+token"] {
            assert_eq!(asked("subscribe", given, "1"), Err(HandshakeError::Token), "{given}");
        }
        let longest = "1".repeat(CHALLENGE_MAX);
        assert_eq!(asked("subscribe", "my+token", &longest), Ok(longest.clone()));
        for challenge in [String::new(), longest + "1", "%3Cscript%3E".to_owned(), "a+b".to_owned()] {
            assert_eq!(asked("subscribe", "my+token", &challenge), Err(HandshakeError::Challenge));
        }
        assert_eq!(answer("", &token), Err(HandshakeError::Mode));
    }
}
