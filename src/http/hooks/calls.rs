//! Webhooks of the calls that we placed: the document of an attempt, and its reports.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::Hooks;
use super::answer::{twiml, usual};
use super::claim::Claim;
use super::verify::Refusal;
use crate::domain::calendar::oldest_marked;
use crate::domain::event::{ConnectionEnd, ConnectionReport};
use crate::domain::{Attempt, AttemptId, CallProgress, Callback, Event, LegOrder, Name};
use crate::hook_urls::Purpose;
use crate::http::path::HookToken;
use crate::policy::{self, People, Speech};
use crate::store;
use crate::twilio::forms::{self, FormError, recording};
use crate::twiml::{APOLOGY, CANCELED, RenderError, Values};

const DOCUMENT: &str = "call_document";
const STATUS: &str = "call_status";
const LEG: &str = "call_leg";
const ACTION: &str = "call_action";

/// Serves the document when the consumer or the agent has answered.
pub(super) async fn document(
    State(hooks): State<Arc<Hooks>>,
    HookToken(token): HookToken,
    request: Request,
) -> Response {
    let opened = hooks.open(DOCUMENT, request, |verified| {
        let attempt = verified.attempt(&token)?;
        let report = verified.report(forms::document_fetched(&verified.form, attempt)?);
        Ok((attempt, verified.claim(verified.call_of(attempt)), report))
    });
    let (id, claim, report) = match opened.await {
        Ok(opened) => opened,
        Err(refusal) => return hooks.hang_up(DOCUMENT, &refusal),
    };
    // A request that cannot be compared with the attempt is not stored, and its answer has no number.
    let found = match hooks.patiently(|| hooks.store.attempt(id)).await {
        Ok(found) => found,
        Err(error) => return remembered(&hooks, id, &claim, error),
    };
    if let Some((attempt, _)) = &found
        && let Err(refusal) = claim.is_about(attempt)
    {
        return hooks.hang_up(DOCUMENT, &refusal);
    }
    // A store that can be read but not written, as on a full disk, is enough to serve the document.
    match hooks.patiently(|| hooks.keep(DOCUMENT, report.clone())).await {
        Ok(()) => hooks.count_kept(DOCUMENT),
        Err(error) => hooks.note_unkept(DOCUMENT, error),
    }
    let Some((attempt, callback)) = found else {
        tracing::error!(attempt = %id, "the attempt of a live call is not in the store");
        return hooks.hang_up_for(DOCUMENT, "attempt");
    };
    match policy::speech(&attempt, &callback) {
        Speech::Nothing => hooks.hang_up_for(DOCUMENT, "over"),
        Speech::Goodbye => answer(&hooks, CANCELED, &attempt, &callback),
        Speech::Document
            if attempt.order == LegOrder::AgentFirst
                && !may_still_ring(&hooks, &attempt, &callback).await =>
        {
            hooks.hang_up_for(DOCUMENT, "ground")
        }
        Speech::Document => answer(&hooks, &callback.order.document, &attempt, &callback),
    }
}

/// The store cannot be read. A consumer who was called first, and whose phone rang a short time ago, gets the document all
/// the same. An agent is hung up on: whether the consumer may still be dialled, only the store knows.
fn remembered(hooks: &Hooks, id: AttemptId, claim: &Claim, error: store::Error) -> Response {
    let Some((attempt, callback)) = hooks.ringing.find(hooks.clock.now(), id) else {
        return hooks.hang_up(DOCUMENT, &Refusal::Store(error));
    };
    if let Err(refusal) = claim.is_about(&attempt) {
        return hooks.hang_up(DOCUMENT, &refusal);
    }
    match policy::speech(&attempt, &callback) {
        Speech::Document if attempt.order == LegOrder::ConsumerFirst => {
            hooks.note_unkept(DOCUMENT, error);
            answer(hooks, &callback.order.document, &attempt, &callback)
        }
        Speech::Goodbye => answer(hooks, CANCELED, &attempt, &callback),
        Speech::Document | Speech::Nothing => hooks.hang_up(DOCUMENT, &Refusal::Store(error)),
    }
}

/// The agent has answered, and the document would dial the consumer. The permission or the calling hours may have
/// ended meanwhile. If the store cannot be read, they count as ended.
async fn may_still_ring(hooks: &Hooks, attempt: &Attempt, callback: &Callback) -> bool {
    let name = Name::Number(attempt.consumer);
    let people = hooks.patiently(|| hooks.store.people(std::slice::from_ref(&name))).await;
    let now = hooks.clock.now();
    let has_calendar = callback.order.hours.as_ref().is_some_and(|hours| hours.calendar.is_some());
    let marked = match has_calendar {
        true => hooks.patiently(|| hooks.store.marked_days(oldest_marked(now))).await,
        false => Ok(Vec::new()),
    };
    let Ok(marked) = marked else { return false };
    let calendars = hooks.calendars.marked(marked);
    people.is_ok_and(|people| {
        let people = People::of(people);
        let pair = people.pair(attempt.sender, attempt.consumer);
        let person = people.view(attempt.consumer);
        policy::may_still_ring(now, callback, &attempt.account, (&pair, &person), &calendars, &hooks.people)
    })
}

