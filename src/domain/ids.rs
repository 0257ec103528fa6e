//! Typed ids with prefixes, so that an `at_` id in place of a `cb_` id is refused when it is parsed.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// An identifier that does not have the expected prefix and 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected \"{prefix}\" followed by 32 hexadecimal digits")]
pub struct IdError {
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a time-ordered UUID, so that rows are stored in order of creation.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            #[must_use]
            pub const fn bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .filter(|digits| digits.len() == 32)
                    .and_then(|digits| Uuid::try_parse(digits).ok())
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }
    };
}

id!(
    /// A callback.
    CallbackId, "cb_"
);
id!(
    /// An order that only invites, as customers name it. Inside it is the [`CallbackId`] of the same bytes.
    InviteId, "inv_"
);
id!(
    /// An import: a list of callbacks that arrives in parts.
    ImportId, "imp_"
);
id!(
    /// An attempt: one call for a callback.
    AttemptId, "at_"
);
id!(
    /// A message to a consumer: a permission request or an invite.
    MessageId, "ms_"
);
id!(
    /// A command: one change that was asked for.
    CommandId, "cm_"
);
id!(
    /// Something that the scheduler failed at and set aside.
    SetAsideId, "sa_"
);
id!(
    /// A pause that an operator set.
    PauseId, "ps_"
);
id!(
    /// A campaign.
    CampaignId, "cmp_"
);
id!(
    /// A change of many callbacks.
    BulkId, "bk_"
);
id!(
    /// An erasure of a person's data.
    ErasureId, "er_"
);
id!(
    /// A delivery: one webhook to a customer.
    DeliveryId, "msg_"
);

impl From<CallbackId> for InviteId {
    fn from(id: CallbackId) -> Self {
        Self(id.0)
    }
}

impl From<InviteId> for CallbackId {
    fn from(id: InviteId) -> Self {
        Self(id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_writes() {
        let id = CallbackId::new(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "cb_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_invite_and_the_order_behind_it_have_the_same_digits() {
        let id = CallbackId::new(Uuid::from_u128(7));
        assert_eq!(InviteId::from(id).to_string(), "inv_00000000000000000000000000000007");
        assert_eq!(CallbackId::from(InviteId::from(id)), id);
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let attempt = AttemptId::new(Uuid::from_u128(7)).to_string();
        assert!(attempt.parse::<CallbackId>().is_err());
        assert!("cb_7".parse::<CallbackId>().is_err());
        assert!("cb_00000000-0000-0000-0000-000000000007".parse::<CallbackId>().is_err());
    }
}
