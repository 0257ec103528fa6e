//! The memory that bulk orders in progress may take together, and each token's share of it.
//!
//! An order counts from its first byte until its answer was sent. While its body arrives, only the bytes that have
//! arrived count, so a slow upload keeps no place that others need.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;

use super::bulk_answer::FAULTS_BYTES_MAX;
use crate::http::ApiError;

/// The memory of all bulk orders in progress.
#[derive(Debug)]
pub struct BulkMemory {
    /// The most bytes of one body.
    body_max: usize,
    /// The most bytes of all orders together.
    all_max: usize,
    /// The most bytes of the orders of one token.
    token_max: usize,
    in_use: Mutex<InUse>,
}

#[derive(Debug, Default)]
struct InUse {
    all: usize,
    /// By the owner of idempotency keys; without those that use nothing.
    tokens: HashMap<String, usize>,
}

impl BulkMemory {
    /// Memory for `orders` bulk orders of the largest size. One token may use half of it, and at least one order's.
    #[must_use]
    pub fn new(orders: usize, body_max: usize) -> Self {
        let one = body_max.saturating_add(FAULTS_BYTES_MAX);
        let token_max = one.saturating_mul((orders / 2).max(1));
        Self { body_max, all_max: one.saturating_mul(orders), token_max, in_use: Mutex::default() }
    }

    /// Reads a whole body. Its bytes are counted as they arrive, and room for its answer when it is complete.
    pub(in crate::http::api) async fn read(
        self: &Arc<Self>,
        token: String,
        body: Body,
    ) -> Result<(Bytes, Reserved), ApiError> {
        let mut reserved = Reserved { memory: Arc::clone(self), token, bytes: 0 };
        let mut stream = body.into_data_stream();
        let mut all = Vec::new();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|_| {
                ApiError::new("body.incomplete", "the connection ended before the body was complete")
            })?;
            if part.len() > self.body_max.saturating_sub(all.len()) {
                let detail = format!("the body has more than {} bytes; send it in parts", self.body_max);
                return Err(ApiError::new("body.too_large", detail));
            }
            reserved.add(part.len())?;
            all.extend_from_slice(&part);
        }
        reserved.add(FAULTS_BYTES_MAX)?;
        Ok((all.into(), reserved))
    }
}

/// What one bulk order has reserved; returned on drop.
#[derive(Debug)]
pub(in crate::http::api) struct Reserved {
    memory: Arc<BulkMemory>,
    token: String,
    bytes: usize,
}

impl Reserved {
    fn add(&mut self, bytes: usize) -> Result<(), ApiError> {
        let mut in_use = self.memory.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let of_token = in_use.tokens.get(&self.token).copied().unwrap_or(0).saturating_add(bytes);
        let of_all = in_use.all.saturating_add(bytes);
        let busy = |whose| {
            let detail = format!("{whose} bulk orders are in progress; try again when one has ended");
            Err(ApiError::new("bulk.busy", detail))
        };
        if of_token > self.memory.token_max {
            return busy("other large or slowly answered ones of this token's");
        }
        if of_all > self.memory.all_max {
            return busy("other");
        }
        in_use.all = of_all;
        in_use.tokens.insert(self.token.clone(), of_token);
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut in_use = self.memory.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.all = in_use.all.saturating_sub(self.bytes);
        if let Some(of_token) = in_use.tokens.get_mut(&self.token) {
            *of_token = of_token.saturating_sub(self.bytes);
            if *of_token == 0 {
                in_use.tokens.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY_MAX: usize = 1000;
    const ONE: usize = BODY_MAX + FAULTS_BYTES_MAX;

    fn of(memory: &Arc<BulkMemory>, token: &str) -> Reserved {
        Reserved { memory: Arc::clone(memory), token: token.into(), bytes: 0 }
    }

    #[test]
    fn a_token_uses_half_and_all_of_them_no_more_than_all() {
        let memory = Arc::new(BulkMemory::new(2, BODY_MAX));
        let mut first = of(&memory, "a");
        assert!(first.add(ONE).is_ok());
        assert!(of(&memory, "a").add(1).is_err(), "its share is in use");
        let mut second = of(&memory, "b");
        assert!(second.add(ONE - 1).is_ok());
        assert!(of(&memory, "c").add(2).is_err());
        assert!(of(&memory, "c").add(1).is_ok(), "the last byte is free, and was returned");
        assert!(second.add(1).is_ok());
        drop(first);
        assert!(of(&memory, "c").add(ONE).is_ok());
    }

    #[test]
    fn there_is_room_for_one_order_of_a_token_however_little_there_is() {
        let memory = Arc::new(BulkMemory::new(1, BODY_MAX));
        assert!(of(&memory, "a").add(ONE).is_ok());
        assert!(of(&memory, "a").add(ONE + 1).is_err());
    }

    #[test]
    fn what_was_reserved_is_returned_to_the_last_byte() {
        let memory = Arc::new(BulkMemory::new(4, BODY_MAX));
        let (mut first, mut second) = (of(&memory, "a"), of(&memory, "a"));
        first.add(10).unwrap_or_else(|_| panic!("there is room"));
        second.add(20).unwrap_or_else(|_| panic!("there is room"));
        assert!(first.add(2 * ONE).is_err(), "a refusal reserves nothing");
        drop(first);
        assert_eq!(memory.in_use.lock().map(|in_use| (in_use.all, in_use.tokens.len())).ok(), Some((20, 1)));
        drop(second);
        assert_eq!(memory.in_use.lock().map(|in_use| (in_use.all, in_use.tokens.len())).ok(), Some((0, 0)));
    }
}
