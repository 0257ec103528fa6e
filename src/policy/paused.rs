//! What an operator's pause does to a callback: it neither calls, asks nor invites. All else goes on: deadlines pass, and
//! refusals end callbacks.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Assessment, Candidate, Case, Step};
use crate::domain::{CallPermission, Gate, Pause, Reason};

impl Candidate<'_> {
    /// The pauses in force, the one that ends last first.
    pub(super) fn pauses_in_force(&self, now: Timestamp) -> Vec<&Arc<Pause>> {
        let mut pauses: Vec<_> = self.pauses.iter().filter(|pause| pause.is_in_force(now)).collect();
        pauses.sort_by_key(|pause| std::cmp::Reverse((pause.ends_at(), pause.id)));
        pauses
    }

    /// Whether its consumer was asked and may still answer, so that no other sender asks.
    pub(super) fn is_asking(&self, now: Timestamp) -> bool {
        matches!(self.pair.permission, CallPermission::Requested { expires_at } if now < expires_at)
    }
}

impl Case<'_> {
    /// The assessment with the pauses among its reasons. The pause that ends last decides, if something could leave,
    /// or if the callback waits for what ends before the pause.
    pub(super) fn paused(&self, mut assessment: Assessment) -> Assessment {
        let pauses = self.candidate.pauses_in_force(self.now);
        let Some(last) = pauses.first() else { return assessment };
        let decides = match &assessment.step {
            Step::Finish { .. } => return assessment,
            Step::PlaceCall { .. } | Step::RequestPermission { .. } | Step::Invite { .. } => true,
            // A gate that opens would let it through to the pause.
            Step::Wait { gate: Some(_), .. } => true,
            Step::Wait { reason, .. } => reason.lifts_at().is_some_and(|at| at < last.ends_at()),
        };
        let reasons = pauses.iter().map(|pause| pause.reason()).collect();
        if decides {
            let (until, gate) = (self.turns_at(), Some(Gate::Pause(last.id)));
            assessment.step = Step::Wait { until, gate, reason: last.reason() };
        }
        assessment.in_order(reasons)
    }
}

impl Reason {
    pub(super) const fn is_a_pause(&self) -> bool {
        matches!(self, Self::Paused { .. })
    }
}
