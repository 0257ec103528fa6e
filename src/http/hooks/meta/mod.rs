//! The webhooks of WhatsApp's Cloud API: verify, parse, store, answer.
//!
//! A report is on disk before it is answered. Meta repeats what is not answered with 200, for up to seven days.

mod door;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use secrecy::SecretString;

use super::alarm::Alarm;
use crate::clock::Clock;
use crate::domain::{AccountAlias, Event, Message, MessageId, Phone, Words};
use crate::hook_urls::{HookUrls, META_ROUTE};
use crate::meta::handshake;
use crate::meta::webhook::{self, BodyError, Item, Ours, Read};
use crate::metrics::Metrics;
use crate::store::{self, HookStore, Report};
use crate::wake::Wake;

pub use door::{Knock, open};

/// The label for metrics.
const KIND: &str = "meta";

/// State shared by the handlers.
pub struct MetaHooks {
    pub store: Arc<dyn HookStore>,
    pub clock: Arc<dyn Clock>,
    pub waker: Arc<dyn Wake>,
    pub hook_urls: Arc<HookUrls>,
    /// The words by which consumers end contact and allow it again.
    pub words: Words,
    pub metrics: Option<Arc<Metrics>>,
    pub numbers: BTreeMap<AccountAlias, MetaNumber>,
    pub alarm: Alarm,
}

/// One phone number, and what verifies its webhooks.
pub struct MetaNumber {
    pub sender: Phone,
    pub phone_number_id: String,
    pub business_account_id: String,
    pub app_secret: SecretString,
    pub verify_token: SecretString,
}

/// The routes of all numbers. A refusal has no body.
pub fn router(hooks: MetaHooks) -> Router {
    Router::new().route(META_ROUTE, get(shake_hands).post(receive)).with_state(Arc::new(hooks))
}

/// Answers the check of the URL.
async fn shake_hands(
    State(hooks): State<Arc<MetaHooks>>,
    Path(alias): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(number) = hooks.numbers.get(&*alias) else {
        return hooks.refuse("account", StatusCode::NOT_FOUND);
    };
    match handshake::answer(&query.unwrap_or_default(), &number.verify_token) {
        Ok(challenge) => challenge.into_response(),
        Err(fault) => {
            tracing::debug!(kind = KIND, %fault, "refused");
            hooks.refuse("handshake", StatusCode::FORBIDDEN)
        }
    }
}

/// Takes a delivery.
async fn receive(
    State(hooks): State<Arc<MetaHooks>>,
    Path(alias): Path<String>,
    request: Request,
) -> Response {
    let Some((account, number)) = hooks.numbers.get_key_value(&*alias) else {
        return hooks.refuse("account", StatusCode::NOT_FOUND);
    };
    let body = match open(request, &number.app_secret).await {
        Ok(body) => body,
        Err(knock) => {
            tracing::debug!(kind = KIND, reason = knock.as_str(), "refused");
            if let Some(fault) = knock.signature() {
                hooks.alarm.refused_by_meta(hooks.clock.now(), KIND, &alias, &fault);
            }
            return hooks.refuse(knock.as_str(), knock.status());
        }
    };
    let ours = Ours {
        account,
        sender: number.sender,
        phone_number_id: &number.phone_number_id,
        business_account_id: &number.business_account_id,
        words: &hooks.words,
        hook_urls: &hooks.hook_urls,
    };
    let read = match webhook::read(&body, &ours) {
        Ok(read) => read,
        Err(BodyError::TooMany) => return hooks.refuse("too_large", StatusCode::PAYLOAD_TOO_LARGE),
        // Meta would only repeat it.
        Err(BodyError::Unreadable) => return hooks.refuse("unreadable", StatusCode::OK),
    };
    hooks.count(&read);
    match hooks.keep(account, read.items).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::error!(kind = KIND, %error, "not kept");
            hooks.refuse("store", StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

impl MetaHooks {
    /// Stores the reports of one delivery and wakes the scheduler.
    async fn keep(&self, account: &AccountAlias, items: Vec<Item>) -> store::Result<()> {
        let items = self.claimed(account, items).await?;
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

    /// Leaves out reports of messages that another account sent, or that have another id on record.
    async fn claimed(&self, account: &AccountAlias, items: Vec<Item>) -> store::Result<Vec<Item>> {
        let named: Vec<MessageId> = items.iter().filter_map(|item| claim(item).map(|(id, _)| id)).collect();
        if named.is_empty() {
            return Ok(items);
        }
        let messages = self.store.messages(&named).await?;
        let known: BTreeMap<MessageId, &Message> =
            messages.iter().map(|message| (message.id, message)).collect();
        let (kept, foreign): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| {
            let record = claim(item).and_then(|(id, sid)| Some((*known.get(&id)?, sid)));
            record.is_none_or(|(message, sid)| {
                let same = message.submission.sid.as_deref().is_none_or(|known| known == sid);
                same && message.account() == account
            })
        });
        for _ in foreign {
            self.note("call");
        }
        Ok(kept)
    }

    fn count(&self, read: &Read) {
        for why in &read.left_out {
            self.note(why.as_str());
        }
        for _ in 0..read.foreign_payloads {
            self.note("token");
        }
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

/// The message that a report names by our token, and its id at the platform.
fn claim(item: &Item) -> Option<(MessageId, &str)> {
    match &item.event {
        Event::Message(report) => Some((report.message?, &report.sid)),
        _ => None,
    }
}
