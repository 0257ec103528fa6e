//! Who asks: API tokens, by their hashes. The token itself is never kept and never logged.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{ApiError, App};

const PREFIX: &str = "rm_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// As many as 256 bits need.
const LENGTH: usize = 43;

/// Makes a token out of 256 random bits; returns it and the hash that is kept.
#[must_use]
pub fn new_token(random: [u8; 32]) -> (String, [u8; 32]) {
    let mut number = random;
    let mut digits = [0; LENGTH];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).expect("the rest is below the divisor");
            rest = value % 62;
        }
        *digit = DIGITS[rest as usize];
    }
    let token = format!("{PREFIX}{}", String::from_utf8_lossy(&digits));
    let hash = hash(&token);
    (token, hash)
}

/// The name of the token that a request came with.
#[derive(Debug, Clone)]
pub struct Caller(pub Arc<str>);

/// Lets a request through that carries a known token, and tells the handler whose it is.
pub(super) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let hash = hash(token(request.headers())?);
    // Read each time: a token that was taken away, by whatever process, is refused at once.
    let known = app.store.token_by_hash(hash).await?;
    let known = known.filter(|known| bool::from(known.hash.ct_eq(&hash)));
    let known = known.ok_or_else(|| ApiError::new("auth.unknown", "unknown API token"))?;
    request.extensions_mut().insert(Caller(known.name.into()));
    Ok(next.run(request).await)
}

fn token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let missing = || ApiError::new("auth.missing", "expected the header Authorization: Bearer rm_...");
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let token = token.trim();
    let shaped = token
        .strip_prefix(PREFIX)
        .is_some_and(|rest| rest.len() == LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric()));
    shaped
        .then_some(token)
        .ok_or_else(|| ApiError::new("auth.unknown", "a token is rm_ and 43 letters and digits"))
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_all_of_its_randomness() {
        let (zero, _) = new_token([0; 32]);
        assert_eq!(zero, format!("rm_{}", "0".repeat(43)));
        let mut one = [0; 32];
        one[31] = 63;
        assert!(new_token(one).0.ends_with("011"));
        let mut first = [0xff; 32];
        let (all, all_hash) = new_token(first);
        assert_eq!(all.len(), 46);
        assert_eq!(hash(&all), all_hash);
        first[0] = 0xfe;
        assert_ne!(new_token(first).0, all);
    }
}
