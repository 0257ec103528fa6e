//! What platforms hold of an erased person: they are asked to delete it, after everything here is erased.

use jiff::SignedDuration;

use super::request::Effect;
use super::turn::Turn;
use crate::clock::later;
use crate::domain::{ErasureId, HeldState};
use crate::platform::Deleted;
use crate::store::{self, Deletions, ErasureStep, HeldElsewhere, Store};

/// How many calls and messages platforms are asked to delete at once.
const ASKED_MAX: usize = 10;
/// When a request without an answer is repeated, in minutes after each; then an operator has to see to it.
const TRIES_AFTER_MIN: [i64; 8] = [1, 5, 15, 60, 180, 360, 720, 1_440];

/// Asks for some. After a restart those are asked for again that had no answer.
pub(super) async fn ask(turn: &mut Turn<'_>, store: &dyn Store, erasure: ErasureId) -> store::Result<()> {
    let now = turn.now;
    let room = ASKED_MAX.saturating_sub(turn.scheduler.erasing.asked.len());
    if room == 0 {
        return Ok(());
    }
    let Deletions { due, next_at } = store.erasure_deletions(erasure, now, ASKED_MAX).await?;
    let known = turn.scheduler.erasing.delete_at;
    turn.scheduler.erasing.delete_at = [known, next_at].into_iter().flatten().min();
    for HeldElsewhere { account, kind, sid, tries, .. } in due {
        let asked = &mut turn.scheduler.erasing.asked;
        if asked.len() >= ASKED_MAX || asked.contains_key(&sid) {
            continue;
        }
        if !turn.scheduler.deps.accounts.contains_key(&account) {
            let (state, again_at) = (HeldState::Refused, None);
            turn.erasing.steps.push(ErasureStep::Held { id: erasure, sid, state, again_at, at: now });
            continue;
        }
        asked.insert(sid.clone(), tries);
        turn.effects.push(Effect::Delete { account, erasure, kind, sid });
    }
    Ok(())
}

/// A platform answered.
pub(super) fn answered(turn: &mut Turn<'_>, id: ErasureId, sid: &str, answer: Deleted) {
    let at = turn.now;
    let tries = turn.scheduler.erasing.asked.get(sid).copied().unwrap_or(0);
    let wait = TRIES_AFTER_MIN.get(usize::try_from(tries).unwrap_or(usize::MAX));
    let again_at = wait.map(|minutes| later(at, SignedDuration::from_mins(*minutes)));
    let (state, again_at) = match (answer, again_at) {
        (Deleted::Gone, _) => (HeldState::Deleted, None),
        (Deleted::NoAnswer, Some(again_at)) => (HeldState::Held, Some(again_at)),
        (Deleted::Refused, _) | (Deleted::NoAnswer, None) => (HeldState::Refused, None),
    };
    turn.erasing.steps.push(ErasureStep::Held { id, sid: sid.to_owned(), state, again_at, at });
}
