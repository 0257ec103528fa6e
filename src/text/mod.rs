//! Text from outside: whether it can be JSON, whether its characters are visible, and moments.
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod json;
pub mod time;
pub mod visible;
