//! What Meta publishes about the texts of messages, as data. All lengths are in characters.

use jiff::civil::{Date, date};

/// A published limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What it counts.
    pub field: &'static str,
    pub max: usize,
    pub source: &'static str,
    pub as_of: Date,
}

const CTA: (&str, Date) = ("Meta, Interactive Call-to-Action URL Button Messages", date(2026, 6, 28));
const CALL: (&str, Date) = ("Meta, Call Button Messages and Deep Links", date(2026, 6, 26));
/// The page of this message names no length, so that of the other interactive messages is taken.
const OF_OTHERS: (&str, Date) = (
    "our rule: Meta, Interactive Call-to-Action URL Button Messages; the pages of other interactive messages name no \
     length",
    date(2026, 6, 28),
);
const TEXTS: (&str, Date) = ("Meta, Text messages", date(2025, 11, 3));
/// Meta states no limit.
const OURS: (&str, Date) = ("our rule: Meta states no limit of its own", date(2026, 11, 28));

const fn limit(field: &'static str, max: usize, (source, as_of): (&'static str, Date)) -> Limit {
    Limit { field, max, source, as_of }
}

pub const BODY: Limit = limit("body", 1024, CTA);
pub const HEADER: Limit = limit("header", 60, CTA);
pub const FOOTER: Limit = limit("footer", 60, CTA);
pub const BUTTON: Limit = limit("display_text", 20, CTA);
pub const CALL_BODY: Limit = limit("body", 1024, OF_OTHERS);
pub const CALL_BUTTON: Limit = limit("display_text", 20, CALL);
pub const PAYLOAD: Limit = limit("payload", 512, CALL);
pub const TEXT: Limit = limit("body", 4096, TEXTS);
pub const URL: Limit = limit("url", 2000, OURS);

/// How long a call button can be used, in minutes (Meta, *Call Button Messages and Deep Links*, 26 Jun 2026).
pub const TTL_MINUTES: std::ops::RangeInclusive<u32> = 1..=43_200;
/// Without a `ttl_minutes` (the same page).
pub const TTL_MINUTES_DEFAULT: u32 = 10_080;
