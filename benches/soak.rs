//! A daemon and the sandbox as two processes on loopback, 200 calls a second, and beside them everything that
//! an attacker without much effort does: idle and slow sockets at both listeners, large wrong bodies, bad
//! signatures.
//!
//! `cargo bench --bench soak [-- --minutes 10]`. The table tells how long signed hooks waited for their answer
//! (a new connection for each, counted from its first packet), what the daemon needed of memory, and what was
//! lost, which must be nothing.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/latency.rs"]
mod latency;
#[path = "kit/soak_processes.rs"]
mod processes;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use latency::percentile;
use processes::{Processes, Result};
use ringmaster::twilio::signature::{Key, Payload};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, sleep, timeout};

/// At each of the two listeners.
const IDLE: usize = 1_000;
/// Half of them at each listener.
const SLOW: usize = 100;
const LARGE_BODIES_PER_SECOND: u64 = 20;
const BAD_SIGNATURES_PER_SECOND: u64 = 50;
const PROBES_PER_SECOND: u64 = 20;
const CALLS_PER_SECOND: usize = 200;
/// Orders are given in groups, one in each of these.
const ORDER_EVERY: Duration = Duration::from_secs(5);
/// After the load, what was ordered has this long to end.
const REST: Duration = Duration::from_secs(120);
/// A hook that is not answered by then is lost: Twilio waits 15 s.
const PROBE_TIMEOUT: Duration = Duration::from_secs(15);

/// What the load met.
#[derive(Default)]
struct Met {
    /// Connect, request and answer of each signed hook.
    probes: Mutex<Vec<Duration>>,
    probes_lost: AtomicU64,
    ordered: AtomicUsize,
    orders_refused: AtomicUsize,
    /// Answers to large bodies and to bad signatures, by status; 0 for none.
    answers: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

fn main() -> Result<()> {
    let minutes = minutes()?;
    let processes = Processes::start(CALLS_PER_SECOND)?;
    let met = Arc::new(Met::default());
    let before = processes.memory_mib()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (peak, took) = runtime.block_on(load(&processes, &met, Duration::from_secs_f64(minutes * 60.0)))?;
    let ended = runtime.block_on(rest(&processes, &met))?;
    println!("{:.1} minutes of load, {took:.0?} until everything had ended", minutes);
    println!("| what | value |\n|---|---:|");
    let mut probes = std::mem::take(&mut *met.probes.lock().map_err(|_| "a task panicked")?);
    println!("| signed hooks, each on a new connection | {} |", probes.len());
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("longest", 1.0)] {
        println!("| … answered within, {name} | {:.1} ms |", percentile(&mut probes, share));
    }
    println!("| … without an answer | {} |", met.probes_lost.load(Ordering::Relaxed));
    println!("| memory (RSS) before, at its peak | {before:.0} MiB, {peak:.0} MiB |");
    println!("| callbacks ordered | {} |", met.ordered.load(Ordering::Relaxed));
    println!("| … reached | {} |", ended.reached);
    println!("| … lost (neither reached nor open with a reason) | {} |", ended.lost);
    println!("| bulk orders that had to be sent again | {} |", met.orders_refused.load(Ordering::Relaxed));
    println!("| webhooks of the sandbox taken, refused, lost | {} |", ended.webhooks);
    println!("| rules of the platform broken | {} |", ended.violations);
    for ((what, status), count) in &*met.answers.lock().map_err(|_| "a task panicked")? {
        println!("| {what} answered {status} | {count} |");
    }
    let is_well = met.probes_lost.load(Ordering::Relaxed) == 0 && ended.lost == 0 && ended.violations == 0;
    if is_well { Ok(()) } else { Err("something was lost".into()) }
}

fn minutes() -> Result<f64> {
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--minutes" {
            let text = arguments.next().ok_or("--minutes needs a number")?;
            return Ok(text.parse()?);
        }
    }
    Ok(10.0)
}

