//! The house tried from outside: one binary, one file for each reach.

mod api;
mod cli;
mod clients;
mod hooks;
mod house;
mod sandbox;
mod simulation;
mod store;
mod transport;
mod walk;
