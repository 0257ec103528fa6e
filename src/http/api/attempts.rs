//! `GET /v1/attempts`: attempts in progress. `POST /v1/attempts/{id}/resolve`: an operator resolves an
//! unresolved attempt. Like every report, the resolution goes into the inbox and is folded from there.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::body::{JsonBytes, json};
use super::callbacks::of_tenant;
use super::order_names::OrderName;
use super::query::{self, Given};
use super::resolution::{self, Draft, Identifiers, Taken, Vocabulary};
use super::views::AttemptView;
use crate::clock::later;
use crate::domain::attempt::{Candidate, ResolutionRefused};
use crate::domain::event::AttemptOverride;
use crate::domain::{Attempt, AttemptId, AttemptResolution, Disposition, Event, OrderKind, Stage};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The stages of an attempt in progress.
const STAGES: [Stage; 4] = [Stage::Intent, Stage::Submitting, Stage::Accepted, Stage::Unknown];
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// Attempts in progress, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AttemptPage)]
pub(super) struct PageView<'a> {
    attempts: Vec<LiveView<'a>>,
    /// The number of matches, including those beyond `limit`.
    total: usize,
}

/// An attempt in progress.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveAttempt)]
struct LiveView<'a> {
    #[serde(flatten)]
    attempt: AttemptView<'a>,
    callback: String,
    consumer: String,
    /// Whether an operator may resolve it, because its state is unknown.
    is_unresolved: bool,
    /// Until when a person holds it: before that its time-out does not settle it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    held_until: Option<Timestamp>,
    /// When a call that the platform does not have counts as not placed; absent for another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    not_placed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_look: Option<LookView<'a>>,
}

/// What the last lookup of a lost call found at the platform.
#[derive(Serialize, ToSchema)]
#[schema(as = Look)]
struct LookView<'a> {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Calls that may be the lost one, at most ten; none if the platform has none.
    candidates: Vec<CandidateView<'a>>,
}

/// A call at the platform that may be the lost one.
#[derive(Serialize, ToSchema)]
#[schema(as = Candidate)]
struct CandidateView<'a> {
    sid: &'a str,
    /// `queued`, `initiated`, `ringing`, `in_progress`, `completed`, `no_answer`, `busy`, `failed` or `canceled`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// How many seconds after our request it was created; negative if it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_request_s: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<u32>,
    /// Whether it is from and to the numbers of the request.
    same_numbers: bool,
}

/// Filters of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(super) struct Parameters {
    /// `intent`, `submitting`, `accepted` or `unknown`.
    stage: Option<String>,
    /// `true` shows only unresolved ones.
    is_unresolved: Option<bool>,
    /// The maximum number of attempts, 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// Attempts that are in progress, or may be, oldest first.
