//! What was sent and who called, for those who judge a run when it is over. The oracle judges at the moment, and knows
//! less.

use jiff::Timestamp;

use super::World;
use super::state::Party;
use crate::domain::{Phone, RoadKind};

/// An invite that Meta took.
#[derive(Debug, Clone)]
pub struct SentInvite {
    pub at: Timestamp,
    pub consumer: Phone,
    /// Who invites; `None` for a page.
    pub sender: Option<Phone>,
    pub road: RoadKind,
    /// What its reports return; the messages of a page have nothing of that kind.
    pub token: Option<String>,
    /// Until when its button can be used, if it has one.
    pub ends_at: Option<Timestamp>,
}

/// A call of a consumer that was answered and is over.
#[derive(Debug, Clone)]
pub struct AnsweredCall {
    pub consumer: Phone,
    /// Who was called; `None` for a page.
    pub sender: Option<Phone>,
    pub answered_at: Timestamp,
    pub ended_at: Timestamp,
    /// The token of the button or link that was used, if the consumer's WhatsApp returned it.
    pub payload: Option<String>,
    /// When the daemon acknowledged Meta's report of the end; `None` if it did not, or if only Twilio reports.
    pub told_at: Option<Timestamp>,
    /// Whether Meta's reports name the consumer by the user id alone.
    pub is_nameless: bool,
}

impl World {
    /// Every invite over the Cloud API and over pages, by its time.
    #[must_use]
    pub fn invites_sent(&self) -> Vec<SentInvite> {
        let mut sent: Vec<_> = self.posted_invites().chain(self.noted_invites()).collect();
        sent.sort_by_key(|sent| sent.at);
        sent
    }

    /// Every answered call of a consumer, at Twilio, at the Cloud API and at pages.
    #[must_use]
    pub fn answered_calls(&self) -> Vec<AnsweredCall> {
        self.calls_at_graph().chain(self.calls_at_pages()).chain(self.calls_at_twilio()).collect()
    }

    /// Those that Meta does not tell of.
    fn calls_at_twilio(&self) -> impl Iterator<Item = AnsweredCall> + '_ {
        self.calls.iter().filter(|call| call.graph.is_none()).filter_map(|call| {
            let Party::Caller(pair) = call.party else { return None };
            let (sender, consumer) = self.numbers(pair);
            Some(AnsweredCall {
                consumer,
                sender: Some(sender),
                answered_at: call.answered?,
                ended_at: call.ended?,
                payload: None,
                told_at: None,
                is_nameless: false,
            })
        })
    }
}
