//! Watches a request to a platform: how long it takes, how it is answered, and the span of that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::ground::{Ground, Submitted};
use super::request::{Effect, News, Question};
use super::state::Deps;
use crate::clock::Clock;
use crate::domain::Answer;
use crate::metrics::Metrics;
use crate::platform::{Deleted, Finding, HungUp};
use crate::traces::{Kind, Span, SpanId, Trace, Traces};

/// A request that is under way.
pub(super) struct Watch {
    platform: &'static str,
    request: &'static str,
    began: Instant,
    metrics: Arc<Metrics>,
    traced: Option<Traced>,
}

/// What the span of a request needs.
struct Traced {
    traces: Traces,
    trace: Trace,
    parent: SpanId,
    account: String,
    start: Timestamp,
    clock: Arc<dyn Clock>,
}

impl Watch {
    /// The request leaves now.
    pub(super) fn begin(deps: &Deps, platform: &'static str, effect: &Effect) -> Self {
        if let Effect::PlaceCall { ground: Ground { submission: Submitted::Call(attempt), .. }, .. } = effect
        {
            let waited = deps.clock.now().duration_since(attempt.submission.intended_at);
            deps.metrics.call_left(Duration::try_from(waited).unwrap_or_default());
        }
        Self {
            platform,
            request: name(effect),
            began: Instant::now(),
            metrics: deps.metrics.clone(),
            traced: if deps.traces.is_on() { Traced::of(deps, effect) } else { None },
        }
    }

    /// The request is answered, or will not be.
    pub(super) fn end(self, news: &News) {
        let result = result(news);
        self.metrics.platform_answered(self.platform, self.request, result, self.began.elapsed());
        if let Some(Traced { traces, trace, parent, account, start, clock }) = self.traced {
            let span = Span::of(&trace, "request", Kind::Client, start, clock.now())
                .below(Some(parent))
                .with("ringmaster.platform", self.platform)
                .with("ringmaster.account", account)
                .with("ringmaster.request", self.request)
                .with("ringmaster.result", result);
            let is_failed = !["accepted", "done", "found", "absent"].contains(&result);
            traces.send(span.failed(is_failed));
        }
    }
}

impl Traced {
    /// Lookups have no ground, and so no trace.
    fn of(deps: &Deps, effect: &Effect) -> Option<Self> {
        let ground = effect.ground()?;
        let trace = deps.traces.of(ground.callback.as_ref()?)?;
        let parent = match &ground.submission {
            Submitted::Call(attempt) | Submitted::HangUp(attempt) => SpanId::of(attempt.id.bytes()),
            Submitted::Message(_) => trace.root,
        };
        let account = match effect {
            Effect::PlaceCall { account, .. }
            | Effect::SendMessage { account, .. }
            | Effect::HangUp { account, .. }
            | Effect::Delete { account, .. }
            | Effect::DeleteRecording { account, .. }
            | Effect::Ask { account, .. } => account.to_string(),
        };
        let (traces, clock) = (deps.traces.clone(), deps.clock.clone());
        Some(Self { traces, trace, parent, account, start: clock.now(), clock })
    }
}

const fn name(effect: &Effect) -> &'static str {
    match effect {
        Effect::PlaceCall { .. } => "place",
        Effect::SendMessage { .. } => "send",
        Effect::HangUp { .. } => "hang_up",
        Effect::Delete { .. } => "delete",
        Effect::DeleteRecording { .. } => "delete_recording",
        Effect::Ask { question, .. } => match question {
            Question::Call { .. } | Question::Inbound { .. } => "ask",
            Question::LostCall(_) => "find_call",
            Question::LostMessage { .. } => "find_message",
            Question::Since { .. } => "list",
            Question::Date => "date",
        },
    }
}

const fn result(news: &News) -> &'static str {
    match news {
        News::Call { answer, .. } | News::Message { answer, .. } => match answer {
            Answer::Accepted { .. } => "accepted",
            Answer::Rejected { .. } => "rejected",
            Answer::Throttled => "throttled",
            Answer::NotSent => "not_sent",
            Answer::TooLate => "too_late",
            Answer::Unknown => "unknown",
        },
        News::HungUp { answer, .. } => match answer {
            HungUp::Done => "done",
            HungUp::Refused => "refused",
            HungUp::NoAnswer => "no_answer",
        },
        News::Deleted { answer, .. } | News::RecordingDeleted { answer, .. } => match answer {
            Deleted::Gone => "done",
            Deleted::Refused => "refused",
            Deleted::NoAnswer => "no_answer",
        },
        News::Date(None) => "no_answer",
        News::Date(Some(_)) => "found",
        News::Asked { finding, .. } | News::AskedInbound { finding, .. } => found(finding),
        News::Sought { finding, .. } => found(finding),
        News::SoughtMessage { finding, .. } => found(finding),
        News::Since { finding, .. } => found(finding),
    }
}

const fn found<T>(finding: &Finding<T>) -> &'static str {
    match finding {
        Finding::Found(_) => "found",
        Finding::Absent => "absent",
        Finding::NoAnswer => "no_answer",
    }
}
