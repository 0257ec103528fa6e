//! Conversions between domain values and columns: timestamps, phone numbers, ids and enum names.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::sql::{CachedStatement, FromSql, Params, Row, Value};
use crate::domain::{
    AccountAlias, AttemptId, BulkId, CallbackId, CampaignId, DeliveryId, ErasureId, ImportId, MessageId,
    PauseId, Phone, SetAsideId,
};
use crate::store::{Error, Result};

/// Whole microseconds, truncated.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub fn micros_if(at: Option<Timestamp>) -> Option<i64> {
    at.map(micros)
}

/// In microseconds. A span that SQLite's integers do not hold is stored as the longest that they do.
pub fn span(span: SignedDuration) -> i64 {
    let longest = if span.is_negative() { i64::MIN } else { i64::MAX };
    i64::try_from(span.as_micros()).unwrap_or(longest)
}

pub fn moment(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|_| corrupt("a moment", &micros.to_string()))
}

/// Fifteen digits at most, so the conversion loses nothing.
pub const fn digits(phone: Phone) -> i64 {
    phone.digits().cast_signed()
}

pub fn corrupt(what: &str, found: &str) -> Error {
    Error::Corrupt(format!("{found:?} is not {what}"))
}

/// The ids, from their sixteen stored bytes.
pub trait Id {
    fn of(bytes: [u8; 16]) -> Self;
}

macro_rules! ids {
    ($($id:ty),+) => {
        $(impl Id for $id {
            fn of(bytes: [u8; 16]) -> Self {
                Self::new(Uuid::from_bytes(bytes))
            }
        })+
    };
}

ids!(
    BulkId, CallbackId, CampaignId, AttemptId, MessageId, DeliveryId, ErasureId, ImportId, PauseId,
    SetAsideId
);

/// Reads the columns of a row from left to right.
pub struct Cells<'r> {
    row: Row<'r>,
    next: usize,
}

impl<'r> Cells<'r> {
    pub const fn of(row: Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    pub fn take<T: FromSql>(&mut self) -> Result<T> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// A number, or bytes as hexadecimal digits, for a person.
    pub fn shown(&mut self) -> Result<String> {
        let cell = self.row.get_ref(self.next)?;
        self.next += 1;
        match cell {
            Value::Integer(number) => Ok(number.to_string()),
            Value::Blob(bytes) => Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            Value::Text(text) => Ok(text.to_owned()),
            Value::Null => Err(corrupt("an id", "NULL")),
        }
    }

    /// Borrowed text.
    pub fn text(&mut self) -> Result<&'r str> {
        self.text_if()?.ok_or_else(|| corrupt("a text", "NULL"))
    }

    pub fn text_if(&mut self) -> Result<Option<&'r str>> {
        let cell = self.row.get_ref(self.next)?;
        self.next += 1;
        match cell {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            _ => Err(corrupt("a text", "a cell")),
        }
    }

    pub fn log(&mut self) -> Result<Vec<Timestamp>> {
        let cell = self.row.get_ref(self.next)?;
        self.next += 1;
        let Value::Blob(bytes) = cell else { return Err(corrupt("a log of times", "a cell")) };
        let (moments, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(corrupt("a log of times", "a blob of odd length"));
        }
        moments.iter().map(|bytes| moment(i64::from_be_bytes(*bytes))).collect()
    }

    pub fn moment(&mut self) -> Result<Timestamp> {
        self.take().and_then(moment)
    }

    pub fn moment_if(&mut self) -> Result<Option<Timestamp>> {
        self.take::<Option<i64>>()?.map(moment).transpose()
    }

    pub fn version(&mut self) -> Result<u64> {
        self.take().map(i64::cast_unsigned)
    }

    pub fn phone(&mut self) -> Result<Phone> {
        self.take().map(|digits: i64| Phone::from_stored(digits.cast_unsigned()))
    }

    pub fn id<T: Id>(&mut self) -> Result<T> {
        self.take().map(T::of)
    }

    pub fn id_if<T: Id>(&mut self) -> Result<Option<T>> {
        Ok(self.take::<Option<[u8; 16]>>()?.map(T::of))
    }

    pub fn account(&mut self) -> Result<AccountAlias> {
        self.text().map(AccountAlias::from)
    }

    /// A value that is stored by its name, such as an enum.
    pub fn parsed<T: FromStr>(&mut self) -> Result<T> {
        self.text().and_then(parse)
    }

    pub fn parsed_if<T: FromStr>(&mut self) -> Result<Option<T>> {
        self.text_if()?.map(parse).transpose()
    }
}

pub fn parse<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| corrupt("a valid name", text))
}

/// Times in the format that [`Cells::log`] reads.
pub fn log(moments: &[Timestamp]) -> Vec<u8> {
    moments.iter().flat_map(|at| micros(*at).to_be_bytes()).collect()
}

/// Runs a query and converts each row to a value.
pub fn collect<T>(
    statement: &mut CachedStatement<'_>,
    params: impl Params,
    read: impl Fn(&mut Cells<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut values = Vec::new();
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        values.push(read(&mut Cells::of(row))?);
    }
    Ok(values)
}

/// Runs a query with at most one row.
pub fn first<T>(
    statement: &mut CachedStatement<'_>,
    params: impl Params,
    read: impl Fn(&mut Cells<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut rows = statement.query(params)?;
    rows.next()?.map(|row| read(&mut Cells::of(row))).transpose()
}

/// A limit as SQLite's type.
pub fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::domain::event::{ConnectionEnd, MessageProgress};
    use crate::domain::{CallProgress, LegOrder, MessagePurpose, Proof, Stage};

    /// A renamed variant would make stored rows unreadable.
    #[test]
    fn the_names_in_the_store_never_change() {
        kept::<LegOrder>("consumer_first agent_first");
        kept::<MessagePurpose>("permission_request invite");
        kept::<MessageProgress>("queued sent delivered read failed");
        kept::<ConnectionEnd>("bridged no_answer busy failed canceled left_queue played nobody");
        kept::<Proof>("answer bot bridge playback");
        kept::<CallProgress>("queued initiated ringing in_progress");
        kept::<CallProgress>("completed no_answer busy failed canceled");
        kept::<Stage>("intent submitting accepted rejected throttled unknown not_placed withdrawn");
        assert!(parse::<Stage>("Intent").is_err());
    }

    /// Asserts that each name is read, and written as it was read.
    fn kept<T: std::str::FromStr + Into<&'static str>>(names: &str) {
        for name in names.split(' ') {
            assert_eq!(parse::<T>(name).map(Into::into).ok(), Some(name));
        }
    }
}
