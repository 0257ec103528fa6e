//! `GET /v1/offers`: the callbacks that are offered to agents now.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::domain::{AgentTarget, Callback};
use crate::http::api::body::json;
use crate::http::api::query::{self, Given};
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;
/// So many offers are looked at.
const LOOKED_AT_MAX: usize = 1_000;

/// Filters of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(in crate::http::api) struct Parameters {
    /// Only offers that this agent may take: `client:name` or `sip:user@host`. Offers that are another assigned agent's are
    /// left out.
    agent: Option<String>,
    /// Offers at most, 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// The offers.
#[derive(Serialize, ToSchema)]
#[schema(as = Offers)]
struct View<'a> {
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// Oldest callbacks first.
    offers: Vec<OfferView<'a>>,
}

/// An offer.
#[derive(Serialize, ToSchema)]
#[schema(as = Offer)]
struct OfferView<'a> {
    /// The id of the callback. It names the offer too.
    id: String,
    /// The end of the offer.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Until then, in whole seconds.
    seconds_left: i64,
    /// 1 for the first offer.
    number: u32,
    callback: CallbackView<'a>,
}

/// The callbacks that are offered to agents now.
#[utoipa::path(
    get, path = "/v1/offers", operation_id = "list_offers", tag = "offers",
    params(Parameters),
    responses(
        (status = 200, body = View<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let (mut agent, mut limit) = (None, LIMIT_DEFAULT);
    given.read(|name, value| {
        match name {
            "agent" => {
                let read = value.parse::<AgentTarget>();
                agent = Some(read.map_err(|error| query::fault(name, &error.to_string()))?);
            }
            "limit" => limit = query::limit(name, &value, LIMIT_MAX)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let now = app.clock.now();
    let all = app.store.offers(caller.tenant(), now, LOOKED_AT_MAX).await?;
    let theirs =
        all.iter().filter(|callback| agent.as_ref().is_none_or(|agent| may_take(callback, agent, now)));
    let offers = theirs.filter_map(|callback| OfferView::of(callback, now)).take(limit).collect();
    Ok(json(StatusCode::OK, &View { now, offers }))
}

/// Whether the agent may take the offer: it is nobody's, or this agent's.
fn may_take(callback: &Callback, agent: &AgentTarget, now: Timestamp) -> bool {
    let is_exclusive = callback.order.exclusive_until().is_some_and(|until| now < until);
    !is_exclusive || callback.order.agent_at(now) == Some(agent)
}

impl<'a> OfferView<'a> {
    fn of(callback: &'a Callback, now: Timestamp) -> Option<Self> {
        let offer = callback.offer()?;
        let until = offer.until?;
        Some(Self {
            id: callback.id.to_string(),
            until,
            seconds_left: until.duration_since(now).as_secs(),
            number: offer.times,
            callback: CallbackView::of(callback),
        })
    }
}
