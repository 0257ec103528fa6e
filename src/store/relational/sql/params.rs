//! The parameters of a statement, in the order of their numbers.

use super::value::{ToSql, Value};

/// Parameters `?1`, `?2` and so on.
pub trait Params {
    fn values(&self) -> impl ExactSizeIterator<Item = Value<'_>>;
}

impl Params for [&dyn ToSql; 0] {
    fn values(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
        std::iter::empty()
    }
}

impl<T: ToSql> Params for &[T] {
    fn values(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
        self.iter().map(ToSql::to_sql)
    }
}

macro_rules! arrays {
    ($($length:literal)+) => {
        $(impl<T: ToSql> Params for [T; $length] {
            fn values(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
                self.iter().map(ToSql::to_sql)
            }
        })+
    };
}

// Not for every length: `[]` would have no type.
arrays!(1 2 3 4 5 6 7 8);

macro_rules! tuples {
    ($(($($part:ident $at:tt),+))+) => {
        $(impl<$($part: ToSql),+> Params for ($($part,)+) {
            fn values(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
                [$(self.$at.to_sql()),+].into_iter()
            }
        })+
    };
}

tuples!((A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3));

/// The parameters of a list.
pub struct Listed<T>(Vec<T>);

impl<T: ToSql> Params for Listed<T> {
    fn values(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
        self.0.iter().map(ToSql::to_sql)
    }
}

/// As many parameters as there are items.
pub fn params_from_iter<T: ToSql>(items: impl IntoIterator<Item = T>) -> Listed<T> {
    Listed(items.into_iter().collect())
}

/// Parameters of different types.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::store::relational::sql::ToSql),*] as &[&dyn $crate::store::relational::sql::ToSql]
    };
}
pub(in crate::store::relational) use params;
