//! Ids of traces and spans, in the sizes of the W3C Trace Context recommendation (16 and 8 bytes).

use std::fmt;

/// The id of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// The id of a span.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

/// The last 56 bits of a trace id are random, by the recommendation and in our ids.
const RANDOM_BITS: u32 = 56;
/// As many traces as these bits can tell apart.
const SHARES: f64 = 72_057_594_037_927_936.0;

impl TraceId {
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether it belongs to this share of all traces.
    pub(super) fn is_within(&self, share: u64) -> bool {
        random(&self.0) < share
    }
}

impl SpanId {
    #[must_use]
    pub const fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Of a span to which nothing else refers.
    #[must_use]
    pub fn random() -> Self {
        // Zero is no id.
        Self(fastrand::u64(1..).to_be_bytes())
    }

    /// Of the span of what has this id. The end of our ids is random, and never zero.
    #[must_use]
    pub fn of(id: &[u8; 16]) -> Self {
        Self(end(id))
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// How many of 2^56 traces a share from 0 to 1 is.
pub(super) fn share(ratio: f64) -> u64 {
    // From 0 to 2^56, which a number of 64 bits and a float hold exactly.
    (ratio.clamp(0.0, 1.0) * SHARES) as u64
}

fn random(id: &[u8; 16]) -> u64 {
    u64::from_be_bytes(end(id)) & ((1 << RANDOM_BITS) - 1)
}

fn end(id: &[u8; 16]) -> [u8; 8] {
    let mut end = [0; 8];
    end.copy_from_slice(&id[8..]);
    end
}

fn hexadecimal(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(&self.0, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
