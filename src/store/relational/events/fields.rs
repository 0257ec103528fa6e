//! How single fields of events are written: numbers as digits, ids and names as text.

pub mod phone {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Phone;

    pub fn serialize<S: Serializer>(phone: &Phone, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(phone.digits())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Phone, D::Error> {
        u64::deserialize(from).map(Phone::from_stored)
    }
}

pub mod phone_if {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Phone;

    pub fn serialize<S: Serializer>(phone: &Option<Phone>, to: S) -> Result<S::Ok, S::Error> {
        match phone {
            Some(phone) => to.serialize_u64(phone.digits()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Phone>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Phone::from_stored))
    }
}

pub mod ids {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(ids: &[impl Display], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(ids.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: FromStr>(from: D) -> Result<Vec<T>, D::Error> {
        let ids = Vec::<String>::deserialize(from)?.into_iter().map(|text| text.parse());
        ids.collect::<Result<_, _>>().map_err(|_| D::Error::custom("not an id"))
    }
}

pub mod phones {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Phone;

    pub fn serialize<S: Serializer>(phones: &[Phone], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(phones.iter().map(|phone| phone.digits()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Phone>, D::Error> {
        Ok(Vec::<u64>::deserialize(from)?.into_iter().map(Phone::from_stored).collect())
    }
}

pub mod user_id_if {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::UserId;

    pub fn serialize<S: Serializer>(id: &Option<UserId>, to: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => to.serialize_str(id.as_str()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<UserId>, D::Error> {
        Ok(Option::<Cow<'de, str>>::deserialize(from)?.and_then(|text| text.parse().ok()))
    }
}

pub mod name_if {
    use serde::{Deserializer, Serializer};

    use crate::domain::event::Word;

    pub fn serialize<S: Serializer>(word: &Option<Word>, to: S) -> Result<S::Ok, S::Error> {
        match word {
            Some(word) => super::name::serialize(word, to),
            None => to.serialize_none(),
        }
    }

    /// Only met where a word stands: a missing one is not written.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Word>, D::Error> {
        super::name::deserialize(from).map(Some)
    }
}

/// The id without its mask.
pub mod psid {
    use std::borrow::Cow;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Psid;

    pub fn serialize<S: Serializer>(psid: &Psid, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(psid.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Psid, D::Error> {
        Cow::<'de, str>::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// What a payload stands for: `message` or `callback`, and its id.
pub mod invite_if {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::{CallbackId, InviteToken, MessageId};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Message(#[serde(with = "super::id")] MessageId),
        Callback(#[serde(with = "super::id")] CallbackId),
    }

    pub fn serialize<S: Serializer>(invite: &Option<InviteToken>, to: S) -> Result<S::Ok, S::Error> {
        let shape = invite.map(|invite| match invite {
            InviteToken::Message(id) => Shape::Message(id),
            InviteToken::Callback(id) => Shape::Callback(id),
        });
        shape.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<InviteToken>, D::Error> {
        Ok(Option::<Shape>::deserialize(from)?.map(|shape| match shape {
            Shape::Message(id) => InviteToken::Message(id),
            Shape::Callback(id) => InviteToken::Callback(id),
        }))
    }
}

pub mod id {
    use std::borrow::Cow;
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<T: Display, S: Serializer>(id: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        Cow::<str>::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

pub mod shared_if {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &Option<Arc<str>>, to: S) -> Result<S::Ok, S::Error> {
        match text {
            Some(text) => to.serialize_str(text),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Arc<str>>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Into::into))
    }
}

pub mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Into::into)
    }
}

pub mod id_if {
    use serde::{Deserializer, Serializer};

    use crate::domain::MessageId;

    pub fn serialize<S: Serializer>(id: &Option<MessageId>, to: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => super::id::serialize(id, to),
            None => to.serialize_none(),
        }
    }

    /// Only used if there is an id: a missing one is not written.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MessageId>, D::Error> {
        super::id::deserialize(from).map(Some)
    }
}

/// An error code as `["twilio", 37000]`. A bare number is one that was stored before codes had an issuer.
pub mod code_if {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::{ErrorCode, Issuer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Number(u32),
        OfIssuer(String, u32),
    }

    pub fn serialize<S: Serializer>(code: &Option<ErrorCode>, to: S) -> Result<S::Ok, S::Error> {
        code.map(|code| (code.issuer.as_str(), code.number)).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ErrorCode>, D::Error> {
        let (issuer, number) = match Kept::deserialize(from)? {
            Kept::Number(number) => (issuer_of_old(number), number),
            Kept::OfIssuer(issuer, number) => {
                (issuer.parse().map_err(|_| D::Error::custom("an unknown issuer"))?, number)
            }
        };
        Ok(Some(ErrorCode { issuer, number }))
    }

    /// The rule of V31 too.
    const fn issuer_of_old(number: u32) -> Issuer {
        if number < 100_000 { Issuer::Twilio } else { Issuer::Meta }
    }
}

pub mod hours_if {
    use serde::{Deserializer, Serializer};

    use crate::domain::CallingHours;

    pub fn serialize<S: Serializer>(hours: &Option<CallingHours>, to: S) -> Result<S::Ok, S::Error> {
        match hours {
            Some(hours) => super::id::serialize(hours, to),
            None => to.serialize_none(),
        }
    }

    /// Only used if there are hours: missing ones are not written.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<CallingHours>, D::Error> {
        super::id::deserialize(from).map(Some)
    }
}

/// An agent as the address to which a call is placed.
pub mod agent_if {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::AgentTarget;
    use crate::store::relational::terms::agent_of;

    pub fn serialize<S: Serializer>(agent: &Option<AgentTarget>, to: S) -> Result<S::Ok, S::Error> {
        match agent {
            Some(agent) => to.collect_str(agent),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AgentTarget>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(|text| agent_of(&text)))
    }
}

pub mod level {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Priority;

    pub fn serialize<S: Serializer>(priority: &Priority, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(priority.level())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Priority, D::Error> {
        let level = u8::deserialize(from)?;
        Priority::new(level).ok_or_else(|| D::Error::custom("a priority above 9"))
    }
}

/// An enum value by its name.
pub mod name {
    use std::borrow::Cow;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<T: Copy + Into<&'static str>, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str((*value).into())
    }

    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        Cow::<str>::deserialize(from)?.parse().map_err(|_| D::Error::custom("an unknown name"))
    }
}

/// A span in whole microseconds.
pub mod micros {
    use jiff::SignedDuration;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::store::relational::rows::span;

    pub fn serialize<S: Serializer>(length: &SignedDuration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(span(*length))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SignedDuration, D::Error> {
        i64::deserialize(from).map(SignedDuration::from_micros)
    }
}