#[utoipa::path(get, path = "/v1/attempts", operation_id = "list_attempts", tag = "attempts",
    params(Parameters),
    responses(
        (status = 200, body = PageView<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let (mut wanted, mut is_unresolved, mut limit) = (None, None, LIMIT_DEFAULT);
    given.read(|name, value| {
        match name {
            "stage" => {
                let found = STAGES.into_iter().find(|known| known.as_str() == value);
                let fault = || query::fault(name, "is none of intent, submitting, accepted, unknown");
                wanted = Some(found.ok_or_else(fault)?);
            }
            "is_unresolved" => {
                let told = value.parse().map_err(|_| query::fault(name, "is neither true nor false"));
                is_unresolved = Some(told?);
            }
            "limit" => limit = query::limit(name, &value, LIMIT_MAX)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let now = app.clock.now();
    let doubted = |attempt: &Attempt| attempt.is_unresolved(now, &app.unresolved_after);
    let attempts = app.store.live_attempts().await?;
    let mut attempts = of_tenant(&app, &caller, attempts, |attempt| attempt.callback).await?;
    attempts.retain(|attempt| {
        wanted.is_none_or(|stage| attempt.submission.stage == stage)
            && is_unresolved.is_none_or(|wanted: bool| doubted(attempt) == wanted)
    });
    let total = attempts.len();
    attempts.truncate(limit);
    let horizon = app.unknown_for;
    let view = |attempt| LiveView::of(attempt, doubted(attempt), horizon);
    Ok(json(StatusCode::OK, &PageView { attempts: attempts.iter().map(view).collect(), total }))
}

/// Resolves an unresolved attempt.
///
/// For an operator who looked into Twilio's console. An attempt is unresolved if its stage is `unknown`, or if its
/// call was accepted and has had no report for longer than a call can last. One that ended as `abandoned` may be
/// resolved as `completed` while no report says that nobody was there. A later report of the platform overrides the
/// resolution if it says more.
#[utoipa::path(post, path = "/v1/attempts/{id}/resolve", operation_id = "resolve_attempt", tag = "attempts",
    params(("id" = String, Path, description = "`at_` and 32 hexadecimal digits")),
    request_body(content = Draft),
    responses(
        (status = 200, description = "The resolution is applied.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "The attempt is not unresolved; `detail` names its state.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let id: AttemptId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let found = app.store.attempts(&[id]).await?;
    let found = of_tenant(&app, &caller, found, |attempt| attempt.callback).await?.pop();
    let attempt = found.ok_or_else(|| ApiError::new("attempt.not_found", format!("{id} is not known")))?;
    let vocabulary = Vocabulary {
        fates: AttemptResolution::ALL.map(|fate| (fate.as_str(), fate)).to_vec(),
        identifiers: Identifiers::Twilio(&["CA"]),
        absent: AttemptResolution::NotPlaced,
    };
    let word = vocabulary.read(&bytes, attempt.submission.sid.as_deref())?;
    let order = OrderName::of(OrderKind::Callback, attempt.callback);
    let taken = Taken::of(id, order, word.fate.as_str());
    if attempt.is_known_as(word.fate) {
        return Ok(json(StatusCode::OK, &taken));
    }
    attempt
        .may_be_resolved(app.clock.now(), word.fate, &app.unresolved_after)
        .map_err(|objection| ApiError::new("attempt.not_in_doubt", refusal(&attempt, objection)))?;
    let by = caller.name().to_owned();
    let (fate, sid) = (word.fate, word.sid);
    let event = Event::AttemptResolved(AttemptOverride { attempt: id, fate, sid, by, note: word.note });
    let about = (&attempt.submission, Some(attempt.callback));
    resolution::carry_out(&app, &caller, &headers, about, &taken, event).await
}

fn refusal(attempt: &Attempt, objection: ResolutionRefused) -> String {
    match objection {
        ResolutionRefused::NotInDoubt => {
            let stage = attempt.submission.stage.as_str();
            match attempt.ending() {
                Some(end) => format!("it is {stage}, and ended as {end}"),
                None if attempt.submission.stage == Stage::Accepted => {
                    let state = super::views::progress(attempt.first_leg);
                    format!("it is {stage} and {state}; the platform is asked if no report comes")
                }
                None => format!("it is {stage}"),
            }
        }
        ResolutionRefused::WasPlaced => {
            "it is accepted: the platform has the call, so resolve it with its end".into()
        }
        ResolutionRefused::EndedAs(end) => {
            let why = match end {
                AttemptResolution::Ended(Disposition::Completed) => ": the consumer answered",
                AttemptResolution::Abandoned => ": the consumer answered, and was not connected",
                _ => "",
            };
            format!("it was reported as {}{why}", end.as_str())
        }
    }
}

impl<'a> LiveView<'a> {
    fn of(attempt: &'a Attempt, is_unresolved: bool, horizon: SignedDuration) -> Self {
        let submission = &attempt.submission;
        let submitted_at = submission.submitted_at.unwrap_or(submission.intended_at);
        let ends = later(submitted_at, horizon);
        Self {
            attempt: AttemptView::of(attempt),
            callback: attempt.callback.to_string(),
            consumer: attempt.consumer.e164(),
            is_unresolved,
            held_until: attempt.held_until,
            not_placed_at: (submission.stage == Stage::Unknown)
                .then(|| attempt.held_until.map_or(ends, |held| held.max(ends))),
            last_look: attempt.last_look.as_deref().map(|look| LookView {
                at: look.at,
                candidates: look
                    .candidates
                    .iter()
                    .map(|call| CandidateView::of(call, submitted_at))
                    .collect(),
            }),
        }
    }
}

impl<'a> CandidateView<'a> {
    fn of(call: &'a Candidate, submitted_at: Timestamp) -> Self {
        Self {
            sid: &call.sid,
            state: call.progress.as_str(),
            created_at: call.created_at,
            after_request_s: call.created_at.map(|at| at.duration_since(submitted_at).as_secs()),
            duration_s: call.duration_s,
            same_numbers: call.same_ends,
        }
    }
}
