//! it

mod hooks;
mod transport;
