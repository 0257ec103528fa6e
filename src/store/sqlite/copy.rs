//! Copies a whole store into an empty one, table by table, and compares each with its source. A copy that was interrupted
//! goes on where it stopped. The source must not be in use, and is not used afterwards.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement, params, params_from_iter};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::file::{self, open_memory, open_reader, unusable};
use super::writer::in_transaction;
use super::{Access, lineage};
use crate::domain::StoreIdentity;
use crate::store::{Error, Result};

/// Rows of one transaction.
const ROWS: usize = 2_000;

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    pub name: String,
    pub rows: u64,
    /// SHA-256 of all rows in the order of their keys. It is the same in the source and in the copy.
    pub checksum: [u8; 32],
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyProgress<'a> {
    pub table: &'a str,
    pub tables_done: usize,
    pub tables: usize,
    /// Rows of this table that are copied, and all of them.
    pub rows_done: u64,
    pub rows: u64,
}

/// Copies a store. The copy has everything; the source gets another identity, so that a daemon that is started on it by
/// mistake dials nothing.
///
/// # Errors
/// [`Error::Unusable`] if the source is in use or of another schema, or if the target has data. [`Error::Corrupt`] if a table
/// of the copy is not as its source.
pub fn copy(from: &Path, to: &Path, tell: &mut dyn FnMut(CopyProgress<'_>)) -> Result<Vec<CopiedTable>> {
    if !from.is_file() {
        return Err(unusable(from, "is no store: there is no such file"));
    }
    let from = &from.canonicalize().unwrap_or_else(|_| from.to_owned());
    if to.canonicalize().is_ok_and(|to| to == *from) {
        return Err(unusable(to, "is the source itself; give another file"));
    }
    let _held = file::lock(from)?
        .ok_or_else(|| unusable(from, "is in use by a daemon; stop it first, so that nothing is lost"))?;
    let source = open_reader(from)?;
    file::has_this_schema(&source, from)?;
    let (_lock, target) = file::open(to, Access::Exclusive)?;
    let own = lineage::own(&source)?;
    let mark = match own.identity {
        Some(identity) => format!("{identity} {} {}", own.position.leader, own.position.batch),
        None => format!("none {} {}", own.position.leader, own.position.batch),
    };
    target.pragma_update(None, "foreign_keys", "OFF")?;
    let tables = tables(&source)?;
    begin(&target, to, &tables, &mark)?;
    let mut copied = Vec::new();
    for (index, name) in tables.iter().enumerate() {
        let at = |rows_done, rows| CopyProgress {
            table: name,
            tables_done: index,
            tables: tables.len(),
            rows_done,
            rows,
        };
        copied.push(table(&source, &target, to, name, &mut |done, all| tell(at(done, all)))?);
    }
    finish(&target, to)?;
    drop(source);
    retire(from)?;
    Ok(copied)
}

/// Refuses a copy that is not finished.
///
/// # Errors
/// [`Error::Unusable`] with what to do.
pub fn refuse_unfinished(db: &Connection, path: &Path) -> Result<()> {
    let copies: i64 = db.query_row("SELECT count(*) FROM copying_from", [], |row| row.get(0))?;
    match copies {
        0 => Ok(()),
        _ => Err(unusable(path, "is a copy that is not finished; repeat the same `ringmaster store copy`")),
    }
}

fn tables(db: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
               AND name NOT IN ('refinery_schema_history', 'copying_from', 'copied_tables') ORDER BY name";
    let mut statement = db.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(names)
}

fn count(db: &Connection, table: &str) -> Result<u64> {
    let rows: i64 = db.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get(0))?;
    Ok(rows.cast_unsigned())
}

/// Begins a copy, or goes on with the same one.
fn begin(target: &Connection, to: &Path, tables: &[String], mark: &str) -> Result<()> {
    let known: Option<String> =
        target.query_row("SELECT max(source) FROM copying_from", [], |row| row.get(0))?;
    match known {
        Some(known) if known == mark => return Ok(()),
        Some(_) => {
            let what = "is an unfinished copy of another store, or of an earlier state of this one; remove it and begin again";
            return Err(unusable(to, what));
        }
        None => {}
    }
    // What a new store has by itself is no data.
    let new = open_memory()?;
    for name in tables {
        if count(target, name)? != count(&new, name)? {
            return Err(unusable(to, &format!("has data in {name}; give a new file")));
        }
    }
    in_transaction(target, |target| {
        for name in tables {
            target.execute(&format!("DELETE FROM \"{name}\""), [])?;
        }
        target.execute("INSERT INTO copying_from (one, source) VALUES (1, ?1)", [mark])?;
        Ok(())
    })
}

/// The columns of a table, and those of its key in order.
struct Shape {
    columns: Vec<String>,
    key: Vec<String>,
}

