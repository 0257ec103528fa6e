//! A callback: an order to call a consumer, and its progress. The unit of work.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::ids::{IdError, InviteId};
use super::reason::{Note, Reason};
use super::{
    AccountAlias, AgentTarget, AttemptId, CallbackId, CallingHours, Consent, ContactKey, GroupName, Handling,
    LinkGiven, Phone, Place, PoolName, Psid, RoadFailure, RoadName, Shared, Tenant, Terms, TokenName,
};

/// One callback: the customer's order and its current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    pub id: CallbackId,
    /// Incremented by each change. A write based on an older version is refused.
    pub version: u64,
    /// Shared, because a turn copies a callback for each change, and an order hardly ever changes.
    pub order: Shared<Order>,
    pub tenant: Tenant,
    /// The dialling group of its senders when it was ordered, or when the daemon was last started.
    pub group: GroupName,
    /// The name of the API token that it was ordered with, where that is known.
    pub ordered_by: Option<Arc<str>>,
    pub created_at: Timestamp,
    pub state: State,
    /// All attempts, whatever their result.
    pub attempts_opened: u32,
    /// Attempts that count against the maximum.
    pub attempts_made: u32,
    /// Failures in a row of any submission, not caused by the consumer.
    pub faults: u32,
    /// Set by the last attempt: the earliest time of the next one.
    pub retry_at: Option<Timestamp>,
    /// When the last attempt that counts ended, if its consumer answered and was not served.
    pub abandoned_at: Option<Timestamp>,
    /// When the consumer was invited to call for this callback.
    pub invited_at: Option<Timestamp>,
    /// By which road; `None` if no invite counts, or if an older version sent it.
    pub invited_by: Option<RoadName>,
    /// The roads by which an invite failed.
    pub roads_failed: Vec<RoadFailure>,
    /// The calling links that were given out, one for each sender; at most [`LinkGiven::SENDERS_MAX`].
    pub links: Vec<LinkGiven>,
    /// When the consumer called after an invite and nobody answered. The next attempt that counts clears it.
    pub missed_call_at: Option<Timestamp>,
    /// When an operator allowed one more attempt in spite of the streak guard. That attempt clears it.
    pub attempt_allowed_at: Option<Timestamp>,
    /// When the customer asked to cancel while an attempt was in progress.
    pub cancel_requested_at: Option<Timestamp>,
    /// When a late report proved that an earlier attempt had served the consumer, while another was in progress. That
    /// one is not needed any more: it is withdrawn or hung up, unless the consumer has answered it.
    pub reached_late_at: Option<Timestamp>,
    /// What became of its rarer terms; `None` if nothing did.
    pub handling: Option<Box<Handling>>,
}

/// What the customer ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub kind: OrderKind,
    pub consumer: Phone,
    /// The consumer's ids at the pages of Messenger accounts.
    pub psids: BTreeMap<AccountAlias, Psid>,
    /// Any of these may call. The first one that can, does.
    pub senders: Vec<Phone>,
    /// No call is placed before this time.
    pub earliest: Timestamp,
    /// The deadline: no call is placed at or after this time.
    pub latest: Timestamp,
    pub hours: Option<CallingHours>,
    pub priority: Priority,
    /// The name of the TwiML document.
    pub document: String,
    pub variables: BTreeMap<String, String>,
    pub agent: Option<AgentTarget>,
    /// The pool of which its call needs a seat, instead of that of its sender.
    pub pool: Option<PoolName>,
    pub attempts_max: u32,
    pub campaign: Option<String>,
    /// Why the consumer is called.
    pub purpose: Purpose,
    /// The consumer's consent, if the customer has recorded one.
    pub consent: Option<Consent>,
    /// No pause is kept after an earlier call that the consumer answered.
    pub waive_gap: bool,
    /// It stays open when another callback of the same purpose reaches the consumer.
    pub separate: bool,
    /// What happens if its first calling hours pass without a call or an invite.
    pub missed_window: MissedWindow,
    /// The customer's own identifier.
    pub reference: Option<String>,
    /// The customer's JSON, returned unchanged.
    pub metadata: Option<String>,
    /// The rarer fields, if the order has any.
    pub terms: Option<Box<Terms>>,
}

impl Order {
    /// The default number of attempts.
    pub const ATTEMPTS_DEFAULT: u32 = 3;

    /// An order with the defaults: any hour, default priority, three attempts.
    #[must_use]
    pub fn new(
        consumer: Phone,
        senders: Vec<Phone>,
        document: impl Into<String>,
        earliest: Timestamp,
        latest: Timestamp,
    ) -> Self {
        Self {
            kind: OrderKind::Callback,
            consumer,
            psids: BTreeMap::new(),
            senders,
            earliest,
            latest,
            hours: None,
            priority: Priority::DEFAULT,
            document: document.into(),
            variables: BTreeMap::new(),
            agent: None,
            pool: None,
            attempts_max: Self::ATTEMPTS_DEFAULT,
            campaign: None,
            purpose: Purpose::default(),
            consent: None,
            waive_gap: false,
            separate: false,
            missed_window: MissedWindow::default(),
            reference: None,
            metadata: None,
            terms: None,
        }
    }
}

