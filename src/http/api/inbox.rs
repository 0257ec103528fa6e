//! `GET /v1/inbox/unmatched`: reports of unknown people. They are folded when their person becomes known.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::body::json;
use super::query::{self, Given};
use crate::domain::event::{PermissionAnswer, PermissionReply, Word};
use crate::domain::{Event, Named};
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::FiledReport;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// Reports of the last 30 days without a known person, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = UnmatchedPage)]
pub(super) struct PageView {
    reports: Vec<ReportView>,
    /// The number of reports, including those beyond `limit`.
    total: u64,
}

/// A report without a known person.
#[derive(Serialize, ToSchema)]
#[schema(as = UnmatchedReport)]
struct ReportView {
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// The sender that received it.
    sender: String,
    /// `yes`, `no`, `unclear`, `stop`, `start`, `message`, `call`, `marketing_stop` or `marketing_start`.
    kind: &'static str,
    /// WhatsApp's id of the person, masked; absent if the platform reported no readable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// The SID of the message of ours that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    replied_to: Option<String>,
}

/// What a list shows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(super) struct Parameters {
    /// Reports on the list: 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// Lists the reports without a known person.
///
/// WhatsApp may report a user id instead of a number. The person is unknown until a report has the id together with a
/// number, or answers a message of ours. A refusal in the list may come from a consumer whom you call.
#[utoipa::path(get, path = "/v1/inbox/unmatched", operation_id = "list_unmatched_reports", tag = "status",
    params(Parameters),
    responses(
        (status = 200, body = PageView),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn unmatched(State(app): State<Arc<App>>, given: Given) -> Result<Response, ApiError> {
    let mut limit = LIMIT_DEFAULT;
    given.read(|name, value| {
        match name {
            "limit" => limit = query::limit(name, &value, LIMIT_MAX)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let reports = app.store.unmatched_reports(limit).await?;
    let total = app.store.census().await?.unmatched_reports;
    let reports = reports.iter().filter_map(ReportView::of).collect();
    Ok(json(StatusCode::OK, &PageView { reports, total }))
}

impl ReportView {
    /// `None` for a report that names somebody by its nature, which is never kept here.
    fn of(report: &FiledReport) -> Option<Self> {
        let (sender, who, kind, replied_to) = match &report.event {
            Event::PermissionReply(PermissionReply { sender, who, answer, replied_to, .. }) => {
                let kind = match answer {
                    PermissionAnswer::Temporary { .. } | PermissionAnswer::Permanent => "yes",
                    PermissionAnswer::Rejected => "no",
                    PermissionAnswer::NotUnderstood => "unclear",
                };
                (sender, who, kind, replied_to.clone())
            }
            Event::InboundMessage { sender, who, word, .. } => {
                let kind = match word {
                    Some(Word::Stop) => "stop",
                    Some(Word::Start) => "start",
                    None => "message",
                };
                (sender, who, kind, None)
            }
            Event::InboundCall { sender, who, .. } => (sender, who, "call", None),
            Event::MarketingPreference { sender, who, is_stopped } => {
                (sender, who, if *is_stopped { "marketing_stop" } else { "marketing_start" }, None)
            }
            _ => return None,
        };
        let Named { user_id, .. } = who;
        Some(Self {
            received_at: report.received_at,
            sender: sender.e164(),
            kind,
            user_id: user_id.as_ref().map(ToString::to_string),
            replied_to,
        })
    }
}
