//! The types of an order's fields, which borrow from the body.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

/// A string that borrows from the body if it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http::api::callbacks) struct Text<'a>(pub Cow<'a, str>);

/// The variables by name.
#[derive(Debug, Default)]
pub(in crate::http::api::callbacks) struct Variables<'a>(pub BTreeMap<Cow<'a, str>, Cow<'a, str>>);

/// Calling hours in either form.
#[derive(Debug)]
pub(in crate::http::api::callbacks) enum Hours<'a> {
    Text(Text<'a>),
    Object(HoursObject<'a>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api::callbacks) struct HoursObject<'a> {
    #[serde(borrow)]
    pub zone: Text<'a>,
    #[serde(borrow)]
    pub spans: Vec<Object<SpanObject<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api::callbacks) struct SpanObject<'a> {
    #[serde(borrow)]
    pub days: Text<'a>,
    #[serde(borrow)]
    pub from: Text<'a>,
    #[serde(borrow)]
    pub to: Text<'a>,
}

/// A value that must be an object. A derived reader would accept an array of its fields too.
#[derive(Debug)]
pub(in crate::http::api::callbacks) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Read(PhantomData))
    }
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

impl<'de: 'a, 'a> Deserialize<'de> for Variables<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Variables<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variables<'de>, A::Error> {
                let mut variables = Variables::default();
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    if variables.0.insert(name, value).is_some() {
                        return Err(A::Error::custom("a variable is repeated"));
                    }
                }
                Ok(variables)
            }
        }
        deserializer.deserialize_map(Read)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Hours<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Hours<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("calling hours")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Hours<'de>, E> {
                Ok(Hours::Text(Text(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Hours<'de>, E> {
                Ok(Hours::Text(Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Hours<'de>, A::Error> {
                HoursObject::deserialize(MapAccessDeserializer::new(map)).map(Hours::Object)
            }
        }
        deserializer.deserialize_any(Read)
    }
}
