//! Commands: a requested change goes into the inbox, and the scheduler folds it. The answer waits for that for a
//! second; after that it has the path of the command. `GET /v1/commands/{id}` shows the state of a command.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::json;
use super::callbacks::create::{key, key_reused};
use super::callbacks::link::too_many;
use super::callbacks::record_of;
use super::invites::InviteView;
use super::order_names::{OrderName, OrderNames};
use super::views::CallbackView;
use crate::clock::later;
use crate::domain::{CallbackId, Campaign, CommandId, CommandOutcome, Event, OrderKind};
use crate::failpoint::failpoint;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::store::{CommandRecord, NewCommand, Report};

/// The state of a command.
#[derive(Serialize, ToSchema)]
#[schema(as = Command)]
pub(super) struct View {
    #[schema(example = "cm_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    /// `pending`, `applied` or `refused`.
    status: &'static str,
    /// Why it was refused: the code of the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(flatten)]
    order: OrderName,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
}

/// The state of a command. If it is pending, the answer waits for up to a second.
#[utoipa::path(
    get, path = "/v1/commands/{id}", operation_id = "show_command", tag = "commands",
    params(("id" = String, Path, description = "`cm_` and 32 hexadecimal digits")),
    responses(
        (status = 200, body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let id: CommandId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let found = settled(&app, *id.bytes()).await?;
    let found = found.filter(|command| command.tenant == *caller.tenant());
    let command = found.ok_or_else(|| ApiError::new("command.not_found", format!("{id} is not known")))?;
    let names = OrderNames::read(&app, command.callback).await?;
    Ok(json(StatusCode::OK, &View::of(id, &command, names.name(command.callback))))
}

impl View {
    fn of(id: CommandId, command: &CommandRecord, order: OrderName) -> Self {
        let (status, code) = match &command.outcome {
            None => ("pending", None),
            Some(CommandOutcome::Applied) => ("applied", None),
            Some(CommandOutcome::Refused(code)) => ("refused", Some(code.to_string())),
        };
        Self { id: id.to_string(), status, code, order, received_at: command.received_at }
    }
}

/// A command before it is in the inbox.
pub(super) struct Command<'a> {
    app: &'a App,
    caller: &'a Caller,
    key: [u8; 16],
    content: [u8; 32],
    /// Whether the key is the caller's, so that it may have been used before.
    is_keyed: bool,
}

/// The state of a command when it is answered.
pub(super) enum Carried {
    Applied,
    Pending(CommandId, CommandRecord),
}

impl<'a> Command<'a> {
    /// `content` describes the change. Without a key of the caller, the same content on the same version of the
    /// callback is the same command.
    pub(super) fn new(
        app: &'a App,
        caller: &'a Caller,
        headers: &HeaderMap,
        content: &str,
        version: u64,
    ) -> Result<Self, ApiError> {
        let given = key(headers)?;
        let content: [u8; 32] = Sha256::digest(content.as_bytes()).into();
        let mut digest = Sha256::new();
        digest.update(caller.key_owner());
        match given {
            Some(given) => digest.update(format!("\nkey\n{given}")),
            None => {
                digest.update(b"\ncontent\n");
                digest.update(content);
                digest.update(version.to_be_bytes());
            }
        }
        let mut key = [0; 16];
        key.copy_from_slice(&digest.finalize()[..16]);
        Ok(Self { app, caller, key, content, is_keyed: given.is_some() })
    }

    pub(super) const fn key(&self) -> [u8; 16] {
        self.key
    }

    /// Whether the same command was sent before with the caller's key. It may have been possible then.
    pub(super) async fn is_known(&self) -> Result<bool, ApiError> {
        Ok(self.is_keyed && self.app.store.command(self.key).await?.is_some())
    }

    /// Appends the command and waits a short time for the fold.
    pub(super) async fn carry_out(
        self,
        event: Event,
        callback: Option<CallbackId>,
    ) -> Result<Carried, ApiError> {
        let command = self.filed(event, callback);
        let is_new = self.app.store.append_command(command).await?;
        self.carried(is_new).await
    }

    /// The command as it is appended.
    pub(super) fn filed(&self, event: Event, callback: Option<CallbackId>) -> NewCommand {
        let report = Report { key: self.key, received_at: self.app.clock.now(), event };
        NewCommand { report, tenant: self.caller.tenant().clone(), callback, content: self.content }
    }

    /// Waits a short time for the fold of the command, which was appended.
    pub(super) async fn carried(self, is_new: bool) -> Result<Carried, ApiError> {
        let app = self.app;
        failpoint!("command.appended", is_new);
        if is_new {
            app.waker.now();
        }
        let Some(record) = settled(app, self.key).await? else {
            return Err(ApiError::internal("an appended command is missing"));
        };
        if record.content != self.content {
            return Err(key_reused());
        }
        match &record.outcome {
            Some(CommandOutcome::Applied) => Ok(Carried::Applied),
            Some(CommandOutcome::Refused(code)) => Err(self.refusal(code, record.callback).await),
            None => Ok(Carried::Pending(CommandId::new(Uuid::from_bytes(self.key)), record)),
        }
    }

