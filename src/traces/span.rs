//! A finished span. It has ids, names and reasons, and never a phone number or a text of a customer.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{SpanId, Trace};

/// A finished piece of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub trace: super::TraceId,
    pub id: SpanId,
    pub parent: Option<SpanId>,
    pub name: &'static str,
    pub kind: Kind,
    pub start: Timestamp,
    /// Not before `start`; otherwise `start` is written.
    pub end: Timestamp,
    pub attributes: Vec<(&'static str, Value)>,
    pub marks: Vec<Mark>,
    pub is_failed: bool,
}

/// Who waits for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Internal,
    /// Somebody asked us.
    Server,
    /// We asked somebody.
    Client,
    /// Somebody told us something that takes effect later.
    Consumer,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(Cow<'static, str>),
    Whole(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub at: Timestamp,
    /// A code of the timeline.
    pub name: Cow<'static, str>,
}

impl Span {
    /// A span right below that of the callback.
    #[must_use]
    pub fn of(trace: &Trace, name: &'static str, kind: Kind, start: Timestamp, end: Timestamp) -> Self {
        Self {
            trace: trace.id,
            id: SpanId::random(),
            parent: Some(trace.root),
            name,
            kind,
            start,
            end,
            attributes: Vec::new(),
            marks: Vec::new(),
            is_failed: false,
        }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn below(self, parent: Option<SpanId>) -> Self {
        Self { parent, ..self }
    }

    /// With the id of what it is about, so that other spans can be below it.
    #[must_use]
    pub fn about(self, id: &[u8; 16]) -> Self {
        Self { id: SpanId::of(id), ..self }
    }

    #[must_use]
    pub fn failed(self, is_failed: bool) -> Self {
        Self { is_failed, ..self }
    }
}
