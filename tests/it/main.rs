//! it

mod clients;
mod transport;