impl Shape {
    fn of(db: &Connection, table: &str) -> Result<Self> {
        let mut statement = db.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let all: Vec<(String, i64)> = rows.collect::<rusqlite::Result<_>>()?;
        let mut key: Vec<_> = all.iter().filter(|(_, place)| *place > 0).collect();
        key.sort_by_key(|(_, place)| *place);
        let key = key.into_iter().map(|(name, _)| name.clone()).collect();
        Ok(Self { columns: all.into_iter().map(|(name, _)| name).collect(), key })
    }

    fn list(names: &[String]) -> String {
        names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    }

    fn select(&self, table: &str) -> String {
        let (columns, key) = (Self::list(&self.columns), Self::list(&self.key));
        format!("SELECT {columns} FROM \"{table}\" ORDER BY {key}")
    }
}

/// Copies one table and compares it.
fn table(
    source: &Connection,
    target: &Connection,
    to: &Path,
    name: &str,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<CopiedTable> {
    let done = "SELECT row_count, checksum FROM copied_tables WHERE name = ?1";
    let done =
        target.prepare(done)?.query_map([name], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?.next();
    if let Some(done) = done {
        let (rows, checksum) = done?;
        return Ok(CopiedTable { name: name.to_owned(), rows: rows.cast_unsigned(), checksum });
    }
    let shape = Shape::of(source, name)?;
    let all = count(source, name)?;
    // Rows come in the order of the key, and whole transactions are written: those that are there are the first ones.
    let mut copied = count(target, name)?;
    tell(copied, all);
    let mut reading = source.prepare(&format!("{} LIMIT -1 OFFSET {copied}", shape.select(name)))?;
    let places = vec!["?"; shape.columns.len()].join(", ");
    let insert = format!("INSERT INTO \"{name}\" ({}) VALUES ({places})", Shape::list(&shape.columns));
    let mut rows = reading.query([])?;
    loop {
        let moved = in_transaction(target, |target| {
            let mut writing = target.prepare_cached(&insert)?;
            let mut moved = 0;
            while moved < ROWS
                && let Some(row) = rows.next()?
            {
                write(&mut writing, row, shape.columns.len())?;
                moved += 1;
            }
            Ok(moved)
        })?;
        copied += moved as u64;
        tell(copied, all);
        if moved < ROWS {
            break;
        }
    }
    let (mine, theirs) = (checksum(source, name, &shape)?, checksum(target, name, &shape)?);
    if mine != theirs {
        return Err(Error::Corrupt(format!("{} has another {name} than its source", to.display())));
    }
    let (rows, checksum) = mine;
    target.execute(
        "INSERT INTO copied_tables (name, row_count, checksum) VALUES (?1, ?2, ?3)",
        params![name, rows.cast_signed(), checksum],
    )?;
    Ok(CopiedTable { name: name.to_owned(), rows, checksum })
}

fn write(writing: &mut Statement<'_>, row: &Row<'_>, columns: usize) -> Result<()> {
    let values: rusqlite::Result<Vec<_>> = (0..columns).map(|index| row.get_ref(index)).collect();
    let values = values?.into_iter().map(rusqlite::types::ToSqlOutput::Borrowed);
    writing.execute(params_from_iter(values))?;
    Ok(())
}

/// How many rows a table has, and the checksum of all of them.
fn checksum(db: &Connection, name: &str, shape: &Shape) -> Result<(u64, [u8; 32])> {
    let mut statement = db.prepare(&shape.select(name))?;
    let (mut count, mut digest) = (0, Sha256::new());
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        count += 1;
        for index in 0..shape.columns.len() {
            add(&mut digest, row.get_ref(index)?);
        }
    }
    Ok((count, digest.finalize().into()))
}

/// Adds a value with its type and length, so that no two rows look alike.
fn add(digest: &mut Sha256, value: ValueRef<'_>) {
    let (kind, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => return digest.update([&[1_u8][..], &number.to_be_bytes()].concat()),
        ValueRef::Real(number) => return digest.update([&[2_u8][..], &number.to_be_bytes()].concat()),
        ValueRef::Text(bytes) => (3, bytes),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    digest.update([kind]);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// Checks what refers to what, and lets daemons open the copy. It has no identity until one does, unless it is held.
fn finish(target: &Connection, to: &Path) -> Result<()> {
    let broken =
        target.prepare("PRAGMA foreign_key_check")?.query_map([], |row| row.get::<_, String>(0))?.next();
    if let Some(table) = broken {
        return Err(Error::Corrupt(format!("{} has rows in {} that refer to none", to.display(), table?)));
    }
    in_transaction(target, |target| {
        target.execute("DELETE FROM lineage WHERE held_since IS NULL OR released_at IS NOT NULL", [])?;
        target.execute("DELETE FROM copied_tables", [])?;
        target.execute("DELETE FROM copying_from", [])?;
        Ok(())
    })?;
    target.pragma_update(None, "foreign_keys", "ON")?;
    Ok(())
}

/// The source is no store to dial with any more: its witness does not know it.
fn retire(from: &Path) -> Result<()> {
    let (_, db) = file::open(from, Access::Beside)?;
    in_transaction(&db, |db| lineage::adopt(db, StoreIdentity::new(*Uuid::new_v4().as_bytes()), None))
}
