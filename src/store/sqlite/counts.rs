//! How many callbacks each tenant has in each state, and how many open ones are abandoned: changed in the transaction that changes a callback, so that
//! nobody has to count.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::rows::{self, collect, first};
use crate::domain::{Outcome, Tenant};
use crate::store::{Census, Result};

const ADD: &str = "INSERT INTO callback_counts (tenant, state, callbacks) VALUES (?1, ?2, ?3) \
     ON CONFLICT (tenant, state) DO UPDATE SET callbacks = callbacks + excluded.callbacks";
pub const ALL: &str = "SELECT state, callbacks FROM callback_counts";
pub const UNFOLDED: &str = "SELECT (SELECT count(*) FROM (SELECT 1 FROM unfolded_reports LIMIT ?1)) \
     + (SELECT count(*) FROM (SELECT 1 FROM commands INDEXED BY commands_pending WHERE outcome IS NULL LIMIT ?1))";
pub const UNMATCHED: &str = "SELECT count(*) FROM (SELECT 1 FROM unmatched_reports LIMIT ?1)";
/// By reading every callback. Slow; it shows that the counts are right.
const RECOUNT: &str = "SELECT tenant, state, count(*) FROM callbacks GROUP BY tenant, state UNION ALL \
     SELECT tenant, 'abandoned', count(*) FROM callbacks \
     WHERE abandoned_at IS NOT NULL AND state IN ('waiting', 'calling') GROUP BY tenant";
const STORED: &str =
    "SELECT tenant, state, callbacks FROM callback_counts WHERE callbacks <> 0 ORDER BY tenant, state";

/// Under what the open callbacks are counted whose last call was answered and served nobody.
const ABANDONED: &str = "abandoned";
const OPEN: [&str; 2] = ["waiting", "calling"];

/// Changes of the counts in one transaction.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<(Tenant, &'static str), i64>);

/// What a callback is counted as.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// As it is stored.
    pub state: &'static str,
    /// Whether the last call was answered and served nobody.
    pub is_abandoned: bool,
}

impl Counts {
    /// A callback stands so from now on.
    pub fn enter(&mut self, tenant: &Tenant, standing: Standing) {
        self.add(tenant, standing, 1);
    }

    /// A callback stood so until now.
    pub fn leave(&mut self, tenant: &Tenant, standing: Standing) {
        self.add(tenant, standing, -1);
    }

    fn add(&mut self, tenant: &Tenant, standing: Standing, change: i64) {
        let is_open = OPEN.contains(&standing.state);
        let abandoned = (standing.is_abandoned && is_open).then_some(ABANDONED);
        for word in std::iter::once(standing.state).chain(abandoned) {
            *self.0.entry((tenant.clone(), word)).or_default() += change;
        }
    }

    pub fn write(self, db: &Connection) -> Result<()> {
        let mut add = db.prepare_cached(ADD)?;
        for ((tenant, state), change) in self.0 {
            if change != 0 {
                add.execute(params![tenant.as_str(), state, change])?;
            }
        }
        Ok(())
    }
}

pub fn census(db: &Connection) -> Result<Census> {
    let mut census = Census::default();
    let counts =
        collect(&mut db.prepare_cached(ALL)?, [], |cells| Ok((cells.take::<String>()?, cells.version()?)))?;
    for (state, count) in counts {
        match state.as_str() {
            "waiting" => census.waiting += count,
            "calling" => census.calling += count,
            ABANDONED => census.abandoned += count,
            word => {
                let outcome: Outcome = rows::parse(word)?;
                if let Some(place) = Outcome::ALL.iter().position(|other| *other == outcome) {
                    census.closed[place] += count;
                }
            }
        }
    }
    let count = |sql| first(&mut db.prepare_cached(sql)?, [Census::REPORTS_MAX], |cells| cells.version());
    census.unfolded_reports = count(UNFOLDED)?.unwrap_or(0);
    census.unmatched_reports = count(UNMATCHED)?.unwrap_or(0);
    Ok(census)
}

/// What is counted wrongly: `tenant, state, stored, true`. Reads every callback.
pub fn wrong(db: &Connection) -> Result<Vec<String>> {
    let read = |sql: &str| {
        collect(&mut db.prepare_cached(sql)?, [], |cells| {
            Ok(((cells.take::<String>()?, cells.take::<String>()?), cells.take::<i64>()?))
        })
        .map(BTreeMap::from_iter)
    };
    let (stored, counted) = (read(STORED)?, read(RECOUNT)?);
    let keys: std::collections::BTreeSet<_> = stored.keys().chain(counted.keys()).collect();
    let number = |counts: &BTreeMap<_, i64>, key| counts.get(key).copied().unwrap_or(0);
    Ok(keys
        .into_iter()
        .filter(|key| number(&stored, key) != number(&counted, key))
        .map(|key| {
            format!("{} {}: {} stored, {} there", key.0, key.1, number(&stored, key), number(&counted, key))
        })
        .collect())
}
