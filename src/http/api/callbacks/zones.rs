//! The zones of the people of new orders. Where nobody's zones are known, nothing is read.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::validate::ZonesOfPeople;
use crate::domain::{PersonId, Phone};
use crate::http::{ApiError, App};

/// What is read of an order before it is checked.
#[derive(Deserialize)]
struct Whom<'a> {
    #[serde(borrow)]
    consumer: Option<Cow<'a, str>>,
}

impl App {
    /// The zones of this consumer.
    pub(in crate::http::api) async fn zones_of_consumer(
        &self,
        consumer: Phone,
    ) -> Result<Arc<ZonesOfPeople>, ApiError> {
        if !self.store.knows_zones().await? {
            return Ok(Arc::default());
        }
        let found = self.store.zones_of(&[PersonId::of(consumer)]).await?;
        Ok(Arc::new(found.into_iter().collect()))
    }

    /// The zones of the people of these orders. What is no order is passed over; it is refused later.
    pub(in crate::http::api) async fn zones_of_orders<'o>(
        &self,
        orders: impl IntoIterator<Item = &'o [u8]>,
    ) -> Result<Arc<ZonesOfPeople>, ApiError> {
        if !self.store.knows_zones().await? {
            return Ok(Arc::default());
        }
        let people: BTreeSet<PersonId> = orders
            .into_iter()
            .filter_map(|json| serde_json::from_slice::<Whom<'_>>(json).ok()?.consumer)
            .filter_map(|text| Phone::read(&text, self.defaults.country).ok())
            .map(PersonId::of)
            .collect();
        let found = self.store.zones_of(&Vec::from_iter(people)).await?;
        Ok(Arc::new(found.into_iter().collect()))
    }
}
