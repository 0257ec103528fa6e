//! The accept loop: bounded in connections, headers and time, and it ends when it is told to.
//!
//! `axum::serve` is not used because it installs no timer, so that half a header is waited for without end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What one connection, and all of them, may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerOptions {
    /// More than this wait in the listener's queue.
    pub connections_max: usize,
    pub headers_max: usize,
    /// At least 8192.
    pub headers_max_bytes: usize,
    /// From the start of a request, or the end of the last one, to the end of its headers.
    pub headers_timeout: Duration,
    /// How long requests in progress may take once the shutdown began.
    pub drain_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            headers_max: 100,
            headers_max_bytes: 32 << 10,
            headers_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(20),
        }
    }
}

/// How long to wait when the system has no room for another connection.
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
    let tracker = TaskTracker::new();
    let kill = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            slot = Arc::clone(&slots).acquire_owned() => {
                let slot = slot.expect("nobody closes the semaphore");
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => break,
                    accepted = listener.accept() => accepted.map(|(stream, _)| (stream, slot)),
                }
            }
        };
        match accepted {
            Ok((stream, slot)) => {
                let connection = connection(stream, router.clone(), builder.clone(), shutdown.clone());
                let kill = kill.clone();
                tracker.spawn(async move {
                    tokio::select! {
                        biased;
                        () = kill.cancelled() => {}
                        () = connection => {}
                    }
                    drop(slot);
                });
            }
            // The peer went away, or the system is out of descriptors: neither is a reason to stop.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    tracker.close();
    if tokio::time::timeout(options.drain_timeout, tracker.wait()).await.is_err() {
        tracing::warn!(connections = tracker.len(), "the drain timeout ended requests in progress");
        kill.cancel();
        tracker.wait().await;
    }
}

async fn connection(stream: TcpStream, router: Router, builder: http1::Builder, shutdown: CancellationToken) {
    // Answers are small and whole; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
