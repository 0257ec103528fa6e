//! A daemon and the sandbox as two processes on loopback with 200 calls a second, and a cheap attack at the same time:
//! idle and slow sockets at both listeners, large wrong bodies, bad signatures.
//!
//! `cargo bench --profile quick --bench soak [-- --minutes 10]`. The table shows the latency of signed hooks (each on a
//! new connection, from its first packet), the memory of the daemon, lost callbacks, and violations of the platform's
//! rules. A lost callback or a violation is an error.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/latency.rs"]
mod latency;
#[path = "kit/soak_processes.rs"]
mod processes;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use latency::percentile;
use processes::{Processes, Result};
use ringmaster::twilio::signature::{Key, Payload};
use secrecy::SecretString;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, sleep, timeout};

/// Idle sockets at each of the two listeners.
const IDLE: usize = 1_000;
/// Slow sockets, half of them at each listener.
const SLOW: usize = 100;
const LARGE_BODIES_PER_SECOND: u64 = 20;
const BAD_SIGNATURES_PER_SECOND: u64 = 50;
const PROBES_PER_SECOND: u64 = 20;
const CALLS_PER_SECOND: usize = 200;
/// A WhatsApp sender starts at most 10,000 calls in 24 hours (Meta, *Troubleshoot WhatsApp calling errors*, code
/// 138005, 24 Jun 2026), so a soak needs a sender for each 10,000 orders, and some room for repeated calls.
const CALLS_PER_SENDER: f64 = 9_500.0;
/// Parts of the load. The progress is recorded after each.
const PARTS: u32 = 5;
/// The interval between two bulk orders.
const ORDER_EVERY: Duration = Duration::from_secs(5);
/// Time that open callbacks have to end after the load.
const REST: Duration = Duration::from_secs(120);
/// A hook without an answer after this time is lost: Twilio waits 15 s.
const PROBE_TIMEOUT: Duration = Duration::from_secs(15);

/// The results of the load.
#[derive(Default)]
struct Met {
    /// Connect, request and answer of each signed hook.
    probes: Mutex<Vec<Duration>>,
    probes_lost: AtomicU64,
    ordered: AtomicUsize,
    orders_repeated: AtomicUsize,
    orders_refused: AtomicUsize,
    /// Answers to large bodies and to bad signatures, by status; 0 for none.
    answers: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

fn main() -> Result<()> {
    // The client of this process needs a crypto provider. An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let length = Duration::from_secs_f64(minutes()? * 60.0);
    let processes = Processes::start(CALLS_PER_SECOND, senders(length))?;
    let met = Arc::new(Met::default());
    let mut course = Course::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now();
    runtime.block_on(load(&processes, &met, length, &mut course))?;
    let ended = runtime.block_on(rest(&processes, &met))?;
    runtime.block_on(course.note(&processes, &met))?;
    println!("{:.0?} of load, {:.0?} until everything had ended\n", length, began.elapsed());
    println!("| what | value |\n|---|---:|");
    let mut probes = met.probes.lock().map_err(|_| "a task panicked")?.clone();
    println!("| signed hooks, each on a new connection | {} |", probes.len());
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("longest", 1.0)] {
        println!("| … answered within, {name} | {:.1} ms |", percentile(&mut probes.clone(), share));
    }
    println!("| … without an answer | {} |", met.probes_lost.load(Ordering::Relaxed));
    println!("| memory (RSS) at its peak | {:.0} MiB |", course.peak);
    print_ended(&met, &ended)?;
    course.print(length, &mut probes);
    for details in &ended.details {
        println!("broken: {details}");
    }
    let is_refused = met.orders_refused.load(Ordering::Relaxed) > 0;
    let is_lost = met.probes_lost.load(Ordering::Relaxed) > 0 || ended.lost > 0;
    let is_well = !is_refused && !is_lost && ended.violations == 0;
    if is_well { Ok(()) } else { Err("a callback was lost, or a rule was broken".into()) }
}

