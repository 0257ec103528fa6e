//! Parameters and cells in PostgreSQL's binary format.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::store::relational::sql::Value;

/// A parameter as PostgreSQL takes it.
#[derive(Debug)]
pub struct Parameter<'v>(pub Value<'v>);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self.0, kind) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Integer(number), &Type::INT8) => out.put_i64(number),
            (Value::Integer(number), &Type::INT4) => out.put_i32(number.try_into()?),
            (Value::Integer(number), &Type::INT2) => out.put_i16(number.try_into()?),
            (Value::Integer(number), &Type::BOOL) => out.put_u8(u8::from(number != 0)),
            (Value::Text(text), &(Type::TEXT | Type::VARCHAR | Type::NAME)) => put_text(text, out),
            (Value::Blob(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (value, kind) => return Err(format!("a parameter is {}, not {kind}", value.kind()).into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// PostgreSQL's texts cannot hold U+0000, so it becomes the replacement character.
fn put_text(text: &str, out: &mut BytesMut) {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        out.put_slice(text.replace('\0', "\u{FFFD}").as_bytes());
    } else {
        out.put_slice(text.as_bytes());
    }
}

/// A cell as PostgreSQL sends it.
pub struct Cell<'c>(pub Value<'c>);

impl<'c> FromSql<'c> for Cell<'c> {
    fn from_sql(kind: &Type, raw: &'c [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let value = match *kind {
            Type::INT8 => Value::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Value::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => Value::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => Value::Integer(i64::from(raw != [0])),
            Type::NUMERIC => Value::Integer(whole(raw).ok_or("a number is not whole, or too large")?),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => Value::Text(std::str::from_utf8(raw)?),
            Type::BYTEA => Value::Blob(raw),
            _ => return Err(format!("a cell is {kind}").into()),
        };
        Ok(Self(value))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A sum of whole numbers, which PostgreSQL returns as NUMERIC: digits to the base 10,000, the first of which counts
/// 10,000 to the power of the weight (PostgreSQL, `src/backend/utils/adt/numeric.c`, `numeric_send`).
fn whole(raw: &[u8]) -> Option<i64> {
    let (header, digits) = raw.split_at_checked(8)?;
    let half = |at: usize| header.get(at..at + 2)?.try_into().ok().map(i16::from_be_bytes);
    let (weight, sign) = (half(2)?, half(4)?);
    let digits = digits.as_chunks::<2>().0.iter().map(|digit| i64::from(i16::from_be_bytes(*digit)));
    let mut places = i32::from(weight);
    let mut sum = 0_i64;
    for digit in digits {
        if places < 0 && digit != 0 {
            return None;
        }
        if places >= 0 {
            sum = sum.checked_mul(10_000)?.checked_add(digit)?;
        }
        places -= 1;
    }
    for _ in 0..=places {
        sum = sum.checked_mul(10_000)?;
    }
    match sign {
        0 => Some(sum),
        0x4000 => Some(-sum),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `numeric_send` writes it.
    fn numeric(weight: i16, sign: i16, digits: &[i16]) -> Vec<u8> {
        let header = [i16::try_from(digits.len()).unwrap(), weight, sign, 0];
        header.iter().chain(digits).flat_map(|part| part.to_be_bytes()).collect()
    }

    #[test]
    fn whole_sums_are_read_and_fractions_refused() {
        for (raw, number) in [
            (numeric(0, 0, &[]), Some(0)),
            (numeric(0, 0, &[7]), Some(7)),
            (numeric(1, 0, &[1]), Some(10_000)),
            (numeric(1, 0, &[12, 3456]), Some(123_456)),
            (numeric(1, 0x4000, &[12, 3456]), Some(-123_456)),
            (numeric(4, 0, &[922, 3372, 368, 5477, 5807]), Some(i64::MAX)),
            (numeric(4, 0, &[922, 3372, 368, 5477, 5808]), None),
            (numeric(-1, 0, &[5000]), None),
            (numeric(0, -0x4000, &[]), None),
            (vec![0; 7], None),
        ] {
            assert_eq!(whole(&raw), number, "{raw:?}");
        }
    }

    #[test]
    fn a_parameter_of_another_type_is_refused_and_not_shown() {
        let mut out = BytesMut::new();
        let refused = Parameter(Value::Text("+5511999999999")).to_sql(&Type::INT8, &mut out).err().unwrap();
        assert_eq!(refused.to_string(), "a parameter is a text, not int8");
        Parameter(Value::Text("a\0b")).to_sql(&Type::TEXT, &mut out).unwrap();
        assert_eq!(out.split(), "a\u{FFFD}b".as_bytes());
        Parameter(Value::Integer(2)).to_sql(&Type::BOOL, &mut out).unwrap();
        Parameter(Value::Integer(-2)).to_sql(&Type::INT8, &mut out).unwrap();
        assert_eq!(out[..], [1, 255, 255, 255, 255, 255, 255, 255, 254]);
    }
}
