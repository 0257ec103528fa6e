//! How many callbacks and how many invites each tenant has in each state, how many open ones are abandoned, and how many
//! wait in each partition: changed in the transaction that changes an order, so that nobody has to count.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::campaigns;
use super::rows::{self, collect, first};
use super::sql::{Connection, params};
use crate::domain::{Callback, OrderKind, Outcome, Tenant};
use crate::store::{Census, Result};

const ADD: &str = "INSERT INTO callback_counts (kind, tenant, state, callbacks) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (kind, tenant, state) DO UPDATE SET callbacks = callback_counts.callbacks + excluded.callbacks";
pub const ALL: &str = "SELECT kind, state, callbacks FROM callback_counts";
pub const UNFOLDED: &str = "SELECT (SELECT count(*) FROM (SELECT 1 FROM unfolded_reports LIMIT ?1) AS r) \
     + (SELECT count(*) FROM (SELECT 1 FROM commands INDEXED BY commands_pending WHERE outcome IS NULL LIMIT ?1) AS c)";
pub const UNMATCHED: &str = "SELECT count(*) FROM (SELECT 1 FROM unmatched_reports LIMIT ?1) AS r";
/// By reading every callback. Slow; it shows that the counts are right.
/// What is deleted because it is old counts on.
const RECOUNT: &str = "SELECT kind, tenant, state, CAST(sum(callbacks) AS INTEGER) FROM (SELECT kind, tenant, state, count(*) AS callbacks \
     FROM callbacks GROUP BY kind, tenant, state UNION ALL SELECT kind, tenant, state, callbacks FROM retired_counts) AS both_of \
     GROUP BY kind, tenant, state UNION ALL SELECT kind, tenant, 'abandoned', count(*) FROM callbacks \
     WHERE abandoned_at IS NOT NULL AND state IN ('waiting', 'calling') GROUP BY kind, tenant";
const STORED: &str = "SELECT kind, tenant, state, callbacks FROM callback_counts WHERE callbacks <> 0 ORDER BY kind, tenant, state";

/// Under what the open callbacks are counted whose last call was answered and served nobody.
const ABANDONED: &str = "abandoned";
const WAITING: &str = "waiting";
const OPEN: [&str; 2] = [WAITING, "calling"];

const ADD_WAITING: &str = "INSERT INTO waiting_by_partition (partition_no, callbacks) VALUES (?1, ?2) \
     ON CONFLICT (partition_no) DO UPDATE SET callbacks = waiting_by_partition.callbacks + excluded.callbacks";
const ADD_REASON: &str = "INSERT INTO waiting_by_reason (tenant, reason, campaign, callbacks) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (tenant, reason, campaign) DO UPDATE SET callbacks = waiting_by_reason.callbacks + excluded.callbacks";
const REASONS_STORED: &str =
    "SELECT tenant, reason, campaign, callbacks FROM waiting_by_reason WHERE callbacks <> 0";
const REASONS_RECOUNT: &str = "SELECT tenant, coalesce(note_code, ''), \
     CASE WHEN substr(campaign, 1, 4) = 'cmp_' THEN campaign ELSE '' END, count(*) FROM callbacks \
     WHERE kind = 'callback' AND state = 'waiting' GROUP BY 1, 2, 3";
const WAITING_STORED: &str = "SELECT partition_no, callbacks FROM waiting_by_partition WHERE callbacks <> 0";
const WAITING_RECOUNT: &str =
    "SELECT partition_no, count(*) FROM callbacks WHERE state = 'waiting' GROUP BY partition_no";

