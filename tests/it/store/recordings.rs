//! Recordings of calls: found when their time is over.

use jiff::SignedDuration;
use ringmaster::domain::{Attempt, Notice, Recording, RecordingState, Recordings};
use ringmaster::store::{Batch, RecordingsDue, Store};

use super::samples::*;

fn recorded(n: u32, ask_at: Option<i64>) -> Attempt {
    let recording = Recording {
        sid: format!("RE{n}"),
        link: None,
        duration_s: None,
        notice: Notice::Unstated,
        told_at: at(1),
        delete_at: ask_at.map(at),
        state: RecordingState::Kept,
        ask_at: ask_at.map(at),
        tries: 0,
        deleted_at: None,
    };
    Attempt { callback: callback_id(0), recordings: Recordings::new(vec![recording]), ..attempt(n) }
}

pub async fn recordings_are_due_at_their_time_and_not_before(store: &dyn Store) {
    keep(store, [callback(0)]).await;
    let attempts =
        vec![recorded(1, Some(200)), recorded(2, Some(100)), recorded(3, None), recorded(4, Some(300))];
    record(store, Batch { attempts, ..Batch::default() }).await;
    let step = SignedDuration::from_micros(1);
    let due = |ids: &[u32], next: Option<i64>| RecordingsDue {
        attempts: ids.iter().map(|n| attempt_id(*n)).collect(),
        next_at: next.map(at),
    };
    for (now, expected) in [
        (at(100) - step, due(&[], Some(100))),
        (at(100), due(&[2], Some(200))),
        (at(200), due(&[2, 1], Some(300))),
        (at(300), due(&[2, 1, 4], None)),
    ] {
        assert_eq!(store.recordings_due(now, 10).await.unwrap(), expected, "{now}");
    }
    assert_eq!(store.recordings_due(at(300), 1).await.unwrap().attempts, [attempt_id(2)], "the longest due");
    let mut later = recorded(2, Some(100));
    later.recordings.ask(at(100), "RE2");
    record(store, Batch { attempts: vec![later], ..Batch::default() }).await;
    assert_eq!(store.recordings_due(at(150), 10).await.unwrap(), due(&[], Some(160)), "a minute later");
}