/// Everything at once for so long; returns the highest memory, in MiB, and how long it went on.
async fn load(processes: &Processes, met: &Arc<Met>, length: Duration) -> Result<(f64, Duration)> {
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for address in [processes.api, processes.hooks] {
        for _ in 0..IDLE {
            tasks.spawn(idle(address));
        }
    }
    for _ in 0..SLOW / 2 {
        tasks.spawn(slow_reader(processes.api));
        tasks.spawn(slow_writer(processes.hooks));
    }
    let bodies = large_bodies(&processes.token);
    let mut large = interval(Duration::from_millis(1000 / LARGE_BODIES_PER_SECOND));
    let mut bad = interval(Duration::from_millis(1000 / BAD_SIGNATURES_PER_SECOND));
    let mut probe = interval(Duration::from_millis(1000 / PROBES_PER_SECOND));
    let mut order = interval(ORDER_EVERY);
    let mut watch = interval(Duration::from_secs(1));
    let (mut peak, mut count) = (0.0_f64, 0_usize);
    while began.elapsed() < length {
        tokio::select! {
            _ = large.tick() => {
                count += 1;
                let (body, met) = (Arc::clone(&bodies[count % bodies.len()]), Arc::clone(met));
                let address = processes.api;
                tasks.spawn(async move { met.note("large bodies", status(address, &body).await) });
            }
            _ = bad.tick() => {
                count += 1;
                let (hook, met) = (signed_hook("wrong", count), Arc::clone(met));
                let address = processes.hooks;
                tasks.spawn(async move { met.note("bad signatures", status(address, &hook).await) });
            }
            _ = probe.tick() => {
                count += 1;
                let (hook, met) = (signed_hook(&processes.auth_token, count), Arc::clone(met));
                let address = processes.hooks;
                tasks.spawn(async move { met.probe(address, &hook).await });
            }
            _ = order.tick() => {
                let (met, api, token) = (Arc::clone(met), processes.api, processes.token.clone());
                let rows = CALLS_PER_SECOND * usize::try_from(ORDER_EVERY.as_secs()).unwrap_or(1);
                tasks.spawn(async move { met.order(api, &token, rows).await });
            }
            _ = watch.tick() => peak = peak.max(processes.memory_mib()?),
        }
    }
    tasks.shutdown().await;
    Ok((peak, began.elapsed()))
}

impl Met {
    fn note(&self, what: &'static str, status: io::Result<u16>) {
        if let Ok(mut answers) = self.answers.lock() {
            *answers.entry((what, status.unwrap_or_default())).or_default() += 1;
        }
    }

