//! `GET /v1/dispositions`: what agents may say of calls.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use super::query::Given;
use crate::domain::{DeclaredDisposition, EffectKind};
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// The dispositions that a wrap-up may name.
#[derive(Serialize, ToSchema)]
#[schema(as = Dispositions)]
struct PageView<'a> {
    /// By name.
    dispositions: Vec<View<'a>>,
}

/// A disposition of the configuration.
#[derive(Serialize, ToSchema)]
#[schema(as = WrapUpDisposition)]
struct View<'a> {
    #[schema(example = "call_again")]
    name: &'a str,
    /// For people, such as `Call again`.
    label: &'a str,
    /// What follows: `none`, `callback_at`, `suppress` or `wrong_person`. `callback_at` needs a time in the wrap-up.
    effect: &'static str,
    /// The suppression list that the person is added to, if the effect is `suppress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    /// What that entry holds back: `calls`, `requests`, `invites` or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
}

impl<'a> View<'a> {
    fn of(name: &'a str, declared: &'a DeclaredDisposition) -> Self {
        let suppresses = declared.effect == EffectKind::Suppress;
        Self {
            name,
            label: &declared.label,
            effect: declared.effect.as_str(),
            list: suppresses.then(|| declared.list.to_string()),
            scope: suppresses.then(|| declared.scope.as_str()),
        }
    }
}

/// What agents may say of calls, by name, with what follows from it.
///
/// They are those of the configuration, or four usual ones if it has none.
#[utoipa::path(get, path = "/v1/dispositions", operation_id = "list_dispositions", tag = "callbacks", responses(
    (status = 200, body = PageView<'static>),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn list(State(app): State<Arc<App>>, given: Given) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let known = &app.defaults.dispositions;
    let dispositions = known.iter().map(|(name, declared)| View::of(name, declared)).collect();
    Ok(json(StatusCode::OK, &PageView { dispositions }))
}
