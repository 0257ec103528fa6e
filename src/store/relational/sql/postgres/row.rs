//! Rows that have arrived.

use std::vec::IntoIter;

use tokio_postgres::Row;

use super::cells::Cell;
use super::fault::Fault;
use crate::store::relational::sql::Value;

/// The rows of a statement, of which one is looked at.
pub struct Found {
    rows: IntoIter<Row>,
    current: Option<Row>,
}

impl Found {
    pub fn new(rows: Vec<Row>) -> Self {
        Self { rows: rows.into_iter(), current: None }
    }

    pub fn next(&mut self) -> Option<&Row> {
        self.current = self.rows.next();
        self.current.as_ref()
    }
}

/// The cell of a row.
pub fn cell(row: &Row, column: usize) -> Result<Value<'_>, Fault> {
    row.try_get::<_, Cell<'_>>(column).map(|cell| cell.0).map_err(|error| Fault::new(&error))
}
