//! The port `Reporting`: the counts that reports show. A batch writes them.

use std::collections::BTreeSet;
use std::ops::Range;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::domain::reporting::{Cells, Counts, Family, Labels, NewLabel, Quarter};
use crate::domain::{Attempt, CampaignId, Disposition, Gate, Numbers, Tenant};

/// The counts that reports show.
#[async_trait]
pub trait Reporting: Send + Sync {
    /// The texts that have cells of their own.
    async fn report_labels(&self) -> Result<Labels>;

    /// Sums of cells, by label or by quarter.
    async fn cells(&self, wanted: CellsWanted) -> Result<CellSums>;

    /// How many callbacks wait at each gate, up to `each_most`, of the first `gates_most` gates.
    async fn waiting_at_gates(&self, gates_most: usize, each_most: u32) -> Result<Vec<(Gate, u64)>>;

    /// The callbacks of a tenant that wait now, by the code of their reason, from counts that are kept; of one campaign,
    /// if it is given. At most `most` reasons, those with the most callbacks.
    async fn waiting_by_reason(
        &self,
        tenant: &Tenant,
        campaign: Option<CampaignId>,
        most: usize,
    ) -> Result<Waiting>;

    /// The temporary permissions that end from `from` until `until`, the next ones first, at most `most`.
    async fn expiring(&self, from: Timestamp, until: Timestamp, most: usize) -> Result<Vec<Expiring>>;

    /// What is counted wrongly. Reads every attempt; slow, for tests and simulations. The calls of erased people are compared
    /// without their country, which their rows do not tell any more.
    async fn wrong_reports(&self, told: Told) -> Result<Vec<String>>;

    /// The tenants that have counts, at most `most`.
    async fn report_tenants(&self, most: usize) -> Result<Vec<Tenant>>;
}

/// How an attempt ended, by all that the platform told.
pub type Told = fn(&Attempt, Disposition) -> Disposition;

/// What a turn adds to the counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportChange {
    pub cells: Cells,
    /// Texts that have cells of their own from now on.
    pub labels: BTreeSet<NewLabel>,
}

impl ReportChange {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.labels.is_empty()
    }
}

/// Which cells are summed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellsWanted {
    pub tenant: Tenant,
    pub family: Family,
    pub labels: LabelsWanted,
    /// From the first one, without the last one.
    pub quarters: Range<Quarter>,
    pub by: SumBy,
}

/// The labels of the cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelsWanted {
    All,
    One(String),
    /// Those of two parts with this first one.
    Of(String),
}

/// What is summed apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumBy {
    Label,
    Quarter,
}

/// One sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellSum {
    /// Empty if it is summed by quarter.
    pub label: String,
    /// The first of those that were summed.
    pub quarter: Quarter,
    /// Everything, with what was counted late.
    pub all: Counts,
    /// What was counted after the day had closed.
    pub late: Counts,
}

/// Sums of cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CellSums {
    pub sums: Vec<CellSum>,
    /// There are more labels with counts in these quarters than [`Self::LABELS_MAX`], or more labels at all than
    /// [`Self::LABELS_SEEN_MAX`].
    pub is_cut: bool,
}

impl CellSums {
    /// The most labels that are summed.
    pub const LABELS_MAX: usize = 5_000;
    /// The most labels that are looked at, with those of other days.
    pub const LABELS_SEEN_MAX: usize = 50_000;
}

/// What waits now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// By the code of the reason, the most first.
    pub reasons: Vec<(String, u64)>,
    /// There are more reasons.
    pub is_cut: bool,
}

/// A permission that ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    pub numbers: Numbers,
    pub until: Timestamp,
}
