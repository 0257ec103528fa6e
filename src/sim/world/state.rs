//! State of the world: accounts, senders, pairs, calls, messages, content and alerts.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::document::Element;
use super::graph::GraphCallId;
use super::wire::Method;
use crate::domain::Phone;

pub(super) type AccountId = usize;
pub(super) type SenderId = usize;
pub(super) type PairId = usize;
pub(super) type CallId = usize;
pub(super) type TextId = usize;

#[derive(Debug)]
pub(super) struct Account {
    pub(super) sid: String,
    pub(super) auth_token: String,
    pub(super) calls_per_second: u32,
    /// Queued calls, canceled ones included; `waiting` counts those that are not canceled.
    pub(super) queue: VecDeque<CallId>,
    pub(super) waiting: usize,
    pub(super) ticking: bool,
    pub(super) next_slot: Timestamp,
    pub(super) calls: Vec<CallId>,
    pub(super) calls_to: HashMap<String, Vec<CallId>>,
    pub(super) texts: Vec<TextId>,
    pub(super) texts_to: HashMap<String, Vec<TextId>>,
    pub(super) contents: Vec<usize>,
    pub(super) senders: Vec<SenderId>,
    pub(super) applications: Vec<usize>,
    pub(super) alerts: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Sender {
    pub(super) sid: String,
    /// The Twilio account that has it; `None` if it is only at WhatsApp's Cloud API.
    pub(super) account: Option<AccountId>,
    pub(super) number: Phone,
    pub(super) application: Option<String>,
    pub(super) message_url: Option<String>,
    pub(super) message_method: Method,
    pub(super) message_status_url: Option<String>,
    pub(super) callback_permission: bool,
    pub(super) messaging_limit: &'static str,
    /// The end of its last update.
    pub(super) online_at: Timestamp,
    pub(super) live: usize,
    pub(super) started: VecDeque<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Application {
    pub(super) sid: String,
    pub(super) account: AccountId,
    pub(super) friendly_name: String,
    pub(super) voice_url: Option<String>,
    pub(super) status_callback: Option<String>,
    pub(super) created: Timestamp,
    pub(super) deleted: bool,
}

/// One sender and one consumer.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) sender: SenderId,
    pub(super) consumer: Phone,
    pub(super) permission: Permission,
    pub(super) requests: VecDeque<Timestamp>,
    pub(super) connected: VecDeque<Timestamp>,
    pub(super) misses: u32,
    pub(super) rang: u32,
    pub(super) live: usize,
    pub(super) service_until: Option<Timestamp>,
    /// Until when the messages of the Cloud API so far take, at one in 6 s.
    pub(super) posts_until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    None,
    Until(Timestamp),
    Permanent,
}

impl Permission {
    pub(super) fn is_live(self, now: Timestamp) -> bool {
        match self {
            Self::None => false,
            Self::Until(until) => now < until,
            Self::Permanent => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Queued,
    Initiated,
    Ringing,
    InProgress,
    Completed,
    Busy,
    NoAnswer,
    Failed,
    Canceled,
}

impl Status {
    /// Twilio's name in status callbacks. The resource has no `initiated`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    pub(super) const fn in_resource(self) -> &'static str {
        match self {
            Self::Initiated => "queued",
            other => other.as_str(),
        }
    }

    pub(super) const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Busy | Self::NoAnswer | Self::Failed | Self::Canceled)
    }
}

/// The far end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Party {
    /// A consumer, called by a sender.
    Consumer(PairId),
    /// A consumer who called a sender.
    Caller(PairId),
    /// An agent or a bot behind `client:` or `sip:`.
    Agent,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) sid: String,
    pub(super) account: AccountId,
    pub(super) parent: Option<CallId>,
    pub(super) children: Vec<CallId>,
    pub(super) to: String,
    pub(super) from: String,
    pub(super) direction: &'static str,
    pub(super) party: Party,
    pub(super) status: Status,
    pub(super) queue_time_ms: i64,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) started: Option<Timestamp>,
    pub(super) answered: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    pub(super) instructions: Instructions,
    pub(super) callbacks: Option<Callbacks>,
    pub(super) timeout_s: u64,
    pub(super) time_limit_s: u64,
    /// Status callbacks sent so far.
    pub(super) sequence: u32,
    /// A timer with an earlier epoch belongs to an earlier stage of the call and is ignored.
    pub(super) epoch: u32,
    pub(super) program: VecDeque<Element>,
    /// URL of the running document, the base of its relative URLs.
    pub(super) document: String,
    pub(super) waiting: Waiting,
    /// What the running verb records.
    pub(super) tape: Option<Tape>,
    /// Whether the running document is that of the create, has text, and connects nobody.
    pub(super) is_message: bool,
    /// Whether an agent or a bot answered, or the message was played to its end.
    pub(super) served: bool,
    pub(super) occupies: bool,
    /// Whether we called this agent and nobody else may answer.
    pub(super) is_alone: bool,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) notes: Vec<usize>,
    /// The same call at the Cloud API, if the sender's number is there too.
    pub(super) graph: Option<GraphCallId>,
    pub(super) deleted: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Instructions {
    pub(super) url: Option<(String, Method)>,
    pub(super) fallback: Option<(String, Method)>,
    pub(super) twiml: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Callbacks {
    pub(super) url: String,
    pub(super) method: Method,
    pub(super) events: Stages,
}

/// The progress events that a status callback is sent for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stages {
    pub(super) initiated: bool,
    pub(super) ringing: bool,
    pub(super) answered: bool,
    pub(super) completed: bool,
}

