//! Reports: `list` names them, `show` computes one from the counts of the caller's tenant.

pub(super) mod list;
pub(super) mod show;
