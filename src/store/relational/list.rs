//! Pages of the orders of one kind and tenant, newest first, with filters.
//!
//! Every page is read through an index: of a reference, of a consumer, of what is abandoned, of a campaign, or of the states. What the index
//! does not tell is looked up in a bounded number of callbacks; then the page ends early and says so.

use std::collections::BinaryHeap;

use jiff::Timestamp;

use super::agents::MISSING_OF_TENANT;
use super::callbacks::partitions;
use super::order_texts::read_senders;
use super::rows::{Cells, collect, digits, first, limit, micros};
use super::sql::{CachedStatement, Connection, params};
use crate::domain::{CallbackId, OrderKind, Outcome};
use crate::store::{Filter, Listed, Page, Result, Status};

/// What one page may read.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many callbacks are looked at, whether or not they match.
    pub looked_at_max: usize,
    /// How many callbacks with one reference, or of one consumer, are read at once. If more share it, the page goes
    /// through the campaign or the states instead.
    pub narrow_max: usize,
    /// How many ids are read from an index at once, where each callback is looked at.
    pub step: usize,
}

pub const BOUNDS: Bounds = Bounds { looked_at_max: 10_000, narrow_max: 2_000, step: 1_000 };

pub const IN_STATE: &str = "SELECT id FROM callbacks INDEXED BY callbacks_by_state \
     WHERE kind = ?1 AND tenant = ?2 AND state = ?3 AND id < ?4 ORDER BY id DESC LIMIT ?5";
/// Only callbacks are abandoned, so the index does not begin with the kind.
pub const ABANDONED_IN_STATE: &str = "SELECT id FROM callbacks INDEXED BY callbacks_abandoned \
     WHERE kind = ?1 AND tenant = ?2 AND state = ?3 AND id < ?4 AND abandoned_at IS NOT NULL \
     ORDER BY id DESC LIMIT ?5";
pub const IN_CAMPAIGN: &str = "SELECT id FROM callbacks INDEXED BY callbacks_by_campaign \
     WHERE kind = ?1 AND tenant = ?2 AND campaign = ?3 AND id < ?4 ORDER BY id DESC LIMIT ?5";
pub const WITH_REFERENCE: &str = "SELECT id FROM callbacks INDEXED BY callbacks_by_reference \
     WHERE partition_no = ?1 AND tenant = ?2 AND reference = ?3 ORDER BY seq DESC LIMIT ?4";
pub const TO_CONSUMER: &str = "SELECT id FROM callbacks INDEXED BY callbacks_by_consumer \
     WHERE partition_no = ?1 AND consumer = ?2 ORDER BY seq DESC LIMIT ?3";
/// What filters look at.
pub const LOOK: &str = "SELECT kind, tenant, state, consumer, senders, campaign, reference, abandoned_at, note_code \
     FROM callbacks WHERE id = ?1";

pub fn page(db: &Connection, filter: &Filter, page: &Page, bounds: &Bounds) -> Result<Listed> {
    let states = states(filter);
    if states.is_empty() || page.limit == 0 {
        return Ok(Listed::default());
    }
    let narrow = match filter.wrap_up_missing_at {
        Some(_) => None,
        None => narrow(db, filter, bounds.narrow_max)?,
    };
    let found = match narrow {
        Some(ids) => of_few(db, filter, &states, page, ids)?,
        None => walk(db, filter, &states, page, bounds)?,
    };
    Ok(Listed {
        callbacks: super::callbacks::by_ids(db, &found.ids)?,
        next: found.next,
        is_cut: found.is_cut,
    })
}

/// The ids of a page.
struct Found {
    ids: Vec<CallbackId>,
    next: Option<CallbackId>,
    is_cut: bool,
}

impl Found {
    /// Of all that match, or of one more than the page has room for.
    fn whole(mut ids: Vec<CallbackId>, page: &Page) -> Self {
        let more = ids.len() > page.limit;
        ids.truncate(page.limit);
        let next = ids.last().copied().filter(|_| more);
        Self { ids, next, is_cut: false }
    }
}

