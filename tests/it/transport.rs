//! The real transport with real sockets: whether a failed request is reported as not sent or as lost.

#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use ringmaster::clock::{ManualClock, SystemClock};
use ringmaster::platform::{FIRST_BYTE_WITHIN, LeaveBy};
use ringmaster::twilio::{
    Basic, Body, HttpOptions, HttpTransport, Request, Response, Transport, TransportError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

fn transport() -> HttpTransport {
    HttpTransport::new(&HttpOptions::default()).unwrap()
}

fn post(url: &str) -> Request {
    Request {
        method: Method::POST,
        url: url.to_owned(),
        auth: Basic::new("SK1", "hush".to_owned()).into(),
        body: Body::Form(vec![
            ("To".to_owned(), "whatsapp:+5511987654321".to_owned()),
            ("StatusCallbackEvent".to_owned(), "initiated".to_owned()),
            ("StatusCallbackEvent".to_owned(), "ringing".to_owned()),
        ]),
        timeout: Duration::from_secs(30),
        leave_by: None,
    }
}

/// A server that handles its connections in order with `serve`, and collects the results.
async fn server<S, F, T>(serve: S) -> (String, JoinHandle<T>)
where
    S: FnOnce(TcpListener) -> F,
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/path", listener.local_addr().unwrap());
    (url, tokio::spawn(serve(listener)))
}

/// Reads one whole request, by its length.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text.into_owned();
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await.unwrap() {
            0 => return String::from_utf8_lossy(&read).into_owned(),
            length => read.extend_from_slice(&buffer[..length]),
        }
    }
}

const ANSWER: &[u8] = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nretry-after: 7\r\n\r\n{}";

fn is_not_sent(answer: &Result<Response, TransportError>) -> bool {
    matches!(answer, Err(TransportError::NotSent(_)))
}

fn is_lost(answer: &Result<Response, TransportError>) -> bool {
    matches!(answer, Err(TransportError::Lost(_)))
}

#[tokio::test]
async fn a_request_arrives_once_and_its_answer_is_returned() {
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
        request
    })
    .await;
    let answer = transport().send(post(&url)).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (201, &b"{}"[..]));
    assert_eq!(answer.retry_after(), Some(Duration::from_secs(7)));
    let request = served.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /path HTTP/1.1\r\n"), "{head}");
    for line in [
        "authorization: Basic U0sxOmh1c2g=",
        "accept: application/json",
        "content-type: application/x-www-form-urlencoded",
        "content-length: 88",
    ] {
        assert!(head.lines().any(|given| given == line), "{line}\n{head}");
    }
    assert_eq!(
        body,
        "To=whatsapp%3A%2B5511987654321&StatusCallbackEvent=initiated&StatusCallbackEvent=ringing"
    );
}

#[tokio::test]
async fn json_bodies_and_queries_are_sent_with_their_types() {
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut requests = Vec::new();
        for _ in 0..2 {
            requests.push(read_request(&mut stream).await);
            stream.write_all(ANSWER).await.unwrap();
        }
        requests
    })
    .await;
    let transport = transport();
    let json = Request { body: Body::Json(Bytes::from_static(b"{\"a\":1}")), ..post(&url) };
    transport.send(json).await.unwrap();
    let get = Request { method: Method::GET, body: Body::None, ..post(&url) };
    transport.send(get).await.unwrap();
    let requests = served.await.unwrap();
    assert!(requests[0].contains("content-type: application/json\r\n"), "{}", requests[0]);
    assert!(requests[0].ends_with("\r\n\r\n{\"a\":1}"), "{}", requests[0]);
    assert!(requests[1].starts_with("GET /path HTTP/1.1\r\n"), "{}", requests[1]);
    assert!(!requests[1].contains("content-"), "{}", requests[1]);
}

#[tokio::test]
async fn a_refused_connection_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let answer = transport().send(post(&url)).await;
    assert!(is_not_sent(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_means_not_sent() {
    let answer = transport().send(post("http://nowhere.invalid/")).await;
    assert!(is_not_sent(&answer), "{answer:?}");
}

#[tokio::test]
async fn an_invalid_url_means_not_sent() {
    for url in ["", "/relative", "ftp://127.0.0.1/", "http://"] {
        let answer = transport().send(post(url)).await;
        assert!(is_not_sent(&answer), "{url} {answer:?}");
    }
}

#[tokio::test]
async fn a_failed_tls_handshake_means_not_sent() {
    let (url, _served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 512];
        let _ = stream.read(&mut hello).await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut hello).await;
    })
    .await;
    let answer = transport().send(post(&url.replace("http://", "https://"))).await;
    assert!(is_not_sent(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_means_not_sent() {
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
    })
    .await;
    let request =
        Request { timeout: Duration::from_millis(100), ..post(&url.replace("http://", "https://")) };
    let answer = transport().send(request).await;
    assert!(is_not_sent(&answer), "{answer:?}");
    served.await.unwrap();
}

