//! Computes a report.

use jiff::Timestamp;

use super::{By, Rates, Report, Span, Table, calls, cost, funnel, lists};
use crate::domain::{Phone, Tenant};
use crate::store::{self, ApiStore, CellSums};

/// What is asked for. That the report takes it was checked before.
#[derive(Debug, Clone)]
pub struct Asked {
    pub tenant: Tenant,
    pub report: Report,
    pub by: By,
    pub now: Timestamp,
    /// Its zone is that of days also for what is now.
    pub span: Span,
    pub campaign: Option<String>,
    pub sender: Option<Phone>,
    pub rates: Rates,
}

/// Reads the counts, and makes the table.
///
/// # Errors
/// As any read of the store.
pub async fn compute(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let mut table = match asked.report {
        Report::AnswerRate => calls::answer_rate(store, asked).await,
        Report::Permissions => funnel::permissions(store, asked).await,
        Report::Waiting => lists::waiting(store, asked).await,
        Report::Attempts => funnel::attempts(store, asked).await,
        Report::Speed => funnel::speed(store, asked).await,
        Report::Outcomes => calls::outcomes(store, asked).await,
        Report::Agents => lists::agents(store, asked).await,
        Report::Penetration => lists::penetration(store, asked).await,
        Report::Expiring => lists::expiring(store, asked).await,
        Report::Suppressed => lists::suppressed(store, asked).await,
        Report::Cost => cost::cost(store, asked).await,
    }?;
    if table.span.as_ref().is_some_and(|span| span.closes_at() > asked.now) {
        table.notes.push(
            "The last days are not closed yet: their numbers change until 48 hours after their end.".into(),
        );
    }
    if table.corrections.is_some() {
        table
            .notes
            .push("corrections is the part of the total that was counted after its day had closed.".into());
    }
    Ok(table.bounded())
}

/// Tells that labels were left out.
pub(super) fn cut_note(is_cut: bool) -> Vec<String> {
    let most = CellSums::LABELS_MAX;
    Vec::from_iter(is_cut.then(|| format!("There are more than {most} names: the others are left out.")))
}
