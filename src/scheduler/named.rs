//! Who is named in a report.

use super::turn::Turn;
use crate::domain::{Event, Name, Named, Phone};

/// All people in a report.
pub(super) fn names(turn: &Turn<'_>, event: &Event) -> Vec<Name> {
    let named = |sender: Phone, who: &Named| who.names(&turn.portfolio(sender)).collect();
    match event {
        Event::PermissionReply(reply) => named(reply.sender, &reply.who),
        Event::InboundMessage { sender, who, .. }
        | Event::MarketingPreference { sender, who, .. }
        | Event::InboundCall { sender, who, .. } => named(*sender, who),
        Event::PermissionOverride(word) => vec![Name::Number(word.consumer)],
        Event::Message(report) => match report.from {
            Some(sender) => named(sender, &report.to),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}