    async fn probe(&self, address: SocketAddr, hook: &[u8]) {
        let began = Instant::now();
        match timeout(PROBE_TIMEOUT, status(address, hook)).await {
            Ok(Ok(200)) => {
                if let Ok(mut probes) = self.probes.lock() {
                    probes.push(began.elapsed());
                }
            }
            _ => _ = self.probes_lost.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// As a customer does: with a key, and again after a 503.
    async fn order(&self, address: SocketAddr, token: &str, rows: usize) {
        let first = self.ordered.fetch_add(rows, Ordering::Relaxed);
        let lines: Vec<_> = (first..first + rows).map(order_of).collect();
        let headers = format!(
            "authorization: Bearer {token}\r\ncontent-type: application/x-ndjson\r\nidempotency-key: soak-{first}\r\n"
        );
        let request = post("/v1/callbacks/bulk", &headers, lines.join("\n").as_bytes());
        while !matches!(status(address, &request).await, Ok(200)) {
            self.orders_refused.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Consumers who allow calls and talk; each is called once.
fn order_of(number: usize) -> String {
    format!(
        r#"{{"consumer":"+44770{number:06}01","document":"message","variables":{{"message":"Hello."}},"attempts_max":1}}"#
    )
}

/// A message to a sender of ours, signed with this token, from somebody who is never called.
fn signed_hook(auth_token: &str, number: usize) -> Vec<u8> {
    let form = [
        ("AccountSid", "AC00000000000000000000000000000001".to_owned()),
        ("MessageSid", format!("SM{number:032}")),
        ("From", "whatsapp:+447911123402".to_owned()),
        ("To", "whatsapp:+442079460000".to_owned()),
        ("Body", "hello".to_owned()),
    ];
    let pairs: Vec<_> = form.iter().map(|(name, value)| ((*name).into(), value.as_str().into())).collect();
    let key = Key::auth_token(&SecretString::from(auth_token));
    let signature = key.sign(&format!("{}/hooks/messages", processes::PUBLIC_URL), Payload::Form(&pairs));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
    let headers = format!(
        "x-twilio-signature: {signature}\r\ncontent-type: application/x-www-form-urlencoded\r\nconnection: close\r\n"
    );
    post("/hooks/messages", &headers, body.as_bytes())
}

/// 1 MB each: rows without fields, one row of many names, one row of one name many times, an order.
fn large_bodies(token: &str) -> Vec<Arc<Vec<u8>>> {
    let names: String = (0..90_000).map(|n| format!("\"n{n:05}\":1,")).collect();
    let rows_of_names = format!("{{{}\"x\":1}}\n", "\"unknown-field\":1,".repeat(50)).repeat(1_100);
    let bodies = [
        ("/v1/callbacks/bulk", "{}\n".repeat(90_000)),
        ("/v1/callbacks/bulk", rows_of_names),
        ("/v1/callbacks/bulk", format!("{{{names}\"x\":1}}")),
        ("/v1/callbacks/bulk", format!("{{{}\"x\":1}}", "\"same\":1,".repeat(110_000))),
        ("/v1/callbacks", format!("{{{names}\"x\":1}}")),
    ];
    let headers = format!(
        "authorization: Bearer {token}\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n"
    );
    bodies
        .map(|(path, body)| {
            let headers = match path {
                "/v1/callbacks" => headers.replace("x-ndjson", "json"),
                _ => headers.clone(),
            };
            Arc::new(post(path, &headers, body.as_bytes()))
        })
        .to_vec()
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Sends a request over a connection of its own and takes the whole answer.
async fn status(address: SocketAddr, request: &[u8]) -> io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    // A refusal may come before the whole body is sent.
    let sent = write.write_all(request);
    let taken = async {
        let mut piece = vec![0; 64 << 10];
        loop {
            match read.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    answer.extend_from_slice(&piece[..count.min(1 << 10)]);
                    answer.truncate(1 << 10);
                    if !String::from_utf8_lossy(&answer).contains("connection: close") && count < piece.len()
                    {
                        break;
                    }
                }
            }
        }
    };
    let (_, ()) = tokio::join!(sent, taken);
    let text = String::from_utf8_lossy(&answer);
    let digits = text.get(9..12).and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Connects, says nothing, and connects again when it is closed.
async fn idle(address: SocketAddr) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(address).await {
            let _ = stream.read(&mut [0]).await;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Asks for the largest page again and again, and takes little of it.
async fn slow_reader(address: SocketAddr) {
    let many = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50);
    loop {
        let slow = async {
            let socket = TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(4096)?;
            let mut stream = socket.connect(address).await?;
            stream.write_all(many.as_bytes()).await?;
            while stream.read(&mut [0; 16]).await? > 0 {
                sleep(Duration::from_secs(1)).await;
            }
            io::Result::Ok(())
        };
        let _ = slow.await;
        sleep(Duration::from_millis(200)).await;
    }
}

/// Sends a signed-looking request whose body comes byte by byte.
async fn slow_writer(address: SocketAddr) {
    loop {
        let slow = async {
            let mut stream = TcpStream::connect(address).await?;
            let head = "POST /hooks/messages HTTP/1.1\r\nhost: x\r\nx-twilio-signature: x\r\ncontent-type: \
                        application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(b"a").await?;
                sleep(Duration::from_secs(1)).await;
            }
            #[expect(unreachable_code, reason = "it names the type of the errors")]
            io::Result::Ok(())
        };
        let _: io::Result<()> = slow.await;
        sleep(Duration::from_millis(200)).await;
    }
}

/// How it all ended.
struct Ended {
    reached: u64,
    lost: u64,
    webhooks: String,
    violations: u64,
}

/// Waits until nothing is open, and counts.
async fn rest(processes: &Processes, met: &Met) -> Result<Ended> {
    let ordered = met.ordered.load(Ordering::Relaxed) as u64;
    let began = Instant::now();
    loop {
        let status = processes.daemon("/v1/status").await?;
        let open = status["callbacks"]["waiting"].as_u64().unwrap_or(0)
            + status["callbacks"]["calling"].as_u64().unwrap_or(0);
        if open == 0 || began.elapsed() > REST {
            let report = processes.report().await?;
            let counts = &report["counts"];
            let reached = status["callbacks"]["closed"]["reached"].as_u64().unwrap_or(0);
            let of = |name: &str| counts[name].as_u64().unwrap_or(0);
            return Ok(Ended {
                reached,
                lost: ordered.saturating_sub(reached + open),
                webhooks: format!(
                    "{}, {}, {}",
                    of("webhooks_taken"),
                    of("webhooks_refused"),
                    of("webhooks_lost")
                ),
                violations: report["violations_total"].as_u64().unwrap_or(u64::MAX),
            });
        }
        sleep(Duration::from_millis(500)).await;
    }
}
