//! Applies the platform's answers to our requests.

use super::request::News;
use super::turn::Turn;
use super::{call_answers, deletions, lineage, lookups, messages, people, recordings};
use crate::domain::CallbackId;
use crate::failpoint::panic_point;

/// Applies one answer.
pub(super) fn take_in(turn: &mut Turn<'_>, news: &News) {
    panic_point!("answer", "{news:?}");
    match news {
        News::Call { attempt, answer, why } => call_answers::answered(turn, *attempt, answer, why),
        News::Message { message, answer, why, spelled } => {
            if let Some(number) = spelled {
                people::learn_spelling(turn, *message, *number);
            }
            messages::answered(turn, *message, answer, why);
        }
        News::Asked { attempt, finding } => lookups::call(turn, *attempt, finding),
        News::Sought { attempt, finding } => lookups::lost_call(turn, *attempt, finding),
        News::SoughtMessage { message, finding } => lookups::lost_message(turn, *message, finding),
        News::AskedInbound { key, sid, finding } => lookups::inbound(turn, *key, sid, finding),
        // The clock has applied the date already.
        News::Date(_) => {}
        News::Since { account, finding } => lineage::found(turn, account, finding),
        News::Deleted { erasure, sid, answer } => deletions::answered(turn, *erasure, sid, *answer),
        News::RecordingDeleted { attempt, sid, answer } => {
            recordings::answered(turn, *attempt, sid, *answer);
        }
        News::HungUp { attempt, answer } => {
            let now = turn.now;
            turn.scheduler.hang_ups.answered(*attempt, *answer, now);
        }
    }
}

/// The callback that an answer is about, if its attempt or message is known and has one.
pub(super) fn callback(turn: &Turn<'_>, news: &News) -> Option<CallbackId> {
    match news {
        News::Call { attempt, .. }
        | News::Asked { attempt, .. }
        | News::RecordingDeleted { attempt, .. }
        | News::Sought { attempt, .. } => turn.work.attempts.get(*attempt).map(|attempt| attempt.callback),
        News::Message { message, .. } | News::SoughtMessage { message, .. } => {
            turn.work.messages.get(*message)?.callback
        }
        News::AskedInbound { .. }
        | News::HungUp { .. }
        | News::Deleted { .. }
        | News::Date(_)
        | News::Since { .. } => None,
    }
}
