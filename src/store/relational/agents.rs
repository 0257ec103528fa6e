//! Wrap-ups, wrong numbers and offers: what agents say, and what waits for them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::rows::{Cells, collect, corrupt, digits, first, limit, micros, micros_if};
use super::sql::{Connection, params};
use super::suppressions::Key;
use super::{SqlStore, callbacks, list, suppression_lists};
use crate::domain::{Callback, CallbackId, EffectKind, Phone, Tenant, WrapUp, WrapUpEffect, WrapUpRecord};
use crate::store::{AgentChanges, AgentReads, Count, HeldBack, RecentOrder, Result, WrapUpDue, WrongNumber};
use crate::suppression::NameHasher;

const ONE: &str = "SELECT callback, tenant, disposition, effect, callback_at, list, scope, note, agent, said_by, \
     said_at, follow_up, revision FROM wrap_ups WHERE callback = ?1 AND disposition IS NOT NULL";
const PUT: &str = "INSERT INTO wrap_ups (callback, tenant, disposition, effect, callback_at, list, scope, note, agent, \
     said_by, said_at, follow_up, revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
     ON CONFLICT (callback) DO UPDATE SET disposition = ?3, effect = ?4, callback_at = ?5, list = ?6, scope = ?7, \
     note = ?8, agent = ?9, said_by = ?10, said_at = ?11, follow_up = ?12, revision = ?13";
const DUE: &str = "INSERT INTO wrap_ups (callback, tenant, due_at, revision) VALUES (?1, ?2, ?3, 0) \
     ON CONFLICT (callback) DO UPDATE SET due_at = ?3";
pub const MISSING: &str = "SELECT count(*) FROM (SELECT 1 FROM wrap_ups INDEXED BY wrap_ups_missing \
     WHERE disposition IS NULL AND due_at <= ?1 LIMIT ?2) AS w";
pub const MISSING_OF_TENANT: &str = "SELECT callback FROM wrap_ups INDEXED BY wrap_ups_missing_of_tenant \
     WHERE tenant = ?1 AND disposition IS NULL AND callback < ?2 AND due_at <= ?3 ORDER BY callback DESC LIMIT ?4";
pub const OFFERED: &str = "SELECT id FROM callbacks INDEXED BY callbacks_offered \
     WHERE tenant = ?1 AND offered_until IS NOT NULL AND offered_until > ?2 ORDER BY offered_until, seq LIMIT ?3";
pub const ALL_OFFERED: &str = "SELECT id FROM callbacks INDEXED BY callbacks_offered \
     WHERE offered_until IS NOT NULL AND offered_until > ?1";
pub const WRONG_IN_USE: &str = "SELECT EXISTS (SELECT 1 FROM wrong_numbers)";
const LAST_CALL: &str = "SELECT max(intended_at) FROM attempts WHERE callback = ?1";

#[async_trait]
impl AgentReads for SqlStore {
    async fn wrap_ups(&self, callbacks: &[CallbackId]) -> Result<Vec<WrapUpRecord>> {
        if callbacks.is_empty() {
            return Ok(Vec::new());
        }
        let ids = callbacks.to_vec();
        self.read(move |db| ids.iter().filter_map(|id| one(db, *id).transpose()).collect()).await
    }

    async fn wrap_ups_missing(&self, now: Timestamp) -> Result<Count> {
        self.read(move |db| {
            let most = limit(HeldBack::LOOKED_AT_MAX);
            let params = params![micros(now), most + 1];
            let found = first(&mut db.prepare_cached(MISSING)?, params, |cells| cells.take::<i64>())?;
            let found = found.unwrap_or(0);
            let number = found.min(most).cast_unsigned();
            Ok(Count { number, is_at_least: found > most })
        })
        .await
    }