/// What was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum OrderKind {
    /// The consumer is called, and invited to call if that cannot be.
    #[default]
    Callback,
    /// The consumer is only invited to call.
    Invite,
}

impl OrderKind {
    pub const ALL: [Self; 2] = [Self::Callback, Self::Invite];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The prefix of the ids of such orders, as customers name them.
    #[must_use]
    pub const fn id_prefix(self) -> &'static str {
        match self {
            Self::Callback => CallbackId::PREFIX,
            Self::Invite => InviteId::PREFIX,
        }
    }

    /// The id of such an order, as customers name it: `cb_...` or `inv_...`.
    #[must_use]
    pub fn show_id(self, id: CallbackId) -> String {
        match self {
            Self::Callback => id.to_string(),
            Self::Invite => InviteId::from(id).to_string(),
        }
    }

    /// Reads what [`show_id`](Self::show_id) writes. Whether there is such an order is not known.
    ///
    /// # Errors
    /// If the text is no id with the prefix of this kind.
    pub fn read_id(self, text: &str) -> Result<CallbackId, IdError> {
        match self {
            Self::Callback => text.parse(),
            Self::Invite => text.parse().map(|id: InviteId| id.into()),
        }
    }
}

/// Why the consumer is called. The names are stored and are those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Purpose {
    /// The consumer asked to be called.
    Requested,
    #[default]
    Service,
    Marketing,
    Collections,
}

impl Purpose {
    pub const ALL: [Self; 4] = [Self::Requested, Self::Service, Self::Marketing, Self::Collections];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What happens to an order whose first calling hours pass without a call or an invite. The names are stored and are those
/// of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MissedWindow {
    /// It waits for the next hours.
    #[default]
    NextWindow,
    /// It is closed as expired.
    Close,
    /// It waits until somebody gives it another earliest time, or cancels it.
    Ask,
}

impl MissedWindow {
    pub const ALL: [Self; 3] = [Self::NextWindow, Self::Close, Self::Ask];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// 0 is bulk, 9 is most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    pub const DEFAULT: Self = Self(5);
    pub const MAX: u8 = 9;
    pub const URGENT: Self = Self(Self::MAX);

    /// `None` above 9.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        if level <= Self::MAX { Some(Self(level)) } else { None }
    }

    #[must_use]
    pub const fn level(self) -> u8 {
        self.0
    }
}

/// The state of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Waiting(Waiting),
    /// An attempt is open. Its end decides the next state.
    Calling {
        attempt: AttemptId,
    },
    Closed(Closed),
}

/// A callback that waits, and what will wake it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The latest time of the next decision.
    pub wake_at: Timestamp,
    /// Set if it waits for a scarce resource. Waiting callbacks are taken in order of their rank.
    pub place: Option<Place>,
    pub note: Note,
}

impl Waiting {
    /// The `wake_at` of what only an operator wakes.
    pub const NEVER: Timestamp = Timestamp::constant(253_402_207_200, 0);

    /// Of a callback that is set aside.
    #[must_use]
    pub fn set_aside() -> Self {
        Self { wake_at: Self::NEVER, place: None, note: Reason::CallbackSetAside.note() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub outcome: Outcome,
    pub at: Timestamp,
    pub note: Note,
}

/// How a callback ended. Every callback ends once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// The consumer was reached.
    Reached,
    /// All attempts, or all ways to get a permission, are used.
    Exhausted,
    /// The consumer does not want the call.
    Declined,
    /// The deadline passed.
    Expired,
    Canceled,
    /// It cannot be done: no WhatsApp, unknown sender, or refused permanently.
    Failed,
    /// The consumer was reached for another order of the same purpose.
    ReachedElsewhere,
}

impl Outcome {
    pub const ALL: [Self; 7] = [
        Self::Reached,
        Self::Exhausted,
        Self::Declined,
        Self::Expired,
        Self::Canceled,
        Self::Failed,
        Self::ReachedElsewhere,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Callback {
    /// A new callback of the default tenant in this state, without attempts.
    #[must_use]
    pub fn new(id: CallbackId, created_at: Timestamp, order: Order, state: State) -> Self {
        Self {
            id,
            version: 1,
            order: order.into(),
            tenant: Tenant::default(),
            group: GroupName::default(),
            ordered_by: None,
            created_at,
            state,
            attempts_opened: 0,
            attempts_made: 0,
            faults: 0,
            retry_at: None,
            invited_at: None,
            invited_by: None,
            roads_failed: Vec::new(),
            links: Vec::new(),
            missed_call_at: None,
            attempt_allowed_at: None,
            abandoned_at: None,
            cancel_requested_at: None,
            reached_late_at: None,
            handling: None,
        }
    }

    /// The id as customers name it: `cb_...`, or `inv_...` of an invite.
    #[must_use]
    pub fn shown_id(&self) -> String {
        self.order.kind.show_id(self.id)
    }

    /// The tokens whose ceilings count for it, if it is known which token ordered it.
    #[must_use]
    pub fn token(&self) -> Option<TokenName> {
        let name = self.ordered_by.clone()?;
        Some(TokenName { tenant: self.tenant.clone(), name })
    }

    /// The consumer, as pages of Messenger know them.
    pub fn contacts(&self) -> impl Iterator<Item = ContactKey> {
        self.order.psids.iter().map(|(account, psid)| (account.clone(), psid.clone()))
    }

    /// Whether an invite by this road failed for the callback.
    #[must_use]
    pub fn road_failed(&self, road: &RoadName) -> Option<&RoadFailure> {
        self.roads_failed.iter().find(|failure| failure.road == *road)
    }

    /// Since when the consumer knows of it, so that a call to this sender is about it: since the invite, if it names the
    /// sender, or since a link to this sender was given out.
    #[must_use]
    pub fn known_since(&self, sender: Phone) -> Option<Timestamp> {
        let invited = self.invited_at.filter(|_| self.order.senders.contains(&sender));
        let linked = self.links.iter().filter(|link| link.sender == sender).map(|link| link.at);
        invited.into_iter().chain(linked).min()
    }

    /// Whether the attempt in progress is still wanted.
    #[must_use]
    pub const fn needs_its_call(&self) -> bool {
        self.cancel_requested_at.is_none() && self.reached_late_at.is_none()
    }

    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed(_))
    }

