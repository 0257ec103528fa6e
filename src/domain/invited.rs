//! What is kept of invites: by which road a consumer was invited, which roads failed, whom a page of Messenger knows,
//! and what a platform restricts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

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

/// A road by which an invite of a callback failed. It is not tried again for this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoadFailure {
    pub road: RoadName,
    /// The platform's code, if it gave one.
    pub code: Option<ErrorCode>,
}

/// A calling link of a callback that was given out. Who has it knows of the callback, so a call to this sender after that
/// time is about the callback, whether or not the platform tells the link's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkGiven {
    /// The sender that the link calls. It may be another one than those of the order.
    pub sender: Phone,
    /// When the first one to this sender was given out.
    pub at: Timestamp,
}

impl LinkGiven {
    /// To so many senders of one callback links may be given out (our rule).
    pub const SENDERS_MAX: usize = 8;
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
    /// The consumers that orders have named with this id, each with a sender that invites through the page; at most
    /// [`Self::CONSUMERS_MAX`]. Several are a mistake of somebody, or the numbers of one person. Which one the page knows
    /// is not certain then, so a no counts for all of them, and a yes for none.
    pub numbers: Vec<Numbers>,
    /// When the person last wrote to the page, which opens its window.
    pub wrote_at: Option<Timestamp>,
    /// When the person wrote STOP to the page, or a word for it, and has not written START since.
    pub stopped_at: Option<Timestamp>,
}

impl Contact {
    /// Somebody of whom nothing is stored.
    #[must_use]
    pub fn unknown((account, psid): ContactKey) -> Self {
        Self { account, psid, version: 0, numbers: Vec::new(), wrote_at: None, stopped_at: None }
    }

    /// The most consumers of one id (our rule).
    pub const CONSUMERS_MAX: usize = 16;

    /// The numbers of the consumers that orders have named.
    pub fn consumers(&self) -> impl Iterator<Item = Phone> {
        self.numbers.iter().map(|numbers| numbers.consumer)
    }

    #[must_use]
    pub fn key(&self) -> ContactKey {
        (self.account.clone(), self.psid.clone())
    }
}

/// What a restriction stops. The names are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Restricted {
    /// Every call and message.
    #[default]
    Everything,
    /// One part of what a sender does.
    Placed,
    /// The other part.
    Buttons,
    /// Both parts: calls in both directions. Messages without a call button go on.
    Calls,
}

impl Restricted {
    /// The parts that it stops; none if it stops everything.
    #[must_use]
    pub const fn parts(self) -> &'static [SenderPart] {
        match self {
            Self::Everything => &[],
            Self::Placed => &[SenderPart::Placed],
            Self::Buttons => &[SenderPart::Buttons],
            Self::Calls => &SenderPart::ALL,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A part of what a sender does, which a platform can restrict alone. The names are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SenderPart {
    /// Calls that we place, and requests for their permission.
    Placed,
    /// Invites by which the consumer calls at once. The consumer's call would not arrive.
    Buttons,
}

impl SenderPart {
    pub const ALL: [Self; 2] = [Self::Placed, Self::Buttons];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a platform restricts: everything of an account, or one sender of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    pub account: AccountAlias,
    pub sender: Option<Phone>,
    pub what: Restricted,
    /// The platform's reason; `None` if every restriction of the account or the sender has ended.
    pub why: Option<Arc<str>>,
    /// When it ends by itself; `None` if the platform has not said.
    pub until: Option<Timestamp>,
    /// When the platform says that it began or ended, which orders reports that overtake each other; `None` if it does
    /// not say.
    pub told_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;
    use crate::domain::callback::Waiting;
    use crate::domain::{Callback, CallbackId, Order, Reason, State};

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

    #[test]
    fn a_consumer_knows_of_it_since_the_invite_or_the_link_to_the_sender() {
        let [own, other, stranger] =
            ["+551151991234", "+552125550100", "+4930123456"].map(|text| Phone::parse(text).unwrap());
        let at = |second| Timestamp::constant(1_790_000_000, 0) + SignedDuration::from_secs(second);
        let order = Order::new(Phone::parse("+5511987654321").unwrap(), vec![own], "message", at(0), at(99));
        let state = State::Waiting(Waiting { wake_at: at(0), place: None, note: Reason::Ready.note() });
        let mut callback = Callback::new(CallbackId::new(Uuid::from_u128(1)), at(0), order, state);
        let since = |callback: &Callback| [own, other, stranger].map(|sender| callback.known_since(sender));
        assert_eq!(since(&callback), [None; 3]);
        callback.links = vec![LinkGiven { sender: other, at: at(20) }];
        assert_eq!(since(&callback), [None, Some(at(20)), None], "a link counts for its sender");
        callback.invited_at = Some(at(10));
        assert_eq!(since(&callback), [Some(at(10)), Some(at(20)), None], "an invite for those of the order");
        for (linked, earlier) in [(9, 9), (10, 10), (11, 10)] {
            callback.links = vec![LinkGiven { sender: own, at: at(linked) }];
            assert_eq!(callback.known_since(own), Some(at(earlier)));
        }
    }
}
