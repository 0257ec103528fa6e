//! The table of campaigns: their changes, and the queries for their callbacks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::rows::{Cells, collect, corrupt, first, limit, micros, micros_if, parse};
use super::sql::{Connection, params};
use super::{breakers, follow_ups, grouping};
use crate::domain::{
    Callback, CallbackId, Campaign, CampaignId, CampaignState, FieldChange, OrderKind, Outcome, Tenant,
};
use crate::store::{CampaignChange, CampaignRecord, CampaignRows, Error, RecordedAct, Result};

macro_rules! columns {
    () => {
        "id, version, tenant, name, state, defaults, concurrent_calls_max, created_at, created_by, ended_at, breaker, calls_per_minute, weight, follow_up"
    };
}

pub const OPEN: &str =
    concat!("SELECT ", columns!(), " FROM campaigns INDEXED BY campaigns_open WHERE ended_at IS NULL");
pub const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM campaigns INDEXED BY campaigns_by_tenant WHERE tenant = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
);
const ONE: &str = concat!("SELECT ", columns!(), " FROM campaigns WHERE id = ?1");
pub const ROWS: &str = "SELECT seq, id, state FROM callbacks INDEXED BY callbacks_of_campaigns \
     WHERE campaign GLOB 'cmp_*' AND campaign = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
const ACTS: &str =
    "SELECT at, act, who, note, changes FROM campaign_acts WHERE campaign = ?1 ORDER BY seq DESC LIMIT ?2";
const COUNTS: &str = "SELECT state, callbacks FROM campaign_counts WHERE campaign = ?1 AND callbacks <> 0";
const COUNT: &str = "INSERT INTO campaign_counts (campaign, kind, state, callbacks) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (campaign, kind, state) DO UPDATE SET callbacks = campaign_counts.callbacks + excluded.callbacks";
/// One row for each open campaign and kind, of which there are at most 2,000.
pub const UNLAUNCHED: &str = "SELECT c.kind, c.callbacks FROM campaigns AS o INDEXED BY campaigns_open \
     CROSS JOIN campaign_counts AS c ON c.campaign = o.id \
     WHERE o.ended_at IS NULL AND o.state IN ('draft', 'ready') AND c.state = 'waiting' AND c.callbacks <> 0";
const WRITE: &str = "INSERT INTO campaigns (id, version, tenant, name, state, defaults, concurrent_calls_max, \
     created_at, created_by, ended_at, breaker, calls_per_minute, weight, follow_up) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, name = excluded.name, state = excluded.state, \
     concurrent_calls_max = excluded.concurrent_calls_max, ended_at = excluded.ended_at, \
     breaker = excluded.breaker, calls_per_minute = excluded.calls_per_minute, weight = excluded.weight, \
     follow_up = excluded.follow_up \
     WHERE campaigns.version < excluded.version";
const NOTE: &str = "INSERT INTO campaign_acts (campaign, at, act, who, note, changes) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const STORED: &str = "SELECT campaign, kind, state, callbacks FROM campaign_counts WHERE callbacks <> 0";
const RECOUNT: &str = "SELECT campaign, kind, state, count(*) FROM callbacks INDEXED BY callbacks_of_campaigns \
     WHERE campaign GLOB 'cmp_*' GROUP BY campaign, kind, state";

/// So many acts of a campaign are shown, the newest.
const ACTS_MAX: usize = 100;

fn read(cells: &mut Cells<'_>) -> Result<Campaign> {
    Ok(Campaign {
        id: cells.id()?,
        version: cells.version()?,
        tenant: cells.parsed()?,
        name: cells.text()?.into(),
        state: cells.parsed()?,
        defaults: cells.text()?.into(),
        concurrent_calls_max: cells.take()?,
        created_at: cells.moment()?,
        created_by: cells.text()?.into(),
        ended_at: cells.moment_if()?,
        breaker: breakers::read(cells.text_if()?)?,
        calls_per_minute: cells.take()?,
        weight: cells.take::<Option<u32>>()?.unwrap_or(Campaign::WEIGHT),
        follow_up: cells.text_if()?.map(follow_ups::read).transpose()?.map(Into::into),
    })
}

pub fn open(db: &Connection) -> Result<Vec<Campaign>> {
    collect(&mut db.prepare_cached(OPEN)?, [], read)
}

