//! Pools of agents: how many of their seats our calls may take, as somebody outside feeds it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Tenant;

/// 1 to 64 letters, digits, `-`, `_` and `.`, such as `support`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolName(Arc<str>);

/// Why a text is no name of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no name of a pool: expected 1 to {} letters, digits, \"-\", \"_\" and \".\", but not \".\" or \"..\" alone",
    PoolName::LENGTH_MAX
)]
pub struct NoPoolName;

impl PoolName {
    /// The longest name, in bytes.
    pub const LENGTH_MAX: usize = 64;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that somebody gives. `.` and `..` are none: a path of the API cannot end with them. Stored names may be older
    /// than this rule.
    ///
    /// # Errors
    /// If it is no name.
    pub fn given(text: &str) -> Result<Self, NoPoolName> {
        if matches!(text, "." | "..") { Err(NoPoolName) } else { text.parse() }
    }
}

impl FromStr for PoolName {
    type Err = NoPoolName;

    fn from_str(text: &str) -> Result<Self, NoPoolName> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let fits = (1..=Self::LENGTH_MAX).contains(&text.len()) && text.bytes().all(plain);
        if fits { Ok(Self(text.into())) } else { Err(NoPoolName) }
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A pool of a tenant. Two tenants may use one name for two pools.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolKey {
    pub tenant: Tenant,
    pub name: PoolName,
}

impl fmt::Display for PoolKey {
    /// The stored form, such as `default/support`. No tenant has a slash in its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.name)
    }
}

impl FromStr for PoolKey {
    type Err = NoPoolName;

    fn from_str(text: &str) -> Result<Self, NoPoolName> {
        let (tenant, name) = text.split_once('/').ok_or(NoPoolName)?;
        Ok(Self { tenant: tenant.parse().map_err(|_| NoPoolName)?, name: name.parse()? })
    }
}

/// What somebody outside says of the seats of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// So many seats in all. Every seat that our calls hold is subtracted.
    Seats(u32),
    /// So many agents were free at the moment of the feed. The seats are subtracted whose agents were not busy with our
    /// call by then.
    Free(u32),
}

impl Figure {
    #[must_use]
    pub const fn count(self) -> u32 {
        match self {
            Self::Seats(count) | Self::Free(count) => count,
        }
    }

    /// `seats` or `free`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Seats(_) => "seats",
            Self::Free(_) => "free",
        }
    }
}

/// A pool as it was last fed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub key: PoolKey,
    pub figure: Figure,
    /// The moment of which the figure tells.
    pub as_of: Timestamp,
    /// The first moment at which the figure holds no more. From then on the pool has no seat.
    pub valid_until: Timestamp,
    /// Seats that are kept back, for calls of consumers that take one while ours ring.
    pub headroom: u32,
    /// How long a seat is held after a call that the consumer answered, unless the agent is done earlier.
    pub wrap_up: SignedDuration,
    /// The name of the API token that fed it, or of its source in the configuration.
    pub by: Arc<str>,
    /// Why the source of the configuration feeds it no more.
    pub fault: Option<Arc<str>>,
}

impl Pool {
    /// The most pools, of all tenants.
    pub const MOST: usize = 1_000;
    /// The most pools of one tenant.
    pub const MOST_OF_A_TENANT: usize = 200;
    /// The most seats of a pool, and the most that are kept back.
    pub const SEATS_MOST: u32 = 10_000;
    /// How long a figure may hold.
    pub const VALID_LONGEST: SignedDuration = SignedDuration::from_secs(120);
    /// How long a seat may be held after a call.
    pub const WRAP_UP_LONGEST: SignedDuration = SignedDuration::from_secs(3_600);
    /// Seats that are kept back, unless the feed says otherwise.
    pub const HEADROOM_DEFAULT: u32 = 1;

    /// Whether its figure holds at `now`.
    #[must_use]
    pub fn is_fed(&self, now: Timestamp) -> bool {
        now < self.valid_until
    }

    /// The command that feeds it so.
    #[must_use]
    pub const fn as_fed(&self) -> PoolAct {
        PoolAct::Feed {
            figure: self.figure,
            as_of: self.as_of,
            valid_until: self.valid_until,
            headroom: self.headroom,
            wrap_up: self.wrap_up,
        }
    }