/// Changes of the counts in one transaction.
#[derive(Debug, Default)]
pub struct Counts {
    orders: BTreeMap<(OrderKind, Tenant, &'static str), i64>,
    /// Waiting orders by their partition.
    waiting: BTreeMap<i64, i64>,
    /// Waiting callbacks by the reason and the campaign object that they belong to.
    reasons: BTreeMap<(Tenant, Cow<'static, str>, String), i64>,
    campaigns: campaigns::Counted,
}

/// What a callback is counted as.
#[derive(Debug, Clone)]
pub struct Standing {
    /// As it is stored.
    pub state: &'static str,
    /// Whether the last call was answered and served nobody.
    pub is_abandoned: bool,
    /// The code of the reason of its state.
    pub reason: Cow<'static, str>,
}

impl Counts {
    /// An order stands so from now on.
    pub fn enter(&mut self, order: &Callback, partition: i64, standing: Standing) {
        self.add(order, partition, standing, 1);
    }

    /// An order stood so until now.
    pub fn leave(&mut self, order: &Callback, partition: i64, standing: Standing) {
        self.add(order, partition, standing, -1);
    }

    fn add(&mut self, order: &Callback, partition: i64, standing: Standing, change: i64) {
        let is_open = OPEN.contains(&standing.state);
        let abandoned = (standing.is_abandoned && is_open).then_some(ABANDONED);
        for word in std::iter::once(standing.state).chain(abandoned) {
            *self.orders.entry((order.order.kind, order.tenant.clone(), word)).or_default() += change;
        }
        if let Some(campaign) = order.order.campaign_id() {
            *self.campaigns.entry((campaign, order.order.kind, standing.state)).or_default() += change;
        }
        if standing.state == WAITING {
            *self.waiting.entry(partition).or_default() += change;
            if order.order.kind == OrderKind::Callback {
                let campaign = order.order.campaign_id().map(|id| id.to_string()).unwrap_or_default();
                *self.reasons.entry((order.tenant.clone(), standing.reason, campaign)).or_default() += change;
            }
        }
    }

    pub fn write(self, db: &Connection) -> Result<()> {
        let mut add = db.prepare_cached(ADD)?;
        for ((kind, tenant, state), change) in self.orders {
            if change != 0 {
                add.write(params![kind.as_str(), tenant.as_str(), state, change])?;
            }
        }
        let mut add = db.prepare_cached(ADD_WAITING)?;
        for (partition, change) in self.waiting.into_iter().filter(|(_, change)| *change != 0) {
            add.write([partition, change])?;
        }
        let mut add = db.prepare_cached(ADD_REASON)?;
        for ((tenant, reason, campaign), change) in
            self.reasons.into_iter().filter(|(_, change)| *change != 0)
        {
            add.execute(params![tenant.as_str(), &*reason, campaign, change])?;
        }
        campaigns::count(db, self.campaigns)
    }
}

pub fn census(db: &Connection) -> Result<Census> {
    let mut census = Census::default();
    let counts = collect(&mut db.prepare_cached(ALL)?, [], |cells| {
        Ok((cells.parsed::<OrderKind>()?, cells.take::<String>()?, cells.version()?))
    })?;
    for (kind, state, count) in counts {
        match (kind, state.as_str()) {
            (OrderKind::Callback, "waiting") => census.waiting += count,
            (OrderKind::Callback, "calling") => census.calling += count,
            (OrderKind::Callback, ABANDONED) => census.abandoned += count,
            // An invite has no call of ours. It would be open.
            (OrderKind::Invite, "waiting" | "calling") => census.invites.waiting += count,
            (OrderKind::Invite, ABANDONED) => {}
            (kind, word) => {
                let outcome: Outcome = rows::parse(word)?;
                let closed = match kind {
                    OrderKind::Callback => &mut census.closed,
                    OrderKind::Invite => &mut census.invites.closed,
                };
                if let Some(place) = Outcome::ALL.iter().position(|other| *other == outcome) {
                    closed[place] += count;
                }
            }
        }
    }
    for (kind, count) in campaigns::unlaunched(db)? {
        let (waiting, unlaunched) = match kind {
            OrderKind::Callback => (&mut census.waiting, &mut census.unlaunched),
            OrderKind::Invite => (&mut census.invites.waiting, &mut census.invites.unlaunched),
        };
        *waiting = waiting.saturating_sub(count);
        *unlaunched = count;
    }
    let count = |sql| first(&mut db.prepare_cached(sql)?, [Census::REPORTS_MAX], |cells| cells.version());
    census.unfolded_reports = count(UNFOLDED)?.unwrap_or(0);
    census.unmatched_reports = count(UNMATCHED)?.unwrap_or(0);
    Ok(census)
}

/// What is counted wrongly: `what: stored, true`. Reads every callback.
pub fn wrong(db: &Connection) -> Result<Vec<String>> {
    let of_three = |sql: &str| {
        collect(&mut db.prepare_cached(sql)?, [], |cells| {
            let key: [String; 3] = [cells.take()?, cells.take()?, cells.take()?];
            Ok((key.join(" "), cells.take::<i64>()?))
        })
        .map(BTreeMap::from_iter)
    };
    let of_partitions = |sql: &str| {
        collect(&mut db.prepare_cached(sql)?, [], |cells| {
            Ok((cells.take::<i64>()?.to_string(), cells.take::<i64>()?))
        })
        .map(BTreeMap::from_iter)
    };
    let mut wrong = differences("", &of_three(STORED)?, &of_three(RECOUNT)?);
    wrong.extend(differences("waiting by reason ", &of_three(REASONS_STORED)?, &of_three(REASONS_RECOUNT)?));
    let (stored, counted) = (of_partitions(WAITING_STORED)?, of_partitions(WAITING_RECOUNT)?);
    wrong.extend(differences("waiting by partition ", &stored, &counted));
    wrong.extend(campaigns::wrong(db)?);
    Ok(wrong)
}

/// A line for each counter that has another number than there is.
fn differences(what: &str, stored: &BTreeMap<String, i64>, counted: &BTreeMap<String, i64>) -> Vec<String> {
    let keys: BTreeSet<&String> = stored.keys().chain(counted.keys()).collect();
    let number = |counts: &BTreeMap<String, i64>, key| counts.get(key).copied().unwrap_or(0);
    let pairs = keys.into_iter().map(|key| (key, number(stored, key), number(counted, key)));
    pairs
        .filter(|(_, stored, counted)| stored != counted)
        .map(|(key, stored, counted)| format!("{what}{key}: {stored} stored, {counted} there"))
        .collect()
}
