//! it

mod clients;
mod sandbox;
mod transport;