    #[must_use]
    pub const fn closed(&self) -> Option<&Closed> {
        match &self.state {
            State::Closed(closed) => Some(closed),
            _ => None,
        }
    }

    /// Sort key of waiting callbacks: priority first, then the end of the dialling window.
    #[must_use]
    pub fn rank(&self, expires_at: Timestamp) -> (std::cmp::Reverse<u8>, Timestamp, CallbackId) {
        (std::cmp::Reverse(self.order.priority.level()), expires_at, self.id)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::Reason;

    #[test]
    fn every_outcome_is_parsed_from_its_own_string() {
        let words = Outcome::ALL.map(Outcome::as_str);
        let expected =
            ["reached", "exhausted", "declined", "expired", "canceled", "failed", "reached_elsewhere"];
        assert_eq!(words, expected);
        assert_eq!(words.map(str::parse), Outcome::ALL.map(Ok));
        assert!("completed".parse::<Outcome>().is_err());
    }

    #[test]
    fn an_id_is_named_and_read_by_its_kind() {
        let id = CallbackId::new(Uuid::from_u128(7));
        let names = OrderKind::ALL.map(|kind| kind.show_id(id));
        let digits = "00000000000000000000000000000007";
        assert_eq!(names, [format!("cb_{digits}"), format!("inv_{digits}")]);
        for (kind, name) in OrderKind::ALL.into_iter().zip(&names) {
            assert!(name.starts_with(kind.id_prefix()));
            let read = OrderKind::ALL.map(|other| other.read_id(name).ok());
            assert_eq!(read, OrderKind::ALL.map(|other| (other == kind).then_some(id)), "{name}");
        }
        let mut order = callback(State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) });
        assert_eq!(order.shown_id(), order.id.to_string());
        order.order.kind = OrderKind::Invite;
        assert_eq!(order.shown_id(), InviteId::from(order.id).to_string());
    }

    #[test]
    fn only_a_closed_callback_is_closed() {
        let at = Timestamp::constant(1_790_000_000, 0);
        let note = Reason::Answered.note();
        let waiting = callback(State::Waiting(Waiting { wake_at: at, place: None, note: note.clone() }));
        let calling = callback(State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) });
        let closed = Closed { outcome: Outcome::Reached, at, note };
        for open in [&waiting, &calling] {
            assert_eq!((open.is_closed(), open.closed()), (false, None));
        }
        let done = callback(State::Closed(closed.clone()));
        assert_eq!((done.is_closed(), done.closed()), (true, Some(&closed)));
    }

    #[test]
    fn the_urgent_are_called_up_first_then_those_whose_chance_ends_first() {
        let ranked = |level, second: i64, id| {
            let mut callback = callback(State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) });
            callback.order.priority = Priority::new(level).unwrap();
            callback.id = CallbackId::new(Uuid::from_u128(id));
            callback.rank(Timestamp::constant(1_790_000_000 + second, 0))
        };
        let order = [ranked(9, 99, 9), ranked(5, 0, 9), ranked(5, 1, 1), ranked(5, 1, 2), ranked(0, 0, 0)];
        assert!(order.is_sorted());
    }

    fn callback(state: State) -> Callback {
        let at = Timestamp::constant(1_790_000_000, 0);
        Callback::new(
            CallbackId::new(Uuid::from_u128(1)),
            at,
            Order::new(Phone::parse("+5511987654321").unwrap(), Vec::new(), "message", at, at),
            state,
        )
    }

    #[test]
    fn priorities_end_at_nine() {
        assert_eq!(Priority::new(9).map(Priority::level), Some(9));
        assert_eq!(Priority::new(10), None);
    }
}
