//! Errors of the Send API, in the form of the Graph API.
//!
//! The five kinds that *Call Audio CTA* names (Meta, 16 Mar 2026) are here. The numbers are those of *Messenger Platform
//! error codes* (18 Mar 2026); some subcodes are only known from second-hand lists.

use serde_json::json;

use crate::sim::world::wire::ApiResponse;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageFault {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) subcode: Option<u32>,
    pub(super) message: String,
}

impl PageFault {
    fn new(status: u16, (code, subcode): (u32, Option<u32>), message: impl Into<String>) -> Self {
        Self { status, code, subcode, message: message.into() }
    }

    /// A page, or anything else, that the token may not use. Meta does not tell which.
    pub(super) fn no_object(id: &str) -> Self {
        let message = format!(
            "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or \
             does not support this operation"
        );
        Self::new(400, (100, Some(33)), message)
    }

    /// The PSID is of nobody whom the page knows.
    pub(super) fn no_person() -> Self {
        Self::new(400, (100, Some(2_018_001)), "No matching user found")
    }

    /// Calls are not available to the page.
    pub(super) fn no_calls() -> Self {
        Self::new(400, (100, Some(2_018_389)), "The page has not enabled audio calling")
    }

    /// The token is of no page.
    pub(super) fn token() -> Self {
        Self::new(401, (190, None), "This method must be called with a Page Access Token")
    }

    /// The token lacks a right.
    pub(super) fn no_right() -> Self {
        Self::new(
            403,
            (200, Some(2_018_028)),
            "Cannot message users who are not admins, developers or testers",
        )
    }

    /// Meta restricts the page.
    pub(super) fn restricted() -> Self {
        Self::new(403, (368, None), "The action attempted has been deemed abusive or is otherwise disallowed")
    }

    /// Whether it tells that Meta restricts the page.
    pub(super) const fn is_restriction(&self) -> bool {
        self.code == 368
    }

    /// The person takes no messages of the page.
    pub(super) fn unavailable() -> Self {
        Self::new(400, (551, Some(1_545_041)), "This person isn't available right now")
    }

    /// The page may not write any more.
    pub(super) fn outside_window() -> Self {
        Self::new(403, (10, Some(2_018_278)), "This message is sent outside of allowed window")
    }

    /// A field is wrong or missing, `expires_in_days` among them.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(400, (100, None), message)
    }

    pub(super) fn throttled() -> Self {
        Self::new(400, (613, None), "Calls to this API have exceeded the rate limit")
    }

    pub(super) fn outage() -> Self {
        Self::new(503, (2, None), "Service temporarily unavailable")
    }

    /// After it the message may have been sent.
    pub(super) fn unknown() -> Self {
        Self::new(500, (1, Some(1_357_046)), "An unknown error has occurred")
    }

    pub(super) fn refused(code: u32) -> Self {
        Self::new(400, (code, None), "The platform does not accept this message")
    }

    pub(super) fn response(&self) -> ApiResponse {
        let Self { status, code, subcode, message } = self;
        let mut error = json!({
            "message": format!("(#{code}) {message}"),
            "type": "OAuthException",
            "code": code,
            "fbtrace_id": "A5andb0xA5andb0xA5andb0",
        });
        if let Some(subcode) = subcode {
            error["error_subcode"] = json!(subcode);
        }
        ApiResponse::json(*status, &json!({"error": error}))
    }
}
