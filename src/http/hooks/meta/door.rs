//! Receives a delivery of Meta's: its body, bounded in size and time, and its signature. WhatsApp and Messenger have
//! the same.

use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::LengthLimitError;
use secrecy::SecretString;

use crate::meta::signature::{self, SignatureError};

/// The longest body. Meta's are up to 3 MB (Meta, *Webhooks*, 2026).
const BODY_MAX: usize = 3 << 20;

/// How long the body may take to arrive. Meta gives up after about 20 s.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a delivery is refused. Nothing of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knock {
    Cut,
    TooLarge,
    TooSlow,
    Signature(SignatureError),
}

impl Knock {
    /// The label for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Signature(SignatureError::Missing) => "unsigned",
            Self::Signature(_) => "signature",
        }
    }

    /// What is wrong with the signature, if that is the reason.
    #[must_use]
    pub const fn signature(self) -> Option<SignatureError> {
        match self {
            Self::Signature(fault) => Some(fault),
            _ => None,
        }
    }

    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Cut => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Signature(_) => StatusCode::UNAUTHORIZED,
        }
    }
}

/// The verified body.
///
/// # Errors
/// [`Knock`].
pub async fn open(request: Request, app_secret: &SecretString) -> Result<Bytes, Knock> {
    let (parts, body) = request.into_parts();
    // Do not wait for the body of an unsigned request.
    let Some(given) = parts.headers.get(signature::HEADER) else {
        return Err(Knock::Signature(SignatureError::Missing));
    };
    // Nor for a body that is longer than it may be.
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > BODY_MAX as u64) {
        return Err(Knock::TooLarge);
    }
    let read = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_MAX));
    let body = read.await.map_err(|_elapsed| Knock::TooSlow)?.map_err(|error| {
        let too_large = error.into_inner().downcast_ref::<LengthLimitError>().is_some();
        if too_large { Knock::TooLarge } else { Knock::Cut }
    })?;
    let given = given.to_str().unwrap_or_default();
    signature::verify(app_secret, Some(given), &body).map_err(Knock::Signature)?;
    Ok(body)
}
