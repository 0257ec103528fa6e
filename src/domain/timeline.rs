//! The timeline: what happened to a callback and to a pair, in the order it was recorded.

use std::borrow::Cow;

use jiff::Timestamp;

use super::pair::PairKey;
use super::{AttemptId, CallbackId, MessageId};

/// One line of the timeline. These lines prove consent, so they are only added, never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub callback: Option<CallbackId>,
    pub pair: Option<PairKey>,
    pub attempt: Option<AttemptId>,
    pub message: Option<MessageId>,
    /// A stable code such as `attempt.opened` or `permission.granted`.
    pub what: Cow<'static, str>,
    /// The cause, in one sentence without phone numbers.
    pub why: String,
}
