//! How a campaign may go on: a model of its open work, played many times with drawn answers.
//!
//! It is no simulation of the daemon. It knows what decides how long a list takes: hours, deadlines, permissions, the share of
//! consumers who answer, how long calls last, and how many of them there may be. Rows and ceilings are thinned alike, so a
//! million rows cost as much as two thousand. There is no I/O and no clock here; the same input gives the same forecast.
//!
//! Reading order: `rates` (what is assumed), `work` (what is open), `play` (one play), `outlook` (what many plays say).

mod outlook;
mod play;
mod rates;
mod work;

#[cfg(test)]
mod tests;

pub use outlook::{Days, Outlook, Span, outlook};
pub use play::Bind;
pub use rates::{Rate, Rates};
pub use work::{Ceilings, Permission, Row, Work};

/// The fewest plays of a forecast.
pub const PLAYS_MIN: u32 = 20;
/// The most.
pub const PLAYS_MAX: u32 = 200;
/// The most rows that are played. Of more, a sample is.
pub const ROWS_MAX: usize = 2_000;
