//! it
mod store;