    async fn offers(&self, tenant: &Tenant, now: Timestamp, most: usize) -> Result<Vec<Callback>> {
        let tenant = tenant.clone();
        self.read(move |db| {
            let params = params![tenant.as_str(), micros(now), limit(most)];
            let ids = collect(&mut db.prepare_cached(OFFERED)?, params, |cells| cells.id::<CallbackId>())?;
            callbacks::by_ids(db, &ids)
        })
        .await
    }

    async fn wrong_numbers(&self, callbacks: &[Callback]) -> Result<Vec<CallbackId>> {
        let (callbacks, key) = (callbacks.to_vec(), self.key());
        self.read(move |db| {
            let (mut in_use, mut wrong) = (None, Vec::new());
            for callback in &callbacks {
                if is_wrong_number(db, &key, &mut in_use, callback)? {
                    wrong.push(callback.id);
                }
            }
            Ok(wrong)
        })
        .await
    }

    async fn all_offers(&self, now: Timestamp) -> Result<Vec<Callback>> {
        self.read(move |db| {
            let mut seek = db.prepare_cached(ALL_OFFERED)?;
            let ids = collect(&mut seek, [micros(now)], |cells| cells.id::<CallbackId>())?;
            callbacks::by_ids(db, &ids)
        })
        .await
    }

    async fn recent_orders(&self, numbers: &[Phone]) -> Result<Vec<RecentOrder>> {
        let numbers = numbers.to_vec();
        self.read(move |db| recent(db, &numbers)).await
    }
}

fn recent(db: &Connection, numbers: &[Phone]) -> Result<Vec<RecentOrder>> {
    let mut ids: Vec<CallbackId> = Vec::new();
    let mut seek = db.prepare_cached(list::TO_CONSUMER)?;
    for partition in callbacks::partitions(db)? {
        for number in numbers {
            let params = params![partition, digits(*number), limit(RecentOrder::MAX)];
            ids.extend(collect(&mut seek, params, |cells| cells.id::<CallbackId>())?);
        }
        if ids.len() >= RecentOrder::MAX {
            break;
        }
    }
    ids.sort_unstable_by(|one, other| other.cmp(one));
    ids.truncate(RecentOrder::MAX);
    let mut last = db.prepare_cached(LAST_CALL)?;
    let mut found = Vec::with_capacity(ids.len());
    for callback in callbacks::by_ids(db, &ids)? {
        let called_at = first(&mut last, [callback.id.bytes()], |cells| cells.moment_if())?.flatten();
        found.push(RecentOrder { callback, called_at });
    }
    Ok(found)
}

pub fn one(db: &Connection, id: CallbackId) -> Result<Option<WrapUpRecord>> {
    first(&mut db.prepare_cached(ONE)?, [id.bytes()], read)
}

fn read(cells: &mut Cells<'_>) -> Result<WrapUpRecord> {
    let (callback, tenant) = (cells.id()?, cells.parsed()?);
    let (disposition, kind) = (cells.take()?, cells.parsed::<EffectKind>()?);
    let at = cells.moment_if()?;
    let (list, scope) = (cells.parsed_if()?, cells.parsed_if()?);
    let effect = match kind {
        EffectKind::None => Some(WrapUpEffect::None),
        EffectKind::CallbackAt => at.map(|at| WrapUpEffect::CallbackAt { at }),
        EffectKind::Suppress => list.zip(scope).map(|(list, scope)| WrapUpEffect::Suppress { list, scope }),
        EffectKind::WrongPerson => Some(WrapUpEffect::WrongPerson),
    };
    let effect = effect.ok_or_else(|| corrupt("an effect with what belongs to it", kind.as_str()))?;
    let said = WrapUp { disposition, effect, note: cells.take()?, agent: cells.take()? };
    Ok(WrapUpRecord {
        callback,
        tenant,
        said,
        by: cells.take()?,
        at: cells.moment()?,
        follow_up: cells.id_if()?,
        revision: cells.take()?,
    })
}

