//! Computes a report.

use jiff::Timestamp;

use super::{By, Cell, Column, Rates, Report, Span, Table, Unit, calls, cost, funnel, lists};
use crate::domain::campaign::campaign_id;
use crate::domain::reporting::{LabelKind, OTHER};
use crate::domain::{CampaignId, Phone, Tenant};
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
    let mut table = table.bounded();
    if asked.by == By::Campaign {
        name_campaigns(store, asked, &mut table).await?;
    }
    table.notes.extend(others(&table));
    Ok(table)
}

/// Puts the names of campaigns before their ids. A label is its own name.
async fn name_campaigns(store: &dyn ApiStore, asked: &Asked, table: &mut Table) -> store::Result<()> {
    let texts = table.rows.iter().filter_map(|row| match row.first() {
        Some(Cell::Text(text)) => campaign_id(text),
        _ => None,
    });
    let ids: Vec<CampaignId> = texts.collect();
    let names = store.campaign_names(&asked.tenant, &ids).await?;
    let name = |cell: Option<&Cell>| match cell {
        Some(Cell::Text(text)) => {
            let known = campaign_id(text).and_then(|id| names.get(&id));
            Cell::Text(known.unwrap_or(text).clone())
        }
        _ => Cell::None,
    };
    table.columns.insert(0, Column { name: "name", unit: Unit::Text });
    for row in table.rows.iter_mut().chain(&mut table.total).chain(&mut table.corrections) {
        row.insert(0, name(row.first()));
    }
    table.plotted += 1;
    Ok(())
}

/// Tells what the row of all others is.
fn others(table: &Table) -> Option<String> {
    let is_other = |row: &Vec<Cell>| row.iter().take(2).any(|cell| *cell == Cell::Text(OTHER.to_owned()));
    let (kind, what) = match table.by {
        By::Campaign => (LabelKind::Campaign, "labels of campaigns"),
        _ => (LabelKind::Agent, "agents"),
    };
    let told = || format!("{OTHER} is all {what} after the first {} of the tenant.", kind.most());
    table.rows.iter().any(is_other).then(told)
}

/// Tells that labels were left out.
pub(super) fn cut_note(is_cut: bool) -> Vec<String> {
    let most = CellSums::LABELS_MAX;
    Vec::from_iter(is_cut.then(|| format!("There are more than {most} names: the others are left out.")))
}
