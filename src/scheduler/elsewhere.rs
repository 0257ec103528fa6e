//! Closes the other callbacks of a consumer who was reached: those of the same tenant and purpose that wait, unless they are
//! separate or their campaign is not launched.
//!
//! What was ordered during the conversation, such as another call, stays open.

use super::settle::close;
use super::turn::Turn;
use crate::domain::{Callback, CallbackId, Outcome, Reason};

/// Closes what waits for those who were reached. Their waiting callbacks have been read.
pub(super) fn close_others(turn: &mut Turn<'_>, may_close: impl Fn(&Turn<'_>, &Callback) -> bool) {
    let all = std::mem::take(&mut turn.reached);
    for reached in &all {
        let others = turn.work.callbacks.values().filter(|other| {
            reached.ends(other)
                && turn.work.names.of_number(other.order.consumer) == reached.person
                && is_launched(turn, other)
                && may_close(turn, other)
        });
        let others: Vec<CallbackId> = others.map(|other| other.id).collect();
        let reason = Reason::ReachedElsewhere { by: reached.shown_id.as_str().into() };
        for id in others {
            turn.is_at_callback(id);
            close(turn, id, Outcome::ReachedElsewhere, &reason);
        }
    }
    if !all.is_empty() {
        turn.is_at_nothing();
    }
}

/// The orders of a draft are not open yet.
fn is_launched(turn: &Turn<'_>, callback: &Callback) -> bool {
    let campaign = callback.order.campaign_id().and_then(|id| turn.loads.campaigns.get(id));
    campaign.is_none_or(|campaign| !campaign.state.is_unlaunched())
}
