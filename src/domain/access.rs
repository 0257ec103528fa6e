//! Who may do what through the API: tenants, scopes, and the limits of one API token.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use strum::{EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr};

/// Who owns callbacks. A token belongs to one tenant and sees the callbacks of that tenant only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tenant(Option<Arc<str>>);

/// A text that names no tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {} letters, digits, \"-\", \"_\" or \".\"", Tenant::LENGTH_MAX)]
pub struct TenantError;

impl Tenant {
    /// The tenant of every callback and token that names none.
    pub const DEFAULT: &'static str = "default";
    /// The longest name, in bytes.
    pub const LENGTH_MAX: usize = 64;

    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::DEFAULT)
    }
}

impl FromStr for Tenant {
    type Err = TenantError;

    fn from_str(name: &str) -> Result<Self, TenantError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if !(1..=Self::LENGTH_MAX).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(TenantError);
        }
        Ok(Self((name != Self::DEFAULT).then(|| name.into())))
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// What a token may do. Scopes do not contain each other: a token has each one that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Order callbacks, cancel and reschedule them.
    Order,
    /// Read callbacks, attempts, messages, permissions, senders and limits.
    Read,
    /// See phone numbers of consumers; without it every answer masks them.
    Reveal,
    /// Do what an agent does after a conversation: record that a consumer does not want to be called.
    Work,
    /// Work with own callbacks: order them, look at them, cancel and reschedule them.
    Own,
    /// Lead the floor: pause, look after campaigns and suppression lists.
    Lead,
    /// Overrule: grant a permission, allow one more attempt, resolve an attempt or a message.
    Supervise,
    /// Look after the daemon: its status and the customer webhooks.
    Operate,
    /// What cannot be undone: erase the data of a person; people who sign in, and the audit log. Tokens are made on the
    /// daemon's machine.
    Admin,
}

impl Scope {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u16);

impl Scopes {
    /// The default scopes of a token: all except [`Scope::Admin`], and except those of people whose routes the others open
    /// too.
    #[must_use]
    pub fn usual() -> Self {
        let is_usual = |scope: &Scope| !matches!(scope, Scope::Admin | Scope::Own | Scope::Lead);
        Scope::iter().filter(is_usual).collect()
    }

    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// In the order of [`Scope`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u8))
    }
}

impl fmt::Display for Scopes {
    /// Names with commas between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&names.join(","))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Scopes {
    type Err = strum::ParseError;

    fn from_str(names: &str) -> Result<Self, strum::ParseError> {
        names.split(',').filter(|name| !name.is_empty()).map(str::parse).collect()
    }
}

/// Ceilings of one token; `None` is no ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenLimits {
    /// API requests a second, with a burst of as many.
    pub requests_per_second: Option<u32>,
    /// Callbacks ordered in any 24 hours.
    pub orders_per_day: Option<u32>,
    /// Calls placed in any 24 hours for the callbacks of all tokens of its name.
    pub calls_per_day: Option<u32>,
    /// Permission requests sent in any 24 hours for them.
    pub requests_per_day: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_what_they_write() {
        let usual = Scopes::usual();
        assert_eq!(usual.to_string(), "order,read,reveal,work,supervise,operate");
        assert_eq!(usual.to_string().parse(), Ok(usual));
        assert_eq!("".parse(), Ok(Scopes::default()));
        assert!("read,everything".parse::<Scopes>().is_err());
        for scope in Scope::iter() {
            let one = Scopes::from_iter([scope]);
            assert!(Scope::iter().all(|other| one.contains(other) == (other == scope)), "{scope:?}");
        }
    }

    #[test]
    fn a_tenant_is_a_plain_name_and_the_default_one_is_the_default() {
        assert_eq!("default".parse(), Ok(Tenant::default()));
        assert_eq!("shop-1".parse::<Tenant>().unwrap().as_str(), "shop-1");
        assert!("a".repeat(Tenant::LENGTH_MAX).parse::<Tenant>().is_ok());
        for name in ["", "a b", "a\n", "a/b", &"a".repeat(Tenant::LENGTH_MAX + 1)] {
            assert_eq!(name.parse::<Tenant>(), Err(TenantError), "{name:?}");
        }
    }
}
