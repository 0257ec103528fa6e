//! The nouns: what a callback is, who is called, what an attempt and a call permission are.
//!
//! Absent on purpose: input and output, clocks, async, serialization, and any word of Twilio or Meta.

pub mod country;
pub mod event;
pub mod ids;
pub mod phone;

pub use country::Country;
pub use event::{CallProgress, Disposition, Event};
pub use ids::{AttemptId, CallbackId, MessageId};
pub use phone::{Phone, PhoneError};