fn print_ended(met: &Met, ended: &Ended) -> Result<()> {
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    println!("| callbacks ordered | {} |", of(&met.ordered));
    println!("| … reached | {} |", ended.reached);
    println!("| … still open {REST:.0?} after the load | {} |", ended.open);
    for ((status, code), Open { count, next_look_at }) in &ended.reasons {
        let next = next_look_at.as_ref().map_or_else(String::new, |at| format!(", looked at next at {at}"));
        println!("| … of these {status}, {code}{next} | {count} |");
    }
    println!("| … lost (neither reached nor open) | {} |", ended.lost);
    println!(
        "| bulk orders sent again after a 503, refused for good | {}, {} |",
        of(&met.orders_repeated),
        of(&met.orders_refused)
    );
    println!("| webhooks of the sandbox taken, refused, lost | {} |", ended.webhooks);
    println!("| errors of the platform, by code | {} |", ended.errors);
    println!("| rules of the platform broken | {} |", ended.violations);
    for ((what, status), count) in &*met.answers.lock().map_err(|_| "a task panicked")? {
        println!("| {what} answered {status} | {count} |");
    }
    Ok(())
}

/// The progress: at the start, after each part of the load, and at the end.
#[derive(Default)]
struct Course {
    moments: Vec<Moment>,
    /// The highest resident memory in MiB.
    peak: f64,
}

struct Moment {
    mib: f64,
    reached: u64,
    /// The hooks answered so far.
    probes: usize,
}

impl Course {
    async fn note(&mut self, processes: &Processes, met: &Met) -> Result<()> {
        let status = processes.daemon("/v1/status").await?;
        let reached = status["callbacks"]["closed"]["reached"].as_u64().unwrap_or(0);
        let probes = met.probes.lock().map_err(|_| "a task panicked")?.len();
        let mib = processes.memory_mib()?;
        self.peak = self.peak.max(mib);
        self.moments.push(Moment { mib, reached, probes });
        Ok(())
    }

    fn print(&self, length: Duration, probes: &mut [Duration]) {
        println!(
            "\n| when | memory (RSS) | reached so far | signed hooks since, p99 |\n|---|---:|---:|---:|"
        );
        let mut before = 0;
        for (part, Moment { mib, reached, probes: until }) in self.moments.iter().enumerate() {
            let when = match part {
                0 => "before the load".to_owned(),
                part if part + 1 == self.moments.len() => "when everything had ended".to_owned(),
                part => format!("after {:.0?} of load", length * part as u32 / PARTS),
            };
            let since = &mut probes[before..*until];
            let p99 = match since.is_empty() {
                true => String::new(),
                false => format!("{:.1} ms", percentile(since, 0.99)),
            };
            println!("| {when} | {mib:.0} MiB | {reached} | {p99} |");
            before = *until;
        }
    }
}

fn senders(length: Duration) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number above zero")]
    let count = (length.as_secs_f64() * CALLS_PER_SECOND as f64 / CALLS_PER_SENDER).ceil() as usize;
    count.max(1)
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

