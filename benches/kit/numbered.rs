//! Numbered callbacks of nine senders and many consumers, as stored rows for the benchmarks of the store.

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::{Callback, CallbackId, Order, Phone, Reason, State};
use uuid::Uuid;

/// When all callbacks are ordered.
pub fn start() -> Timestamp {
    Timestamp::constant(1_790_000_000, 0)
}

/// Ids that grow with `n`, as real ids grow with time.
pub fn id(n: usize) -> Uuid {
    let scattered = (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15) & u128::from(u64::MAX);
    Uuid::from_u128((n as u128) << 64 | scattered)
}

pub fn consumer(n: usize) -> Phone {
    Phone::from_stored(5_511_900_000_000 + (n as u64).wrapping_mul(7_919) % 99_999_989)
}

/// Orders name the senders 1 to 9.
pub fn sender(n: usize) -> Phone {
    Phone::from_stored(551_130_000_000 + n as u64)
}

/// Consumers are in random order, but later orders are due later.
pub fn callback(n: usize) -> Callback {
    let earliest = start() + SignedDuration::from_millis(n as i64 % 100_000_000);
    let latest = start() + SignedDuration::from_hours(72);
    Callback::new(
        CallbackId::new(id(n)),
        start(),
        Order {
            hours: "mon-fri 09:00-18:00 @America/Sao_Paulo".parse().ok(),
            variables: [("name".to_owned(), "Maria".to_owned())].into(),
            campaign: Some("renewals".into()),
            reference: Some(format!("order-{n}")),
            ..Order::new(consumer(n), vec![sender(1 + n % 9)], "reminder", earliest, latest)
        },
        State::Waiting(Waiting {
            wake_at: earliest,
            place: None,
            note: Reason::BeforeEarliest { earliest }.note(),
        }),
    )
}
