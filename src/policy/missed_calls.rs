//! The rule of missed calls: a consumer's call that nobody answered may make a callback. It never makes a loop.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::presets::Preset;
use crate::domain::callback::Waiting;
use crate::domain::number_zones::Narrowed;
use crate::domain::{
    AgentTarget, Callback, CallbackId, CallingHours, Order, Origin, Phone, Priority, Purpose, Reason, State,
    Tenant, Terms, WrittenHours,
};

/// What a missed call makes, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct MissedCallRule {
    pub tenant: Tenant,
    /// The senders whose missed calls count; empty for all.
    pub senders: Vec<Phone>,
    /// The TwiML document of the callback.
    pub document: String,
    pub variables: BTreeMap<String, String>,
    pub agent: Option<AgentTarget>,
    pub hours: Option<WrittenHours>,
    /// The hours of laws that narrow these.
    pub presets: Vec<&'static Preset>,
    pub number_zones: Narrowed,
    pub priority: Priority,
    pub attempts_max: u32,
    /// The deadline, from the end of the missed call on.
    pub within: SignedDuration,
    /// A call that comes so soon after one of ours makes none.
    pub quiet: SignedDuration,
    /// The most callbacks that missed calls of a person make in 24 hours.
    pub per_day_max: u32,
}

/// A call that nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    pub sender: Phone,
    pub consumer: Phone,
    /// When it ended.
    pub at: Timestamp,
}

/// An earlier callback or invite to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    pub created_at: Timestamp,
    pub is_open: bool,
    /// Whether a missed call made it.
    pub by_missed_call: bool,
    /// When its last attempt was intended.
    pub called_at: Option<Timestamp>,
}

/// Why a missed call makes no callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMade {
    /// The rule is not about this sender.
    OtherSender,
    /// An order to the person is open.
    Open,
    /// We had called just before.
    CalledBefore,
    /// The person's callbacks of 24 hours are used up.
    Capped,
    /// The call was so long ago that the deadline has passed.
    TooOld,
    /// The hours do not open in any zone of the number, or a law leaves none of them.
    NoHours,
}

impl NotMade {
    /// For the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherSender => "other_sender",
            Self::Open => "open",
            Self::CalledBefore => "called_before",
            Self::Capped => "capped",
            Self::TooOld => "too_old",
            Self::NoHours => "no_hours",
        }
    }
}

impl MissedCallRule {
    /// Whether calls to this sender count.
    #[must_use]
    pub fn covers(&self, sender: Phone) -> bool {
        self.senders.is_empty() || self.senders.contains(&sender)
    }

    /// The callback that the call makes at `now`. `zones` are those in which the person is known to be; none if that is not
    /// known.
    ///
    /// # Errors
    /// Why it makes none.
    pub fn make(
        &self,
        now: Timestamp,
        call: Missed,
        earlier: &[Earlier],
        zones: &[String],
        id: CallbackId,
    ) -> Result<Callback, NotMade> {
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        if !self.covers(call.sender) {
            return Err(NotMade::OtherSender);
        }
        let latest = call.at.checked_add(self.within).unwrap_or(Timestamp::MAX);
        if latest <= now {
            return Err(NotMade::TooOld);
        }
        if earlier.iter().any(|order| order.is_open) {
            return Err(NotMade::Open);
        }
        let is_recent = |at: Timestamp, span: SignedDuration| call.at.duration_since(at) < span;
        if earlier.iter().filter_map(|order| order.called_at).any(|at| is_recent(at, self.quiet)) {
            return Err(NotMade::CalledBefore);
        }
        let made = earlier.iter().filter(|order| order.by_missed_call);
        let made = made.filter(|order| now.duration_since(order.created_at) < DAY).count();
        if made >= self.per_day_max as usize {
            return Err(NotMade::Capped);
        }
        let order = Order {
            hours: self.hours_of(call.consumer, zones)?,
            priority: self.priority,
            variables: self.variables.clone(),
            agent: self.agent.clone(),
            attempts_max: self.attempts_max,
            purpose: Purpose::Requested,
            terms: Terms { origin: Some(Origin::MissedCall), ..Terms::default() }.kept(),
            ..Order::new(call.consumer, vec![call.sender], self.document.clone(), now, latest)
        };
        let state = State::Waiting(Waiting { wake_at: now, place: None, note: Reason::Ready.note() });
        Ok(Callback { tenant: self.tenant.clone(), ..Callback::new(id, now, order, state) })
    }

    /// The hours of a callback to this number, as laws leave them: in the zones that the rule writes, or else in those of the
    /// person, or else in those of the number.
    fn hours_of(&self, consumer: Phone, zones: &[String]) -> Result<Option<CallingHours>, NotMade> {
        let placed = |hours: &WrittenHours| {
            let mut hours = hours.clone();
            if hours.zones.is_empty() {
                hours.zones = zones.to_vec();
            }
            hours.of(consumer, &self.number_zones).map_err(|_| NotMade::NoHours)
        };
        let mut hours = self.hours.as_ref().map(placed).transpose()?;
        for preset in self.presets.iter().filter(|preset| preset.binds(consumer, Purpose::Requested)) {
            hours = match hours {
                None => Some(placed(&preset.hours())?),
                Some(wanted) => Some(preset.narrow(wanted).ok_or(NotMade::NoHours)?),
            };
        }
        Ok(hours)
    }
}
