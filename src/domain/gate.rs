//! Gates: scarce resources for which callbacks wait.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::{
    AccountAlias, CalendarName, CampaignId, PauseId, Phone, Priority, Resource, SenderPart, TokenName,
    TokenUse,
};

/// A scarce resource for which callbacks wait. A callback waits at one gate, and is not read again until the
/// gate opens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// One more of a resource that is used up.
    Room(Resource),
    /// One more offer to agents: as many as there is room for calls. Calls do not wait here.
    Offer(Resource),
    /// The account's next call slot, or the end of its pause.
    Account(AccountAlias),
    /// The end of the sender's pause.
    Rest(Phone),
    /// The end of a restriction of a part of what the sender does.
    Part(Phone, SenderPart),
    /// The end of an operator's pause.
    Pause(PauseId),
    /// A change of the calendar by which a day may have opened; see [`Calendars::version`](super::Calendars::version).
    Calendar(CalendarName, u64),
    /// The next call that the pace of the campaign allows.
    Pace(CampaignId),
    /// One more call or request of the token in 24 hours.
    Token(TokenName, TokenUse),
    /// The first of these to open, for callbacks with several senders; created by [`Gate::or`].
    Any(BTreeSet<Gate>),
}

impl Gate {
    /// A free slot of the sender.
    #[must_use]
    pub const fn sender(number: Phone) -> Self {
        Self::Room(Resource::Sender(number))
    }

    /// A free slot of the campaign.
    #[must_use]
    pub fn campaign(name: &str) -> Self {
        Self::Room(Resource::campaign(name))
    }

    /// A gate that opens when either opens.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let mut parts = self.parts();
        parts.append(&mut other.parts());
        if parts.len() > 1 { Self::Any(parts) } else { parts.pop_first().unwrap_or(Self::Any(parts)) }
    }

    fn parts(self) -> BTreeSet<Self> {
        match self {
            Self::Any(parts) => parts,
            gate => BTreeSet::from([gate]),
        }
    }

    /// The tokens in it.
    pub fn tokens(&self) -> impl Iterator<Item = &TokenName> {
        let (one, parts) = match self {
            Self::Any(parts) => (None, Some(parts)),
            gate => (Some(gate), None),
        };
        let gates = one.into_iter().chain(parts.into_iter().flatten());
        gates.filter_map(|gate| match gate {
            Self::Token(token, _) => Some(token),
            _ => None,
        })
    }

    /// Whether it opens when the other does.
    #[must_use]
    pub fn opens_with(&self, other: &Self) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.opens_with(other)),
            Self::Room(resource) => matches!(other, Self::Room(free) if resource.opens_with(free)),
            Self::Offer(resource) => {
                matches!(other, Self::Room(free) | Self::Offer(free) if resource.opens_with(free))
            }
            gate => gate == other,
        }
    }
}

impl fmt::Display for Gate {
    /// The stored form. It has the sender's whole number, so it must not be shown or logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // "account:" is the gate of its pace.
            Self::Room(Resource::Account(alias)) => write!(f, "calls:{alias}"),
            Self::Room(resource) => resource.fmt(f),
            Self::Offer(resource) => write!(f, "offer:{resource}"),
            Self::Account(alias) => write!(f, "account:{alias}"),
            Self::Pause(id) => write!(f, "pause:{id}"),
            Self::Calendar(name, version) => write!(f, "calendar:{version}:{name}"),
            Self::Rest(number) => write!(f, "rest:{}", number.digits()),
            Self::Part(number, part) => write!(f, "part:{}:{}", part.as_str(), number.digits()),
            Self::Pace(id) => write!(f, "pace:{id}"),
            Self::Token(token, what) => write!(f, "token:{}:{token}", what.as_str()),
            // Names have no line breaks.
            Self::Any(parts) => {
                let parts: Vec<String> = parts.iter().map(Self::to_string).collect();
                f.write_str(&parts.join("\n"))
            }
        }
    }
}