    /// The problem for a code of the fold.
    async fn refusal(&self, code: &str, callback: Option<CallbackId>) -> ApiError {
        let detail = "it changed before the command was applied";
        match code {
            "callback.closed" => {
                let callback = match callback {
                    Some(id) => self.app.store.callback(id).await.ok().flatten(),
                    None => None,
                };
                let closed = callback.and_then(|record| {
                    let outcome = record.callback.closed()?.outcome;
                    Some(ApiError::closed(record.callback.order.kind, outcome))
                });
                closed.unwrap_or_else(|| ApiError::new("callback.closed", detail))
            }
            "callback.calling" => ApiError::new("callback.calling", detail),
            "attempt.over" => ApiError::new("attempt.over", detail),
            "attempt.not_in_doubt" => ApiError::new("attempt.not_in_doubt", detail),
            "message.not_in_doubt" => ApiError::new("message.not_in_doubt", detail),
            "set_aside.ended" => ApiError::new("set_aside.ended", detail),
            "permission.refused" => ApiError::new("permission.refused", detail),
            "pause.not_found" => ApiError::new("pause.not_found", detail),
            "calendar.not_found" => ApiError::new("calendar.not_found", detail),
            "calendar.too_many_days" => ApiError::new("calendar.too_many_days", detail),
            "campaign.not_found" => ApiError::new("campaign.not_found", detail),
            "campaign.state" => ApiError::new("campaign.state", detail),
            "campaign.unfinished" => ApiError::new("campaign.unfinished", detail),
            "campaign.too_many" => {
                let detail = format!("{} campaigns are open; end some first", Campaign::OPEN_MAX);
                ApiError::new("campaign.too_many", detail)
            }
            "campaign.share_used" => {
                let most = Campaign::OPEN_MAX;
                let detail = format!(
                    "the tenant has as many open campaigns as places are left of {most}; end some of them first"
                );
                ApiError::new("campaign.share_used", detail)
            }
            "pool.not_found" => ApiError::new("pool.not_found", detail),
            "pool.older_figure" => {
                let detail = "a figure with a newer as_of is known, so nothing was changed";
                ApiError::new("pool.older_figure", detail)
            }
            "pool.too_many" => super::pools::too_many(),
            "pause.too_many" => ApiError::new("pause.too_many", detail),
            "link.too_many" => too_many(),
            "wrap_up.no_call" => {
                ApiError::new("wrap_up.no_call", "no call of it has been placed or answered")
            }
            "wrap_up.erased" => super::callbacks::wrap_up::erased(),
            "offer.over" => ApiError::new("offer.over", "it was skipped, has run out, or is another one now"),
            "offer.taken" => {
                ApiError::new("offer.taken", "the callback is dialled or was dialled for another agent")
            }
            "offer.other_agent" => {
                ApiError::new("offer.other_agent", "only the assigned agent takes it before exclusive_until")
            }
            "command.dropped" => {
                ApiError::new("command.dropped", "the program failed at it, so it was set aside")
            }
            _ => ApiError::new("callback.not_found", "it is not known"),
        }
    }
}

/// A command when it is folded, or as it is after the wait.
async fn settled(app: &App, key: [u8; 16]) -> Result<Option<CommandRecord>, ApiError> {
    let until = later(app.clock.now(), app.command_wait);
    loop {
        let folded = app.waker.folded();
        let found = app.store.command(key).await?;
        if found.as_ref().is_none_or(|command| command.outcome.is_some()) || app.clock.now() >= until {
            return Ok(found);
        }
        tokio::select! {
            () = folded => {}
            () = app.clock.sleep_until(until) => {}
        }
    }
}

/// The callback or invite as it is now, or the path of the command.
pub(super) async fn answer_with_order(
    app: &App,
    caller: &Caller,
    kind: OrderKind,
    id: CallbackId,
    carried: Carried,
) -> Result<Response, ApiError> {
    match carried {
        Carried::Applied => {
            let record = record_of(app, caller, kind, &kind.show_id(id)).await?;
            Ok(match kind {
                OrderKind::Callback => json(StatusCode::OK, &CallbackView::of(&record.callback)),
                OrderKind::Invite => json(StatusCode::OK, &InviteView::of(&record.callback)),
            })
        }
        Carried::Pending(command, record) => {
            Ok(pending(command, &View::of(command, &record, OrderName::of(kind, id))))
        }
    }
}

/// `taken` with 200 if the command is folded, otherwise with 202 and the command's path.
pub(super) fn answer_with(taken: &impl Serialize, carried: &Carried) -> Response {
    match carried {
        Carried::Applied => json(StatusCode::OK, taken),
        Carried::Pending(command, _) => pending(*command, taken),
    }
}

fn pending(command: CommandId, body: &impl Serialize) -> Response {
    let mut answer = json(StatusCode::ACCEPTED, body);
    let location = HeaderValue::from_str(&format!("/v1/commands/{command}"));
    answer.headers_mut().insert(LOCATION, location.expect("an id fits into a header"));
    answer
}
