//! The parameter in the path of a route, so that one that cannot be read is answered like every other error.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::ApiError;

/// An id or a reference, decoded.
///
/// The rejection is `id.malformed` if the bytes are not UTF-8.
pub(super) struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) = Path::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::new("id.malformed", "the id or reference in the path is not UTF-8"))?;
        Ok(Self(id))
    }
}

/// The token in the path of a hook. One that is not UTF-8 is as unknown as an empty one.
pub(super) struct HookToken(pub String);

impl<S: Send + Sync> FromRequestParts<S> for HookToken {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self(Path::from_request_parts(parts, state).await.map(|Path(token)| token).unwrap_or_default()))
    }
}
