//! The words that people on the floor use, for the terms of the API.

/// The address of a page's live part, as the stream names it.
#[must_use]
pub(super) fn live_address(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// What was done, after a form: the parameter `done` of the address. An unknown word shows nothing.
#[must_use]
pub fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "canceled" => "Cancelled. A call that already rings is hung up.",
        "rescheduled" => "Rescheduled.",
        "attempt-allowed" => "One more call is allowed.",
        "wrapped-up" => "The wrap-up is recorded.",
        "replayed" => "Its webhooks are sent again.",
        "ending" => "The call is being ended.",
        "resolved" => "Recorded. The callback goes on from there.",
        "password" => "Your password is changed. You are signed out everywhere else.",
        "held" => "Held for a day. Until then no time-out settles it.",
        "released" => "It is held no more, and Twilio is being asked.",
        "not-today" => "Marked: nobody contacts the consumer for it any more today.",
        "asking" => "Twilio is being asked again.",
        "previewed" => "This is what would change. Nothing has changed yet.",
        "confirmed" => "It has begun.",
        "stopped" => "It stops. What was already changed stays changed.",
        "paused" => "Paused.",
        "lifted" => "The pause is lifted.",
        "saved" => "Saved.",
        "removed" => "Removed.",
        "added" => "Added.",
        "launched" => "Launched.",
        "resumed" => "Resumed.",
        "draining" => "It takes nothing new, and what has begun goes on.",
        "created" => "Created.",
        "accepted" => "Accepted. The phone rings soon.",
        "skipped" => "Skipped.",
        "enabled" => "Enabled again.",
        "granted" => "The permission is recorded.",
        "revoked" => "Recorded: not again.",
        _ => return None,
    })
}

/// A priority from 0 to 9.
#[must_use]
pub const fn priority(level: u64) -> &'static str {
    match level {
        0..=2 => "bulk",
        3..=6 => "normal",
        _ => "urgent",
    }
}

/// Contact for a row of a list, callback for one that somebody asked for.
#[must_use]
pub fn noun(purpose: &str) -> &'static str {
    if purpose == "requested" { "callback" } else { "contact" }
}

/// The state of a callback.
#[must_use]
pub fn state(status: &str, outcome: Option<&str>, reason: &str) -> String {
    let word = match (status, outcome) {
        (_, Some("canceled")) => "cancelled",
        (_, Some("reached_elsewhere")) => "reached elsewhere",
        (_, Some(outcome)) => outcome,
        ("calling", _) if reason == "attempt.unknown" => "checking with Twilio",
        (status, None) => status,
    };
    word.to_owned()
}

/// A short heading for the reason codes that a supervisor sees most. The sentence says the rest.
#[must_use]
pub fn reason(code: &str) -> String {
    match code {
        "limit.streak_guard" => "one call left before WhatsApp blocks us".to_owned(),
        "attempt.unknown" => "checking with Twilio".to_owned(),
        "window.not_today" => "not again today".to_owned(),
        "window.before_earliest" => "not before its time".to_owned(),
        "window.outside_hours" => "outside the calling hours".to_owned(),
        "retry.not_before" => "not reached; called again later".to_owned(),
        "permission.awaiting_reply" => "asked for permission; no answer yet".to_owned(),
        "permission.ask_later" => "asked for permission later".to_owned(),
        "invite.awaiting_call" => "invited; the consumer may call".to_owned(),
        "consumer.calls_capped" => "called often enough for now".to_owned(),
        other => other.replace('.', ": ").replace('_', " "),
    }
}

/// Who did something: the name of the person or of the API token.
#[must_use]
pub fn by(name: &str) -> String {
    match name.strip_prefix("person/") {
        Some(person) => person.to_owned(),
        None => format!("token {name}"),
    }
}

/// `1 contact`, `3 contacts`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(number)) }
}

/// With thin groups of three: `12,345`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_have_three_names() {
        assert_eq!(
            [0, 2, 3, 6, 7, 9].map(priority),
            ["bulk", "bulk", "normal", "normal", "urgent", "urgent"]
        );
    }

    #[test]
    fn people_are_told_by_their_name_and_tokens_as_tokens() {
        assert_eq!((by("person/ana"), by("crm")), ("ana".to_owned(), "token crm".to_owned()));
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 12_345, 1_234_567].map(thousands),
            ["0", "999", "1,000", "12,345", "1,234,567"]
        );
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(counted(0, "call"), "0 calls");
    }
}
