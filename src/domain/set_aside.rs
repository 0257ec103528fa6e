//! What a turn of the scheduler could not process, because the code failed at it: kept apart until an operator
//! retries or drops it, so that everything else goes on.

use std::borrow::Cow;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{CallbackId, Phone, SetAsideId};

/// One report, command or callback that is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub id: SetAsideId,
    pub item: SetAsideItem,
    /// The person who is neither asked nor called until the end, because a report may be a refusal. `None` if unknown.
    pub consumer: Option<Phone>,
    /// The callback that is not decided meanwhile: the item itself, or the one that a command is about.
    pub callback: Option<CallbackId>,
    pub at: Timestamp,
    /// What the item is: the kind of the event, or `callback`.
    pub kind: Cow<'static, str>,
    /// Where the code failed, as `file:line`, if that is known, or why a report cannot be read. Never the text of a
    /// failure, which may hold phone numbers.
    pub place: Option<String>,
    /// `None` while it is set aside.
    pub end: Option<SetAsideEnd>,
}

/// What is set aside: a report or a command by its place in the inbox, or a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAsideItem {
    Report(i64),
    Command(i64),
    Callback(CallbackId),
}

/// How an operator ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideEnd {
    pub verdict: SetAsideVerdict,
    pub at: Timestamp,
    /// The name of the operator's API token.
    pub by: String,
}

/// What an operator wants done with what is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SetAsideVerdict {
    /// It is ordinary again: the report is folded, the callback decided.
    Retry,
    /// A report is folded as nothing, a command refused, a callback closed.
    Drop,
}

impl SetAsideVerdict {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
