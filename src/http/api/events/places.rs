//! How many streams of events may be open: for all tokens, and for one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::http::auth::Caller;

/// Open streams of all tokens (our rule).
const ALL_MAX: usize = 128;
/// Open streams of one token (our rule).
const OF_TOKEN_MAX: usize = 16;

/// The open streams.
#[derive(Debug, Default)]
pub struct EventPlaces {
    by_token: Mutex<BTreeMap<[u8; 32], usize>>,
    closed: CancellationToken,
}

/// The place of one stream, until it is dropped.
#[derive(Debug)]
pub struct Place {
    all: Arc<EventPlaces>,
    token: [u8; 32],
}

impl EventPlaces {
    /// Ends all streams, which have no end of their own, because the daemon stops.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Ends when all streams do.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// A place for one more stream of the token, if there is one.
    pub(super) fn enter(self: &Arc<Self>, caller: &Caller) -> Option<Place> {
        self.take(caller.token())
    }

    fn take(self: &Arc<Self>, token: [u8; 32]) -> Option<Place> {
        let mut by_token = self.by_token();
        let all: usize = by_token.values().sum();
        let own = by_token.get(&token).copied().unwrap_or_default();
        if all >= ALL_MAX || own >= OF_TOKEN_MAX {
            return None;
        }
        by_token.insert(token, own + 1);
        Some(Place { all: Arc::clone(self), token })
    }

    fn by_token(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], usize>> {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Ends when all streams do.
    pub(super) async fn closed(&self) {
        self.all.closed.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_token = self.all.by_token();
        let own = by_token.remove(&self.token).unwrap_or_default();
        if own > 1 {
            by_token.insert(self.token, own - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_takes_its_own_places_and_no_more() {
        let places = Arc::new(EventPlaces::default());
        let mut own: Vec<Place> = (0..OF_TOKEN_MAX).map(|_| places.take([1; 32]).unwrap()).collect();
        assert!(places.take([1; 32]).is_none());
        assert!(places.take([2; 32]).is_some(), "another token has its own");
        own.pop();
        assert!(places.take([1; 32]).is_some(), "a place that was left can be taken");
    }

    #[test]
    fn all_tokens_together_take_no_more_than_there_are() {
        let places = Arc::new(EventPlaces::default());
        let tokens = (0..=u8::MAX).map(|n| [n; 32]);
        let taken: Vec<Place> = tokens.filter_map(|token| places.take(token)).collect();
        assert_eq!(taken.len(), ALL_MAX);
        drop(taken);
        assert!(places.by_token().is_empty());
    }
}
