//! What the platforms' error codes mean for us, as tables.
//!
//! Sources: Twilio's error dictionary (10004, 20xxx, 21xxx, 22005, 32018, 37xxx, 63xxx; read 2025-11 to
//! 2026-03) and Meta, *Troubleshoot WhatsApp calling errors* (24 Jun 2026), whose codes Twilio passes on.
//! 138008, 138010, 138011 and 138016 are in no table of Meta's and get the cautious default.

use jiff::SignedDuration;

use crate::domain::{Attempt, Disposition};

/// What to do about a call or message that failed with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// The ledger was wrong: there is no permission.
    NoPermission,
    /// The ledger was wrong: there is a permanent permission.
    AlreadyPermanent,
    /// The consumer does not want to hear from the sender.
    Declined,
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
    /// It can never be done with this sender or order.
    Never,
    /// It is unknown whether the call connected or was missed. It counts as both, and as no success.
    Inconclusive,
    /// Try again soon. Also the reaction to unknown codes.
    TryAgain,
}

struct Row {
    code: u32,
    reaction: Reaction,
    for_operator: bool,
    meaning: &'static str,
}

const fn row(code: u32, reaction: Reaction, meaning: &'static str) -> Row {
    Row { code, reaction, for_operator: false, meaning }
}

/// A code that only an operator can resolve.
const fn alert(code: u32, reaction: Reaction, meaning: &'static str) -> Row {
    Row { code, reaction, for_operator: true, meaning }
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

const TABLE: [Row; 68] = [
    row(10004, Reaction::PauseAccount(MINUTE), "the account's concurrent calls are used up"),
    alert(20003, Reaction::PauseAccount(MINUTE), "the account's credentials were refused"),
    alert(20404, Reaction::Never, "Twilio does not know the account or what the request names"),
    row(20429, Reaction::PauseAccount(SECOND), "too many requests at once"),
    alert(21201, Reaction::Never, "the call has no destination"),
    alert(21205, Reaction::Never, "Twilio does not accept the URL of the document"),
    alert(21208, Reaction::Never, "Twilio does not accept the ring timeout"),
    alert(21210, Reaction::Never, "the sender is not verified"),
    row(21211, Reaction::Uncallable, "Twilio does not accept the consumer's number"),
    alert(21212, Reaction::Never, "Twilio does not accept the sender's number"),
    alert(21215, Reaction::Never, "the account may not call this country"),
    row(21217, Reaction::Uncallable, "Twilio does not accept the consumer's number"),
    alert(21219, Reaction::Never, "a trial account may not call this number"),
    alert(21609, Reaction::Never, "Twilio does not accept the URL of the status callback"),
    alert(21654, Reaction::Never, "the message has no content"),
    alert(21655, Reaction::Never, "the content is not the account's"),
    alert(21656, Reaction::Never, "the content's variables are wrong"),
    alert(22005, Reaction::PauseAccount(QUARTER), "Twilio's queue of calls is full"),
    alert(32018, Reaction::Never, "the TwiML document is too long"),
    row(37000, Reaction::NoPermission, "the consumer has not granted the call permission"),
    alert(37001, Reaction::Never, "the account's region cannot place WhatsApp calls"),
    row(37003, Reaction::PausePair(MINUTE), "a call to this consumer is in progress"),
    row(37004, Reaction::PauseSender(MINUTE), "the sender's call rate is used up"),
    row(37006, Reaction::ConnectedUsedUp, "the connected calls to this consumer are used up"),
    alert(37007, Reaction::Never, "senders of this country cannot place calls"),
    alert(37008, Reaction::Never, "the sender is not a WhatsApp sender of the account"),
    alert(37009, Reaction::Never, "the sender has no voice application"),
    row(63003, Reaction::Uncallable, "the consumer is not on WhatsApp"),
    row(63016, Reaction::WindowClosed, "the service window is closed and the content is not approved"),
    row(63018, Reaction::PauseSender(MINUTE), "the sender's message rate is used up"),
    alert(63020, Reaction::Never, "the sender's invitation at WhatsApp is not accepted"),
    alert(63021, Reaction::Never, "the content is not valid"),
    row(63024, Reaction::Uncallable, "the consumer is not on WhatsApp"),
    row(63032, Reaction::PausePair(DAY), "WhatsApp does not deliver this message to this consumer now"),
    alert(63038, Reaction::PauseAccount(HOUR), "the account's messages of the day are used up"),
    row(130_429, Reaction::PauseSender(MINUTE), "the sender's message rate is used up"),
    alert(131_009, Reaction::Never, "the sender's country does not have this kind of message"),
    row(
        131_026,
        Reaction::Uncallable,
        "the consumer is not on WhatsApp, has not accepted its terms, or has an old client",
    ),
    alert(131_030, Reaction::Never, "a test number may not reach this consumer"),
    alert(131_044, Reaction::PauseSender(HOUR), "no valid way to pay is set up at WhatsApp"),
    row(131_047, Reaction::WindowClosed, "the service window is closed and the content is not approved"),
    alert(131_048, Reaction::PauseSender(HOUR), "WhatsApp limits the sender for spam"),
    row(131_049, Reaction::PausePair(DAY), "WhatsApp chose not to deliver the message"),
    row(131_050, Reaction::Declined, "the consumer stopped such messages"),
    alert(131_055, Reaction::Never, "the sender takes calls by SIP only"),
    row(131_056, Reaction::PausePair(QUARTER), "too many messages to this consumer"),
    row(131_057, Reaction::PauseSender(MINUTE), "the sender is being upgraded"),
    alert(132_015, Reaction::PauseSender(HOUR), "WhatsApp paused the template for low quality"),
    alert(138_000, Reaction::PauseSender(HOUR), "calling is not enabled for the sender"),
    row(138_001, Reaction::Uncallable, "the consumer cannot be called"),
    row(138_002, Reaction::PauseSender(MINUTE), "the sender's concurrent calls are used up"),
    row(138_003, Reaction::PausePair(MINUTE), "a call to this consumer is in progress"),
    row(138_004, Reaction::TryAgain, "the connection failed"),
    row(138_005, Reaction::PauseSender(MINUTE), "the sender's call rate is used up"),
    row(138_006, Reaction::NoPermission, "the consumer has not granted the call permission"),
    row(138_007, Reaction::TryAgain, "the connection took too long"),
    row(138_009, Reaction::RequestsUsedUp, "the permission requests to this consumer are used up"),
    row(138_012, Reaction::ConnectedUsedUp, "the connected calls to this consumer are used up"),
    alert(138_013, Reaction::Never, "the sender cannot place calls"),
    alert(138_014, Reaction::PauseSender(DAY), "WhatsApp disabled the sender's calls for low quality"),
    alert(138_015, Reaction::PauseSender(HOUR), "the sender's messaging limit is too low for calls"),
    row(138_017, Reaction::AlreadyPermanent, "the consumer has granted the permission for good"),
    alert(138_018, Reaction::PauseSender(HOUR), "the sender is not set up for calls"),
    row(138_019, Reaction::TryAgain, "the consumer's client could not set the call up"),
    row(138_020, Reaction::TryAgain, "the call could not be relayed"),
    row(138_021, Reaction::TryAgain, "the consumer's client got no sound"),
    row(138_022, Reaction::TryAgain, "the consumer's client sent no sound"),
    row(
        138_023,
        Reaction::Inconclusive,
        "accepted without sound: WhatsApp cannot tell whether it was connected",
    ),
];

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

/// The reaction to a code. Unknown or missing codes get the cautious default.
#[must_use]
pub fn reaction(code: Option<u32>) -> Reaction {
    code.and_then(find).map_or(Reaction::TryAgain, |row| row.reaction)
}

/// The reaction to an ended attempt, by its code, or else by its SIP response.
#[must_use]
pub fn reaction_to(attempt: &Attempt, disposition: Disposition) -> Reaction {
    if disposition != Disposition::Failed {
        return Reaction::TryAgain;
    }
    match (attempt.submission.error_code, sip(attempt)) {
        (None, Some(Sip::Means(reaction))) => reaction,
        (code, _) => reaction(code),
    }
}

/// How an attempt ended. A SIP response may tell more than the platform's "failed".
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

/// The meaning of a known code.
#[must_use]
pub fn meaning(code: u32) -> Option<&'static str> {
    find(code).map(|row| row.meaning)
}

