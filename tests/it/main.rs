//! The house tried from outside: one binary, one file for each reach.

mod house;
mod store;
mod transport;
