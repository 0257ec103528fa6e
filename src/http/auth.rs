//! Authentication: API tokens, by their hashes, and what each may do. The token itself is never stored and never
//! logged.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use governor::{DefaultDirectRateLimiter, Quota};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::api::{mask, routes};
use super::{ApiError, App};
use crate::domain::{Phone, Scope, Tenant};
use crate::store::{OrderCeiling, Token};

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

/// The token that a request came with.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Token>);

impl Caller {
    /// Somebody who was signed in elsewhere, such as in the console, with the rights of this token, which is in no store.
    #[must_use]
    pub fn signed_in(token: Token) -> Self {
        Self(Arc::new(token))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.0.scopes.contains(scope)
    }

    #[must_use]
    pub fn may_use_sender(&self, sender: Phone) -> bool {
        self.0.senders.is_empty() || self.0.senders.contains(&sender)
    }

    /// Whether it may hold callbacks of every tenant and sender back.
    #[must_use]
    pub fn may_pause_all(&self) -> bool {
        self.0.tenant == Tenant::default() && self.0.senders.is_empty()
    }

    #[must_use]
    pub fn may_use_document(&self, document: &str) -> bool {
        self.0.documents.is_empty() || self.0.documents.iter().any(|allowed| allowed == document)
    }

    /// The owner of idempotency keys: the tokens of one name in one tenant.
    #[must_use]
    pub fn key_owner(&self) -> String {
        if self.0.tenant == Tenant::default() {
            return self.0.name.clone();
        }
        // The name of a token has no slash.
        format!("{}/{}", self.0.tenant, self.0.name)
    }

    /// SHA-256 of the token.
    pub(super) fn token(&self) -> [u8; 32] {
        self.0.hash
    }

    /// Whether the token was neither revoked nor has expired since. Unsure is no.
    pub(super) async fn is_still_known(&self, app: &App) -> bool {
        let known = app.store.token_by_hash(self.0.hash).await.ok().flatten();
        let now = app.clock.now();
        known.is_some_and(|known| known.scopes == self.0.scopes && known.expires_at.is_none_or(|at| at > now))
    }

    /// The key under which orders are counted, if the token has a daily maximum.
    #[must_use]
    pub fn order_ceiling(&self) -> Option<OrderCeiling> {
        let orders_per_day = self.0.limits.orders_per_day?;
        Some(OrderCeiling { token: self.0.hash, orders_per_day })
    }
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

/// Passes a request on if its token is known and has a needed scope. The handler gets the [`Caller`].
pub(super) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    // Only our own code can put this into a request.
    let signed_in = request.extensions_mut().remove::<Caller>();
    let is_token = signed_in.is_none();
    let known = match signed_in {
        Some(caller) => Arc::unwrap_or_clone(caller.0),
        None => token_of(&app, request.headers()).await?,
    };
    let now = app.clock.now();
    if let Some(expired_at) = known.expires_at.filter(|at| *at <= now) {
        return Err(ApiError::new("auth.expired", format!("the token expired at {expired_at}")));
    }
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if let Some(needed) = routes::scope_of(request.method(), path)
        && !needed.iter().any(|scope| known.scopes.contains(*scope))
    {
        let needed: Vec<&str> = needed.iter().map(|scope| scope.as_str()).collect();
        let detail = format!("the token {:?} does not have the scope {}", known.name, needed.join(" or "));
        return Err(ApiError::new("auth.scope", detail));
    }
    if known.tenant != Tenant::default() && routes::is_of_all_tenants(request.method(), path) {
        let detail = format!("it looks over all tenants, and the token {:?} belongs to one", known.name);
        return Err(ApiError::new("auth.tenant", detail));
    }
    if !app.token_rates.take(&known) {
        let rate = known.limits.requests_per_second.unwrap_or_default();
        let detail = format!("the token may send {rate} requests per second");
        return Err(ApiError::later("token.rate", detail, SignedDuration::from_secs(1)));
    }
    if is_token {
        note_use(&app, &known, now).await;
    }
    let caller = Caller(Arc::new(known));
    let reveals = caller.may(Scope::Reveal);
    request.extensions_mut().insert(caller);
    let response = next.run(request).await;
    if reveals { Ok(response) } else { mask::numbers_in(response).await }
}

/// The token of a request, if it is known.
async fn token_of(app: &App, headers: &HeaderMap) -> Result<Token, ApiError> {
    let hash = hash(token(headers)?);
    // Read each time, so that a token revoked by any process is refused at once.
    let known = app.store.token_by_hash(hash).await?;
    let known = known.filter(|known| bool::from(known.hash.ct_eq(&hash)));
    known.ok_or_else(|| ApiError::new("auth.unknown", "unknown API token"))
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
