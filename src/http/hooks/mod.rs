//! Twilio's webhooks: verify, parse, store, answer.
//!
//! A report is on disk before it is answered, then the scheduler is woken. `docs/HOOKS.md` has the answer to
//! each request, with reasons.
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod alarm;
mod answer;
mod calls;
mod claim;
mod inbound;
mod messages;
pub mod messenger;
pub mod meta;
mod recordings;
mod ringing;
mod verify;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::routing::{MethodFilter, on, post};

use crate::clock::Clock;
use crate::domain::{AttemptId, Calendars, Directory, Words};
use crate::hook_urls::{HookUrls, Inbound, MESSAGE_STATUS_ROUTE, MESSAGES, Purpose};
use crate::metrics::Metrics;
use crate::policy::PeopleRules;
use crate::store::{self, HookStore, Report};
use crate::twiml::Library;
use crate::wake::Wake;

pub use alarm::Alarm;
pub use ringing::Ringing;
pub use verify::HookKeys;

use claim::Claim;
use verify::{Delivery, Refusal, Verified};

/// State shared by the handlers.
pub struct Hooks {
    pub store: Arc<dyn HookStore>,
    pub clock: Arc<dyn Clock>,
    pub directory: Arc<Directory>,
    pub documents: Arc<Library>,
    pub hook_urls: Arc<HookUrls>,
    pub waker: Arc<dyn Wake>,
    pub keys: Arc<HookKeys>,
    /// The rules that may prevent an agent's call from dialling its consumer.
    pub people: PeopleRules,
    /// The calendars of the program and of the configuration.
    pub calendars: Calendars,
    /// The words by which consumers end contact and allow it again.
    pub words: Words,
    pub metrics: Option<Arc<Metrics>>,
    pub ringing: Ringing,
}

/// How long a live call may wait for the store. Twilio gives up after 15 s, and WhatsApp drops a call that is
/// silent for 20 s. Hanging up is better than silence.
const STORE_WAIT: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(250);

/// All routes below `/hooks`. A refusal has no body; metrics and log have more than the status code.
pub fn router(hooks: Hooks) -> Router {
    let asked = MethodFilter::GET.or(MethodFilter::POST);
    Router::new()
        .route(Purpose::Document.route(), on(asked, calls::document))
        .route(Purpose::Status.route(), post(calls::status))
        .route(Purpose::Leg.route(), post(calls::leg))
        .route(Purpose::Action.route(), post(calls::action))
        .route(Purpose::Recording.route(), post(recordings::recording))
        .route(MESSAGES, post(messages::message))
        .route(MESSAGE_STATUS_ROUTE, post(messages::status))
        .route(Inbound::Document.path(), on(asked, inbound::document))
        .route(Inbound::Status.path(), post(inbound::status))
        .route(Inbound::Action.path(), post(inbound::action))
        .with_state(Arc::new(hooks))
}

