//! The transport over sockets: HTTP/1.1 with keep-alive, rustls, no redirects, no proxy, no retry.
//!
//! How it proves that nothing was sent: hyper polls a request's body right after it has encoded the head
//! into its buffer and before it flushes that buffer (`proto::h1::dispatch::Dispatcher::poll_write`; the head
//! would have to outgrow a buffer of 400 kB for a flush to come between). A body that was never polled
//! therefore proves that no byte left: refused connections, failed names, failed TLS handshakes and connect
//! timeouts all end there. Because a timeout can fire on one thread while hyper takes up the request on
//! another, giving up and starting exclude each other by one atomic word: a body polled after its sender gave
//! up fails, and hyper then drops the connection with the head still in its buffer. In the same way a request
//! whose time to leave is over when its body is first polled does not leave.

use std::error::Error as StdError;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderValue, header};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use secrecy::ExposeSecret;

use crate::failpoint::{self, failpoint};
use crate::platform::LeaveBy;

use super::{Auth, Body, Cause, Request, Response, Transport, TransportError};

/// Options of the connections.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// The timeout of name resolution, TCP and TLS together, within the timeout of the request.
    pub connect_timeout: Duration,
    /// Shorter than a platform's own, so that we rather than they close an idle connection: a request written to a
    /// connection that they are closing ends as unknown.
    pub pool_idle_timeout: Duration,
    pub pool_idle_connections_max: usize,
}

/// The timeout of a connection that is opened ahead.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(10);

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            pool_idle_timeout: Duration::from_secs(15),
            pool_idle_connections_max: 64,
        }
    }
}

/// The real transport. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
}

/// The maximum size of an answer. A page of a thousand calls has about two megabytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

impl HttpTransport {
    /// # Errors
    /// When TLS cannot be set up on this machine, such as without any root certificate.
    pub fn new(options: &HttpOptions) -> Result<Self, reqwest::Error> {
        // A second installation is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("ringmaster/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(options.pool_idle_timeout)
            .pool_max_idle_per_host(options.pool_idle_connections_max)
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let departure = Departure::default();
        let leave_by = request.leave_by.clone();
        let request = prepare(request, &departure).map_err(TransportError::NotSent)?;
        let address = request.url().clone();
        let mut answer = pin!(self.client.execute(request));
        let answer = match &leave_by {
            None => answer.await,
            Some(leave_by) => tokio::select! {
                biased;
                answer = &mut answer => answer,
                () = leave_by.over() => if departure.expire() {
                    self.warm_up(address);
                    return Err(TransportError::TooLate);
                } else {
                    answer.await
                },
            },
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(_) if departure.is_late() => {
                self.warm_up(address);
                return Err(TransportError::TooLate);
            }
            Err(error) => {
                let cause = Box::new(error.without_url());
                return Err(if departure.abandon() {
                    TransportError::NotSent(cause)
                } else {
                    TransportError::Lost(cause)
                });
            }
        };
        read(answer).await.map_err(TransportError::Lost)
    }
}

impl HttpTransport {
    /// Opens a connection for the next request, because the last request got none in time. The handshake with a distant
    /// platform can take more than 250 ms.
    fn warm_up(&self, mut address: reqwest::Url) {
        address.set_path("/");
        address.set_query(None);
        let request = self.client.head(address).timeout(WARM_UP_TIMEOUT);
        tokio::spawn(async move {
            // The answer does not matter.
            _ = request.send().await;
        });
    }
}

fn prepare(request: Request, departure: &Departure) -> Result<reqwest::Request, Cause> {
    let url = reqwest::Url::parse(&request.url)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the URL is neither http nor https".into());
    }
    let mut prepared = reqwest::Request::new(request.method, url);
    *prepared.timeout_mut() = Some(request.timeout);
    let headers = prepared.headers_mut();
    headers.insert(header::AUTHORIZATION, authorization(&request.auth)?);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let (content_type, bytes) = match request.body {
        // A request without a body cannot be observed, so it counts as sent from the start.
        Body::None => {
            departure.depart();
            return Ok(prepared);
        }
        Body::Form(pairs) => {
            let mut form =
                form_urlencoded::Serializer::new(String::with_capacity(pairs.len().saturating_mul(64)));
            form.extend_pairs(&pairs);
            ("application/x-www-form-urlencoded", Bytes::from(form.finish()))
        }
        Body::Json(bytes) => ("application/json", bytes),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if bytes.is_empty() {
        departure.depart();
    }
    *prepared.body_mut() = Some(reqwest::Body::wrap(WatchedBody {
        bytes: Some(bytes),
        departure: departure.clone(),
        leave_by: request.leave_by,
    }));
    Ok(prepared)
}

