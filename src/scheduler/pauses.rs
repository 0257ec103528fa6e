//! Folds the pauses that operators set and lift. From the end of this turn they hold; callbacks are not touched, and find
//! out when they are looked at.

use std::sync::Arc;

use jiff::Timestamp;

use super::state::Scheduler;
use super::turn::Turn;
use crate::domain::{CommandOutcome, Pause, PauseId, Pauses};
use crate::store::{self, PauseLifted};

/// An operator sets a pause.
pub(super) fn set(turn: &mut Turn<'_>, pause: &Pause) -> CommandOutcome {
    let now = turn.now;
    let pauses = Arc::make_mut(&mut turn.loads.pauses);
    pauses.forget_ended(now);
    if !pauses.has_room(&pause.scope, &pause.tenant, now) {
        return CommandOutcome::Refused("pause.too_many".into());
    }
    pauses.set(pause.clone());
    turn.work.pauses.push(pause.clone());
    tracing::warn!(
        pause = %pause.id, scope = pause.scope.kind().as_str(), token = &*pause.who,
        until = pause.until.map(tracing::field::display),
        "an operator paused calls and messages"
    );
    CommandOutcome::Applied
}

/// An operator lifts a pause. What waited for its end is called up in the next turn.
pub(super) fn lift(turn: &mut Turn<'_>, at: Timestamp, id: PauseId, by: &str) -> CommandOutcome {
    if turn.loads.pauses.get(id, turn.now).is_none() {
        return CommandOutcome::Refused("pause.not_found".into());
    }
    Arc::make_mut(&mut turn.loads.pauses).remove(id);
    // It may have been set in this turn.
    turn.work.pauses_lifted.push(PauseLifted { id, at, by: by.to_owned() });
    tracing::info!(pause = %id, token = by, "an operator lifted a pause");
    CommandOutcome::Applied
}

impl Scheduler {
    /// Reads the pauses that hold.
    pub(super) async fn read_pauses(&mut self) -> store::Result<()> {
        let pauses = self.deps.store.pauses(self.deps.clock.now()).await?;
        self.loads.pauses = Arc::new(Pauses::new(pauses));
        Ok(())
    }
}
