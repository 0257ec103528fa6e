//! People and their names. A number is sought in every spelling, so a new rule for spellings changes no row.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use uuid::Uuid;

use super::pairs;
use super::rows::{Cells, collect, corrupt, digits, first, log, micros, micros_if, moment, parse};
use super::sql::{Connection, params};
use super::suppressions::{self, Key};
use crate::domain::{AttemptId, Name, Pair, Person, PersonId, Phone, Refusal, Suppression, UserId, spelling};
use crate::store::{Error, Result};
use crate::suppression::NameHasher;

pub const BY_NAME: &str = "SELECT person FROM names WHERE name = ?1";
pub const BY_NUMBER: &str =
    "SELECT person FROM names WHERE name = ?1 UNION ALL SELECT id FROM persons WHERE id = ?2";
pub const NAMES_OF: &str = "SELECT name FROM names WHERE person = ?1";
/// Whatever the portfolio: for reports that were filed and not folded yet.
pub const BY_USER_ID: &str = "SELECT person FROM names WHERE user_id = ?1";
const BY_ID: &str = "SELECT id, version, live, refusals, talked_until, invites, calls, \
     EXISTS (SELECT 1 FROM names WHERE person = id) FROM persons WHERE id = ?1";

/// The people of these names with their pairs, each once, and those who may be the same people. Somebody without a
/// record who is on a suppression list is among them.
pub fn known<'a>(
    db: &Connection,
    names: impl IntoIterator<Item = &'a Name> + Clone,
    key: &Key,
) -> Result<Vec<(Person, Vec<Pair>)>> {
    let mut people = recorded(db, names.clone())?;
    let Some(hashing) = key.if_used(db)? else { return Ok(people) };
    for (person, _) in &mut people {
        person.suppressions = suppressions::of_person(db, &hashing.hasher, person, None)?;
    }
    let mut seen = BTreeSet::new();
    for number in names.into_iter().filter_map(Name::number) {
        if of_number(db, number)?.is_empty() && seen.insert(PersonId::of(number)) {
            let person = without_record(db, &hashing.hasher, number)?;
            people.extend((!person.suppressions.is_empty()).then_some((person, Vec::new())));
        }
    }
    Ok(people)
}

/// The people of these names who have a record, with their pairs and without their entries of suppression lists; and those
/// who may be the same people.
pub fn recorded<'a>(
    db: &Connection,
    names: impl IntoIterator<Item = &'a Name>,
) -> Result<Vec<(Person, Vec<Pair>)>> {
    let mut ids = BTreeSet::new();
    for name in names {
        match name {
            Name::Number(number) => {
                ids.extend(of_number(db, *number)?);
                for alike in spelling::possibly(*number) {
                    ids.extend(of_number(db, alike)?);
                }
            }
            user => ids.extend(by_name(db, &text(user))?),
        }
    }
    let mut people = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(person) = one(db, id)? else { continue };
        people.push((person, pairs::of_person(db, id)?));
    }
    Ok(people)
}

/// Somebody without a record.
fn without_record(db: &Connection, hasher: &NameHasher, number: Phone) -> Result<Person> {
    let mut person = Person::unknown(PersonId::of(number));
    person.suppressions = suppressions::of_person(db, hasher, &person, Some(number))?;
    Ok(person)
}

/// The entries of suppression lists for the person of this number, by every name.
pub fn suppressions(db: &Connection, hasher: &NameHasher, number: Phone) -> Result<Vec<Suppression>> {
    let mut found = Vec::new();
    for id in of_number(db, number)? {
        if let Some(person) = one(db, id)? {
            found.extend(suppressions::of_person(db, hasher, &person, Some(number))?);
        }
    }
    if found.is_empty() {
        found = without_record(db, hasher, number)?.suppressions;
    }
    Ok(found)
}

/// Everybody with this name.
pub fn of_name(db: &Connection, name: &Name) -> Result<Vec<PersonId>> {
    match name {
        Name::Number(number) => of_number(db, *number),
        user @ Name::User { .. } => Ok(by_name(db, &text(user))?.into_iter().collect()),
    }
}

/// Everybody to whom a certain spelling of the number belongs.
pub fn of_number(db: &Connection, number: Phone) -> Result<Vec<PersonId>> {
    let mut ids = Vec::new();
    let mut seek = db.prepare_cached(BY_NUMBER)?;
    for told in spelling::spellings(number) {
        let known = params![text(&Name::Number(told)), digits(told)];
        ids.extend(collect(&mut seek, known, |cells| cells.person())?);
    }
    Ok(ids)
}

/// The person of a number; a new person if no record has it.
pub fn resolve(db: &Connection, number: Phone) -> Result<PersonId> {
    Ok(of_number(db, number)?.into_iter().min().unwrap_or_else(|| PersonId::of(number)))
}

/// The numbers under which a person may have been written down.
pub fn numbers(db: &Connection, id: PersonId) -> Result<BTreeSet<Phone>> {
    Ok(one(db, id)?.unwrap_or_else(|| Person::unknown(id)).numbers())
}

fn by_name(db: &Connection, name: &str) -> Result<Option<PersonId>> {
    first(&mut db.prepare_cached(BY_NAME)?, [name], |cells| cells.person())
}

/// Who has this user id, in whatever portfolio.
pub fn of_user_id(db: &Connection, id: &UserId) -> Result<Vec<PersonId>> {
    collect(&mut db.prepare_cached(BY_USER_ID)?, [id.as_str()], |cells| cells.person())
}

