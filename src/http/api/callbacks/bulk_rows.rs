//! Finds the rows of a bulk order in its body. The rows themselves are parsed later.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::request_body::what;
use crate::http::ApiError;
use crate::text::json::without_mark;

/// One row: its number for the customer, and its place in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http::api) struct RowAt {
    number: u32,
    start: u32,
    end: u32,
}

impl RowAt {
    /// `part` is a part of `body`, which is shorter than 4 GiB by the configuration's range.
    fn new(number: usize, body: &[u8], part: &[u8]) -> Self {
        let start = part.as_ptr().addr() - body.as_ptr().addr();
        let short = |value: usize| u32::try_from(value).expect("a body is shorter than 4 GiB");
        Self { number: short(number), start: short(start), end: short(start + part.len()) }
    }

    /// From 1; in NDJSON the number of the line.
    pub(in crate::http::api) fn number(self) -> usize {
        self.number as usize
    }

    pub(in crate::http::api) fn of(self, body: &[u8]) -> &[u8] {
        &body[self.start as usize..self.end as usize]
    }

    pub(super) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// The lines that are not blank.
///
/// # Errors
/// If there are more than `rows_max` of them.
pub(super) fn lines(body: &[u8], rows_max: usize) -> Result<Vec<RowAt>, ApiError> {
    let mut rows = Vec::new();
    for (index, line) in body.split(|&b| b == b'\n').enumerate() {
        let line = without_mark(line).trim_ascii();
        if line.is_empty() {
            continue;
        }
        if rows.len() == rows_max {
            return Err(too_many(rows_max));
        }
        rows.push(RowAt::new(index + 1, body, line));
    }
    Ok(rows)
}

/// The elements of an array.
///
/// # Errors
/// If the body is not an array, is not valid JSON (with the position), or has more than `rows_max` elements.
pub(super) fn array(body: &[u8], rows_max: usize) -> Result<Vec<RowAt>, ApiError> {
    let count = Cell::new(0);
    let mut json = serde_json::Deserializer::from_slice(body);
    let elements = Elements { body, rows_max, count: &count };
    let read = elements.deserialize(&mut json).and_then(|rows| json.end().map(|()| rows));
    read.map_err(|error| match error.classify() {
        Category::Data if count.get() > rows_max => too_many(rows_max),
        Category::Data => ApiError::new("body.shape", "expected a JSON array of objects"),
        _ => {
            let (row, line, column) = (count.get() + 1, error.line(), error.column());
            let detail =
                format!("row {row}, line {line}, column {column}: {}; nothing was stored", what(&error));
            ApiError::new("body.syntax", detail)
        }
    })
}

fn too_many(rows_max: usize) -> ApiError {
    let detail =
        format!("one bulk order may have at most {rows_max} rows; nothing was stored: send it in parts");
    ApiError::new("body.too_many_rows", detail)
}

/// Reads an array element by element and counts, so that an invalid one can be named.
struct Elements<'c> {
    body: &'c [u8],
    rows_max: usize,
    count: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Vec<RowAt>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Vec<RowAt>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element::<&RawValue>()? {
            self.count.set(rows.len() + 1);
            if rows.len() == self.rows_max {
                return Err(A::Error::custom("too many rows"));
            }
            rows.push(RowAt::new(rows.len() + 1, self.body, row.get().as_bytes()));
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'b>(body: &'b str, rows: &[RowAt]) -> Vec<(usize, &'b str)> {
        rows.iter().map(|row| (row.number(), std::str::from_utf8(row.of(body.as_bytes())).unwrap())).collect()
    }

    #[test]
    fn rows_are_found_where_they_stand() {
        let body = "{}\r\n\n  7 \n";
        assert_eq!(texts(body, &lines(body.as_bytes(), 2).unwrap()), [(1, "{}"), (3, "7")]);
        let body = "[ {} ,\n7]";
        assert_eq!(texts(body, &array(body.as_bytes(), 2).unwrap()), [(1, "{}"), (2, "7")]);
    }

    #[test]
    fn one_row_too_many_is_refused() {
        for (count, fits) in [(2, true), (3, true), (4, false)] {
            let rows = vec!["{}"; count];
            let codes = [
                lines(rows.join("\n").as_bytes(), 3).map_err(|error| error.code()),
                array(format!("[{}]", rows.join(",")).as_bytes(), 3).map_err(|error| error.code()),
            ];
            for code in codes {
                let told = code.map(|rows| rows.len());
                assert_eq!(told, if fits { Ok(count) } else { Err("body.too_many_rows") });
            }
        }
    }
}
