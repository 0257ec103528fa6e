//! Throughput of Twilio's status callbacks (verify, store, answer), and how soon they are folded.
//!
//! `cargo bench --bench hooks [-- fast|steady]`. Each call sends `initiated`, `ringing`, `in-progress` and
//! `completed`. Each report is signed, and on disk before it is answered. The scheduler folds them meanwhile.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/client.rs"]
mod client;
#[path = "kit/daemon.rs"]
mod daemon;
#[path = "kit/figures.rs"]
mod figures;
#[path = "kit/forms.rs"]
mod forms;
#[path = "kit/latency.rs"]
mod latency;
#[path = "kit/rows.rs"]
mod rows;
#[path = "kit/store.rs"]
mod store;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use client::{CONNECTIONS, Connection, Met, as_fast_as_answered, post};
use daemon::{BenchDaemon, Result, config, folder, load_runtime};
use figures::{ROUNDS, head, row, wanted};
use jiff::{SignedDuration, Timestamp};
use latency::percentile;
use ringmaster::clock::{Clock as _, SystemClock};
use ringmaster::config::Config;
use ringmaster::domain::{Answer, Attempt, AttemptId, Callback, Numbers, Outcome, Person, State, Submission};
use ringmaster::hook_urls::{HookUrls, Purpose};
use ringmaster::store::{Batch, Enqueue, Orders as _, Tokens as _, Turns as _};
use ringmaster::twilio::signature::{Key, Payload};
use secrecy::SecretString;

/// Calls of a round at full speed, with four callbacks each.
const CALLS: usize = 25_000;
/// Calls of a round at a steady rate.
const STEADY_CALLS: usize = 2_500;
const STEADY_RATE: f64 = 500.0;
const KEY: [u8; 32] = [7; 32];
/// The round fails if its reports are not folded by then.
const FOLDING_MAX: Duration = Duration::from_secs(120);

fn main() -> Result<()> {
    head();
    if wanted("fast") {
        let (mut rates, mut tails, mut folded) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let round = Round::prepare(CALLS)?;
            let began = Instant::now();
            let requests = round.requests(CONNECTIONS)?;
            let prepared = began.elapsed();
            let address = round.daemon.running.address;
            let mut met = load_runtime()?.block_on(as_fast_as_answered(address, requests, 204))?;
            round.wait_until_folded()?;
            let count = (CALLS * forms::STATUSES.len()) as f64;
            rates.push(count / met.took.as_secs_f64());
            tails.push(percentile(&mut met.latencies, 0.99));
            folded.push(count / (began.elapsed() - prepared).as_secs_f64());
            round.finish(CALLS)?;
        }
        row("status callbacks, 64 connections", "/s", "10,000", rates);
        row("… their latency, p99", "ms", "", tails);
        row("… stored and folded", "/s", "", folded);
    }
    if wanted("steady") {
        let (mut medians, mut tails) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let round = Round::prepare(STEADY_CALLS)?;
            let requests = round.requests(CONNECTIONS)?;
            let mut met =
                load_runtime()?.block_on(at_a_steady_rate(round.daemon.running.address, requests))?;
            round.wait_until_folded()?;
            medians.push(percentile(&mut met.latencies, 0.5));
            tails.push(percentile(&mut met.latencies, 0.99));
            round.finish(STEADY_CALLS)?;
        }
        row("status callbacks, 500 a second, latency p50", "ms", "", medians);
        row("status callbacks, 500 a second, latency p99", "ms", "20", tails);
    }
    Ok(())
}

/// A daemon with calls in progress.
struct Round {
    daemon: BenchDaemon,
    config: Config,
    calls: usize,
    now: Timestamp,
    _dir: tempfile::TempDir,
}

impl Round {
    fn prepare(calls: usize) -> Result<Self> {
        let dir = folder()?;
        let path = dir.path().join("bench.db");
        let mut config = config(&path, ([127, 0, 0, 1], 9).into())?;
        config.limits.concurrent_calls_per_sender_max = Some(1_000_000);
        let now = SystemClock.now();
        load_runtime()?.block_on(fill(&path, calls, now))?;
        let daemon = BenchDaemon::start(&config)?;
        Ok(Self { daemon, config, calls, now, _dir: dir })
    }

