//! The port `Imports`: lists of callbacks that arrive in parts.
//!
//! Only the requests that bring the parts change an import. The scheduler does not read it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{Enqueue, Result};
use crate::domain::{CampaignId, ImportId, Tenant};

/// Lists of callbacks that arrive in parts, and what became of their rows.
#[async_trait]
pub trait Imports: Send + Sync {
    /// Stores a new import.
    async fn make_import(&self, import: NewImport) -> Result<MadeImport>;

    /// One that is not removed.
    async fn import(&self, id: ImportId) -> Result<Option<ImportRecord>>;

    /// The newest of a tenant with this name that is not removed.
    async fn import_named(&self, tenant: &Tenant, name: &str) -> Result<Option<ImportRecord>>;

    /// Those of a tenant, and of a campaign if it is given, that are not removed, newest first and before `before` if it is
    /// given, at most `most`. Without what
    /// is kept to read on: `tail` and `hash` are empty.
    async fn list_imports(
        &self,
        tenant: &Tenant,
        campaign: Option<CampaignId>,
        before: Option<ImportId>,
        most: usize,
    ) -> Result<Vec<ImportRecord>>;

    /// Stores rows of an import with the place that it has reached, in one transaction.
    async fn import_rows(&self, step: ImportStep) -> Result<ImportStepped>;

    /// Completes an import of which `received` bytes have arrived. `false` if it is in another state.
    async fn complete_import(&self, id: ImportId, received: u64, at: Timestamp) -> Result<bool>;

    /// What was found about its rows, by subject and code.
    async fn import_findings(&self, id: ImportId) -> Result<ImportFindings>;

    /// The faults of its rows after this one, in order, at most `most`.
    async fn import_faults(&self, id: ImportId, after: (u32, u32), most: usize) -> Result<Vec<StoredFault>>;

    /// The name of an import that this campaign waits for.
    async fn unfinished_import(&self, tenant: &Tenant, campaign: CampaignId) -> Result<Option<String>>;

    /// Removes an import and at most `most` of what it has of its rows. Its callbacks stay. `true` if nothing is left.
    async fn remove_import(&self, id: ImportId, most: usize) -> Result<bool>;

    /// Forgets at most `most` people of a complete import. `true` if none is left.
    async fn forget_people(&self, id: ImportId, most: usize) -> Result<bool>;
}

/// An import to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    pub id: ImportId,
    pub tenant: Tenant,
    pub name: String,
    pub campaign: Option<CampaignId>,
    /// Whose idempotency keys its rows have.
    pub owner: String,
    /// JSON, which the caller understands.
    pub settings: String,
    pub size: Option<u64>,
    pub sha256: Option<[u8; 32]>,
    pub at: Timestamp,
    /// The name of the API token.
    pub by: String,
}

impl NewImport {
    /// The most imports of a tenant.
    pub const MAX: u32 = 1_000;
}

/// What came of a new import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeImport {
    New,
    /// One with this name is not complete.
    Unfinished(ImportId),
    /// The tenant has [`NewImport::MAX`].
    TooMany,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ImportState {
    Receiving,
    Complete,
}

impl ImportState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A stored import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    pub import: NewImport,
    pub state: ImportState,
    pub completed_at: Option<Timestamp>,
    pub reached: Reached,
    /// Rows that are not empty.
    pub rows: u64,
    pub accepted: u64,
    /// Of these, those that an earlier import of the same name has ordered.
    pub accepted_before: u64,
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reached {
    /// So many bytes have arrived.
    pub received: u64,
    /// The last of them, in which no whole row was found yet.
    pub tail: Vec<u8>,
    /// JSON; `None` before the first row.
    pub place: Option<String>,
    /// The state of the hash of what has arrived.
    pub hash: Vec<u8>,
}

/// Rows of an import, and how far it is after them.
#[derive(Debug, Clone)]
pub struct ImportStep {
    pub import: ImportId,
    /// How many bytes had arrived before.
    pub from: u64,
    pub reached: Reached,
    pub rows: Vec<ImportRow>,
}

#[derive(Debug, Clone)]
pub struct ImportRow {
    pub number: u32,
    /// Whom it calls, as a hash; rows with the same one are doubles.
    pub person: Option<[u8; 16]>,
    pub became: ImportedRow,
}

#[derive(Debug, Clone)]
pub enum ImportedRow {
    /// With the codes of its warnings.
    Order(Box<Enqueue>, Vec<&'static str>),
    Refused {
        /// `list` if it could not be read, `order` if it cannot be accepted.
        subject: &'static str,
        faults: Vec<ImportFault>,
    },
}

/// Why a row is refused, without a value of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFault {
    pub field: String,
    pub code: String,
    pub detail: String,
}

/// A fault of a row, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFault {
    pub row: u32,
    /// From 0, for a row with several.
    pub number: u32,
    pub fault: ImportFault,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStepped {
    /// It is stored.
    Done {
        /// How many callbacks are new.
        new: u64,
    },
    /// Another request was faster, or the import is not receiving; nothing was stored.
    Moved,
}

/// How many rows have something, and the numbers of the first 20.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportFinding {
    pub count: u64,
    pub first_rows: Vec<u32>,
}

/// What was found about the rows of an import, by subject and code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportFindings {
    pub refused: BTreeMap<(String, String), ImportFinding>,
    pub found: BTreeMap<(String, String), ImportFinding>,
}
