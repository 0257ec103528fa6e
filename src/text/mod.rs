//! Text from outside: whether it can be JSON, and which of its characters a person can see.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod json;
pub mod visible;
