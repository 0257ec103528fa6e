//! A pair: one sender and one consumer, and everything that WhatsApp counts for the two.

use jiff::Timestamp;

use super::{AttemptId, MessageId, Phone};

/// One sender and one consumer. Permission and counters belong to the pair, not to the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairKey {
    pub sender: Phone,
    pub consumer: Phone,
}

/// What the consumer has granted the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallPermission {
    None,
    /// Asked and not answered. The request lapses at `expires_at`.
    Requested {
        expires_at: Timestamp,
    },
    /// Answered with no. The consumer can change the answer until `until`.
    Declined {
        until: Timestamp,
    },
    Temporary {
        expires_at: Timestamp,
    },
    Permanent,
    /// A temporary permission has expired.
    Expired,
    RevokedByConsumer,
    /// The platform revoked it after too many missed calls in a row.
    RevokedAutomatically,
    /// The consumer is not on WhatsApp, as far as the platform says. Ends when the consumer is heard of there, and
    /// at `until`, because people change phones and accept terms.
    Uncallable {
        until: Timestamp,
    },
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

    /// A stable name for logs, tables and the store.
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
            Self::Uncallable { .. } => "uncallable",
        }
    }
}

/// The ledger of a pair: exact logs, from which the rolling limits are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub key: PairKey,
    /// Incremented by each change. A write based on an older version is refused.
    pub version: u64,
    pub permission: CallPermission,
    /// The open permission request: on its way, or waiting for an answer.
    pub request: Option<MessageId>,
    /// Times of permission requests since the last reset, oldest first.
    pub requests: Vec<Timestamp>,
    /// Permission requests that may have reached the consumer since the last answer or connected call.
    pub unanswered: u32,
    /// Times at which our calls were connected, oldest first.
    pub connected: Vec<Timestamp>,
    /// Calls missed or declined in a row.
    pub misses: u32,
    /// When the platform last accepted an invite since the first of the misses in a row.
    pub invited_at: Option<Timestamp>,
    /// When the consumer last wrote or called, which opens the service window.
    pub inbound_at: Option<Timestamp>,
    /// Our call that is or may be in progress.
    pub live_attempt: Option<AttemptId>,
    /// SID of the consumer's inbound call in progress.
    pub live_inbound: Option<String>,
    /// When we learnt of that call.
    pub inbound_began_at: Option<Timestamp>,
    /// When a call of ours was last missed.
    pub missed_at: Option<Timestamp>,
    /// SID of the consumer's last inbound call that is over.
    pub ended_inbound: Option<String>,
    /// No call and no request before this time, because the platform refused one.
    pub paused_until: Option<Timestamp>,
    /// The platform's id of the consumer, if reported.
    pub external_user_id: Option<String>,
}

impl Pair {
    /// A pair without a history.
    #[must_use]
    pub const fn unknown(key: PairKey) -> Self {
        Self {
            key,
            version: 0,
            permission: CallPermission::None,
            request: None,
            requests: Vec::new(),
            unanswered: 0,
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

    /// Whether a call between the two is or may be in progress.
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
            (CallPermission::Uncallable { until }, "uncallable"),
        ] {
            assert_eq!(permission.as_str(), word);
        }
    }
}
