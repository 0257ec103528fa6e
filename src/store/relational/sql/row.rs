//! The rows that a statement returns.

use rusqlite::types::ValueRef;

use super::error::{Error, Result};
use super::postgres;
use super::value::{FromSql, Value};

/// The rows, one after the other.
pub enum Rows<'s> {
    Sqlite(rusqlite::Rows<'s>),
    Postgres(postgres::Found),
}

/// A row, until the next one is read.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl Rows<'_> {
    /// # Errors
    /// Those of the engine.
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        match self {
            Self::Sqlite(rows) => Ok(rows.next()?.map(Row::Sqlite)),
            Self::Postgres(rows) => Ok(rows.next().map(Row::Postgres)),
        }
    }
}

/// The number of a column, from 0.
pub trait Column {
    fn number(self) -> usize;
}

impl Column for usize {
    fn number(self) -> usize {
        self
    }
}

impl<'r> Row<'r> {
    /// # Errors
    /// [`Error::Cell`] if the cell is not of the type.
    pub fn get<C: Column, T: FromSql>(&self, column: C) -> Result<T> {
        let column = column.number();
        let cell = self.get_ref(column)?;
        T::from_sql(cell).ok_or(Error::Cell { column, found: cell.kind() })
    }

    /// # Errors
    /// [`Error::Cell`] if the cell is a damaged text or a number with a fraction.
    pub fn get_ref(&self, column: usize) -> Result<Value<'r>> {
        match self {
            Self::Sqlite(row) => match row.get_ref(column)? {
                ValueRef::Null => Ok(Value::Null),
                ValueRef::Integer(number) => Ok(Value::Integer(number)),
                ValueRef::Text(text) => std::str::from_utf8(text)
                    .map(Value::Text)
                    .map_err(|_| Error::Cell { column, found: "a damaged text" }),
                ValueRef::Blob(bytes) => Ok(Value::Blob(bytes)),
                ValueRef::Real(_) => Err(Error::Cell { column, found: "a number with a fraction" }),
            },
            Self::Postgres(row) => Ok(postgres::cell(row, column)?),
        }
    }
}
