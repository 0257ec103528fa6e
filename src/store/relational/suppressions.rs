//! Entries of suppression lists. They are found by hashes, so where there are none, nothing is hashed.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::persons;
use super::rows::{Cells, collect, corrupt, digits, limit, micros, moment, parse};
use super::sql::{Connection, params};
use crate::domain::suppression::refuses_order;
use crate::domain::{
    Callback, CallbackId, Country, Name, Person, Phone, Purpose, Suppression, SuppressionScope,
};
use crate::store::{EntryName, Error, Hashing, NewSuppressions, Result};
use crate::suppression::{NameHash, NameHasher, every_spelling};

pub const IN_USE: &str = "SELECT EXISTS (SELECT 1 FROM suppressions)";
pub const BY_HASH: &str = "SELECT l.name, s.scope, l.purposes, l.countries, s.added_at, s.expires_at, s.why \
     FROM suppressions AS s CROSS JOIN suppression_lists AS l ON l.id = s.list \
     WHERE s.hash = ?1 AND l.retired_at IS NULL";
pub const WAITING: &str = "SELECT id, consumer FROM waiting_by_partition AS w \
     CROSS JOIN callbacks INDEXED BY callbacks_by_consumer USING (partition_no) \
     WHERE w.callbacks > 0 AND consumer = ?1 AND state = 'waiting' LIMIT ?2";

/// How names are hashed, once that is known.
#[derive(Default)]
pub struct Key(RwLock<Option<Arc<Hashing>>>);

impl Key {
    pub fn set(&self, hashing: Hashing) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hashing));
    }

    /// How names are hashed.
    pub fn get(&self) -> Result<Arc<Hashing>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        known.ok_or_else(|| Error::Unusable("the key of the suppression lists is not set".into()))
    }

    /// How names are hashed, if there is any entry.
    pub fn if_used(&self, db: &Connection) -> Result<Option<Arc<Hashing>>> {
        let is_used: bool = db.prepare_cached(IN_USE)?.query_row([], |row| row.get(0))?;
        if is_used { self.get().map(Some) } else { Ok(None) }
    }
}

/// Refuses a key with which the entries were not hashed.
pub fn check_key(db: &Connection, hasher: &NameHasher) -> Result<()> {
    let is_used: bool = db.prepare_cached(IN_USE)?.query_row([], |row| row.get(0))?;
    let marks = collect(&mut db.prepare_cached("SELECT mark FROM suppression_keys")?, [], |cells| {
        cells.take::<[u8; 8]>()
    })?;
    if is_used && marks.iter().any(|mark| *mark != hasher.mark()) {
        return Err(Error::Unusable(
            "the store has entries of suppression lists that were hashed with another key: set suppression.key to \
             the former one, or nobody on these lists would be found"
                .into(),
        ));
    }
    Ok(())
}

/// All entries for the person. `told` is another number of the person.
pub fn of_person(
    db: &Connection,
    hasher: &NameHasher,
    person: &Person,
    told: Option<Phone>,
) -> Result<Vec<Suppression>> {
    let mut seek = db.prepare_cached(BY_HASH)?;
    let mut found: Vec<Suppression> = Vec::new();
    for hash in hasher.of_person(person, told) {
        for entry in collect(&mut seek, [hash], read)? {
            if !found.contains(&entry) {
                found.push(entry);
            }
        }
    }
    Ok(found)
}

fn read(cells: &mut Cells<'_>) -> Result<Suppression> {
    Ok(Suppression {
        list: cells.parsed()?,
        scope: cells.parsed()?,
        purposes: purposes(cells.text()?)?,
        countries: countries(cells.text()?)?,
        added_at: cells.moment()?,
        expires_at: ends_at(cells.take()?)?,
        why: cells.text_if()?.map(Into::into),
    })
}

pub fn purposes(text: &str) -> Result<Vec<Purpose>> {
    text.split_ascii_whitespace().map(parse).collect()
}

pub fn countries(text: &str) -> Result<Vec<Country>> {
    let read = |letters| Country::parse(letters).ok_or_else(|| corrupt("a country", letters));
    text.split_ascii_whitespace().map(read).collect()
}

fn ends_at(micros: i64) -> Result<Option<Timestamp>> {
    (micros != 0).then(|| moment(micros)).transpose()
}

/// The entry because of which a new callback is refused.
pub fn refuses(db: &Connection, hashing: &Hashing, callback: &Callback) -> Result<Option<Suppression>> {
    let Hashing { hasher, accounts } = hashing;
    let found = persons::suppressions(db, hasher, callback.order.consumer)?;
    Ok(refuses_order(&found, callback.created_at, &callback.order, accounts).cloned())
}

