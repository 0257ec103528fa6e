//! The house tried from outside: one binary, one file for each reach.

mod clients;
mod house;
mod sandbox;
mod scenarios;
mod store;
mod transport;
mod walk;