pub fn one(db: &Connection, id: PersonId) -> Result<Option<Person>> {
    let found = first(&mut db.prepare_cached(BY_ID)?, [digits(id.number())], |cells| {
        let person = Person {
            id: cells.person()?,
            version: cells.version()?,
            names: BTreeSet::new(),
            live: cells.text_if()?.map(live).transpose()?.unwrap_or_default(),
            refusals: cells.text_if()?.map(refusals).transpose()?.unwrap_or_default(),
            talked_until: cells.moment_if()?,
            invites: cells.log()?,
            suppressions: Vec::new(),
            calls: cells.log()?,
        };
        Ok((person, cells.take::<bool>()?))
    })?;
    let Some((mut person, has_names)) = found else { return Ok(None) };
    if has_names {
        let names = collect(&mut db.prepare_cached(NAMES_OF)?, [digits(id.number())], |cells| {
            Ok(name(cells.text()?))
        })?;
        person.names.extend(names.into_iter().flatten());
    }
    Ok(Some(person))
}

/// Conflicts if the stored version is not the one before, for any of them.
pub fn write(db: &Connection, people: &[Person]) -> Result<()> {
    for person in people {
        let id = digits(person.id.number());
        let sql = match person.version {
            1 => {
                "INSERT INTO persons (id, version, live, refusals, talked_until, invites, calls) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                 ON CONFLICT (id) DO NOTHING"
            }
            _ => {
                "UPDATE persons SET version = ?2, live = ?3, refusals = ?4, talked_until = ?5, invites = ?6, \
                 calls = ?7 WHERE id = ?1 AND version = ?2 - 1"
            }
        };
        let changed = db.prepare_cached(sql)?.execute(params![
            id,
            person.version.cast_signed(),
            live_text(&person.live),
            refusals_text(&person.refusals),
            micros_if(person.talked_until),
            log(&person.invites),
            log(&person.calls),
        ])?;
        if changed == 0 {
            return Err(Error::Conflict);
        }
        write_names(db, person)?;
    }
    Ok(())
}

fn write_names(db: &Connection, person: &Person) -> Result<()> {
    let id = digits(person.id.number());
    let stored: BTreeSet<String> =
        collect(&mut db.prepare_cached(NAMES_OF)?, [id], |cells| cells.take())?.into_iter().collect();
    if stored.is_empty() && person.names.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<String> = person.names.iter().map(text).collect();
    for gone in stored.difference(&names) {
        db.prepare_cached("DELETE FROM names WHERE name = ?1")?.write([gone])?;
    }
    for new in person.names.iter().filter(|name| !stored.contains(&text(name))) {
        let user_id = match new {
            Name::User { id, .. } => Some(id.as_str()),
            Name::Number(_) => None,
        };
        db.prepare_cached(
            "INSERT INTO names (name, person, user_id) VALUES (?1, ?2, ?3) \
             ON CONFLICT (name) DO UPDATE SET person = ?2",
        )?
        .write(params![text(new), id, user_id])?;
    }
    Ok(())
}

/// Deletes the records that others took in, with their pairs. Conflicts if one has another version.
pub fn remove(db: &Connection, united: &[(PersonId, u64)]) -> Result<()> {
    for (id, version) in united {
        let id = digits(id.number());
        let gone = db
            .prepare_cached("DELETE FROM persons WHERE id = ?1 AND version = ?2")?
            .execute(params![id, version.cast_signed()])?;
        if gone == 0 {
            return Err(Error::Conflict);
        }
        db.prepare_cached("DELETE FROM pairs WHERE person = ?1")?.write([id])?;
    }
    Ok(())
}

/// The stored form of a name. It is whole, so it must not be shown or logged.
pub fn text(name: &Name) -> String {
    match name {
        Name::Number(number) => format!("tel:{}", number.digits()),
        Name::User { portfolio, id } => format!("user:{portfolio}:{}", id.as_str()),
    }
}

/// `None` for a name that no version writes: older ones took any text for a user id.
pub fn name(text: &str) -> Option<Name> {
    let (kind, rest) = text.split_once(':')?;
    match kind {
        "tel" => rest.parse().ok().map(|digits| Name::Number(Phone::from_stored(digits))),
        _ => {
            let (portfolio, id) = rest.rsplit_once(':')?;
            Some(Name::User { portfolio: portfolio.into(), id: id.parse().ok()? })
        }
    }
}

fn live_text(live: &BTreeSet<AttemptId>) -> Option<String> {
    let ids: Vec<String> = live.iter().map(|id| Uuid::from_bytes(*id.bytes()).simple().to_string()).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

fn live(text: &str) -> Result<BTreeSet<AttemptId>> {
    let ids = text.split(' ').map(|id| Uuid::parse_str(id).map(AttemptId::new));
    ids.collect::<std::result::Result<_, _>>().map_err(|_| corrupt("a list of attempts", text))
}

fn refusals_text(refusals: &[Refusal]) -> Option<String> {
    let mut text = String::new();
    for Refusal { kind, sender, at } in refusals {
        let between = if text.is_empty() { "" } else { ";" };
        write!(text, "{between}{} {} {}", kind.as_str(), sender.digits(), micros(*at))
            .expect("a String takes what is written");
    }
    (!text.is_empty()).then_some(text)
}

fn refusals(text: &str) -> Result<Vec<Refusal>> {
    let one = |text: &str| {
        let mut parts = text.split(' ');
        let (Some(kind), Some(sender), Some(at)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::Corrupt("a refusal lacks a part".into()));
        };
        let number =
            |digits: &str| digits.parse::<i64>().map_err(|_| Error::Corrupt("a refusal is damaged".into()));
        let at: Timestamp = moment(number(at)?)?;
        Ok(Refusal { kind: parse(kind)?, sender: Phone::from_stored(number(sender)?.cast_unsigned()), at })
    };
    text.split(';').map(one).collect()
}

impl Cells<'_> {
    fn person(&mut self) -> Result<PersonId> {
        self.phone().map(PersonId::from_stored)
    }
}