impl FromStr for Gate {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.contains('\n') {
            return text.split('\n').map(str::parse).collect::<Result<_, _>>().map(Self::Any);
        }
        match text.split_once(':') {
            Some(("offer", resource)) => resource.parse().map(Self::Offer).map_err(|_| ()),
            Some(("rest", digits)) => digits.parse().map(Phone::from_stored).map(Self::Rest).map_err(|_| ()),
            Some(("part", rest)) => {
                let (part, digits) = rest.split_once(':').ok_or(())?;
                let number = digits.parse().map(Phone::from_stored).map_err(|_| ())?;
                Ok(Self::Part(number, part.parse().map_err(|_| ())?))
            }
            Some(("pace", id)) => id.parse().map(Self::Pace).map_err(|_| ()),
            Some(("pause", id)) => id.parse().map(Self::Pause).map_err(|_| ()),
            Some(("calendar", rest)) => {
                let (version, name) = rest.split_once(':').ok_or(())?;
                Ok(Self::Calendar(name.parse().map_err(|_| ())?, version.parse().map_err(|_| ())?))
            }
            Some(("account", alias)) => Ok(Self::Account(alias.into())),
            Some(("calls", alias)) => Ok(Self::Room(Resource::Account(alias.into()))),
            Some(("token", rest)) => {
                let (what, token) = rest.split_once(':').ok_or(())?;
                Ok(Self::Token(token.parse()?, what.parse().map_err(|_| ())?))
            }
            _ => text.parse().map(Self::Room).map_err(|_| ()),
        }
    }
}

/// A place at a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub gate: Gate,
    /// Callbacks of a lower class go first; of the same class, those whose dialling window ends first. `None`: the class
    /// is the priority; see [`Place::class`].
    pub aged: Option<i64>,
    /// The end of the dialling window.
    pub expires_at: Timestamp,
}

impl Place {
    /// The class of a callback of this priority: of several, the lowest goes first.
    #[must_use]
    pub fn class(aged: Option<i64>, priority: Priority) -> i64 {
        aged.unwrap_or_else(|| -i64::from(priority.level()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_reads_back_what_it_writes() {
        for gate in [
            Gate::sender(Phone::parse("+551151991234").unwrap()),
            Gate::Account("main".into()),
            Gate::Room(Resource::Account("main".into())),
            Gate::campaign("spring: one, two"),
            Gate::Room(Resource::Pool("shop/support".parse().unwrap())),
            Gate::Offer(Resource::Pool("shop/support".parse().unwrap())),
            Gate::Rest(Phone::parse("+551151991234").unwrap()),
            Gate::Part(Phone::parse("+551151991234").unwrap(), SenderPart::Placed),
            Gate::Part(Phone::parse("+551151991234").unwrap(), SenderPart::Buttons),
            Gate::Pause(PauseId::new(uuid::Uuid::from_u128(7))),
            Gate::Pace(CampaignId::new(uuid::Uuid::from_u128(7))),
            Gate::Calendar("BR-SP".parse().unwrap(), u64::MAX),
            Gate::Token("shop/crm".parse().unwrap(), TokenUse::Request),
            Gate::Account("main".into()).or(Gate::campaign("spring: one, two")),
        ] {
            assert_eq!(gate.to_string().parse(), Ok(gate));
        }
        assert_eq!("account:main\nnowhere".parse::<Gate>(), Err(()));
    }

    #[test]
    fn a_gate_of_offers_opens_with_calls_and_offers_and_that_of_calls_with_calls() {
        let calls = Gate::sender(Phone::parse("+551151991234").unwrap());
        let Gate::Room(resource) = calls.clone() else { panic!("it is one of a resource") };
        let offers = Gate::Offer(resource);
        assert!(offers.opens_with(&offers) && offers.opens_with(&calls));
        assert!(!calls.opens_with(&offers));
    }

    #[test]
    fn a_gate_of_several_opens_with_each_of_them() {
        let [one, two, three] = ["one", "two", "three"].map(|name| Gate::Account(name.into()));
        let either = one.clone().or(two.clone());
        assert_eq!(either, two.clone().or(one.clone()));
        assert!(either.opens_with(&one) && either.opens_with(&two) && !either.opens_with(&three));
        assert!(one.opens_with(&one) && !one.opens_with(&two));
        assert_eq!(one.clone().or(one.clone()), one, "of one there is nothing to choose");
        assert_eq!(either.clone().or(three.clone()), one.or(two.or(three)));
    }
}
