//! `GET /v1/lineage` and `POST /v1/lineage/release`: a store that is not the one that was last written, what is missing in
//! it, and an operator's word that dialling may go on.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBytes, json};
use super::commands::{Command, answer_with};
use super::permissions::{fault, for_the_record, read};
use crate::domain::{AccountListed, Event, Lineage, Position, Unrecorded};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// How many calls and messages are listed.
const LISTED_MAX: usize = 1_000;

/// What no platform can tell of a lost span.
const UNKNOWABLE: [&str; 4] = [
    "Orders that were accepted in the lost span are not known: whoever ordered has to order again.",
    "Cancellations and changes of orders are not known: a callback that was canceled may be waiting.",
    "What consumers wrote is not known, also a stop: their permission is void until they answer again.",
    "Pauses, tokens, suppression entries and marked days that were changed in the lost span are not known.",
];

/// Whether the store is the one that was last written.
#[derive(Serialize, ToSchema)]
#[schema(as = Lineage)]
struct View {
    /// `known`, or `held` while nothing is dialled or sent.
    state: &'static str,
    /// The last time that the store was not the one that was last written; absent if it never was so.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<LostView>,
}

/// A lost span of the store, and what is known of it.
#[derive(Serialize, ToSchema)]
#[schema(as = LostSpan)]
struct LostView {
    /// `gone_back`, `another_store`, `no_witness`, `copied`, `another_system` or `another_timeline`.
    cause: &'static str,
    sentence: &'static str,
    /// When the store's last batch was written.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// When it was noticed.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    store: PositionView,
    /// What was remembered outside of the store, if there was something.
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<WitnessView>,
    /// What each account's platform has of the span.
    accounts: Vec<AccountView>,
    /// Calls and messages that the store did not know, the oldest first; at most 1,000.
    found: Vec<FoundView>,
    /// What cannot be known.
    unknown: [&'static str; UNKNOWABLE.len()],
    #[serde(skip_serializing_if = "Option::is_none")]
    released: Option<ReleasedView>,
}

/// How far a history goes.
#[derive(Serialize, ToSchema)]
#[schema(as = LineagePosition)]
struct PositionView {
    /// How many batches were written.
    batch: u64,
    /// How often a leader began a term.
    leader: u64,
}

/// What was remembered outside of the store.
#[derive(Serialize, ToSchema)]
#[schema(as = LineageWitness)]
struct WitnessView {
    #[serde(flatten)]
    position: PositionView,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What an account's platform has of a lost span.
#[derive(Serialize, ToSchema)]
#[schema(as = LineageAccount)]
struct AccountView {
    name: String,
    /// `asked` while the platform has not answered, `listed`, or `unlisted` if it cannot list what was created.
    state: &'static str,
    /// Calls that the store did not know.
    calls: u32,
    /// Messages to consumers that the store did not know. Each counts as a permission request and as an invite.
    messages: u32,
    /// Messages from consumers. Their permissions are void.
    inbound_messages: u32,
}

/// A call or message that the store did not know.
#[derive(Serialize, ToSchema)]
#[schema(as = LineageFound)]
struct FoundView {
    /// `call`, `message` or `inbound_message`.
    kind: &'static str,
    account: String,
    sid: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    sender: String,
    /// The callback that a call counts for; without one it counts for its person.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
}

/// An operator's word.
#[derive(Serialize, ToSchema)]
#[schema(as = LineageReleasedBy)]
struct ReleasedView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The name of the token.
    by: String,
    why: String,
}

/// An operator's word that dialling may go on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LineageRelease)]
pub(super) struct Draft {
    /// Why, for the record; at most 200 bytes.
    #[schema(required = true)]
    why: Option<String>,
    /// Release it although not every platform has told what it has of the lost span.
    #[serde(default)]
    despite_unlisted: bool,
}

/// The release.
#[derive(Serialize, ToSchema)]
#[schema(as = LineageTaken)]
pub(super) struct Taken {
    released: bool,
}

/// Whether the store is the one that was last written, and what is missing in it if it is not.
#[utoipa::path(get, path = "/v1/lineage", operation_id = "show_lineage", tag = "status", responses(
    (status = 200, body = View),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let lineage = app.store.lineage().await?;
    let found = match &lineage {
        Some(_) => app.store.unrecorded(LISTED_MAX).await?,
        None => Vec::new(),
    };
    let is_held = lineage.as_ref().is_some_and(|lineage| lineage.released.is_none());
    let state = if is_held { "held" } else { "known" };
    let lost = lineage.map(|lineage| LostView::of(&app, &lineage, &found));
    Ok(json(StatusCode::OK, &View { state, lost }))
}

