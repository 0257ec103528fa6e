//! What calls and messages cost, by a rate card: rates by calling code, each from a day on.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::compute::{Asked, cut_note};
use super::rows::Key;
use super::table::columns;
use super::{By, Cell, Report, Table, Unit};
use crate::domain::reporting::{Counts, Family, Lines, PLACES};
use crate::store::{self, ApiStore, CellsWanted, LabelsWanted, SumBy};

/// What calls to numbers of one calling code cost from a day on, in millionths of the currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The digits of a calling code; `None` for all that have no rate of their own.
    pub prefix: Option<String>,
    pub from: Date,
    /// For each minute that a call has begun.
    pub per_minute: i64,
    /// For each call that was placed.
    pub per_call: i64,
    /// For each permission request and each invite that the platform took.
    pub per_message: i64,
}

/// The rate card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates {
    /// Three letters.
    pub currency: String,
    /// In no order.
    pub cards: Vec<Rate>,
}

impl Rates {
    /// The rate of a calling code on a day: the newest of its own, or else the newest of all others.
    #[must_use]
    pub fn on(&self, code: &str, day: Date) -> Option<&Rate> {
        let newest = |prefix: Option<&str>| {
            let own = self.cards.iter().filter(|rate| rate.prefix.as_deref() == prefix && rate.from <= day);
            own.max_by_key(|rate| rate.from)
        };
        newest(Some(code)).or_else(|| newest(None))
    }

    /// The first days of rates within these days, so that each part has one rate.
    fn changes(&self, first: Date, last: Date) -> Vec<Date> {
        let mut days: Vec<Date> =
            self.cards.iter().map(|rate| rate.from).filter(|from| first < *from && *from <= last).collect();
        days.push(first);
        days.sort_unstable();
        days.dedup();
        days
    }
}

/// The calls of a row, and what they cost.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    counts: Counts,
    cost: i64,
    /// The calls and messages without a rate.
    unrated: i64,
}

impl Line {
    fn add(&mut self, counts: &Counts, rate: Option<&Rate>) {
        for (place, count) in counts.iter().enumerate().take(PLACES) {
            self.counts[place] = self.counts[place].saturating_add(*count);
        }
        match rate {
            Some(rate) => {
                let minutes = counts[Lines::MINUTES_BEGUN].saturating_mul(rate.per_minute);
                let calls = counts[Lines::PLACED].saturating_mul(rate.per_call);
                let messages = counts[Lines::MESSAGES].saturating_mul(rate.per_message);
                self.cost = self.cost.saturating_add(minutes).saturating_add(calls).saturating_add(messages);
            }
            None => {
                let both = counts[Lines::PLACED].saturating_add(counts[Lines::MESSAGES]);
                self.unrated = self.unrated.saturating_add(both);
            }
        }
    }

    fn cells(&self, first: Cell) -> Vec<Cell> {
        let (placed, served) = (self.counts[Lines::PLACED], self.counts[Lines::SERVED]);
        // A cost that is known in part only would be read as the whole.
        let money = |cell: Cell| if self.unrated > 0 { Cell::None } else { cell };
        vec![
            first,
            Cell::Count(placed),
            Cell::Count(served),
            Cell::Count(self.counts[Lines::MINUTES_BEGUN]),
            Cell::Count(self.counts[Lines::MESSAGES]),
            money(Cell::Money(self.cost)),
            money(Cell::mean(self.cost, placed, Cell::Money)),
            money(Cell::mean(self.cost, served, Cell::Money)),
        ]
    }
}

/// What the calls and messages cost.
pub(super) async fn cost(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let labels = asked.campaign.clone().map_or(LabelsWanted::All, LabelsWanted::Of);
    let starts = asked.rates.changes(asked.span.first, asked.span.last);
    let mut lines: BTreeMap<Key, Line> = BTreeMap::new();
    let (mut total, mut is_cut) = (Line::default(), false);
    for (index, first) in starts.iter().enumerate() {
        let next = starts.get(index + 1).and_then(|next| next.yesterday().ok());
        let span = super::Span {
            first: *first,
            last: next.unwrap_or(asked.span.last),
            zone: asked.span.zone.clone(),
        };
        let read = store
            .cells(CellsWanted {
                tenant: asked.tenant.clone(),
                family: Family::Country,
                labels: labels.clone(),
                quarters: span.quarters(),
                by: SumBy::Label,
            })
            .await?;
        is_cut |= read.is_cut;
        for sum in &read.sums {
            let (campaign, code) = Family::parts(&sum.label);
            let rate = asked.rates.on(code, *first);
            let key = match asked.by {
                By::Campaign => super::funnel::campaign_key(campaign),
                _ => Key::Text(if code.is_empty() { "(unknown)".to_owned() } else { format!("+{code}") }),
            };
            lines.entry(key).or_default().add(&sum.all, rate);
            total.add(&sum.all, rate);
        }
    }
    let mut notes = vec![format!(
        "Sums are in {}, by the rates of the configuration, which are not checked against any platform.",
        asked.rates.currency
    )];
    if total.unrated > 0 {
        notes.push(format!(
            "{} calls and messages have no rate, so the costs of their rows are not known.",
            total.unrated
        ));
    }
    notes.extend(cut_note(is_cut));
    // What corrections took away is not shown.
    let shown = lines.iter().filter(|(_, line)| line.counts.iter().any(|count| *count != 0));
    Ok(Table {
        report: Report::Cost,
        by: asked.by,
        span: Some(asked.span.clone()),
        columns: columns(
            asked.by.as_str(),
            &[
                ("placed", Unit::Count),
                ("served", Unit::Count),
                ("minutes", Unit::Count),
                ("messages", Unit::Count),
                ("cost", Unit::Money),
                ("per_call", Unit::Money),
                ("per_served", Unit::Money),
            ],
        ),
        rows: shown.map(|(key, line)| line.cells(key.cell())).collect(),
        total: Some(total.cells(Cell::None)),
        corrections: None,
        notes,
        is_cut,
        plotted: 5,
    })
}
