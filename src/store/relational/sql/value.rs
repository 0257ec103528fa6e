//! The values of parameters and cells: whole numbers, texts and bytes.

use std::borrow::Cow;
use std::sync::Arc;

/// A value, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'v> {
    Null,
    Integer(i64),
    Text(&'v str),
    Blob(&'v [u8]),
}

impl Value<'_> {
    /// What it is, without what it holds.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "a whole number",
            Self::Text(_) => "a text",
            Self::Blob(_) => "bytes",
        }
    }
}

/// What can be a parameter.
pub trait ToSql {
    fn to_sql(&self) -> Value<'_>;
}

/// What a cell can be read as.
pub trait FromSql: Sized {
    /// `None` if the cell is not of this type, or out of its range.
    fn from_sql(cell: Value<'_>) -> Option<Self>;
}

macro_rules! integers {
    ($($integer:ty),+) => {
        $(impl ToSql for $integer {
            fn to_sql(&self) -> Value<'_> {
                Value::Integer(i64::from(*self))
            }
        })+
    };
}

integers!(i64, i32, i16, u32, u16, u8, bool);

macro_rules! from_integers {
    ($($integer:ty),+) => {
        $(impl FromSql for $integer {
            fn from_sql(cell: Value<'_>) -> Option<Self> {
                i64::from_sql(cell)?.try_into().ok()
            }
        })+
    };
}

from_integers!(i32, i16, u64, u32, u16, u8, usize);

impl FromSql for i64 {
    fn from_sql(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }
}

impl FromSql for bool {
    fn from_sql(cell: Value<'_>) -> Option<Self> {
        i64::from_sql(cell).map(|number| number != 0)
    }
}

impl ToSql for str {
    fn to_sql(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToSql for String {
    fn to_sql(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl FromSql for String {
    fn from_sql(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl FromSql for Box<str> {
    fn from_sql(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Text(text) => Some(text.into()),
            _ => None,
        }
    }
}

impl FromSql for Arc<str> {
    fn from_sql(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Text(text) => Some(text.into()),
            _ => None,
        }
    }
}

impl ToSql for [u8] {
    fn to_sql(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl ToSql for Vec<u8> {
    fn to_sql(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<const N: usize> ToSql for [u8; N] {
    fn to_sql(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl FromSql for Vec<u8> {
    fn from_sql(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Blob(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<const N: usize> FromSql for [u8; N] {
    fn from_sql(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Blob(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: ToSql> ToSql for Option<T> {
    fn to_sql(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToSql::to_sql)
    }
}

impl<T: FromSql> FromSql for Option<T> {
    fn from_sql(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Null => Some(None),
            cell => T::from_sql(cell).map(Some),
        }
    }
}

macro_rules! pointers {
    ($($pointer:ty),+) => {
        $(impl<T: ToSql + ?Sized> ToSql for $pointer {
            fn to_sql(&self) -> Value<'_> {
                (**self).to_sql()
            }
        })+
    };
}

pointers!(&T, Box<T>, Arc<T>);

impl<T: ToSql + ToOwned + ?Sized> ToSql for Cow<'_, T> {
    fn to_sql(&self) -> Value<'_> {
        self.as_ref().to_sql()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_within_their_range() {
        for (number, as_u8, as_u32) in [
            (-1, None, None),
            (0, Some(0), Some(0)),
            (255, Some(255), Some(255)),
            (256, None, Some(256)),
            (i64::from(u32::MAX), None, Some(u32::MAX)),
            (i64::from(u32::MAX) + 1, None, None),
        ] {
            assert_eq!(u8::from_sql(Value::Integer(number)), as_u8, "{number}");
            assert_eq!(u32::from_sql(Value::Integer(number)), as_u32, "{number}");
        }
        assert_eq!(u64::from_sql(Value::Integer(-1)), None);
    }

    #[test]
    fn a_cell_of_another_type_is_not_read() {
        let cells = [Value::Null, Value::Integer(1), Value::Text("a"), Value::Blob(&[1, 2])];
        assert_eq!(cells.map(i64::from_sql), [None, Some(1), None, None]);
        assert_eq!(cells.map(String::from_sql), [None, None, Some("a".to_owned()), None]);
        assert_eq!(cells.map(<[u8; 2]>::from_sql), [None, None, None, Some([1, 2])]);
        assert_eq!(cells.map(<[u8; 3]>::from_sql), [None; 4], "too short");
        assert_eq!(cells.map(Option::<i64>::from_sql), [Some(None), Some(Some(1)), None, None]);
    }

    #[test]
    fn what_is_not_there_is_null() {
        assert_eq!(None::<&str>.to_sql(), Value::Null);
        assert_eq!(Some("a").to_sql(), Value::Text("a"));
        assert_eq!((&&true).to_sql(), Value::Integer(1));
    }
}
