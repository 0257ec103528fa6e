//! Counts everything that reports show again, from attempts, messages and callbacks. What was counted late stays late: when
//! something was counted is not in these rows.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Id, collect};
use super::sql::Connection;
use super::sql::postgres::UNHURRIED;
use super::{SqlStore, agents, attempts, callbacks, messages, report_cells, report_reads};
use crate::domain::reporting::{
    CellKey, Cells, Counted, Counts, Facts, Family, LabelKind, Labels, NewLabel, of_attempt, of_callback,
    of_message, of_wrap_up,
};
use crate::domain::{Callback, CallbackId, Message, MessageId, Stage, Tenant};
use crate::store::{ReportChange, Result, Told};

/// What a recount did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recounted {
    pub cells: u64,
    /// Cells that had another number, or none.
    pub changed: u64,
}

/// So many cells are held in memory before they are added to the new ones.
const HELD_MAX: usize = 100_000;
/// So many rows are read at once.
const ROWS: i64 = 1_000;

const NEW_CELLS: &str = "recounted_cells";
/// A temporary table for the new cells.
const NEW: &str = "CREATE TEMP TABLE recounted_cells AS SELECT * FROM report_cells WHERE false; \
     CREATE UNIQUE INDEX recounted_cells_key ON recounted_cells (tenant, family, label, quarter, late)";
/// Takes what is known to be late out of the new cells.
const LATE: &str = "INSERT INTO recounted_cells SELECT tenant, family, label, quarter, 0, -c0, -c1, -c2, -c3, -c4, -c5, \
     -c6, -c7, -c8, -c9, -c10, -c11 FROM report_cells WHERE late = 1 \
     ON CONFLICT (tenant, family, label, quarter, late) DO UPDATE SET \
     c0 = recounted_cells.c0 + excluded.c0, c1 = recounted_cells.c1 + excluded.c1, c2 = recounted_cells.c2 + excluded.c2, \
     c3 = recounted_cells.c3 + excluded.c3, c4 = recounted_cells.c4 + excluded.c4, c5 = recounted_cells.c5 + excluded.c5, \
     c6 = recounted_cells.c6 + excluded.c6, c7 = recounted_cells.c7 + excluded.c7, c8 = recounted_cells.c8 + excluded.c8, \
     c9 = recounted_cells.c9 + excluded.c9, c10 = recounted_cells.c10 + excluded.c10, c11 = recounted_cells.c11 + excluded.c11";
/// Adds what was counted of callbacks that are deleted because they are old.
const RETIRED: &str = "INSERT INTO recounted_cells SELECT tenant, family, label, quarter, 0, c0, c1, c2, c3, c4, c5, \
     c6, c7, c8, c9, c10, c11 FROM retired_cells WHERE true \
     ON CONFLICT (tenant, family, label, quarter, late) DO UPDATE SET \
     c0 = recounted_cells.c0 + excluded.c0, c1 = recounted_cells.c1 + excluded.c1, c2 = recounted_cells.c2 + excluded.c2, \
     c3 = recounted_cells.c3 + excluded.c3, c4 = recounted_cells.c4 + excluded.c4, c5 = recounted_cells.c5 + excluded.c5, \
     c6 = recounted_cells.c6 + excluded.c6, c7 = recounted_cells.c7 + excluded.c7, c8 = recounted_cells.c8 + excluded.c8, \
     c9 = recounted_cells.c9 + excluded.c9, c10 = recounted_cells.c10 + excluded.c10, c11 = recounted_cells.c11 + excluded.c11";
/// How many cells that are not late have other numbers, or are in one of the two tables only.
const CHANGED: &str = "SELECT (SELECT count(*) FROM recounted_cells AS t WHERE \
     (t.c0 <> 0 OR t.c1 <> 0 OR t.c2 <> 0 OR t.c3 <> 0 OR t.c4 <> 0 OR t.c5 <> 0 OR t.c6 <> 0 OR t.c7 <> 0 OR t.c8 <> 0 \
     OR t.c9 <> 0 OR t.c10 <> 0 OR t.c11 <> 0) AND NOT EXISTS (SELECT 1 FROM report_cells AS m \
     WHERE m.tenant = t.tenant AND m.family = t.family AND m.label = t.label AND m.quarter = t.quarter AND m.late = 0 \
     AND m.c0 = t.c0 AND m.c1 = t.c1 AND m.c2 = t.c2 AND m.c3 = t.c3 AND m.c4 = t.c4 AND m.c5 = t.c5 AND m.c6 = t.c6 \
     AND m.c7 = t.c7 AND m.c8 = t.c8 AND m.c9 = t.c9 AND m.c10 = t.c10 AND m.c11 = t.c11)) \
     + (SELECT count(*) FROM report_cells AS m WHERE m.late = 0 AND (m.c0 <> 0 OR m.c1 <> 0 OR m.c2 <> 0 \
     OR m.c3 <> 0 OR m.c4 <> 0 OR m.c5 <> 0 OR m.c6 <> 0 OR m.c7 <> 0 OR m.c8 <> 0 OR m.c9 <> 0 OR m.c10 <> 0 \
     OR m.c11 <> 0) AND NOT EXISTS (SELECT 1 FROM recounted_cells AS t WHERE t.tenant = m.tenant \
     AND t.family = m.family AND t.label = m.label AND t.quarter = m.quarter AND t.late = 0))";
