//! The lease of a dialling group: the record that one node dials for the group, and the records of nodes.
//!
//! The rule that gives a lease is in `policy::lease`. Times of a lease are times of the database.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use strum::{EnumString, IntoStaticStr};

/// The name of a dialling group: 1 to 64 letters, digits, `-`, `_` and `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Arc<str>);

/// Why a text is no name of a group or of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no name: expected 1 to {} letters, digits, \"-\", \"_\" and \".\"", GroupName::LENGTH_MAX)]
pub struct NoNodeName;

impl GroupName {
    /// The longest name, in bytes.
    pub const LENGTH_MAX: usize = 64;
    /// The group of every account that no other group names.
    pub const MAIN: &'static str = "main";

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the group of every account that no other group names.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.as_str() == Self::MAIN
    }
}

impl Default for GroupName {
    /// The group `main`. Nearly every callback has it, so its text is shared.
    fn default() -> Self {
        static MAIN: LazyLock<Arc<str>> = LazyLock::new(|| GroupName::MAIN.into());
        Self(Arc::clone(&MAIN))
    }
}

impl FromStr for GroupName {
    type Err = NoNodeName;

    fn from_str(text: &str) -> Result<Self, NoNodeName> {
        match text {
            Self::MAIN => Ok(Self::default()),
            _ if is_name(text) => Ok(Self(text.into())),
            _ => Err(NoNodeName),
        }
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Whether a text may be the name of a group or of a node.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=GroupName::LENGTH_MAX).contains(&text.len()) && text.bytes().all(plain)
}

/// One start of a node. Two processes of one name have different runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub [u8; 16]);

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// One term of one node: what a leader proves when it begins to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseTerm {
    pub group: GroupName,
    pub run: RunId,
    pub term: u64,
}

/// How a term ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LeaseEnd {
    /// The leader gave it back. It may still wait for answers, and records them.
    Resigned,
    /// It was not renewed in time.
    Expired,
    /// It was certain that the process had ended: it held the lock of the store's file.
    ProcessEnded,
}

impl LeaseEnd {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The lease of a group, as it is stored. There is one for each group, and it is never deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub group: GroupName,
    pub node: Arc<str>,
    pub run: RunId,
    /// Counts the terms, from 1.
    pub term: u64,
    pub since: Timestamp,
    pub until: Timestamp,
    pub resigned_at: Option<Timestamp>,
    /// How the term before ended; `None` for the first.
    pub began_after: Option<LeaseEnd>,
}

impl Lease {
    #[must_use]
    pub fn term(&self) -> LeaseTerm {
        LeaseTerm { group: self.group.clone(), run: self.run, term: self.term }
    }

    /// Whether somebody holds it at `now`, by the database's clock.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.resigned_at.is_none() && now < self.until
    }
}

/// A term in the log of leadership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderRecord {
    pub group: GroupName,
    pub term: u64,
    pub node: Arc<str>,
    pub since: Timestamp,
    /// When it ended, or would end now.
    pub until: Timestamp,
    /// `None` for the term that goes on.
    pub ended: Option<LeaseEnd>,
}

/// A node, as it is stored. A node that starts again under its name replaces its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub name: Arc<str>,
    pub run: RunId,
    pub version: Arc<str>,
    /// Where others reach it, if it is configured.
    pub url: Option<Arc<str>>,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    /// When it stopped in order.
    pub left_at: Option<Timestamp>,
    /// How much its clock is ahead of the database's.
    pub clock_ahead: SignedDuration,
    /// When somebody asked it to resign, and it has not done so yet.
    pub resign_asked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_to_sixty_four_plain_characters() {
        for (text, fits) in [
            ("main", true),
            ("a", true),
            ("", false),
            (&*"x".repeat(64), true),
            (&*"x".repeat(65), false),
            ("calls-1.eu_west", true),
            ("a b", false),
            ("ä", false),
        ] {
            assert_eq!(text.parse::<GroupName>().is_ok(), fits, "{text}");
        }
        let (main, other) = (GroupName::default(), "south".parse::<GroupName>().unwrap());
        assert_eq!((main.as_str(), "main".parse()), ("main", Ok(main.clone())));
        assert_eq!([main.is_main(), other.is_main()], [true, false]);
    }

    #[test]
    fn the_stored_names_of_ends_never_change() {
        let names = [LeaseEnd::Resigned, LeaseEnd::Expired, LeaseEnd::ProcessEnded].map(LeaseEnd::as_str);
        assert_eq!(names, ["resigned", "expired", "process_ended"]);
    }
}
