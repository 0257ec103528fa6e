//! `/v1/invites`: orders that only invite the consumer to call.
//!
//! An invite is an order like a callback: stored before the answer, with the same idempotency keys, commands, tenants and
//! lists. It places no call of ours. What both share is in `callbacks`; `view` has the shapes of an invite.

pub(super) mod cancel;
pub(super) mod create;
pub(super) mod create_many;
pub(super) mod explain;
pub(super) mod link;
pub(super) mod list;
pub(super) mod replay;
pub(super) mod reschedule;
pub(super) mod show;
pub(super) mod timeline;

mod view;

pub(super) use view::{AcceptedInvite, InviteView, RecordView};
