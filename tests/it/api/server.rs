//! The accept loop against real sockets: half a header, too many headers, and the end.

use std::time::Duration;

use ringmaster::http::server::{ServerOptions, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::harness::api;

struct Serving {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

async fn serving(options: ServerOptions) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let ended = tokio::spawn(serve(listener, api().await.router, options, shutdown.clone()));
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
async fn half_a_header_is_not_waited_for() {
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
async fn a_connection_that_does_nothing_does_not_keep_the_server() {
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
