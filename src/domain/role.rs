//! Who signs in: roles as named sets of scopes, and the part of the work that a person may see.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use strum::{EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr};

use super::{Phone, PoolName, Scope, Scopes};

/// What a person may do, as a named set of scopes. Each role includes the ones before it, except that an agent sees
/// own callbacks only, where a viewer sees all.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Reads everything of the tenant, with masked numbers.
    Viewer,
    /// Answers offers, wraps up, and orders and changes own callbacks.
    Agent,
    /// Leads the floor: pauses, campaigns, cancels, suppression.
    Supervisor,
    /// Overrules: resolves, grants permissions, looks after the daemon.
    Operator,
    /// Manages people and erases data.
    Admin,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Every role, the weakest first.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    #[must_use]
    pub fn scopes(self) -> Scopes {
        use Scope::{Admin, Lead, Operate, Order, Own, Read, Reveal, Supervise, Work};
        let scopes: &[Scope] = match self {
            Self::Viewer => &[Read],
            Self::Agent => &[Work, Own],
            Self::Supervisor => &[Order, Read, Reveal, Work, Own, Lead],
            Self::Operator => &[Order, Read, Reveal, Work, Own, Lead, Supervise, Operate],
            Self::Admin => &[Order, Read, Reveal, Work, Own, Lead, Supervise, Operate, Admin],
        };
        scopes.iter().copied().collect()
    }
}

/// The part of a tenant's work that a person may see. An empty set binds nothing; several sets bind together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Names or ids of campaigns, as callbacks name them.
    pub campaigns: BTreeSet<String>,
    pub senders: BTreeSet<Phone>,
    pub pools: BTreeSet<PoolName>,
}

impl Bounds {
    /// The most campaigns, senders and pools together.
    pub const MAX: usize = 100;

    /// Whether the person sees the whole tenant.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.campaigns.is_empty() && self.senders.is_empty() && self.pools.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.campaigns.len().saturating_add(self.senders.len()).saturating_add(self.pools.len())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_all()
    }

    #[must_use]
    pub fn has_campaign(&self, campaign: Option<&str>) -> bool {
        self.campaigns.is_empty() || campaign.is_some_and(|name| self.campaigns.contains(name))
    }

    /// Whether all of these senders are inside: what may use a sender outside is not the person's.
    pub fn have_senders<'a>(&self, senders: impl IntoIterator<Item = &'a Phone>) -> bool {
        self.senders.is_empty() || senders.into_iter().all(|sender| self.senders.contains(sender))
    }

    #[must_use]
    pub fn has_pool(&self, pool: Option<&PoolName>) -> bool {
        self.pools.is_empty() || pool.is_some_and(|pool| self.pools.contains(pool))
    }
}

/// A text that bounds nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected campaign:NAME, sender:+DIGITS or pool:NAME")]
pub struct BoundError;

impl Bounds {
    /// Adds one bound: `campaign:NAME`, `sender:+DIGITS` or `pool:NAME`.
    ///
    /// # Errors
    /// If the text is none of them.
    pub fn add(&mut self, text: &str) -> Result<(), BoundError> {
        let (kind, name) = text.split_once(':').ok_or(BoundError)?;
        let is_plain = (1..=100).contains(&name.len()) && !name.chars().any(|c| c.is_control() || c == '\n');
        match kind {
            "campaign" if is_plain => drop(self.campaigns.insert(name.to_owned())),
            "sender" => drop(self.senders.insert(Phone::parse(name).map_err(|_| BoundError)?)),
            "pool" => drop(self.pools.insert(name.parse().map_err(|_| BoundError)?)),
            _ => return Err(BoundError),
        }
        Ok(())
    }

    /// Each bound as [`Bounds::add`] reads it.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let campaigns = self.campaigns.iter().map(|name| format!("campaign:{name}"));
        let senders = self.senders.iter().map(|sender| format!("sender:{}", sender.e164()));
        campaigns.chain(senders).chain(self.pools.iter().map(|pool| format!("pool:{pool}")))
    }
}

impl FromStr for Bounds {
    type Err = BoundError;

    /// A bound on each line.
    fn from_str(text: &str) -> Result<Self, BoundError> {
        let mut bounds = Self::default();
        text.lines().try_for_each(|line| bounds.add(line))?;
        Ok(bounds)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Vec::from_iter(self.lines()).join("\n"))
    }
}

/// How somebody proved who they are.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[strum(serialize_all = "snake_case")]
pub enum Way {
    /// An API token.
    Token,
    Password,
    /// `OpenID` Connect.
    Oidc,
    /// The header of a trusted proxy.
    Proxy,
    /// No sign-in is configured, and the request came from this machine.
    Loopback,
    /// A command on the daemon's machine.
    Machine,
}

impl Way {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Whether a text can name a person: 1 to 64 of `a-z`, `0-9`, `.`, `-`, `_`, `+` and `@`. The name has no slash, so that
/// `person/NAME` is no name of a token.
#[must_use]
pub fn is_name_of_person(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_+@".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stronger_role_may_do_what_a_weaker_one_may_and_only_an_agent_reads_less_than_a_viewer() {
        let roles: Vec<Role> = Role::all().collect();
        for pair in roles.windows(2) {
            let (weaker, stronger) = (pair[0].scopes(), pair[1].scopes());
            let missing: Vec<Scope> = weaker.iter().filter(|scope| !stronger.contains(*scope)).collect();
            let expected: &[Scope] = if pair[0] == Role::Viewer { &[Scope::Read] } else { &[] };
            assert_eq!(missing, expected, "{pair:?}");
        }
        assert!(!Role::Operator.scopes().contains(Scope::Admin));
        assert!(!Role::Viewer.scopes().contains(Scope::Reveal));
        assert!(!Role::Agent.scopes().contains(Scope::Reveal));
    }

    #[test]
    fn bounds_read_back_what_they_write() {
        let text = "campaign:spring\nsender:+551151991234\npool:night";
        let bounds: Bounds = text.parse().unwrap();
        assert_eq!(bounds.to_string(), text);
        assert_eq!(bounds.len(), 3);
        assert_eq!("".parse(), Ok(Bounds::default()));
        for wrong in ["spring", "campaign:", "sender:spring", "pool:a b", "tenant:x"] {
            assert_eq!(wrong.parse::<Bounds>(), Err(BoundError), "{wrong}");
        }
    }

    #[test]
    fn each_set_of_bounds_binds_and_an_empty_one_does_not() {
        let sender = |text: &str| Phone::parse(text).unwrap();
        let bounds: Bounds = "campaign:spring\nsender:+551151991234".parse().unwrap();
        assert!(bounds.has_campaign(Some("spring")));
        assert!(!bounds.has_campaign(Some("autumn")));
        assert!(!bounds.has_campaign(None), "an order of no campaign is of another client");
        assert!(bounds.have_senders([&sender("+551151991234")]));
        assert!(!bounds.have_senders([&sender("+551151991234"), &sender("+4930123456")]));
        assert!(bounds.has_pool(None));
        assert!(Bounds::default().have_senders([&sender("+4930123456")]));
    }

    #[test]
    fn a_name_of_a_person_is_short_and_plain() {
        for name in ["ana", "ana.souza@example.com", &"a".repeat(64)] {
            assert!(is_name_of_person(name), "{name}");
        }
        for name in ["", "Ana", "a/b", "a b", "ana\n", &"a".repeat(65)] {
            assert!(!is_name_of_person(name), "{name}");
        }
    }
}
