//! Folds the pauses that operators set and lift, and sets those of content that a platform refuses. From the end of this turn they hold; callbacks are not touched, and find
//! out when they are looked at.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::counting;
use super::state::Scheduler;
use super::turn::Turn;
use crate::clock::later;
use crate::domain::{AccountAlias, CommandOutcome, ContentRef, Pause, PauseId, PauseScope, Pauses, Tenant};
use crate::store::{self, PauseLifted};

/// An operator sets a pause, or the start has seen that the platform paused content.
pub(super) fn set(turn: &mut Turn<'_>, pause: &Pause) -> CommandOutcome {
    let now = turn.now;
    if let PauseScope::Content(account, content) = &pause.scope {
        // A message may have been refused meanwhile, or the daemon started twice.
        if turn.loads.pauses.of_content(account, content, now).is_none() {
            keep(turn, account, content, pause.clone());
        }
        return CommandOutcome::Applied;
    }
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

/// An operator lifts a pause, or the start sends another version of the content. What waited for its end is called up in the next turn.
pub(super) fn lift(turn: &mut Turn<'_>, at: Timestamp, id: PauseId, by: &str) -> CommandOutcome {
    let Some(pause) = turn.loads.pauses.get(id, turn.now) else {
        return CommandOutcome::Refused("pause.not_found".into());
    };
    if let Some(campaign) = pause.scope.campaign().filter(|_| pause.is_of_a_breaker()) {
        counting::forget(turn, campaign);
    }
    Arc::make_mut(&mut turn.loads.pauses).remove(id);
    // It may have been set in this turn.
    turn.work.pauses_lifted.push(PauseLifted { id, at, by: by.to_owned() });
    if by == Pause::PLATFORM {
        tracing::info!(pause = %id, "another version of the content is sent, so its pause is lifted");
    } else {
        tracing::info!(pause = %id, token = by, "an operator lifted a pause");
    }
    CommandOutcome::Applied
}

/// The platform does not send this content: it is paused for so long. Further refusals of messages that were on their way
/// together do not make the pause longer, unless their reason asks for a longer one.
pub(super) fn of_content(
    turn: &mut Turn<'_>,
    account: &AccountAlias,
    content: &ContentRef,
    pause: SignedDuration,
    why: &'static str,
) {
    let now = turn.now;
    let known = turn.loads.pauses.of_content(account, content, now);
    if known.is_some_and(|known| known.ends_at().duration_since(known.from) >= pause) {
        return;
    }
    let until = later(now, pause);
    let pause = Pause {
        id: PauseId::new(turn.scheduler.deps.ids.uuid(now)),
        scope: PauseScope::Content(account.clone(), content.clone()),
        tenant: Tenant::default(),
        who: Pause::PLATFORM.into(),
        why: why.into(),
        from: now,
        until: Some(until),
    };
    keep(turn, account, content, pause);
}

fn keep(turn: &mut Turn<'_>, account: &AccountAlias, content: &ContentRef, pause: Pause) {
    tracing::warn!(
        account = &**account, content = content.as_str(), why = &*pause.why,
        until = pause.until.map(tracing::field::display), pause = %pause.id,
        "the platform does not send this content"
    );
    let pauses = Arc::make_mut(&mut turn.loads.pauses);
    pauses.forget_ended(turn.now);
    pauses.set(pause.clone());
    turn.work.pauses.push(pause);
}

impl Scheduler {
    /// Reads the pauses that hold.
    pub(super) async fn read_pauses(&mut self) -> store::Result<()> {
        let pauses = self.deps.store.pauses(self.deps.clock.now()).await?;
        self.loads.pauses = Arc::new(Pauses::new(pauses));
        Ok(())
    }
}