#[tokio::test]
async fn a_closed_connection_is_never_reported_as_not_sent_if_a_byte_arrived() {
    let transport = transport();
    for _ in 0..50 {
        let (url, served) = server(async |listener: TcpListener| {
            let (stream, _) = listener.accept().await.unwrap();
            drop(stream);
        })
        .await;
        // The close races with the write, so both errors are right. An answer would be wrong.
        let answer = transport.send(post(&url)).await;
        assert!(is_not_sent(&answer) || is_lost(&answer), "{answer:?}");
        served.await.unwrap();
    }
    for _ in 0..50 {
        let (url, served) = server(async |listener: TcpListener| {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.shutdown().await.unwrap();
            let mut received = Vec::new();
            let _ = stream.read_to_end(&mut received).await;
            received.len()
        })
        .await;
        let answer = transport.send(post(&url)).await;
        let received = served.await.unwrap();
        assert!(is_lost(&answer) || is_not_sent(&answer) && received == 0, "{received} bytes, {answer:?}");
    }
}

#[tokio::test]
async fn a_request_that_was_read_but_never_answered_is_lost() {
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        let mut rest = [0; 16];
        let _ = stream.read(&mut rest).await;
        request
    })
    .await;
    let answer = transport().send(Request { timeout: Duration::from_millis(500), ..post(&url) }).await;
    assert!(is_lost(&answer), "{answer:?}");
    assert!(served.await.unwrap().contains("whatsapp"));
}

#[tokio::test]
async fn a_connection_closed_after_the_request_was_read_is_lost() {
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
    })
    .await;
    let answer = transport().send(post(&url)).await;
    assert!(is_lost(&answer), "{answer:?}");
    served.await.unwrap();
}

#[tokio::test]
async fn half_an_answer_is_lost() {
    for half in [&b"HTTP/1.1 201 Cre"[..], b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"sid\":"] {
        let (url, served) = server(async move |listener: TcpListener| {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            stream.write_all(half).await.unwrap();
        })
        .await;
        let answer = transport().send(post(&url)).await;
        assert!(is_lost(&answer), "{answer:?}");
        served.await.unwrap();
    }
}

#[tokio::test]
async fn a_redirection_is_an_answer_and_not_followed() {
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        let answer = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        let mut more = Vec::new();
        let _ = stream.read_to_end(&mut more).await;
        more.len()
    })
    .await;
    let transport = transport();
    assert_eq!(transport.send(post(&url)).await.unwrap().status, 307);
    drop(transport);
    assert_eq!(served.await.unwrap(), 0, "a request followed the redirection");
}

/// Serves one request on the first connection and closes it on a signal; then counts the requests on the second.
#[tokio::test]
async fn a_reused_connection_that_was_closed_does_not_send_twice() {
    let (close, told) = oneshot::channel::<()>();
    let (closed, done) = oneshot::channel::<()>();
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
        told.await.unwrap();
        drop(stream);
        closed.send(()).unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let second = read_request(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
        second.matches("POST /path").count()
    })
    .await;
    let transport = transport();
    transport.send(post(&url)).await.unwrap();
    close.send(()).unwrap();
    done.await.unwrap();
    match transport.send(post(&url)).await {
        // The transport noticed the close in time and used a new connection.
        Ok(answer) => {
            assert_eq!(answer.status, 201);
            assert_eq!(served.await.unwrap(), 1);
        }
        // It did not: the request was written to the closed connection, and was not repeated.
        Err(TransportError::Lost(_)) => served.abort(),
        Err(error) => panic!("a new connection was possible: {error:?}"),
    }
}

/// The server reads the second request on the reused connection and closes without an answer. A client that retries
/// would place a second call here.
#[tokio::test]
async fn an_unanswered_request_on_a_reused_connection_is_lost_and_not_repeated() {
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
        let second = read_request(&mut stream).await;
        drop(stream);
        let (mut next, _) = listener.accept().await.unwrap();
        let mut third = String::new();
        next.read_to_string(&mut third).await.unwrap();
        (second.matches("POST /path").count(), third)
    })
    .await;
    let transport = transport();
    transport.send(post(&url)).await.unwrap();
    let answer = transport.send(post(&url)).await;
    assert!(is_lost(&answer), "{answer:?}");
    // Connections are accepted in order, so a repetition would come before this one.
    knock(&url).await;
    assert_eq!(served.await.unwrap(), (1, KNOCK.to_owned()));
}

const KNOCK: &str = "knock";

/// A connection that does not belong to the transport.
async fn knock(url: &str) {
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    TcpStream::connect(address).await.unwrap().write_all(KNOCK.as_bytes()).await.unwrap();
}

