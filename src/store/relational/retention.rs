//! Deletes what is older than it has to be kept, a bounded number of rows at a time. Nothing that is open, awaited or
//! referred to by something open is deleted, and what was counted of it stays counted. PostgreSQL drops whole months of the
//! tables that are kept so, and rows only from their rest.

use super::months::{self, Monthly};
use super::rows::{collect, first, limit, micros};
use super::sql::{Connection, params};
use super::{SqlStore, callbacks, report_recount, retired};
use crate::domain::CallbackId;
use crate::store::{Result, Told};
use jiff::Timestamp;

/// The kinds of rows that have a time to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Closed callbacks and invites, with their attempts, messages, timeline, wrap-ups, webhooks and idempotency keys.
    Callbacks,
    /// Lines of timelines that are about no open callback.
    Timeline,
    /// Folded reports of platforms, and commands with their results.
    Inbox,
    /// Webhooks that were delivered or given up.
    Outbox,
    /// Entries of the audit log.
    Audit,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retained {
    /// How many rows were deleted; of a callback only itself counts.
    pub deleted: u64,
    /// How many months were dropped, with rows that are not among those.
    pub months: u64,
    /// Where the next step goes on; `None` when the pass is done.
    pub next: Option<i64>,
    /// Up to this place nothing has to be looked at again.
    pub settled: Option<i64>,
}

impl Retained {
    pub const fn part(deleted: u64, next: Option<i64>) -> Self {
        Self { deleted, months: 0, next, settled: None }
    }
}

impl SqlStore {
    /// Deletes rows of a kind that are older than `before`: looks at `most` rows after a place, in one transaction. A pass
    /// begins at 0.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn retain(
        &self,
        kind: Kept,
        before: Timestamp,
        after: i64,
        most: usize,
        told: Told,
    ) -> Result<Retained> {
        self.write(move |db| match kind {
            Kept::Callbacks => old_callbacks(db, before, after, most, told),
            Kept::Timeline => old_rows(db, &TIMELINE, before, after, most),
            Kept::Inbox => old_rows(db, &INBOX, before, after, most),
            Kept::Outbox => old_rows(db, &OUTBOX, before, after, most),
            Kept::Audit => old_rows(db, &AUDIT, before, after, most),
        })
        .await
    }
}

/// Closed callbacks on which nothing open depends: `?1` is the id, `?2` the moment.
const MAY_GO: &str = "SELECT 1 FROM callbacks AS c WHERE c.id = ?1 AND c.state NOT IN ('waiting', 'calling') AND c.at < ?2 \
     AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.callback = c.id AND a.live = 1) \
     AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.callback = c.id AND (m.unsettled = 1 OR EXISTS \
     (SELECT 1 FROM pairs AS p WHERE p.permission = 'requested' AND p.request = m.id))) \
     AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.subject = c.id AND o.state = 'waiting') \
     AND NOT EXISTS (SELECT 1 FROM set_aside AS s WHERE s.verdict IS NULL AND s.callback = c.id)";
/// What hangs on a callback, and then the callback.
const GO: [&str; 7] = [
    "DELETE FROM timeline WHERE callback = ?1",
    "DELETE FROM outbox WHERE subject = ?1",
    "DELETE FROM wrap_ups WHERE callback = ?1",
    "DELETE FROM messages WHERE callback = ?1",
    "DELETE FROM attempts WHERE callback = ?1",
    "DELETE FROM idempotency_keys WHERE callback = ?1",
    "DELETE FROM callbacks WHERE id = ?1",
];

fn old_callbacks(
    db: &Connection,
    before: Timestamp,
    after: i64,
    most: usize,
    told: Told,
) -> Result<Retained> {
    // The newest row stays, so that no place is given out twice.
    let sql = "SELECT seq, id, created_at FROM callbacks WHERE seq > ?1 AND seq < (SELECT max(seq) FROM callbacks) \
               ORDER BY seq LIMIT ?2";
    let found = collect(&mut db.prepare_cached(sql)?, params![after, limit(most)], |cells| {
        Ok((cells.take::<i64>()?, cells.id::<CallbackId>()?, cells.moment()?))
    })?;
    // Later ones were created later, so they were closed later.
    let old: Vec<_> = found.iter().take_while(|(.., created_at)| *created_at < before).collect();
    let is_end = old.len() < most;
    let next = old.last().map(|(seq, ..)| *seq).filter(|_| !is_end);
    let mut going = Vec::new();
    for (_, id, _) in &old {
        let may_go = first(&mut db.prepare_cached(MAY_GO)?, params![id.bytes(), micros(before)], |_| Ok(()))?;
        let callback = match may_go {
            Some(()) => callbacks::one(db, *id)?,
            None => None,
        };
        // A campaign that is open may be followed by another one, which takes its callbacks over.
        if let Some(callback) = callback
            && !retired::is_of_open_campaign(db, &callback)?
        {
            going.push(callback);
        }
    }
    let cells = report_recount::cells_of(db, told, &going)?;
    retired::keep(db, &going, &cells)?;
    for callback in &going {
        for sql in GO {
            db.prepare_cached(sql)?.execute([callback.id.bytes()])?;
        }
    }
    Ok(Retained::part(going.len() as u64, next))
}

/// Rows of one table that may be deleted alone. In the texts `{t}` is the table, or its rest where it is kept by month.
struct Old {
    by_month: &'static Monthly,
    /// What is done with rows after `?1` up to `?2` that are older than `?3`, one after another.
    go: &'static [&'static str],
    /// Which rows that stay have to be looked at again; all, if it does not say.
    stay: &'static str,
}