impl Hooks {
    /// Verifies and parses a request. The parameters borrow from the body, so the result is an owned value.
    async fn open<T>(
        &self,
        kind: &'static str,
        request: Request,
        read: impl FnOnce(&Verified<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let alarm = |refusal: &Refusal| self.alarm(kind, route.as_ref(), refusal);
        let delivery = Delivery::receive(request).await.inspect_err(alarm)?;
        let verified = delivery.verify(self).inspect_err(alarm)?;
        read(&verified).inspect_err(|refusal| {
            if let Refusal::Unreadable(fault) = refusal {
                // Twilio would only repeat it. Its subject can be looked up by SID.
                tracing::warn!(kind, %fault, about = verified.about(), "unreadable");
            }
        })
    }

    /// Warns the operator, at most once a minute, of refused requests that may be Twilio's.
    fn alarm(&self, kind: &'static str, route: Option<&MatchedPath>, refusal: &Refusal) {
        let path = route.map_or("-", MatchedPath::as_str);
        let alarm = &self.keys.alarm;
        match refusal {
            Refusal::Signature(fault) => alarm.refused(self.clock.now(), kind, path, fault),
            Refusal::UnknownAccount => {
                alarm.refused(self.clock.now(), kind, path, &"it names no account of the configuration");
            }
            _ => {}
        }
    }

    /// Verifies and parses a request, and stores its report.
    async fn take(
        &self,
        kind: &'static str,
        request: Request,
        read: impl FnOnce(&Verified<'_>) -> Result<Report, Refusal>,
    ) -> Result<(), Refusal> {
        let report = self.open(kind, request, read).await?;
        self.in_time(async { self.keep(kind, report).await.map_err(Refusal::Store) }).await
    }

    /// Does the same for a report whose URL was made for one attempt or message, after a comparison with the record.
    async fn take_claimed(
        &self,
        kind: &'static str,
        request: Request,
        read: impl FnOnce(&Verified<'_>) -> Result<(Claim, Report), Refusal>,
    ) -> Result<(), Refusal> {
        let (claim, report) = self.open(kind, request, read).await?;
        self.in_time(self.keep_claimed(kind, &claim, Some(report))).await
    }

    /// Compares a claim with the record, and stores its report, if there is one.
    async fn keep_claimed(
        &self,
        kind: &'static str,
        claim: &Claim,
        report: Option<Report>,
    ) -> Result<(), Refusal> {
        claim.check(self).await?;
        match report {
            Some(report) => self.keep(kind, report).await.map_err(Refusal::Store),
            None => Ok(()),
        }
    }

    /// The platform repeats a request that is answered with 503, and none that takes too long. What is written after the
    /// answer counts once with its repetition.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        tokio::select! {
            biased;
            done = work => done,
            () = self.clock.machine_sleep(STORE_WAIT) => Err(Refusal::Store(no_answer())),
        }
    }

    /// As [`Hooks::take`] while a live call waits for the answer.
    async fn take_patiently(
        &self,
        kind: &'static str,
        request: Request,
        read: impl FnOnce(&Verified<'_>) -> Result<Report, Refusal>,
    ) -> Result<(), Refusal> {
        let report = self.open(kind, request, read).await?;
        self.patiently(|| self.keep(kind, report.clone())).await.map_err(Refusal::Store)
    }

    /// Stores a report and wakes the scheduler. A repeated report is counted and changes nothing.
    async fn keep(&self, kind: &'static str, report: Report) -> store::Result<()> {
        self.keep_all(kind, vec![report]).await
    }

    /// Does the same with what one request reports, all of it or nothing.
    async fn keep_all(&self, kind: &'static str, reports: Vec<Report>) -> store::Result<()> {
        if self.store.append_reports(reports).await?.contains(&true) {
            self.waker.now();
        } else if let Some(metrics) = &self.metrics {
            metrics.hook_repeated(kind);
        }
        Ok(())
    }

    /// Reads the store for a live call. Retries while the store is unavailable, for at most [`STORE_WAIT`].
    async fn patiently<T, F>(&self, ask: impl Fn() -> F) -> store::Result<T>
    where
        F: Future<Output = store::Result<T>>,
    {
        let asked = async {
            loop {
                match ask().await {
                    Err(store::Error::Unavailable(_) | store::Error::OutcomeUnknown) => {
                        self.clock.machine_sleep(PAUSE).await
                    }
                    answer => return answer,
                }
            }
        };
        tokio::select! {
            biased;
            answer = asked => answer,
            () = self.clock.machine_sleep(STORE_WAIT) => Err(no_answer()),
        }
    }

    /// A phone rings: its document may be asked for while the store is away.
    async fn remember(&self, id: AttemptId) {
        let read = tokio::select! {
            biased;
            read = self.store.attempt(id) => read,
            () = self.clock.machine_sleep(PAUSE) => return,
        };
        if let Ok(Some(found)) = read {
            self.ringing.hear(self.clock.now(), found);
        }
    }

    fn count_kept(&self, kind: &'static str) {
        if let Some(metrics) = &self.metrics {
            metrics.hook_received(kind);
        }
    }

    fn count_refused(&self, kind: &'static str, reason: &'static str) {
        if let Some(metrics) = &self.metrics {
            metrics.hook_refused(kind, reason);
        }
    }
}

fn no_answer() -> store::Error {
    store::Error::Unavailable("no answer in time".into())
}
