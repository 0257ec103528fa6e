//! Copies a whole store from a file into an empty file or database, table by table, and compares each with its source. A copy
//! that was interrupted goes on where it stopped. The source must not be in use, and is not used afterwards: it gets another
//! identity before any daemon can open the copy.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::file::{self, open_memory, open_reader, unusable};
use super::rows::{collect, first};
use super::sql::postgres::Reach;
use super::sql::{Connection, Row, ToSql, Value, params, params_from_iter};
use super::writer::in_transaction;
use super::{Access, database, lineage, months};
use crate::domain::StoreIdentity;
use crate::store::{Error, Result};

/// Rows of one transaction.
const ROWS: usize = 2_000;
/// Rows that are read at once to compare a table.
const PART: u64 = 10_000;
/// Before the mark of a source whose tables are all copied: then comes the identity that it gets.
const FINISHED: &str = "finished ";
/// Others refer to these, so they come first.
const FIRST: [&str; 2] = ["callbacks", "reports"];

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

/// Is told how far a copy is.
pub type TellCopy<'t> = &'t mut (dyn FnMut(CopyProgress<'_>) + Send);

/// Copies a store into another file. The copy has everything; the source gets another identity, so that a daemon that is
/// started on it by mistake dials nothing.
///
/// # Errors
/// [`Error::Unusable`] if the source is in use or of another schema, or if the target has data. [`Error::Corrupt`] if a table
/// of the copy is not as its source.
pub fn copy(from: &Path, to: &Path, tell: TellCopy<'_>) -> Result<Vec<CopiedTable>> {
    let is_same = from.canonicalize().is_ok_and(|from| to.canonicalize().is_ok_and(|to| to == from));
    if is_same {
        return Err(unusable(to, "is the source itself; give another file"));
    }
    from_file(from, tell, || {
        let (lock, target) = file::open(to, Access::Exclusive)?;
        Ok((lock, target, to.display().to_string()))
    })
}

/// Copies a store into a PostgreSQL database.
///
/// # Errors
/// As [`copy`].
pub fn copy_to_database(from: &Path, reach: Reach, tell: TellCopy<'_>) -> Result<Vec<CopiedTable>> {
    database::apart(|| {
        from_file(from, tell, || {
            let (target, name) = database::open_alone(reach)?;
            Ok((None, target, name))
        })
    })
}

type Target = (Option<std::fs::File>, Connection, String);

fn from_file(
    from: &Path,
    tell: TellCopy<'_>,
    open: impl FnOnce() -> Result<Target>,
) -> Result<Vec<CopiedTable>> {
    if !from.is_file() {
        return Err(unusable(from, "is no store: there is no such file"));
    }
    let from = &from.canonicalize().unwrap_or_else(|_| from.to_owned());
    let _held = file::lock(from)?
        .ok_or_else(|| unusable(from, "is in use by a daemon; stop it first, so that nothing is lost"))?;
    let source = open_reader(from)?;
    file::has_this_schema(&source, from)?;
    let (_lock, target, to) = open()?;
    let (copied, next) = all(&source, &target, &to, tell)?;
    drop(source);
    let last = CopyProgress {
        table: "the identity of the source",
        tables_done: copied.len(),
        tables: copied.len(),
        rows_done: 0,
        rows: 0,
    };
    tell(last);
    retire(from, next)?;
    tell(last);
    release(&target)?;
    Ok(copied)
}

/// Copies what is not copied yet. Returns all tables, and the identity that the source gets.
fn all(
    source: &Connection,
    target: &Connection,
    to: &str,
    tell: TellCopy<'_>,
) -> Result<(Vec<CopiedTable>, StoreIdentity)> {
    let own = lineage::own(source)?;
    let identity = own.identity.map_or_else(|| "none".to_owned(), |identity| identity.to_string());
    let mark = format!("{identity} {} {}", own.position.leader, own.position.batch);
    if let Some(next) = finished(target, &identity, &mark)? {
        return Ok((copied_tables(target)?, next));
    }
    let tables = tables(source)?;
    begin(target, to, &tables, &mark)?;
    months::make_all(target, |monthly| {
        let sql = format!("SELECT min({}) FROM {}", monthly.time, monthly.table);
        Ok(first(&mut source.prepare_cached(&sql)?, [], |cells| cells.moment_if())?.flatten())
    })?;
    let mut copied = Vec::new();
    for (index, name) in tables.iter().enumerate() {
        let at = |rows_done, rows| CopyProgress {
            table: name,
            tables_done: index,
            tables: tables.len(),
            rows_done,
            rows,
        };
        copied.push(table(source, target, to, name, &mut |done, all| tell(at(done, all)))?);
    }
    Ok((copied, finish(target, to, &mark)?))
}

/// The identity that the source gets or has got, if everything was copied before.
fn finished(target: &Connection, identity: &str, mark: &str) -> Result<Option<StoreIdentity>> {
    let Some(known) = source_of(target)? else { return Ok(None) };
    let Some((next, source)) = known.strip_prefix(FINISHED).and_then(|rest| rest.split_once(' ')) else {
        return Ok(None);
    };
    if identity != next && source != mark {
        return Ok(None);
    }
    let next: Uuid = next.parse().map_err(|_| Error::Corrupt("a copy names no identity".to_owned()))?;
    Ok(Some(StoreIdentity::new(*next.as_bytes())))
}

/// What a copy that is not finished says of its source.
fn source_of(target: &Connection) -> Result<Option<String>> {
    Ok(target.query_row("SELECT max(source) FROM copying_from", [], |row| row.get(0))?)
}

fn copied_tables(target: &Connection) -> Result<Vec<CopiedTable>> {
    let sql = "SELECT name, row_count, checksum FROM copied_tables ORDER BY name";
    collect(&mut target.prepare_cached(sql)?, [], |cells| {
        Ok(CopiedTable { name: cells.take()?, rows: cells.version()?, checksum: cells.take()? })
    })
}

/// Refuses a copy that is not finished.
///
/// # Errors
/// [`Error::Unusable`] with what to do.
pub fn refuse_unfinished(db: &Connection, name: &str) -> Result<()> {
    match count(db, "copying_from")? {
        0 => Ok(()),
        _ => {
            let what = "is a copy that is not finished; repeat the same `ringmaster store copy`";
            Err(Error::Unusable(format!("{name} {what}")))
        }
    }
}

fn tables(db: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
               AND name NOT IN ('refinery_schema_history', 'copying_from', 'copied_tables') ORDER BY name";
    let mut names = collect(&mut db.prepare_cached(sql)?, [], |cells| cells.take::<String>())?;
    names.sort_by_key(|name| !FIRST.contains(&name.as_str()));
    Ok(names)
}

fn count(db: &Connection, table: &str) -> Result<u64> {
    let rows: i64 = db.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get(0))?;
    Ok(rows.cast_unsigned())
}

/// Begins a copy, or goes on with the same one.
fn begin(target: &Connection, to: &str, tables: &[String], mark: &str) -> Result<()> {
    match source_of(target)? {
        Some(known) if known == mark => return Ok(()),
        Some(_) => {
            let what = "is an unfinished copy of another store, or of an earlier state of this one; remove it and begin again";
            return Err(Error::Unusable(format!("{to} {what}")));
        }
        None => {}
    }
    // What a new store has by itself is no data.
    let new = open_memory()?;
    for name in tables {
        if count(target, name)? != count(&new, name)? {
            return Err(Error::Unusable(format!("{to} has data in {name}; give a new one")));
        }
    }
    in_transaction(target, |target| {
        for name in tables.iter().rev() {
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
        let sql = "SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid";
        let all = collect(&mut db.prepare_cached(sql)?, [table], |cells| {
            Ok((cells.take::<String>()?, cells.take::<i64>()?))
        })?;
        let mut key: Vec<_> = all.iter().filter(|(_, place)| *place > 0).collect();
        key.sort_by_key(|(_, place)| *place);
        let key = key.into_iter().map(|(name, _)| name.clone()).collect();
        Ok(Self { columns: all.into_iter().map(|(name, _)| name).collect(), key })
    }

    fn list(names: &[String]) -> String {
        names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    }

    /// Rows in the order of their keys; after a key, if it `goes_on`.
    fn select(&self, table: &str, goes_on: bool) -> String {
        let (columns, key) = (Self::list(&self.columns), Self::list(&self.key));
        let places: Vec<String> = (1..=self.key.len()).map(|number| format!("?{number}")).collect();
        let after = if goes_on { format!(" WHERE ({key}) > ({})", places.join(", ")) } else { String::new() };
        format!("SELECT {columns} FROM \"{table}\"{after} ORDER BY {key}")
    }

    /// The last key of a table, if it has rows.
    fn last(&self, db: &Connection, table: &str) -> Result<Option<Vec<Cell>>> {
        let key = Self::list(&self.key);
        let backwards: Vec<String> = self.key.iter().map(|name| format!("\"{name}\" DESC")).collect();
        let sql = format!("SELECT {key} FROM \"{table}\" ORDER BY {} LIMIT 1", backwards.join(", "));
        let mut statement = db.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        (0..self.key.len()).map(|index| Ok(Cell::of(row.get_ref(index)?))).collect::<Result<_>>().map(Some)
    }

    /// The key of a row with all columns.
    fn key_of(&self, row: &Row<'_>) -> Result<Vec<Cell>> {
        let places = self.key.iter().filter_map(|name| self.columns.iter().position(|column| column == name));
        places.map(|index| Ok(Cell::of(row.get_ref(index)?))).collect()
    }

    fn insert(&self, table: &str) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|number| format!("?{number}")).collect();
        let columns = Self::list(&self.columns);
        format!("INSERT INTO \"{table}\" ({columns}) VALUES ({})", places.join(", "))
    }
}

/// A value of a key.
#[derive(Debug, Clone)]
enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Cell {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

/// Copies one table and compares it.
fn table(
    source: &Connection,
    target: &Connection,
    to: &str,
    name: &str,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<CopiedTable> {
    let done = "SELECT row_count, checksum FROM copied_tables WHERE name = ?1";
    let done = collect(&mut target.prepare_cached(done)?, [name], |cells| {
        Ok((cells.version()?, cells.take::<[u8; 32]>()?))
    })?;
    let shape = Shape::of(source, name)?;
    if let Some((rows, sum)) = done.first().copied() {
        // A short command may have written into the source meanwhile.
        if checksum(source, name, &shape)? != (rows, sum) {
            let what = format!(
                "is an unfinished copy, and {name} has changed in the source since; remove it and begin again"
            );
            return Err(Error::Unusable(format!("{to} {what}")));
        }
        return Ok(CopiedTable { name: name.to_owned(), rows, checksum: sum });
    }
    let all = count(source, name)?;
    // Rows come in the order of the key, and whole transactions are written: those that are there are the first ones.
    let mut copied = count(target, name)?;
    tell(copied, all);
    let last = shape.last(target, name)?;
    let mut reading = source.prepare_cached(&shape.select(name, last.is_some()))?;
    let insert = shape.insert(name);
    let mut rows = reading.query(params_from_iter(last.unwrap_or_default()))?;
    loop {
        let moved = in_transaction(target, |target| {
            let mut writing = target.prepare_cached(&insert)?;
            let mut moved = 0;
            while moved < ROWS
                && let Some(row) = rows.next()?
            {
                for index in 0..shape.columns.len() {
                    writing.raw_bind_parameter(index + 1, row.get_ref(index)?)?;
                }
                writing.raw_execute()?;
                moved += 1;
            }
            Ok(moved)
        })?;
        copied = copied.saturating_add(moved as u64);
        tell(copied, all);
        if moved < ROWS {
            break;
        }
    }
    let (mine, theirs) = (checksum(source, name, &shape)?, checksum(target, name, &shape)?);
    if mine != theirs {
        return Err(Error::Corrupt(format!("{to} has another {name} than its source")));
    }
    let (rows, checksum) = mine;
    target.execute(
        "INSERT INTO copied_tables (name, row_count, checksum) VALUES (?1, ?2, ?3)",
        params![name, rows.cast_signed(), checksum],
    )?;
    Ok(CopiedTable { name: name.to_owned(), rows, checksum })
}

/// How many rows a table has, and the checksum of all of them. They are read in parts, each after the last key of the one
/// before.
fn checksum(db: &Connection, name: &str, shape: &Shape) -> Result<(u64, [u8; 32])> {
    let (mut count, mut digest) = (0_u64, Sha256::new());
    let mut last: Option<Vec<Cell>> = None;
    loop {
        let sql = format!("{} LIMIT {PART}", shape.select(name, last.is_some()));
        let mut statement = db.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(last.take().unwrap_or_default()))?;
        let before = count;
        while let Some(row) = rows.next()? {
            count = count.saturating_add(1);
            for index in 0..shape.columns.len() {
                add(&mut digest, row.get_ref(index)?);
            }
            if count.saturating_sub(before) == PART {
                last = Some(shape.key_of(&row)?);
            }
        }
        if last.is_none() {
            return Ok((count, digest.finalize().into()));
        }
    }
}

/// Adds a value with its type and length, so that no two rows look alike.
fn add(digest: &mut Sha256, value: Value<'_>) {
    let (number, replaced);
    let (kind, bytes): (u8, &[u8]) = match value {
        Value::Null => (0, &[]),
        Value::Integer(integer) => {
            number = integer.to_be_bytes();
            (1, &number)
        }
        // PostgreSQL has another character for U+0000.
        Value::Text(text) if text.contains('\0') => {
            replaced = text.replace('\0', "\u{FFFD}");
            (3, replaced.as_bytes())
        }
        Value::Text(text) => (3, text.as_bytes()),
        Value::Blob(bytes) => (4, bytes),
    };
    digest.update([kind]);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// Checks what refers to what, and says that everything is copied. Returns the identity that the source gets.
fn finish(target: &Connection, to: &str, mark: &str) -> Result<StoreIdentity> {
    match target.sqlite() {
        Some(_) => {
            let sql = "PRAGMA foreign_key_check";
            let broken = collect(&mut target.prepare_cached(sql)?, [], |cells| cells.take::<String>())?;
            if let Some(table) = broken.first() {
                return Err(Error::Corrupt(format!("{to} has rows in {table} that refer to none")));
            }
        }
        None => go_on_counting(target)?,
    }
    let next = StoreIdentity::new(*Uuid::new_v4().as_bytes());
    in_transaction(target, |target| {
        target.execute("UPDATE copying_from SET source = ?1", [format!("{FINISHED}{next} {mark}")])?;
        Ok(())
    })?;
    Ok(next)
}

/// Lets daemons open the copy. It has no identity until one does, unless it is held.
fn release(target: &Connection) -> Result<()> {
    in_transaction(target, |target| {
        target.execute("DELETE FROM lineage WHERE held_since IS NULL OR released_at IS NOT NULL", [])?;
        target.execute("DELETE FROM copied_tables", [])?;
        target.execute("DELETE FROM copying_from", [])?;
        Ok(())
    })
}

/// PostgreSQL gives new rows their numbers from sequences, which have to go on after the last row. They begin at 1; the
/// number of a partition may be 0.
fn go_on_counting(target: &Connection) -> Result<()> {
    let sql = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns \
               WHERE table_schema = current_schema() AND is_identity = 'YES' AND NOT EXISTS (SELECT 1 FROM pg_class AS p \
               WHERE p.oid = to_regclass(quote_ident(table_name)) AND p.relispartition)";
    let columns = collect(&mut target.prepare_cached(sql)?, [], |cells| {
        Ok((cells.take::<String>()?, cells.take::<String>()?))
    })?;
    for (table, column) in columns {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max(\"{column}\")) FROM \"{table}\" \
             HAVING max(\"{column}\") > 0"
        );
        collect(&mut target.prepare_cached(&sql)?, [], |cells| cells.take::<i64>())?;
    }
    Ok(())
}

/// The source is no store to dial with any more: its witness does not know it.
fn retire(from: &Path, next: StoreIdentity) -> Result<()> {
    let (_, db) = file::open(from, Access::Beside)?;
    in_transaction(&db, |db| lineage::adopt(db, next, None))
}