pub fn list(
    db: &Connection,
    tenant: &Tenant,
    before: Option<CampaignId>,
    most: usize,
) -> Result<Vec<Campaign>> {
    let before = match before {
        None => i64::MAX,
        Some(id) => {
            let seq = "SELECT seq FROM campaigns WHERE id = ?1";
            first(&mut db.prepare_cached(seq)?, [id.bytes()], |cells| cells.take())?.unwrap_or(0)
        }
    };
    collect(&mut db.prepare_cached(LIST)?, params![tenant.as_str(), before, limit(most)], read)
}

/// The names of those that belong to the tenant.
pub fn names(db: &Connection, tenant: &Tenant, ids: &[CampaignId]) -> Result<BTreeMap<CampaignId, String>> {
    let mut seek = db.prepare_cached("SELECT name FROM campaigns WHERE id = ?1 AND tenant = ?2")?;
    let mut names = BTreeMap::new();
    for id in ids {
        let name: Option<String> =
            first(&mut seek, params![id.bytes(), tenant.as_str()], |cells| cells.take())?;
        names.extend(name.map(|name| (*id, name)));
    }
    Ok(names)
}

/// A field with its values before and after.
type Stored = (String, Option<String>, Option<String>);

fn text_of(changes: &[FieldChange]) -> String {
    let text = |value: &Option<Arc<str>>| value.as_deref().map(str::to_owned);
    let stored = changes.iter().map(|it| (it.field.to_string(), text(&it.before), text(&it.after)));
    serde_json::to_string(&stored.collect::<Vec<Stored>>()).expect("changes are plain data")
}

fn changes_of(text: &str) -> Result<Vec<FieldChange>> {
    let stored: Vec<Stored> =
        serde_json::from_str(text).map_err(|_| corrupt("changes of a campaign", "a text"))?;
    let change = |(field, before, after): Stored| FieldChange {
        field: field.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
    };
    Ok(stored.into_iter().map(change).collect())
}

/// A campaign with its counts and its acts, newest first.
pub fn record(db: &Connection, id: CampaignId) -> Result<Option<CampaignRecord>> {
    let Some(campaign) = first(&mut db.prepare_cached(ONE)?, [id.bytes()], read)? else { return Ok(None) };
    let counts = collect(&mut db.prepare_cached(COUNTS)?, [id.bytes()], |cells| {
        Ok((cells.text()?.to_owned(), cells.version()?))
    })?;
    let acts = collect(&mut db.prepare_cached(ACTS)?, params![id.bytes(), limit(ACTS_MAX)], |cells| {
        Ok(RecordedAct {
            at: cells.moment()?,
            act: cells.text()?.into(),
            by: cells.text()?.into(),
            note: cells.text_if()?.map(Into::into),
            changes: cells.text_if()?.map_or(Ok(Vec::new()), changes_of)?,
        })
    })?;
    // Callbacks and invites are told together.
    let mut by_state: BTreeMap<String, u64> = BTreeMap::new();
    for (state, count) in counts {
        *by_state.entry(state).or_default() += count;
    }
    Ok(Some(CampaignRecord { campaign, counts: by_state, acts }))
}

/// The next callbacks of a campaign in order of their creation, at most `most`.
pub fn rows(db: &Connection, id: CampaignId, after: i64, most: usize) -> Result<CampaignRows> {
    let params = params![id.to_string(), after, limit(most)];
    let rows = collect(&mut db.prepare_cached(ROWS)?, params, |cells| {
        let (seq, id): (i64, CallbackId) = (cells.take()?, cells.id()?);
        let outcome = match cells.text()? {
            "waiting" | "calling" => None,
            word => Some(parse::<Outcome>(word)?),
        };
        Ok((seq, id, outcome))
    })?;
    let last = rows.last().map(|(seq, ..)| *seq);
    let open = rows.iter().filter(|(.., outcome)| outcome.is_none()).map(|(_, id, _)| *id).collect();
    let closed = rows.into_iter().filter_map(|(_, id, outcome)| Some((id, outcome?))).collect();
    Ok(CampaignRows { open, closed, last })
}

/// The campaigns of new orders, each read once.
#[derive(Default)]
pub struct Named(BTreeMap<CampaignId, Option<Campaign>>);

impl Named {
    /// The callback as it is to be stored; `None` if its campaign takes no orders.
    pub fn admit(&mut self, db: &Connection, callback: &Callback) -> Result<Option<Option<Callback>>> {
        let Some(id) = callback.order.campaign_id() else { return Ok(Some(None)) };
        let campaign = match self.0.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(first(&mut db.prepare_cached(ONE)?, [id.bytes()], read)?),
        };
        let campaign = campaign.as_ref().filter(|it| it.tenant == callback.tenant && it.state.takes_orders());
        Ok(campaign.map(|campaign| {
            (campaign.state == CampaignState::Draft).then(|| {
                let mut held = callback.clone();
                campaign.hold(&mut held);
                held
            })
        }))
    }
}

