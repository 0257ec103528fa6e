//! The open work of a campaign for its forecast: a sample of its callbacks, what the rules say of each, and the ceilings.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::pool::Figure;
use crate::domain::{
    Calendars, CallPermission, Callback, CallingHours, Loads, Name, OrderKind, Pair, Phone, PoolKey,
    Resource, State, Tenant,
};
use crate::forecast::{Ceilings, Permission, Rates, Row, Work};
use crate::http::{ApiError, App};
use crate::policy::{self, People, ledger, window};
use crate::store::CampaignRecord;

/// So many people are read at once.
const PEOPLE_AT_ONCE: usize = 500;

/// What is open of a campaign at `now`; at most `most` rows of it.
pub(super) async fn gather(
    app: &App,
    record: &CampaignRecord,
    now: Timestamp,
    rates: Rates,
    most: usize,
) -> Result<Work, ApiError> {
    let mut sample = app.store.campaign_sample(record.campaign.id, most).await?;
    let sampled = sample.len() as u64;
    sample.retain(|callback| callback.order.kind == OrderKind::Callback);
    // Invites are open too, and are no calls: callbacks have the share of the open ones that they have of the sample.
    let kept = record.open().saturating_mul(sample.len() as u64);
    let open = kept.checked_div(sampled).unwrap_or(0);
    let calendars = app.marked_calendars().await?;
    let (mut rows, mut hours): (Vec<Row>, Vec<CallingHours>) = (Vec::new(), Vec::new());
    for some in sample.chunks(PEOPLE_AT_ONCE) {
        let names: BTreeSet<Name> =
            some.iter().map(|callback| Name::Number(callback.order.consumer)).collect();
        let people = People::of(app.store.people(&Vec::from_iter(names)).await?);
        for callback in some {
            let index = callback.order.hours.as_ref().map(|own| {
                hours.iter().position(|known| known == own).unwrap_or_else(|| {
                    hours.push(own.clone());
                    hours.len().saturating_sub(1)
                })
            });
            rows.push(row(app, &calendars, now, callback, &people, index));
        }
    }
    let zone = hours.first().map_or_else(|| "UTC".to_owned(), |hours| hours.zone.clone());
    Ok(Work {
        now,
        total: open.max(rows.len() as u64),
        ceilings: ceilings(app, record, &sample, &app.loads().await?),
        rows,
        hours,
        calendars,
        rates,
        retry: app.rules.retry.no_answer,
        permission: app.rules.limits.permission_lifetime,
        zone,
    })
}

fn row(
    app: &App,
    calendars: &Calendars,
    now: Timestamp,
    callback: &Callback,
    people: &People,
    hours: Option<usize>,
) -> Row {
    let order = &callback.order;
    let earliest = order.earliest.max(callback.retry_at.unwrap_or(now)).max(now);
    let mut pairs: Vec<Pair> =
        order.senders.iter().map(|&sender| people.pair(sender, order.consumer)).collect();
    for pair in &mut pairs {
        ledger::lapse(pair, now);
    }
    let best = pairs.iter().map(|pair| of_pair(&pair.permission)).min_by_key(|(rank, _)| *rank);
    let permission = match best.and_then(|(_, permission)| permission) {
        Some(permission) => permission,
        None => Permission::AskedAt(asks_at(app, calendars, now, callback, earliest)),
    };
    let is_calling = matches!(callback.state, State::Calling { .. });
    Row {
        earliest,
        latest: order.latest,
        hours,
        priority: order.priority.level(),
        attempts: order.attempts_max.saturating_sub(callback.attempts_made).max(u32::from(is_calling)),
        permission,
    }
}

/// How good a permission is, the best first, and what it means; `None`: it has to be asked for.
const fn of_pair(permission: &CallPermission) -> (u8, Option<Permission>) {
    match permission {
        CallPermission::Permanent => (0, Some(Permission::Live(None))),
        CallPermission::Temporary { expires_at } => (1, Some(Permission::Live(Some(*expires_at)))),
        CallPermission::Requested { .. } => (2, Some(Permission::Asked)),
        CallPermission::None | CallPermission::Expired | CallPermission::RevokedAutomatically => (3, None),
        CallPermission::Declined { .. }
        | CallPermission::RevokedByConsumer
        | CallPermission::Uncallable { .. } => (4, Some(Permission::None)),
    }
}

