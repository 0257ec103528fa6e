//! `GET` and `POST /v1/callbacks/{id}/link`: a link by which the consumer calls, so that the callback closes.
//!
//! The link has a payload that only we can make. What it does is decided when the call comes: it counts for the
//! consumer of the order and for nobody else.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::header::{ACCEPT, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::EnumString;
use utoipa::{IntoParams, ToSchema};

use super::field_errors::FieldErrors;
use super::record_of;
use super::request_body::Text;
use super::validate::phone;
use crate::domain::event::{CallbackChange, CallbackCommand};
use crate::domain::{Callback, Event, InviteToken, LinkGiven, OrderKind, Phone, deep_link};
use crate::http::api::body::{JsonBytes, json, raw};
use crate::http::api::commands::Command;
use crate::http::api::permissions::read;
use crate::http::api::query::{self, Given};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::qr::QrCode;

/// A link by which the consumer calls a sender.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub(in crate::http::api) struct View {
    /// The callback or invite.
    #[schema(example = "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    #[schema(example = "https://wa.me/call/551151991234?biz_payload=c...")]
    link: String,
    /// The sender that it calls.
    sender: String,
    /// The deadline of the callback or invite. A call after it closes nothing.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
}

/// The sender that the link calls.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkOrder)]
pub(in crate::http::api) struct Draft {
    /// A sender of the callback or invite, or another one with the country calling code of one of them. Default: the
    /// first one that is configured.
    #[serde(default)]
    #[schema(example = "+551151991234")]
    sender: Option<String>,
}

/// The form of the answer.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(in crate::http::api) struct Parameters {
    /// `json`, `text`, `svg` or `png`. Without it, the header `Accept` decides; without that, it is JSON.
    format: Option<String>,
}

/// The forms of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "snake_case")]
pub(in crate::http::api) enum Format {
    Json,
    Text,
    Svg,
    Png,
}

