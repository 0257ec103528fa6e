//! Wrap-up: what an agent says came of a call, and what follows from it.

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{CallbackId, ListName, SuppressionScope, Tenant};

/// What an agent says of a callback after the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapUp {
    /// The name of a declared disposition; see [`DeclaredDisposition`].
    pub disposition: String,
    pub effect: WrapUpEffect,
    /// The agent's own words. They are erased with the person.
    pub note: Option<String>,
    /// Who says it, if it is not only the API token.
    pub agent: Option<String>,
}

impl WrapUp {
    /// The longest note, in bytes.
    pub const NOTE_MAX: usize = 2000;
    /// The longest name of an agent, in bytes.
    pub const AGENT_MAX: usize = 250;
}

/// What follows from a wrap-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrapUpEffect {
    None,
    /// A new callback to the consumer at this time.
    CallbackAt {
        at: Timestamp,
    },
    /// The person is added to this list.
    Suppress {
        list: ListName,
        scope: SuppressionScope,
    },
    /// The number is not the person's: it is no longer used for the order's reference.
    WrongPerson,
}

impl WrapUpEffect {
    #[must_use]
    pub const fn kind(&self) -> EffectKind {
        match self {
            Self::None => EffectKind::None,
            Self::CallbackAt { .. } => EffectKind::CallbackAt,
            Self::Suppress { .. } => EffectKind::Suppress,
            Self::WrongPerson => EffectKind::WrongPerson,
        }
    }
}

/// The kinds of effects. The names are stored, and are those of the configuration and the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EffectKind {
    #[default]
    None,
    CallbackAt,
    Suppress,
    WrongPerson,
}

impl EffectKind {
    pub const ALL: [Self; 4] = [Self::None, Self::CallbackAt, Self::Suppress, Self::WrongPerson];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A disposition that agents may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredDisposition {
    /// For people, such as `Call again`.
    pub label: String,
    pub effect: EffectKind,
    /// The list that a person is added to, if that is the effect.
    pub list: ListName,
    pub scope: SuppressionScope,
}

/// The wrap-up of a callback, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapUpRecord {
    pub callback: CallbackId,
    pub tenant: Tenant,
    pub said: WrapUp,
    /// The name of the API token.
    pub by: String,
    pub at: Timestamp,
    /// The callback that it ordered.
    pub follow_up: Option<CallbackId>,
    /// 1 for the first one; each correction adds one.
    pub revision: u32,
}

impl WrapUpRecord {
    /// Whether the same was said before, so that nothing changes.
    #[must_use]
    pub fn says(&self, said: &WrapUp) -> bool {
        self.said == *said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_effects_are_stored() {
        assert_eq!(
            EffectKind::ALL.map(EffectKind::as_str),
            ["none", "callback_at", "suppress", "wrong_person"]
        );
        assert_eq!(EffectKind::ALL.map(EffectKind::as_str).map(str::parse), EffectKind::ALL.map(Ok));
    }
}
