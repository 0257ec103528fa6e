//! The port `Inbox`: reports of the platform and commands of operators, as they arrive.
//!
//! Whoever receives one appends it. Only the scheduler folds them; see [`Turns`](super::Turns).

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::domain::{CallbackId, CommandOutcome, Event, Numbers, Phone, Tenant, UserId};

/// Reports of the platform and commands of operators, as they arrive.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Appends reports to the inbox, each once by its key. `true` for those that were new.
    async fn append_reports(&self, reports: Vec<Report>) -> Result<Vec<bool>>;

    /// Appends a command to its lane of the inbox, once by its key; `false` if the key was used before.
    async fn append_command(&self, command: NewCommand) -> Result<bool>;

    /// The result of a command, by its key.
    async fn command(&self, key: [u8; 16]) -> Result<Option<CommandRecord>>;

    /// When the oldest report was received that no batch has folded yet, if there is one.
    async fn oldest_unfolded(&self) -> Result<Option<Timestamp>>;

    /// Reports of the last 30 days without a known person, newest first.
    async fn unmatched_reports(&self, limit: usize) -> Result<Vec<FiledReport>>;
}

/// A report as it arrives: verified and parsed, not yet acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Two reports of the same thing have the same key.
    pub key: [u8; 16],
    pub received_at: Timestamp,
    pub event: Event,
}

/// A report in the inbox. `seq` grows in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledReport {
    pub seq: i64,
    pub received_at: Timestamp,
    pub event: Event,
    /// A command is folded with an outcome.
    pub is_command: bool,
}

/// A report or a command in the inbox that cannot be read, and what can still be seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableReport {
    pub seq: i64,
    pub is_command: bool,
    /// The kind of its event; `unreadable` if not even that can be seen.
    pub kind: String,
    /// Whom it is about.
    pub consumer: Option<Phone>,
    pub pair: Option<Numbers>,
    /// The callback that a command is about.
    pub callback: Option<CallbackId>,
    /// Why it cannot be read. Without any text of the report.
    pub why: String,
}

/// A report without a known person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    pub seq: i64,
    pub received_at: Timestamp,
    pub user_id: Option<UserId>,
    /// The SID of the message of ours that it answers.
    pub replied_to: Option<String>,
}

/// A command as it arrives. What can be seen to fail was refused before.
#[derive(Debug, Clone)]
pub struct NewCommand {
    pub report: Report,
    pub tenant: Tenant,
    /// The callback that it is about, if it is about one.
    pub callback: Option<CallbackId>,
    /// SHA-256 of what is asked for, to tell a repetition from another command with the same key.
    pub content: [u8; 32],
}

/// A command in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRecord {
    pub tenant: Tenant,
    pub callback: Option<CallbackId>,
    pub content: [u8; 32],
    /// `None` while it waits.
    pub outcome: Option<CommandOutcome>,
    pub received_at: Timestamp,
}