    /// The seats that our calls may hold while the figure holds.
    #[must_use]
    pub const fn usable(&self) -> u32 {
        self.figure.count().saturating_sub(self.headroom)
    }
}

/// A change of a pool, for the scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolCommand {
    pub pool: PoolKey,
    /// The name of the API token, or of the source in the configuration.
    pub by: Arc<str>,
    pub act: PoolAct,
}

/// What becomes of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolAct {
    Feed {
        figure: Figure,
        as_of: Timestamp,
        valid_until: Timestamp,
        headroom: u32,
        wrap_up: SignedDuration,
    },
    /// Its source failed: what it fed is over.
    Fail {
        why: Arc<str>,
    },
    Remove,
}

/// All pools that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pools(BTreeMap<PoolKey, Pool>);

impl Pools {
    #[must_use]
    pub fn get(&self, key: &PoolKey) -> Option<&Pool> {
        self.0.get(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Pool> {
        self.0.values()
    }

    /// Those of a tenant, by name.
    pub fn of_tenant<'p>(&'p self, tenant: &'p Tenant) -> impl Iterator<Item = &'p Pool> {
        self.0.values().filter(move |pool| pool.key.tenant == *tenant)
    }

    /// Whether one more pool of this tenant may be made.
    #[must_use]
    pub fn has_room(&self, tenant: &Tenant) -> bool {
        self.0.len() < Pool::MOST && self.of_tenant(tenant).count() < Pool::MOST_OF_A_TENANT
    }

    pub fn set(&mut self, pool: Pool) {
        self.0.insert(pool.key.clone(), pool);
    }

    /// Whether there was one.
    pub fn remove(&mut self, key: &PoolKey) -> bool {
        self.0.remove(key).is_some()
    }
}

impl FromIterator<Pool> for Pools {
    fn from_iter<T: IntoIterator<Item = Pool>>(pools: T) -> Self {
        Self(pools.into_iter().map(|pool| (pool.key.clone(), pool)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        let longest = "p".repeat(PoolName::LENGTH_MAX);
        for name in ["a", "support", "Support-2_b.c", &longest] {
            assert_eq!(name.parse::<PoolName>().unwrap().as_str(), name);
        }
        for name in ["", "two words", "a/b", "é", &format!("{longest}p")] {
            assert_eq!(name.parse::<PoolName>(), Err(NoPoolName), "{name:?}");
        }
        let given = |name| PoolName::given(name).is_ok();
        assert_eq!([".", "..", "...", ".a", "a/b"].map(given), [false, false, true, true, false]);
    }

    #[test]
    fn a_key_reads_back_what_it_writes() {
        for text in ["default/support", "shop.one/support"] {
            assert_eq!(text.parse::<PoolKey>().unwrap().to_string(), text);
        }
        for text in ["support", "/support", "shop/", "shop/a/b"] {
            assert_eq!(text.parse::<PoolKey>(), Err(NoPoolName), "{text:?}");
        }
    }

    #[test]
    fn a_tenant_may_have_so_many_pools_and_others_still_find_room() {
        let (shop, other): (Tenant, Tenant) = ("shop".parse().unwrap(), "other".parse().unwrap());
        let pool = |index: usize| Pool {
            key: PoolKey { tenant: shop.clone(), name: format!("p{index}").parse().unwrap() },
            figure: Figure::Seats(1),
            as_of: Timestamp::UNIX_EPOCH,
            valid_until: Timestamp::UNIX_EPOCH,
            headroom: 1,
            wrap_up: SignedDuration::ZERO,
            by: "acd".into(),
            fault: None,
        };
        let mut pools: Pools = (1..Pool::MOST_OF_A_TENANT).map(pool).collect();
        assert!(pools.has_room(&shop));
        pools.set(pool(0));
        assert!(!pools.has_room(&shop) && pools.has_room(&other));
        assert!(pools.remove(&pool(0).key) && !pools.remove(&pool(0).key));
        assert!(pools.has_room(&shop));
    }
}
