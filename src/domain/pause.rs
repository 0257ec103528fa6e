//! Pauses: an operator's word that no call, permission request or invite leaves for a while; and content that a platform
//! does not send for a while.
//!
//! Nothing else stops: calls in progress go on, consumers' calls are answered, deadlines pass.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumDiscriminants, EnumString, IntoStaticStr};

use super::{AccountAlias, CampaignId, ContentRef, PauseId, Phone, Reason, Tenant};

/// One pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    pub id: PauseId,
    pub scope: PauseScope,
    /// The tenant of the token that it was set with.
    pub tenant: Tenant,
    /// The name of that token; [`Pause::PLATFORM`] for content.
    pub who: Arc<str>,
    /// At most 200 bytes without control characters.
    pub why: Arc<str>,
    /// When it was set.
    pub from: Timestamp,
    /// The first moment at which it is over; `None` until somebody lifts it.
    pub until: Option<Timestamp>,
}

/// Whose calls, requests and invites a pause holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EnumDiscriminants)]
#[strum_discriminants(
    name(PauseKind),
    derive(EnumString, IntoStaticStr),
    strum(serialize_all = "snake_case")
)]
pub enum PauseScope {
    /// Everybody's.
    All,
    /// Those of all senders of an account.
    Account(AccountAlias),
    Sender(Phone),
    /// Those to the consumer with this number, under every name by which the person is known.
    Person(Phone),
    /// Those of a campaign.
    Campaign(CampaignId),
    /// Those of a campaign that is not launched. Only its launch or its end lifts it.
    Draft(CampaignId),
    /// Those of a canceled campaign, until they are closed.
    Canceled(CampaignId),
    /// Messages with this content by this account. Only the platform causes such a pause, by refusing the content.
    Content(AccountAlias, ContentRef),
}

impl PauseKind {
    pub const ALL: [Self; 8] = [
        Self::All,
        Self::Account,
        Self::Sender,
        Self::Person,
        Self::Campaign,
        Self::Draft,
        Self::Canceled,
        Self::Content,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl PauseScope {
    #[must_use]
    pub fn kind(&self) -> PauseKind {
        self.into()
    }

    /// The campaign whose callbacks it holds.
    #[must_use]
    pub const fn campaign(&self) -> Option<CampaignId> {
        match self {
            Self::Campaign(id) | Self::Draft(id) | Self::Canceled(id) => Some(*id),
            Self::All | Self::Account(_) | Self::Sender(_) | Self::Person(_) | Self::Content(..) => None,
        }
    }
}

impl Pause {
    /// Who pauses content.
    pub const PLATFORM: &'static str = "platform";
    /// Who pauses a campaign by its breaker.
    pub const OURS: &'static str = "ringmaster";

    /// Whether a breaker set it.
    #[must_use]
    pub fn is_of_a_breaker(&self) -> bool {
        matches!(self.scope, PauseScope::Campaign(_)) && &*self.who == Self::OURS
    }

    /// Whether it holds anything at `now`. A clock that stepped back to before its begin does not end it.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// When it ends, where never is the latest.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.until.unwrap_or(Timestamp::MAX)
    }

    /// Why a callback that it holds waits.
    #[must_use]
    pub fn reason(&self) -> Reason {
        if let PauseScope::Content(_, content) = &self.scope {
            let (content, why) = (content.clone(), Arc::clone(&self.why));
            return Reason::ContentPaused { content, until: self.ends_at(), why };
        }
        Reason::Paused {
            scope: self.scope.kind(),
            who: Arc::clone(&self.who),
            why: Arc::clone(&self.why),
            until: self.until,
        }
    }
}

impl fmt::Display for PauseScope {
    /// The stored form. It can have a whole number, so it must not be shown or logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Account(alias) => write!(f, "account:{alias}"),
            Self::Sender(number) => write!(f, "sender:{}", number.digits()),
            Self::Person(number) => write!(f, "person:{}", number.digits()),
            Self::Campaign(id) => write!(f, "campaign:{id}"),
            Self::Draft(id) => write!(f, "draft:{id}"),
            Self::Canceled(id) => write!(f, "canceled:{id}"),
            // The reference has no blank; the name of an account may have one.
            Self::Content(alias, content) => write!(f, "content:{content} {alias}"),
        }
    }
}

/// A text that is not the stored form of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the scope of a pause")]
pub struct UnknownScope;

impl FromStr for PauseScope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let number = |digits: &str| Phone::told(digits).map_err(|_| UnknownScope);
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            Some(("account", alias)) => Ok(Self::Account(alias.into())),
            Some(("sender", digits)) => number(digits).map(Self::Sender),
            Some(("person", digits)) => number(digits).map(Self::Person),
            Some(("campaign", id)) => id.parse().map(Self::Campaign).map_err(|_| UnknownScope),
            Some(("draft", id)) => id.parse().map(Self::Draft).map_err(|_| UnknownScope),
            Some(("canceled", id)) => id.parse().map(Self::Canceled).map_err(|_| UnknownScope),
            Some(("content", rest)) => {
                let (content, alias) = rest.split_once(' ').ok_or(UnknownScope)?;
                Ok(Self::Content(alias.into(), content.parse().map_err(|_| UnknownScope)?))
            }
            _ => Err(UnknownScope),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_scope_reads_back_what_it_writes() {
        let number = Phone::parse("+551151991234").unwrap();
        let campaign = CampaignId::new(Uuid::from_u128(7));
        for (scope, kind) in [
            (PauseScope::All, "all"),
            (PauseScope::Account("main: two".into()), "account"),
            (PauseScope::Sender(number), "sender"),
            (PauseScope::Person(number), "person"),
            (PauseScope::Campaign(campaign), "campaign"),
            (PauseScope::Draft(campaign), "draft"),
            (PauseScope::Canceled(campaign), "canceled"),
            (PauseScope::Content("main: two".into(), "call_us:a/pt_BR".parse().unwrap()), "content"),
        ] {
            assert_eq!(scope.to_string().parse(), Ok(scope.clone()));
            assert_eq!(scope.kind().as_str(), kind);
        }
        for text in
            ["", "ALL", "all:", "sender:", "person:+55", "campaign:spring", "content:HX1", "content: main"]
        {
            assert_eq!(text.parse::<PauseScope>(), Err(UnknownScope), "{text:?}");
        }
    }

    #[test]
    fn a_pause_is_over_exactly_at_its_end() {
        let end = Timestamp::constant(1_790_000_000, 0);
        let tick = SignedDuration::from_micros(1);
        let mut pause = Pause {
            id: PauseId::new(Uuid::from_u128(1)),
            scope: PauseScope::All,
            tenant: Tenant::default(),
            who: "ops".into(),
            why: "a fire drill".into(),
            from: end - SignedDuration::from_hours(1),
            until: Some(end),
        };
        let in_force = |pause: &Pause| [end - tick, end, end + tick].map(|now| pause.is_in_force(now));
        assert_eq!(in_force(&pause), [true, false, false]);
        assert!(pause.is_in_force(pause.from - SignedDuration::from_hours(9)));
        pause.until = None;
        assert_eq!(in_force(&pause), [true; 3]);
        assert_eq!(pause.ends_at(), Timestamp::MAX);
    }
}
