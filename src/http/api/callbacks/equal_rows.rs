//! Finds equal rows of one bulk order, so that they are told. They are stored nevertheless: two callbacks to one
//! consumer can be meant.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::request_body::RequestBody;
use crate::domain::{Order, PersonId};
use crate::http::error::FieldError;

/// The rows so far: a digest of each, with the number of the first row that has it.
#[derive(Default)]
pub(super) struct EqualRows(HashMap<[u8; 16], usize>);

/// Which times the row names. The others depend on the moment at which the row is read.
#[derive(Clone, Copy)]
pub(super) struct Named {
    earliest: bool,
    latest: bool,
}

impl Named {
    pub(super) fn in_body(body: &RequestBody<'_>) -> Self {
        Self { earliest: body.earliest.is_some(), latest: body.latest.is_some() }
    }
}

impl EqualRows {
    /// A warning, if an earlier row orders the same.
    pub(super) fn warning(&mut self, number: usize, order: &Order, named: Named) -> Option<FieldError> {
        match self.0.entry(digest(order, named)) {
            Entry::Vacant(place) => {
                place.insert(number);
                None
            }
            Entry::Occupied(first) => {
                let first = first.get();
                let detail = format!(
                    "orders the same as row {first}; both are stored, and the consumer is called for each"
                );
                Some(FieldError { field: String::new(), code: "row.repeated", detail })
            }
        }
    }
}

/// Of what is ordered: who is called by whom, when, with what, and under which names. The person counts, not the
/// spelling of the number. Priority, number of attempts and metadata do not count.
fn digest(order: &Order, named: Named) -> [u8; 16] {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    let time = |is_named: bool, at: Timestamp| if is_named { at.to_string() } else { String::new() };
    part(&PersonId::of(order.consumer).number().e164());
    part(&order.senders.iter().map(|sender| sender.e164()).collect::<String>());
    part(&time(named.earliest, order.earliest));
    part(&time(named.latest, order.latest));
    part(&order.hours.as_ref().map(ToString::to_string).unwrap_or_default());
    part(&order.document);
    part(&order.variables.len().to_string());
    for (name, value) in &order.variables {
        part(name);
        part(value);
    }
    part(&order.agent.as_ref().map(ToString::to_string).unwrap_or_default());
    part(order.purpose.as_str());
    for name in [&order.campaign, &order.reference] {
        part(if name.is_some() { "named" } else { "" });
        part(name.as_deref().unwrap_or_default());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (first, _) = digest.split_at(16);
    first.try_into().expect("half of 32 bytes")
}
