//! An attempt: one call for a callback, from the intent to the end of the call.

mod look;
mod served;
mod unresolved;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::event::{CallReport, ConnectionEnd, ConnectionReport};
use super::{
    AccountAlias, AgentTarget, AttemptId, CallProgress, CallbackId, Disposition, Grant, Holds, Numbers,
    Phone, Recordings, Resource, Stage, Submission,
};

pub use look::{Candidate, Look};
pub use served::{Bridge, Proof};
pub use unresolved::{AttemptResolution, ResolutionRefused, Timeouts, UnresolvedAfter};

/// Who is called first. This decides which leg of the call is the consumer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LegOrder {
    /// The consumer is called; the document then connects an agent.
    ConsumerFirst,
    /// The agent is called; the document then dials the consumer with `<WhatsApp>`.
    AgentFirst,
}

impl LegOrder {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One call for a callback. It only moves forward, in whatever order its reports arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub id: AttemptId,
    pub callback: CallbackId,
    /// 1 for the first attempt of the callback.
    pub number: u32,
    pub account: AccountAlias,
    pub sender: Phone,
    pub consumer: Phone,
    pub order: LegOrder,
    /// The resources that the call holds while it is in progress. They never change.
    pub holds: Holds,
    /// What shows that a consumer who answered was served.
    pub proof: Proof,
    pub submission: Submission,
    /// Progress of the call that we placed.
    pub first_leg: CallProgress,
    /// Progress of the leg that the document dialled.
    pub second_leg: Option<CallProgress>,
    pub second_sid: Option<String>,
    /// How the document's connecting verb ended, or that the document was played to its end.
    pub connection: Option<ConnectionEnd>,
    /// The leg about which the connecting verb reported its end.
    pub connection_sid: Option<String>,
    /// The leg to an agent that was answered first, and when. Only for a consumer who is called first.
    pub bridge: Option<Bridge>,
    pub rang_at: Option<Timestamp>,
    /// When the consumer answered.
    pub connected_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// How long the first leg lasted, in seconds.
    pub duration_s: Option<u32>,
    pub sip_code: Option<u16>,
    /// When to look the call up at the platform if there is no report until then.
    pub news_due_at: Option<Timestamp>,
    /// When a person wanted it ended.
    pub end_requested_at: Option<Timestamp>,
    /// Until when a person holds it: before that its time-out does not settle it.
    pub held_until: Option<Timestamp>,
    /// What the last lookup of a lost call found, if it did not settle the call.
    pub last_look: Option<Box<Look>>,
    /// The permission that the callback had waited for, if this is its first call since. It never changes.
    pub grant: Option<Grant>,
    /// The agent for whom it is: who took the preview, or who is named by the order. It never changes. Attempts of older
    /// versions of the program have none.
    pub agent: Option<AgentTarget>,
    pub recordings: Recordings,
}

impl Attempt {
    /// The first attempt of a callback, intended at `now`.
    #[must_use]
    pub fn new(
        id: AttemptId,
        callback: CallbackId,
        numbers: Numbers,
        account: impl Into<AccountAlias>,
        order: LegOrder,
        now: Timestamp,
    ) -> Self {
        let account = account.into();
        Self {
            id,
            callback,
            number: 1,
            holds: Self::least_holds(numbers.sender, account.clone()),
            account,
            sender: numbers.sender,
            consumer: numbers.consumer,
            order,
            proof: Proof::Answer,
            submission: Submission::intent(now),
            first_leg: CallProgress::Queued,
            second_leg: None,
            second_sid: None,
            connection: None,
            connection_sid: None,
            bridge: None,
            rang_at: None,
            connected_at: None,
            ended_at: None,
            duration_s: None,
            sip_code: None,
            news_due_at: None,
            end_requested_at: None,
            held_until: None,
            last_look: None,
            grant: None,
            agent: None,
            recordings: Recordings::default(),
        }
    }

    /// What every call holds: a slot of its sender, and one of its account.
    #[must_use]
    pub fn least_holds(sender: Phone, account: AccountAlias) -> Holds {
        Holds::new([Resource::Sender(sender), Resource::Account(account)])
    }

    /// The sender and the consumer of the call.
    #[must_use]
    pub const fn numbers(&self) -> Numbers {
        Numbers { sender: self.sender, consumer: self.consumer }
    }

