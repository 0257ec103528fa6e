//! Sends one signed delivery to an address that the guard allows. Reads only as much of the answer as needed.
//! No redirects, no proxies, no retries.

use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::guard::Guard;
use super::retry_policy::{Answer, retry_after};
use super::sign::Signer;
use crate::store::OutboxRow;

/// Settings of deliveries.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    pub url: Url,
    pub signer: Signer,
    pub guard: Guard,
    /// Timeout of DNS, TCP and TLS together, within the timeout of the request.
    pub connect_timeout: Duration,
    /// Timeout from the first byte sent to the last byte read.
    pub request_timeout: Duration,
}

/// Carries deliveries to one endpoint.
#[derive(Debug)]
pub struct HttpSender {
    client: reqwest::Client,
    url: Url,
    signer: Signer,
    guard: Arc<Guard>,
}

/// The maximum of an answer that is read, so that the connection can be reused.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const POOL_IDLE: Duration = Duration::from_secs(15);

/// The name has only addresses that are not allowed.
#[derive(Debug, thiserror::Error)]
#[error("the address is not public and not among webhooks.allow")]
struct Refused;

/// Resolves names for the client, which connects only to the returned addresses.
struct Guarded(Arc<Guard>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permits = |address: &SocketAddr| guard.permits_host(name.as_str(), address.ip());
            let permitted: Vec<SocketAddr> = found.filter(permits).collect();
            if permitted.is_empty() {
                return Err(Refused.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

impl HttpSender {
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(route: EndpointConfig) -> Result<Self, reqwest::Error> {
        let guard = Arc::new(route.guard);
        let client = client(&guard, route.connect_timeout, route.request_timeout)?;
        Ok(Self { client, url: route.url, signer: route.signer, guard })
    }

    /// Sends the row and waits for the answer. A failure is a fixed name, because the text of an error may contain the
    /// URL, and the URL may contain a secret of the customer.
    ///
    /// With the header `traceparent` if the try is part of a trace.
    pub async fn deliver(&self, row: &OutboxRow, now: Timestamp, traceparent: Option<&str>) -> Answer {
        // The resolver is not called for IP addresses.
        if let Some(address) = literal(&self.url)
            && !self.guard.permits(address)
        {
            return Answer::None("address_refused");
        }
        let id = row.id.to_string();
        let timestamp = now.as_second();
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.signer.sign(&id, timestamp, &row.payload))
            .body(row.payload.clone());
        let request = match traceparent {
            Some(traceparent) => request.header("traceparent", traceparent),
            None => request,
        };
        match request.send().await {
            Ok(answer) => read(answer, now).await,
            Err(error) => Answer::None(word(&error)),
        }
    }
}

/// A client that connects only to addresses that the guard allows.
pub(super) fn client(
    guard: &Arc<Guard>,
    connect_timeout: Duration,
    request_timeout: Duration,
) -> Result<reqwest::Client, reqwest::Error> {
    // A second installation is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("ringmaster/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .http1_only()
        .tcp_nodelay(true)
        .dns_resolver(Arc::new(Guarded(Arc::clone(guard))))
        .connect_timeout(connect_timeout)
        .timeout(request_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .build()
}

/// The address in a URL that has no name.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

async fn read(mut answer: reqwest::Response, now: Timestamp) -> Answer {
    let code = answer.status().as_u16();
    let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = wait.and_then(|text| retry_after(text, now));
    let mut read = 0_usize;
    // Only the status matters; the rest of the answer may be lost or too long.
    while let Ok(Some(chunk)) = answer.chunk().await {
        read = read.saturating_add(chunk.len());
        if read > ANSWER_BYTES_MAX {
            break;
        }
    }
    Answer::Status { code, retry_after }
}

pub(super) fn word(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<Refused>() {
            return "address_refused";
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "unreachable"
    } else {
        "connection_lost"
    }
}