/// When the request is sent, as the rules have it.
fn asks_at(
    app: &App,
    calendars: &Calendars,
    now: Timestamp,
    callback: &Callback,
    earliest: Timestamp,
) -> Timestamp {
    let order = &callback.order;
    let opening = order.hours.as_ref().map(|hours| calendars.opening(hours));
    let dial_at = opening.and_then(|opening| window::next_dial(opening, earliest, order.latest));
    let dial_at = dial_at.unwrap_or(earliest);
    policy::useful_from(dial_at, order.purpose, opening, &app.rules).map_or(now, |from| from.max(now))
}

/// The seats of the pools from which all calls of the sample take one, as they were last fed, and the longest of their wrap-ups
/// in seconds. `None` if some calls need none, or nothing is known of a pool.
fn seats_of_pools(app: &App, sample: &[Callback], loads: &Loads) -> Option<(u32, f64)> {
    let keys: BTreeSet<PoolKey> =
        sample.iter().map(|callback| pool_of(app, callback)).collect::<Option<_>>()?;
    let pools: Vec<_> = keys.iter().map(|key| loads.pools.get(key)).collect::<Option<_>>()?;
    let seats = pools.iter().fold(0_u32, |sum, pool| {
        // Of those that are free, ours are taken already.
        let ours = match pool.figure {
            Figure::Seats(_) => 0,
            Figure::Free(_) => {
                let (in_calls, in_wrap_up) = loads.seats.held(&pool.key);
                in_calls.saturating_add(in_wrap_up)
            }
        };
        sum.saturating_add(pool.usable().saturating_add(ours))
    });
    let longest = pools.iter().map(|pool| pool.wrap_up.as_secs_f64()).fold(0.0, f64::max);
    (seats > 0).then_some((seats, longest))
}

/// The pool of which a callback needs a seat, if it needs one.
fn pool_of(app: &App, callback: &Callback) -> Option<PoolKey> {
    let own = callback.order.pool.clone().map(|name| PoolKey { tenant: callback.tenant.clone(), name });
    own.or_else(|| {
        let sender = app.directory.sender(*callback.order.senders.first()?)?;
        sender.pool.clone().map(|name| PoolKey { tenant: Tenant::default(), name })
    })
}

/// What the calls of the sample may use. Callbacks of other campaigns use it too, which is not known here.
fn ceilings(app: &App, record: &CampaignRecord, sample: &[Callback], loads: &Loads) -> Ceilings {
    let senders: BTreeSet<Phone> =
        sample.iter().flat_map(|callback| callback.order.senders.clone()).collect();
    let accounts: BTreeSet<_> = senders
        .iter()
        .filter_map(|&sender| app.directory.sender(sender))
        .map(|it| it.account.clone())
        .collect();
    let of_senders = senders.iter().fold(0_u32, |sum, &sender| {
        sum.saturating_add(app.rules.ceiling(&Resource::Sender(sender)).unwrap_or(0))
    });
    let of_accounts = accounts.iter().map(|account| app.rules.ceiling(&Resource::Account(account.clone())));
    let of_accounts = of_accounts.sum::<Option<u32>>();
    let campaign = &record.campaign;
    let calls = [Some(of_senders).filter(|max| *max > 0), of_accounts, campaign.concurrent_calls_max];
    let agents: BTreeSet<String> =
        sample.iter().filter_map(|callback| callback.order.agent.as_ref()).map(ToString::to_string).collect();
    let all_have_agents = sample.iter().all(|callback| callback.order.agent.is_some());
    let seats = u32::try_from(agents.len()).unwrap_or(u32::MAX).saturating_mul(app.rules.agent_calls_max);
    let per_second: Option<f64> =
        accounts.iter().map(|account| app.defaults.calls_per_second.get(account).copied()).sum();
    let paces = [
        per_second.filter(|rate| *rate > 0.0).map(|rate| rate * 60.0),
        campaign.calls_per_minute.map(f64::from),
    ];
    let agents = (all_have_agents && seats > 0).then_some(seats);
    let (pool_seats, wrap_up_s) = seats_of_pools(app, sample, loads).unzip();
    Ceilings {
        calls: calls.into_iter().flatten().filter(|max| *max > 0).min(),
        agents: [agents, pool_seats].into_iter().flatten().min(),
        wrap_up_s: wrap_up_s.unwrap_or(0.0),
        per_minute: paces.into_iter().flatten().min_by(f64::total_cmp),
        per_person_day: app.rules.people.caps.per_day,
    }
}
