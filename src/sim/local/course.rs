//! What comes of a call or a message at the local platform: its course, and the reports of it.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::{Failure, Loss, Manner, Sent};
use crate::domain::event::{
    CallReport, ConnectionEnd, ConnectionReport, MessageProgress, MessageReport, PermissionAnswer,
    PermissionReply,
};
use crate::domain::{
    AttemptId, CallProgress, Disposition, ErrorCode, Event, MessagePurpose, Named, Numbers, Phone,
};
use crate::platform::{CallPlan, FoundCall, MessagePlan};

/// How far a call is, this many seconds after it was placed.
const RINGS_AFTER_S: i64 = 2;
const ANSWERED_AFTER_S: i64 = 6;
const TALK_S: u32 = 12;
/// The same for a permission request.
const DELIVERED_AFTER_S: i64 = 1;
const REPLIED_AFTER_S: i64 = 10;
#[derive(Default)]
pub(super) struct State {
    /// How answers write numbers.
    pub(super) spelled: BTreeMap<Phone, Phone>,
    pub(super) manners: BTreeMap<Phone, Manner>,
    pub(super) losses: Vec<Loss>,
    pub(super) failures: VecDeque<(Failure, ErrorCode)>,
    pub(super) calls: BTreeMap<String, LocalCall>,
    pub(super) messages: Vec<Sent>,
    pub(super) news: Vec<News>,
}

pub(super) struct LocalCall {
    pub(super) attempt: AttemptId,
    pub(super) numbers: Numbers,
    pub(super) created_at: Timestamp,
    /// How far it is at these times, in order.
    pub(super) course: Vec<(Timestamp, CallProgress)>,
}

/// A report that will be told.
pub(super) struct News {
    pub(super) at: Timestamp,
    /// The call that it is about.
    pub(super) call: Option<String>,
    pub(super) event: Event,
}

impl State {
    pub(super) fn place(&mut self, plan: &CallPlan, now: Timestamp, manner: Manner) -> String {
        let sid = format!("call-{:04}", self.calls.len() + 1);
        let after = |seconds: i64| now + SignedDuration::from_secs(seconds);
        let rings = (after(RINGS_AFTER_S), CallProgress::Ringing);
        let course = match manner {
            Manner::Willing => vec![
                rings,
                (after(ANSWERED_AFTER_S), CallProgress::InProgress),
                (after(ANSWERED_AFTER_S + i64::from(TALK_S)), CallProgress::Ended(Disposition::Completed)),
            ],
            Manner::Absent | Manner::Nowhere => {
                let ends_at = after(RINGS_AFTER_S + i64::from(plan.ring_timeout_s));
                vec![rings, (ends_at, CallProgress::Ended(Disposition::NoAnswer))]
            }
        };
        for &(at, progress) in &course {
            if progress == CallProgress::Ended(Disposition::Completed) {
                let ended = ConnectionEnd::Played;
                let heard = ConnectionReport {
                    attempt: plan.attempt,
                    sid: sid.clone(),
                    leg_sid: None,
                    ended,
                    duration_s: Some(TALK_S),
                };
                self.news.push(News { at, call: Some(sid.clone()), event: Event::Connected(heard) });
            }
            let event = Event::Call(report(plan.attempt, &sid, at, progress));
            self.news.push(News { at, call: Some(sid.clone()), event });
        }
        let call = LocalCall { attempt: plan.attempt, numbers: plan.numbers, created_at: now, course };
        self.calls.insert(sid.clone(), call);
        sid
    }

    pub(super) fn send(&mut self, plan: &MessagePlan, now: Timestamp, manner: Manner) -> String {
        let undelivered = self.failures.pop_front().map(|(_, code)| code);
        let (plan, is_delivered) = (plan.clone(), undelivered.is_none());
        self.messages.push(Sent { at: now, plan: plan.clone(), is_delivered });
        let sid = format!("message-{:04}", self.messages.len());
        let after = |seconds: i64| now + SignedDuration::from_secs(seconds);
        let delivered = MessageReport {
            message: Some(plan.message),
            sid: sid.clone(),
            progress: undelivered.map_or(MessageProgress::Delivered, |_| MessageProgress::Failed),
            error_code: undelivered,
            from: Some(plan.numbers.sender),
            to: Named::number(plan.numbers.consumer),
        };
        let event = Event::Message(delivered);
        self.news.push(News { at: after(DELIVERED_AFTER_S), call: None, event });
        if undelivered.is_none()
            && manner == Manner::Willing
            && plan.purpose == MessagePurpose::PermissionRequest
        {
            let reply = PermissionReply {
                sender: plan.numbers.sender,
                who: Named::number(plan.numbers.consumer),
                answer: PermissionAnswer::Permanent,
                replied_to: Some(sid.clone()),
                automatic: false,
                replied_at: None,
            };
            let event = Event::PermissionReply(reply);
            self.news.push(News { at: after(REPLIED_AFTER_S), call: None, event });
        }
        sid
    }
}

pub(super) fn report(attempt: AttemptId, sid: &str, at: Timestamp, progress: CallProgress) -> CallReport {
    CallReport {
        attempt,
        sid: sid.to_owned(),
        parent_sid: None,
        progress,
        at: Some(at),
        duration_s: (progress == CallProgress::Ended(Disposition::Completed)).then_some(TALK_S),
        sip_code: None,
        error_code: None,
    }
}

impl LocalCall {
    pub(super) fn progress(&self, now: Timestamp) -> (Option<Timestamp>, CallProgress) {
        let passed = self.course.iter().rev().find(|(at, _)| *at <= now);
        passed.map_or((None, CallProgress::Queued), |(at, progress)| (Some(*at), *progress))
    }

    pub(super) fn found(&self, sid: &str, now: Timestamp) -> FoundCall {
        let (at, progress) = self.progress(now);
        let is_over = matches!(progress, CallProgress::Ended(_));
        let answered = progress == CallProgress::Ended(Disposition::Completed);
        FoundCall {
            sid: sid.to_owned(),
            progress,
            created_at: Some(self.created_at),
            same_ends: true,
            ended_at: at.filter(|_| is_over),
            duration_s: answered.then_some(TALK_S),
            leg: None,
        }
    }
}
