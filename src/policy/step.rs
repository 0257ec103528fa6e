//! What a callback does next, and all reasons for it.

use jiff::Timestamp;

use crate::domain::{ContentRef, Gate, Outcome, Phone, Reason, Road};

/// The next step of a callback, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    PlaceCall {
        sender: Phone,
    },
    /// Ask for the call permission with this content.
    RequestPermission {
        sender: Phone,
        content: ContentRef,
    },
    /// Invite the consumer to call by this road, for this reason.
    Invite {
        sender: Phone,
        road: Road,
        reason: Reason,
    },
    /// Decide again at `until`, or earlier if the gate opens or the pair changes.
    Wait {
        until: Timestamp,
        gate: Option<Gate>,
        reason: Reason,
    },
    Finish {
        outcome: Outcome,
        reason: Reason,
    },
}

impl Step {
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        match self {
            Self::PlaceCall { .. } => &Reason::Ready,
            Self::RequestPermission { .. } => &Reason::NoPermission,
            Self::Invite { reason, .. } | Self::Wait { reason, .. } | Self::Finish { reason, .. } => reason,
        }
    }
}

/// A step with all reasons, the deciding one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    pub step: Step,
    /// The sender of the step, if any sender can be used.
    pub sender: Option<Phone>,
    /// All reasons that apply now, the deciding one first.
    pub binding: Vec<Reason>,
    /// Whether its sender can only invite now, or wait for that.
    pub is_about_invites: bool,
}

impl Assessment {
    /// Sorts the reasons: the deciding one, then those that end by time, then the others, each once.
    pub(super) fn in_order(self, mut time: Vec<Reason>) -> Self {
        let deciding = self.step.reason().clone();
        let mut ordered = if deciding == Reason::Ready { Vec::new() } else { vec![deciding] };
        time.extend(self.binding);
        for reason in time {
            if !ordered.contains(&reason) {
                ordered.push(reason);
            }
        }
        Self { binding: ordered, ..self }
    }

    /// What a callback does that is held back until its deadline: it waits. What else it waits for stays listed.
    pub(super) fn held(self, reason: Reason, latest: Timestamp) -> Self {
        let step = Step::Wait { until: latest, gate: None, reason };
        Self { step, ..self }.in_order(Vec::new())
    }
}
