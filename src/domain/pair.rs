//! A pair: one sender and one person, and everything that WhatsApp counts for the two.

use jiff::Timestamp;

use super::{ContentRef, MessageId, PersonId, Phone};

/// One sender and one person. Permission and counters belong to the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairKey {
    // First, so that the pairs of a person are neighbours in an ordered map.
    pub person: PersonId,
    pub sender: Phone,
}

impl PairKey {
    /// The first key that a pair of the person can have.
    #[must_use]
    pub const fn first_of(person: PersonId) -> Self {
        Self { person, sender: Phone::from_stored(0) }
    }

    /// The pair of a sender and the person of a number without a record.
    #[must_use]
    pub fn of(sender: Phone, consumer: Phone) -> Self {
        Self { sender, person: PersonId::of(consumer) }
    }
}

/// The two numbers of a call or message: the sender's, and that of the consumer as it was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Numbers {
    pub sender: Phone,
    pub consumer: Phone,
}

impl Numbers {
    #[must_use]
    pub const fn of(sender: Phone, consumer: Phone) -> Self {
        Self { sender, consumer }
    }

    /// The pair that they are, if the consumer is this person.
    #[must_use]
    pub const fn pair(self, person: PersonId) -> PairKey {
        PairKey { sender: self.sender, person }
    }
}

impl From<PairKey> for Numbers {
    fn from(key: PairKey) -> Self {
        Self { sender: key.sender, consumer: key.person.number() }
    }
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

    /// Of two answers of one person the stricter one counts. No answer yet is none, so a grant
    /// stands beside it.
    const fn strictness(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Expired => 1,
            Self::Requested { .. } => 2,
            Self::Permanent => 3,
            Self::Temporary { .. } => 4,
            Self::Uncallable { .. } => 5,
            Self::RevokedAutomatically => 6,
            Self::Declined { .. } => 7,
            Self::RevokedByConsumer => 8,
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

/// When the consumer last granted a permission, and what asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub at: Timestamp,
    /// The content of the request, if the answer told which one it answers.
    pub by: Option<ContentRef>,
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
    /// When the request was sent that the consumer answered last with no. A yes to an older request comes too late.
    pub declined_request_at: Option<Timestamp>,
    /// When a message of ours last left, or may have. One that the platform refused does not count.
    pub messaged_at: Option<Timestamp>,
    /// The last grant. It may be over.
    pub granted: Option<Grant>,
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
            live_inbound: None,
            inbound_began_at: None,
            missed_at: None,
            ended_inbound: None,
            paused_until: None,
            declined_request_at: None,
            messaged_at: None,
            granted: None,
        }
    }

    /// Takes in the ledger of one who proved to be the same person: the stricter permission, all that was counted,
    /// the longer row of misses, and both fences.
    pub fn absorb(&mut self, other: &Self) {
        let (mine, theirs) = (self.permission, other.permission);
        self.permission = if mine.strictness() >= theirs.strictness() { mine } else { theirs };
        if let (CallPermission::Temporary { expires_at: a }, CallPermission::Temporary { expires_at: b }) =
            (mine, theirs)
        {
            self.permission = CallPermission::Temporary { expires_at: a.min(b) };
        }
        // A request that is on its way, or waits for its answer, keeps others from being sent.
        self.request = self.request.or(other.request);
        self.requests = merged(&self.requests, &other.requests);
        self.unanswered = self.unanswered.saturating_add(other.unanswered);
        self.connected = merged(&self.connected, &other.connected);
        self.misses = self.misses.max(other.misses);
        self.invited_at = self.invited_at.max(other.invited_at);
        self.inbound_at = self.inbound_at.max(other.inbound_at);
        if self.live_inbound.is_none() {
            self.live_inbound.clone_from(&other.live_inbound);
            self.inbound_began_at = other.inbound_began_at;
        }
        self.missed_at = self.missed_at.max(other.missed_at);
        if self.ended_inbound.is_none() {
            self.ended_inbound.clone_from(&other.ended_inbound);
        }
        self.paused_until = self.paused_until.max(other.paused_until);
        self.declined_request_at = self.declined_request_at.max(other.declined_request_at);
        self.messaged_at = self.messaged_at.max(other.messaged_at);
        let is_newer =
            other.granted.as_ref().map(|grant| grant.at) > self.granted.as_ref().map(|grant| grant.at);
        if is_newer {
            self.granted.clone_from(&other.granted);
        }
    }
}

/// Two logs in order of time.
fn merged(one: &[Timestamp], other: &[Timestamp]) -> Vec<Timestamp> {
    let mut all = [one, other].concat();
    all.sort_unstable();
    all
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