fn authorization(auth: &Auth) -> Result<HeaderValue, Cause> {
    let mut value = HeaderValue::from_str(auth.header().expose_secret())?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(mut answer: reqwest::Response) -> Result<Response, Cause> {
    let status = answer.status().as_u16();
    let headers = std::mem::take(answer.headers_mut());
    let mut chunks = Chunks::default();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        chunks.push(chunk)?;
    }
    Ok(Response { status, headers, body: chunks.finish() })
}

/// Collects an answer, without a copy if it comes in one piece.
#[derive(Default)]
struct Chunks {
    first: Bytes,
    all: BytesMut,
}

impl Chunks {
    fn push(&mut self, chunk: Bytes) -> Result<(), Cause> {
        if self.first.is_empty() && self.all.is_empty() {
            self.first = chunk;
            return Ok(());
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        if self.all.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
            return Err(format!("the answer is longer than {ANSWER_BYTES_MAX} bytes").into());
        }
        self.all.extend_from_slice(&chunk);
        Ok(())
    }

    fn finish(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

/// The state of a request: not started, started, given up, or too late. It leaves the first state once.
#[derive(Debug, Clone, Default)]
struct Departure(Arc<AtomicU8>);

const HERE: u8 = 0;
const GONE: u8 = 1;
const CANCELLED: u8 = 2;
const LATE: u8 = 3;

impl Departure {
    /// Called before the first byte can be sent. False if the sender has given up.
    fn depart(&self) -> bool {
        self.leave_for(GONE)
    }

    /// Called when it is too late for the first byte. False if bytes may have been sent.
    fn expire(&self) -> bool {
        self.leave_for(LATE)
    }

    fn is_late(&self) -> bool {
        self.0.load(Ordering::Acquire) == LATE
    }

    /// Called when the sender stops waiting for an answer. False if bytes may have been sent.
    fn abandon(&self) -> bool {
        self.leave_for(CANCELLED)
    }

    fn leave_for(&self, state: u8) -> bool {
        match self.0.compare_exchange(HERE, state, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(reached) => reached == state,
        }
    }
}

/// A body in one piece that records its first poll.
struct WatchedBody {
    bytes: Option<Bytes>,
    departure: Departure,
    leave_by: Option<LeaveBy>,
}

#[derive(Debug, thiserror::Error)]
#[error("the request was given up before it was sent")]
struct Abandoned;

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.leave_by.as_ref().is_some_and(LeaveBy::is_over) {
            self.departure.expire();
        }
        if !self.departure.depart() {
            return Poll::Ready(Some(Err(Abandoned.into())));
        }
        failpoint!("request.leaving");
        failpoint::passed_soon("request.left");
        Poll::Ready(self.bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    /// Exact, so that the request carries its length instead of being chunked.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::clock::ManualClock;

    fn watched(departure: &Departure) -> WatchedBody {
        WatchedBody { bytes: Some(Bytes::from_static(b"To=x")), departure: departure.clone(), leave_by: None }
    }

    #[tokio::test]
    async fn a_request_that_has_started_cannot_be_reported_as_not_sent() {
        let departure = Departure::default();
        watched(&departure).frame().await.unwrap().unwrap();
        assert!(!departure.abandon());
    }

    #[tokio::test]
    async fn a_request_starts_in_time_or_not_at_all() {
        let start = jiff::Timestamp::constant(1_790_000_000, 0);
        for (millis, starts) in [(0, true), (249, true), (250, false), (120_000, false)] {
            let clock = Arc::new(ManualClock::new(start));
            let departure = Departure::default();
            let leave_by = Some(LeaveBy::starting_now(clock.clone()));
            let mut body = WatchedBody { leave_by, ..watched(&departure) };
            clock.advance(jiff::SignedDuration::from_millis(millis));
            assert_eq!(body.frame().await.unwrap().is_ok(), starts, "after {millis} ms");
            assert_eq!(departure.is_late(), !starts);
        }
    }

    #[tokio::test]
    async fn a_request_that_was_given_up_cannot_start() {
        let departure = Departure::default();
        assert!(departure.abandon());
        assert!(watched(&departure).frame().await.unwrap().is_err());
    }

    /// Checks the behaviour that the proof needs: hyper has written the head into its buffer, and does not flush it.
    #[tokio::test]
    async fn no_byte_is_sent_when_the_body_fails_at_its_first_poll() {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, WatchedBody>(TokioIo::new(ours)).await.unwrap();
        let departure = Departure::default();
        departure.abandon();
        let request = ::http::Request::post("/").header("host", "x").body(watched(&departure)).unwrap();
        let connection = tokio::spawn(connection);
        sender.send_request(request).await.unwrap_err();
        drop(sender);
        let _ = connection.await;
        let mut received = Vec::new();
        theirs.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"", "the connection closed without a byte");
    }
}
