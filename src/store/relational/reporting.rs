//! The methods of the port `Reporting`.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{SqlStore, gates, report_cells, report_reads, report_recount};
use crate::domain::reporting::Labels;
use crate::domain::{CampaignId, Gate, Tenant};
use crate::store::{CellSums, CellsWanted, Expiring, Reporting, Result, Told, Waiting};

#[async_trait]
impl Reporting for SqlStore {
    async fn report_labels(&self) -> Result<Labels> {
        self.read(report_cells::labels).await
    }

    async fn cells(&self, wanted: CellsWanted) -> Result<CellSums> {
        self.read(move |db| report_reads::sums(db, &wanted)).await
    }

    async fn waiting_at_gates(&self, gates_most: usize, each_most: u32) -> Result<Vec<(Gate, u64)>> {
        self.read(move |db| gates::counted(db, gates_most, each_most)).await
    }

    async fn waiting_by_reason(
        &self,
        tenant: &Tenant,
        campaign: Option<CampaignId>,
        most: usize,
    ) -> Result<Waiting> {
        let tenant = tenant.clone();
        self.read(move |db| report_reads::waiting(db, &tenant, campaign, most)).await
    }

    async fn expiring(&self, from: Timestamp, until: Timestamp, most: usize) -> Result<Vec<Expiring>> {
        self.read(move |db| report_reads::expiring(db, from, until, most)).await
    }

    async fn wrong_reports(&self, told: Told) -> Result<Vec<String>> {
        // With a temporary table, so it is a command for the writer.
        self.write(move |db| report_recount::wrong(db, told)).await
    }

    async fn report_tenants(&self, most: usize) -> Result<Vec<Tenant>> {
        self.read(move |db| report_reads::tenants(db, most)).await
    }
}
