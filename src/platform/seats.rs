//! The port `SeatSource`: who can tell how many agents of a pool are free.

use std::borrow::Cow;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::domain::Figure;

/// Somebody who knows the seats of a pool.
#[async_trait]
pub trait SeatSource: Send + Sync {
    /// The figure now. It is asked for at `asked_at`.
    ///
    /// # Errors
    /// [`Unread`] if there is none, whatever the cause. The pool then has no seat.
    async fn read(&self, asked_at: Timestamp) -> Result<Told, Unread>;
}

/// A figure that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub figure: Figure,
    /// The moment of which it tells; not later than it has arrived.
    pub as_of: Timestamp,
    /// The first moment at which it holds no more.
    pub valid_until: Timestamp,
    /// Seats that are kept back, if the source says so.
    pub headroom: Option<u32>,
    /// How long a seat is held after an answered call, if the source says so.
    pub wrap_up: Option<SignedDuration>,
}

/// Why there is no figure: a short text without URLs and secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unread(pub Cow<'static, str>);

impl Unread {
    pub fn because(why: impl Into<Cow<'static, str>>) -> Self {
        Self(why.into())
    }
}
