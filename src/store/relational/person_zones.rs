//! The table of people's time zones. Where it is empty, nothing is read.

use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;

use super::rows::{digits, first, micros};
use super::sql::{Connection, params};
use super::{SqlStore, persons};
use crate::domain::PersonId;
use crate::store::{PersonZones, Result};

/// Whether the table has rows: 0 for not known, 1 for no, 2 for yes. Only the daemon that has the file adds rows.
#[derive(Default)]
pub struct InUse(AtomicU8);

const NO: u8 = 1;
const YES: u8 = 2;

#[async_trait]
impl PersonZones for SqlStore {
    async fn knows_zones(&self) -> Result<bool> {
        match self.open.zones.0.load(Ordering::Relaxed) {
            NO => return Ok(false),
            YES => return Ok(true),
            _ => {}
        }
        let any = self.read(|db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM person_zones)";
            Ok(db.prepare_cached(sql)?.query_row([], |row| row.get::<_, bool>(0))?)
        });
        let any = any.await?;
        // A person may have been added meanwhile.
        let word = if any { YES } else { NO };
        let _ = self.open.zones.0.compare_exchange(0, word, Ordering::Relaxed, Ordering::Relaxed);
        Ok(self.open.zones.0.load(Ordering::Relaxed) == YES)
    }

    async fn zones_of(&self, people: &[PersonId]) -> Result<Vec<(PersonId, Vec<String>)>> {
        if people.is_empty() || !self.knows_zones().await? {
            return Ok(Vec::new());
        }
        let people = people.to_vec();
        self.read(move |db| {
            let mut found = Vec::new();
            for person in people {
                if let Some(zones) = of(db, person)? {
                    found.push((person, zones));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn set_zones(&self, person: PersonId, zones: Vec<String>, at: Timestamp, by: String) -> Result<()> {
        if !zones.is_empty() {
            self.open.zones.0.store(YES, Ordering::Relaxed);
        }
        self.write(move |db| set(db, person, &zones, at, &by)).await
    }
}

/// The zones of a person, under every number by which the person is known.
fn of(db: &Connection, person: PersonId) -> Result<Option<Vec<String>>> {
    let mut seek = db.prepare_cached("SELECT zones FROM person_zones WHERE person = ?1")?;
    let mut read = |id: PersonId| first(&mut seek, [digits(id.number())], |cells| cells.take::<String>());
    let mut found = read(person)?;
    if found.is_none() {
        for known in persons::of_number(db, person.number())? {
            found = found.or(read(known)?);
        }
    }
    Ok(found.map(|zones| zones.split_ascii_whitespace().map(str::to_owned).collect()))
}

fn set(db: &Connection, person: PersonId, zones: &[String], at: Timestamp, by: &str) -> Result<()> {
    if zones.is_empty() {
        db.prepare_cached("DELETE FROM person_zones WHERE person = ?1")?.write([digits(person.number())])?;
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO person_zones (person, zones, told_at, told_by) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (person) DO UPDATE SET zones = excluded.zones, told_at = excluded.told_at, \
         told_by = excluded.told_by",
    )?
    .write(params![digits(person.number()), zones.join(" "), micros(at), by])?;
    Ok(())
}
