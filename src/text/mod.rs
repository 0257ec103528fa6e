//! Text from outside: whether it can be JSON, and which of its characters a person can see.

pub mod json;
pub mod visible;
