//! What the platforms' error codes mean for us, as tables.
//!
//! Each row has its source and date. What the platforms do not publish, whose fault an error is and when the
//! same may be tried again, is our conclusion. A code in no table is repeated once and shown as unknown.
//! `docs/CODES.md` is made from these tables.

mod meta;
mod table;
mod twilio_account;
mod twilio_calls;
mod twilio_messages;

use jiff::SignedDuration;

pub use table::{Fault, Row, Source, Span, Tell};

use crate::domain::{Attempt, Disposition, ErrorCode, Issuer, Stage, Submission};

/// What to do about a call or message that failed with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// The ledger was wrong: there is no permission.
    NoPermission,
    /// The ledger was wrong: there is a permanent permission.
    AlreadyPermanent,
    /// The consumer does not want to hear from the sender, until the consumer starts again. Nothing is repeated,
    /// nobody is invited.
    OptedOut,
    /// The consumer cannot be called on WhatsApp.
    Uncallable,
    /// The ledger was wrong: the service window is closed.
    WindowClosed,
    /// Pause the pair for this long.
    PausePair(SignedDuration),
    /// Pause the pair until its oldest connected call leaves the window.
    ConnectedUsedUp,
    /// Pause the pair until its oldest permission request leaves the window.
    RequestsUsedUp,
    /// Pause the sender for this long.
    PauseSender(SignedDuration),
    /// Pause the account for this long.
    PauseAccount(SignedDuration),
    /// Pause the content at its account for this long. Calls and other content of the sender go on.
    PauseContent(SignedDuration),
    /// It is impossible with this sender or order.
    Never,
    /// It is unknown whether the call connected or was missed. It counts as both, and as no success.
    Inconclusive,
    /// Try again soon, as often as after any other failure.
    TryAgain,
    /// Try once more, after this delay at the earliest. Another failure of the callback before that ends it.
    RepeatOnce(SignedDuration),
    /// In no table: try once more, after the usual delay. Another failure ends it.
    Unknown,
}

/// What is known about a code.
#[must_use]
pub fn find(code: ErrorCode) -> Option<&'static Row> {
    tables(code.issuer).iter().copied().flatten().find(|row| row.covers(code.number))
}

/// The tables of an issuer. A code is in one row of one table.
#[must_use]
pub const fn tables(issuer: Issuer) -> &'static [&'static [Row]] {
    match issuer {
        Issuer::Twilio => &[twilio_account::ROWS, twilio_calls::ROWS, twilio_messages::ROWS],
        Issuer::Meta => &[meta::ROWS],
        Issuer::Messenger => &[meta::MESSENGER_ROWS],
    }
}

/// Meaning of a final SIP response without an error code (Meta, *SIP*, 24 Jun 2026).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sip {
    Means(Reaction),
    /// The platform reports "failed", but the call ended like this.
    Ended(Disposition),
}

const SIP_TABLE: [(u16, Sip); 8] = [
    // No permission, not on WhatsApp, or terms not accepted. Meta does not distinguish these on purpose.
    (403, Sip::Means(Reaction::NoPermission)),
    (404, Sip::Means(Reaction::Uncallable)),
    // No media.
    (408, Sip::Means(Reaction::TryAgain)),
    (480, Sip::Ended(Disposition::NoAnswer)),
    (486, Sip::Ended(Disposition::Busy)),
    (487, Sip::Ended(Disposition::Canceled)),
    (503, Sip::Means(Reaction::TryAgain)),
    (603, Sip::Ended(Disposition::Busy)),
];

/// What to do about a submission that failed or was refused.
#[must_use]
pub fn reaction(submission: &Submission) -> Reaction {
    match submission.error_code {
        Some(code) => reaction_to_code(code),
        // A refusal without a code counts as an unknown code; a failure without a code is only a failure.
        None if submission.stage == Stage::Rejected => Reaction::Unknown,
        None => Reaction::TryAgain,
    }
}

/// What to do about a code.
#[must_use]
pub fn reaction_to_code(code: ErrorCode) -> Reaction {
    find(code).map_or(Reaction::Unknown, |row| row.reaction)
}

/// The reaction to an ended attempt, by its code, or else by its SIP response.
#[must_use]
pub fn reaction_to(attempt: &Attempt, disposition: Disposition) -> Reaction {
    if disposition != Disposition::Failed {
        return Reaction::TryAgain;
    }
    match (attempt.submission.error_code, sip(attempt)) {
        (None, Some(Sip::Means(reaction))) => reaction,
        _ => reaction(&attempt.submission),
    }
}

/// How an attempt ended. A SIP response may be more precise than the platform's "failed".
#[must_use]
pub fn told_by_sip(attempt: &Attempt, disposition: Disposition) -> Disposition {
    match (disposition, attempt.submission.error_code, sip(attempt)) {
        (Disposition::Failed, None, Some(Sip::Ended(end))) => end,
        _ => disposition,
    }
}

fn sip(attempt: &Attempt) -> Option<Sip> {
    let code = attempt.sip_code?;
    SIP_TABLE.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}

/// The meaning of a code, if it is known: the end of a sentence.
#[must_use]
pub fn meaning(code: ErrorCode) -> Option<&'static str> {
    find(code).map(|row| row.meaning)
}

/// What the operator can do about it, if that is known: a sentence.
#[must_use]
pub fn advice(code: ErrorCode) -> Option<&'static str> {
    find(code).map(|row| row.advice)
}

/// Whether an operator can do something about it.
#[must_use]
pub fn is_for_operator(code: ErrorCode) -> bool {
    find(code).is_some_and(|row| row.tell.operator())
}

#[cfg(test)]
mod tests;
