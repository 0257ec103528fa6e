//! The webhooks of Messenger's pages: verify, parse, store, answer.
//!
//! A report is on disk before it is answered. Meta repeats what is not answered with 200.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use secrecy::SecretString;

use super::alarm::Alarm;
use super::meta::open;
use crate::clock::Clock;
use crate::domain::{AccountAlias, Words};
use crate::hook_urls::MESSENGER_ROUTE;
use crate::messenger::webhook::{self, BodyError, Item, Ours};
use crate::meta::handshake;
use crate::metrics::Metrics;
use crate::store::{self, HookStore, Report};
use crate::wake::Wake;

/// The label for metrics.
const KIND: &str = "messenger";

/// State shared by the handlers.
pub struct MessengerHooks {
    pub store: Arc<dyn HookStore>,
    pub clock: Arc<dyn Clock>,
    pub waker: Arc<dyn Wake>,
    /// The words by which consumers end contact and allow it again.
    pub words: Words,
    pub metrics: Option<Arc<Metrics>>,
    pub pages: BTreeMap<AccountAlias, Page>,
    pub alarm: Alarm,
}

/// One page, and what verifies its webhooks.
pub struct Page {
    pub page_id: String,
    pub app_secret: SecretString,
    pub verify_token: SecretString,
}

/// The routes of all pages. A refusal has no body.
pub fn router(hooks: MessengerHooks) -> Router {
    Router::new().route(MESSENGER_ROUTE, get(shake_hands).post(receive)).with_state(Arc::new(hooks))
}

/// Answers the check of the URL.
async fn shake_hands(
    State(hooks): State<Arc<MessengerHooks>>,
    Path(alias): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(page) = hooks.pages.get(&*alias) else {
        return hooks.refuse("account", StatusCode::NOT_FOUND);
    };
    match handshake::answer(&query.unwrap_or_default(), &page.verify_token) {
        Ok(challenge) => challenge.into_response(),
        Err(fault) => {
            tracing::debug!(kind = KIND, %fault, "refused");
            hooks.refuse("handshake", StatusCode::FORBIDDEN)
        }
    }
}

/// Takes a delivery.
async fn receive(
    State(hooks): State<Arc<MessengerHooks>>,
    Path(alias): Path<String>,
    request: Request,
) -> Response {
    let Some((account, page)) = hooks.pages.get_key_value(&*alias) else {
        return hooks.refuse("account", StatusCode::NOT_FOUND);
    };
    let body = match open(request, &page.app_secret).await {
        Ok(body) => body,
        Err(knock) => {
            tracing::debug!(kind = KIND, reason = knock.as_str(), "refused");
            if let Some(fault) = knock.signature() {
                hooks.alarm.refused_by_meta(hooks.clock.now(), KIND, &alias, &fault);
            }
            return hooks.refuse(knock.as_str(), knock.status());
        }
    };
    let ours = Ours { account, page_id: &page.page_id, words: &hooks.words };
    let read = match webhook::read(&body, &ours) {
        Ok(read) => read,
        Err(BodyError::TooMany) => return hooks.refuse("too_large", StatusCode::PAYLOAD_TOO_LARGE),
        // Meta would only repeat it.
        Err(BodyError::Unreadable) => return hooks.refuse("unreadable", StatusCode::OK),
    };
    for why in &read.left_out {
        hooks.note(why.as_str());
    }
    match hooks.keep(read.items).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::error!(kind = KIND, %error, "not kept");
            hooks.refuse("store", StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

impl MessengerHooks {
    /// Stores the reports of one delivery and wakes the scheduler.
    async fn keep(&self, items: Vec<Item>) -> store::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let received_at = self.clock.now();
        let report = |Item { key, event }| Report { key, received_at, event };
        let new = self.store.append_reports(items.into_iter().map(report).collect()).await?;
        if new.contains(&true) {
            self.waker.now();
        }
        if let Some(metrics) = &self.metrics {
            for is_new in new {
                if is_new { metrics.hook_received(KIND) } else { metrics.hook_repeated(KIND) }
            }
        }
        Ok(())
    }

    fn note(&self, reason: &'static str) {
        if let Some(metrics) = &self.metrics {
            metrics.hook_refused(KIND, reason);
        }
    }

    fn refuse(&self, reason: &'static str, status: StatusCode) -> Response {
        self.note(reason);
        status.into_response()
    }
}
