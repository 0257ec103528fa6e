//! The audit log of requests: who did what, to what, from where. `docs/SIGN_IN.md` says what is in it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{RawPathParams, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;

use super::api::{mask, routes};
use super::auth::Caller;
use super::sign_in::{SignedIn, address};
use super::{ApiError, App};
use crate::domain::{Phone, Scope};
use crate::store::{self, AuditEntry, AuditOutcome, PendingAudit, audited};

mod before;

/// A longer body is not kept in the log, in bytes.
const BODY_MAX: usize = 8 << 10;

/// An act of a person on a page that is no request of the API, such as revealing a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    person: SignedIn,
    what: String,
    object: Option<String>,
    consumer: Option<Phone>,
    from: Option<IpAddr>,
    outcome: AuditOutcome,
    before: Option<String>,
    after: Option<String>,
}

impl Entry {
    /// `what` is a word of the audit log, such as `reveal`.
    #[must_use]
    pub fn by(person: &SignedIn, what: impl Into<String>) -> Self {
        Self {
            person: person.clone(),
            what: what.into(),
            object: None,
            consumer: None,
            from: None,
            outcome: AuditOutcome::Done,
            before: None,
            after: None,
        }
    }

    /// What it was done to: an id of ours or a name that is no person's.
    #[must_use]
    pub fn on(self, object: impl Into<String>) -> Self {
        Self { object: Some(object.into()), ..self }
    }

    /// The consumer whom it was about. An erasure replaces the number.
    #[must_use]
    pub fn about(self, consumer: Phone) -> Self {
        Self { consumer: Some(consumer), ..self }
    }

    #[must_use]
    pub fn from(self, address: Option<IpAddr>) -> Self {
        Self { from: address, ..self }
    }

    #[must_use]
    pub fn refused(self) -> Self {
        Self { outcome: AuditOutcome::Refused, ..self }
    }

    /// The values before and after, without numbers of people.
    #[must_use]
    pub fn values(self, before: Option<String>, after: Option<String>) -> Self {
        Self { before, after, ..self }
    }
}

/// Writes an entry. Where something is shown because of it, write it first: what is not audited is not shown.
///
/// # Errors
/// As any change of the store.
pub async fn audit(app: &App, entry: Entry) -> store::Result<()> {
    let Entry { person, what, object, consumer, from, outcome, before, after } = entry;
    let stored = AuditEntry {
        tenant: person.tenant.clone(),
        object,
        consumer,
        from,
        outcome,
        before,
        after,
        ..AuditEntry::new(app.clock.now(), person.recorded_name(), person.how, what)
    };
    app.store.append_audit(stored).await
}

/// The entry of a request of the API that changes something, or that shows complete numbers to a person. The first change
/// that the request stores carries it.
pub(super) async fn pending(
    app: &App,
    caller: &Caller,
    request: Request,
    path: &str,
) -> Result<(Request, Option<Arc<PendingAudit>>), ApiError> {
    // A person's caller has this right only where complete numbers were asked for; of a page there is no header.
    let reveals = caller.person().is_some() && caller.may(Scope::Reveal);
    // What is done to people is audited by its handlers, which know the values before and after.
    if !routes::is_audited(request.method(), path) || path.starts_with("/v1/people") {
        if reveals {
            // Written first: what is not audited is not shown.
            let (request, mut entry) = entry_of(app, caller, request, path).await;
            entry.what = format!("reveal {}", entry.what);
            app.store.append_audit(entry).await?;
            return Ok((request, None));
        }
        return Ok((request, None));
    }
    let keeps_body = routes::keeps_body(path) && length(&request).is_some_and(|n| n <= BODY_MAX);
    let (mut request, mut entry) = entry_of(app, caller, request, path).await;
    // Of a token's changes the customer's own system has the values before, and they are most of all changes.
    if caller.person().is_some() {
        let object = entry.object.as_deref().unwrap_or_default();
        entry.before = before::before(app, caller, path, object).await?;
    }
    if keeps_body {
        let (parts, body) = request.into_parts();
        let incomplete =
            |_| ApiError::new("body.incomplete", "the connection ended before the body was complete");
        let bytes = to_bytes(body, BODY_MAX).await.map_err(incomplete)?;
        let text = std::str::from_utf8(&bytes).unwrap_or("");
        entry.consumer = consumer_in(text);
        // What names several people belongs to none of them, so an erasure would not find it.
        let is_of_several = entry.consumer.is_none() && names_people(text);
        entry.after = (!text.trim().is_empty() && !is_of_several).then(|| mask::masked(text));
        if let (Some(_), Some(consumer), None) = (caller.person(), entry.consumer, &entry.before) {
            entry.before = before::of_consumer(app, path, consumer, text).await?;
        }
        request = Request::from_parts(parts, Body::from(bytes));
    }
    Ok((request, Some(PendingAudit::new(entry))))
}

