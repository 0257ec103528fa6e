//! Between domain values and columns: moments, phone numbers, ids, and the words that enums are kept as.

use jiff::Timestamp;
use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Params, Row};
use uuid::Uuid;

use crate::domain::event::{ConnectionEnd, MessageProgress};
use crate::domain::{
    AccountAlias, AttemptId, AttemptResolution, CallProgress, CallbackId, DeliveryId, Disposition, LegOrder,
    MessageId, MessagePurpose, MessageResolution, Outcome, Phone, Stage,
};
use crate::store::{Error, Result};

/// Whole microseconds; what is finer is cut off.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub fn micros_if(at: Option<Timestamp>) -> Option<i64> {
    at.map(micros)
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

/// An enum that is kept as a word.
pub trait Word: Sized + Copy {
    fn as_str(self) -> &'static str;
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! words {
    ($type:ty { $($variant:ident $(($inner:path))? = $word:literal),+ $(,)? }) => {
        impl Word for $type {
            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant $(($inner))? => $word),+
                }
            }

            fn from_word(word: &str) -> Option<Self> {
                Some(match word {
                    $($word => Self::$variant $(($inner))?,)+
                    _ => return None,
                })
            }
        }
    };
}

words!(LegOrder { ConsumerFirst = "consumer_first", AgentFirst = "agent_first" });
words!(MessagePurpose { PermissionRequest = "permission_request", Invite = "invite" });
words!(Stage {
    Intent = "intent",
    Submitting = "submitting",
    Accepted = "accepted",
    Rejected = "rejected",
    Throttled = "throttled",
    Unknown = "unknown",
    NotPlaced = "not_placed",
    Withdrawn = "withdrawn",
});
words!(CallProgress {
    Queued = "queued",
    Initiated = "initiated",
    Ringing = "ringing",
    InProgress = "in_progress",
    Ended(Disposition::Completed) = "completed",
    Ended(Disposition::NoAnswer) = "no_answer",
    Ended(Disposition::Busy) = "busy",
    Ended(Disposition::Failed) = "failed",
    Ended(Disposition::Canceled) = "canceled",
});
words!(ConnectionEnd {
    Bridged = "bridged",
    NoAnswer = "no_answer",
    Busy = "busy",
    Failed = "failed",
    Canceled = "canceled",
    LeftQueue = "left_queue",
});
words!(MessageProgress {
    Queued = "queued",
    Sent = "sent",
    Delivered = "delivered",
    Read = "read",
    Failed = "failed",
});

/// The domain's own words.
macro_rules! own_words {
    ($($type:ty),+) => {
        $(impl Word for $type {
            fn as_str(self) -> &'static str {
                Self::as_str(self)
            }

            fn from_word(word: &str) -> Option<Self> {
                Self::from_word(word)
            }
        })+
    };
}

own_words!(Outcome, AttemptResolution, MessageResolution);

/// The ids, from the sixteen bytes that they are kept as.
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

ids!(CallbackId, AttemptId, MessageId, DeliveryId);

/// Reads the columns of a row from left to right.
pub struct Cells<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Cells<'r> {
    pub const fn of(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    pub fn take<T: FromSql>(&mut self) -> Result<T> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// Text that need not be copied to be understood.
    pub fn text(&mut self) -> Result<&'r str> {
        self.text_if()?.ok_or_else(|| corrupt("a text", "NULL"))
    }

    pub fn text_if(&mut self) -> Result<Option<&'r str>> {
        let cell = self.row.get_ref(self.next)?;
        self.next += 1;
        cell.as_str_or_null().map_err(|_| corrupt("a text", "a cell"))
    }

    pub fn log(&mut self) -> Result<Vec<Timestamp>> {
        let cell = self.row.get_ref(self.next)?;
        self.next += 1;
        let (moments, rest) =
            cell.as_blob().map_err(|_| corrupt("a log of moments", "a cell"))?.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(corrupt("a log of moments", "a blob of odd length"));
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

    pub fn word<T: Word>(&mut self) -> Result<T> {
        self.text().and_then(read_word)
    }

    pub fn word_if<T: Word>(&mut self) -> Result<Option<T>> {
        self.text_if()?.map(read_word).transpose()
    }
}

fn read_word<T: Word>(word: &str) -> Result<T> {
    T::from_word(word).ok_or_else(|| corrupt("a word of its column", word))
}

/// Moments as [`Cells::log`] reads them.
pub fn log(moments: &[Timestamp]) -> Vec<u8> {
    moments.iter().flat_map(|at| micros(*at).to_be_bytes()).collect()
}

/// Runs a query and makes a value of each row.
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

/// Runs a query that gives one row or none.
pub fn first<T>(
    statement: &mut CachedStatement<'_>,
    params: impl Params,
    read: impl Fn(&mut Cells<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut rows = statement.query(params)?;
    rows.next()?.map(|row| read(&mut Cells::of(row))).transpose()
}

/// A limit that SQLite takes.
pub fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
