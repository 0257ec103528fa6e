//! Which history a store is of, and what is known of a lost part of it.

use super::rows::{Cells, collect, first, limit, micros, micros_if};
use super::sql::{self, Connection, params};
use super::{clock, origin, rows, term};
use crate::domain::{
    AccountAlias, AccountListed, Lineage, LineageCause, LineageReleased, Numbers, Position, Server,
    StoreIdentity, StoreSelf, Unrecorded, Witnessed,
};
use crate::store::{LineageChange, Result};
use jiff::Timestamp;

/// What the store says of itself.
pub fn own(db: &Connection) -> Result<StoreSelf> {
    Ok(StoreSelf { last_at: last_at(db)?, ..glance(db)? })
}

/// The same without the time of its last batch, which takes longer to find.
pub fn glance(db: &Connection) -> Result<StoreSelf> {
    let position = term::position(db)?;
    let sql = "SELECT identity, copied_at, CASE WHEN held_since IS NOT NULL AND released_at IS NULL THEN 1 ELSE 0 END \
               FROM lineage WHERE one = 1";
    let row = first(&mut db.prepare_cached(sql)?, [], |cells| {
        Ok((identity(cells)?, cells.moment_if()?, cells.take::<i64>()? == 1))
    })?;
    let (identity, copied_at, is_held) = row
        .map_or((None, None, false), |(identity, copied_at, is_held)| (Some(identity), copied_at, is_held));
    let server = origin::server(db)?;
    let origin = server.origin.map_or(Ok(None), |_| origin::stored(db))?;
    let sql = "SELECT max(seen_at) FROM nodes";
    let beaten_at = first(&mut db.prepare_cached(sql)?, [], |cells| cells.moment_if())?.flatten();
    Ok(StoreSelf { identity, position, copied_at, last_at: None, is_held, origin, server, beaten_at })
}

/// The newest moment, by our own clock, that the store knows.
pub fn last_at(db: &Connection) -> Result<Option<Timestamp>> {
    const NEWEST: [&str; 5] = [
        "SELECT as_of FROM loads WHERE one = 1",
        "SELECT received_at FROM reports ORDER BY seq DESC LIMIT 1",
        "SELECT created_at FROM callbacks ORDER BY seq DESC LIMIT 1",
        "SELECT intended_at FROM attempts ORDER BY seq DESC LIMIT 1",
        "SELECT intended_at FROM messages ORDER BY seq DESC LIMIT 1",
    ];
    let mut newest = clock::read(db)?.map(|mark| mark.trusted.wall);
    for sql in NEWEST {
        let at = first(&mut db.prepare_cached(sql)?, [], |cells| cells.moment())?;
        newest = newest.max(at);
    }
    Ok(newest)
}

/// The store is taken under this identity. It is no copy any more, and held no longer.
pub fn adopt(db: &Connection, identity: StoreIdentity, released: Option<&LineageReleased>) -> Result<()> {
    let sql = "INSERT INTO lineage (one, identity) VALUES (1, ?1) \
               ON CONFLICT (one) DO UPDATE SET identity = excluded.identity, copied_at = NULL";
    db.prepare_cached(sql)?.execute(params![identity.bytes()])?;
    taken_here(db)?;
    released.map_or(Ok(()), |released| release(db, released))
}

/// The database counts as whole on the server that it is on.
pub fn taken_here(db: &Connection) -> Result<()> {
    origin::current(db)?.map_or(Ok(()), |current| origin::store(db, current))
}

/// The store is one that was opened: it is no copy any more.
pub fn opened(db: &Connection) -> Result<()> {
    taken_here(db)?;
    db.prepare_cached("UPDATE lineage SET copied_at = NULL WHERE one = 1")?.execute([])?;
    Ok(())
}

/// Nothing leaves from now on. The store gets another identity, so that no witness takes it for the one that it was.
pub fn hold(db: &Connection, identity: StoreIdentity, lineage: &Lineage) -> Result<()> {
    db.prepare_cached("DELETE FROM lineage_accounts")?.execute([])?;
    db.prepare_cached("DELETE FROM lineage_strangers")?.execute([])?;
    adopt(db, identity, None)?;
    let Lineage { since, cause, from, stored, witnessed, accounts: _, released: _ } = lineage;
    let sql = "UPDATE lineage SET held_since = ?1, cause = ?2, lost_from = ?3, stored_leader = ?4, stored_batch = ?5, \
               witness_identity = ?6, witness_leader = ?7, witness_batch = ?8, witness_at = ?9, released_at = NULL, \
               released_by = NULL, released_why = NULL WHERE one = 1";
    db.prepare_cached(sql)?.execute(params![
        micros(*since),
        cause.as_str(),
        micros(*from),
        stored.leader.cast_signed(),
        stored.batch.cast_signed(),
        witnessed.map(|witnessed| *witnessed.identity.bytes()),
        witnessed.map(|witnessed| witnessed.position.leader.cast_signed()),
        witnessed.map(|witnessed| witnessed.position.batch.cast_signed()),
        micros_if(witnessed.map(|witnessed| witnessed.at)),
    ])?;
    Ok(())
}

