//! A prepared statement.

use rusqlite::types::{ToSqlOutput, ValueRef};

use super::error::{Error, Result};
use super::params::Params;
use super::postgres;
use super::row::{Row, Rows};
use super::value::Value;

/// A statement that its connection keeps for the next time.
pub enum CachedStatement<'c> {
    Sqlite(rusqlite::CachedStatement<'c>),
    Postgres(postgres::Statement<'c>),
}

impl CachedStatement<'_> {
    /// The number of rows that it changed.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn execute(&mut self, params: impl Params) -> Result<usize> {
        match self {
            Self::Sqlite(statement) => {
                bind(statement, &params)?;
                Ok(statement.raw_execute()?)
            }
            Self::Postgres(statement) => Ok(statement.execute(&params)?),
        }
    }

    /// Changes rows of which nobody asks how many they are. PostgreSQL is not waited for: it tells an error when the next
    /// answer is read, or in the commit.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn write(&mut self, params: impl Params) -> Result<()> {
        match self {
            Self::Sqlite(statement) => {
                bind(statement, &params)?;
                statement.raw_execute()?;
                Ok(())
            }
            Self::Postgres(statement) => Ok(statement.write(&params)?),
        }
    }

    /// # Errors
    /// Those of the engine.
    pub fn query(&mut self, params: impl Params) -> Result<Rows<'_>> {
        match self {
            Self::Sqlite(statement) => {
                bind(statement, &params)?;
                Ok(Rows::Sqlite(statement.raw_query()))
            }
            Self::Postgres(statement) => Ok(Rows::Postgres(postgres::Found::new(statement.query(&params)?))),
        }
    }

    /// Reads the first row.
    ///
    /// # Errors
    /// [`Error::NoRow`] if there is none; those of the engine.
    pub fn query_row<T>(
        &mut self,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        read(&self.query(params)?.next()?.ok_or(Error::NoRow)?)
    }

    /// Binds the parameter of this number, from 1, for [`CachedStatement::raw_execute`].
    ///
    /// # Errors
    /// If there is no such parameter.
    pub fn raw_bind_parameter(&mut self, number: usize, value: Value<'_>) -> Result<()> {
        match self {
            Self::Sqlite(statement) => Ok(statement.raw_bind_parameter(number, Bound(value))?),
            Self::Postgres(statement) => Ok(statement.bind(number, value)?),
        }
    }

    /// Makes all parameters NULL.
    pub fn clear_bindings(&mut self) {
        match self {
            Self::Sqlite(statement) => statement.clear_bindings(),
            Self::Postgres(statement) => statement.clear_bindings(),
        }
    }

    /// Runs it with what was bound. PostgreSQL tells an error when the next answer is read, or in the commit.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn raw_execute(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(statement) => drop(statement.raw_execute()?),
            Self::Postgres(statement) => statement.execute_bound()?,
        }
        Ok(())
    }
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &impl Params) -> Result<()> {
    let values = params.values();
    let (given, wanted) = (values.len(), statement.parameter_count());
    if given != wanted {
        return Err(rusqlite::Error::InvalidParameterCount(given, wanted).into());
    }
    for (before, value) in values.enumerate() {
        statement.raw_bind_parameter(before + 1, Bound(value))?;
    }
    Ok(())
}

/// As SQLite binds it.
struct Bound<'v>(Value<'v>);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
