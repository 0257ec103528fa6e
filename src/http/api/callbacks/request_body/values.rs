//! The types of an order's fields, which borrow from the body.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// A string that borrows from the body if it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http::api) struct Text<'a>(pub Cow<'a, str>);

/// Texts by name: variables, or the ids of a consumer at pages.
#[derive(Debug, Default)]
pub(in crate::http::api) struct Variables<'a>(pub BTreeMap<Cow<'a, str>, Cow<'a, str>>);

/// A consent.
#[derive(Debug, Default)]
pub(in crate::http::api) struct ConsentObject<'a> {
    pub source: Option<Text<'a>>,
    pub at: Option<Text<'a>>,
    pub text_version: Option<Text<'a>>,
    pub expires_at: Option<Text<'a>>,
}

/// Calling hours in either form.
#[derive(Debug)]
pub(in crate::http::api) enum Hours<'a> {
    Text(Text<'a>),
    Object(HoursObject<'a>),
}

#[derive(Debug)]
pub(in crate::http::api) struct HoursObject<'a> {
    /// Without it: the zones of the consumer's number.
    pub zone: Option<Text<'a>>,
    pub also: Option<Vec<Text<'a>>>,
    pub spans: Vec<SpanObject<'a>>,
    pub calendar: Option<Text<'a>>,
}

#[derive(Debug)]
pub(in crate::http::api) struct SpanObject<'a> {
    pub days: Text<'a>,
    pub from: Text<'a>,
    pub to: Text<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Read)
    }
}