const TIMELINE: Old = Old {
    by_month: &months::TIMELINE,
    go: &[
        "DELETE FROM {t} WHERE seq > ?1 AND seq <= ?2 AND at < ?3 AND seq < (SELECT max(seq) FROM timeline) \
           AND (callback IS NULL OR NOT EXISTS (SELECT 1 FROM callbacks AS c WHERE c.id = {t}.callback \
           AND c.state IN ('waiting', 'calling')))",
    ],
    stay: "seq = seq",
};
const OUTBOX: Old = Old {
    by_month: &months::OUTBOX,
    go: &["DELETE FROM {t} WHERE seq > ?1 AND seq <= ?2 AND settled_at < ?3 AND state <> 'waiting' \
           AND seq < (SELECT max(seq) FROM outbox)"],
    stay: "seq = seq",
};
const AUDIT: Old = Old {
    by_month: &months::AUDIT,
    go: &["DELETE FROM {t} WHERE seq > ?1 AND seq <= ?2 AND at < ?3 AND seq < (SELECT max(seq) FROM audit)"],
    stay: "seq = seq",
};
/// What consumers answered, wrote and did keeps its key without its text: a repeated webhook must not count again, because
/// it could give back a permission that was taken back since.
const INBOX: Old = Old {
    by_month: &months::INBOX,
    go: &[
        "UPDATE {t} SET event = '\"erased\"' WHERE seq > ?1 AND seq <= ?2 AND received_at < ?3 AND event <> '\"erased\"' \
         AND (event LIKE '{\"permission_reply\"%' OR event LIKE '{\"permission_override\"%' \
         OR event LIKE '{\"inbound_%' OR event LIKE '{\"messenger_%' OR event LIKE '{\"marketing_preference\"%') \
         AND NOT EXISTS (SELECT 1 FROM unfolded_reports AS u WHERE u.seq = {t}.seq) \
         AND NOT EXISTS (SELECT 1 FROM unmatched_reports AS u WHERE u.seq = {t}.seq) \
         AND NOT EXISTS (SELECT 1 FROM set_aside AS s WHERE s.report = {t}.seq) \
         AND NOT EXISTS (SELECT 1 FROM commands AS c WHERE c.seq = {t}.seq AND c.outcome IS NULL)",
        "DELETE FROM commands WHERE seq > ?1 AND seq <= ?2 AND outcome IS NOT NULL \
         AND seq < (SELECT max(seq) FROM reports) AND EXISTS (SELECT 1 FROM {t} AS r WHERE r.seq = commands.seq \
         AND r.received_at < ?3) AND NOT EXISTS (SELECT 1 FROM set_aside AS s WHERE s.report = commands.seq)",
        "DELETE FROM {t} WHERE seq > ?1 AND seq <= ?2 AND received_at < ?3 AND event <> '\"erased\"' \
         AND seq < (SELECT max(seq) FROM reports) \
         AND NOT EXISTS (SELECT 1 FROM unfolded_reports AS u WHERE u.seq = {t}.seq) \
         AND NOT EXISTS (SELECT 1 FROM unmatched_reports AS u WHERE u.seq = {t}.seq) \
         AND NOT EXISTS (SELECT 1 FROM set_aside AS s WHERE s.report = {t}.seq) \
         AND NOT EXISTS (SELECT 1 FROM commands AS c WHERE c.seq = {t}.seq)",
    ],
    stay: "event <> '\"erased\"'",
};

/// Rows were stored in the order of their times, but for jumps of the clock, so a pass ends with a step in which nothing is
/// old.
fn old_rows(db: &Connection, old: &Old, before: Timestamp, after: i64, most: usize) -> Result<Retained> {
    let is_by_month = db.postgres().is_some();
    if is_by_month
        && after == 0
        && let Some(step) = months::drop_oldest(db, old.by_month, before, most)?
    {
        return Ok(step);
    }
    let Monthly { table, time, .. } = old.by_month;
    let table = if is_by_month { format!("{table}_rest") } else { (*table).to_owned() };
    let sql = format!(
        "SELECT max(seq), min({time}) FROM (SELECT seq, {time} FROM {table} WHERE seq > ?1 ORDER BY seq LIMIT ?2) AS next"
    );
    let step = first(&mut db.prepare_cached(&sql)?, params![after, limit(most)], |cells| {
        Ok((cells.take::<Option<i64>>()?, cells.take::<Option<i64>>()?))
    })?;
    let before = micros(before);
    let Some((Some(last), Some(oldest))) = step else { return Ok(Retained::part(0, None)) };
    if oldest >= before {
        return Ok(Retained::part(0, None));
    }
    let mut deleted = 0;
    for sql in old.go {
        let rows = db.prepare_cached(&sql.replace("{t}", &table))?.execute(params![after, last, before])?;
        if sql.starts_with("DELETE") {
            deleted += rows as u64;
        }
    }
    let sql = format!("SELECT min(seq) FROM {table} WHERE seq > ?1 AND seq <= ?2 AND {}", old.stay);
    let stays =
        first(&mut db.prepare_cached(&sql)?, params![after, last], |cells| cells.take::<Option<i64>>())?;
    let settled = stays.flatten().map_or(last, |stays| stays - 1);
    Ok(Retained { settled: Some(settled), ..Retained::part(deleted, Some(last)) })
}