/// A link by which the consumer calls.
///
/// As JSON, as text, or as a QR code. That it was given out is recorded with the callback, once for each sender: an
/// answered call of the consumer to that sender after it closes the callback, also where no payload is told (Twilio, and
/// clients before version 2.25.27). WhatsApp does not open such links on computers.
#[utoipa::path(
    get, path = "/v1/callbacks/{id}/link", operation_id = "callback_link", tag = "callbacks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference"), Parameters),
    responses(
        (status = 200, content(
            (View = "application/json"), (String = "text/plain"), (String = "image/svg+xml"), (Vec<u8> = "image/png"),
        )),
        (status = 409, description = "It is closed, none of its senders is configured, or there are links to 8 senders.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn link(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    given: Given,
) -> Result<Response, ApiError> {
    link_of(&app, &caller, OrderKind::Callback, &id, format(given, &headers)?, None).await
}

/// A link by which the consumer calls this sender.
///
/// The number is in the body, because URLs are logged.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/link", operation_id = "callback_link_to", tag = "callbacks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference"), Parameters),
    request_body(content = Draft),
    responses(
        (status = 200, content(
            (View = "application/json"), (String = "text/plain"), (String = "image/svg+xml"), (Vec<u8> = "image/png"),
        )),
        (status = 409, description = "It is closed, none of its senders is configured, or there are links to 8 senders.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "It cannot link to this sender.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn link_to(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    given: Given,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let format = format(given, &headers)?;
    link_of(&app, &caller, OrderKind::Callback, &id, format, Some(read(&bytes)?)).await
}

/// A link to call for an order of this kind.
pub(in crate::http::api) async fn link_of(
    app: &App,
    caller: &Caller,
    kind: OrderKind,
    name: &str,
    format: Format,
    draft: Option<Draft>,
) -> Result<Response, ApiError> {
    let callback = record_of(app, caller, kind, name).await?.callback;
    if let Some(closed) = callback.closed() {
        return Err(ApiError::closed(kind, closed.outcome));
    }
    let sender = match draft.and_then(|draft| draft.sender) {
        Some(given) => named_sender(app, caller, &callback, &given)?,
        None => usual_sender(app, &callback)?,
    };
    record_link(app, caller, &callback, sender).await?;
    let token = app.hook_urls.invite_token(InviteToken::Callback(callback.id));
    answer(format, &callback, sender, deep_link(sender, Some(&token)))
}

/// Records that a link to this sender is given out, before it is: not every platform tells the payload of a link, so the
/// call of a consumer who has it counts by person, sender and time. Done once for each sender of the callback.
async fn record_link(app: &App, caller: &Caller, callback: &Callback, sender: Phone) -> Result<(), ApiError> {
    if callback.links.iter().any(|link| link.sender == sender) {
        return Ok(());
    }
    if callback.links.len() >= LinkGiven::SENDERS_MAX {
        return Err(too_many());
    }
    // The same caller, callback and sender are the same command.
    let content = format!("link {} {}", callback.id, sender.digits());
    let command = Command::new(app, caller, &HeaderMap::new(), &content, 0)?;
    let (by, change) = (caller.name().to_owned(), CallbackChange::Link { sender });
    let event = Event::Command(CallbackCommand { callback: callback.id, by, change });
    command.carry_out(event, Some(callback.id)).await.map(|_| ())
}

/// The refusal of a link to one more sender.
pub(in crate::http::api) fn too_many() -> ApiError {
    let detail = format!("links to {} senders were given out (our rule)", LinkGiven::SENDERS_MAX);
    ApiError::new("link.too_many", detail)
}

/// The first sender of the order that is still configured.
fn usual_sender(app: &App, callback: &Callback) -> Result<Phone, ApiError> {
    let configured = |sender: &&Phone| app.directory.sender(**sender).is_some();
    let found = callback.order.senders.iter().find(configured).copied();
    found.ok_or_else(|| ApiError::new("link.no_sender", "none of its senders is configured any more"))
}

/// The sender that the request names: one of the order, or one of the same dialling group and country calling code. The
/// second is our own rule: for the consumer, a number with another calling code is a call abroad.
fn named_sender(app: &App, caller: &Caller, callback: &Callback, given: &str) -> Result<Phone, ApiError> {
    let mut faults = FieldErrors::within(app.limits.order);
    let number = phone(app, "sender", &Text(given.into()), &mut faults);
    if let Some(number) = number {
        let senders = &callback.order.senders;
        let configured = app.directory.sender(number);
        let group = configured.map(|sender| app.directory.group_of(&sender.account));
        if configured.is_none() {
            let detail = "is not a configured sender; GET /v1/senders lists them";
            faults.add("sender", "sender.unknown", detail);
        } else if !caller.may_use_sender(number) {
            faults.add("sender", "sender.not_allowed", "is not one of the senders of the token");
        } else if !senders.iter().any(|sender| sender.calling_code() == number.calling_code()) {
            let detail = "has another country calling code than the senders of the order (our rule)";
            faults.add("sender", "sender.other_group", detail);
        } else if let Some(group) = group.filter(|group| **group != callback.group) {
            let own = &callback.group;
            let detail = format!("is of the dialling group {group}, and the order of the group {own}");
            faults.add("sender", "sender.group", detail);
        }
    }
    match number {
        Some(number) if faults.is_empty() => Ok(number),
        _ => Err(ApiError::fields("link.invalid", faults.into_vec())),
    }
}

fn answer(format: Format, callback: &Callback, sender: Phone, link: String) -> Result<Response, ApiError> {
    let code = || QrCode::of(&link).map_err(ApiError::internal);
    let mut answer = match format {
        Format::Json => {
            let (id, sender, ends_at) = (callback.shown_id(), sender.e164(), callback.order.latest);
            json(StatusCode::OK, &View { id, sender, ends_at, link })
        }
        Format::Text => raw(StatusCode::OK, format.media(), format!("{link}\n").into_bytes()),
        Format::Svg => raw(StatusCode::OK, format.media(), code()?.svg().into_bytes()),
        Format::Png => raw(StatusCode::OK, format.media(), code()?.png()),
    };
    answer.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(answer)
}

impl Format {
    const ALL: [Self; 4] = [Self::Json, Self::Text, Self::Svg, Self::Png];

    const fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
        }
    }

    /// Whether a media range of `Accept` includes it.
    fn is_in(self, range: &str) -> bool {
        let media = self.media().split(';').next().unwrap_or_default();
        range == "*/*" || range == media || {
            let kind = range.strip_suffix("/*");
            kind.is_some_and(|kind| media.split('/').next() == Some(kind))
        }
    }
}

/// The form that the request asks for: by its query, by `Accept`, or JSON.
pub(in crate::http::api) fn format(given: Given, headers: &HeaderMap) -> Result<Format, ApiError> {
    let mut named = None;
    given.read(|name, value| {
        if name != "format" {
            return Ok(false);
        }
        let fault = || query::fault(name, "is none of json, text, svg, png");
        named = Some(value.parse().map_err(|_| fault())?);
        Ok(true)
    })?;
    Ok(named.unwrap_or_else(|| accepted(headers)))
}

/// The form with the highest quality in `Accept`, the first of several; JSON if none is named.
fn accepted(headers: &HeaderMap) -> Format {
    let mut best = (Format::Json, 0);
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let (media, parameters) = range.split_once(';').unwrap_or((range, ""));
            let media = media.trim().to_ascii_lowercase();
            let quality = quality(parameters);
            let first = Format::ALL.into_iter().find(|format| format.is_in(&media));
            if let Some(format) = first.filter(|_| quality > best.1) {
                best = (format, quality);
            }
        }
    }
    best.0
}

/// The weight of a media range in thousandths; 1 if it has none or one that cannot be read.
fn quality(parameters: &str) -> u32 {
    let weight = parameters.split(';').find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok());
    let weight = weight.filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(1.0);
    // At most 1000, so nothing is lost.
    (weight * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_with_the_highest_quality_is_chosen() {
        for (accept, expected) in [
            (&[][..], Format::Json),
            (&["*/*"], Format::Json),
            (&["text/html"], Format::Json),
            (&["text/plain"], Format::Text),
            (&["text/*"], Format::Text),
            (&["image/*"], Format::Svg),
            (&["image/png"], Format::Png),
            (&["IMAGE/PNG"], Format::Png),
            (&["image/svg+xml;q=0.9, image/png"], Format::Png),
            (&["image/svg+xml; q=0.9", "image/png;q=0.8"], Format::Svg),
            (&["image/png;q=0"], Format::Json),
            (&["image/png;q=0.001,text/html"], Format::Png),
            (&["image/png, application/json"], Format::Png),
            (&["text/html,application/xhtml+xml,image/webp,*/*;q=0.8"], Format::Json),
            (&["image/png;q=two"], Format::Png),
            (&["image/png;q=7"], Format::Png),
            (&["\u{e9}"], Format::Json),
        ] {
            let mut headers = HeaderMap::new();
            for value in accept {
                headers.append(ACCEPT, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(accepted(&headers), expected, "{accept:?}");
        }
    }
}