/// Runs all parts of the load at the same time, for `length`.
async fn load(processes: &Processes, met: &Arc<Met>, length: Duration, course: &mut Course) -> Result<()> {
    course.note(processes, met).await?;
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    // Await these tasks: it is unknown whether an interrupted order was accepted.
    let mut orders = tokio::task::JoinSet::new();
    let senders = senders(length);
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
    let (mut count, mut ordered) = (0_usize, 0_usize);
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
                let rows = ordered..ordered + rows;
                ordered = rows.end;
                orders.spawn(async move { met.order(api, &token, rows, senders).await });
            }
            _ = watch.tick() => {
                course.peak = course.peak.max(processes.memory_mib()?);
                if began.elapsed() * PARTS >= length * course.moments.len() as u32 {
                    course.note(processes, met).await?;
                }
            }
        }
        // Otherwise ended tasks would be kept until the end.
        while tasks.try_join_next().is_some() {}
    }
    while orders.join_next().await.is_some() {}
    tasks.shutdown().await;
    course.note(processes, met).await
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

    /// Sends a bulk order with an idempotency key, and repeats it after a 503.
    async fn order(&self, address: SocketAddr, token: &str, rows: Range<usize>, senders: usize) {
        let lines: Vec<_> = rows.clone().map(|number| order_of(number, senders)).collect();
        let headers = format!(
            "authorization: Bearer {token}\r\ncontent-type: application/x-ndjson\r\nidempotency-key: soak-{}\r\n",
            rows.start
        );
        let request = post("/v1/callbacks/bulk", &headers, lines.join("\n").as_bytes());
        loop {
            match status(address, &request).await {
                Ok(200) => {
                    self.ordered.fetch_add(rows.len(), Ordering::Relaxed);
                    break;
                }
                Ok(400..=499) => {
                    self.orders_refused.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                _ => _ = self.orders_repeated.fetch_add(1, Ordering::Relaxed),
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Consumers who allow calls and talk; each is called once, by the senders in turn.
fn order_of(number: usize, senders: usize) -> String {
    let sender = processes::sender(number % senders);
    format!(
        r#"{{"consumer":"+55119{number:06}01","sender":"{sender}","document":"message","variables":{{"message":"Hello."}},"attempts_max":1}}"#
    )
}

/// A message to a sender, signed with this token, from a consumer who is never called.
fn signed_hook(auth_token: &str, number: usize) -> Vec<u8> {
    let form = [
        ("AccountSid", "AC00000000000000000000000000000001".to_owned()),
        ("MessageSid", format!("SM{number:032}")),
        ("From", "whatsapp:+447911123402".to_owned()),
        ("To", format!("whatsapp:{}", processes::sender(0))),
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

/// Wrong bodies of 1 MB each: rows without fields, a row of many names, a row that repeats one name, an order.
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

/// Sends a request over a new connection and reads the whole answer.
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

/// Connects, sends nothing, and connects again when it is closed.
async fn idle(address: SocketAddr) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(address).await {
            let _ = stream.read(&mut [0]).await;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Requests the largest page repeatedly, and reads little of it.
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

/// Sends a request with a signature header whose body arrives byte by byte.
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

/// The final counts.
struct Ended {
    reached: u64,
    open: u64,
    /// Of the open ones, by status and the code of the reason.
    reasons: BTreeMap<(&'static str, String), Open>,
    lost: u64,
    webhooks: String,
    errors: String,
    violations: u64,
    /// The first violations: the rule and the event.
    details: Vec<String>,
}

/// Open callbacks that wait for the same.
#[derive(Default)]
struct Open {
    count: u64,
    /// The earliest of them; an attempt in progress has none.
    next_look_at: Option<String>,
}

/// Why the newest 500 that wait, and that call, are open.
async fn reasons(processes: &Processes) -> Result<BTreeMap<(&'static str, String), Open>> {
    let mut reasons: BTreeMap<_, Open> = BTreeMap::new();
    for status in ["waiting", "calling"] {
        let page = processes.daemon(&format!("/v1/callbacks?status={status}&limit=500")).await?;
        for callback in page["callbacks"].as_array().into_iter().flatten() {
            let code = callback["reason"]["code"].as_str().unwrap_or("unknown").to_owned();
            let known = reasons.entry((status, code)).or_default();
            known.count += 1;
            // Texts of one form, so the smallest is the earliest.
            let next = callback["next_look_at"].as_str().map(str::to_owned);
            known.next_look_at = known.next_look_at.take().into_iter().chain(next).min();
        }
    }
    Ok(reasons)
}

/// Waits until nothing is open, and counts.
async fn rest(processes: &Processes, met: &Met) -> Result<Ended> {
    let ordered = met.ordered.load(Ordering::Relaxed) as u64;
    let began = Instant::now();
    loop {
        let status = processes.daemon("/v1/status").await?;
        let count = |what: &Value| what.as_u64().unwrap_or(0);
        let open = count(&status["callbacks"]["waiting"]) + count(&status["callbacks"]["calling"]);
        if open > 0 && began.elapsed() < REST {
            sleep(Duration::from_millis(500)).await;
            continue;
        }
        let report = processes.report().await?;
        let counts = &report["counts"];
        let reached = count(&status["callbacks"]["closed"]["reached"]);
        let webhooks = ["webhooks_taken", "webhooks_refused", "webhooks_lost"];
        let details = report["violations"].as_array().into_iter().flatten().take(10);
        return Ok(Ended {
            reached,
            open,
            reasons: reasons(processes).await?,
            lost: ordered.saturating_sub(reached + open),
            webhooks: webhooks.map(|name| count(&counts[name]).to_string()).join(", "),
            errors: counts["errors"].to_string(),
            violations: report["violations_total"]
                .as_u64()
                .ok_or("the report has no number of violations")?,
            details: details.map(Value::to_string).collect(),
        });
    }
}
