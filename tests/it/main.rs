//! it

mod api;
mod transport;