impl Stages {
    /// Parses event names. Without any, only the end of the call is reported.
    pub(super) fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut stages = Self::default();
        let mut any = false;
        for word in words.flat_map(str::split_whitespace) {
            any = true;
            match word {
                "initiated" => stages.initiated = true,
                "ringing" => stages.ringing = true,
                "answered" => stages.answered = true,
                "completed" => stages.completed = true,
                _ => {}
            }
        }
        stages.completed |= !any;
        stages
    }

    pub(super) const fn include(self, status: Status) -> bool {
        match status {
            Status::Queued => false,
            Status::Initiated => self.initiated,
            Status::Ringing => self.ringing,
            Status::InProgress => self.answered,
            _ => self.completed,
        }
    }
}

/// What the running document of a call waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waiting {
    Nothing,
    Document,
    Gather {
        action: Option<(String, Method)>,
        even_if_empty: bool,
    },
    Record {
        action: (String, Method),
        seconds: u64,
    },
    Dial {
        action: Option<(String, Method)>,
        joined: Joined,
    },
    Queue {
        action: Option<(String, Method)>,
        since: Timestamp,
        agent: bool,
    },
    Connect {
        action: Option<(String, Method)>,
    },
    /// A leg hears its whisper before it is joined.
    Whisper,
}

/// A recording in progress, and where what comes of it is reported.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    pub(super) callback: Option<(String, Method)>,
    pub(super) tells_completed: bool,
    pub(super) tells_absent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    NotYet,
    Leg(CallId),
    Room,
}

/// One webhook request of a call, and its response.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) at: Timestamp,
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) params: Vec<(String, String)>,
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) body: String,
}

#[derive(Debug)]
pub(super) struct Text {
    pub(super) sid: String,
    pub(super) account: AccountId,
    pub(super) pair: PairId,
    pub(super) inbound: bool,
    pub(super) to: String,
    pub(super) from: String,
    pub(super) body: String,
    pub(super) content: Option<usize>,
    pub(super) status: &'static str,
    pub(super) error: Option<(u32, String)>,
    pub(super) status_callback: Option<String>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) sent: Option<Timestamp>,
    pub(super) deleted: bool,
}

/// What a document recorded of a call.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) sid: String,
    pub(super) account: AccountId,
    pub(super) call_sid: String,
    pub(super) seconds: String,
    pub(super) created: Timestamp,
    pub(super) deleted: bool,
}

#[derive(Debug)]
pub(super) struct Content {
    pub(super) sid: String,
    pub(super) account: AccountId,
    pub(super) friendly_name: String,
    pub(super) language: String,
    pub(super) variables: Value,
    pub(super) types: Value,
    pub(super) purpose: Purpose,
    pub(super) approval: Option<Approval>,
    pub(super) created: Timestamp,
    pub(super) deleted: bool,
}

/// The purpose of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    PermissionRequest,
    Invite,
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Approval {
    pub(super) name: String,
    /// The category that was asked for.
    pub(super) category: String,
    /// The category that it gets with the decision.
    pub(super) given_category: String,
    pub(super) submitted_at: Timestamp,
    pub(super) decided_at: Timestamp,
    pub(super) verdict: Verdict,
}

/// How WhatsApp decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Approved,
    Rejected(&'static str),
    /// Approved, and stopped some time later.
    Paused,
    Disabled,
}

#[derive(Debug)]
pub(super) struct Alert {
    pub(super) sid: String,
    pub(super) code: u32,
    pub(super) text: String,
    pub(super) resource: String,
    pub(super) url: Option<String>,
    pub(super) at: Timestamp,
}

/// Drops entries older than `span` and counts the rest.
pub(super) fn recent(log: &mut VecDeque<Timestamp>, now: Timestamp, span: SignedDuration) -> usize {
    while log.front().is_some_and(|at| now.duration_since(*at) >= span) {
        log.pop_front();
    }
    log.len()
}
