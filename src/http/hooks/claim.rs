//! Checks that a signed request is about the attempt or message that its URL was made for: the signing account, the
//! account on record and the SID must agree.

use super::Hooks;
use super::verify::Refusal;
use crate::domain::{AccountAlias, Attempt, AttemptId, MessageId};
use crate::store::{self, PlatformName};

/// The call or message that a request names, and the account that signed it.
pub(super) struct Claim {
    pub(super) subject: Subject,
    /// The names of the account that signed.
    pub(super) signed_by: Vec<AccountAlias>,
}

pub(super) enum Subject {
    /// The call that we placed, by its CallSid.
    Call { attempt: AttemptId, sid: String },
    /// A message that we sent, by its MessageSid.
    Message { message: MessageId, sid: String },
}

impl Claim {
    /// Compares the claim with the record. If there is no record, the request is accepted.
    ///
    /// # Errors
    /// [`Refusal::ForeignSender`] if another account signed, [`Refusal::ForeignCall`] if the recorded CallSid or
    /// MessageSid is another one, and [`Refusal::Store`].
    pub(super) async fn check(&self, hooks: &Hooks) -> Result<(), Refusal> {
        let known = self.record(hooks).await.map_err(Refusal::Store)?;
        known.map_or(Ok(()), |known| self.compare(&known.account, known.sid.as_deref()))
    }

    /// Compares the claim with the record while a live call waits for the answer.
    ///
    /// # Errors
    /// As [`Claim::check`].
    pub(super) async fn check_patiently(&self, hooks: &Hooks) -> Result<(), Refusal> {
        let known = hooks.patiently(|| self.record(hooks)).await.map_err(Refusal::Store)?;
        known.map_or(Ok(()), |known| self.compare(&known.account, known.sid.as_deref()))
    }

    /// # Errors
    /// As [`Claim::check`], without the store's.
    pub(super) fn is_about(&self, attempt: &Attempt) -> Result<(), Refusal> {
        self.compare(&attempt.account, attempt.submission.sid.as_deref())
    }

    async fn record(&self, hooks: &Hooks) -> store::Result<Option<PlatformName>> {
        match self.subject {
            Subject::Call { attempt, .. } => hooks.store.name_of_attempt(attempt).await,
            Subject::Message { message, .. } => hooks.store.name_of_message(message).await,
        }
    }

    fn compare(&self, account: &AccountAlias, known: Option<&str>) -> Result<(), Refusal> {
        if !self.signed_by.contains(account) {
            return Err(Refusal::ForeignSender);
        }
        let (Subject::Call { sid, .. } | Subject::Message { sid, .. }) = &self.subject;
        if known.is_some_and(|known| known != sid) { Err(Refusal::ForeignCall) } else { Ok(()) }
    }
}
