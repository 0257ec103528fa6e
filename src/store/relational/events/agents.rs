//! Commands of agents as JSON, for the inbox. Renaming a field here would make stored commands unreadable.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::microsecond;
use serde::{Deserialize, Serialize};

use super::fields::{agent_if, id, name};
use crate::domain::event::OfferAct;
use crate::domain::{AgentTarget, ListName, SuppressionScope, WrapUp, WrapUpEffect};

#[derive(Serialize, Deserialize)]
#[serde(remote = "WrapUp")]
struct WrapUpShape {
    disposition: String,
    #[serde(with = "EffectShape")]
    effect: WrapUpEffect,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
}

/// A boxed one.
pub(super) mod wrap_up {
    use serde::{Deserializer, Serializer};

    use super::{WrapUp, WrapUpShape};

    #[expect(clippy::borrowed_box, reason = "serde calls it with the field")]
    pub(in super::super) fn serialize<S: Serializer>(
        said: &Box<WrapUp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        WrapUpShape::serialize(said, serializer)
    }

    pub(in super::super) fn deserialize<'d, D: Deserializer<'d>>(
        deserializer: D,
    ) -> Result<Box<WrapUp>, D::Error> {
        WrapUpShape::deserialize(deserializer).map(Box::new)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "WrapUpEffect", rename_all = "snake_case")]
enum EffectShape {
    None,
    CallbackAt {
        #[serde(with = "microsecond::required")]
        at: Timestamp,
    },
    Suppress {
        #[serde(with = "id")]
        list: ListName,
        #[serde(with = "name")]
        scope: SuppressionScope,
    },
    WrongPerson,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OfferAct", rename_all = "snake_case")]
pub(super) enum OfferShape {
    Accept {
        #[serde(with = "microsecond::required")]
        until: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "agent_if")]
        agent: Option<AgentTarget>,
    },
    Skip {
        #[serde(with = "microsecond::required")]
        until: Timestamp,
    },
    Close {
        #[serde(with = "microsecond::required")]
        until: Timestamp,
    },
}
