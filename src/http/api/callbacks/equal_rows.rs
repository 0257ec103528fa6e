//! Finds equal rows of one bulk order, so that they are told. They are stored nevertheless: two callbacks to one
//! consumer can be meant.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use super::request_body::{Hours, RequestBody};
use crate::domain::{Order, OrderKind, PersonId};
use crate::http::error::FieldError;

/// The rows so far: the hash of each, with the number of the first row that has it. The key of the hash is secret, so
/// nobody can choose rows that only seem equal. That any two of 100,000 rows do by chance is less likely than one in
/// a thousand million, and would be a warning too many.
#[derive(Default)]
pub(super) struct EqualRows {
    key: RandomState,
    rows: HashMap<u64, usize>,
}

/// Which times the row names, and whether it names a zone. The other times depend on the moment at which the row is read.
#[derive(Clone, Copy)]
pub(in crate::http::api) struct Named {
    earliest: bool,
    latest: bool,
    pub(in crate::http::api) zone: bool,
}

impl Named {
    pub(super) fn in_body(body: &RequestBody<'_>) -> Self {
        let of_hours = body.hours.as_ref().is_some_and(|hours| match hours {
            Hours::Text(text) => text.0.contains('@'),
            Hours::Object(object) => object.zone.is_some(),
        });
        let zone = of_hours || body.zone.is_some();
        Self { earliest: body.earliest.is_some(), latest: body.latest.is_some(), zone }
    }
}

impl EqualRows {
    /// A warning, if an earlier row orders the same.
    pub(super) fn warning(&mut self, number: usize, order: &Order, named: Named) -> Option<FieldError> {
        match self.rows.entry(hash(&self.key, order, named)) {
            Entry::Vacant(place) => {
                place.insert(number);
                None
            }
            Entry::Occupied(first) => {
                let first = first.get();
                let what = match (order.kind, order.separate) {
                    (OrderKind::Callback, true) => "the consumer is called for each",
                    (OrderKind::Callback, false) => "what is open when one reaches the consumer closes",
                    (OrderKind::Invite, _) => "the consumer may be invited for each",
                };
                let detail = format!("orders the same as row {first}; both are stored, and {what}");
                Some(FieldError { field: String::new(), code: "row.repeated", detail })
            }
        }
    }
}

/// Of what is ordered: who is called by whom, when, with what, and under which names. The person counts, not the
/// spelling of the number. Priority, number of attempts and metadata do not count.
fn hash(key: &RandomState, order: &Order, named: Named) -> u64 {
    let times = (named.earliest.then_some(order.earliest), named.latest.then_some(order.latest));
    let mut hash = key.build_hasher();
    (PersonId::of(order.consumer), &order.senders, times, &order.hours, &order.document).hash(&mut hash);
    (&order.variables, &order.agent, order.purpose.as_str(), &order.campaign, &order.reference)
        .hash(&mut hash);
    order.pool.hash(&mut hash);
    hash.finish()
}
