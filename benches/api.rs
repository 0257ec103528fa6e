//! Throughput of orders: durable callbacks over HTTP, one per request and many per request.
//!
//! `cargo bench --bench api [-- single|bulk|import]`. A daemon in this process on loopback, with a new file for each
//! round. Answered orders are on disk.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/client.rs"]
mod client;
#[path = "kit/daemon.rs"]
mod daemon;
#[path = "kit/figures.rs"]
mod figures;
#[path = "kit/latency.rs"]
mod latency;

use std::time::Instant;

use client::{CONNECTIONS, Connection, as_fast_as_answered, post};
use daemon::{BenchDaemon, Result, config, folder, load_runtime};
use figures::{ROUNDS, head, row, wanted};
use jiff::{SignedDuration, Timestamp};
use latency::percentile;
use ringmaster::clock::{Clock as _, SystemClock};
use ringmaster::http::auth::new_token;
use ringmaster::store::Token;

const SINGLES: usize = 100_000;
const ROWS: usize = 100_000;

fn main() -> Result<()> {
    head();
    if wanted("single") {
        let (mut rates, mut medians, mut tails) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut met = singles()?;
            rates.push(SINGLES as f64 / met.took.as_secs_f64());
            medians.push(percentile(&mut met.latencies, 0.5));
            tails.push(percentile(&mut met.latencies, 0.99));
        }
        row("POST /v1/callbacks, 64 connections", "callbacks/s", "10,000", rates);
        row("… its latency, p50", "ms", "", medians);
        row("… its latency, p99", "ms", "", tails);
    }
    if wanted("bulk") {
        let rates = (0..ROUNDS).map(|_| bulk()).collect::<Result<_>>()?;
        row("POST /v1/callbacks/bulk, 100,000 rows of NDJSON in one request", "rows/s", "30,000", rates);
    }
    if wanted("import") {
        for (what, goal, number) in [
            (
                "an import in parts of 4 MiB, 100,000 rows of CSV in E.164",
                "50,000",
                e164 as fn(usize) -> String,
            ),
            ("… in national spellings", "15,000", national),
        ] {
            let rates = (0..ROUNDS).map(|_| import(number)).collect::<Result<_>>()?;
            row(what, "rows/s", goal, rates);
        }
    }
    Ok(())
}

fn e164(n: usize) -> String {
    format!("+55119{n:08}")
}

fn national(n: usize) -> String {
    format!("(11) 9{:04}-{:04}", n / 10_000, n % 10_000)
}

/// An import of a list of these numbers, from its beginning to its completion.
fn import(number: fn(usize) -> String) -> Result<f64> {
    const PART: usize = 4 << 20;
    let dir = folder()?;
    let daemon = BenchDaemon::start(&config(&dir.path().join("bench.db"), ([127, 0, 0, 1], 9).into())?)?;
    let now = SystemClock.now();
    let mut list = "phone;reference\n".to_owned();
    for n in 0..ROWS {
        list.push_str(&format!("{};order-{n}\n", number(n)));
    }
    let earliest = now + SignedDuration::from_hours(24 * 30);
    let latest = earliest + SignedDuration::from_hours(72);
    let begin = format!(
        r#"{{"name":"leads","default_country":"BR","defaults":{{"sender":"+551140000001","document":"dial-client","agent":"client:alice","earliest":"{earliest}","latest":"{latest}","hours":"mon-fri 09:00-18:00 @America/Sao_Paulo"}}}}"#
    );
    let took = load_runtime()?.block_on(async {
        keep_token(&daemon, now).await?;
        let mut connection = Connection::open(daemon.running.address).await?;
        let began = Instant::now();
        connection.exchange(&order_request("/v1/imports", "application/json", &begin), 201).await?;
        for (index, part) in list.as_bytes().chunks(PART).enumerate() {
            let path = format!("/v1/imports/leads/parts?offset={}", index * PART);
            let part = std::str::from_utf8(part)?;
            let mut request = order_request(&path, "application/octet-stream", part);
            request.splice(..4, *b"PUT");
            connection.exchange(&request, 200).await?;
        }
        let complete = order_request("/v1/imports/leads/complete", "application/json", "");
        connection.exchange(&complete, 200).await?;
        Result::Ok(began.elapsed())
    })?;
    let kept = load_runtime()?.block_on(async { daemon.running.store.census().await })?.waiting;
    assert_eq!(kept, ROWS as u64, "every row is stored");
    daemon.stop()?;
    Ok(ROWS as f64 / took.as_secs_f64())
}

fn singles() -> Result<client::Met> {
    let dir = folder()?;
    let daemon = BenchDaemon::start(&config(&dir.path().join("bench.db"), ([127, 0, 0, 1], 9).into())?)?;
    let now = SystemClock.now();
    let requests: Vec<Vec<_>> = (0..CONNECTIONS)
        .map(|first| {
            let mine = (first..SINGLES).step_by(CONNECTIONS);
            mine.map(|n| order_request("/v1/callbacks", "application/json", &order(n, now))).collect()
        })
        .collect();
    let met = load_runtime()?.block_on(async {
        keep_token(&daemon, now).await?;
        Result::Ok(as_fast_as_answered(daemon.running.address, requests, 202).await?)
    })?;
    daemon.stop()?;
    Ok(met)
}

fn bulk() -> Result<f64> {
    let dir = folder()?;
    let daemon = BenchDaemon::start(&config(&dir.path().join("bench.db"), ([127, 0, 0, 1], 9).into())?)?;
    let now = SystemClock.now();
    let mut body = String::new();
    for n in 0..ROWS {
        body.push_str(&order(n, now));
        body.push('\n');
    }
    let request = order_request("/v1/callbacks/bulk", "application/x-ndjson", &body);
    let took = load_runtime()?.block_on(async {
        keep_token(&daemon, now).await?;
        let mut connection = Connection::open(daemon.running.address).await?;
        let began = Instant::now();
        connection.exchange(&request, 200).await?;
        Result::Ok(began.elapsed())
    })?;
    let kept = load_runtime()?.block_on(async { daemon.running.store.census().await })?.waiting;
    assert_eq!(kept, ROWS as u64, "every row is stored");
    daemon.stop()?;
    Ok(ROWS as f64 / took.as_secs_f64())
}

async fn keep_token(daemon: &BenchDaemon, now: Timestamp) -> Result<()> {
    let (_, hash) = token();
    Ok(daemon.running.store.create_token(Token::new("bench", hash, now)).await?)
}

/// A token that is valid only in this process.
fn token() -> (String, [u8; 32]) {
    new_token([7; 32])
}

fn order_request(path: &str, media: &str, body: &str) -> Vec<u8> {
    let token = token().0;
    post(path, &format!("authorization: Bearer {token}\r\ncontent-type: {media}\r\n"), body)
}

/// An order like those of a customer relationship system.
fn order(n: usize, now: Timestamp) -> String {
    let earliest = now + SignedDuration::from_hours(24 * 30);
    let latest = earliest + SignedDuration::from_hours(72);
    format!(
        r#"{{"consumer":"+55119{n:08}","sender":"+551140000001","document":"dial-client","agent":"client:alice","earliest":"{earliest}","latest":"{latest}","hours":"mon-fri 09:00-18:00 @America/Sao_Paulo","campaign":"renewals","reference":"order-{n}"}}"#
    )
}
