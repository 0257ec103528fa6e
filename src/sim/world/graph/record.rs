//! What numbers sent and which calls they got, for those who judge a run.

use jiff::SignedDuration;

use super::callers::Tap;
use super::posts::road;
use crate::clock::later;
use crate::sim::world::World;
use crate::sim::world::record::{AnsweredCall, SentInvite};

impl World {
    pub(in crate::sim::world) fn posted_invites(&self) -> impl Iterator<Item = SentInvite> + '_ {
        self.graph.posts.iter().filter_map(|post| {
            let (sender, consumer) = self.numbers(post.pair);
            let minutes = post.said.button().map(|button| button.ttl_minutes);
            let minutes = minutes.map(|minutes| i64::try_from(minutes).unwrap_or(i64::MAX));
            Some(SentInvite {
                at: post.created,
                consumer,
                sender: Some(sender),
                road: road(&post.said)?,
                token: post.opaque.clone(),
                ends_at: minutes.map(|minutes| later(post.created, SignedDuration::from_mins(minutes))),
            })
        })
    }

    pub(in crate::sim::world) fn calls_at_graph(&self) -> impl Iterator<Item = AnsweredCall> + '_ {
        self.graph.calls.iter().filter_map(|call| {
            let (sender, consumer) = self.numbers(call.pair);
            Some(AnsweredCall {
                consumer,
                sender: Some(sender),
                answered_at: call.answered?,
                ended_at: call.ended?,
                payload: match &call.tap {
                    Some(Tap::Button(payload) | Tap::Link(payload)) => payload.clone(),
                    None => None,
                },
                told_at: call.told_at,
                is_nameless: call.is_nameless,
            })
        })
    }
}
