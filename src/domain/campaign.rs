//! Campaigns: callbacks that are launched, paused and ended together.
//!
//! A callback names its campaign in its order. What a campaign does to its callbacks is a pause: one that is not launched
//! holds them by its draft pause, one that is canceled by another, and an operator's pause is an ordinary one.

use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::callback::Waiting;
use super::{
    Breaker, BreakerChange, Callback, CampaignId, FollowUp, Gate, Order, Pause, PauseId, PauseScope, Place,
    State, Tenant,
};

/// One campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    pub id: CampaignId,
    /// Counts its changes, from 1.
    pub version: u64,
    pub tenant: Tenant,
    /// For people; 1 to 100 bytes.
    pub name: Arc<str>,
    pub state: CampaignState,
    /// Fields of an order as JSON, for those that an order of the campaign leaves out.
    pub defaults: Arc<str>,
    /// How many of its calls may be in progress at once.
    pub concurrent_calls_max: Option<u32>,
    /// How many of its calls may begin in a minute.
    pub calls_per_minute: Option<u32>,
    /// How many turns it has among campaigns whose callbacks have equal priority, 1 to [`Campaign::WEIGHT_MAX`].
    pub weight: u32,
    /// When it is paused without an operator.
    pub breaker: Breaker,
    /// Whose callbacks it takes over.
    pub follow_up: Option<Arc<FollowUp>>,
    pub created_at: Timestamp,
    /// The name of the API token that created it.
    pub created_by: Arc<str>,
    /// When it was finished, or the last callback of a canceled one was closed.
    pub ended_at: Option<Timestamp>,
}

/// Where a campaign stands. One that is launched may be paused beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CampaignState {
    /// Takes orders, and nothing leaves.
    Draft,
    /// Takes no orders, and waits to be launched.
    Ready,
    /// Takes orders, and calls.
    Running,
    /// Takes no orders, and calls until its last callback is closed.
    Draining,
    Finished,
    /// Its open callbacks are closed, a batch at a time.
    Canceled,
}

impl CampaignState {
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Ready, Self::Running, Self::Draining, Self::Finished, Self::Canceled];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether orders may name it.
    #[must_use]
    pub const fn takes_orders(self) -> bool {
        matches!(self, Self::Draft | Self::Running)
    }

    /// Whether it waits to be launched.
    #[must_use]
    pub const fn is_unlaunched(self) -> bool {
        matches!(self, Self::Draft | Self::Ready)
    }

    /// Whether nothing can change any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Canceled)
    }
}

/// A change of one campaign, ordered through the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignCommand {
    pub campaign: CampaignId,
    /// The name of the API token that it came with.
    pub by: Arc<str>,
    /// For the record, such as who agreed; at most 200 bytes.
    pub note: Option<Arc<str>>,
    pub act: CampaignAct,
}

/// What a command wants of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CampaignAct {
    Create {
        tenant: Tenant,
        name: Arc<str>,
        defaults: Arc<str>,
        concurrent_calls_max: Option<u32>,
        calls_per_minute: Option<u32>,
        /// Without it [`Campaign::WEIGHT`].
        weight: Option<u32>,
        /// Of the default.
        breaker: BreakerChange,
        /// Whose callbacks it takes over.
        follow_up: Option<Arc<FollowUp>>,
    },
    /// What is to be changed. `Some(None)` removes the ceiling or the pace.
    Change {
        name: Option<Arc<str>>,
        concurrent_calls_max: Option<Option<u32>>,
        calls_per_minute: Option<Option<u32>>,
        weight: Option<u32>,
        breaker: BreakerChange,
    },
    Ready,
    Launch,
    /// Holds its calls, requests and invites until then, or until it is resumed.
    Pause {
        pause: PauseId,
        until: Option<Timestamp>,
    },
    Resume,
    Drain,
    Cancel {
        pause: PauseId,
    },
}

impl CampaignAct {
    /// Its name, as it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    /// The state after it; `None` if it is not possible in this one.
    #[must_use]
    pub const fn after(&self, state: CampaignState) -> Option<CampaignState> {
        use CampaignState::{Canceled, Draft, Draining, Ready, Running};
        match (self, state) {
            (Self::Change { .. }, state) if !state.is_over() => Some(state),
            (Self::Ready, Draft) => Some(Ready),
            (Self::Launch, Draft | Ready) => Some(Running),
            (Self::Pause { .. } | Self::Resume, Running | Draining) => Some(state),
            (Self::Drain, Running) => Some(Draining),
            (Self::Cancel { .. }, state) if !state.is_over() => Some(Canceled),
            _ => None,
        }
    }
}

impl Campaign {
    /// So many may be open at once, over all tenants.
    pub const OPEN_MAX: usize = 1_000;

