//! What the last lookup of a lost call found, as JSON in a column of the attempt. It has no number of a person.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::microsecond;
use serde::{Deserialize, Serialize};

use crate::domain::attempt::{Candidate, Look};
use crate::store::{Error, Result};

#[derive(Serialize, Deserialize)]
struct Shape {
    #[serde(with = "microsecond::required")]
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<CallShape>,
}

#[derive(Serialize, Deserialize)]
struct CallShape {
    sid: String,
    progress: String,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    created_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_s: Option<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    other_ends: bool,
}

pub fn text(look: &Look) -> Result<String> {
    let calls = look.candidates.iter().map(|call| CallShape {
        sid: call.sid.clone(),
        progress: call.progress.as_str().to_owned(),
        created_at: call.created_at,
        duration_s: call.duration_s,
        other_ends: !call.same_ends,
    });
    let shape = Shape { at: look.at, calls: calls.collect() };
    serde_json::to_string(&shape).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn read(text: &str) -> Result<Look> {
    let corrupt = || Error::Corrupt("an attempt has a lookup that is none".into());
    let shape: Shape = serde_json::from_str(text).map_err(|_| corrupt())?;
    let candidates = shape.calls.into_iter().map(|call| {
        Ok(Candidate {
            progress: call.progress.parse().map_err(|_| corrupt())?,
            sid: call.sid,
            created_at: call.created_at,
            duration_s: call.duration_s,
            same_ends: !call.other_ends,
        })
    });
    Ok(Look { at: shape.at, candidates: candidates.collect::<Result<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallProgress, Disposition};

    #[test]
    fn a_lookup_reads_back_what_it_writes() {
        let at = Timestamp::constant(1_790_000_000, 1000);
        let busy = Candidate {
            sid: "CA1".into(),
            progress: CallProgress::Ended(Disposition::Busy),
            created_at: Some(at),
            duration_s: Some(3),
            same_ends: false,
        };
        let queued = Candidate {
            sid: "CA2".into(),
            progress: CallProgress::Queued,
            created_at: None,
            duration_s: None,
            same_ends: true,
        };
        for candidates in [vec![], vec![busy, queued]] {
            let look = Look { at, candidates };
            assert_eq!(read(&text(&look).unwrap()).unwrap(), look);
        }
        assert!(read("{}").is_err());
    }
}
