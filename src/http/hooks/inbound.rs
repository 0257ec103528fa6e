//! Webhooks of inbound calls: their document and their reports.
//!
//! An inbound call has no callback and no attempt. The scheduler decides whether it answers an invite.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::Hooks;
use super::answer::{twiml, usual};
use super::verify::{Refusal, Verified};
use crate::domain::{Event, Phone};
use crate::hook_urls::Inbound;
use crate::store::Report;
use crate::twilio::forms;
use crate::twiml::{INBOUND, Values};

const DOCUMENT: &str = "inbound_call";
const STATUS: &str = "inbound_status";
const ACTION: &str = "inbound_action";

/// Serves the document of an inbound call.
pub(super) async fn document(State(hooks): State<Arc<Hooks>>, request: Request) -> Response {
    let opened = hooks.open(DOCUMENT, request, |verified| {
        let call = call(verified)?;
        let mut report = verified.report(call.event);
        if let Event::InboundCall { came_to_at, .. } = &mut report.event {
            // The call waits for this answer, so the request is current.
            came_to_at.get_or_insert(report.received_at);
        }
        Ok((report, call.sender, call.consumer))
    });
    let (report, sender, consumer) = match opened.await {
        Ok(opened) => opened,
        Err(refusal) => return hooks.hang_up(DOCUMENT, &refusal),
    };
    match hooks.patiently(|| hooks.keep(DOCUMENT, report.clone())).await {
        Ok(()) => hooks.count_kept(DOCUMENT),
        // The document does not need the store.
        Err(error) => hooks.note_unkept(DOCUMENT, error),
    }
    match words(&hooks, sender, consumer) {
        Some(text) => twiml(text),
        None => hooks.hang_up_for(DOCUMENT, "render"),
    }
}

/// A status callback about an inbound call, or about a leg that its document dialled.
pub(super) async fn status(State(hooks): State<Arc<Hooks>>, request: Request) -> Response {
    let opened = hooks.open(STATUS, request, |verified| {
        // The leg to the agent goes from the consumer to a client or a SIP address. It has no new information
        // and must not be mistaken for the inbound call.
        if verified.form.get("ParentCallSid").is_some() {
            return Ok(None);
        }
        report(verified).map(Some)
    });
    let taken = match opened.await {
        Ok(Some(report)) => hooks.keep(STATUS, report).await.map_err(Refusal::Store),
        Ok(None) => Ok(()),
        Err(refusal) => Err(refusal),
    };
    hooks.acknowledge(STATUS, taken)
}

/// A verb of the document has ended. Nothing follows it.
pub(super) async fn action(State(hooks): State<Arc<Hooks>>, request: Request) -> Response {
    let taken = hooks.take_patiently(ACTION, request, report);
    hooks.go_on(ACTION, taken.await)
}

struct Call {
    event: Event,
    sender: Phone,
    consumer: Option<Phone>,
}

fn report(verified: &Verified<'_>) -> Result<Report, Refusal> {
    Ok(verified.report(call(verified)?.event))
}

fn call(verified: &Verified<'_>) -> Result<Call, Refusal> {
    let event = forms::inbound_call(&verified.form)?;
    let Event::InboundCall { sender, ref who, .. } = event else {
        unreachable!("an inbound call is read as one");
    };
    let consumer = who.number;
    verified.check_sender(sender)?;
    Ok(Call { event, sender, consumer })
}

/// The sender's own document, or the default one; `None` if neither can be filled.
fn words(hooks: &Hooks, sender: Phone, consumer: Option<Phone>) -> Option<String> {
    let ours = hooks.directory.sender(sender);
    let own = ours.and_then(|sender| sender.inbound_document.as_deref());
    let values = Values {
        sender,
        consumer,
        agent: ours.and_then(|sender| sender.agent.as_ref()),
        callback: "",
        attempt: "",
        reference: None,
        action_url: &hooks.hook_urls.inbound(Inbound::Action),
        leg_status_url: &hooks.hook_urls.inbound(Inbound::Status),
        recording_url: &hooks.hook_urls.inbound(Inbound::Status),
        variables: &|name| usual(ours, name),
        is_our_sender: &|number| hooks.directory.sender(number).is_some(),
    };
    own.into_iter().chain([INBOUND]).find_map(|name| {
        let Some(document) = hooks.documents.document(name) else {
            tracing::error!(%sender, document = name, "the document does not exist");
            return None;
        };
        let filled = document.render(&values);
        filled
            .inspect_err(|fault| {
                tracing::error!(%sender, document = name, %fault, "the document cannot be filled");
            })
            .ok()
    })
}
