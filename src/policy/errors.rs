//! What the platforms' error codes mean for us: a table, not branches.
//!
//! Sources: Twilio's error dictionary (37000-37009, 10004, 20003, 20429, 21xxx, 63016; read 2025-11 to
//! 2026-03) and Meta, *Troubleshoot WhatsApp calling errors* (24 Jun 2026), whose numbers shine through.

use jiff::SignedDuration;

/// What to do about a call or message that failed with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// The ledger was wrong: there is no permission.
    NoPermission,
    /// The consumer cannot be called on WhatsApp.
    Uncallable,
    /// The pair needs patience for so long.
    PausePair(SignedDuration),
    /// The account needs patience for so long.
    PauseAccount(SignedDuration),
    /// It cannot be done with this sender or order, ever.
    Never,
    /// Nobody's fault: try again soon. What is done about codes that nobody knows.
    TryAgain,
}

struct Row {
    code: u32,
    reaction: Reaction,
    meaning: &'static str,
}

const fn row(code: u32, reaction: Reaction, meaning: &'static str) -> Row {
    Row { code, reaction, meaning }
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

const TABLE: [Row; 26] = [
    row(10004, Reaction::PauseAccount(MINUTE), "the account's concurrent calls are used up"),
    row(20003, Reaction::PauseAccount(MINUTE), "the account's credentials were refused"),
    row(20429, Reaction::PauseAccount(SignedDuration::from_secs(1)), "too many requests at once"),
    row(21201, Reaction::Never, "the call has no destination"),
    row(21205, Reaction::Never, "Twilio does not accept the URL of the document"),
    row(21210, Reaction::Never, "the sender is not verified"),
    row(21211, Reaction::Uncallable, "Twilio does not accept the consumer's number"),
    row(21212, Reaction::Never, "Twilio does not accept the sender's number"),
    row(21215, Reaction::Never, "the account may not call this country"),
    row(21217, Reaction::Uncallable, "Twilio does not accept the consumer's number"),
    row(21219, Reaction::Never, "a trial account may not call this number"),
    row(22005, Reaction::PauseAccount(QUARTER), "Twilio's queue of calls is full"),
    row(37000, Reaction::NoPermission, "the consumer has not granted the call permission"),
    row(37001, Reaction::Never, "the account's region cannot place WhatsApp calls"),
    row(37003, Reaction::PausePair(MINUTE), "a call to this consumer is in progress"),
    row(37004, Reaction::PauseAccount(MINUTE), "the sender's call rate is used up"),
    row(37006, Reaction::PausePair(HOUR), "the connected calls to this consumer are used up"),
    row(37007, Reaction::Never, "senders of this country cannot place calls"),
    row(37008, Reaction::Never, "the sender is not a WhatsApp sender of the account"),
    row(37009, Reaction::Never, "the sender has no voice application"),
    row(63003, Reaction::Uncallable, "the consumer is not on WhatsApp"),
    row(63016, Reaction::TryAgain, "the service window is closed and the content is not approved"),
    row(63024, Reaction::Uncallable, "the consumer is not on WhatsApp"),
    row(138_001, Reaction::Uncallable, "the consumer cannot be called"),
    row(138_006, Reaction::NoPermission, "the consumer has not granted the call permission"),
    row(138_012, Reaction::PausePair(HOUR), "the connected calls to this consumer are used up"),
];

/// What to do about a code; the cautious default where it is unknown or absent.
#[must_use]
pub fn reaction(code: Option<u32>) -> Reaction {
    find(code).map_or(Reaction::TryAgain, |row| row.reaction)
}

/// What a code means, where that is known.
#[must_use]
pub fn meaning(code: u32) -> Option<&'static str> {
    find(Some(code)).map(|row| row.meaning)
}

fn find(code: Option<u32>) -> Option<&'static Row> {
    let code = code?;
    TABLE.binary_search_by_key(&code, |row| row.code).ok().map(|index| &TABLE[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_no_code_twice() {
        assert!(TABLE.windows(2).all(|rows| rows[0].code < rows[1].code));
    }

    #[test]
    fn an_unknown_code_gets_the_cautious_default() {
        assert_eq!(reaction(Some(99_999)), Reaction::TryAgain);
        assert_eq!(reaction(None), Reaction::TryAgain);
        assert_eq!(meaning(99_999), None);
    }

    #[test]
    fn no_permission_is_an_ordinary_outcome() {
        assert_eq!(reaction(Some(37000)), Reaction::NoPermission);
        assert_eq!(reaction(Some(138_006)), Reaction::NoPermission);
    }
}
