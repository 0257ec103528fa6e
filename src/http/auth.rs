//! Authentication: API tokens, by their hashes, and what each token and each person may do. The token itself is never
//! stored and never logged.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use governor::{DefaultDirectRateLimiter, Quota};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::api::{mask, routes};
pub use super::caller::Caller;
use super::sign_in::{Asked, SignedIn, check_write, identify};
use super::{ApiError, App, audit};
use crate::domain::{Scope, Tenant, Way};
use crate::store::Token;

/// What a page of ours sends with a change.
const CSRF_TOKEN: &str = "x-csrf-token";
/// By `yes` a person asks for complete numbers, which is audited.
const REVEAL: &str = "x-reveal";
const PREFIX: &str = "rm_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The number of characters for 256 bits.
const LENGTH: usize = 43;
/// The resolution of a token's last use: at most one write in this time.
const LAST_USE: SignedDuration = SignedDuration::from_mins(10);

/// Creates a token from 256 random bits. Returns it with the hash to store.
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

/// The rate limiters of tokens that have a maximum rate.
#[derive(Debug, Default)]
pub struct TokenRates(Mutex<BTreeMap<[u8; 32], (NonZeroU32, DefaultDirectRateLimiter)>>);

impl TokenRates {
    /// Takes one permit of the token's rate; `false` if there is none now.
    fn take(&self, token: &Token) -> bool {
        let Some(rate) = token.limits.requests_per_second.and_then(NonZeroU32::new) else { return true };
        let mut limiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || (rate, DefaultDirectRateLimiter::direct(Quota::per_second(rate)));
        let known = limiters.entry(token.hash).or_insert_with(fresh);
        if known.0 != rate {
            *known = fresh();
        }
        known.1.check().is_ok()
    }
}

/// Passes a request on if its token or its person is known and has a needed scope. The handler gets the [`Caller`].
pub(super) async fn guard(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    // Only our own code can put a caller into a request: a page that asks for a person.
    let caller = match parts.extensions.remove::<Caller>() {
        Some(caller) => caller,
        None => caller_of(&app, &parts).await?,
    };
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    if let Err(refused) = allowed(&caller, &parts.method, &path) {
        audit::refused(&app, &caller, &parts, &path).await?;
        return Err(refused);
    }
    let request = Request::from_parts(parts, body);
    let reveals = caller.may(Scope::Reveal);
    let (mut request, pending) = audit::pending(&app, &caller, request, &path).await?;
    request.extensions_mut().insert(caller);
    let response = audit::carried(&app, pending, next.run(request)).await?;
    if reveals { Ok(response) } else { mask::numbers_in(response).await }
}

/// The token or the person that a request comes from.
async fn caller_of(app: &App, request: &Parts) -> Result<Caller, ApiError> {
    if !request.headers.contains_key(AUTHORIZATION)
        && let Some(person) = identify(app, Asked::of_parts(request)).await?
    {
        return of_person(app, request, person);
    }
    let known = token_of(app, &request.headers).await?;
    let now = app.clock.now();
    if let Some(expired_at) = known.expires_at.filter(|at| *at <= now) {
        return Err(ApiError::new("auth.expired", format!("the token expired at {expired_at}")));
    }
    if !app.token_rates.take(&known) {
        let rate = known.limits.requests_per_second.unwrap_or_default();
        let detail = format!("the token may send {rate} requests per second");
        return Err(ApiError::later("token.rate", detail, SignedDuration::from_secs(1)));
    }
    note_use(app, &known, now).await;
    Ok(Caller::of_token(known))
}

/// The person of a request from a browser. Numbers are masked unless the request asks for them.
fn of_person(app: &App, request: &Parts, person: SignedIn) -> Result<Caller, ApiError> {
    let is_read = request.method.is_safe();
    // Without a sign-in, only a page of the console knows the token; nobody else gets in by being on this machine.
    if person.how == Way::Loopback && !request.headers.contains_key(CSRF_TOKEN) {
        return Err(ApiError::new("auth.missing", "expected the header Authorization: Bearer rm_..."));
    }
    if !is_read || person.how == Way::Loopback {
        check_write(app, &person, &request.extensions, &request.headers, None)?;
    }
    let caller = person.caller();
    let reveals = request.headers.get(REVEAL).is_some_and(|value| value == "yes");
    Ok(if reveals { caller } else { caller.masked() })
}

/// The token of a request, if it is known.
async fn token_of(app: &App, headers: &HeaderMap) -> Result<Token, ApiError> {
    let hash = hash(token(headers)?);
    // Read each time, so that a token revoked by any process is refused at once.
    let known = app.store.token_by_hash(hash).await?;
    let known = known.filter(|known| bool::from(known.hash.ct_eq(&hash)));
    known.ok_or_else(|| ApiError::new("auth.unknown", "unknown API token"))
}

/// Whether the caller may use a route at all. What it may see there is the handler's to check.
fn allowed(caller: &Caller, method: &Method, path: &str) -> Result<(), ApiError> {
    let whom = || match caller.person() {
        Some(person) => format!("{:?}, who has the role {},", person.name, person.role),
        None => format!("the token {:?}", caller.name()),
    };
    if let Some(needed) = routes::scope_of(method, path)
        && !needed.iter().any(|scope| caller.may(*scope))
    {
        let needed: Vec<&str> = needed.iter().map(|scope| scope.as_str()).collect();
        let detail = format!("{} does not have the scope {}", whom(), needed.join(" or "));
        return Err(ApiError::new("auth.scope", detail));
    }
    if *caller.tenant() != Tenant::default() && routes::is_of_all_tenants(method, path) {
        let detail = format!("it looks over all tenants, and {} belongs to one", whom());
        return Err(ApiError::new("auth.tenant", detail));
    }
    if !caller.bounds().is_all() && !routes::keeps_bounds(method, path) {
        let detail = format!("it looks over a whole tenant, and {} is bound to a part of one", whom());
        return Err(ApiError::new("auth.bounds", detail));
    }
    Ok(())
}

/// A request is not refused because its token's last use cannot be written.
async fn note_use(app: &App, token: &Token, now: Timestamp) {
    if token.last_used_at.is_some_and(|at| now.duration_since(at) < LAST_USE) {
        return;
    }
    if let Err(error) = app.store.token_used(token.hash, now).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the last use of a token was not stored");
    }
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

    #[test]
    fn a_token_asks_as_often_as_its_rate_and_no_more_at_once() {
        let rates = TokenRates::default();
        let mut token = Token::new("crm", [1; 32], Timestamp::UNIX_EPOCH);
        assert!((0..1000).all(|_| rates.take(&token)), "no limit");
        token.limits.requests_per_second = Some(1);
        assert!(rates.take(&token));
        assert!(!rates.take(&token));
        let other = Token { hash: [2; 32], ..token.clone() };
        assert!(rates.take(&other), "each token has a rate of its own");
    }
}