/// The ids of all callbacks with the reference or to the consumer, if these are few.
fn narrow(db: &Connection, filter: &Filter, most: usize) -> Result<Option<Vec<CallbackId>>> {
    let mut ids = Vec::new();
    if let Some(reference) = &filter.reference {
        let mut statement = db.prepare_cached(WITH_REFERENCE)?;
        for partition in partitions(db)? {
            let room = limit(most + 1 - ids.len());
            let params = params![partition, filter.tenant.as_str(), reference, room];
            ids.extend(collect(&mut statement, params, id)?);
            if ids.len() > most {
                break;
            }
        }
        if ids.len() <= most {
            return Ok(Some(ids));
        }
        ids.clear();
    }
    let Some(consumer) = filter.consumer else { return Ok(None) };
    let mut statement = db.prepare_cached(TO_CONSUMER)?;
    for partition in partitions(db)? {
        let room = limit(most + 1 - ids.len());
        ids.extend(collect(&mut statement, params![partition, digits(consumer), room], id)?);
        if ids.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(ids))
}

fn of_few(
    db: &Connection,
    filter: &Filter,
    states: &[&str],
    page: &Page,
    mut ids: Vec<CallbackId>,
) -> Result<Found> {
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let mut look = db.prepare_cached(LOOK)?;
    let mut matching = Vec::new();
    for id in ids.into_iter().filter(|id| page.before.is_none_or(|before| *id < before)) {
        if matches(&mut look, id, filter, states)? {
            matching.push(id);
            if matching.len() > page.limit {
                break;
            }
        }
    }
    Ok(Found::whole(matching, page))
}

/// The index that a list is read through.
#[derive(Clone, Copy)]
enum Road<'a> {
    Campaign(&'a str),
    /// An index of the states, by this statement.
    States(&'static str),
    /// The index of wrap-ups that are missing at this time.
    Unsaid(Timestamp),
}

impl<'a> Road<'a> {
    /// The one with the fewest callbacks that do not match.
    fn of(filter: &'a Filter) -> Self {
        if let Some(at) = filter.wrap_up_missing_at {
            return Self::Unsaid(at);
        }
        match (filter.abandoned, &filter.campaign) {
            (Some(true), _) if filter.kind == OrderKind::Callback => Self::States(ABANDONED_IN_STATE),
            (_, Some(campaign)) => Self::Campaign(campaign),
            (_, None) => Self::States(IN_STATE),
        }
    }

    /// Whether all callbacks on it match, without looking at them.
    fn tells(self, filter: &Filter, states: &[&str]) -> bool {
        let tells = match self {
            Self::Campaign(_) => states.len() == ALL_STATES && filter.abandoned.is_none(),
            Self::States(sql) => {
                let tells_abandoned = sql == ABANDONED_IN_STATE && filter.abandoned == Some(true);
                filter.campaign.is_none() && (filter.abandoned.is_none() || tells_abandoned)
            }
            Self::Unsaid(_) => {
                states.len() == ALL_STATES && filter.abandoned.is_none() && filter.campaign.is_none()
            }
        };
        tells
            && filter.reason.is_none()
            && filter.sender.is_none()
            && filter.consumer.is_none()
            && filter.reference.is_none()
    }
}

/// Goes through the callbacks on the road from the newest to the oldest.
fn walk(db: &Connection, filter: &Filter, states: &[&str], page: &Page, bounds: &Bounds) -> Result<Found> {
    let road = Road::of(filter);
    let is_told_by_index = road.tells(filter, states);
    let step = if is_told_by_index { page.limit + 1 } else { bounds.step };
    let mut before = page.before;
    let mut matching = Vec::new();
    let mut looked_at = 0;
    let mut look = db.prepare_cached(LOOK)?;
    loop {
        let ids = match road {
            Road::Campaign(campaign) => in_campaign(db, filter, campaign, before, step)?,
            Road::States(sql) => in_states(db, sql, filter, states, before, step)?,
            Road::Unsaid(at) => {
                let params = params![filter.tenant.as_str(), bound(before), micros(at), limit(step)];
                collect(&mut db.prepare_cached(MISSING_OF_TENANT)?, params, id)?
            }
        };
        if is_told_by_index {
            return Ok(Found::whole(ids, page));
        }
        let is_last = ids.len() < step;
        for id in ids {
            if looked_at == bounds.looked_at_max {
                return Ok(Found { ids: matching, next: before, is_cut: true });
            }
            looked_at += 1;
            if matches(&mut look, id, filter, states)? {
                matching.push(id);
                if matching.len() > page.limit {
                    return Ok(Found::whole(matching, page));
                }
            }
            before = Some(id);
        }
        if is_last {
            return Ok(Found::whole(matching, page));
        }
    }
}

fn in_campaign(
    db: &Connection,
    filter: &Filter,
    campaign: &str,
    before: Option<CallbackId>,
    rows: usize,
) -> Result<Vec<CallbackId>> {
    let params = params![filter.kind.as_str(), filter.tenant.as_str(), campaign, bound(before), limit(rows)];
    collect(&mut db.prepare_cached(IN_CAMPAIGN)?, params, id)
}

/// The newest callbacks in any of the states. Each state is read by itself, as far as they could be needed.
fn in_states(
    db: &Connection,
    sql: &str,
    filter: &Filter,
    states: &[&str],
    before: Option<CallbackId>,
    rows: usize,
) -> Result<Vec<CallbackId>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut newest = BinaryHeap::new();
    for state in states {
        let params = params![filter.kind.as_str(), filter.tenant.as_str(), state, bound(before), limit(rows)];
        newest.extend(collect(&mut statement, params, id)?);
    }
    Ok(std::iter::from_fn(|| newest.pop()).take(rows).collect())
}

