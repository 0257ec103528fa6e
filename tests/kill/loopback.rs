//! Minimal HTTP on loopback: sends one request, or receives one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

pub const FORM: &str = "application/x-www-form-urlencoded";

/// Sends JSON and reads JSON.
pub fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<(u16, Value)> {
    let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
    let (status, body) = exchange(address, method, path, &headers, body)?;
    // Read the whole body: the program may have died after the status line.
    let body = if status == 204 { Value::Null } else { serde_json::from_str(&body)? };
    Ok((status, body))
}

pub fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    request.push_str(&format!("\r\n{body}"));
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cut_short = || std::io::Error::other(format!("an answer of {} bytes was cut short", answer.len()));
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(cut_short)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(cut_short)?;
    Ok((status, body.to_owned()))
}

/// Reads one request and answers it with 204. Returns the value of a header and the body, or `None` if the
/// sender died before the end of the request.
pub fn take(stream: TcpStream, header: &str) -> Option<(String, Value)> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut reader = BufReader::new(stream);
    let (mut length, mut wanted) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() { break } else { continue }
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        } else if name.eq_ignore_ascii_case(header) {
            value.clone_into(&mut wanted);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").ok()?;
    Some((wanted, serde_json::from_slice(&body).ok()?))
}