/// Writes what agents said in a turn. Of the callbacks that it ordered, `refused` were not taken.
pub fn write(
    db: &Connection,
    changes: &AgentChanges,
    key: &Key,
    refused: &BTreeSet<CallbackId>,
) -> Result<()> {
    let AgentChanges { wrap_ups, due, wrong_numbers, suppressed } = changes;
    for WrapUpDue { callback, tenant, at } in due {
        db.prepare_cached(DUE)?.write(params![callback.bytes(), tenant.as_str(), micros(*at)])?;
    }
    for record in wrap_ups {
        put(db, record, refused)?;
    }
    for wrong in wrong_numbers {
        let hashing = key.get()?;
        mark_wrong(db, &hashing.hasher, wrong)?;
    }
    for one in suppressed {
        let hashing = key.get()?;
        suppression_lists::add_one(db, &hashing.hasher, one)?;
    }
    Ok(())
}

fn put(db: &Connection, record: &WrapUpRecord, refused: &BTreeSet<CallbackId>) -> Result<()> {
    let WrapUp { disposition, effect, note, agent } = &record.said;
    let (at, list, scope) = match effect {
        WrapUpEffect::CallbackAt { at } => (Some(*at), None, None),
        WrapUpEffect::Suppress { list, scope } => (None, Some(list.to_string()), Some(scope.as_str())),
        WrapUpEffect::None | WrapUpEffect::WrongPerson => (None, None, None),
    };
    db.prepare_cached(PUT)?.write(params![
        record.callback.bytes(),
        record.tenant.as_str(),
        disposition,
        effect.kind().as_str(),
        micros_if(at),
        list,
        scope,
        note,
        agent,
        record.by,
        micros(record.at),
        record.follow_up.as_ref().filter(|id| !refused.contains(id)).map(|id| id.bytes()),
        record.revision,
    ])?;
    Ok(())
}

fn mark_wrong(db: &Connection, hasher: &NameHasher, wrong: &WrongNumber) -> Result<()> {
    for hash in hasher.of_wrong_number(wrong.tenant.as_str(), &wrong.reference, wrong.consumer) {
        if wrong.is_wrong {
            let sql = "INSERT INTO wrong_numbers (hash, callback) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            db.prepare_cached(sql)?.write(params![hash, wrong.callback.bytes()])?;
        } else {
            // What the wrap-up of another callback said stays.
            let sql = "DELETE FROM wrong_numbers WHERE hash = ?1 AND callback = ?2";
            db.prepare_cached(sql)?.write(params![hash, wrong.callback.bytes()])?;
        }
    }
    Ok(())
}

/// Whether the number of a new order is not that of the person whom its reference names. `in_use` says whether any number
/// is marked as wrong; it is read once for the orders of a transaction.
pub fn is_wrong_number(
    db: &Connection,
    key: &Key,
    in_use: &mut Option<bool>,
    callback: &Callback,
) -> Result<bool> {
    let order = &callback.order;
    let Some(reference) = &order.reference else { return Ok(false) };
    let is_used = match *in_use {
        Some(known) => known,
        None => *in_use.insert(db.prepare_cached(WRONG_IN_USE)?.query_row([], |row| row.get(0))?),
    };
    if !is_used {
        return Ok(false);
    }
    let hashing = key.get()?;
    let mut seek = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM wrong_numbers WHERE hash = ?1)")?;
    for hash in hashing.hasher.of_wrong_number(callback.tenant.as_str(), reference, order.consumer) {
        if seek.query_row([hash], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes an agent's words away, and who the agent was. A word that is missing is not expected any more.
pub fn erase(db: &Connection, id: CallbackId) -> Result<()> {
    db.prepare_cached("DELETE FROM wrap_ups WHERE callback = ?1 AND disposition IS NULL")?
        .write([id.bytes()])?;
    db.prepare_cached("UPDATE wrap_ups SET note = NULL, agent = NULL WHERE callback = ?1")?
        .write([id.bytes()])?;
    Ok(())
}
