//! Strict query strings: an unknown, repeated or invalid parameter is refused, because a filter that is
//! silently ignored would give wrong results.

use std::borrow::Cow;

use crate::http::ApiError;

/// Passes each parameter to `take`, which returns whether it is known.
pub(super) fn read<'a>(
    query: Option<&'a str>,
    mut take: impl FnMut(&str, Cow<'a, str>) -> Result<bool, ApiError>,
) -> Result<(), ApiError> {
    let mut seen = Vec::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if seen.contains(&name) {
            return Err(fault(&name, "is repeated"));
        }
        if !take(&name, value)? {
            return Err(fault(&name, "is not a parameter of this path"));
        }
        seen.push(name);
    }
    Ok(())
}

/// The requested number of rows, 1 to `max`.
pub(super) fn limit(name: &str, value: &str, max: usize) -> Result<usize, ApiError> {
    let given = value.parse().ok().filter(|limit| (1..=max).contains(limit));
    given.ok_or_else(|| fault(name, &format!("is out of range: expected 1 to {max}")))
}

pub(super) fn fault(name: &str, what: &str) -> ApiError {
    ApiError::new("query.invalid", format!("{} {what}", super::callbacks::field_errors::quoted(name)))
}
