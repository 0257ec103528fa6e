//! Suppression lists and their versions: made by the API, counted and retired by a batch.

use jiff::Timestamp;

use super::rows::{Cells, collect, corrupt, first, limit, micros, micros_if};
use super::sql::{Connection, params};
use super::suppressions::{Key, add, add_names, check_key, countries, purposes, waiting};
use super::{commands, reports};
use crate::domain::event::SuppressionAdded;
use crate::domain::{Country, Event, ListName, Name};
use crate::store::{
    EntryName, Error, Hashing, ListChange, NewCommand, NewList, NewSuppressions, Report, Result, Suppressed,
    SuppressedByWrapUp, SuppressionList,
};
use crate::suppression::NameHasher;

macro_rules! columns {
    () => {
        "id, name, version, purposes, countries, valid_until, source, made_at, made_by, entries, complete_at, retired_at"
    };
}

/// Adds entries and their command.
pub fn suppress(db: &Connection, key: &Key, new: &NewSuppressions) -> Result<Suppressed> {
    let hashing = key.get()?;
    let command = &new.command;
    if let Some(earlier) = reports::by_key(db, command.report.key)? {
        return Ok(match earlier {
            Event::Suppressed(event) => Suppressed::Filed { is_new: false, event },
            _ => Suppressed::OtherCommand,
        });
    }
    let Event::Suppressed(SuppressionAdded { by, .. }) = &command.report.event else {
        return Err(Error::Corrupt("the command of new entries is another one".into()));
    };
    let Some(list) = list_of(db, new, by)? else { return Ok(Suppressed::NoSuchVersion) };
    let added = add(db, &hashing.hasher, list, new, by)?;
    let waiting = waiting(db, &new.names)?;
    let event = SuppressionAdded {
        list: new.list.clone(),
        list_id: list,
        entries: added,
        consumers: waiting.consumers.into_iter().collect(),
        waiting: waiting.callbacks,
        is_cut: waiting.is_cut,
        by: by.clone(),
    };
    let report = Report { event: Event::Suppressed(event.clone()), ..command.report.clone() };
    let command = NewCommand { report, ..command.clone() };
    commands::append(db, &command, &reports::seal(&command.report)?)?;
    Ok(Suppressed::Filed { is_new: true, event })
}

/// The list of new entries. One without versions is made by its first entry.
pub fn list_of(db: &Connection, new: &NewSuppressions, by: &str) -> Result<Option<i64>> {
    version_of(db, &new.list, &new.version, (new.command.report.received_at, by))
}

fn version_of(
    db: &Connection,
    name: &ListName,
    version: &str,
    (at, by): (Timestamp, &str),
) -> Result<Option<i64>> {
    let found = one(db, &name.to_string(), version)?;
    match found {
        Some(list) => Ok(list.retired_at.is_none().then_some(list.id)),
        None if name.has_versions() => Ok(None),
        None => {
            let list = NewList {
                name: name.clone(),
                version: version.to_owned(),
                purposes: Vec::new(),
                countries: Vec::new(),
                valid_until: None,
                source: None,
                at,
                by: by.to_owned(),
            };
            make(db, &list).map(|list| Some(list.id))
        }
    }
}

/// Adds one name to a list without versions, and counts it, in the scheduler's transaction.
pub fn add_one(db: &Connection, hasher: &NameHasher, new: &SuppressedByWrapUp) -> Result<()> {
    let SuppressedByWrapUp { list, scope, consumer, at, why, by } = new;
    let Some(id) = version_of(db, list, "", (*at, by))? else { return Ok(()) };
    let names = [EntryName::Name(Name::Number(*consumer))];
    let entries = add_names(db, hasher, id, &names, (*scope, None, Some(why)), (*at, by))?;
    change(db, &[ListChange::Added { list: id, entries }])
}

/// The list with this name and version, made now if there is none.
pub fn make(db: &Connection, list: &NewList) -> Result<SuppressionList> {
    let purposes: Vec<&str> = list.purposes.iter().map(|purpose| purpose.as_str()).collect();
    let countries: Vec<&str> = list.countries.iter().map(Country::letters).collect();
    let name = list.name.to_string();
    db.prepare_cached(
        "INSERT INTO suppression_lists (name, version, purposes, countries, valid_until, source, made_at, made_by) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (name, version) DO NOTHING",
    )?
    .write(params![
        name,
        list.version,
        purposes.join(" "),
        countries.join(" "),
        micros_if(list.valid_until),
        list.source,
        micros(list.at),
        list.by
    ])?;
    one(db, &name, &list.version)?.ok_or_else(|| corrupt("a list", "nothing"))
}

fn one(db: &Connection, name: &str, version: &str) -> Result<Option<SuppressionList>> {
    let sql = concat!("SELECT ", columns!(), " FROM suppression_lists WHERE name = ?1 AND version = ?2");
    first(&mut db.prepare_cached(sql)?, [name, version], read)
}

/// All that are not retired, by name and in the order in which they were made.
pub fn all(db: &Connection) -> Result<Vec<SuppressionList>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM suppression_lists WHERE retired_at IS NULL ORDER BY name, id LIMIT 10000"
    );
    collect(&mut db.prepare_cached(sql)?, [], read)
}

fn read(cells: &mut Cells<'_>) -> Result<SuppressionList> {
    Ok(SuppressionList {
        id: cells.take()?,
        name: cells.parsed()?,
        version: cells.take()?,
        purposes: purposes(cells.text()?)?,
        countries: countries(cells.text()?)?,
        valid_until: cells.moment_if()?,
        source: cells.take()?,
        made_at: cells.moment()?,
        made_by: cells.take()?,
        entries: cells.version()?,
        complete_at: cells.moment_if()?,
        retired_at: cells.moment_if()?,
    })
}

/// Writes the changes of a batch.
pub fn change(db: &Connection, changes: &[ListChange]) -> Result<()> {
    for change in changes {
        match change {
            ListChange::Added { list, entries } => {
                db.prepare_cached("UPDATE suppression_lists SET entries = entries + ?2 WHERE id = ?1")?
                    .write(params![list, entries])?;
            }
            ListChange::Removed { list, hashes } => {
                let sql = "DELETE FROM suppressions WHERE hash = ?1 AND list = ?2";
                let mut delete = db.prepare_cached(sql)?;
                let versions = all(db)?.into_iter().filter(|version| version.name == *list);
                for version in versions {
                    let mut gone = 0_i64;
                    for hash in hashes {
                        gone += limit(delete.execute(params![hash, version.id])?);
                    }
                    db.prepare_cached(
                        "UPDATE suppression_lists SET entries = CASE WHEN entries > ?2 THEN entries - ?2 ELSE 0 END WHERE id = ?1",
                    )?
                    .write(params![version.id, gone])?;
                }
            }
            ListChange::Complete { list, at } => {
                db.prepare_cached(
                    "UPDATE suppression_lists SET complete_at = ?2 WHERE id = ?1 AND complete_at IS NULL",
                )?
                .write(params![list, micros(*at)])?;
                db.prepare_cached(
                    "UPDATE suppression_lists SET retired_at = ?2 WHERE retired_at IS NULL AND id < ?1 \
                     AND name = (SELECT name FROM suppression_lists WHERE id = ?1)",
                )?
                .write(params![list, micros(*at)])?;
            }
        }
    }
    Ok(())
}

/// Takes a key over, unless the entries were hashed with another one.
pub fn hash_with(db: &Connection, key: &Key, hashing: Hashing) -> Result<()> {
    check_key(db, &hashing.hasher)?;
    key.set(hashing);
    Ok(())
}
