//! The timeline: what happened to a callback and to a pair, in the order it was recorded.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::pair::Numbers;
use super::{AttemptId, CallbackId, MessageId};

/// One line of the timeline. These lines prove consent, so they are only added, never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub callback: Option<CallbackId>,
    /// The sender, and the consumer by the number that the line is about.
    pub pair: Option<Numbers>,
    pub attempt: Option<AttemptId>,
    pub message: Option<MessageId>,
    /// The name of the API token that caused it, where one did.
    pub by: Option<Arc<str>>,
    /// A stable code such as `attempt.opened` or `permission.granted`.
    pub what: Cow<'static, str>,
    /// The cause, in one sentence without phone numbers.
    pub why: String,
}
