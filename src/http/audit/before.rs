//! What a thing was before a person changed it, for the audit log: short texts of what can be changed, without numbers of
//! people.

use serde_json::{Value, json};

use crate::domain::callback::State;
use crate::domain::{CampaignId, ListName, Name, OrderKind, Pause, PersonId, Phone, Pool};
use crate::http::App;
use crate::http::api::mask;
use crate::http::auth::Caller;
use crate::policy::People;
use crate::store::{self, EntryName};

/// The values of the thing that the route and the object name, as JSON. `None` if there is none in the caller's tenant, or
/// its kind has none.
///
/// # Errors
/// As any read of the store.
pub(super) async fn before(
    app: &App,
    caller: &Caller,
    path: &str,
    object: &str,
) -> store::Result<Option<String>> {
    let values = match path.split('/').nth(2) {
        Some("callbacks") => order(app, caller, OrderKind::Callback, object).await?,
        Some("invites") => order(app, caller, OrderKind::Invite, object).await?,
        Some("campaigns") => campaign(app, caller, object).await?,
        Some("pauses") => pause(app, caller, object).await?,
        Some("pools") => pool(app, caller, object).await?,
        Some("offers") => order(app, caller, OrderKind::Callback, object).await?,
        Some("attempts") => attempt(app, caller, object).await?,
        Some("messages") => message(app, caller, object).await?,
        Some("bulk") => bulk(app, caller, object).await?,
        Some("imports") => import(app, caller, object).await?,
        Some("set-aside") => set_aside(app, object).await?,
        Some("calendars") => calendar(app, object).await?,
        Some("webhooks") => webhooks(app),
        _ => None,
    };
    Ok(values.map(|values| mask::masked(&values.to_string())))
}

/// What was known of a consumer whom the body of a request names: the permission, the suppression or the zones that it
/// changes. It is erased with the person.
///
/// # Errors
/// As any read of the store.
pub(super) async fn of_consumer(
    app: &App,
    path: &str,
    consumer: Phone,
    body: &str,
) -> store::Result<Option<String>> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let values = match path.split('/').nth(2) {
        Some("permissions") => {
            let Some(sender) = text("sender").and_then(|text| Phone::parse(text).ok()) else {
                return Ok(None);
            };
            let pair = People::of(app.store.people(&[Name::Number(consumer)]).await?).pair(sender, consumer);
            json!({ "permission": pair.permission.as_str(), "misses": pair.misses })
        }
        Some("suppression") => {
            let Some(list) = text("list").and_then(|text| text.parse::<ListName>().ok()) else {
                return Ok(None);
            };
            let entries = app.store.entries_of(&list, &EntryName::Name(Name::Number(consumer))).await?;
            json!({ "list": list.to_string(), "entries": entries.len() })
        }
        Some("consumers") if path.ends_with("/zone") => {
            let found = app.store.zones_of(&[PersonId::of(consumer)]).await?;
            json!({ "zones": found.into_iter().next().map(|(_, zones)| zones).unwrap_or_default() })
        }
        _ => return Ok(None),
    };
    Ok(Some(mask::masked(&values.to_string())))
}

async fn attempt(app: &App, caller: &Caller, object: &str) -> store::Result<Option<Value>> {
    let Ok(id) = object.parse() else { return Ok(None) };
    let found = app.store.attempt(id).await?.filter(|(_, callback)| caller.may_see(callback));
    Ok(found.map(|(attempt, _)| {
        json!({
            "stage": attempt.submission.stage.as_str(),
            "state": attempt.first_leg.as_str(),
            "ended_at": attempt.ended_at,
            "held_until": attempt.held_until,
        })
    }))
}

async fn message(app: &App, caller: &Caller, object: &str) -> store::Result<Option<Value>> {
    let Ok(id) = object.parse() else { return Ok(None) };
    let Some(message) = app.store.messages(&[id]).await?.pop() else { return Ok(None) };
    let callback = match message.callback {
        Some(id) => app.store.callback(id).await?.map(|record| record.callback),
        None => None,
    };
    let is_seen = callback.is_some_and(|callback| caller.may_see(&callback));
    Ok(is_seen.then(|| json!({ "stage": message.submission.stage.as_str() })))
}

