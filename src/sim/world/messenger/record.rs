//! What pages sent and which calls they got, for those who judge a run.

use jiff::SignedDuration;

use crate::clock::later;
use crate::domain::RoadKind;
use crate::sim::world::World;
use crate::sim::world::record::{AnsweredCall, SentInvite};

impl World {
    pub(in crate::sim::world) fn noted_invites(&self) -> impl Iterator<Item = SentInvite> + '_ {
        self.messenger.notes.iter().filter_map(|note| {
            let days = note.said.call_days?;
            Some(SentInvite {
                at: note.created,
                consumer: self.messenger.people[note.person].consumer,
                sender: None,
                road: RoadKind::Messenger,
                token: None,
                ends_at: Some(later(note.created, SignedDuration::from_hours(days.saturating_mul(24)))),
            })
        })
    }

    /// A page answers at once, and its calls have no end that anybody tells.
    pub(in crate::sim::world) fn calls_at_pages(&self) -> impl Iterator<Item = AnsweredCall> + '_ {
        self.messenger.calls.iter().map(|call| AnsweredCall {
            consumer: self.messenger.people[call.person].consumer,
            sender: None,
            answered_at: call.at,
            ended_at: call.at,
            payload: None,
            told_at: call.told_at,
            is_nameless: false,
        })
    }
}
