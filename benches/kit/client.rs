//! A minimal load client: requests are rendered in advance, and only status and length of an answer are
//! parsed. The cost of a full HTTP client would distort the results.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Concurrent connections.
pub const CONNECTIONS: usize = 64;

pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// Results of a load.
pub struct Met {
    pub took: Duration,
    /// For each request, from its first byte to the last byte of its answer.
    pub latencies: Vec<Duration>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::new() })
    }

    /// Sends one request and reads its whole answer, whose status must be the expected one.
    pub async fn exchange(&mut self, request: &[u8], expected: u16) -> io::Result<()> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let head = loop {
            self.more().await?;
            if let Some(at) = self.answer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.answer[..head]).to_ascii_lowercase();
        let status: Option<u16> = text.get(9..12).and_then(|digits| digits.parse().ok());
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        // An answer of unknown length ends with an empty chunk.
        while text.contains("transfer-encoding: chunked") && !self.answer.ends_with(b"\r\n0\r\n\r\n") {
            self.more().await?;
        }
        let whole = head + length.unwrap_or(0);
        while self.answer.len() < whole {
            self.more().await?;
        }
        if status == Some(expected) {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(&self.answer);
        Err(io::Error::other(format!("expected {expected}, got {}", answer.get(..600).unwrap_or(&answer))))
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.answer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Renders a POST request.
pub fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into()
}

/// Each connection sends its requests one after the other, without a pause.
pub async fn as_fast_as_answered(
    address: SocketAddr,
    requests: Vec<Vec<Vec<u8>>>,
    expected: u16,
) -> io::Result<Met> {
    let mut connections = Vec::new();
    for requests in requests {
        connections.push((Connection::open(address).await?, requests));
    }
    let began = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|(mut connection, requests)| {
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(requests.len());
                for request in requests {
                    let began = Instant::now();
                    connection.exchange(&request, expected).await?;
                    latencies.push(began.elapsed());
                }
                io::Result::Ok(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(Met { took: began.elapsed(), latencies })
}
