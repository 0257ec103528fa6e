//! Searches what is kept in order of arrival for the names of a person.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

use super::rows::{collect, digits, first, limit};
use super::sql::{Connection, params};
use crate::domain::{Erasure, Name};
use crate::store::{ErasureTraces, KeyPlace, Result};

pub const REPORTS: &str =
    "SELECT seq, event FROM reports WHERE seq > ?1 AND seq <= ?2 AND event <> '\"erased\"' ORDER BY seq";
/// Commands about orders of the person. Their notes may say anything.
pub const COMMANDS: &str = "SELECT m.seq FROM commands AS m CROSS JOIN callbacks AS c ON c.id = m.callback \
     WHERE m.seq > ?1 AND m.seq <= ?2 AND c.consumer = ?3";
pub const KEYS: &str = "SELECT i.token, i.key, c.consumer FROM idempotency_keys AS i \
     LEFT JOIN callbacks AS c ON c.id = i.callback WHERE (i.token, i.key) > (?1, ?2) \
     ORDER BY i.token, i.key LIMIT ?3";

/// Searches the next reports and keys.
pub fn search(
    db: &Connection,
    erasure: &Erasure,
    keys_after: &KeyPlace,
    most: usize,
) -> Result<ErasureTraces> {
    let newest = first(&mut db.prepare_cached("SELECT max(seq) FROM reports")?, [], |cells| {
        cells.take::<Option<i64>>()
    })?
    .flatten()
    .unwrap_or(0);
    let end = erasure.searched.saturating_add(limit(most)).min(newest).max(erasure.searched);
    let traces = Traces::of(erasure);
    let read = collect(&mut db.prepare_cached(REPORTS)?, params![erasure.searched, end], |cells| {
        let (seq, text) = (cells.take::<i64>()?, cells.text()?);
        Ok(traces.are_in(text).then_some(seq))
    })?;
    let mut found: BTreeSet<i64> = read.into_iter().flatten().collect();
    let pseudonym = digits(erasure.pseudonym);
    found.extend(collect(
        &mut db.prepare_cached(COMMANDS)?,
        params![erasure.searched, end, pseudonym],
        |cells| cells.take::<i64>(),
    )?);
    let params = params![keys_after.0, keys_after.1, limit(most)];
    let read = collect(&mut db.prepare_cached(KEYS)?, params, |cells| {
        Ok(((cells.take()?, cells.take()?), cells.take::<Option<i64>>()?))
    })?;
    let next = read.last().map(|(place, _)| place.clone()).filter(|_| read.len() == most);
    let theirs = read.into_iter().filter(|(_, consumer)| *consumer == Some(pseudonym));
    Ok(ErasureTraces {
        reports: found.into_iter().collect(),
        searched: end,
        keys: theirs.map(|(place, _)| place).collect(),
        is_end: end >= newest && next.is_none(),
        keys_after: next,
    })
}

/// What tells that a text is about the person.
struct Traces {
    /// Numbers as digits, user ids and ids at pages. Each stands alone in a text.
    texts: Vec<String>,
    numbers: Vec<String>,
}

impl Traces {
    fn of(erasure: &Erasure) -> Self {
        let numbers: Vec<String> = erasure.numbers().map(|number| number.digits().to_string()).collect();
        let users = erasure.names.iter().filter_map(|name| match name {
            Name::User { id, .. } => Some(id.as_str().to_owned()),
            Name::Number(_) => None,
        });
        let texts = numbers.iter().cloned().chain(users).chain(erasure.pages.iter().cloned()).collect();
        Self { texts, numbers }
    }

    fn are_in(&self, text: &str) -> bool {
        self.texts.iter().any(|trace| stands_in(text.as_bytes(), trace.as_bytes()))
            || ["wamid.", "wacid."].iter().any(|mark| self.are_in_ids(text, mark))
    }

    /// Whether an id of Meta in the text has one of the numbers in it, in base64.
    fn are_in_ids(&self, text: &str, mark: &str) -> bool {
        const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        text.split(mark).skip(1).any(|rest| {
            let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
            let length = rest.bytes().take_while(|byte| is_digit(*byte)).count();
            let decoded = GeneralPurpose::new(&STANDARD, LENIENT).decode(&rest[..length]);
            decoded.is_ok_and(|id| {
                self.numbers.iter().any(|number| memmem::find(&id, number.as_bytes()).is_some())
            })
        })
    }
}

/// Whether the trace is in the text, and is no part of a longer number or id.
fn stands_in(text: &[u8], trace: &[u8]) -> bool {
    memmem::find_iter(text, trace).any(|at| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        let after = text.get(at + trace.len());
        ![before, after].into_iter().flatten().any(u8::is_ascii_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD as BASE64;

    use super::*;

    fn traces() -> Traces {
        let number = "5511987654321".to_owned();
        Traces {
            texts: vec![number.clone(), "GB.134".to_owned(), "778899".to_owned()],
            numbers: vec![number],
        }
    }

    #[test]
    fn a_name_is_found_where_it_stands_alone() {
        for text in [
            r#"{"inbound_message":{"sender":551140000001,"consumer":5511987654321}}"#,
            r#"{"suppressed":{"consumers":[1,5511987654321,2]}}"#,
            r#"{"why":"asked +5511987654321, twice"}"#,
            r#"{"external_user_id":"GB.134"}"#,
            r#"{"psid":"778899"}"#,
            "5511987654321",
        ] {
            assert!(traces().are_in(text), "{text}");
        }
        for text in [
            r#"{"consumer":15511987654321}"#,
            r#"{"consumer":55119876543210}"#,
            r#"{"external_user_id":"GB.1345"}"#,
            r#"{"sid":"CA778899"}"#,
            "551198765432",
            "",
        ] {
            assert!(!traces().are_in(text), "{text}");
        }
    }

    #[test]
    fn an_id_of_meta_that_has_the_number_is_found() {
        for (inside, is_theirs) in
            [("\u{1c}\u{18}\r5511987654321\u{15}\u{2}", true), ("\r5511987654322", false)]
        {
            let id = BASE64.encode(inside);
            for mark in ["wamid", "wacid"] {
                let text = format!(r#"{{"message":{{"sid":"{mark}.{id}","progress":"read"}}}}"#);
                assert_eq!(traces().are_in(&text), is_theirs, "{text}");
                let bare = text.replace('=', "");
                assert_eq!(traces().are_in(&bare), is_theirs, "{bare}");
            }
        }
        assert!(!traces().are_in(r#"{"sid":"wamid."}"#));
    }
}
