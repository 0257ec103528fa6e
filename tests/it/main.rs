//! it

mod transport;
