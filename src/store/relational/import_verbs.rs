//! The methods of the port for imports: each is one command to the writer, or one read.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{SqlStore, imports};
use crate::domain::{CampaignId, ImportId, Tenant};
use crate::store::{
    ImportFindings, ImportRecord, ImportStep, ImportStepped, Imports, MadeImport, NewImport, Result,
    StoredFault,
};

#[async_trait]
impl Imports for SqlStore {
    async fn make_import(&self, import: NewImport) -> Result<MadeImport> {
        self.write(move |db| imports::make(db, &import)).await
    }

    async fn import(&self, id: ImportId) -> Result<Option<ImportRecord>> {
        self.read(move |db| imports::one(db, id)).await
    }

    async fn import_named(&self, tenant: &Tenant, name: &str) -> Result<Option<ImportRecord>> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.read(move |db| imports::named(db, &tenant, &name)).await
    }

    async fn list_imports(
        &self,
        tenant: &Tenant,
        campaign: Option<CampaignId>,
        before: Option<ImportId>,
        most: usize,
    ) -> Result<Vec<ImportRecord>> {
        let tenant = tenant.clone();
        self.read(move |db| imports::list(db, &tenant, campaign, before, most)).await
    }

    async fn import_rows(&self, step: ImportStep) -> Result<ImportStepped> {
        let key = self.key();
        self.write(move |db| imports::step(db, &step, &key)).await
    }

    async fn complete_import(&self, id: ImportId, received: u64, at: Timestamp) -> Result<bool> {
        self.write(move |db| imports::complete(db, id, received, at)).await
    }

    async fn import_findings(&self, id: ImportId) -> Result<ImportFindings> {
        self.read(move |db| imports::findings(db, id)).await
    }

    async fn import_faults(&self, id: ImportId, after: (u32, u32), most: usize) -> Result<Vec<StoredFault>> {
        self.read(move |db| imports::faults(db, id, after, most)).await
    }

    async fn unfinished_import(&self, tenant: &Tenant, campaign: CampaignId) -> Result<Option<String>> {
        let tenant = tenant.clone();
        self.read(move |db| imports::unfinished(db, &tenant, campaign)).await
    }

    async fn remove_import(&self, id: ImportId, most: usize) -> Result<bool> {
        self.write(move |db| imports::remove(db, id, most)).await
    }

    async fn forget_people(&self, id: ImportId, most: usize) -> Result<bool> {
        self.write(move |db| imports::forget_people(db, id, most)).await
    }
}
