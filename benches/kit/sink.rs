//! A minimal Twilio: it accepts each call and records its time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ringmaster::clock::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::rows::consumer;

/// Runs on a thread of its own until it is dropped.
pub struct Sink {
    pub address: SocketAddr,
    calls: Arc<Calls>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

struct Calls {
    /// The number of the first consumer that is expected.
    first: usize,
    /// Time of the call to each consumer in microseconds; 0 if there was none.
    arrived_at: Vec<AtomicI64>,
    arrived: AtomicUsize,
    /// Calls to a consumer who was already called or is not expected.
    unexpected: AtomicUsize,
    all: Notify,
}

impl Sink {
    /// Expects one call to each of `count` consumers.
    pub fn start(first: usize, count: usize) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let arrived_at = (0..count).map(|_| AtomicI64::new(0)).collect();
        let calls = Arc::new(Calls {
            first,
            arrived_at,
            arrived: AtomicUsize::new(0),
            unexpected: AtomicUsize::new(0),
            all: Notify::new(),
        });
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn({
            let (calls, stop) = (calls.clone(), stop.clone());
            move || {
                runtime.block_on(async {
                    tokio::select! { () = accept(listener, calls) => {}, () = stop.cancelled() => {} }
                })
            }
        });
        Ok(Self { address, calls, stop, thread: Some(thread) })
    }

    /// Waits for all expected calls. Returns their times in microseconds.
    pub async fn all(&self, patience: Duration) -> io::Result<Vec<i64>> {
        let came = tokio::time::timeout(patience, self.calls.all.notified()).await;
        let arrived = self.calls.arrived.load(Ordering::Acquire);
        let unexpected = self.calls.unexpected.load(Ordering::Acquire);
        if came.is_err() || unexpected > 0 {
            return Err(io::Error::other(format!(
                "{arrived} calls arrived, {unexpected} of them unexpected"
            )));
        }
        Ok(self.calls.arrived_at.iter().map(|at| at.load(Ordering::Acquire)).collect())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: std::net::TcpListener, calls: Arc<Calls>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        let calls = calls.clone();
        tokio::spawn(async move { serve(stream, &calls).await });
    }
}

/// Reads requests and answers each as Twilio answers a queued call.
async fn serve(mut stream: TcpStream, calls: &Calls) {
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    loop {
        while let Some(whole) = request_length(&bytes) {
            let answer = calls.take(&bytes[..whole]);
            bytes.drain(..whole);
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            return;
        }
    }
}

/// The length of the first request, if it is complete.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?.to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let whole = head + length.unwrap_or(0);
    (bytes.len() >= whole).then_some(whole)
}

impl Calls {
    fn take(&self, request: &[u8]) -> String {
        let now = SystemClock.now().as_microsecond();
        let text = std::str::from_utf8(request).unwrap_or_default();
        let number: Option<u64> = text.split(['&', '\n']).find_map(|part| {
            part.strip_prefix("To=whatsapp%3A%2B")?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        });
        let place = number.and_then(|number| number.checked_sub(consumer(self.first).digits()));
        let slot = place.and_then(|place| self.arrived_at.get(usize::try_from(place).ok()?));
        match slot.map(|slot| slot.swap(now, Ordering::AcqRel)) {
            Some(0) => {}
            _ => _ = self.unexpected.fetch_add(1, Ordering::AcqRel),
        }
        let number = self.arrived.fetch_add(1, Ordering::AcqRel) + 1;
        if number == self.arrived_at.len() {
            self.all.notify_one();
        }
        answer(self.first + number)
    }
}

fn answer(number: usize) -> String {
    let body = format!(
        r#"{{"sid":"CA{number:032x}","account_sid":"AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a","status":"queued","direction":"outbound-api","date_created":null,"date_updated":null,"start_time":null,"end_time":null,"duration":null,"price":null,"price_unit":"USD","queue_time":"0","parent_call_sid":null,"answered_by":null,"api_version":"2010-04-01","uri":"/2010-04-01/Accounts/AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a/Calls/CA{number:032x}.json"}}"#
    );
    let length = body.len();
    format!(
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}