/// Timeouts of all lengths up to that of an exchange, so that each stage of sending is interrupted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_reported_as_not_sent_never_reached_the_server() {
    const REQUESTS: u64 = 2000;
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let (url, served) = server({
        let seen = seen.clone();
        async move |listener: TcpListener| {
            let (mut connections, knocked) = (JoinSet::new(), Arc::new(Notify::new()));
            loop {
                tokio::select! {
                    () = knocked.notified() => break,
                    accepted = listener.accept() => {
                        connections.spawn(note_requests(accepted.unwrap().0, seen.clone(), knocked.clone()));
                    }
                }
            }
            connections.join_all().await;
        }
    })
    .await;
    let transport = Arc::new(transport());
    let mut sending = JoinSet::new();
    let mut not_sent = Vec::new();
    for number in 0..REQUESTS {
        let request = Request {
            url: format!("{url}/{number};"),
            timeout: Duration::from_micros(number % 1000),
            ..post(&url)
        };
        let transport = transport.clone();
        sending.spawn(async move { is_not_sent(&transport.send(request).await).then_some(number) });
        if sending.len() >= 4 {
            not_sent.extend(sending.join_next().await.unwrap().unwrap());
        }
    }
    not_sent.extend(sending.join_all().await.into_iter().flatten());
    drop(transport);
    knock(&url).await;
    served.await.unwrap();
    let seen = seen.lock().unwrap();
    let wrong: Vec<_> = not_sent.iter().filter(|number| seen.contains(number)).collect();
    assert!(wrong.is_empty(), "{wrong:?} of {} reached the server", not_sent.len());
}

/// Records the number of each request whose head begins to arrive, and answers it.
async fn note_requests(mut stream: TcpStream, seen: Arc<Mutex<HashSet<u64>>>, knocked: Arc<Notify>) {
    let (mut received, mut buffer) = (String::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        received.push_str(&String::from_utf8_lossy(&buffer[..length]));
        let numbers = received.split("/path/").skip(1).filter_map(|rest| rest.split_once(';'));
        seen.lock().unwrap().extend(numbers.map(|(number, _)| number.parse::<u64>().unwrap()));
        if received.ends_with("ringing") {
            let _ = stream.write_all(ANSWER).await;
        }
        if received == KNOCK {
            knocked.notify_one();
        }
    }
}

#[tokio::test]
async fn a_transport_error_names_neither_the_address_nor_the_secret() {
    let url = "http://nowhere.invalid/Calls.json?To=whatsapp%3A%2B5511987654321";
    let error = transport().send(post(url)).await.unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains("5511987654321") && !printed.contains("hush"), "{printed}");
}

/// A server that answers a number of requests. Returns the first line and the connection of each.
async fn seen(listener: TcpListener, requests: usize) -> Vec<(usize, String)> {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        for connection in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let tell = tell.clone();
            tokio::spawn(async move {
                loop {
                    let request = read_request(&mut stream).await;
                    if request.is_empty() {
                        break;
                    }
                    let first = request.lines().next().unwrap_or_default().to_owned();
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    if tell.send((connection, first)).is_err() {
                        break;
                    }
                }
            });
        }
    });
    let mut seen = Vec::new();
    while seen.len() < requests {
        seen.push(told.recv().await.unwrap());
    }
    seen
}

#[tokio::test]
async fn a_late_request_is_not_sent_and_opens_a_connection_for_the_next() {
    let (url, served) = server(|listener| seen(listener, 2)).await;
    let clock = Arc::new(ManualClock::new(Timestamp::constant(1_790_000_000, 0)));
    let leave_by = LeaveBy::starting_now(clock.clone());
    clock.advance(FIRST_BYTE_WITHIN);
    let transport = transport();
    let answer = transport.send(Request { leave_by: Some(leave_by), ..post(&url) }).await;
    assert!(matches!(answer, Err(TransportError::TooLate)), "{answer:?}");
    // The late request has opened a connection for this one.
    let next = transport.send(Request { leave_by: None, ..post(&url) }).await;
    assert_eq!(next.unwrap().status, 200);
    let seen = served.await.unwrap();
    let mut lines: Vec<&str> = seen.iter().map(|(_, line)| line.as_str()).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["HEAD / HTTP/1.1", "POST /path HTTP/1.1"]);
}

#[tokio::test]
async fn a_request_without_a_connection_in_time_is_not_sent() {
    let (url, served) = server(async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        // It never finishes the handshake.
        stream.read_to_end(&mut received).await.unwrap();
        received
    })
    .await;
    let url = url.replace("http://", "https://");
    let leave_by = LeaveBy::starting_now(Arc::new(SystemClock));
    let answer = transport().send(Request { leave_by: Some(leave_by), ..post(&url) }).await;
    assert!(matches!(answer, Err(TransportError::TooLate)), "{answer:?}");
    let received = served.await.unwrap();
    assert!(!received.windows(4).any(|bytes| bytes == b"POST"), "only the handshake may be sent");
}
