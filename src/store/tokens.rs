//! The port `Tokens`: API tokens and our own secrets.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::domain::{Budget, Phone, Scopes, Tenant, TokenLimits, TokenName};

/// API tokens and our own secrets.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Stores the hash of an API token; [`Error::Conflict`](super::Error::Conflict) if it exists. Its ceilings for calls
    /// and requests replace those of all tokens of its name.
    async fn create_token(&self, token: Token) -> Result<()>;

    /// Every API token, by name and age.
    async fn tokens(&self) -> Result<Vec<Token>>;

    /// Deletes an API token; `false` if there was none. Its ceilings stay, because the callbacks that it ordered go on.
    async fn revoke_token(&self, hash: [u8; 32]) -> Result<bool>;

    /// Notes that a token was used at `at`. The caller sees to it that this is rare.
    async fn token_used(&self, hash: [u8; 32], at: Timestamp) -> Result<()>;

    async fn token_by_hash(&self, hash: [u8; 32]) -> Result<Option<Token>>;

    /// The ceilings of these tokens and what counts against them at `now`, in this order. A name without ceilings has
    /// an empty budget.
    async fn budgets(&self, tokens: &[TokenName], now: Timestamp) -> Result<Vec<Budget>>;

    /// The key for tokens in our URLs. `fresh` is stored if there is none yet.
    async fn address_key(&self, fresh: [u8; 32]) -> Result<[u8; 32]>;
}

/// An API token by its hash. The token is shown once and never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub name: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    pub created_at: Timestamp,
    /// It sees the callbacks of this tenant only.
    pub tenant: Tenant,
    pub scopes: Scopes,
    /// It is refused from this moment on.
    pub expires_at: Option<Timestamp>,
    /// To within some minutes.
    pub last_used_at: Option<Timestamp>,
    /// The senders that it may use; empty allows all.
    pub senders: Vec<Phone>,
    /// The documents that it may order; empty allows all.
    pub documents: Vec<String>,
    pub limits: TokenLimits,
}

impl Token {
    /// A token of the default tenant with the default scopes and without an expiry time.
    #[must_use]
    pub fn new(name: impl Into<String>, hash: [u8; 32], created_at: Timestamp) -> Self {
        Self {
            name: name.into(),
            hash,
            created_at,
            tenant: Tenant::default(),
            scopes: Scopes::usual(),
            expires_at: None,
            last_used_at: None,
            senders: Vec::new(),
            documents: Vec::new(),
            limits: TokenLimits::default(),
        }
    }
}
