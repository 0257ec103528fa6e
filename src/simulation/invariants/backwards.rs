//! What an attempt must not lose: its stage, its progress and its facts move forward only.

use std::collections::BTreeSet;

use crate::domain::{Attempt, Stage};

/// The fields of the attempt that went backwards.
pub(super) fn backwards(before: &Attempt, after: &Attempt) -> Vec<String> {
    let id = after.id;
    let (was, is) = (before.submission.stage, after.submission.stage);
    let lost = |was: bool, is: bool| was && !is;
    let mut problems = Vec::new();
    if !may_reach(was, is) {
        problems.push(format!("{id} went from {was:?} to {is:?}"));
    }
    if after.first_leg.rank() < before.first_leg.rank() {
        problems.push(format!("{id} went from {:?} back to {:?}", before.first_leg, after.first_leg));
    }
    if lost(before.second_leg.is_some(), after.second_leg.is_some())
        || after.second_leg.map(crate::domain::CallProgress::rank)
            < before.second_leg.map(crate::domain::CallProgress::rank)
    {
        problems.push(format!("{id}: the second leg went back"));
    }
    if before.holds != after.holds {
        problems.push(format!("{id} held {:?}, and gives back {:?}", before.holds, after.holds));
    }
    let facts = [
        ("end", before.ended_at.is_some(), after.ended_at.is_some()),
        ("answer", before.connected_at.is_some(), after.connected_at.is_some()),
        ("ringing", before.rang_at.is_some(), after.rang_at.is_some()),
        ("name", before.submission.sid.is_some(), after.submission.sid.is_some()),
    ];
    problems.extend(
        facts.iter().filter(|(_, was, is)| lost(*was, *is)).map(|(what, ..)| format!("{id} lost its {what}")),
    );
    problems
}

/// Whether one stage can become the other, directly or through others.
fn may_reach(from: Stage, to: Stage) -> bool {
    const ALL: [Stage; 8] = [
        Stage::Intent,
        Stage::Submitting,
        Stage::Accepted,
        Stage::Rejected,
        Stage::Throttled,
        Stage::Unknown,
        Stage::NotPlaced,
        Stage::Withdrawn,
    ];
    let mut reached = BTreeSet::from([from]);
    loop {
        let next: Vec<_> = ALL
            .into_iter()
            .filter(|next| !reached.contains(next) && reached.iter().any(|stage| stage.may_become(*next)))
            .collect();
        if next.is_empty() {
            return reached.contains(&to);
        }
        reached.extend(next);
    }
}
