//! `GET /v1/reports`: which reports there are.

use axum::extract::Extension;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Tenant;
use crate::http::ApiError;
use crate::http::api::body::json;
use crate::http::api::query::Given;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::reports::{By, DAYS_MAX, Report};

/// A report that can be asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportName)]
struct View {
    /// As in the path.
    name: &'static str,
    about: &'static str,
    /// The values of `by`; the first one is the usual one.
    by: Vec<&'static str>,
    /// Whether it tells what is now; `from` and `to` are then refused.
    of_now: bool,
    takes_campaign: bool,
    takes_sender: bool,
}

/// The reports.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportNames)]
struct PageView {
    reports: Vec<View>,
    /// The most days that one report covers.
    days_max: i32,
}

/// The reports that the token may see.
#[utoipa::path(get, path = "/v1/reports", operation_id = "list_reports", tag = "reports",
    responses(
        (status = 200, body = PageView),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn list(
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let is_own = *caller.tenant() == Tenant::default();
    let shown = Report::all().filter(|report| is_own || !report.is_of_all_tenants());
    let reports = shown.map(|report| View {
        name: report.as_str(),
        about: report.about(),
        by: report.by().iter().copied().map(By::as_str).collect(),
        of_now: report.is_of_now(),
        takes_campaign: report.takes_campaign(),
        takes_sender: report.takes_sender(),
    });
    Ok(json(StatusCode::OK, &PageView { reports: reports.collect(), days_max: DAYS_MAX }))
}