/// Whether only an operator can resolve this code.
#[must_use]
pub fn is_for_operator(code: u32) -> bool {
    find(code).is_some_and(|row| row.for_operator)
}

fn find(code: u32) -> Option<&'static Row> {
    TABLE.binary_search_by_key(&code, |row| row.code).ok().map(|index| &TABLE[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_name_no_code_twice() {
        assert!(TABLE.windows(2).all(|rows| rows[0].code < rows[1].code));
        assert!(SIP_TABLE.windows(2).all(|rows| rows[0].0 < rows[1].0));
    }

    #[test]
    fn an_unknown_code_gets_the_cautious_default() {
        for code in [99_999, 138_008, 138_010, 138_011, 138_016] {
            assert_eq!(reaction(Some(code)), Reaction::TryAgain);
            assert_eq!((meaning(code), is_for_operator(code)), (None, false));
        }
        assert_eq!(reaction(None), Reaction::TryAgain);
    }

    #[test]
    fn a_known_code_has_a_meaning() {
        assert_eq!(meaning(37000), Some("the consumer has not granted the call permission"));
        assert!(TABLE.iter().all(|row| meaning(row.code) == Some(row.meaning)));
    }

    #[test]
    fn no_permission_is_an_ordinary_outcome() {
        assert_eq!(reaction(Some(37000)), Reaction::NoPermission);
        assert_eq!(reaction(Some(138_006)), Reaction::NoPermission);
    }

    #[test]
    fn what_cannot_ever_be_done_is_for_the_operator() {
        assert!(TABLE.iter().all(|row| row.reaction != Reaction::Never || row.for_operator));
        assert!(!is_for_operator(37000) && is_for_operator(138_014) && is_for_operator(20003));
    }

    #[test]
    fn the_twins_of_twilio_and_meta_mean_the_same() {
        for (twilio, meta) in
            [(37000, 138_006), (37003, 138_003), (37004, 138_005), (37006, 138_012), (37007, 138_013)]
        {
            assert_eq!(reaction(Some(twilio)), reaction(Some(meta)), "{twilio}");
        }
    }
}
