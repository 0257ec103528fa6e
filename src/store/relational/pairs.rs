//! The ledgers of pairs.

use jiff::Timestamp;

use super::attempts::read_grant;
use super::rows::{Cells, collect, corrupt, digits, first, limit, log, micros, micros_if};
use super::sql::{Connection, params};
use crate::domain::{CallPermission, ContentRef, Pair, PairKey, PersonId};
use crate::store::{Error, LedgersWanted, Result};

macro_rules! columns {
    () => {
        "sender, person, version, permission, permission_until, request, requests, connected, misses, \
         invited_at, inbound_at, live_inbound, paused_until, declined_request_at, \
         ended_inbound, inbound_began_at, missed_at, unanswered, messaged_at, granted_at, granted_by"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO pairs (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) \
     ON CONFLICT (sender, person) DO NOTHING"
);

/// Takes the same parameters as [`INSERT`].
const UPDATE: &str = "UPDATE pairs SET version = ?3, permission = ?4, permission_until = ?5, request = ?6, \
     requests = ?7, connected = ?8, misses = ?9, invited_at = ?10, inbound_at = ?11, live_inbound = ?12, \
     paused_until = ?13, declined_request_at = ?14, \
     ended_inbound = ?15, inbound_began_at = ?16, missed_at = ?17, unanswered = ?18, messaged_at = ?19, granted_at = ?20, granted_by = ?21 \
     WHERE sender = ?1 AND person = ?2 AND version = ?3 - 1";

pub const WITH_LIVE_INBOUND: &str =
    concat!("SELECT ", columns!(), " FROM pairs WHERE live_inbound IS NOT NULL ORDER BY sender, person");

pub const OF_PERSON: &str = concat!("SELECT ", columns!(), " FROM pairs WHERE person = ?1");

pub const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM pairs WHERE (sender, person) > (?1, ?2) ORDER BY sender, person LIMIT ?3 OFFSET ?4"
);
pub const PAGE_OF_SENDER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM pairs WHERE sender = ?1 AND person > ?2 ORDER BY person LIMIT ?3 OFFSET ?4"
);

/// Conflicts if the stored version of any of them is not the previous one.
pub fn write(db: &Connection, pairs: &[Pair]) -> Result<()> {
    for pair in pairs {
        let (permission, until) = permission(pair.permission);
        if pair.version == 1 {
            // A pair is found by its person.
            db.prepare_cached(
                "INSERT INTO persons (id, version) VALUES (?1, 1) ON CONFLICT (id) DO NOTHING",
            )?
            .write([digits(pair.key.person.number())])?;
        }
        let sql = if pair.version == 1 { INSERT } else { UPDATE };
        let changed = db.prepare_cached(sql)?.execute(params![
            digits(pair.key.sender),
            digits(pair.key.person.number()),
            pair.version.cast_signed(),
            permission,
            micros_if(until),
            pair.request.as_ref().map(|id| id.bytes()),
            log(&pair.requests),
            log(&pair.connected),
            pair.misses,
            micros_if(pair.invited_at),
            micros_if(pair.inbound_at),
            pair.live_inbound,
            micros_if(pair.paused_until),
            micros_if(pair.declined_request_at),
            pair.ended_inbound,
            micros_if(pair.inbound_began_at),
            micros_if(pair.missed_at),
            pair.unanswered,
            micros_if(pair.messaged_at),
            pair.granted.as_ref().map(|grant| micros(grant.at)),
            pair.granted.as_ref().and_then(|grant| grant.by.as_ref()).map(ContentRef::as_str),
        ])?;
        if changed == 0 {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

fn read(cells: &mut Cells<'_>) -> Result<Pair> {
    Ok(Pair {
        key: PairKey { sender: cells.phone()?, person: PersonId::from_stored(cells.phone()?) },
        version: cells.version()?,
        permission: read_permission(cells)?,
        request: cells.id_if()?,
        requests: cells.log()?,
        connected: cells.log()?,
        misses: cells.take()?,
        invited_at: cells.moment_if()?,
        inbound_at: cells.moment_if()?,
        live_inbound: cells.take()?,
        paused_until: cells.moment_if()?,
        declined_request_at: cells.moment_if()?,
        ended_inbound: cells.take()?,
        inbound_began_at: cells.moment_if()?,
        missed_at: cells.moment_if()?,
        unanswered: cells.take()?,
        messaged_at: cells.moment_if()?,
        granted: read_grant(cells)?,
    })
}

/// The name of the permission, and its time.
const fn permission(permission: CallPermission) -> (&'static str, Option<Timestamp>) {
    use CallPermission as P;
    let until = match permission {
        P::Requested { expires_at: at }
        | P::Declined { until: at }
        | P::Temporary { expires_at: at }
        | P::Uncallable { until: at } => Some(at),
        P::None | P::Permanent | P::Expired | P::RevokedByConsumer | P::RevokedAutomatically => None,
    };
    (permission.as_str(), until)
}

fn read_permission(cells: &mut Cells<'_>) -> Result<CallPermission> {
    use CallPermission as P;
    let word = cells.text()?;
    Ok(match (word, cells.moment_if()?) {
        ("none", None) => P::None,
        ("requested", Some(expires_at)) => P::Requested { expires_at },
        ("declined", Some(until)) => P::Declined { until },
        ("temporary", Some(expires_at)) => P::Temporary { expires_at },
        ("permanent", None) => P::Permanent,
        ("expired", None) => P::Expired,
        ("revoked_by_consumer", None) => P::RevokedByConsumer,
        ("revoked_automatically", None) => P::RevokedAutomatically,
        ("uncallable", Some(until)) => P::Uncallable { until },
        _ => return Err(corrupt("a permission with its moment", word)),
    })
}

pub fn by_keys(db: &Connection, keys: &[PairKey]) -> Result<Vec<Pair>> {
    let sql = concat!("SELECT ", columns!(), " FROM pairs WHERE sender = ?1 AND person = ?2");
    let mut statement = db.prepare_cached(sql)?;
    keys.iter()
        .map(|key| {
            let found = first(&mut statement, [digits(key.sender), digits(key.person.number())], read)?;
            Ok(found.unwrap_or_else(|| Pair::unknown(*key)))
        })
        .collect()
}

/// A page of the ledgers, in the order of their senders and people.
pub fn page(db: &Connection, wanted: &LedgersWanted) -> Result<Vec<Pair>> {
    // No number is below zero.
    let (sender, person) =
        wanted.after.map_or((-1, -1), |key| (digits(key.sender), digits(key.person.number())));
    let (most, skip) = (limit(wanted.most), limit(wanted.skip));
    match wanted.sender {
        Some(only) if digits(only) < sender => Ok(Vec::new()),
        Some(only) => {
            let after = if digits(only) == sender { person } else { -1 };
            collect(&mut db.prepare_cached(PAGE_OF_SENDER)?, params![digits(only), after, most, skip], read)
        }
        None => collect(&mut db.prepare_cached(PAGE)?, params![sender, person, most, skip], read),
    }
}

/// The ledgers of a person with every sender.
pub fn of_person(db: &Connection, id: PersonId) -> Result<Vec<Pair>> {
    collect(&mut db.prepare_cached(OF_PERSON)?, [digits(id.number())], read)
}

pub fn with_live_inbound(db: &Connection) -> Result<Vec<Pair>> {
    collect(&mut db.prepare_cached(WITH_LIVE_INBOUND)?, [], read)
}
