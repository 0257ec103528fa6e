//! A prepared statement of one connection.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use tokio_postgres::Row;

use super::cells::Parameter;
use super::fault::Fault;
use super::session::Session;
use crate::store::relational::sql::{Params, Value};

/// What the server knows under a name.
pub struct Prepared {
    pub statement: tokio_postgres::Statement,
    /// For each of PostgreSQL's parameters the place of the value.
    pub parameters: Vec<usize>,
    pub count: usize,
}

pub struct Statement<'s> {
    session: &'s Session,
    prepared: Arc<Prepared>,
    bound: Vec<Owned>,
}

/// A value that was bound by its number.
#[derive(Clone)]
enum Owned {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

impl<'s> Statement<'s> {
    pub const fn new(session: &'s Session, prepared: Arc<Prepared>) -> Self {
        Self { session, prepared, bound: Vec::new() }
    }

    pub fn execute(&self, params: &impl Params) -> Result<usize, Fault> {
        let parameters = self.parameters(params)?;
        let client = self.session.client()?;
        let changed = self.session.wait(client.execute_raw(&self.prepared.statement, parameters))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Does not wait for the end.
    pub fn write(&self, params: &impl Params) -> Result<(), Fault> {
        let parameters = self.parameters(params)?;
        self.send(parameters.iter().map(|parameter| Owned::of(parameter.0)).collect())
    }

    pub fn query(&self, params: &impl Params) -> Result<Vec<Row>, Fault> {
        let parameters = self.parameters(params)?;
        let client = self.session.client()?;
        self.session
            .wait(async { client.query_raw(&self.prepared.statement, parameters).await?.try_collect().await })
    }

    pub fn bind(&mut self, number: usize, value: Value<'_>) -> Result<(), Fault> {
        let count = self.prepared.count;
        self.bound.resize(count, Owned::Null);
        let place = number.checked_sub(1).and_then(|place| self.bound.get_mut(place));
        *place.ok_or_else(|| Fault::of(format!("there is no parameter {number} of {count}")))? =
            Owned::of(value);
        Ok(())
    }

    pub fn clear_bindings(&mut self) {
        self.bound.clear();
    }

    /// Runs it with what was bound, and does not wait for the end.
    pub fn execute_bound(&self) -> Result<(), Fault> {
        let null = Owned::Null;
        let bound = |place: &usize| self.bound.get(*place).unwrap_or(&null).clone();
        self.send(self.prepared.parameters.iter().map(bound).collect())
    }

    fn send(&self, values: Vec<Owned>) -> Result<(), Fault> {
        let prepared = Arc::clone(&self.prepared);
        self.session.later(|client| async move {
            let parameters: Vec<Parameter<'_>> =
                values.iter().map(|owned| Parameter(owned.value())).collect();
            client.execute_raw(&prepared.statement, parameters).await.map(drop)
        })
    }

    /// The values in the order of PostgreSQL's parameters.
    fn parameters<'p>(&self, params: &'p impl Params) -> Result<Vec<Parameter<'p>>, Fault> {
        let values: Vec<Value<'p>> = params.values().collect();
        let (given, wanted) = (values.len(), self.prepared.count);
        if given != wanted {
            return Err(Fault::of(format!("{given} parameters were given, and the statement has {wanted}")));
        }
        Ok(self.prepared.parameters.iter().map(|place| Parameter(values[*place])).collect())
    }
}
