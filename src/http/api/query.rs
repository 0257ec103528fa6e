//! Strict query strings: an unknown, repeated or invalid parameter is refused, because a filter that is
//! silently ignored would give wrong results.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;

use crate::http::ApiError;

/// The parameters of a request, in their order.
pub(super) struct Given(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Given {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Query(pairs) = Query::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::new("query.invalid", "the query is not a list of parameters"))?;
        Ok(Self(pairs))
    }
}

impl Given {
    /// Passes each parameter to `take`, which returns whether it is known.
    pub(super) fn read(
        self,
        mut take: impl FnMut(&str, String) -> Result<bool, ApiError>,
    ) -> Result<(), ApiError> {
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in self.0 {
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
}

/// The requested number of rows, 1 to `max`.
pub(super) fn limit(name: &str, value: &str, max: usize) -> Result<usize, ApiError> {
    let given = value.parse().ok().filter(|limit| (1..=max).contains(limit));
    given.ok_or_else(|| fault(name, &format!("is out of range: expected 1 to {max}")))
}

pub(super) fn fault(name: &str, what: &str) -> ApiError {
    ApiError::new("query.invalid", format!("{} {what}", super::callbacks::field_errors::quoted(name)))
}