    /// The weight of a campaign without its own, and of the callbacks without a campaign together.
    pub const WEIGHT: u32 = 10;
    pub const WEIGHT_MAX: u32 = 100;

    /// Whether callbacks of another campaign are still to be taken over.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.follow_up.as_ref().is_some_and(|follow_up| !follow_up.is_whole)
    }

    /// The pause that holds the callbacks of a campaign until it is launched.
    #[must_use]
    pub fn draft_pause(&self) -> Pause {
        Pause {
            id: Self::draft_pause_id(self.id),
            scope: PauseScope::Draft(self.id),
            tenant: self.tenant.clone(),
            who: Arc::clone(&self.created_by),
            why: "it is launched by hand".into(),
            from: self.created_at,
            until: None,
        }
    }

    /// It has the bytes of the campaign's id.
    #[must_use]
    pub const fn draft_pause_id(id: CampaignId) -> PauseId {
        PauseId::new(id.uuid())
    }

    /// Lets a new callback wait for the launch. It is read again at its deadline.
    pub fn hold(&self, callback: &mut Callback) {
        let latest = callback.order.latest;
        callback.state = State::Waiting(Waiting {
            wake_at: latest,
            place: Some(Place {
                gate: Gate::Pause(Self::draft_pause_id(self.id)),
                aged: None,
                expires_at: latest,
            }),
            note: self.draft_pause().reason().note(),
        });
    }
}

impl Order {
    /// The campaign that it belongs to. Any other text in the field is only a label.
    #[must_use]
    pub fn campaign_id(&self) -> Option<CampaignId> {
        campaign_id(self.campaign.as_deref()?)
    }
}

/// The campaign that this text names.
#[must_use]
pub fn campaign_id(text: &str) -> Option<CampaignId> {
    if text.starts_with(CampaignId::PREFIX) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn acts() -> [(CampaignAct, &'static [CampaignState]); 7] {
        use CampaignState::{Draft, Draining, Ready, Running};
        let pause = PauseId::new(Uuid::from_u128(1));
        [
            (
                CampaignAct::Change {
                    name: None,
                    concurrent_calls_max: None,
                    calls_per_minute: None,
                    weight: None,
                    breaker: BreakerChange::default(),
                },
                &[Draft, Ready, Running, Draining],
            ),
            (CampaignAct::Ready, &[Draft]),
            (CampaignAct::Launch, &[Draft, Ready]),
            (CampaignAct::Pause { pause, until: None }, &[Running, Draining]),
            (CampaignAct::Resume, &[Running, Draining]),
            (CampaignAct::Drain, &[Running]),
            (CampaignAct::Cancel { pause }, &[Draft, Ready, Running, Draining]),
        ]
    }

    #[test]
    fn each_act_is_possible_in_its_states_and_in_no_other() {
        for (act, states) in acts() {
            for state in CampaignState::ALL {
                assert_eq!(act.after(state).is_some(), states.contains(&state), "{act:?} {state:?}");
            }
        }
        let after = |act: &CampaignAct, state| act.after(state).map(CampaignState::as_str);
        let acts: Vec<_> = acts().into_iter().map(|(act, _)| act).collect();
        assert_eq!(after(&acts[1], CampaignState::Draft), Some("ready"));
        assert_eq!(after(&acts[2], CampaignState::Ready), Some("running"));
        assert_eq!(after(&acts[3], CampaignState::Draining), Some("draining"));
        assert_eq!(after(&acts[5], CampaignState::Running), Some("draining"));
        assert_eq!(after(&acts[6], CampaignState::Draft), Some("canceled"));
    }

    #[test]
    fn orders_are_taken_by_drafts_and_by_running_campaigns() {
        use CampaignState::{Canceled, Draft, Finished, Ready, Running};
        let takes = CampaignState::ALL.into_iter().filter(|state| state.takes_orders());
        assert_eq!(takes.collect::<Vec<_>>(), [Draft, Running]);
        let waits = CampaignState::ALL.into_iter().filter(|state| state.is_unlaunched());
        assert_eq!(waits.collect::<Vec<_>>(), [Draft, Ready]);
        let over = CampaignState::ALL.into_iter().filter(|state| state.is_over());
        assert_eq!(over.collect::<Vec<_>>(), [Finished, Canceled]);
    }

    #[test]
    fn only_an_id_names_a_campaign() {
        let id = CampaignId::new(Uuid::from_u128(7));
        assert_eq!(campaign_id(&id.to_string()), Some(id));
        for label in ["spring", "cmp_spring", "cmp_", ""] {
            assert_eq!(campaign_id(label), None, "{label:?}");
        }
    }
}