/// Every id is below the bound of a first page: no id has only ones.
fn bound(before: Option<CallbackId>) -> [u8; 16] {
    before.map_or([0xFF; 16], |id| *id.bytes())
}

fn id(cells: &mut Cells<'_>) -> Result<CallbackId> {
    cells.id()
}

fn matches(look: &mut CachedStatement<'_>, id: CallbackId, filter: &Filter, states: &[&str]) -> Result<bool> {
    let matches = first(look, [id.bytes()], |cells| {
        let kind = cells.text()? == filter.kind.as_str();
        let tenant = cells.text()? == filter.tenant.as_str();
        let state = states.contains(&cells.text()?);
        let consumer = cells.phone()?;
        let senders = cells.text()?;
        let (campaign, reference) = (cells.text_if()?, cells.text_if()?);
        let is_abandoned = cells.moment_if()?.is_some();
        let reason = cells.text_if()?;
        let sender = match filter.sender {
            Some(sender) => read_senders(senders)?.contains(&sender),
            None => true,
        };
        Ok(kind
            && tenant
            && state
            && sender
            && filter.abandoned.is_none_or(|wanted| wanted == is_abandoned)
            && filter.consumer.is_none_or(|wanted| wanted == consumer)
            && filter.campaign.as_deref().is_none_or(|wanted| campaign == Some(wanted))
            && filter.reference.as_deref().is_none_or(|wanted| reference == Some(wanted))
            && filter.reason.as_deref().is_none_or(|wanted| reason == Some(wanted)))
    })?;
    Ok(matches.unwrap_or(false))
}

/// How many states there are: waiting, calling, and each outcome.
const ALL_STATES: usize = 2 + Outcome::ALL.len();

/// The states that match the filter.
fn states(filter: &Filter) -> Vec<&'static str> {
    let open = [Status::Waiting, Status::Calling].map(|status| (status, status.as_str()));
    let closed = Outcome::ALL.map(|outcome| (Status::Closed, outcome.as_str()));
    open.into_iter()
        .chain(closed)
        .filter(|(status, _)| filter.status.is_none_or(|wanted| wanted == *status))
        .filter(|(_, state)| filter.outcome.is_none_or(|wanted| wanted.as_str() == *state))
        .map(|(_, state)| state)
        .collect()
}
