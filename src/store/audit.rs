//! The port `Audits`: the log of what people and tokens did. Entries are added and read, never changed; only an erasure
//! takes values of the erased person away.
//!
//! A request is audited in the transaction of its act: [`audited`] sets the entry for all that a request does, and the
//! store writes it with the first change that the request stores.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::Result;
use crate::domain::{Phone, Tenant, Way};

/// Adds to the audit log and reads it.
#[async_trait]
pub trait Audits: Send + Sync {
    async fn append_audit(&self, entry: AuditEntry) -> Result<()>;

    /// The newest entries first, at most `most`, older than `before`.
    async fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        most: usize,
    ) -> Result<Vec<(i64, AuditEntry)>>;
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// The name of the token or of the person, as they gave it; of a person `person/NAME`.
    pub who: String,
    pub way: Way,
    pub tenant: Tenant,
    /// What was done: method and route of the API, or a word such as `sign_in`.
    pub what: String,
    /// What it was done to: an id of ours, or the name of a pool, a calendar or a person who signs in.
    pub object: Option<String>,
    /// The consumer whom it was about.
    pub consumer: Option<Phone>,
    /// The address that the request came from.
    pub from: Option<IpAddr>,
    pub outcome: AuditOutcome,
    /// The values before, as bounded text with masked numbers.
    pub before: Option<String>,
    /// The values after, or the request, in the same form.
    pub after: Option<String>,
}

impl AuditEntry {
    /// The longest `before` and `after`, in bytes. Longer ones are cut.
    pub const TEXT_MAX: usize = 1000;
    /// The longest `who`, `what` and `object`, in bytes.
    pub const NAME_MAX: usize = 160;

    /// An entry that was done and tells no more.
    #[must_use]
    pub fn new(at: Timestamp, who: impl Into<String>, way: Way, what: impl Into<String>) -> Self {
        Self {
            at,
            who: who.into(),
            way,
            tenant: Tenant::default(),
            what: what.into(),
            object: None,
            consumer: None,
            from: None,
            outcome: AuditOutcome::Done,
            before: None,
            after: None,
        }
    }

    /// The same with every text cut to its longest.
    #[must_use]
    pub(super) fn bounded(mut self) -> Self {
        let cut = |text: &mut String, max: usize| text.truncate(text.floor_char_boundary(max));
        cut(&mut self.who, Self::NAME_MAX);
        cut(&mut self.what, Self::NAME_MAX);
        self.object.iter_mut().for_each(|text| cut(text, Self::NAME_MAX));
        for text in self.before.iter_mut().chain(&mut self.after) {
            cut(text, Self::TEXT_MAX);
        }
        self
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum AuditOutcome {
    /// It was stored. A command may still wait for the scheduler.
    Done,
    /// It was not allowed.
    Refused,
    /// The name or the proof of a sign-in was wrong.
    Failed,
}

/// Which entries are read; `None` is any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    pub tenant: Option<Tenant>,
    pub who: Option<String>,
    pub what: Option<String>,
    pub object: Option<String>,
    pub outcome: Option<AuditOutcome>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// An entry that waits for the change that it is about.
pub struct PendingAudit {
    entry: AuditEntry,
    written: AtomicBool,
}

impl PendingAudit {
    #[must_use]
    pub fn new(entry: AuditEntry) -> Arc<Self> {
        Arc::new(Self { entry, written: AtomicBool::new(false) })
    }

    /// The entry, unless it is written.
    #[must_use]
    pub fn unwritten(&self) -> Option<&AuditEntry> {
        (!self.written.load(Ordering::Acquire)).then_some(&self.entry)
    }

    pub(super) fn is_written(&self) {
        self.written.store(true, Ordering::Release);
    }
}

tokio::task_local! {
    static PENDING: Arc<PendingAudit>;
}

/// Runs the work of a request. The first change that it stores carries the entry.
pub async fn audited<T>(pending: Arc<PendingAudit>, work: impl Future<Output = T>) -> T {
    PENDING.scope(pending, work).await
}

/// The entry that the next change of this request carries.
pub(super) fn pending() -> Option<Arc<PendingAudit>> {
    PENDING.try_with(Arc::clone).ok().filter(|pending| pending.unwritten().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_letters() {
        let mut entry = AuditEntry::new(Timestamp::UNIX_EPOCH, "é".repeat(200), Way::Token, "sign_in");
        entry.after = Some("a".repeat(AuditEntry::TEXT_MAX + 1));
        let bounded = entry.bounded();
        assert_eq!(bounded.who.len(), AuditEntry::NAME_MAX);
        assert_eq!(bounded.after.map(|text| text.len()), Some(AuditEntry::TEXT_MAX));
    }
}