/// The last time that the store was held, and what is known of it.
pub fn read(db: &Connection) -> Result<Option<Lineage>> {
    let sql = "SELECT held_since, cause, lost_from, stored_leader, stored_batch, witness_identity, witness_leader, \
               witness_batch, witness_at, released_at, released_by, released_why FROM lineage \
               WHERE one = 1 AND held_since IS NOT NULL";
    let Some(mut lineage) = first(&mut db.prepare_cached(sql)?, [], lineage)? else { return Ok(None) };
    let sql = "SELECT account, listed_at, is_listed, calls, messages, inbound FROM lineage_accounts";
    lineage.accounts = collect(&mut db.prepare_cached(sql)?, [], account)?.into_iter().collect();
    Ok(Some(lineage))
}

pub fn unrecorded(db: &Connection, most: usize) -> Result<Vec<Unrecorded>> {
    let sql = "SELECT account, sid, kind, created_at, sender, consumer, callback, attempt FROM lineage_strangers \
               ORDER BY created_at, account, sid LIMIT ?1";
    collect(&mut db.prepare_cached(sql)?, [limit(most)], unrecorded_of)
}

/// Adds what a turn learnt.
pub fn write(db: &Connection, change: &LineageChange) -> Result<()> {
    for (account, listed) in &change.accounts {
        let sql = "INSERT INTO lineage_accounts (account, listed_at, is_listed, calls, messages, inbound) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account) DO UPDATE SET \
                   listed_at = excluded.listed_at, is_listed = excluded.is_listed, calls = excluded.calls, \
                   messages = excluded.messages, inbound = excluded.inbound";
        let AccountListed { at, is_listed, calls, messages, inbound } = listed;
        db.prepare_cached(sql)?.execute(params![
            &**account,
            micros(*at),
            i64::from(*is_listed),
            calls,
            messages,
            inbound
        ])?;
    }
    for unrecorded in &change.unrecorded {
        let sql = "INSERT INTO lineage_strangers \
                   (account, sid, kind, created_at, sender, consumer, callback, attempt) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (account, sid) DO NOTHING";
        db.prepare_cached(sql)?.execute(params![
            &*unrecorded.account,
            unrecorded.sid,
            unrecorded.kind.as_str(),
            micros(unrecorded.at),
            rows::digits(unrecorded.numbers.sender),
            rows::digits(unrecorded.numbers.consumer),
            unrecorded.callback.map(|id| *id.bytes()),
            unrecorded.attempt.map(|id| *id.bytes()),
        ])?;
    }
    change.released.as_ref().map_or(Ok(()), |released| release(db, released))
}

fn release(db: &Connection, released: &LineageReleased) -> Result<()> {
    let sql = "UPDATE lineage SET released_at = ?1, released_by = ?2, released_why = ?3 \
               WHERE one = 1 AND held_since IS NOT NULL AND released_at IS NULL";
    db.prepare_cached(sql)?.execute(params![micros(released.at), &*released.by, &*released.why])?;
    Ok(())
}

/// Marks a copy as one, until it is opened. A store without an identity gets one, so that the mark has a row.
pub fn mark_copy(db: &Connection, identity: StoreIdentity, now: Timestamp) -> sql::Result<()> {
    let sql = "INSERT INTO lineage (one, identity, copied_at) VALUES (1, ?1, ?2) \
               ON CONFLICT (one) DO UPDATE SET copied_at = excluded.copied_at";
    db.execute(sql, params![identity.bytes(), micros(now)]).map(drop)
}

fn identity(cells: &mut Cells<'_>) -> Result<StoreIdentity> {
    cells.take().map(StoreIdentity::new)
}

fn lineage(cells: &mut Cells<'_>) -> Result<Lineage> {
    let (since, cause) = (cells.moment()?, cells.parsed::<LineageCause>()?);
    let from = cells.moment()?;
    let stored = Position { leader: cells.version()?, batch: cells.version()? };
    let identity = cells.take::<Option<[u8; 16]>>()?.map(StoreIdentity::new);
    let leader = cells.take::<Option<i64>>()?.map(i64::cast_unsigned);
    let batch = cells.take::<Option<i64>>()?.map(i64::cast_unsigned);
    let at = cells.moment_if()?;
    let witnessed = identity.zip(leader.zip(batch)).zip(at).map(|((identity, (leader, batch)), at)| {
        Witnessed { identity, position: Position { leader, batch }, at, server: Server::default() }
    });
    let released_at = cells.moment_if()?;
    let (by, why) = (cells.text_if()?.unwrap_or_default(), cells.text_if()?.unwrap_or_default());
    let released = released_at.map(|at| LineageReleased { at, by: by.into(), why: why.into() });
    Ok(Lineage { since, cause, from, stored, witnessed, accounts: [].into(), released })
}

fn account(cells: &mut Cells<'_>) -> Result<(AccountAlias, AccountListed)> {
    let account = cells.account()?;
    let listed = AccountListed {
        at: cells.moment()?,
        is_listed: cells.take::<i64>()? == 1,
        calls: cells.take()?,
        messages: cells.take()?,
        inbound: cells.take()?,
    };
    Ok((account, listed))
}

fn unrecorded_of(cells: &mut Cells<'_>) -> Result<Unrecorded> {
    Ok(Unrecorded {
        account: cells.account()?,
        sid: cells.text()?.to_owned(),
        kind: cells.parsed()?,
        at: cells.moment()?,
        numbers: Numbers { sender: cells.phone()?, consumer: cells.phone()? },
        callback: cells.id_if()?,
        attempt: cells.id_if()?,
    })
}
