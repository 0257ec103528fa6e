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
    /// left out. One with seven or more digits in a row is refused: it could be a phone number.
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
    /// There are more offers than `limit`, or more than the 1,000 that were looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    incomplete: bool,
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
    left_s: i64,
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
                let read = read.map_err(|error| query::fault(name, &error.to_string()))?;
                if read.may_be_a_number() {
                    let detail = "has seven or more digits in a row, which could be a phone number";
                    return Err(query::fault(name, detail));
                }
                agent = Some(read);
            }
            "limit" => limit = query::limit(name, &value, LIMIT_MAX)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let now = app.clock.now();
    let mut all = app.store.offers(caller.tenant(), now, LOOKED_AT_MAX + 1).await?;
    all.retain(|callback| caller.may_see(callback));
    Ok(json(StatusCode::OK, &view(&all, agent.as_ref(), limit, now)))
}

/// The first offers that the agent may take, of the first [`LOOKED_AT_MAX`].
fn view<'a>(all: &'a [Callback], agent: Option<&AgentTarget>, limit: usize, now: Timestamp) -> View<'a> {
    let theirs = all.iter().take(LOOKED_AT_MAX);
    let theirs = theirs.filter(|callback| agent.is_none_or(|agent| may_take(callback, agent, now)));
    let mut theirs = theirs.filter_map(|callback| OfferView::of(callback, now));
    let offers = theirs.by_ref().take(limit).collect();
    let incomplete = theirs.next().is_some() || all.len() > LOOKED_AT_MAX;
    View { now, offers, incomplete }
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
            left_s: until.duration_since(now).as_secs(),
            number: offer.times,
            callback: CallbackView::of(callback),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::callback::Waiting;
    use crate::domain::{Assigned, CallbackId, Offer, Order, Phone, Reason, State, Terms};

    /// An offer that only this agent may take.
    fn offered_to(agent: &AgentTarget, now: Timestamp) -> Callback {
        let number = |text| Phone::parse(text).unwrap();
        let until = now + SignedDuration::from_mins(1);
        let assigned = Some(Assigned { agent: agent.clone(), until });
        let terms = Terms { assigned, ..Terms::default() }.kept();
        let senders = vec![number("+551151991234")];
        let order = Order { terms, ..Order::new(number("+5511987654321"), senders, "message", now, until) };
        let waits = State::Waiting(Waiting { wake_at: now, place: None, note: Reason::Ready.note() });
        let mut callback = Callback::new(CallbackId::new(uuid::Uuid::from_u128(1)), now, order, waits);
        callback.handled().offer = Offer { times: 1, until: Some(until), taken: None };
        callback
    }

    #[test]
    fn a_list_that_was_cut_says_so() {
        let now = Timestamp::UNIX_EPOCH;
        let (dora, bob) = (AgentTarget::Client("dora".into()), AgentTarget::Client("bob".into()));
        let all = vec![offered_to(&dora, now); LOOKED_AT_MAX + 1];
        let shown = |count: usize, agent, limit| {
            let view = view(&all[..count], agent, limit, now);
            (view.offers.len(), view.incomplete)
        };
        assert_eq!(shown(2, None, 2), (2, false));
        assert_eq!(shown(3, None, 2), (2, true));
        assert_eq!(shown(LOOKED_AT_MAX, Some(&bob), 2), (0, false));
        assert_eq!(shown(LOOKED_AT_MAX + 1, Some(&bob), 2), (0, true), "the last one may be anybody's");
    }
}
