//! Webhooks of messages: messages from consumers, and status reports of ours.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::Hooks;
use super::claim::Subject;
use crate::domain::Event;
use crate::http::path::HookToken;
use crate::twilio::forms;

const MESSAGE: &str = "message";
const STATUS: &str = "message_status";

/// A message to a sender: the answer to a permission request, or anything else.
pub(super) async fn message(State(hooks): State<Arc<Hooks>>, request: Request) -> Response {
    let taken = hooks.take(MESSAGE, request, |verified| {
        let event = forms::inbound_message(&verified.form, &hooks.words)?;
        let sender = match &event {
            Event::PermissionReply(reply) => Some(reply.sender),
            Event::InboundMessage { sender, .. } => Some(*sender),
            _ => None,
        };
        sender.map_or(Ok(()), |sender| verified.check_sender(sender))?;
        Ok(verified.report(event))
    });
    hooks.say_nothing(MESSAGE, taken.await)
}

/// A status callback about a message of ours.
pub(super) async fn status(
    State(hooks): State<Arc<Hooks>>,
    HookToken(token): HookToken,
    request: Request,
) -> Response {
    let taken = hooks.take_claimed(STATUS, request, |verified| {
        let message = verified.message(&token)?;
        let report = forms::message_status(&verified.form, Some(message))?;
        let claim = verified.claim(Subject::Message { message, sid: report.sid.clone() });
        Ok((claim, verified.report(Event::Message(report))))
    });
    hooks.acknowledge(STATUS, taken.await)
}
