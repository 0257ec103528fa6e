//! A pair: one sender and one consumer, and everything WhatsApp counts for the two of them.

use jiff::Timestamp;

use super::{AttemptId, MessageId, Phone};

/// One sender and one consumer. Permission and all counters belong to the pair, never to the consumer alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairKey {
    pub sender: Phone,
    pub consumer: Phone,
}

/// What the consumer has granted the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallPermission {
    None,
    /// Asked and not answered; the request lapses at `expires_at`.
    Requested {
        expires_at: Timestamp,
    },
    /// Answered with no; until `until` the consumer can still change the answer.
    Declined {
        until: Timestamp,
    },
    Temporary {
        expires_at: Timestamp,
    },
    Permanent,
    /// A temporary permission has run out.
    Expired,
    RevokedByConsumer,
    /// The platform took it away after too many missed calls in a row.
    RevokedAutomatically,
    /// The consumer cannot be called on WhatsApp at all.
    Uncallable,
}

impl CallPermission {
    /// Whether a call may be placed at `now`. A temporary permission ends exactly at its expiry.
    #[must_use]
    pub fn is_live(self, now: Timestamp) -> bool {
        match self {
            Self::Temporary { expires_at } => now < expires_at,
            Self::Permanent => true,
            _ => false,
        }
    }

    /// A stable word for logs, tables and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Requested { .. } => "requested",
            Self::Declined { .. } => "declined",
            Self::Temporary { .. } => "temporary",
            Self::Permanent => "permanent",
            Self::Expired => "expired",
            Self::RevokedByConsumer => "revoked_by_consumer",
            Self::RevokedAutomatically => "revoked_automatically",
            Self::Uncallable => "uncallable",
        }
    }
}

/// The ledger of a pair: the exact logs that the rolling limits are counted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub key: PairKey,
    /// Counts the changes; a writer that has not seen the last one is refused.
    pub version: u64,
    pub permission: CallPermission,
    /// The permission request on its way or waiting for an answer.
    pub request: Option<MessageId>,
    /// When permission requests were sent since counters were last reset, oldest first.
    pub requests: Vec<Timestamp>,
    /// When our calls were connected, oldest first.
    pub connected: Vec<Timestamp>,
    /// Calls missed or declined in a row.
    pub misses: u32,
    /// When the platform last took an invite to call, since the row of misses began.
    pub invited_at: Option<Timestamp>,
    /// When the consumer last wrote or called: opens the service window.
    pub inbound_at: Option<Timestamp>,
    /// Our call that is in progress or may be.
    pub live_attempt: Option<AttemptId>,
    /// The platform's name of the consumer's own call in progress.
    pub live_inbound: Option<String>,
    /// When we heard of that call.
    pub inbound_began_at: Option<Timestamp>,
    /// When a call of ours was last missed.
    pub missed_at: Option<Timestamp>,
    /// The platform's name of the consumer's last call that is over.
    pub ended_inbound: Option<String>,
    /// No call and no request before this moment: the platform asked for patience.
    pub paused_until: Option<Timestamp>,
    /// The platform's own id of the consumer, where it told one.
    pub external_user_id: Option<String>,
}

impl Pair {
    /// A pair of which nothing is known yet.
    #[must_use]
    pub const fn unknown(key: PairKey) -> Self {
        Self {
            key,
            version: 0,
            permission: CallPermission::None,
            request: None,
            requests: Vec::new(),
            connected: Vec::new(),
            misses: 0,
            invited_at: None,
            inbound_at: None,
            live_attempt: None,
            live_inbound: None,
            inbound_began_at: None,
            missed_at: None,
            ended_inbound: None,
            paused_until: None,
            external_user_id: None,
        }
    }

    /// Whether a call between the two is in progress, or may be.
    #[must_use]
    pub const fn is_on_the_phone(&self) -> bool {
        self.live_attempt.is_some() || self.live_inbound.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_a_word_of_its_own() {
        let until = Timestamp::constant(1_790_000_000, 0);
        for (permission, word) in [
            (CallPermission::None, "none"),
            (CallPermission::Requested { expires_at: until }, "requested"),
            (CallPermission::Declined { until }, "declined"),
            (CallPermission::Temporary { expires_at: until }, "temporary"),
            (CallPermission::Permanent, "permanent"),
            (CallPermission::Expired, "expired"),
            (CallPermission::RevokedByConsumer, "revoked_by_consumer"),
            (CallPermission::RevokedAutomatically, "revoked_automatically"),
            (CallPermission::Uncallable, "uncallable"),
        ] {
            assert_eq!(permission.as_str(), word);
        }
    }
}
