//! `/v1/offers`: callbacks that are offered to agents before they are dialled.

pub(super) mod answer;
pub(super) mod list;
