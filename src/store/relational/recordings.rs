//! What platforms recorded of a call, as JSON in a column of the attempt. It has no number of a person.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::microsecond;
use serde::{Deserialize, Serialize};

use super::rows::{collect, first, limit, micros};
use super::sql::{Connection, params};
use crate::domain::{AttemptId, Recording, Recordings};
use crate::store::{Error, RecordingsDue, Result};

#[derive(Serialize, Deserialize)]
struct Shape {
    sid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_s: Option<u32>,
    notice: String,
    #[serde(with = "microsecond::required")]
    told_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    delete_at: Option<Timestamp>,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    ask_at: Option<Timestamp>,
    #[serde(default)]
    tries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    deleted_at: Option<Timestamp>,
}

pub const DUE: &str =
    "SELECT id FROM attempts WHERE recordings_due_at <= ?1 ORDER BY recordings_due_at, seq LIMIT ?2";
pub const NEXT: &str = "SELECT min(recordings_due_at) FROM attempts WHERE recordings_due_at > ?1";

/// `None` for no recordings.
pub fn text(recordings: &Recordings) -> Result<Option<String>> {
    if recordings.is_empty() {
        return Ok(None);
    }
    let shapes = recordings.as_slice().iter().map(|recording| Shape {
        sid: recording.sid.clone(),
        link: recording.link.clone(),
        duration_s: recording.duration_s,
        notice: recording.notice.as_str().to_owned(),
        told_at: recording.told_at,
        delete_at: recording.delete_at,
        state: recording.state.as_str().to_owned(),
        ask_at: recording.ask_at,
        tries: recording.tries,
        deleted_at: recording.deleted_at,
    });
    let text = serde_json::to_string(&shapes.collect::<Vec<_>>());
    text.map(Some).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn read(text: &str) -> Result<Recordings> {
    let corrupt = || Error::Corrupt("an attempt has recordings that are none".into());
    let shapes: Vec<Shape> = serde_json::from_str(text).map_err(|_| corrupt())?;
    let all = shapes.into_iter().map(|shape| {
        Ok(Recording {
            notice: shape.notice.parse().map_err(|_| corrupt())?,
            state: shape.state.parse().map_err(|_| corrupt())?,
            sid: shape.sid,
            link: shape.link,
            duration_s: shape.duration_s,
            told_at: shape.told_at,
            delete_at: shape.delete_at,
            ask_at: shape.ask_at,
            tries: shape.tries,
            deleted_at: shape.deleted_at,
        })
    });
    all.collect::<Result<_>>().map(Recordings::new)
}

/// The attempts with recordings that a platform is to be asked to delete.
pub fn due(db: &Connection, now: Timestamp, most: usize) -> Result<RecordingsDue> {
    let id = |cells: &mut super::rows::Cells<'_>| cells.id::<AttemptId>();
    let attempts = collect(&mut db.prepare_cached(DUE)?, params![micros(now), limit(most)], id)?;
    let next_at = first(&mut db.prepare_cached(NEXT)?, [micros(now)], |cells| cells.moment_if())?.flatten();
    Ok(RecordingsDue { attempts, next_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Notice, RecordingState};

    #[test]
    fn recordings_read_back_as_they_were_written() {
        let at = Timestamp::constant(1_790_000_000, 1000);
        let full = Recording {
            sid: "RE1".into(),
            link: Some("https://api.example/RE1".into()),
            duration_s: Some(3),
            notice: Notice::Agent,
            told_at: at,
            delete_at: Some(at),
            state: RecordingState::Deleted,
            ask_at: Some(at),
            tries: 2,
            deleted_at: Some(at),
        };
        let bare = Recording {
            sid: "RE2".into(),
            link: None,
            duration_s: None,
            notice: Notice::Unstated,
            told_at: at,
            delete_at: None,
            state: RecordingState::Kept,
            ask_at: None,
            tries: 0,
            deleted_at: None,
        };
        let recordings = Recordings::new(vec![full, bare]);
        assert_eq!(read(&text(&recordings).unwrap().unwrap()).unwrap(), recordings);
        assert_eq!(text(&Recordings::default()).unwrap(), None);
        assert!(read("[{}]").is_err());
    }
}
