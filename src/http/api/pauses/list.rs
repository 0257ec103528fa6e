//! `GET /v1/pauses`: the pauses in force.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::set::{HoldsView, whom};
use super::{View, is_shown};
use crate::domain::PauseScope;
use crate::http::api::body::json;
use crate::http::api::query::{self, Given};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// The pauses in force, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Pauses)]
pub(in crate::http::api) struct PageView {
    pauses: Vec<ListedView>,
}

/// A pause in force.
#[derive(Serialize, ToSchema)]
#[schema(as = PauseInForce)]
pub(in crate::http::api) struct ListedView {
    #[serde(flatten)]
    pause: View,
    /// What it holds back, and what ends before it does, as it is now: with `holds=true`, of the oldest three pauses of
    /// everything, of an account or of a sender, for a caller who may set them.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<HoldsView>,
}

/// So many pauses are counted for.
const COUNTED: usize = 3;

/// The pauses in force, oldest first; at most 1,000.
///
/// A token of a tenant, or of some senders, sees of the pauses of people those that its tenant has set.
#[utoipa::path(get, path = "/v1/pauses", operation_id = "list_pauses", tag = "pauses",
    params(("holds" = Option<bool>, Query, description = "`true` counts what the oldest three hold back")),
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
    let mut counts = false;
    given.read(|name, value| {
        if name != "holds" {
            return Ok(false);
        }
        counts = value.parse().map_err(|_| query::fault(name, "is neither true nor false"))?;
        Ok(true)
    })?;
    let now = app.clock.now();
    let (mut listed, mut counted) = (Vec::new(), 0);
    for pause in app.store.pauses(now).await?.iter().filter(|pause| is_shown(&caller, pause)) {
        let is_counted = counts
            && counted < COUNTED
            && caller.may_pause_all()
            && matches!(pause.scope, PauseScope::All | PauseScope::Account(_) | PauseScope::Sender(_));
        let holds = match is_counted {
            true => app.store.held_back(&whom(&app, &pause.scope), now, pause.until).await.ok(),
            false => None,
        };
        counted += usize::from(is_counted);
        listed.push(ListedView { pause: View::of(pause), holds: holds.map(HoldsView::of) });
    }
    Ok(json(StatusCode::OK, &PageView { pauses: listed }))
}
