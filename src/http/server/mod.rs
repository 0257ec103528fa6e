//! The accept loop, with limits on connections, headers and time, and a graceful shutdown.
//!
//! If all connections are in use, the one that has been idle longest is closed for a new one. A connection with a request
//! in progress is never closed for that. At the hooks a request is in progress when its body has arrived. A peer that does
//! not read its answer is disconnected.
//! `axum::serve` is not used because it has no timeout for headers.

mod connections;
mod write_timeout;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{ServiceExt as _, service_fn};

use super::peers::{Peer, TrustedProxies};
use connections::{Arriving, Connection, Connections, answering, gave_way};
use write_timeout::WriteTimeout;

/// Limits of one connection and of all connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOptions {
    /// Further connections wait until one of them ends or is closed for them.
    pub connections_max: usize,
    /// Connections of one address; more are closed at once. Trusted proxies are not counted.
    pub connections_per_peer_max: Option<usize>,
    pub trusted_proxies: TrustedProxies,
    pub headers_max: usize,
    /// The maximum bytes of the request line and the headers; at least 8192.
    pub headers_max_bytes: usize,
    /// The time from the start of a request, or the end of the previous one, to the end of its headers.
    pub headers_timeout: Duration,
    /// A connection is closed when bytes wait to be sent and none could be sent for this long.
    pub write_timeout: Duration,
    /// Whether a connection whose request body has not arrived yet is closed for a new one, like an idle one.
    pub bodies_give_way: bool,
    /// How long requests in progress may continue after the shutdown began.
    pub drain_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            connections_per_peer_max: None,
            trusted_proxies: TrustedProxies::default(),
            headers_max: 100,
            headers_max_bytes: 32 << 10,
            headers_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            bodies_give_way: false,
            drain_timeout: Duration::from_secs(20),
        }
    }
}

/// How long to wait when the system cannot accept another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then lets requests in progress end, but no longer than the drain timeout.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServerOptions,
    shutdown: CancellationToken,
) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(options.headers_timeout)
        .max_headers(options.headers_max)
        .max_buf_size(options.headers_max_bytes.max(8192));
    let slots = Arc::new(Semaphore::new(options.connections_max));
    let connections = Arc::new(Connections::new(options.connections_per_peer_max, options.bodies_give_way));
    let tracker = TaskTracker::new();
    let kill = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok((stream, address)) => (stream, address.ip().to_canonical()),
            // The peer is gone, or the system has no free descriptors. The loop continues.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let counted = (!options.trusted_proxies.contain(peer)).then_some(peer);
        let Some(connection) = connections.admit(counted) else {
            tracing::debug!("closed a connection: its address has too many connections");
            continue;
        };
        let slot = match Arc::clone(&slots).try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) => {
                connections.close_longest_waiting();
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => break,
                    slot = Arc::clone(&slots).acquire_owned() => slot.expect("nobody closes the semaphore"),
                }
            }
        };
        connection.wait_for_request();
        let stream = WriteTimeout::new(stream, options.write_timeout);
        let serving = serve_one(stream, peer, connection, router.clone(), builder.clone(), shutdown.clone());
        let kill = kill.clone();
        tracker.spawn(async move {
            tokio::select! {
                biased;
                () = kill.cancelled() => {}
                () = serving => {}
            }
            drop(slot);
        });
    }
    drop(listener);
    tracker.close();
    if tokio::time::timeout(options.drain_timeout, tracker.wait()).await.is_err() {
        tracing::warn!(connections = tracker.len(), "the drain timeout ended requests in progress");
        kill.cancel();
        tracker.wait().await;
    }
}

async fn serve_one(
    stream: WriteTimeout<TcpStream>,
    peer: IpAddr,
    connection: Arc<Connection>,
    router: Router,
    builder: http1::Builder,
    shutdown: CancellationToken,
) {
    // Answers are small and complete, so waiting for more data only delays them.
    let _ = stream.get_ref().set_nodelay(true);
    let gives_way = connection.gives_way().clone();
    let service = service_fn(move |request: Request<Incoming>| {
        answer(request, peer, Arc::clone(&connection), router.clone())
    });
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = gives_way.cancelled() => return tracing::debug!("closed an idle connection for a new one"),
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(
    mut request: Request<Incoming>,
    peer: IpAddr,
    connection: Arc<Connection>,
    router: Router,
) -> io::Result<Response> {
    let waits_for_body = connection.bodies_give_way() && !request.body().is_end_stream();
    if !waits_for_body && !connection.begin_request() {
        return Err(gave_way());
    }
    request.extensions_mut().insert(Peer(peer));
    let request = request.map(|body| match waits_for_body {
        true => Body::new(Arriving::new(body, Arc::clone(&connection))),
        false => Body::new(body),
    });
    let in_progress = answering(connection);
    let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    Ok(response.map(|body| Body::new(in_progress.until_the_end_of(body))))
}
