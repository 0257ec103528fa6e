//! Integration tests of the daemon: one binary, one file for each topic.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by its panic")]

mod api;
mod attacks;
mod cases;
mod ceilings;
mod cli;
mod clients;
mod clock;
mod codes;
mod contained;
mod documents;
mod explained;
mod ground;
mod hang_ups;
mod harness;
mod hooks;
mod layout;
mod leaders;
mod model;
mod mutations;
mod outside;
mod parsers;
mod questions;
mod reference;
mod sandbox;
mod scenarios;
<<<<<<< HEAD
mod signals;
=======
mod served;
>>>>>>> d4f21dc (tests, docs: late reports about a served consumer, and the word of an operator)
mod simulation;
mod store;
mod supply;
mod transport;
mod turns;
mod upgrade;
mod walk;
mod weakened;
mod webhooks;
