//! What is kept of invites: by which road a consumer was invited, which roads failed, whom a page of Messenger knows,
//! and what a platform restricts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;

use super::{AccountAlias, ErrorCode, Numbers, Phone, Psid, Road, RoadKind};

/// A road without its content: the kind of message, and the account that sends it. Its stored form is `kind:alias`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoadName {
    pub kind: RoadKind,
    pub account: AccountAlias,
}

impl RoadName {
    #[must_use]
    pub fn of(road: &Road) -> Self {
        Self { kind: road.kind, account: road.account.clone() }
    }
}

impl fmt::Display for RoadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.account)
    }
}

impl FromStr for RoadName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, account) = text.split_once(':').ok_or(())?;
        Ok(Self { kind: kind.parse().map_err(|_| ())?, account: account.into() })
    }
}

/// A road by which an invite of a callback failed. It is not tried again for this callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoadFailure {
    pub road: RoadName,
    /// The platform's code, if it gave one.
    pub code: Option<ErrorCode>,
}

/// The account of a page, and the page's id of a person.
pub type ContactKey = (AccountAlias, Psid);

/// A person as a page of Messenger knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub account: AccountAlias,
    pub psid: Psid,
    /// Incremented by each change. A write based on an older version is refused.
    pub version: u64,
    /// A sender and the consumer's number, from the last order that named this id; `None` before the first.
    pub numbers: Option<Numbers>,
    /// When the person last wrote to the page, which opens its window.
    pub wrote_at: Option<Timestamp>,
    /// When the person wrote STOP to the page, or a word for it, and has not written START since.
    pub stopped_at: Option<Timestamp>,
}

impl Contact {
    /// Somebody of whom nothing is stored.
    #[must_use]
    pub fn unknown((account, psid): ContactKey) -> Self {
        Self { account, psid, version: 0, numbers: None, wrote_at: None, stopped_at: None }
    }

    /// The consumer's number, if an order has named it.
    #[must_use]
    pub fn number(&self) -> Option<Phone> {
        self.numbers.map(|numbers| numbers.consumer)
    }

    #[must_use]
    pub fn key(&self) -> ContactKey {
        (self.account.clone(), self.psid.clone())
    }
}

/// What a platform restricts: everything of an account, or one sender of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    pub account: AccountAlias,
    pub sender: Option<Phone>,
    /// The platform's reason; `None` if the restriction has ended.
    pub why: Option<Arc<str>>,
    /// When it ends by itself; `None` if the platform has not said.
    pub until: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_road_is_read_as_it_is_written() {
        for kind in RoadKind::ALL {
            let name = RoadName { kind, account: "cloud-1".into() };
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        assert_eq!(
            "call_button:cloud".parse(),
            Ok(RoadName { kind: RoadKind::CallButton, account: "cloud".into() })
        );
        for text in ["", "call_button", "pigeon:cloud", ":cloud"] {
            assert_eq!(text.parse::<RoadName>(), Err(()), "{text}");
        }
    }
}
