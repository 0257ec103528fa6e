//! What a thing was before a person changed it, for the audit log: short texts of what can be changed, without numbers of
//! people.

use serde_json::{Value, json};

use crate::domain::callback::State;
use crate::domain::{CampaignId, OrderKind, Pause, Pool};
use crate::http::App;
use crate::http::api::mask;
use crate::http::auth::Caller;
use crate::store;

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
        _ => None,
    };
    Ok(values.map(|values| mask::masked(&values.to_string())))
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
