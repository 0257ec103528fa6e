//! The accept loop with real sockets: incomplete and too many headers, slow and idle peers, and the stop.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use ringmaster::http::peers::{PeerLimit, TrustedProxies};
use ringmaster::http::server::{ServerOptions, serve};
use ringmaster::http::{Doors, RequestLimits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::harness::{SENDER, api, desk_with};

struct Serving {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

async fn serving(options: ServerOptions) -> Serving {
    serving_with(api().await.router, options).await
}

async fn serving_with(router: Router, options: ServerOptions) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let ended = tokio::spawn(serve(listener, router, options, shutdown.clone()));
    Serving { address, shutdown, ended }
}

async fn talk(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_request_is_answered() {
    let serving = serving(ServerOptions::default()).await;
    let answer = talk(serving.address, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
}

#[tokio::test]
async fn an_incomplete_header_times_out() {
    let options = ServerOptions { headers_timeout: Duration::from_millis(20), ..ServerOptions::default() };
    let serving = serving(options).await;
    let answer = talk(serving.address, "GET /healthz HTTP/1.1\r\nhost:").await;
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let serving = serving(ServerOptions { headers_max: 8, ..ServerOptions::default() }).await;
    let headers: String = (0..9).map(|index| format!("x-{index}: y\r\n")).collect();
    let answer = talk(serving.address, &format!("GET /healthz HTTP/1.1\r\n{headers}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_does_not_delay_the_stop() {
    let serving = serving(ServerOptions::default()).await;
    let mut idle = TcpStream::connect(serving.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    serving.shutdown.cancel();
    serving.ended.await.unwrap();
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_at_the_drain_timeout() {
    let serving =
        serving(ServerOptions { drain_timeout: Duration::from_millis(20), ..ServerOptions::default() }).await;
    let mut stuck = TcpStream::connect(serving.address).await.unwrap();
    let (token, _) = ringmaster::http::auth::new_token([7; 32]);
    let head = format!(
        "POST /v1/callbacks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n"
    );
    stuck.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stuck.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    serving.shutdown.cancel();
    serving.ended.await.unwrap();
}

/// The bytes of the request line, of `host: x` and of the empty line are counted as well.
#[tokio::test]
async fn headers_above_their_maximum_size_are_refused() {
    let limits = RequestLimits { headers_max_bytes: 10_000, ..RequestLimits::default() };
    let router = desk_with(&[SENDER], limits).await.router;
    let serving =
        serving_with(router, ServerOptions { headers_max_bytes: 10_000, ..ServerOptions::default() }).await;
    let rest = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-fill: \r\n\r\n";
    for (bytes, expected) in [(10_000, "HTTP/1.1 200"), (10_001, "HTTP/1.1 431"), (60_000, "HTTP/1.1 431")] {
        let fill = "f".repeat(bytes - rest.len());
        let answer = talk(serving.address, &rest.replace("x-fill: ", &format!("x-fill: {fill}"))).await;
        assert!(answer.starts_with(expected), "{bytes}: {answer}");
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_disconnected_and_frees_its_connection() {
    let options = ServerOptions {
        connections_max: 1,
        write_timeout: Duration::from_millis(50),
        ..ServerOptions::default()
    };
    let serving = serving(options).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = socket.connect(serving.address).await.unwrap();
    // The answers are larger than the buffers of both ends.
    let many = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(40);
    slow.write_all(many.as_bytes()).await.unwrap();
    let answer = talk(serving.address, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let mut taken = Vec::new();
    let _ = slow.read_to_end(&mut taken).await;
    assert!(taken.len() < 40 * 400_000, "all of it was sent: {}", taken.len());
}

#[tokio::test]
async fn idle_connections_are_closed_for_new_ones() {
    let options = ServerOptions { connections_max: 2, ..ServerOptions::default() };
    let serving = serving(options).await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream.write_all(b"GET /healthz HTT").await.unwrap();
        idle.push(stream);
    }
    for _ in 0..3 {
        let answer =
            talk(serving.address, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
    // The connection that was idle longest was closed, long before the headers timeout.
    assert_eq!(idle[0].read(&mut [0]).await.unwrap_or(0), 0);
}

/// A listener drops requests whose bodies do not arrive to make room for new ones. A request with a complete body is
/// answered.
#[tokio::test]
async fn slow_bodies_are_dropped_for_new_requests() {
    let options = ServerOptions { connections_max: 2, bodies_give_way: true, ..ServerOptions::default() };
    let router = Router::new().route("/echo", axum::routing::post(|body: String| async move { body }));
    let serving = serving_with(router, options).await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n";
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // The handler waits for the body.
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 100");
        stream.write_all(b"a").await.unwrap();
        slow.push(stream);
    }
    let whole = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody";
    for _ in 0..2 {
        let answer = talk(serving.address, whole).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("body"), "{answer}");
    }
    let mut rest = Vec::new();
    let _ = slow[0].read_to_end(&mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains("200"), "the longest idle connection was closed");
    slow[1].write_all(b"bcd").await.unwrap();
    let mut rest = String::new();
    slow[1].read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("200 OK") && rest.ends_with("abcd"), "the other goes on: {rest}");
}

#[tokio::test]
async fn an_address_has_a_maximum_of_connections_unless_it_is_a_trusted_proxy() {
    let options = ServerOptions { connections_per_peer_max: Some(1), ..ServerOptions::default() };
    let trusted = TrustedProxies::new(["127.0.0.0/8".parse().unwrap()]);
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for (trusted_proxies, is_closed) in [(TrustedProxies::default(), true), (trusted, false)] {
        let serving = serving(ServerOptions { trusted_proxies, ..options.clone() }).await;
        let mut first = TcpStream::connect(serving.address).await.unwrap();
        first.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        first.read_exact(&mut [0; 12]).await.unwrap();
        let mut second = TcpStream::connect(serving.address).await.unwrap();
        let _ = second.write_all(request.as_bytes()).await;
        let mut answer = String::new();
        let _ = second.read_to_string(&mut answer).await;
        assert_eq!(answer.is_empty(), is_closed, "{answer}");
    }
}

#[tokio::test]
async fn requests_of_one_client_are_limited_and_the_hooks_are_not() {
    let api = api().await;
    let trusted = TrustedProxies::new(["127.0.0.0/8".parse().unwrap()]);
    let limit = PeerLimit::new(trusted, governor::Quota::per_hour(2.try_into().unwrap()));
    let doors = Doors {
        app: api.app.clone(),
        peer_limit: Some(std::sync::Arc::new(limit)),
        hooks: Router::new().route("/hooks/x", get(async || "hooked")),
        metrics: Router::new().route("/metrics", get(async || "counted")),
        console: Router::new(),
    };
    let ask = async |address, path: &str, client: &str| {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\nconnection: close\r\n\r\n"
        );
        talk(address, &head).await
    };
    for (router, has_api, has_hooks) in
        [(doors.hooks(), false, true), (doors.api(), true, false), (doors.together(), true, true)]
    {
        let serving = serving_with(router, ServerOptions::default()).await;
        // A client of its own for each round: the limit is one for all listeners.
        let client = format!("192.0.2.{}", u8::from(has_api) * 2 + u8::from(has_hooks));
        let expected =
            [200, 200, 429].map(|status| format!("HTTP/1.1 {}", if has_api { status } else { 404 }));
        for expected in expected {
            let answer = ask(serving.address, "/openapi.json", &client).await;
            assert!(answer.starts_with(&expected), "{expected}: {answer:.300}");
            assert_eq!(answer.contains("retry-after: "), expected.ends_with("429"), "{answer:.300}");
        }
        // The limit of this client is used up, for every path but the hooks.
        for path in ["/metrics", "/healthz", "/nope", "/v1/nope", "/v1/status", "/docs/"] {
            let answer = ask(serving.address, path, &client).await;
            let is_limited = answer.starts_with("HTTP/1.1 429");
            assert_eq!(is_limited, has_api, "{path}: {answer:.300}");
            assert!(!is_limited || !answer.contains("retry-after: 0\r"), "{path}: {answer:.300}");
        }
        for (path, client, is_there) in [
            ("/hooks/x", &*client, has_hooks),
            ("/healthz", "127.0.0.9, 127.0.0.1", true),
            ("/healthz", "::1", true),
            ("/metrics", "198.51.100.1", has_api),
        ] {
            for _ in 0..if path == "/metrics" { 1 } else { 4 } {
                let answer = ask(serving.address, path, client).await;
                assert_eq!(answer.starts_with("HTTP/1.1 200"), is_there, "{path}: {answer:.300}");
            }
        }
    }
}

/// Attack 21.
#[tokio::test]
async fn answers_are_not_cached_or_sniffed_and_pages_cannot_be_framed() {
    let api = api().await;
    for (path, is_page) in [
        ("/v1/status", false),
        ("/v1/callbacks/cb_1", false),
        ("/nowhere", false),
        ("/openapi.json", false),
        ("/docs/", true),
        ("/docs/swagger-ui-bundle.js", true),
    ] {
        let answer = api.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let kept = if is_page { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), kept, "{path}");
        if is_page {
            let policy = answer.header("content-security-policy");
            let parts: Vec<&str> = policy.split(';').map(str::trim).collect();
            for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
                assert!(parts.contains(&part), "{path}: no {part} in {policy}");
            }
        }
    }
}
