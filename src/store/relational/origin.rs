//! What a PostgreSQL server says of itself: its identity, its timeline and its standbys. A file says nothing.

use super::rows::{Cells, corrupt, first};
use super::sql::{Connection, params};
use crate::domain::{Replication, Server, ServerOrigin, ServerSettings, Standbys};
use crate::store::{Error, Result};

/// The functions are open to everybody unless an administrator took that away.
const READABLE: &str = "SELECT CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE') \
     AND has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE') THEN 1 ELSE 0 END";
/// The name of a file of the log begins with eight hexadecimal digits of the timeline (PostgreSQL, *Backup Control
/// Functions*).
const ORIGIN: &str =
    "SELECT system_identifier, pg_walfile_name(pg_current_wal_insert_lsn()) FROM pg_control_system()";
/// Without what copies the server for a moment, and without subscribers of single tables.
const STANDBYS: &str = "SELECT current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), \
     count(*), count(*) FILTER (WHERE r.sync_state IS NULL), count(*) FILTER (WHERE r.sync_state = 'sync'), \
     count(*) FILTER (WHERE r.sync_state = 'quorum') FROM pg_stat_replication r \
     WHERE (r.state IS NULL OR r.state <> 'backup') AND NOT EXISTS (SELECT 1 FROM pg_replication_slots s \
     WHERE s.active_pid = r.pid AND s.slot_type = 'logical')";

/// The server that the connection is to.
pub fn server(db: &Connection) -> Result<Server> {
    let Some(origin) = current(db)? else { return Ok(Server::default()) };
    let is_synchronous = standbys(db)?.replication() == Replication::Synchronous;
    Ok(Server { origin: Some(origin), is_synchronous })
}

/// `None` for a file, and where the user may not read it.
pub fn current(db: &Connection) -> Result<Option<ServerOrigin>> {
    if db.postgres().is_none() {
        return Ok(None);
    }
    let is_readable = first(&mut db.prepare_cached(READABLE)?, [], |cells| cells.take::<i64>())?;
    if is_readable != Some(1) {
        return Ok(None);
    }
    first(&mut db.prepare_cached(ORIGIN)?, [], read)
}

pub fn standbys(db: &Connection) -> Result<Standbys> {
    first(&mut db.prepare_cached(STANDBYS)?, [], |cells| {
        Ok(Standbys {
            commit: cells.text()?.to_owned(),
            names: cells.text()?.to_owned(),
            all: cells.version()?,
            hidden: cells.version()?,
            sync: cells.version()?,
            quorum: cells.version()?,
        })
    })?
    .ok_or_else(|| corrupt("standbys", "nothing"))
}

/// The settings on which the durability of commits depends.
pub fn settings(db: &Connection) -> Result<ServerSettings> {
    let sql = "SELECT current_setting('fsync'), current_setting('full_page_writes')";
    let on =
        first(&mut db.prepare_cached(sql)?, [], |cells| Ok((cells.text()? == "on", cells.text()? == "on")))?;
    let (fsync, full_page_writes) = on.ok_or_else(|| corrupt("settings", "nothing"))?;
    Ok(ServerSettings { fsync, full_page_writes, standbys: standbys(db)?, origin: current(db)? })
}

/// Where the database was last known to be whole.
pub fn stored(db: &Connection) -> Result<Option<ServerOrigin>> {
    let sql = "SELECT system, timeline FROM origin WHERE one = 1";
    first(&mut db.prepare_cached(sql)?, [], |cells| {
        let (system, timeline) = (cells.take()?, cells.take::<i64>()?);
        let timeline = u32::try_from(timeline).map_err(|_| corrupt("a timeline", "a number"))?;
        Ok(ServerOrigin { system, timeline })
    })
}

/// The database counts as whole here from now on.
pub fn store(db: &Connection, origin: ServerOrigin) -> Result<()> {
    let sql = "INSERT INTO origin (one, system, timeline) VALUES (1, ?1, ?2) \
               ON CONFLICT (one) DO UPDATE SET system = excluded.system, timeline = excluded.timeline";
    db.prepare_cached(sql)?.execute(params![origin.system, i64::from(origin.timeline)])?;
    Ok(())
}

/// Checks in a leader's transaction, if its connection is a new one, that it leads to where the database was known. A
/// leader compares the store before it writes again.
///
/// # Errors
/// [`Error::Deposed`] if it does not.
pub fn check(db: &Connection) -> Result<()> {
    let Some(session) = db.postgres().filter(|session| session.is_new()) else { return Ok(()) };
    let (stored, current) = (stored(db)?, current(db)?);
    if stored.zip(current).is_some_and(|(stored, current)| stored != current) {
        return Err(Error::Deposed);
    }
    session.set_known();
    Ok(())
}

fn read(cells: &mut Cells<'_>) -> Result<ServerOrigin> {
    let (system, file) = (cells.take()?, cells.text()?);
    let digits = file.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let timeline = digits.ok_or_else(|| corrupt("a timeline", file))?;
    Ok(ServerOrigin { system, timeline })
}
