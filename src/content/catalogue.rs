//! The port to the content of one account.

use std::time::Duration;

use async_trait::async_trait;

use super::declaration::{Declaration, Kind, Provider};
use super::held::{Held, Review};

/// The content of one account at the platform.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// Whether content of this type is kept here.
    fn takes(&self, kind: Kind) -> bool {
        kind.provider() == Provider::Twilio
    }

    /// All content of the account with its reviews; never a part of it.
    async fn list(&self) -> Result<Vec<Held>, Failure>;

    /// Creates content, once, and returns its identifier.
    async fn create(&self, declaration: &Declaration) -> Result<String, Failure>;

    /// Submits content to WhatsApp, once. Where the creation submits it, this reads what became of it.
    async fn submit(&self, sid: &str, declaration: &Declaration) -> Result<Review, Failure>;

    /// Deletes content. Content that is not there counts as deleted.
    async fn delete(&self, sid: &str) -> Result<(), Failure>;
}

/// Why something was not done, or may not have been done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was done. It may be tried again after this time.
    #[error("the platform takes no more requests at the moment")]
    Throttled { retry_after: Option<Duration> },
    /// Nothing was done. The same request is refused again.
    #[error("the platform {message}")]
    Refused { code: Option<u32>, message: String },
    /// Nothing was done. Nothing else will be either, until the credentials are right.
    #[error("the platform does not take the credentials of the account: {0}")]
    Credentials(String),
    /// Nothing was done.
    #[error("the platform cannot be reached: {0}")]
    Unreachable(String),
    /// It may have been done.
    #[error("whether it was done is unknown: {0}")]
    Unknown(String),
}
