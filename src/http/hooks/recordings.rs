//! Webhooks about recordings of the calls that we placed, for documents that ask for them with
//! `recordingStatusCallback="{{recording_url}}"`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::Hooks;
use crate::domain::Event;
use crate::http::path::HookToken;
use crate::twilio::forms::recording;

const RECORDING: &str = "call_recording";

/// A recording is complete, or has nothing in it. Its beginning is acknowledged and not stored.
pub(super) async fn recording(
    State(hooks): State<Arc<Hooks>>,
    HookToken(token): HookToken,
    request: Request,
) -> Response {
    let opened = hooks.open(RECORDING, request, |verified| {
        let attempt = verified.attempt(&token)?;
        let report = recording::status(&verified.form, attempt)?;
        let report = report.map(|report| verified.report(Event::Recorded(report)));
        Ok((verified.claim(verified.call_of(attempt)), report))
    });
    let taken = match opened.await {
        Ok((claim, report)) => hooks.in_time(hooks.keep_claimed(RECORDING, &claim, report)).await,
        Err(refusal) => Err(refusal),
    };
    hooks.acknowledge(RECORDING, taken)
}
