//! Numbered callbacks with their pairs, as stored rows.

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::{CallPermission, Callback, CallbackId, Order, Pair, PairKey, Phone, Reason, State};
use uuid::Uuid;

/// The first sender of a simulation's fixture.
const SENDER: &str = "+551140000001";

/// A consumer in São Paulo, different for each number below 99 million.
pub fn consumer(n: usize) -> Phone {
    Phone::from_stored(5_511_900_000_000 + n as u64)
}

pub fn sender() -> Phone {
    Phone::parse(SENDER).expect("this is a number")
}

/// Ids that grow with `n`, as real ids grow with time.
pub fn id(n: usize) -> Uuid {
    let scattered = (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15) & u128::from(u64::MAX);
    Uuid::from_u128((n as u128) << 64 | scattered)
}

/// Waits until it is due.
pub fn callback(n: usize, now: Timestamp, due_at: Timestamp) -> Callback {
    Callback::new(
        CallbackId::new(id(n)),
        now,
        Order {
            agent: "client:alice".parse().ok(),
            campaign: Some("renewals".into()),
            reference: Some(format!("order-{n}")),
            ..Order::new(
                consumer(n),
                vec![sender()],
                "dial-client",
                due_at,
                due_at + SignedDuration::from_hours(72),
            )
        },
        State::Waiting(Waiting {
            wake_at: due_at,
            place: None,
            note: Reason::BeforeEarliest { earliest: due_at }.note(),
        }),
    )
}

/// A pair with a permission.
pub fn permitted_pair(n: usize) -> Pair {
    let key = PairKey::of(sender(), consumer(n));
    Pair { version: 1, permission: CallPermission::Permanent, ..Pair::unknown(key) }
}
