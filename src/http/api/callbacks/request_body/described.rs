//! Calling hours as the description of the API has them.

use utoipa::ToSchema;

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
    /// An IANA time zone, such as `America/Sao_Paulo`.
    zone: String,
    spans: Vec<WrittenSpan>,
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