const REPLACE: &str = "DELETE FROM report_cells WHERE late = 0; \
     INSERT INTO report_cells SELECT * FROM recounted_cells \
     WHERE c0 <> 0 OR c1 <> 0 OR c2 <> 0 OR c3 <> 0 OR c4 <> 0 OR c5 <> 0 OR c6 <> 0 OR c7 <> 0 OR c8 <> 0 \
     OR c9 <> 0 OR c10 <> 0 OR c11 <> 0";

impl SqlStore {
    /// Counts again what reports show, and replaces what was counted. Reads everything, in one transaction: nothing else is
    /// written meanwhile.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn recount_reports(&self, told: Told) -> Result<Recounted> {
        self.write(move |db| {
            // No daemon runs, so nobody waits.
            db.set_patience(UNHURRIED);
            let labels = count(db, told)?;
            report_cells::write(db, &ReportChange { cells: Cells::default(), labels })?;
            let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
            let changed = number(CHANGED)?;
            db.execute_batch(REPLACE)?;
            db.execute_batch("DROP TABLE recounted_cells")?;
            let cells = number("SELECT count(*) FROM report_cells")?;
            Ok(Recounted { cells: cells.cast_unsigned(), changed: changed.cast_unsigned() })
        })
        .await
    }
}

/// What is counted wrongly; nothing is changed. Holds all cells in memory.
pub fn wrong(db: &Connection, told: Told) -> Result<Vec<String>> {
    count(db, told)?;
    let (stored, counted) = (all(db, "report_cells")?, all(db, NEW_CELLS)?);
    db.execute_batch("DROP TABLE recounted_cells")?;
    let keys: BTreeSet<&Key> = stored.keys().chain(counted.keys()).collect();
    let of = |cells: &BTreeMap<Key, Counts>, key| cells.get(key).copied().unwrap_or_default();
    let wrong = keys.into_iter().filter(|&key| of(&stored, key) != of(&counted, key));
    let told =
        wrong.map(|key| format!("{key:?}: {:?} stored, {:?} there", of(&stored, key), of(&counted, key)));
    Ok(told.collect())
}

/// Counts into a temporary table, and returns the texts that get cells of their own.
fn count(db: &Connection, told: Told) -> Result<BTreeSet<NewLabel>> {
    db.execute_batch(NEW)?;
    let (labels, new, cells) = (report_cells::labels(db)?, BTreeSet::new(), Cells::default());
    let mut counting = Counting { db, told, labels, new, cells };
    counting.orders()?;
    counting.messages()?;
    counting.flush()?;
    db.execute_batch(RETIRED)?;
    db.execute_batch(LATE)?;
    Ok(counting.new)
}

/// What a recount finds of these callbacks, with their attempts, messages and wrap-ups. They are few, so nothing is written.
pub fn cells_of(db: &Connection, told: Told, going: &[Callback]) -> Result<Cells> {
    let (labels, new, cells) = (report_cells::labels(db)?, BTreeSet::new(), Cells::default());
    let mut counting = Counting { db, told, labels, new, cells };
    for callback in going {
        counting.order(callback)?;
        for message in messages::of_callback(db, callback.id)? {
            counting.message(&message)?;
        }
    }
    Ok(counting.cells)
}

type Key = (String, String, String, i64);

/// The cells that are not late, with the countries of a campaign as one.
fn all(db: &Connection, table: &str) -> Result<BTreeMap<Key, Counts>> {
    let sql = format!(
        "SELECT tenant, family, label, quarter, late, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 \
         FROM {table} WHERE late = 0"
    );
    let rows = collect(&mut db.prepare_cached(&sql)?, [], |cells| {
        let (tenant, family, label) =
            (cells.take::<String>()?, cells.take::<String>()?, cells.take::<String>()?);
        let (quarter, _, counts) = report_reads::counts(cells)?;
        Ok(((tenant, family, label, quarter.0), counts))
    })?;
    let mut all: BTreeMap<Key, Counts> = BTreeMap::new();
    for ((tenant, family, label, quarter), counts) in rows {
        let is_country = family == Family::Country.as_str();
        let label = if is_country { Family::parts(&label).0.to_owned() } else { label };
        let sum = all.entry((tenant, family, label, quarter)).or_default();
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    all.retain(|_, counts| counts.iter().any(|count| *count != 0));
    Ok(all)
}

struct Counting<'d> {
    db: &'d Connection,
    told: Told,
    labels: Labels,
    new: BTreeSet<NewLabel>,
    cells: Cells,
}