/// Conflicts if a newer version of one of them is stored.
pub fn write(db: &Connection, changes: &[CampaignChange]) -> Result<()> {
    for CampaignChange { campaign, act } in changes {
        let written = db.prepare_cached(WRITE)?.execute(params![
            campaign.id.bytes(),
            campaign.version.cast_signed(),
            campaign.tenant.as_str(),
            &*campaign.name,
            campaign.state.as_str(),
            &*campaign.defaults,
            campaign.concurrent_calls_max,
            micros(campaign.created_at),
            &*campaign.created_by,
            micros_if(campaign.ended_at),
            breakers::text(&campaign.breaker)?,
            campaign.calls_per_minute,
            (campaign.weight != Campaign::WEIGHT).then_some(campaign.weight),
            campaign.follow_up.as_deref().map(follow_ups::text).transpose()?,
        ])?;
        if written == 0 {
            return Err(Error::Conflict);
        }
        if campaign.version == 1
            && let Some(follow_up) = &campaign.follow_up
        {
            grouping::follow(db, follow_up.of, campaign.id)?;
        }
        if let Some(RecordedAct { at, act, by, note, changes }) = act {
            let note = note.as_deref();
            db.prepare_cached(NOTE)?.write(params![
                campaign.id.bytes(),
                micros(*at),
                &**act,
                &**by,
                note,
                (!changes.is_empty()).then(|| text_of(changes))
            ])?;
        }
    }
    Ok(())
}

/// Changes of the counts in one transaction.
pub type Counted = BTreeMap<(CampaignId, OrderKind, &'static str), i64>;

/// Stores changes of the counts.
pub fn count(db: &Connection, changes: Counted) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut add = db.prepare_cached(COUNT)?;
    for ((campaign, kind, state), change) in changes.into_iter().filter(|(_, change)| *change != 0) {
        add.write(params![campaign.bytes(), kind.as_str(), state, change])?;
    }
    Ok(())
}

/// How many orders of each kind wait in campaigns that are not launched.
pub fn unlaunched(db: &Connection) -> Result<BTreeMap<OrderKind, u64>> {
    let counts = collect(&mut db.prepare_cached(UNLAUNCHED)?, [], |cells| {
        Ok((cells.parsed::<OrderKind>()?, cells.version()?))
    })?;
    let mut by_kind: BTreeMap<OrderKind, u64> = BTreeMap::new();
    for (kind, count) in counts {
        *by_kind.entry(kind).or_default() += count;
    }
    Ok(by_kind)
}

/// The counts that are wrong, as text. Reads every callback of a campaign.
pub fn wrong(db: &Connection) -> Result<Vec<String>> {
    let stored = collect(&mut db.prepare_cached(STORED)?, [], |cells| {
        let id: CampaignId = cells.id()?;
        Ok(((id.to_string(), cells.text()?.to_owned(), cells.text()?.to_owned()), cells.take::<i64>()?))
    })?;
    let counted = collect(&mut db.prepare_cached(RECOUNT)?, [], |cells| {
        let key = (cells.text()?.to_owned(), cells.text()?.to_owned(), cells.text()?.to_owned());
        Ok((key, cells.take::<i64>()?))
    })?;
    let retired = "SELECT campaign, kind, state, callbacks FROM retired_campaign_counts";
    let retired = collect(&mut db.prepare_cached(retired)?, [], |cells| {
        let key = (cells.text()?.to_owned(), cells.text()?.to_owned(), cells.text()?.to_owned());
        Ok((key, cells.take::<i64>()?))
    })?;
    let is_campaign = |campaign: &str| crate::domain::campaign::campaign_id(campaign).is_some();
    let stored: BTreeMap<_, _> = stored.into_iter().collect();
    let mut sums: BTreeMap<_, i64> = BTreeMap::new();
    let all = counted.into_iter().filter(|((id, ..), _)| is_campaign(id)).chain(retired);
    all.for_each(|(key, count)| *sums.entry(key).or_default() += count);
    let counted = sums;
    Ok(if stored == counted {
        Vec::new()
    } else {
        vec![format!("callbacks of campaigns: {stored:?} stored, {counted:?} there")]
    })
}