/// Adds the entries to a list, and returns how many are new.
pub fn add(db: &Connection, hasher: &NameHasher, list: i64, new: &NewSuppressions, by: &str) -> Result<u32> {
    let at = new.command.report.received_at;
    let terms = (new.scope, new.expires_at, new.why.as_deref());
    add_names(db, hasher, list, &new.names, terms, (at, by))
}

/// Adds names to a list with these terms, at a time by a token, and returns how many are new.
pub fn add_names(
    db: &Connection,
    hasher: &NameHasher,
    list: i64,
    names: &[EntryName],
    (scope, expires_at, why): (SuppressionScope, Option<Timestamp>, Option<&str>),
    (at, by): (Timestamp, &str),
) -> Result<u32> {
    let is_used: bool = db.prepare_cached(IN_USE)?.query_row([], |row| row.get(0))?;
    if !is_used {
        // No entry is left that another key has hashed.
        db.prepare_cached("DELETE FROM suppression_keys")?.write([])?;
    }
    db.prepare_cached("INSERT INTO suppression_keys (mark) VALUES (?1) ON CONFLICT (mark) DO NOTHING")?
        .write([hasher.mark()])?;
    let sql = "INSERT INTO suppressions (hash, list, scope, expires_at, added_at, added_by, why) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let mut insert = db.prepare_cached(sql)?;
    let (ends, at) = (expires_at.map_or(0, micros), micros(at));
    let mut added = 0;
    for name in names {
        let hash = match name {
            EntryName::Name(name) => hasher.of_name(name),
            EntryName::Digest(digest) => hasher.of_digest(digest),
        };
        let row = params![hash, list, scope.as_str(), ends, at, by, why];
        added += u32::from(insert.execute(row)? == 1);
    }
    Ok(added)
}

/// What waits for people with these names.
pub struct Waiting {
    pub callbacks: Vec<CallbackId>,
    pub consumers: BTreeSet<Phone>,
    pub is_cut: bool,
}

/// What waits for people with these names, as far as the names are known. All of their numbers are told.
pub fn waiting(db: &Connection, names: &[EntryName]) -> Result<Waiting> {
    let mut numbers: BTreeSet<Phone> = BTreeSet::new();
    for name in names {
        let EntryName::Name(name) = name else { continue };
        numbers.extend(name.number());
        for person in persons::of_name(db, name)? {
            numbers.extend(persons::numbers(db, person)?);
        }
    }
    let mut found = Waiting { callbacks: Vec::new(), consumers: BTreeSet::new(), is_cut: false };
    let mut seek = db.prepare_cached(WAITING)?;
    for number in every_spelling(numbers) {
        let room = (NewSuppressions::WAITING_MAX + 1).saturating_sub(found.callbacks.len()).max(1);
        let rows = collect(&mut seek, params![digits(number), limit(room)], |cells| {
            Ok((cells.id::<CallbackId>()?, cells.phone()?))
        })?;
        found.consumers.extend(rows.iter().map(|(_, consumer)| *consumer));
        found.callbacks.extend(rows.into_iter().map(|(id, _)| id));
    }
    found.is_cut = found.callbacks.len() > NewSuppressions::WAITING_MAX;
    found.callbacks.truncate(NewSuppressions::WAITING_MAX);
    found.callbacks.sort_unstable();
    Ok(found)
}

/// The hashes of the entries of a list for a name.
pub fn of_name(db: &Connection, key: &Key, list: &str, name: &EntryName) -> Result<Vec<NameHash>> {
    let Some(hashing) = key.if_used(db)? else { return Ok(Vec::new()) };
    let hashes = match name {
        EntryName::Name(Name::Number(number)) => hashing.hasher.of_number(*number),
        EntryName::Name(user) => vec![hashing.hasher.of_name(user)],
        EntryName::Digest(digest) => vec![hashing.hasher.of_digest(digest)],
    };
    let sql = "SELECT EXISTS (SELECT 1 FROM suppressions AS s CROSS JOIN suppression_lists AS l ON l.id = s.list \
         WHERE s.hash = ?1 AND l.name = ?2 AND l.retired_at IS NULL)";
    let mut seek = db.prepare_cached(sql)?;
    let mut found = Vec::new();
    for hash in hashes {
        if seek.query_row(params![hash, list], |row| row.get(0))? {
            found.push(hash);
        }
    }
    Ok(found)
}
