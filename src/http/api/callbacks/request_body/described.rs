//! Calling hours and invites as the description of the API has them.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// The order of an invite.
#[derive(ToSchema)]
#[schema(as = NewInvite)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only described, never made")]
pub(in crate::http::api) struct NewInvite {
    /// The number to invite. Answers have it in E.164.
    #[schema(example = "+5511987654321")]
    consumer: String,
    /// The sender that invites. Needed only if several senders are configured, and not together with `senders`.
    #[schema(example = "+551151991234")]
    sender: Option<String>,
    /// The senders that may invite, at most 20. The first one that can invite is used.
    #[schema(max_items = 20)]
    senders: Option<Vec<String>>,
    /// Nothing is sent before this time; RFC 3339 with an offset. Default: now.
    #[schema(format = DateTime)]
    earliest: Option<String>,
    /// The deadline: nothing is sent at or after this moment, and the invite ends. If it is left out, the end of the
    /// third day on which the hours are open, in their zone; without hours, 72 hours after the earliest moment.
    #[schema(format = DateTime)]
    latest: Option<String>,
    /// When the consumer may be invited: an object, or a text such as
    /// `mon-fri 09:00-18:00, sat 10:00-13:00 @America/Sao_Paulo`, with a calendar as `... @America/Sao_Paulo except BR-SP`.
    /// Without `@` and a zone the zones of the consumer's number count.
    hours: Option<NewHours>,
    /// The consumer's time zone, such as `America/Manaus`, in place of the zones of the hours.
    zone: Option<String>,
    /// 0 is bulk, 9 is most urgent.
    #[schema(minimum = 0, maximum = 9, default = 5)]
    priority: Option<i64>,
    /// The values of the variables in the content that invites: names of 1 to 16 letters and digits.
    variables: Option<BTreeMap<String, String>>,
    /// The consumer's ids at the pages of Messenger accounts: by the name of the account, 1 to 64 digits.
    messenger: Option<BTreeMap<String, String>>,
    /// A name that invites can be listed by. At most 100 bytes.
    #[schema(max_length = 100)]
    campaign: Option<String>,
    /// Why the consumer is invited: `requested` (by the consumer), `service`, `marketing` or `collections`.
    #[schema(default = "service")]
    purpose: Option<String>,
    /// The consumer's consent. An order with the purpose `marketing` needs one that holds.
    consent: Option<NewConsent>,
    /// Your own name for the invite. At most 200 bytes.
    #[schema(max_length = 200)]
    reference: Option<String>,
    /// Any JSON of at most 4096 bytes; answers have it unchanged.
    metadata: Option<serde_json::Value>,
}

/// The consumer's consent to be contacted.
#[derive(ToSchema)]
#[schema(as = NewConsent)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct NewConsent {
    /// Where it was given, such as a form; at most 200 bytes.
    source: String,
    /// When it was given; RFC 3339 with an offset, and not in the future.
    #[schema(format = DateTime)]
    at: String,
    /// The version of the text that the consumer agreed to; at most 100 bytes.
    text_version: Option<String>,
    /// The first moment at which it holds no more.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Calling hours in an order.
#[derive(ToSchema)]
#[schema(as = NewHours)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) enum NewHours {
    Text(String),
    Object(WrittenHours),
}

/// Calling hours as an object.
#[derive(ToSchema)]
#[schema(as = NewHoursObject)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct WrittenHours {
    /// An IANA time zone, such as `America/Sao_Paulo`. Without it the zones of the consumer's number count.
    zone: Option<String>,
    /// Further zones in which the hours have to be open too; not without `zone`.
    also: Option<Vec<String>>,
    spans: Vec<WrittenSpan>,
    /// The calendar on whose closed days the hours do not open: a country or region such as `BR` or `BR-SP`, or a name
    /// of the configuration. `GET /v1/calendars` lists them.
    calendar: Option<String>,
}

/// A span of a day.
#[derive(ToSchema)]
#[schema(as = NewSpan)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct WrittenSpan {
    /// Days, such as `mon-fri`, `sat+sun` or `daily`.
    days: String,
    /// `HH:MM`, included.
    from: String,
    /// `HH:MM`, not included; `24:00` is the end of the day.
    to: String,
}