/// Releases a store that is not the one that was last written.
///
/// Dialling and sending go on at once. It is refused while the platform of an account has not told what it has of the lost
/// span, unless `despite_unlisted` says otherwise: then calls may be placed a second time.
#[utoipa::path(post, path = "/v1/lineage/release", operation_id = "release_lineage", tag = "status",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content = Draft),
    responses(
        (status = 200, description = "It is released.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 409, description = "The store is not held, or a platform has not told yet.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn release(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let Draft { why, despite_unlisted } = read(&bytes)?;
    let why = match for_the_record("why", why.as_deref()) {
        Ok(Some(why)) => why,
        Ok(None) => {
            let missing = fault("why", "field.required", "say why, for the record");
            return Err(ApiError::fields("lineage.invalid", vec![missing]));
        }
        Err(wrong) => return Err(ApiError::fields("lineage.invalid", vec![wrong])),
    };
    let held = app.store.lineage().await?.filter(|lineage| lineage.released.is_none());
    // Without a key of the caller, a repeated release of the same span is another command, because the first one may have
    // been refused.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("lineage release {despite_unlisted}"),
        false => app.ids.uuid(app.clock.now()).to_string(),
    };
    let command = Command::new(&app, &caller, &headers, &content, 0)?;
    if held.is_none() && !command.is_known().await? {
        return Err(not_held());
    }
    let event = Event::LineageReleased { by: caller.name().to_owned(), why, despite_unlisted };
    let carried = command.carry_out(event, None).await?;
    Ok(answer_with(&Taken { released: true }, &carried))
}

pub(super) fn not_held() -> ApiError {
    ApiError::new("lineage.not_held", "the store is the one that was last written, or was released since")
}

impl LostView {
    fn of(app: &App, lineage: &Lineage, found: &[Unrecorded]) -> Self {
        let Lineage { since, cause, from, stored, witnessed, accounts, released } = lineage;
        let asked = app.directory.accounts().into_iter().filter(|alias| !accounts.contains_key(*alias));
        let told = accounts.iter().map(|(alias, listed)| AccountView::told(alias, listed));
        Self {
            cause: cause.as_str(),
            sentence: cause.sentence(),
            from: *from,
            until: *since,
            store: PositionView::of(*stored),
            witness: witnessed.map(|witnessed| WitnessView {
                position: PositionView::of(witnessed.position),
                at: witnessed.at,
            }),
            accounts: told.chain(asked.map(|alias| AccountView::asked(alias))).collect(),
            found: found.iter().map(FoundView::of).collect(),
            unknown: UNKNOWABLE,
            released: released.as_ref().map(|released| ReleasedView {
                at: released.at,
                by: released.by.to_string(),
                why: released.why.to_string(),
            }),
        }
    }
}

impl PositionView {
    const fn of(Position { leader, batch }: Position) -> Self {
        Self { batch, leader }
    }
}

impl AccountView {
    fn told(alias: &str, listed: &AccountListed) -> Self {
        let state = if listed.is_listed { "listed" } else { "unlisted" };
        let AccountListed { calls, messages, inbound, .. } = *listed;
        Self { name: alias.to_owned(), state, calls, messages, inbound_messages: inbound }
    }

    fn asked(alias: &str) -> Self {
        Self { name: alias.to_owned(), state: "asked", calls: 0, messages: 0, inbound_messages: 0 }
    }
}

impl FoundView {
    fn of(unrecorded: &Unrecorded) -> Self {
        Self {
            kind: unrecorded.kind.as_str(),
            account: unrecorded.account.to_string(),
            sid: unrecorded.sid.clone(),
            at: unrecorded.at,
            sender: unrecorded.numbers.sender.e164(),
            callback: unrecorded.callback.map(|id| id.to_string()),
            attempt: unrecorded.attempt.map(|id| id.to_string()),
        }
    }
}
