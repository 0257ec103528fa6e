//! The table of erasures: the door that begins one, and what the scheduler reads of them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rows::{Cells, collect, corrupt, digits, first, limit, micros};
use super::sql::{Connection, params};
use super::suppressions::{self, Key};
use super::{commands, persons, reports, suppression_lists};
use crate::domain::{
    CallbackId, Erasure, ErasureCounts, ErasureId, Event, ListName, Name, PersonId, Phone, SuppressionScope,
    spelling,
};
use crate::store::{
    Deletions, EntryName, ErasureRecord, ErasureWork, HeldElsewhere, NewCommand, NewErasure, NewSuppressions,
    Report, Result,
};

macro_rules! columns {
    () => {
        "id, state, pseudonym, names, pages, asked_at, asked_by, why, done_at, searched, orders, attempts, \
         messages, reports, unnamed"
    };
}

pub const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM erasures INDEXED BY erasures_open WHERE done_at IS NULL ORDER BY seq"
);
const ONE: &str = concat!("SELECT ", columns!(), " FROM erasures WHERE id = ?1");
const BEGIN: &str = "INSERT INTO erasures (id, state, pseudonym, names, pages, asked_at, asked_by, why) \
     VALUES (?1, 'closing', ?2, ?3, '[]', ?4, ?5, ?6)";
/// Calls in progress, and whether somebody has to ask for their end.
pub const LIVE: &str = "SELECT c.id, a.consumer, c.state = 'calling' AND c.cancel_requested_at IS NULL \
     FROM attempts AS a INDEXED BY attempts_live CROSS JOIN callbacks AS c ON c.id = a.callback WHERE a.live = 1";
pub const UNSETTLED: &str = "SELECT consumer FROM messages INDEXED BY messages_unsettled WHERE unsettled = 1";
pub const INBOUND: &str =
    "SELECT person FROM pairs INDEXED BY pairs_with_live_inbound WHERE live_inbound IS NOT NULL";

fn read(cells: &mut Cells<'_>) -> Result<Erasure> {
    Ok(Erasure {
        id: cells.id()?,
        state: cells.parsed()?,
        pseudonym: cells.phone()?,
        names: texts(cells.text_if()?)?.iter().filter_map(|text| persons::name(text)).collect(),
        pages: texts(cells.text_if()?)?,
        asked_at: cells.moment()?,
        asked_by: cells.take()?,
        why: cells.take()?,
        done_at: cells.moment_if()?,
        searched: cells.take()?,
        counts: ErasureCounts {
            orders: cells.version()?,
            attempts: cells.version()?,
            messages: cells.version()?,
            reports: cells.version()?,
            unnamed: cells.version()?,
        },
    })
}

/// A list of texts as JSON.
pub fn texts(json: Option<&str>) -> Result<BTreeSet<String>> {
    let Some(json) = json else { return Ok(BTreeSet::new()) };
    // The text is not in the error, because it names somebody.
    serde_json::from_str(json).map_err(|_| corrupt("a list of names", "a cell"))
}

pub fn one(db: &Connection, id: ErasureId) -> Result<Option<Erasure>> {
    first(&mut db.prepare_cached(ONE)?, [id.bytes()], read)
}

pub fn open(db: &Connection) -> Result<Vec<Erasure>> {
    collect(&mut db.prepare_cached(OPEN)?, [], read)
}

pub fn record(db: &Connection, id: ErasureId, most: usize) -> Result<Option<ErasureRecord>> {
    let Some(erasure) = one(db, id)? else { return Ok(None) };
    let sql =
        "SELECT account, kind, sid, state, tries FROM erasure_held WHERE erasure = ?1 ORDER BY sid LIMIT ?2";
    let held = collect(&mut db.prepare_cached(sql)?, params![id.bytes(), limit(most)], held)?;
    let sql = "SELECT count(*) FROM erasure_held WHERE erasure = ?1";
    let held_total = first(&mut db.prepare_cached(sql)?, [id.bytes()], |cells| cells.version())?.unwrap_or(0);
    Ok(Some(ErasureRecord { erasure, held, held_total }))
}

fn held(cells: &mut Cells<'_>) -> Result<HeldElsewhere> {
    Ok(HeldElsewhere {
        account: cells.account()?,
        kind: cells.parsed()?,
        sid: cells.take()?,
        state: cells.parsed()?,
        tries: cells.take()?,
    })
}

/// What platforms are to be asked to delete.
pub fn deletions(db: &Connection, id: ErasureId, now: Timestamp, most: usize) -> Result<Deletions> {
    let sql = "SELECT account, kind, sid, state, tries FROM erasure_held \
         WHERE erasure = ?1 AND state = 'held' AND due_at <= ?2 ORDER BY sid LIMIT ?3";
    let params = params![id.bytes(), micros(now), limit(most)];
    let due = collect(&mut db.prepare_cached(sql)?, params, held)?;
    let sql = "SELECT min(due_at) FROM erasure_held WHERE erasure = ?1 AND state = 'held' AND due_at > ?2";
    let params = params![id.bytes(), micros(now)];
    let next_at = first(&mut db.prepare_cached(sql)?, params, |cells| cells.moment_if())?.flatten();
    Ok(Deletions { due, next_at })
}

