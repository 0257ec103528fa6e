//! The ceilings of tokens: reads the uses of their callbacks, and counts new ones.
//!
//! A use is counted when it is decided, and taken back if nothing was sent. The end of a call does not give a use back.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::turn::Turn;
use crate::domain::ceiling::Minutes;
use crate::domain::{Budget, Callback, CallbackId, Gate, Submission, TokenName, TokenUse};

/// Those of these tokens whose budgets are not known, or were read too long ago.
pub(super) fn unknown(turn: &Turn<'_>, tokens: impl IntoIterator<Item = TokenName>) -> BTreeSet<TokenName> {
    tokens.into_iter().filter(|token| !turn.budgets.is_known(token, turn.now)).collect()
}

/// Takes in budgets as they were read.
pub(super) fn learn(turn: &mut Turn<'_>, budgets: impl IntoIterator<Item = (TokenName, Budget)>) {
    for (token, mut budget) in budgets {
        // What this turn counted is not stored yet.
        let unstored = turn.work.uses.iter().filter(|((of, ..), _)| *of == token);
        unstored.for_each(|((_, what, minute), by)| budget.change(*what, *minute, *by));
        turn.budgets.learn(token, turn.now, budget);
    }
}

/// The tokens for whose ceilings callbacks wait.
pub(super) fn waited_for(turn: &Turn<'_>) -> impl Iterator<Item = TokenName> {
    turn.scheduler.gates.iter().flat_map(Gate::tokens).cloned()
}

/// Counts a use of the callback's token, decided at `at`.
pub(super) fn count(turn: &mut Turn<'_>, callback: CallbackId, what: TokenUse, at: Timestamp) {
    change(turn, callback, what, at, 1);
}

/// Takes a use back if its submission was not sent, and counts it again if it was sent after all.
pub(super) fn correct(
    turn: &mut Turn<'_>,
    callback: CallbackId,
    what: TokenUse,
    before: &Submission,
    after: &Submission,
) {
    match (before.stage.never_left(), after.stage.never_left()) {
        (false, true) => change(turn, callback, what, after.intended_at, -1),
        (true, false) => change(turn, callback, what, after.intended_at, 1),
        _ => {}
    }
}

fn change(turn: &mut Turn<'_>, callback: CallbackId, what: TokenUse, at: Timestamp, by: i32) {
    let token = turn.work.callbacks.get(callback).and_then(Callback::token);
    let Some(token) = token else { return };
    // Without a ceiling nothing is counted.
    if turn.budgets.get(&token).map_or(by > 0, |budget| budget.max(what).is_none()) {
        return;
    }
    let minute = Minutes::of(at);
    if let Some(budget) = turn.budgets.get_mut(&token) {
        budget.change(what, minute, by);
    }
    *turn.work.uses.entry((token.clone(), what, minute)).or_default() += by;
    turn.slot_freed |= by < 0 && turn.scheduler.somebody_waits_at(&Gate::Token(token, what));
}