/// Runs a request. If it was allowed and stored nothing, its entry is written after it.
pub(super) async fn carried(
    app: &App,
    pending: Option<Arc<PendingAudit>>,
    work: impl Future<Output = Response>,
) -> Result<Response, ApiError> {
    let Some(pending) = pending else { return Ok(work.await) };
    let response = audited(Arc::clone(&pending), work).await;
    let status = response.status();
    let outcome = match status {
        StatusCode::FORBIDDEN => AuditOutcome::Refused,
        _ if status.is_success() => AuditOutcome::Done,
        // It was wrong, and nothing happened.
        _ => return Ok(response),
    };
    if let Some(entry) = pending.unwritten() {
        app.store.append_audit(AuditEntry { outcome, ..entry.clone() }).await?;
    }
    Ok(response)
}

/// Notes that somebody asked for what they may not do.
pub(super) async fn refused(app: &App, caller: &Caller, request: &Parts, path: &str) -> Result<(), ApiError> {
    // A token that asks in vain again and again must not fill the log, so only what would change something counts.
    if !routes::is_audited(&request.method, path) {
        return Ok(());
    }
    let mut entry =
        AuditEntry::new(app.clock.now(), caller.name(), caller.way(), format!("{} {path}", request.method));
    entry.tenant = caller.tenant().clone();
    entry.from = from(app, caller, &request.extensions, &request.headers);
    entry.outcome = AuditOutcome::Refused;
    Ok(app.store.append_audit(entry).await?)
}

/// The client's address. A page that asks for a person has it with the person: its own request comes from nowhere.
fn from(app: &App, caller: &Caller, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    caller.person().and_then(|person| person.from).or_else(|| address(app, extensions, headers))
}

async fn entry_of(app: &App, caller: &Caller, request: Request, path: &str) -> (Request, AuditEntry) {
    let what = format!("{} {path}", request.method());
    let mut entry = AuditEntry::new(app.clock.now(), caller.name(), caller.way(), what);
    entry.tenant = caller.tenant().clone();
    entry.from = from(app, caller, request.extensions(), request.headers());
    if !path.contains('{') {
        return (request, entry);
    }
    let (mut parts, body) = request.into_parts();
    let given = axum::RequestPartsExt::extract::<RawPathParams>(&mut parts).await;
    entry.object = given.ok().and_then(|given| given.iter().next().and_then(|(_, value)| object(value)));
    (Request::from_parts(parts, body), entry)
}

/// An id of ours, or a name without a number in it. A customer's own reference may be anything.
fn object(value: &str) -> Option<String> {
    let is_id = value.split_once('_').is_some_and(|(prefix, digits)| {
        (2..=4).contains(&prefix.len()) && digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    });
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_name = value.len() <= 64
        && digits < 7
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@+:".contains(&b));
    (is_id || is_name).then(|| value.to_owned())
}

/// The length of the body. A request of a page of ours has it in memory, and no header for it.
fn length(request: &Request) -> Option<usize> {
    match request.headers().get(CONTENT_LENGTH) {
        Some(told) => told.to_str().ok()?.parse().ok(),
        None => usize::try_from(request.body().size_hint().exact()?).ok(),
    }
}

/// The consumer that a body is about, if its field `consumer` is a number, or `consumers` has one alone.
fn consumer_in(text: &str) -> Option<Phone> {
    #[derive(serde::Deserialize)]
    struct About {
        #[serde(default)]
        consumer: Option<serde_json::Value>,
        #[serde(default)]
        consumers: Option<serde_json::Value>,
    }
    let about: About = serde_json::from_str(text).ok()?;
    let alone = || match about.consumers?.as_array()?.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    Phone::parse(about.consumer.or_else(alone)?.as_str()?).ok()
}

/// Whether a body names people by more than one number, or by their ids.
fn names_people(text: &str) -> bool {
    let Ok(body) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) else {
        return false;
    };
    ["consumers", "consumer", "user_id", "user_ids", "psids", "names"]
        .iter()
        .any(|name| body.contains_key(*name))
}

/// Bits that nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut random = [0; N];
    let provider = rustls::crypto::ring::default_provider();
    let filled = provider.secure_random.fill(&mut random);
    filled.map_err(|_| ApiError::internal("the system has no random numbers"))?;
    Ok(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_an_id_or_a_name_and_not_a_number() {
        let id = format!("cb_{}", "0f".repeat(16));
        assert_eq!(object(&id), Some(id.clone()));
        assert_eq!(object("night-shift"), Some("night-shift".to_owned()));
        for personal in ["+5511987654321", "5511987654321", "order 12", "Maria Souza", "cb_12345678"] {
            assert_eq!(object(personal), None, "{personal}");
        }
    }

    #[test]
    fn a_body_is_about_a_consumer_if_it_names_one_number() {
        assert!(consumer_in(r#"{"consumer":"+5511987654321","note":"x"}"#).is_some());
        for none in ["", "[]", "{}", r#"{"consumer":{"name":"x"}}"#, r#"{"consumer":"x"}"#] {
            assert_eq!(consumer_in(none), None, "{none}");
        }
    }
}