/// Begins an erasure.
pub fn erase(db: &Connection, key: &Key, new: &NewErasure) -> Result<Option<Erasure>> {
    if open(db)?.len() >= Erasure::OPEN_MAX {
        return Ok(None);
    }
    let hashing = key.get()?;
    let command = &new.command;
    let (at, by) = (command.report.received_at, by(&command.report.event));
    let mut names = BTreeSet::from([new.name.clone()]);
    for id in persons::of_name(db, &new.name)? {
        let Some(person) = persons::one(db, id)? else { continue };
        names.extend(person.numbers().into_iter().map(Name::Number));
        names.extend(person.names);
    }
    let entries = NewSuppressions {
        list: ListName::Erased,
        version: String::new(),
        scope: SuppressionScope::All,
        expires_at: None,
        why: None,
        names: names.iter().cloned().map(EntryName::Name).collect(),
        command: command.clone(),
    };
    let list = suppression_lists::list_of(db, &entries, &by)?.ok_or_else(|| corrupt("a list", "nothing"))?;
    let added = suppressions::add(db, &hashing.hasher, list, &entries, &by)?;
    let spelled: Vec<Name> =
        names.iter().filter_map(Name::number).flat_map(spelling::spellings).map(Name::Number).collect();
    names.extend(spelled);
    let stored: Vec<String> = names.iter().map(persons::text).collect();
    let stored = serde_json::to_string(&stored).map_err(|_| corrupt("a list of names", "a set"))?;
    db.prepare_cached(BEGIN)?.write(params![
        new.id.bytes(),
        digits(Erasure::pseudonym_of(new.id)),
        stored,
        micros(at),
        by,
        new.why,
    ])?;
    let event = Event::Erasure { erasure: new.id, list_id: list, entries: added, by };
    let report = Report { event, ..command.report.clone() };
    let command = NewCommand { report, ..command.clone() };
    commands::append(db, &command, &reports::seal(&command.report)?)?;
    one(db, new.id)
}

fn by(event: &Event) -> String {
    match event {
        Event::Erasure { by, .. } => by.clone(),
        _ => String::new(),
    }
}

/// What is open of the person.
pub fn work(db: &Connection, erasure: &Erasure, most: usize) -> Result<ErasureWork> {
    let numbers: BTreeSet<Phone> = erasure.numbers().collect();
    let mut found = ErasureWork::default();
    let mut waiting = db.prepare_cached(suppressions::WAITING)?;
    let mut ids: BTreeSet<PersonId> = BTreeSet::new();
    for number in &numbers {
        let room = most.saturating_sub(found.open.len());
        let rows =
            collect(&mut waiting, params![digits(*number), limit(room)], |cells| cells.id::<CallbackId>())?;
        found.open.extend(rows);
        ids.extend(persons::of_number(db, *number)?);
    }
    let live = collect(&mut db.prepare_cached(LIVE)?, [], |cells| {
        Ok((cells.id::<CallbackId>()?, cells.phone()?, cells.take::<bool>()?))
    })?;
    for (id, _, is_to_end) in live.into_iter().filter(|(_, consumer, _)| numbers.contains(consumer)) {
        found.busy += 1;
        found.open.extend(is_to_end.then_some(id));
    }
    let unsettled = collect(&mut db.prepare_cached(UNSETTLED)?, [], |cells| cells.phone())?;
    found.busy += unsettled.iter().filter(|consumer| numbers.contains(consumer)).count() as u64;
    let inbound = collect(&mut db.prepare_cached(INBOUND)?, [], |cells| cells.phone())?;
    let on_the_phone = |person: &Phone| ids.contains(&PersonId::from_stored(*person));
    found.busy += inbound.iter().filter(|person| on_the_phone(person)).count() as u64;
    Ok(found)
}

/// Those of the names that are on the list.
pub fn erased_names(db: &Connection, key: &Key, names: &[Name]) -> Result<Vec<Name>> {
    let list = ListName::Erased.to_string();
    let mut erased = Vec::new();
    for name in names {
        if !suppressions::of_name(db, key, &list, &EntryName::Name(name.clone()))?.is_empty() {
            erased.push(name.clone());
        }
    }
    Ok(erased)
}

pub fn has_erased(db: &Connection) -> Result<bool> {
    Ok(db.prepare_cached("SELECT EXISTS (SELECT 1 FROM erasures)")?.query_row([], |row| row.get(0))?)
}
