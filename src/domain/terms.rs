//! What an order may say about its agent, the time that was promised, its place in line and a preview. Most orders say
//! none of it.

use jiff::{SignedDuration, Timestamp};
use strum::{EnumString, IntoStaticStr};

use super::{AgentTarget, Callback, CallbackId, Order, Reason, State, TraceParent};

const PREVIEW_OFFERED: &str = Reason::PreviewOffered { until: Timestamp::MIN, number: 0, times: 0 }.code();

/// The rarer fields of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The agent who alone is called for a time.
    pub assigned: Option<Assigned>,
    /// The time that was told to the consumer.
    pub promised_at: Option<Timestamp>,
    /// Since when the consumer has waited: it goes before others of its priority. Not in the future when it is ordered.
    pub in_line_since: Option<Timestamp>,
    /// An agent looks at it before it is dialled.
    pub preview: Option<Preview>,
    /// What made the order, if no customer did.
    pub origin: Option<Origin>,
    /// The customer's trace in which it was ordered; kept while traces are recorded.
    pub traced: Option<TraceParent>,
}

impl Terms {
    /// The terms as an order keeps them: nothing, if they say nothing.
    #[must_use]
    pub fn kept(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// The agent of one callback, alone for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    pub agent: AgentTarget,
    /// The first moment at which the order's own agent, or that of its sender, is called.
    pub until: Timestamp,
}

/// How a callback is offered to agents before it is dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    /// How long one offer lasts.
    pub seconds: u32,
    /// How often it is offered before nobody took it.
    pub times: u32,
    pub otherwise: PreviewElse,
}

impl Preview {
    pub const SECONDS_DEFAULT: u32 = 30;
    pub const SECONDS_MIN: u32 = 5;
    pub const SECONDS_MAX: u32 = 600;
    pub const TIMES_DEFAULT: u32 = 3;
    pub const TIMES_MAX: u32 = 20;
}

/// What happens when nobody took any of the offers. The names are stored and are those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PreviewElse {
    /// It waits until it is rescheduled or canceled.
    #[default]
    Ask,
    /// It is dialled without a preview.
    Dial,
}

impl PreviewElse {
    pub const ALL: [Self; 2] = [Self::Ask, Self::Dial];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What made an order that no customer ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The wrap-up of this callback.
    FollowUp(CallbackId),
    /// A call of the consumer that nobody answered.
    MissedCall,
}

/// What became of a callback with rarer terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handling {
    /// When the consumer's phone first rang; kept if a time was promised.
    pub first_rang_at: Option<Timestamp>,
    pub offer: Offer,
    /// An agent has said what came of the call in progress, so no seat is held after it.
    pub is_wrapped_up: bool,
    /// The end of the consumer's day on which nobody contacts the consumer for it, because somebody marked it so. A new
    /// earliest time ends it.
    pub not_today_until: Option<Timestamp>,
}

/// How far the offers of a callback are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// How often it was offered, since it was ordered or rescheduled.
    pub times: u32,
    /// The end of the offer in progress.
    pub until: Option<Timestamp>,
    /// Who took it, and when: it is dialled.
    pub taken: Option<Taken>,
}

/// An agent took an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The agent who is called, if the command named one.
    pub agent: Option<AgentTarget>,
    pub at: Timestamp,
}

impl Taken {
    /// How long an accepted offer may wait for what else must be free. After that it is offered again, because the agent
    /// may have gone.
    pub const HOLDS: SignedDuration = SignedDuration::from_secs(60);

    /// The first moment at which it holds no more, unless the call has begun.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.at.checked_add(Self::HOLDS).unwrap_or(Timestamp::MAX)
    }

    /// Whether it holds at this moment for a callback that waits.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        at < self.ends_at()
    }
}

impl Order {
    /// The time that was told to the consumer.
    #[must_use]
    pub fn promised_at(&self) -> Option<Timestamp> {
        self.terms.as_ref()?.promised_at
    }

    /// How it is offered to agents before it is dialled.
    #[must_use]
    pub fn preview(&self) -> Option<Preview> {
        self.terms.as_ref()?.preview
    }

    /// Until when only the assigned agent is called.
    #[must_use]
    pub fn exclusive_until(&self) -> Option<Timestamp> {
        Some(self.terms.as_ref()?.assigned.as_ref()?.until)
    }

    /// The order's agent at this moment: the assigned one while only that one is called.
    #[must_use]
    pub fn agent_at(&self, at: Timestamp) -> Option<&AgentTarget> {
        let assigned = self.terms.as_ref().and_then(|terms| terms.assigned.as_ref());
        assigned.filter(|assigned| at < assigned.until).map(|own| &own.agent).or(self.agent.as_ref())
    }
}

impl Callback {
    /// When the consumer's phone first rang; known if a time was promised.
    #[must_use]
    pub fn first_rang_at(&self) -> Option<Timestamp> {
        self.handling.as_ref()?.first_rang_at
    }

    /// How much later than promised the consumer's phone first rang; negative if it rang before.
    #[must_use]
    pub fn lateness(&self) -> Option<SignedDuration> {
        Some(self.first_rang_at()?.duration_since(self.order.promised_at()?))
    }

    /// Until when nobody contacts the consumer for it, if that is later than `now`.
    #[must_use]
    pub fn not_today(&self, now: Timestamp) -> Option<Timestamp> {
        self.handling.as_ref()?.not_today_until.filter(|&until| until > now)
    }

    /// How far its offers to agents are.
    #[must_use]
    pub fn offer(&self) -> Option<&Offer> {
        self.handling.as_ref().map(|handling| &handling.offer)
    }

    /// The end of the offer to agents for which it waits.
    #[must_use]
    pub fn offer_in_progress(&self) -> Option<Timestamp> {
        let State::Waiting(waiting) = &self.state else { return None };
        let is_offered = waiting.note.code == PREVIEW_OFFERED;
        self.offer().filter(|_| is_offered).and_then(|offer| offer.until)
    }

    /// What became of its rarer terms, to change it.
    pub fn handled(&mut self) -> &mut Handling {
        self.handling.get_or_insert_default()
    }

    /// The agent of a call at this moment: who took the offer, while that holds, or else the order's.
    #[must_use]
    pub fn agent_at(&self, at: Timestamp) -> Option<&AgentTarget> {
        let is_calling = matches!(self.state, State::Calling { .. });
        let taken = self.offer().and_then(|offer| offer.taken.as_ref());
        let taken = taken.filter(|taken| is_calling || taken.holds(at));
        taken.and_then(|taken| taken.agent.as_ref()).or_else(|| self.order.agent_at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_that_say_nothing_are_not_kept() {
        assert_eq!(Terms::default().kept(), None);
        let promised = Terms { promised_at: Some(Timestamp::UNIX_EPOCH), ..Terms::default() };
        assert_eq!(promised.clone().kept().as_deref(), Some(&promised));
    }

    #[test]
    fn the_names_of_what_follows_a_preview_are_stored() {
        assert_eq!(PreviewElse::ALL.map(PreviewElse::as_str), ["ask", "dial"]);
        assert_eq!(PreviewElse::ALL.map(PreviewElse::as_str).map(str::parse), PreviewElse::ALL.map(Ok));
    }
}
