//! What a forecast reads: a sample of the open callbacks of a campaign, and what came of the last calls and requests.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::callbacks;
use super::rows::{collect, first, limit, micros};
use super::sql::{Connection, params};
use crate::domain::{Callback, CallbackId, CampaignId, PersonId, Phone, Tenant};
use crate::store::{CallFacts, Result};

/// So many of the newest attempts of all tenants are looked at, and of the newest messages and lines of the timeline five
/// times as many.
const LOOKED_AT_MAX: usize = 20_000;
const LINES_MAX: usize = LOOKED_AT_MAX * 5;
/// A request that is younger and has no answer may still get one.
const ANSWER_TIME: SignedDuration = SignedDuration::from_hours(24);

/// Two seeks: `min` and `max` together would read every row.
pub const ENDS: &str = "SELECT \
     (SELECT seq FROM callbacks INDEXED BY callbacks_of_campaigns \
     WHERE campaign GLOB 'cmp_*' AND campaign = ?1 ORDER BY seq LIMIT 1), \
     (SELECT seq FROM callbacks INDEXED BY callbacks_of_campaigns \
     WHERE campaign GLOB 'cmp_*' AND campaign = ?1 ORDER BY seq DESC LIMIT 1)";
pub const FROM: &str = "SELECT seq, id, state FROM callbacks INDEXED BY callbacks_of_campaigns \
     WHERE campaign GLOB 'cmp_*' AND campaign = ?1 AND seq >= ?2 ORDER BY seq LIMIT 1";
/// Those of a tenant. An attempt has the tenant of its callback.
pub const CALLS: &str = "SELECT a.intended_at, a.submitted_at, a.connected_at, a.ended_at \
     FROM attempts a CROSS JOIN callbacks c ON c.id = a.callback \
     WHERE a.seq > (SELECT ifnull(max(seq), 0) FROM attempts) - ?1 AND c.tenant = ?2";
/// Those of a tenant.
pub const REQUESTS: &str = "SELECT sender, consumer, submitted_at, ifnull(reply, '') = 'declined' FROM messages \
     WHERE seq > (SELECT ifnull(max(seq), 0) FROM messages) - ?1 AND purpose = 'permission_request' AND tenant = ?2 \
     ORDER BY seq DESC";
/// Permissions belong to no tenant: a grant counts for a tenant only as the answer to a request of its own.
pub const GRANTS: &str = "SELECT sender, consumer, at FROM timeline WHERE what = 'permission.granted' AND seq > \
     (SELECT ifnull(max(seq), 0) FROM timeline) - ?1 AND sender IS NOT NULL ORDER BY seq";

/// Open callbacks of a campaign, at most `most`, spread evenly over the order in which they were stored.
pub fn sample(db: &Connection, id: CampaignId, most: usize) -> Result<Vec<Callback>> {
    let name = id.to_string();
    let ends = first(&mut db.prepare_cached(ENDS)?, [&name], |cells| {
        Ok((cells.take::<Option<i64>>()?, cells.take::<Option<i64>>()?))
    })?;
    let Some((Some(least), Some(last))) = ends else { return Ok(Vec::new()) };
    // Of closed rows none is taken, so more places are looked at.
    let places = limit(most).saturating_mul(3).max(1);
    let step = (last - least) / places + 1;
    let mut seek = db.prepare_cached(FROM)?;
    let (mut open, mut at) = (Vec::<CallbackId>::new(), least);
    while at <= last {
        let found = first(&mut seek, params![name, at], |cells| {
            let (seq, id): (i64, CallbackId) = (cells.take()?, cells.id()?);
            Ok((seq, id, matches!(cells.text()?, "waiting" | "calling")))
        })?;
        let Some((seq, id, is_open)) = found else { break };
        open.extend(is_open.then_some(id));
        at = seq.saturating_add(step);
    }
    // Evenly again, if fewer rows are closed than was allowed for.
    let every = open.len().div_ceil(most.max(1)).max(1);
    let ids: Vec<CallbackId> = open.into_iter().step_by(every).collect();
    callbacks::by_ids(db, &ids)
}

/// What came of the newest calls and requests of a tenant since a moment.
pub fn facts(db: &Connection, tenant: &Tenant, now: Timestamp, since: Timestamp) -> Result<CallFacts> {
    let mut facts = CallFacts::default();
    calls(db, tenant, since, &mut facts)?;
    requests(db, tenant, (now, since), &mut facts)?;
    Ok(facts)
}

fn calls(db: &Connection, tenant: &Tenant, since: Timestamp, facts: &mut CallFacts) -> Result<()> {
    let of_tenant = params![limit(LOOKED_AT_MAX), tenant.as_str()];
    let calls = collect(&mut db.prepare_cached(CALLS)?, of_tenant, |cells| {
        Ok((cells.moment()?, cells.moment_if()?, cells.moment_if()?, cells.moment_if()?))
    })?;
    for (intended_at, submitted_at, connected_at, ended_at) in calls {
        let (Some(from), Some(until)) = (submitted_at, ended_at) else { continue };
        if intended_at < since {
            continue;
        }
        let lasted = until.duration_since(from).max(SignedDuration::ZERO);
        facts.calls += 1;
        if connected_at.is_some() {
            facts.answered += 1;
            facts.answered_for = facts.answered_for.saturating_add(lasted);
        } else {
            facts.missed_for = facts.missed_for.saturating_add(lasted);
        }
    }
    Ok(())
}

fn requests(
    db: &Connection,
    tenant: &Tenant,
    (now, since): (Timestamp, Timestamp),
    facts: &mut CallFacts,
) -> Result<()> {
    let key = |sender: Phone, consumer: Phone| (sender.digits(), PersonId::of(consumer).number().digits());
    let mut granted: HashMap<(u64, u64), Vec<Timestamp>> = HashMap::new();
    let grants = collect(&mut db.prepare_cached(GRANTS)?, [limit(LINES_MAX)], |cells| {
        Ok((cells.phone()?, cells.phone()?, cells.moment()?))
    })?;
    for (sender, consumer, at) in grants {
        granted.entry(key(sender, consumer)).or_default().push(at);
    }
    let of_tenant = params![limit(LINES_MAX), tenant.as_str()];
    let asked = collect(&mut db.prepare_cached(REQUESTS)?, of_tenant, |cells| {
        Ok((cells.phone()?, cells.phone()?, cells.moment_if()?, cells.take::<bool>()?))
    })?;
    for (sender, consumer, at, is_declined) in asked {
        let Some(at) = at.filter(|at| micros(*at) >= micros(since)) else { continue };
        let grants = granted.get(&key(sender, consumer));
        let answer = grants.and_then(|grants| grants.iter().find(|grant| **grant >= at));
        match answer {
            Some(grant) => {
                facts.asked += 1;
                facts.granted += 1;
                facts.granted_after = facts.granted_after.saturating_add(grant.duration_since(at));
            }
            None if is_declined || now.duration_since(at) >= ANSWER_TIME => facts.asked += 1,
            None => {}
        }
    }
    Ok(())
}
