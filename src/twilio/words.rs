//! Converts Twilio's names of call and message states to ours and back. The simulated world uses Twilio's
//! names too.

use std::fmt;

use crate::domain::event::{CallProgress, Disposition, MessageProgress};
use crate::domain::{ErrorCode, Issuer};

/// A state that is not in Twilio's documentation of November 2026.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub struct UnknownWord(pub String);

const CALL_WORDS: [(&str, CallProgress); 9] = [
    ("queued", CallProgress::Queued),
    // Only in status callbacks; the resource has `queued` or `ringing` at that time.
    ("initiated", CallProgress::Initiated),
    ("ringing", CallProgress::Ringing),
    ("in-progress", CallProgress::InProgress),
    ("completed", CallProgress::Ended(Disposition::Completed)),
    ("busy", CallProgress::Ended(Disposition::Busy)),
    ("no-answer", CallProgress::Ended(Disposition::NoAnswer)),
    ("failed", CallProgress::Ended(Disposition::Failed)),
    ("canceled", CallProgress::Ended(Disposition::Canceled)),
];

/// # Errors
/// [`UnknownWord`] with the text.
pub fn call_progress(word: &str) -> Result<CallProgress, UnknownWord> {
    let known = CALL_WORDS.iter().find(|(name, _)| *name == word);
    known.map(|(_, progress)| *progress).ok_or_else(|| UnknownWord(word.to_owned()))
}

#[must_use]
pub fn call_word(progress: CallProgress) -> &'static str {
    let known = CALL_WORDS.iter().find(|(_, meaning)| *meaning == progress);
    known.expect("every progress has a name").0
}

/// # Errors
/// [`UnknownWord`] with the text.
pub fn message_progress(word: &str) -> Result<MessageProgress, UnknownWord> {
    Ok(match word {
        "accepted" | "scheduled" | "queued" | "sending" => MessageProgress::Queued,
        "sent" => MessageProgress::Sent,
        "delivered" | "partially_delivered" => MessageProgress::Delivered,
        "read" => MessageProgress::Read,
        "failed" | "undelivered" | "canceled" => MessageProgress::Failed,
        other => return Err(UnknownWord(other.to_owned())),
    })
}

#[must_use]
pub fn message_word(progress: MessageProgress) -> &'static str {
    match progress {
        MessageProgress::Queued => "queued",
        MessageProgress::Sent => "sent",
        MessageProgress::Delivered => "delivered",
        MessageProgress::Read => "read",
        MessageProgress::Failed => "failed",
    }
}

impl fmt::Display for UnknownWord {
    /// Shows the text only if it looks like a state name, because it comes from outside and could be a phone
    /// number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = &self.0;
        let printable = (1..=40).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'));
        if printable {
            write!(f, "\"{word}\" is not a known name")
        } else {
            f.write_str("is not a known name")
        }
    }
}

impl fmt::Debug for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error code from Twilio. Twilio forwards Meta's codes, which have six digits.
#[must_use]
pub const fn error_code(number: u32) -> ErrorCode {
    let issuer = if number < META_FROM { Issuer::Twilio } else { Issuer::Meta };
    ErrorCode::new(issuer, number)
}

const META_FROM: u32 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_call_state_reads_back() {
        for (word, progress) in CALL_WORDS {
            assert_eq!(call_progress(word), Ok(progress));
            assert_eq!(call_word(progress), word);
        }
    }

    #[test]
    fn an_unknown_name_is_kept_and_printed_only_if_it_looks_like_one() {
        let unknown = call_progress("on-hold").unwrap_err();
        assert_eq!(unknown.0, "on-hold");
        assert_eq!(unknown.to_string(), "\"on-hold\" is not a known name");
        assert_eq!(call_progress("+5511987654321").unwrap_err().to_string(), "is not a known name");
        assert!(message_progress("receiving").is_err());
    }

    #[test]
    fn every_name_of_a_message_state_reads_back() {
        use MessageProgress::{Delivered, Failed, Queued, Read, Sent};
        for progress in [Queued, Sent, Delivered, Read, Failed] {
            assert_eq!(message_progress(message_word(progress)), Ok(progress));
        }
    }

    #[test]
    fn a_code_of_six_digits_belongs_to_meta() {
        let issuers =
            [0, 190, 37_000, 99_999, 100_000, 138_006, u32::MAX].map(|code| error_code(code).issuer);
        use Issuer::{Meta, Twilio};
        assert_eq!(issuers, [Twilio, Twilio, Twilio, Twilio, Meta, Meta, Meta]);
    }
}
