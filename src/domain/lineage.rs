//! The lineage of a store: whether it is the one that was last written here, or an older or other one.
//!
//! A store has an identity and a position. A witness outside of the store remembers both. A store that is behind its
//! witness has forgotten calls and messages, so nothing may leave until they are known again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{AccountAlias, AttemptId, CallbackId, Numbers, Server, ServerOrigin};

/// Identifies the history of a store: 16 random bytes. A store that was put back gets a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreIdentity([u8; 16]);

impl StoreIdentity {
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no identity of a store: expected 32 hexadecimal digits")]
pub struct StoreIdentityError;

impl FromStr for StoreIdentity {
    type Err = StoreIdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex).ok_or(StoreIdentityError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// How far the history of a store goes. Both numbers only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// How often a leader has begun a term.
    pub leader: u64,
    /// How many batches of leaders were written.
    pub batch: u64,
}

impl Position {
    /// Whether something of the history up to `other` is missing here.
    #[must_use]
    pub const fn is_behind(self, other: Self) -> bool {
        self.leader < other.leader || self.batch < other.batch
    }
}

/// What is known outside of a store of its last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnessed {
    pub identity: StoreIdentity,
    pub position: Position,
    pub at: Timestamp,
    pub server: Server,
}

/// What a store says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSelf {
    /// `None` if it never had a witness.
    pub identity: Option<StoreIdentity>,
    pub position: Position,
    /// When it was made, if it is a copy that was made for a backup and has not been opened since.
    pub copied_at: Option<Timestamp>,
    /// When its last batch was written, if that is known.
    pub last_at: Option<Timestamp>,
    /// Whether nothing leaves until an operator releases it, since an earlier start.
    pub is_held: bool,
    /// Where it was last known to be whole.
    pub origin: Option<ServerOrigin>,
    /// The server that it is on now.
    pub server: Server,
    /// The last sign of life of a node, by the database's time.
    pub beaten_at: Option<Timestamp>,
}

/// Why nothing leaves. The names are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LineageCause {
    /// The store is older than its witness.
    GoneBack,
    /// The witness is that of another store.
    AnotherStore,
    /// There is no witness, and the store has a history.
    NoWitness,
    /// The store is a copy, and there is no witness.
    Copied,
    /// The database is on another server.
    AnotherSystem,
    /// The database is on another timeline of its server, and nothing proves that it has every commit.
    AnotherTimeline,
}

impl LineageCause {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// One sentence for an operator.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::GoneBack => {
                "The store is older than the last one that was written here: calls and messages are missing in it."
            }
            Self::AnotherStore => "The store is another one than the one that was last written here.",
            Self::NoWitness => "The store has a history, and there is no witness that says how far it went.",
            Self::Copied => "The store is a copy that was made for a backup, and there is no witness.",
            Self::AnotherSystem => {
                "The database is on another server than before: it was restored or copied, and may lack commits."
            }
            Self::AnotherTimeline => {
                "The server of the database began another timeline: a standby was promoted or a backup restored, and commits \
                 may be missing."
            }
        }
    }
}

/// A store that is not known to be complete, and what is known of the lost span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// When it was noticed. The lost span ends here at the latest.
    pub since: Timestamp,
    pub cause: LineageCause,
    /// When the store's last batch was written: the lost span begins here.
    pub from: Timestamp,
    pub stored: Position,
    /// What the witness said, if there was one.
    pub witnessed: Option<Witnessed>,
    /// The accounts that were asked.
    pub accounts: BTreeMap<AccountAlias, AccountListed>,
    pub released: Option<LineageReleased>,
}

/// What an account's platform has of the lost span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountListed {
    pub at: Timestamp,
    /// `false` if the platform cannot list what was created, so that nothing is known.
    pub is_listed: bool,
    /// Calls of ours that the store did not know.
    pub calls: u32,
    /// Messages of ours that the store did not know.
    pub messages: u32,
    /// Messages of consumers. What they say is not known.
    pub inbound: u32,
}

/// An operator's word that what is known of the lost span suffices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineageReleased {
    pub at: Timestamp,
    /// The name of the operator's API token.
    pub by: Arc<str>,
    pub why: Arc<str>,
}

/// Something at a platform that the store did not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    pub account: AccountAlias,
    pub sid: String,
    pub kind: UnrecordedKind,
    pub at: Timestamp,
    pub numbers: Numbers,
    /// The callback that it counts for, if there is one.
    pub callback: Option<CallbackId>,
    pub attempt: Option<AttemptId>,
}

/// The names are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum UnrecordedKind {
    Call,
    Message,
    InboundMessage,
}

impl UnrecordedKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_behind_if_either_number_is_smaller() {
        let at = |leader, batch| Position { leader, batch };
        for (mine, theirs, is_behind) in [
            (at(2, 10), at(2, 10), false),
            (at(2, 9), at(2, 10), true),
            (at(2, 11), at(2, 10), false),
            (at(1, 10), at(2, 10), true),
            (at(3, 10), at(2, 10), false),
            // Two histories that went apart.
            (at(1, 11), at(2, 10), true),
            (at(3, 9), at(2, 10), true),
        ] {
            assert_eq!(mine.is_behind(theirs), is_behind, "{mine:?} {theirs:?}");
        }
    }

    #[test]
    fn an_identity_is_read_as_it_is_written() {
        let identity = StoreIdentity::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(identity.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(identity.to_string().parse(), Ok(identity));
        for wrong in ["", "00", "+00102030405060708090a0b0c0d0eff", "000102030405060708090a0b0c0d0eff0", "g"]
        {
            assert!(wrong.parse::<StoreIdentity>().is_err(), "{wrong}");
        }
    }
}
