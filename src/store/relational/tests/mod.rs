//! What only this adapter promises.

mod groups;
mod lists;
mod plans;
