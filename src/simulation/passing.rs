//! Lets the time pass: what is due in the world and in the daemon happens in order.

use axum::Router;
use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use tower::ServiceExt as _;

use super::delivery::{self, describe, path_of, signed};
use super::invariants::look;
use super::{ReceivedWebhook, Simulation};
use crate::clock::earlier;
use crate::sim::world::{Webhook, WebhookReply};

impl Simulation {
    /// Advances the time by `by`, and runs everything that is due in it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn advance(&mut self, by: SignedDuration) -> anyhow::Result<()> {
        let until = self.now() + by;
        while self.step(until).await? {}
        Ok(())
    }

    /// Like [`Simulation::advance`], but webhooks that are due within `beat` of each other are delivered
    /// together, each at most `beat` late. The daemon's own timers are exact.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn advance_in_beats(&mut self, by: SignedDuration, beat: SignedDuration) -> anyhow::Result<()> {
        let until = self.now() + by;
        self.beat = beat;
        while self.step(until).await? {
            self.received.clear();
        }
        self.beat = SignedDuration::ZERO;
        Ok(())
    }

    /// Runs everything that is due now, then moves the time to the next event or to `until`. Returns `false`
    /// if the time was `until` already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn step(&mut self, until: Timestamp) -> anyhow::Result<bool> {
        if std::mem::take(&mut self.stirred) {
            self.settle().await?;
        }
        let now = self.now();
        if now >= self.delivers_at {
            self.deliver().await?;
            self.delivers_at = now + self.beat;
        }
        let ahead = self.daemon_clock.now().duration_since(now);
        let wakes_at = self.wakes_at.map(|at| earlier(at, ahead));
        let alarm = [wakes_at, self.clocks.next_alarm(now)].into_iter().flatten().min();
        let webhooks = self.world().next_at().map(|at| at.max(self.delivers_at));
        match [webhooks, alarm].into_iter().flatten().min().filter(|&next| next <= until) {
            Some(next) => {
                self.clocks.time.set(next.max(now));
                self.stirred = alarm.is_some_and(|alarm| alarm <= next);
            }
            None if now < until => self.clocks.time.set(until),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Delivers the world's webhooks to the daemon's router.
    async fn deliver(&mut self) -> anyhow::Result<()> {
        loop {
            let now = self.now();
            let due = self.world().due(now);
            if due.is_empty() {
                return Ok(());
            }
            for webhook in due {
                self.bring(now, webhook).await?;
            }
            self.settle().await?;
        }
    }

    async fn bring(&mut self, now: Timestamp, webhook: Webhook) -> anyhow::Result<()> {
        let request = signed(&self.world(), &webhook);
        let crashes = self.crashes.clone();
        let filed = look(&self.seen).filed();
        self.webhooks += 1;
        let answer = tokio::select! {
            biased;
            () = crashes.crashed() => None,
            answer = answer_to(self.router.clone(), request) => Some(answer?),
        };
        let reply = answer.unwrap_or(WebhookReply::Unreachable);
        self.trace
            .note(now, || format!("world    {}: {}", describe(&webhook), delivery::describe_reply(&reply)));
        if matches!(reply, WebhookReply::Unreachable) {
            self.rise_again().await?;
        } else {
            let mut seen = look(&self.seen);
            if self.taken.contains(&webhook.idempotency_token) && seen.filed() > filed {
                seen.problem("a repeated webhook was filed again".to_owned());
            }
        }
        if let WebhookReply::Answer { status, .. } = reply {
            if matches!(status, 200..=299) {
                self.taken.insert(webhook.idempotency_token);
            }
            let path = path_of(&webhook.url).to_owned();
            self.received.push(ReceivedWebhook {
                at: now,
                path,
                params: webhook.params,
                json: webhook.json,
                status,
            });
        }
        let now = self.now();
        self.world().answered(now, webhook.id, reply);
        Ok(())
    }
}

/// The answer of a daemon to a webhook.
pub(super) async fn answer_to(router: Router, request: Request<Body>) -> anyhow::Result<WebhookReply> {
    let response = router.oneshot(request).await?;
    let status = response.status().as_u16();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let body = response.into_body().collect().await?.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(WebhookReply::Answer { status, content_type, body })
}
