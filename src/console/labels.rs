//! The words of people at the telephone for what the API names on the pages of lists, permissions and campaigns.

use super::words;

/// The words for the state of a permission.
#[must_use]
pub fn permission(word: &str) -> &str {
    match word {
        "none" => "not asked",
        "requested" => "asked, no answer yet",
        "declined" => "declined",
        "temporary" => "granted for some days",
        "permanent" => "granted for good",
        "expired" => "ended",
        "revoked_by_consumer" => "taken back by the consumer",
        "revoked_automatically" => "taken back by WhatsApp",
        "uncallable" => "not on WhatsApp",
        other => other,
    }
}

/// What the misses of a permission mean.
#[must_use]
pub fn misses(misses: u32, most: u32) -> String {
    match most.checked_sub(misses) {
        _ if misses == 0 => "0".to_owned(),
        Some(1) => format!("{misses}: one call left before WhatsApp blocks us"),
        Some(left) if left > 1 => format!("{misses} of {most}"),
        _ => format!("{misses}: WhatsApp blocks us"),
    }
}

/// The words for the state of a campaign.
#[must_use]
pub fn campaign(state: &str) -> &str {
    match state {
        "draft" => "draft",
        "ready" => "ready to launch",
        "running" => "running",
        "paused" => "paused",
        "draining" => "running out: nobody new is called",
        "finished" => "finished",
        "canceled" => "cancelled",
        other => other,
    }
}

/// The words for an outcome of a contact, or for its state.
#[must_use]
pub fn outcome(word: &str) -> &str {
    match word {
        "waiting" => "waiting",
        "calling" => "calling now",
        "reached" => "reached",
        "exhausted" => "not reached after all attempts",
        "declined" => "does not want the call",
        "expired" => "time ran out",
        "canceled" => "cancelled",
        "failed" => "cannot be called",
        "reached_elsewhere" => "reached for another order",
        other => other,
    }
}

/// The words for what an act of a campaign did.
#[must_use]
pub fn act(word: &str) -> &str {
    match word {
        "create" => "created",
        "change" => "changed",
        "ready" => "marked as ready",
        "launch" => "launched",
        "pause" => "paused",
        "resume" => "resumed",
        "drain" => "set to run out",
        "cancel" => "cancelled",
        other => other,
    }
}

/// Who did it: a program of ours, or a token or person by its name.
#[must_use]
pub fn by(name: &str) -> String {
    match name {
        "ringmaster" => "by Ringmaster itself".to_owned(),
        "platform" => "by WhatsApp".to_owned(),
        name => format!("by {}", words::by(name)),
    }
}

/// The words for a scope of a pause.
#[must_use]
pub fn pause_scope(scope: &str) -> &str {
    match scope {
        "all" => "everything",
        "account" => "an account",
        "sender" => "a sender",
        "person" => "a consumer",
        "campaign" => "a campaign",
        "content" => "a message text",
        other => other,
    }
}

/// A name of the API as words: without underscores and hyphens.
#[must_use]
pub fn plain(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_before_the_revocation_is_told() {
        assert_eq!(misses(0, 4), "0");
        assert_eq!(misses(2, 4), "2 of 4");
        assert_eq!(misses(3, 4), "3: one call left before WhatsApp blocks us");
        assert_eq!(misses(4, 4), "4: WhatsApp blocks us");
        assert_eq!(misses(5, 4), "5: WhatsApp blocks us");
    }
}