    /// Whether the call exists or may exist, and is not known to be over.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.submission.stage.may_exist() && self.ended_at.is_none()
    }

    /// Progress of the consumer's leg; `None` while the consumer has not been dialled.
    #[must_use]
    pub const fn consumer_leg(&self) -> Option<CallProgress> {
        match self.order {
            LegOrder::ConsumerFirst => Some(self.first_leg),
            LegOrder::AgentFirst => self.second_leg,
        }
    }

    /// Applies a report on either leg. Returns whether it changed anything: repeated and outdated reports do
    /// not.
    pub fn observe(&mut self, now: Timestamp, report: &CallReport) -> bool {
        let before = self.clone();
        match &report.parent_sid {
            None => self.observe_first(now, report),
            Some(parent) => {
                self.submission.prove(now, parent);
                self.observe_second(now, report);
            }
        }
        *self != before
    }

    /// Applies the end of the document's connecting verb, or that the document was played to its end.
    pub fn observe_connection(&mut self, now: Timestamp, report: &ConnectionReport) -> bool {
        let before = self.clone();
        self.submission.prove(now, &report.sid);
        self.first_leg = later(self.first_leg, CallProgress::InProgress);
        self.note_connection(report);
        if report.ended == ConnectionEnd::Played && self.order == LegOrder::ConsumerFirst {
            self.note_consumer(now, CallProgress::InProgress);
        }
        if self.second_sid.is_none() {
            self.second_sid.clone_from(&report.leg_sid);
        }
        if self.order == LegOrder::AgentFirst
            && let Some(end) = disposition_of(report.ended)
        {
            let end = CallProgress::Ended(end);
            self.second_leg = Some(self.second_leg.map_or(end, |leg| later(leg, end)));
            self.note_consumer(now, end);
        }
        *self != before
    }

    /// Applies a fetch of the document. Twilio fetches it when the first leg is answered.
    pub fn observe_document_fetched(&mut self, now: Timestamp, sid: &str) -> bool {
        let before = self.clone();
        self.submission.prove(now, sid);
        self.first_leg = later(self.first_leg, CallProgress::InProgress);
        if self.order == LegOrder::ConsumerFirst {
            earliest(&mut self.rang_at, now);
            earliest(&mut self.connected_at, now);
        }
        *self != before
    }

    /// Whether a report said that the consumer's phone rang.
    #[must_use]
    pub const fn rang(&self) -> bool {
        self.rang_at.is_some()
    }

    /// How the attempt ended for the consumer; `None` while it is in progress.
    #[must_use]
    pub fn disposition(&self) -> Option<Disposition> {
        match self.submission.stage {
            Stage::Intent | Stage::Submitting | Stage::Unknown => None,
            Stage::Rejected | Stage::Throttled | Stage::NotPlaced => Some(Disposition::Failed),
            Stage::Withdrawn => Some(Disposition::Canceled),
            Stage::Accepted => {
                self.ended_at?;
                Some(match (self.connected_at, self.consumer_leg()) {
                    (Some(_), _) => Disposition::Completed,
                    (None, Some(CallProgress::Ended(Disposition::Completed))) => Disposition::Completed,
                    (None, Some(CallProgress::Ended(end))) => end,
                    (None, Some(CallProgress::Ringing)) => Disposition::NoAnswer,
                    (None, Some(_) | None) => Disposition::Failed,
                })
            }
        }
    }

    fn observe_first(&mut self, now: Timestamp, report: &CallReport) {
        self.submission.prove(now, &report.sid);
        let at = report.at.unwrap_or(now);
        self.first_leg = later(self.first_leg, report.progress);
        if self.order == LegOrder::ConsumerFirst {
            self.note_consumer(at, report.progress);
        }
        if let CallProgress::Ended(_) = report.progress {
            earliest(&mut self.ended_at, at);
            self.duration_s = self.duration_s.or(report.duration_s);
            self.sip_code = self.sip_code.or(report.sip_code);
            self.submission.error_code = self.submission.error_code.or(report.error_code);
        }
    }

    fn observe_second(&mut self, now: Timestamp, report: &CallReport) {
        let at = report.at.unwrap_or(now);
        self.second_sid.get_or_insert_with(|| report.sid.clone());
        self.second_leg = Some(self.second_leg.map_or(report.progress, |leg| later(leg, report.progress)));
        self.first_leg = later(self.first_leg, CallProgress::InProgress);
        match self.order {
            LegOrder::ConsumerFirst => self.note_bridge(report),
            LegOrder::AgentFirst => {
                self.note_consumer(at, report.progress);
                if let CallProgress::Ended(_) = report.progress {
                    self.sip_code = self.sip_code.or(report.sip_code);
                    self.submission.error_code = self.submission.error_code.or(report.error_code);
                }
            }
        }
    }

    fn note_consumer(&mut self, at: Timestamp, progress: CallProgress) {
        match progress {
            CallProgress::Queued | CallProgress::Initiated => {}
            CallProgress::Ringing | CallProgress::Ended(Disposition::NoAnswer | Disposition::Busy) => {
                earliest(&mut self.rang_at, at);
            }
            CallProgress::InProgress | CallProgress::Ended(Disposition::Completed) => {
                earliest(&mut self.rang_at, at);
                earliest(&mut self.connected_at, at);
            }
            CallProgress::Ended(Disposition::Failed | Disposition::Canceled) => {}
        }
    }
}

/// Keeps the earlier of two reported times, so that the order of reports does not matter.
fn earliest(known: &mut Option<Timestamp>, reported: Timestamp) {
    *known = Some(known.map_or(reported, |known| known.min(reported)));
}

fn later(current: CallProgress, reported: CallProgress) -> CallProgress {
    if reported.rank() > current.rank() { reported } else { current }
}

/// How the leg to a consumer ended whom the document dialled, if the verb says so.
const fn disposition_of(end: ConnectionEnd) -> Option<Disposition> {
    Some(match end {
        ConnectionEnd::Bridged => Disposition::Completed,
        ConnectionEnd::NoAnswer => Disposition::NoAnswer,
        ConnectionEnd::Busy => Disposition::Busy,
        ConnectionEnd::Failed => Disposition::Failed,
        ConnectionEnd::Canceled => Disposition::Canceled,
        ConnectionEnd::LeftQueue | ConnectionEnd::Played | ConnectionEnd::Nobody => return None,
    })
}

#[cfg(test)]
mod tests;
