//! Sends spans to a collector, in batches. A batch that the collector does not take is lost and counted: spans are not worth
//! memory. While the collector is away, one request every [`REST`] tries again, and the queue drops what does not fit.

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Span, otlp};
use crate::metrics::Metrics;

/// The most spans of one request.
const BATCH_MAX: usize = 512;
/// How long a span waits for others.
const LINGER: Duration = Duration::from_secs(1);
/// The pause after a request that failed.
const REST: Duration = Duration::from_secs(5);
/// How long a daemon that stops goes on to send what is left.
const LAST: Duration = Duration::from_secs(2);
/// The maximum of an answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Settings of an exporter.
#[derive(Debug)]
pub struct ExporterConfig {
    /// The base of the collector's URLs; `/v1/traces` is added.
    pub endpoint: Url,
    /// Sent with each request, such as a key of the collector's service.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub timeout: Duration,
    /// The name under which the collector shows our spans.
    pub service: String,
}

/// Sends spans to one collector.
#[derive(Debug)]
pub struct Exporter {
    client: reqwest::Client,
    url: Url,
    service: String,
    spans: mpsc::Receiver<Span>,
    metrics: Arc<Metrics>,
    is_up: bool,
}

impl Exporter {
    /// # Errors
    /// If TLS cannot be set up on this machine.
    pub fn new(
        config: ExporterConfig,
        spans: mpsc::Receiver<Span>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, reqwest::Error> {
        let ExporterConfig { endpoint, headers, timeout, service } = config;
        // A second installation is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("ringmaster/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .default_headers(headers.into_iter().collect::<HeaderMap>())
            .timeout(timeout)
            .build()?;
        let mut url = endpoint;
        url.set_path(&format!("{}/v1/traces", url.path().trim_end_matches('/')));
        Ok(Self { client, url, service, spans, metrics, is_up: true })
    }

    /// Runs until `shutdown`, then sends what is left, within [`LAST`]: no stop waits for a collector that is away.
    pub async fn run(self, shutdown: CancellationToken) {
        let end = async {
            shutdown.cancelled().await;
            tokio::time::sleep(LAST).await;
        };
        tokio::select! {
            () = self.send_all(shutdown.clone()) => {}
            () = end => {}
        }
    }

    async fn send_all(mut self, shutdown: CancellationToken) {
        let mut batch = Vec::new();
        while !shutdown.is_cancelled() {
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = gather(&mut self.spans, &mut batch) => {}
            }
            if batch.is_empty() {
                break;
            }
            let sent = self.send(std::mem::take(&mut batch)).await;
            if !sent {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = tokio::time::sleep(REST) => {}
                }
            }
        }
        loop {
            while batch.len() < BATCH_MAX
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() || !self.send(std::mem::take(&mut batch)).await {
                return;
            }
        }
    }

    /// Whether the collector took the batch. Its URL and headers are not logged, because they may have a key.
    async fn send(&mut self, batch: Vec<Span>) -> bool {
        let body = otlp::request(&self.service, &batch);
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/x-protobuf");
        let answer = match request.body(body).send().await {
            Ok(answer) if answer.status().is_success() => Ok(answer),
            Ok(answer) => Err(answer.status().as_u16().to_string()),
            Err(error) if error.is_timeout() => Err("timeout".to_owned()),
            Err(error) if error.is_connect() => Err("unreachable".to_owned()),
            Err(_) => Err("connection_lost".to_owned()),
        };
        match answer {
            Ok(answer) => {
                let refused = otlp::refused(&read(answer).await).min(batch.len());
                self.metrics.spans("sent", batch.len() - refused);
                self.metrics.spans("lost", refused);
                if !std::mem::replace(&mut self.is_up, true) {
                    tracing::info!("the collector takes traces again");
                }
                true
            }
            Err(why) => {
                self.metrics.spans("lost", batch.len());
                if std::mem::replace(&mut self.is_up, false) {
                    tracing::warn!(why, "the collector does not take traces; spans are lost until it does");
                }
                false
            }
        }
    }
}

/// Waits for a span, and a little for others. Nothing is lost if it is dropped: what it has taken is in the batch.
async fn gather(spans: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) {
    if batch.is_empty() {
        match spans.recv().await {
            Some(span) => batch.push(span),
            None => return,
        }
    }
    let until = Instant::now() + LINGER;
    while batch.len() < BATCH_MAX
        && let Ok(Some(span)) = timeout_at(until, spans.recv()).await
    {
        batch.push(span);
    }
}

async fn read(mut answer: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Vec::new();
        }
        body.extend_from_slice(&chunk);
    }
    body
}