async fn bulk(app: &App, caller: &Caller, object: &str) -> store::Result<Option<Value>> {
    let Ok(id) = object.parse() else { return Ok(None) };
    let found = app.store.bulk(id).await?.filter(|bulk| bulk.tenant == *caller.tenant());
    Ok(found.map(|bulk| {
        json!({
            "state": <&str>::from(bulk.state), "total": bulk.total, "open": bulk.open, "applied": bulk.applied,
        })
    }))
}

async fn import(app: &App, caller: &Caller, object: &str) -> store::Result<Option<Value>> {
    let found = app.store.import_named(caller.tenant(), object).await?;
    Ok(found.map(|import| {
        json!({
            "state": <&str>::from(import.state), "rows": import.rows, "accepted": import.accepted,
        })
    }))
}

/// The routes are those of the default tenant, or need a right over all of it.
async fn set_aside(app: &App, object: &str) -> store::Result<Option<Value>> {
    let Ok(id) = object.parse() else { return Ok(None) };
    let found = app.store.set_aside_by_id(id).await?;
    Ok(found.map(|item| json!({ "kind": &*item.kind, "since": item.at, "is_over": item.end.is_some() })))
}

/// The days that operators marked, at most so many.
async fn calendar(app: &App, object: &str) -> store::Result<Option<Value>> {
    const DAYS_MAX: usize = 30;
    let from = app.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let marked = app.store.marked_days(from).await?;
    let own = marked.iter().filter(|day| day.calendar.to_string() == object).take(DAYS_MAX);
    let days: Vec<String> = own.map(|day| format!("{} {}", day.day, day.mark.as_str())).collect();
    Ok(Some(json!({ "days": days })))
}

fn webhooks(app: &App) -> Option<Value> {
    let standing = app.webhook_endpoint.as_ref()?.standing();
    let (since, why) = standing.disabled.unzip();
    Some(json!({ "disabled_since": since, "why": why, "resting_until": standing.resting_until }))
}

async fn order(app: &App, caller: &Caller, kind: OrderKind, object: &str) -> store::Result<Option<Value>> {
    let Ok(id) = kind.read_id(object) else { return Ok(None) };
    let found = app.store.callback(id).await?.map(|record| record.callback);
    Ok(found.filter(|callback| caller.may_see(callback)).map(|callback| {
        let state = match callback.state {
            State::Waiting(_) => "waiting",
            State::Calling { .. } => "calling",
            State::Closed(_) => "closed",
        };
        let order = &callback.order;
        json!({
            "state": state, "earliest": order.earliest, "latest": order.latest, "priority": order.priority.level(),
        })
    }))
}

async fn campaign(app: &App, caller: &Caller, object: &str) -> store::Result<Option<Value>> {
    let Ok(id) = object.parse::<CampaignId>() else { return Ok(None) };
    let found = app.store.campaign(id).await?.map(|record| record.campaign);
    let found = found.filter(|campaign| campaign.tenant == *caller.tenant());
    Ok(found.map(|campaign| {
        json!({
            "name": &*campaign.name,
            "state": campaign.state.as_str(),
            "concurrent_calls_max": campaign.concurrent_calls_max,
            "calls_per_minute": campaign.calls_per_minute,
            "weight": campaign.weight,
        })
    }))
}

async fn pause(app: &App, caller: &Caller, object: &str) -> store::Result<Option<Value>> {
    let pauses = app.store.pauses(app.clock.now()).await?;
    let is_it = |pause: &&Pause| pause.id.to_string() == object && pause.tenant == *caller.tenant();
    Ok(pauses.iter().find(is_it).map(|pause| {
        json!({
            "scope": pause.scope.kind().as_str(), "why": &*pause.why, "since": pause.from, "until": pause.until,
        })
    }))
}

async fn pool(app: &App, caller: &Caller, object: &str) -> store::Result<Option<Value>> {
    let pools = app.store.pools().await?;
    let is_it = |pool: &&Pool| pool.key.tenant == *caller.tenant() && pool.key.name.to_string() == object;
    Ok(pools.iter().find(is_it).map(|pool| {
        json!({
            "count": pool.figure.count(),
            "valid_until": pool.valid_until,
            "headroom": pool.headroom,
            "wrap_up_s": pool.wrap_up.as_secs(),
        })
    }))
}
