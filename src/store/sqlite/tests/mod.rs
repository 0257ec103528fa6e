//! What only this adapter promises.

mod groups;
mod plans;