impl Counting<'_> {
    /// Callbacks with their attempts, in the order in which they were stored.
    fn orders(&mut self) -> Result<()> {
        let mut after = 0;
        loop {
            let found: Vec<(i64, CallbackId)> = self.next("callbacks", after)?;
            let Some((last, _)) = found.last() else { return Ok(()) };
            after = *last;
            for (_, id) in &found {
                let callback = callbacks::one(self.db, *id)?;
                callback.map_or(Ok(()), |callback| self.order(&callback))?;
            }
        }
    }

    fn order(&mut self, callback: &Callback) -> Result<()> {
        let campaign = callback.order.campaign.as_deref().unwrap_or_default();
        if callback.attempts_opened > 0 {
            for attempt in attempts::of_callback(self.db, callback.id)? {
                if attempt.disposition().is_none() {
                    continue;
                }
                let campaign = self.label(&callback.tenant, LabelKind::Campaign, campaign);
                let named = || callback.order.agent_at(attempt.submission.intended_at);
                let agent = attempt.agent.as_ref().or_else(named).map(ToString::to_string);
                let agent = agent.map(|agent| self.label(&callback.tenant, LabelKind::Agent, &agent));
                let told = attempt.disposition().map(|end| (self.told)(&attempt, end));
                let facts = Facts {
                    campaign: &campaign,
                    purpose: callback.order.purpose,
                    agent: agent.as_deref(),
                    told,
                    promised_at: callback.order.promised_at(),
                    first_rang_at: callback.first_rang_at(),
                };
                let counted = of_attempt(&attempt, &facts);
                self.add(&callback.tenant, counted)?;
            }
        }
        if let Some(record) = agents::one(self.db, callback.id)? {
            let campaign = self.label(&callback.tenant, LabelKind::Campaign, campaign);
            self.add(&callback.tenant, vec![of_wrap_up(&record, &campaign)])?;
        }
        if of_callback(callback, campaign).is_empty() {
            return Ok(());
        }
        let campaign = self.label(&callback.tenant, LabelKind::Campaign, campaign);
        self.add(&callback.tenant, of_callback(callback, &campaign))
    }

    fn messages(&mut self) -> Result<()> {
        let mut after = 0;
        loop {
            let found: Vec<(i64, MessageId)> = self.next("messages", after)?;
            let Some((last, _)) = found.last() else { return Ok(()) };
            after = *last;
            for (_, id) in &found {
                if let Some(message) = messages::one(self.db, *id)? {
                    self.message(&message)?;
                }
            }
        }
    }

    fn message(&mut self, message: &Message) -> Result<()> {
        if message.submission.stage != Stage::Accepted {
            return Ok(());
        }
        let campaign = message.ordered.as_ref().and_then(|ordered| ordered.campaign.as_deref());
        let campaign = self.label(&message.tenant, LabelKind::Campaign, campaign.unwrap_or_default());
        self.add(&message.tenant, of_message(message, &campaign))
    }

    /// The next rows of a table, with their places.
    fn next<T: Id>(&self, table: &str, after: i64) -> Result<Vec<(i64, T)>> {
        let sql = format!("SELECT seq, id FROM {table} NOT INDEXED WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        collect(&mut self.db.prepare_cached(&sql)?, [after, ROWS], |cells| Ok((cells.take()?, cells.id()?)))
    }

    fn label(&mut self, tenant: &Tenant, kind: LabelKind, text: &str) -> String {
        let (label, is_new) = self.labels.label(&self.new, tenant, kind, text);
        if is_new {
            self.new.insert((tenant.clone(), kind, label.to_owned()));
        }
        label.to_owned()
    }

    fn add(&mut self, tenant: &Tenant, counted: Vec<Counted>) -> Result<()> {
        for Counted { family, label, quarter, counts } in counted {
            self.cells
                .add(CellKey { tenant: tenant.clone(), family, label, quarter, is_late: false }, &counts);
        }
        if self.cells.len() >= HELD_MAX { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        report_cells::add_to(self.db, NEW_CELLS, &std::mem::take(&mut self.cells))
    }
}
