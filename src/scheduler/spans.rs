//! The spans of a turn: one for each callback that it changed, one for each report that it folded, and those of calls and
//! callbacks that are over. They are sent after the commit.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::turn::Turn;
use crate::domain::timeline::Entry;
use crate::domain::{Attempt, Callback, CallbackId, State};
use crate::traces::{Kind, Mark, Span, Trace, Traces};

/// What a turn sends if its batch is written.
#[derive(Debug, Default)]
pub(super) struct Spans {
    /// They end with the commit.
    open: Vec<Span>,
    ended: Vec<Span>,
}

/// The lines of the timeline at the end of an attempt.
const ENDS: [&str; 5] =
    ["attempt.ended", "attempt.rejected", "attempt.throttled", "attempt.not_placed", "attempt.withdrawn"];
const CLOSED: &str = "callback.closed";

impl Spans {
    /// Nothing without a collector.
    pub(super) fn of(turn: &Turn<'_>) -> Self {
        let mut spans = Self::default();
        if turn.scheduler.deps.traces.is_on() {
            spans.add_turns(turn);
            spans.add_reports(turn);
        }
        spans
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.open.is_empty() && self.ended.is_empty()
    }

    /// The turn was committed at `now`.
    pub(super) fn send(self, traces: &Traces, now: Timestamp) {
        for span in self.open {
            traces.send(Span { end: now, ..span });
        }
        self.ended.into_iter().for_each(|span| traces.send(span));
    }

    fn add_turns(&mut self, turn: &Turn<'_>) {
        let mut lines: BTreeMap<CallbackId, Vec<&Entry>> = BTreeMap::new();
        for line in turn.work.lines() {
            if let Some(callback) = line.callback {
                lines.entry(callback).or_default().push(line);
            }
        }
        for (id, lines) in lines {
            let Some(callback) = turn.work.callbacks.get(id) else { continue };
            let Some(trace) = turn.scheduler.deps.traces.of(callback) else { continue };
            for line in &lines {
                if ENDS.contains(&&*line.what)
                    && let Some(attempt) = line.attempt.and_then(|id| turn.work.attempts.get(id))
                {
                    self.ended.push(of_attempt(&trace, attempt, turn.now));
                }
            }
            if lines.iter().any(|line| line.what == CLOSED) {
                self.ended.push(of_callback(&trace, callback, turn.now));
            }
            let marks = lines.iter().map(|line| Mark { at: line.at, name: line.what.clone() }).collect();
            let span = Span::of(&trace, "turn", Kind::Internal, turn.now, turn.now);
            self.open.push(Span { marks, ..standing(span, callback) });
        }
    }

    /// A report that changed no timeline belongs to no trace.
    fn add_reports(&mut self, turn: &Turn<'_>) {
        for heard in &turn.heard {
            let lines = turn.work.lines().get(heard.lines.clone()).unwrap_or_default();
            let Some(line) = lines.iter().find(|line| line.callback.is_some()) else { continue };
            let Some(callback) = line.callback.and_then(|id| turn.work.callbacks.get(id)) else { continue };
            let Some(trace) = turn.scheduler.deps.traces.of(callback) else { continue };
            let span = Span::of(&trace, "report", Kind::Consumer, heard.received_at, turn.now);
            self.open.push(span.with("ringmaster.report", heard.kind));
        }
    }
}

/// A call, from its decision to its end.
fn of_attempt(trace: &Trace, attempt: &Attempt, now: Timestamp) -> Span {
    let submission = &attempt.submission;
    let end = attempt.ended_at.unwrap_or(now);
    let mut span = Span::of(trace, "call", Kind::Internal, submission.intended_at, end)
        .about(attempt.id.bytes())
        .with("ringmaster.attempt.id", attempt.id.to_string())
        .with("ringmaster.attempt.number", attempt.number)
        .with("ringmaster.account", attempt.account.to_string())
        .with("ringmaster.stage", submission.stage.as_str())
        .failed(submission.error_code.is_some());
    if let Some(disposition) = attempt.disposition() {
        span = span.with("ringmaster.disposition", disposition.as_str());
    }
    match submission.error_code {
        Some(code) => span.with("ringmaster.error_code", code.to_string()),
        None => span,
    }
}

/// The whole callback, above all other spans.
fn of_callback(trace: &Trace, callback: &Callback, now: Timestamp) -> Span {
    let span = Span::of(trace, "callback", Kind::Internal, callback.created_at, now);
    standing(Span { id: trace.root, parent: trace.parent, ..span }, callback)
}

/// How the callback stands at the end of the turn.
fn standing(span: Span, callback: &Callback) -> Span {
    let span = span.with("ringmaster.callback.id", callback.shown_id());
    match &callback.state {
        State::Waiting(waiting) => {
            span.with("ringmaster.state", "waiting").with("ringmaster.reason", waiting.note.code.to_string())
        }
        State::Calling { .. } => span.with("ringmaster.state", "calling"),
        State::Closed(closed) => {
            span.with("ringmaster.state", "closed").with("ringmaster.outcome", closed.outcome.as_str())
        }
    }
}
