//! A campaign of those whom another campaign did not reach.

use jiff::Timestamp;

use super::{Callback, CampaignId, Order, Outcome, Reason, Terms};

/// Which callbacks a campaign takes over from another one, and how far that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// The campaign whose callbacks are taken over.
    pub of: CampaignId,
    /// Those that ended so.
    pub outcomes: Vec<Outcome>,
    /// The earliest time of the new callbacks.
    pub earliest: Option<Timestamp>,
    /// Their deadline.
    pub latest: Timestamp,
    /// The place of the last callback that was looked at.
    pub after: i64,
    /// How many callbacks were made.
    pub made: u64,
    /// How many were left out: the consumer has refused since, is on a suppression list or was erased, the number is marked
    /// as wrong, no consent holds, or an agent closed the callback.
    pub left_out: u64,
    /// Whether all were looked at.
    pub is_whole: bool,
}

impl FollowUp {
    /// Ends that leave a consumer unreached without a word of the consumer against it.
    pub const OUTCOMES: [Outcome; 4] =
        [Outcome::Exhausted, Outcome::Expired, Outcome::Failed, Outcome::Canceled];
    /// Those that are taken over if nothing else is said.
    pub const USUAL: [Outcome; 2] = [Outcome::Exhausted, Outcome::Expired];

    /// Whether a word of an agent, or an erasure, closed the callback: then nobody calls again.
    #[must_use]
    pub fn is_settled(first: &Callback) -> bool {
        let words = [Reason::WrappedUp.code(), Reason::PreviewClosed.code(), Reason::Erased.code()];
        first.closed().is_some_and(|closed| words.contains(&&*closed.note.code))
    }

    /// The order of the new callback, in this campaign. What was ordered comes along, with purpose and consent. Of its rarer
    /// terms only the preview does: a promise, a place in line and an assigned agent were about the first callback.
    #[must_use]
    pub fn order(&self, first: &Order, campaign: CampaignId, now: Timestamp) -> Order {
        let terms = Terms { preview: first.preview(), ..Terms::default() };
        Order {
            earliest: self.earliest.map_or(now, |earliest| earliest.max(now)),
            latest: self.latest,
            campaign: Some(campaign.to_string()),
            terms: terms.kept(),
            ..first.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::callback::Closed;
    use crate::domain::{AgentTarget, Assigned, CallbackId, Origin, Phone, Preview, PreviewElse, State};

    fn order() -> Order {
        let number = |text| Phone::parse(text).unwrap();
        let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1));
        Order::new(number("+5511987654321"), vec![number("+551151991234")], "message", from, until)
    }

    fn follow_up() -> FollowUp {
        FollowUp {
            of: CampaignId::new(uuid::Uuid::from_u128(1)),
            outcomes: FollowUp::USUAL.to_vec(),
            earliest: None,
            latest: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(9),
            after: 0,
            made: 0,
            left_out: 0,
            is_whole: false,
        }
    }

    #[test]
    fn of_the_rarer_terms_only_the_preview_comes_along() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2);
        let preview = Some(Preview { seconds: 20, times: 2, otherwise: PreviewElse::Ask });
        let terms = Terms {
            assigned: Some(Assigned { agent: AgentTarget::Client("dora".into()), until: now }),
            promised_at: Some(now),
            in_line_since: Some(now),
            preview,
            origin: Some(Origin::FollowUp(CallbackId::new(uuid::Uuid::from_u128(2)))),
            traced: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok(),
        };
        for (preview, kept) in [(preview, Terms { preview, ..Terms::default() }.kept()), (None, None)] {
            let first = Order { terms: Terms { preview, ..terms.clone() }.kept(), ..order() };
            let next = follow_up().order(&first, CampaignId::new(uuid::Uuid::from_u128(3)), now);
            assert_eq!((next.terms, next.earliest), (kept, now));
        }
    }

    #[test]
    fn what_an_agent_or_an_erasure_closed_is_settled() {
        let id = CallbackId::new(uuid::Uuid::from_u128(2));
        for (reason, is_settled) in [
            (Reason::WrappedUp, true),
            (Reason::PreviewClosed, true),
            (Reason::Erased, true),
            (Reason::CustomerCanceled, false),
        ] {
            let at = Timestamp::UNIX_EPOCH;
            let closed = Closed { outcome: Outcome::Canceled, at, note: reason.note() };
            let callback = Callback::new(id, at, order(), State::Closed(closed));
            assert_eq!(FollowUp::is_settled(&callback), is_settled, "{reason:?}");
        }
    }
}
