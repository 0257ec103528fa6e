//! The port `PersonZones`: the time zones that people are known to be in. They count for orders that are accepted later.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::domain::PersonId;

/// The time zones of people.
#[async_trait]
pub trait PersonZones: Send + Sync {
    /// Whether the zones of anybody are known. It costs no read.
    async fn knows_zones(&self) -> Result<bool>;

    /// The zones of these people, of those who have some.
    async fn zones_of(&self, people: &[PersonId]) -> Result<Vec<(PersonId, Vec<String>)>>;

    /// Sets the zones of a person; none removes them.
    async fn set_zones(&self, person: PersonId, zones: Vec<String>, at: Timestamp, by: String) -> Result<()>;
}
