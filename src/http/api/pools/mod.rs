//! Pools of agents: `set` takes a figure of their seats, `read` shows them, `remove` ends them. Figures are commands, which
//! the scheduler folds.

pub(super) mod read;
pub(super) mod remove;
pub(super) mod set;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Figure, Loads, Pool, PoolKey, PoolName};
use crate::http::auth::Caller;
use crate::http::{ApiError, App};

/// A pool of agents.
#[derive(Serialize, ToSchema)]
#[schema(as = Pool)]
pub(super) struct View {
    #[schema(example = "support")]
    name: String,
    /// `fed`, or `expired`: its figure has ended, so it has no seat.
    state: &'static str,
    /// All seats, if it is fed by them.
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<u32>,
    /// The agents who were free at `as_of`, if it is fed by them.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u32>,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// When the figure ends.
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
    /// Seats that are kept back.
    headroom: u32,
    wrap_up_s: i64,
    /// Seats that our calls in progress hold. Absent, as are the next two, while the figure is not yet applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_calls: Option<u32>,
    /// Seats that are held after their calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_wrap_up: Option<u32>,
    /// How many more calls may be placed now.
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<u32>,
    /// The name of the API token that fed it, or of its source in the configuration.
    by: String,
    /// Why the source of the configuration does not feed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

impl View {
    pub(super) fn of(pool: &Pool, loads: &Loads, now: Timestamp) -> Self {
        let (in_calls, in_wrap_up) = loads.seats.held(&pool.key);
        let used = loads.seats.subtracted(pool);
        let room = if pool.is_fed(now) { pool.usable().saturating_sub(used) } else { 0 };
        let (in_calls, in_wrap_up, room) = (Some(in_calls), Some(in_wrap_up), Some(room));
        Self { in_calls, in_wrap_up, room, ..Self::without_seats(pool, now) }
    }

    /// A pool of which it is not known what our calls hold.
    pub(super) fn without_seats(pool: &Pool, now: Timestamp) -> Self {
        let (seats, free) = match pool.figure {
            Figure::Seats(seats) => (Some(seats), None),
            Figure::Free(free) => (None, Some(free)),
        };
        Self {
            name: pool.key.name.to_string(),
            state: if pool.is_fed(now) { "fed" } else { "expired" },
            seats,
            free,
            as_of: pool.as_of,
            valid_until: pool.valid_until,
            headroom: pool.headroom,
            wrap_up_s: pool.wrap_up.as_secs(),
            in_calls: None,
            in_wrap_up: None,
            room: None,
            by: pool.by.to_string(),
            fault: pool.fault.as_ref().map(ToString::to_string),
        }
    }
}

/// The pool of a path, which is one of the caller's tenant.
fn key(caller: &Caller, name: &str) -> Result<PoolKey, ApiError> {
    let given = PoolName::given(name).ok();
    let name = given.filter(|pool| caller.may_use_pool(pool)).ok_or_else(|| not_found(name))?;
    Ok(PoolKey { tenant: caller.tenant().clone(), name })
}

fn not_found(name: &str) -> ApiError {
    let shown: String = name.chars().take(PoolName::LENGTH_MAX).collect();
    ApiError::new("pool.not_found", format!("GET /v1/pools lists the pools; {shown:?} is none of them"))
}

/// A pool of the configuration is fed by its source only.
fn check_source(app: &App, key: &PoolKey) -> Result<(), ApiError> {
    if key.tenant.as_str() == crate::domain::Tenant::DEFAULT && app.pools_with_source.contains(&key.name) {
        let detail = format!("[pools.{}] of the configuration feeds it", key.name);
        return Err(ApiError::new("pool.has_source", detail));
    }
    Ok(())
}

pub(super) fn too_many() -> ApiError {
    let detail = format!(
        "a tenant may have {} pools, and all together {}; remove some first",
        Pool::MOST_OF_A_TENANT,
        Pool::MOST
    );
    ApiError::new("pool.too_many", detail)
}
