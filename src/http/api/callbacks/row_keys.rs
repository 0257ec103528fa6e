//! How a row of a bulk order or of an import is recognised when it is sent again.

use sha2::{Digest as _, Sha256};

use crate::domain::{Order, PersonId};

/// How a row is recognised.
pub(in crate::http::api) enum RowKeys {
    /// It is not.
    None,
    /// By its number and this key.
    ByNumber(String),
    /// By what it names, and by this name of an import: its reference, or its person and senders.
    ByIdentity(String),
}

impl RowKeys {
    /// The idempotency key of a row.
    pub(in crate::http::api) fn of_row(&self, number: usize, order: &Order) -> Option<String> {
        match self {
            Self::None => None,
            // The key of a single order has no line end, so the key of a row never equals one.
            Self::ByNumber(key) => Some(format!("{key}\n{number}")),
            Self::ByIdentity(name) => Some(format!("{name}\nimport\n{}", identity(order))),
        }
    }

    pub(super) const fn is_import(&self) -> bool {
        matches!(self, Self::ByIdentity(_))
    }
}

/// What a row of an import names: its reference, or else its person and senders. Hashed, so that a key has one length
/// and shows no phone number.
fn identity(order: &Order) -> String {
    let mut hash = Sha256::new();
    match &order.reference {
        Some(reference) => {
            hash.update(b"reference\n");
            hash.update(reference.as_bytes());
        }
        None => {
            hash.update(b"person\n");
            hash.update(PersonId::of(order.consumer).number().digits().to_be_bytes());
            for sender in &order.senders {
                hash.update(sender.digits().to_be_bytes());
            }
        }
    }
    let hash: [u8; 32] = hash.finalize().into();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
