//! Customers of the kill loop: they repeat orders that got no answer, and receive the daemon's webhooks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ringmaster::clock::{Clock as _, SystemClock};
use serde_json::json;

use crate::loopback;
use crate::setting::{SENDERS, Setting};

/// Last two digits of consumer numbers, which choose a habit: most talk; some miss, decline, are busy, ignore
/// requests, refuse them, or call when invited.
const HABITS: [u32; 16] = [1, 1, 1, 1, 10, 10, 10, 11, 11, 6, 8, MISSES, MISSES, 3, 2, 7];

/// A consumer who allows calls and never answers the phone.
const MISSES: u32 = 5;

/// Accepted orders and received webhooks.
#[derive(Default)]
pub struct Books {
    pub accepted: Mutex<BTreeSet<String>>,
    /// Ids of webhooks about closed callbacks. A repeated webhook has the same id.
    pub told: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// Orders that were not accepted before their deadline.
    pub too_late: AtomicU64,
    orders: AtomicU64,
    closing: AtomicBool,
}

/// Deadlines of orders, in seconds: the shortest and the longest.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines(pub u64, pub u64);

pub struct Customers(Vec<JoinHandle<()>>);

impl Customers {
    pub fn begin(setting: &Arc<Setting>, books: &Arc<Books>, deadlines: Deadlines, seed: u64) -> Self {
        let customer = |index: u64| {
            let (setting, books) = (setting.clone(), books.clone());
            std::thread::spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed ^ (index << 32));
                let mut regrets = Vec::new();
                while !books.closing.load(Ordering::Relaxed) {
                    regrets.extend(order(&setting, &books, deadlines, &mut random));
                    pass(Duration::from_millis(random.u64(0..90)));
                    let due = regrets.extract_if(.., |regret: &mut Regret| regret.at <= Instant::now());
                    due.for_each(|regret| cancel(&setting, &regret.callback));
                }
            })
        };
        Self((0..4).map(customer).collect())
    }

    /// Stops ordering and waits for orders in progress.
    pub fn end(self, books: &Books) {
        books.closing.store(true, Ordering::Relaxed);
        self.0.into_iter().for_each(|customer| customer.join().unwrap());
    }
}

/// A callback that its customer cancels later, while the phone may ring.
struct Regret {
    at: Instant,
    callback: String,
}

fn cancel(setting: &Setting, callback: &str) {
    let _ = setting.daemon("POST", &format!("/v1/callbacks/{callback}/cancel"), None, "");
}

/// Repeats an order under the same idempotency key until it is accepted. Some customers cancel afterwards, some of
/// them when the phone of somebody who does not answer rings.
fn order(
    setting: &Setting,
    books: &Books,
    Deadlines(least, most): Deadlines,
    random: &mut fastrand::Rng,
) -> Option<Regret> {
    let number = books.orders.fetch_add(1, Ordering::Relaxed);
    // Each consumer gets a few orders, sometimes two at once, mostly from the same sender.
    let consumer = number / 3;
    let own = usize::try_from(consumer).unwrap() % SENDERS.len();
    let senders = if random.u8(0..8) == 0 { &SENDERS[..] } else { &SENDERS[own..=own] };
    let habit = HABITS[usize::try_from(consumer.wrapping_mul(0x9E37_79B9) >> 7).unwrap() % HABITS.len()];
    let latest = SystemClock.now() + Duration::from_secs(random.u64(least..=most));
    let body = json!({
        "consumer": format!("+4477{:06}{habit:02}", consumer % 1_000_000),
        "senders": senders,
        "document": "message",
        "variables": {"message": "Hello."},
        "attempts_max": 1,
        "latest": latest.to_string(),
        "priority": random.u8(0..10),
    })
    .to_string();
    let key = format!("order-{number}");
    let id = loop {
        match setting.daemon("POST", "/v1/callbacks", Some(&key), &body) {
            Some((202, answer)) => break answer["id"].as_str().unwrap().to_owned(),
            Some((422, _)) if SystemClock.now() >= latest => {
                books.too_late.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            // The daemon is overloaded or stopping.
            None | Some((503 | 504, _)) => pass(Duration::from_millis(random.u64(5..40))),
            Some((status, answer)) => panic!("an order was answered with {status}: {answer}"),
        }
    };
    books.accepted.lock().unwrap().insert(id.clone());
    if random.u8(0..12) == 0 {
        pass(Duration::from_millis(random.u64(0..400)));
        cancel(setting, &id);
        return None;
    }
    let at = Instant::now() + Duration::from_millis(random.u64(200..3_000));
    (habit == MISSES).then_some(Regret { at, callback: id })
}

/// Receives the daemon's webhooks.
pub fn take_news(listener: TcpListener, books: Arc<Books>) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let books = books.clone();
            std::thread::spawn(move || {
                let Some((delivery, news)) = loopback::take(stream.unwrap(), "webhook-id") else { return };
                if news["type"] == "callback.closed" {
                    let id = news["data"]["id"].as_str().unwrap().to_owned();
                    books.told.lock().unwrap().entry(id).or_default().insert(delivery);
                }
            });
        }
    });
}

/// Waits for this time.
pub fn pass(time: Duration) {
    let (_never, heard) = mpsc::channel::<()>();
    let _ = heard.recv_timeout(time);
}
