//! `/v1/consumers`: what is stored of one person. Names are in bodies, never in URLs.

pub(super) mod erase;
pub(super) mod export;
mod view;
pub(super) mod zone;
