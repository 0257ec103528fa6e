//! The codes and sentences of a person's refusals.

use crate::domain::RefusalKind;

pub(super) const fn refusal_code(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Decline | RefusalKind::Revocation | RefusalKind::Operator => "permission.declined",
        RefusalKind::Stop => "consumer.stopped",
        RefusalKind::OptOut => "consumer.opted_out",
        RefusalKind::Block => "consumer.blocked",
        RefusalKind::Marketing => "consumer.stopped_marketing",
    }
}

pub(super) const fn refusal_sentence(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Decline => "The consumer declined to be called.",
        RefusalKind::Revocation => "The consumer revoked the permission to call.",
        RefusalKind::Operator => "An operator recorded that the consumer does not want to be called.",
        RefusalKind::Stop => "The consumer wrote STOP, or a similar word.",
        RefusalKind::OptOut => "The platform reports that the consumer opted out of messages and calls.",
        RefusalKind::Block => "The platform reports that the consumer has blocked the sender.",
        RefusalKind::Marketing => "The platform reports that the consumer wants no marketing messages.",
    }
}
