//! The house tried from outside: one binary, one file for each reach.

mod cli;
mod clients;
mod house;
mod sandbox;
mod store;
mod transport;
mod walk;
