//! The methods of the port for changes of many callbacks.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{SqlStore, bulks};
use crate::domain::{BulkId, Tenant};
use crate::store::{BulkRecord, Bulks, NewBulk, Result};

#[async_trait]
impl Bulks for SqlStore {
    async fn make_bulk(&self, bulk: NewBulk) -> Result<bool> {
        self.write(move |db| bulks::make(db, &bulk)).await
    }

    async fn bulk(&self, id: BulkId) -> Result<Option<BulkRecord>> {
        self.read(move |db| bulks::one(db, id)).await
    }

    async fn bulks(&self, tenant: &Tenant, most: usize) -> Result<Vec<BulkRecord>> {
        let tenant = tenant.clone();
        self.read(move |db| bulks::of_tenant(db, &tenant, most)).await
    }

    async fn confirm_bulk(&self, id: BulkId, at: Timestamp) -> Result<bool> {
        self.write(move |db| bulks::confirm(db, id, at)).await
    }

    async fn stop_bulk(&self, id: BulkId, at: Timestamp) -> Result<bool> {
        self.write(move |db| bulks::stop(db, id, at)).await
    }

    async fn has_running_bulk(&self) -> Result<bool> {
        self.read(bulks::is_running).await
    }

    async fn file_bulk(&self, at: Timestamp, most: usize) -> Result<bool> {
        self.write(move |db| bulks::file(db, at, most)).await
    }
}
