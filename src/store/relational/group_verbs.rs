//! The methods of the port for dialling groups.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::grouping::Uses;
use super::{SqlStore, grouping};
use crate::domain::{GroupName, Phone, Resource};
use crate::store::{Groups, OtherGroup, Regrouped, Result};

#[async_trait]
impl Groups for SqlStore {
    async fn use_in_group(&self, uses: Vec<Resource>, group: GroupName) -> Result<Option<OtherGroup>> {
        self.write(move |db| Uses::default().refuses(db, &uses, &group)).await
    }

    async fn groups_of(&self, uses: &[Resource]) -> Result<Vec<(Resource, GroupName)>> {
        if uses.is_empty() {
            return Ok(Vec::new());
        }
        let uses = uses.to_vec();
        self.read(move |db| grouping::groups_of(db, &uses)).await
    }

    async fn regroup(&self, senders: BTreeMap<Phone, GroupName>) -> Result<Regrouped> {
        self.write(move |db| grouping::regroup(db, &senders)).await
    }
}
