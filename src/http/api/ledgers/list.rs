//! `GET /v1/permissions`: the permissions of senders, by their state.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantNames};
use utoipa::{IntoParams, ToSchema};

use super::{end, is_erased};
use crate::domain::{CallPermission, Pair, Phone};
use crate::http::api::body::json;
use crate::http::api::query::{self, Given, fault};
use crate::http::api::reports::show::sender;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::policy::{Rolling, Rules, ledger, rolling};
use crate::store::LedgersWanted;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;
/// So many ledgers are looked at for one page.
const LOOKED_AT_MAX: usize = 20_000;
/// So many are read at once.
const AT_ONCE: usize = 2_000;
/// A page begins after at most so many. The export has no such end.
const AFTER_MAX: usize = 1_000_000;

/// Which ledgers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
enum Shown {
    /// `temporary` and `permanent`.
    Granted,
    None,
    Requested,
    Declined,
    Temporary,
    Permanent,
    Expired,
    RevokedByConsumer,
    RevokedAutomatically,
    Uncallable,
}

impl Shown {
    fn takes(self, permission: CallPermission) -> bool {
        match self {
            Self::Granted => {
                matches!(permission, CallPermission::Temporary { .. } | CallPermission::Permanent)
            }
            one => permission.as_str() == <&str>::from(one),
        }
    }
}

/// Filters of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(in crate::http::api) struct Parameters {
    /// Only permissions in this state: as in `permission`, or `granted` for `temporary` and `permanent`.
    state: Option<String>,
    /// Only this sender: its label, or the last 4 to 6 digits of its number.
    sender: Option<String>,
    /// `next` of the page before.
    after: Option<usize>,
    /// Permissions on a page: 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// A page of permissions.
#[derive(Serialize, ToSchema)]
#[schema(as = Permissions)]
struct PageView {
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    permissions: Vec<RowView>,
    /// The value of `after` for the next page; absent on the last one. A page looks at 20,000 ledgers at most, so it may have
    /// fewer rows than `limit`, or none, and still a `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<usize>,
}

/// The permission of one sender to call one consumer.
#[derive(Serialize, ToSchema)]
#[schema(as = PermissionRow)]
struct RowView {
    sender: String,
    consumer: String,
    /// `none`, `requested`, `declined`, `temporary`, `permanent`, `expired`, `revoked_by_consumer`,
    /// `revoked_automatically` or `uncallable`.
    permission: &'static str,
    /// When the permission, or the request for it, ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Calls missed or declined in a row.
    misses: u32,
    /// The miss at which WhatsApp revokes the permission.
    misses_before_revocation: u32,
    /// How many more permission requests the limits allow now.
    requests_left: u32,
    /// When the next request is allowed, if none is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    requests_lift_at: Option<Timestamp>,
    /// No call and no request before this time, after a refusal or failure of the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_until: Option<Timestamp>,
}

/// What is asked for.
struct Asked {
    state: Option<Shown>,
    sender: Option<Phone>,
    after: usize,
    limit: usize,
}

/// Lists the permissions of the senders, with misses and the requests that are left.
///
/// Permissions belong to no tenant, so only a token of the default tenant may list them. The order is that of the numbers; a
/// ledger that is new meanwhile moves those after it by one place.
#[utoipa::path(get, path = "/v1/permissions", operation_id = "list_permissions", tag = "permissions",
    params(Parameters),
    responses(
        (status = 200, body = PageView),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let asked = read(&app, given)?;
    let now = app.clock.now();
    let (mut rows, mut place, mut next) = (Vec::new(), asked.after, None);
    let last = asked.after.saturating_add(LOOKED_AT_MAX);
    'pages: while place < last {
        let wanted =
            LedgersWanted { sender: asked.sender, skip: place, most: AT_ONCE, ..LedgersWanted::default() };
        let found = app.store.ledgers(wanted).await?;
        let is_last = found.len() < AT_ONCE;
        for pair in found {
            if rows.len() == asked.limit {
                next = Some(place);
                break 'pages;
            }
            place = place.saturating_add(1);
            rows.extend(row(&asked, &caller, pair, &app.rules, now));
        }
        if is_last {
            break 'pages;
        }
        next = (place >= last).then_some(place);
    }
    Ok(json(StatusCode::OK, &PageView { now, permissions: rows, next }))
}

fn read(app: &App, given: Given) -> Result<Asked, ApiError> {
    let mut asked = Asked { state: None, sender: None, after: 0, limit: LIMIT_DEFAULT };
    given.read(|name, value| {
        match name {
            "state" => {
                let unknown = || fault(name, &format!("is none of {}", Shown::VARIANTS.join(", ")));
                asked.state = Some(value.parse().map_err(|_| unknown())?);
            }
            "sender" => asked.sender = Some(sender(app, &value)?),
            "after" => {
                let known = value.parse().ok().filter(|after| *after <= AFTER_MAX);
                let detail = format!("is no place of the list: expected 0 to {AFTER_MAX}");
                asked.after = known.ok_or_else(|| fault(name, &detail))?;
            }
            "limit" => asked.limit = query::limit(name, &value, LIMIT_MAX)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(asked)
}

/// The row of a ledger, if it is asked for.
fn row(asked: &Asked, caller: &Caller, mut pair: Pair, rules: &Rules, now: Timestamp) -> Option<RowView> {
    ledger::lapse(&mut pair, now);
    let is_shown = asked.state.is_none_or(|state| state.takes(pair.permission));
    if !is_shown || is_erased(&pair) || !caller.may_use_sender(pair.key.sender) {
        return None;
    }
    let (short, long) = (rules.limits.requests_short, rules.limits.requests_long);
    let lifts = |limit| Some(rolling::used_up(&pair.requests, now, limit, rules.margin)?.lifts_at);
    Some(RowView {
        sender: pair.key.sender.e164(),
        consumer: pair.key.person.number().e164(),
        permission: pair.permission.as_str(),
        until: end(pair.permission),
        misses: pair.misses,
        misses_before_revocation: rules.limits.misses_before_revocation,
        requests_left: left(&pair, short, rules, now).min(left(&pair, long, rules, now)),
        requests_lift_at: lifts(short).max(lifts(long)),
        paused_until: pair.paused_until.filter(|until| *until > now),
    })
}

fn left(pair: &Pair, limit: Rolling, rules: &Rules, now: Timestamp) -> u32 {
    let used = rolling::inside(&pair.requests, now, limit.window.saturating_add(rules.margin));
    limit.max.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_taken_by_its_own_name() {
        let at = Timestamp::UNIX_EPOCH;
        let all = [
            CallPermission::None,
            CallPermission::Requested { expires_at: at },
            CallPermission::Declined { until: at },
            CallPermission::Temporary { expires_at: at },
            CallPermission::Permanent,
            CallPermission::Expired,
            CallPermission::RevokedByConsumer,
            CallPermission::RevokedAutomatically,
            CallPermission::Uncallable { until: at },
        ];
        for permission in all {
            let own: Shown = permission.as_str().parse().unwrap();
            let taking: Vec<_> = all.into_iter().filter(|other| own.takes(*other)).collect();
            assert_eq!(taking, [permission]);
            let is_granted = matches!(permission.as_str(), "temporary" | "permanent");
            assert_eq!(Shown::Granted.takes(permission), is_granted);
        }
    }
}