/// A status callback about the call that we placed.
pub(super) async fn status(
    State(hooks): State<Arc<Hooks>>,
    HookToken(token): HookToken,
    request: Request,
) -> Response {
    let mut rings = None;
    let taken = hooks.take_claimed(STATUS, request, |verified| {
        let attempt = verified.attempt(&token)?;
        let call = forms::call_status(&verified.form, attempt)?;
        rings = (call.progress == CallProgress::Ringing).then_some(attempt);
        Ok((verified.claim(verified.call_of(attempt)), verified.report(Event::Call(call))))
    });
    let taken = taken.await;
    if let Some(attempt) = rings.filter(|_| taken.is_ok()) {
        hooks.remember(attempt).await;
    }
    hooks.acknowledge(STATUS, taken)
}

/// A status callback about the leg that the document dialled.
pub(super) async fn leg(
    State(hooks): State<Arc<Hooks>>,
    HookToken(token): HookToken,
    request: Request,
) -> Response {
    let taken = hooks.take_claimed(LEG, request, |verified| {
        let attempt = verified.attempt(&token)?;
        let call = forms::call_status(&verified.form, attempt)?;
        // A report without its parent would be read as one about the call that we placed, and end it.
        if call.parent_sid.is_none() {
            return Err(FormError::Missing("ParentCallSid").into());
        }
        Ok((verified.claim(verified.call_of(attempt)), verified.report(Event::Call(call))))
    });
    hooks.acknowledge(LEG, taken.await)
}

/// A verb of the document has ended, or the document was played to its end, and Twilio asks for more TwiML. A consumer
/// who could not be connected and is still there gets the apology; otherwise the answer is empty, because nothing
/// follows.
pub(super) async fn action(
    State(hooks): State<Arc<Hooks>>,
    HookToken(token): HookToken,
    request: Request,
) -> Response {
    let opened = hooks.open(ACTION, request, |verified| {
        let attempt = verified.attempt(&token)?;
        let event = forms::action(&verified.form, attempt)?;
        let is_there = forms::is_in_progress(&verified.form);
        let recorded = recording::of_action(&verified.form, attempt).map(Event::Recorded);
        let reports = [Some(event), recorded].into_iter().flatten().map(|event| verified.report(event));
        Ok((verified.claim(verified.call_of(attempt)), reports.collect::<Vec<_>>(), is_there))
    });
    let mut unserved = None;
    let taken = match opened.await {
        Ok((claim, reports, is_there)) => match claim.check_patiently(&hooks).await {
            Ok(()) => {
                let told = reports.iter().find_map(|report| unserved_by(&report.event));
                unserved = told.filter(|_| is_there).cloned();
                hooks.patiently(|| hooks.keep_all(ACTION, reports.clone())).await.map_err(Refusal::Store)
            }
            Err(refusal) => Err(refusal),
        },
        Err(refusal) => Err(refusal),
    };
    if let (Ok(()), Some(report)) = (&taken, unserved)
        && let Some(words) = apology(&hooks, &report).await
    {
        hooks.count_kept(ACTION);
        return twiml(words);
    }
    hooks.go_on(ACTION, taken)
}

/// The report that a connecting verb ended without a connection.
fn unserved_by(event: &Event) -> Option<&ConnectionReport> {
    match event {
        Event::Connected(report) => {
            Some(report).filter(|r| !matches!(r.ended, ConnectionEnd::Bridged | ConnectionEnd::Played))
        }
        _ => None,
    }
}

/// The apology for a consumer who answered and was not served, with this report. There is none for an agent who was
/// called first.
async fn apology(hooks: &Hooks, report: &ConnectionReport) -> Option<String> {
    let (attempt, callback) = hooks.patiently(|| hooks.store.attempt(report.attempt)).await.ok()??;
    let mut told = attempt.clone();
    told.observe_connection(hooks.clock.now(), report);
    let is_for_consumer = attempt.order == LegOrder::ConsumerFirst && !told.is_served();
    let document = hooks.documents.document(APOLOGY).filter(|_| is_for_consumer)?;
    render(hooks, document, &attempt, &callback).ok()
}

fn answer(hooks: &Hooks, name: &str, attempt: &Attempt, callback: &Callback) -> Response {
    let Some(document) = hooks.documents.document(name) else {
        tracing::error!(attempt = %attempt.id, document = name, "the document does not exist");
        return hooks.hang_up_for(DOCUMENT, "document");
    };
    match render(hooks, document, attempt, callback) {
        Ok(text) => twiml(text),
        Err(fault) => {
            tracing::error!(attempt = %attempt.id, document = name, %fault, "the document cannot be filled");
            hooks.hang_up_for(DOCUMENT, "render")
        }
    }
}

fn render(
    hooks: &Hooks,
    document: &crate::twiml::Document,
    attempt: &Attempt,
    callback: &Callback,
) -> Result<String, RenderError> {
    let order = &callback.order;
    let sender = hooks.directory.sender(attempt.sender);
    document.render(&Values {
        sender: attempt.sender,
        consumer: Some(attempt.consumer),
        agent: callback.agent_at(attempt.submission.intended_at).or_else(|| sender?.agent.as_ref()),
        callback: &callback.id.to_string(),
        attempt: &attempt.id.to_string(),
        reference: order.reference.as_deref(),
        action_url: &hooks.hook_urls.attempt(attempt.id, Purpose::Action),
        leg_status_url: &hooks.hook_urls.attempt(attempt.id, Purpose::Leg),
        recording_url: &hooks.hook_urls.attempt(attempt.id, Purpose::Recording),
        variables: &|name| {
            let given = order.variables.get(name).map(String::as_str);
            given.or_else(|| usual(sender, name))
        },
        is_our_sender: &|number| hooks.directory.sender(number).is_some(),
    })
}