    /// The requests of each connection: its calls one after the other, each with its callbacks in order.
    fn requests(&self, connections: usize) -> Result<Vec<Vec<Vec<u8>>>> {
        let account = self.config.accounts.values().next().ok_or("the fixture has an account")?;
        let token = account.auth_tokens().next().ok_or("the account has a token")?;
        let key = Key::auth_token(&SecretString::from(token.expose()));
        let hook_urls = HookUrls::new(self.config.http.public_url.as_str(), &KEY);
        let base = hook_urls.base().len();
        let call = |n: usize| {
            let url = hook_urls.attempt(AttemptId::new(rows::id(n)), Purpose::Status);
            let key = &key;
            (0..forms::STATUSES.len()).map(move |sequence| {
                let pairs = forms::status(n, sequence, self.now);
                let borrowed: Vec<_> =
                    pairs.iter().map(|(name, value)| (Cow::from(name), Cow::from(value))).collect();
                let headers = format!(
                    "content-type: application/x-www-form-urlencoded\r\nx-twilio-signature: {}\r\ni-twilio-idempotency-token: {n}-{sequence}\r\n",
                    key.sign(&url, Payload::Form(&borrowed))
                );
                post(&url[base..], &headers, &forms::encode(&pairs))
            })
        };
        Ok((0..connections)
            .map(|first| (first..self.calls).step_by(connections).flat_map(call).collect())
            .collect())
    }

    fn wait_until_folded(&self) -> Result<()> {
        let store = self.daemon.running.store.clone();
        load_runtime()?.block_on(async {
            let began = Instant::now();
            while !store.unfolded_reports(1).await?.is_empty() {
                if began.elapsed() > FOLDING_MAX {
                    return Err("the reports are not folded".into());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        })
    }

    fn finish(self, calls: usize) -> Result<()> {
        let store = self.daemon.running.store.clone();
        let census = load_runtime()?.block_on(async { store.census().await })?;
        drop(store);
        let reached = Outcome::ALL.iter().position(|&outcome| outcome == Outcome::Reached);
        assert_eq!(reached.map(|at| census.closed[at]), Some(calls as u64), "every consumer was reached");
        self.daemon.stop()
    }
}

/// Accepted calls without a report yet.
async fn fill(path: &Path, calls: usize, now: Timestamp) -> Result<()> {
    let store = store::open(path)?;
    store.address_key(KEY).await?;
    let numbers: Vec<usize> = (0..calls).collect();
    for numbers in numbers.chunks(1000) {
        let orders = numbers.iter().map(|&n| Enqueue {
            callback: rows::callback(n, now, now),
            idempotency: None,
            ceiling: None,
            of_one_group: Vec::new(),
        });
        store.enqueue_callbacks(orders.collect()).await?;
        let mut batch = Batch::default();
        for &n in numbers {
            let attempt = attempt(n, now);
            let pair = rows::permitted_pair(n);
            batch.callbacks.push(Callback {
                version: 2,
                state: State::Calling { attempt: attempt.id },
                attempts_opened: 1,
                ..rows::callback(n, now, now)
            });
            let live = [attempt.id].into();
            batch.persons.push(Person { version: 1, live, ..Person::unknown(pair.key.person) });
            batch.pairs.push(pair);
            batch.attempts.push(attempt);
        }
        store.record(batch).await?;
    }
    Ok(())
}

fn attempt(n: usize, now: Timestamp) -> Attempt {
    let mut submission = Submission::intent(now);
    submission.submit(now);
    submission.answer(now, &Answer::Accepted { sid: forms::call_sid(n) });
    let numbers = Numbers { sender: rows::sender(), consumer: rows::consumer(n) };
    let callback = rows::callback(n, now, now).id;
    Attempt {
        submission,
        // Longer than a round, because there is no Twilio to send lookups to.
        news_due_at: Some(now + SignedDuration::from_hours(1)),
        ..Attempt::new(
            AttemptId::new(rows::id(n)),
            callback,
            numbers,
            "main",
            ringmaster::domain::LegOrder::ConsumerFirst,
            now,
        )
    }
}

/// Sends requests at a fixed rate. A latency counts from the planned time of the request, so it includes
/// waiting for a busy connection and the millisecond of the timer.
async fn at_a_steady_rate(address: SocketAddr, requests: Vec<Vec<Vec<u8>>>) -> std::io::Result<Met> {
    let connections = requests.len();
    let began = Instant::now() + Duration::from_millis(50);
    let tasks: Vec<_> = requests
        .into_iter()
        .enumerate()
        .map(|(index, requests)| {
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut latencies = Vec::with_capacity(requests.len());
                for (round, request) in requests.into_iter().enumerate() {
                    let place = (round * connections + index) as f64;
                    let due = began + Duration::from_secs_f64(place / STEADY_RATE);
                    tokio::time::sleep_until(due.into()).await;
                    connection.exchange(&request, 204).await?;
                    latencies.push(due.elapsed());
                }
                std::io::Result::Ok(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(Met { took: began.elapsed(), latencies })
}
