//! Consumers who were reached in a turn, and which other orders that ends. `elsewhere` closes them.

use jiff::Timestamp;

use crate::domain::{Callback, CallbackId, OrderKind, PersonId, Purpose, State, Tenant};

/// A consumer who was reached.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    pub(super) person: PersonId,
    by: CallbackId,
    pub(super) shown_id: String,
    tenant: Tenant,
    purpose: Purpose,
    /// When the conversation began.
    at: Timestamp,
}

impl Reached {
    /// The person was reached for this order, by a conversation that began at `at`.
    pub(super) fn of(callback: &Callback, person: PersonId, at: Timestamp) -> Self {
        let (tenant, purpose) = (callback.tenant.clone(), callback.order.purpose);
        Self { person, by: callback.id, shown_id: callback.shown_id(), tenant, purpose, at }
    }

    /// Whether another order of the person is not needed any more.
    pub(super) fn ends(&self, other: &Callback) -> bool {
        let order = &other.order;
        other.id != self.by
            && matches!(other.state, State::Waiting(_))
            && order.kind == OrderKind::Callback
            && !order.separate
            && (&other.tenant, order.purpose) == (&self.tenant, self.purpose)
            && other.created_at < self.at
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::callback::{Closed, Waiting};
    use crate::domain::{AttemptId, Order, Outcome, Phone, Reason};

    fn answered_at() -> Timestamp {
        Timestamp::constant(1_790_000_000, 0)
    }

    fn waiting(id: u128, created_at: Timestamp) -> Callback {
        let consumer = Phone::parse("+5511987654321").unwrap();
        let order = Order::new(consumer, Vec::new(), "message", created_at, Timestamp::MAX);
        let state = State::Waiting(Waiting { wake_at: created_at, place: None, note: Reason::Ready.note() });
        Callback::new(CallbackId::new(Uuid::from_u128(id)), created_at, order, state)
    }

    /// Whether a callback ends that was ordered before the conversation, with this difference.
    pub(super) fn ends(change: impl FnOnce(&mut Callback)) -> bool {
        let at = answered_at();
        let by = waiting(1, at);
        let reached = Reached {
            person: PersonId::of(by.order.consumer),
            by: by.id,
            shown_id: by.shown_id(),
            tenant: by.tenant.clone(),
            purpose: by.order.purpose,
            at,
        };
        let mut other = waiting(2, at - jiff::SignedDuration::from_micros(1));
        change(&mut other);
        reached.ends(&other)
    }

    #[test]
    fn what_waits_for_the_same_purpose_ends() {
        assert!(ends(|_| {}));
        assert!(ends(|other| other.order.campaign = Some("spring".into())));
    }

    #[test]
    fn what_is_something_else_stays_open() {
        assert!(!ends(|other| other.order.separate = true));
        assert!(!ends(|other| other.order.purpose = Purpose::Collections));
        assert!(!ends(|other| other.order.kind = OrderKind::Invite));
        assert!(!ends(|other| other.tenant = "acme".parse().unwrap()));
        assert!(!ends(|other| other.id = CallbackId::new(Uuid::from_u128(1))), "it is the same");
    }

    #[test]
    fn what_was_ordered_since_the_answer_stays_open() {
        assert!(!ends(|other| other.created_at = answered_at()));
    }

    #[test]
    fn what_is_in_a_call_or_closed_is_left() {
        let attempt = AttemptId::new(Uuid::from_u128(3));
        assert!(!ends(|other| other.state = State::Calling { attempt }));
        let note = Reason::Answered.note();
        let closed = Closed { outcome: Outcome::Reached, at: answered_at(), note };
        assert!(!ends(|other| other.state = State::Closed(closed)));
    }
}
