//! Errors in the form of the Graph API.

use serde_json::json;

use crate::sim::world::wire::ApiResponse;

/// Why a request is refused. The numbers are those of Meta, *WhatsApp error codes* (18 Jun 2026).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::world) struct GraphFault {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) subcode: Option<u32>,
    pub(super) title: &'static str,
    pub(super) details: String,
}

impl GraphFault {
    pub(super) fn new(status: u16, code: u32, title: &'static str, details: impl Into<String>) -> Self {
        Self { status, code, subcode: None, title, details: details.into() }
    }

    /// 100: a parameter is wrong or missing.
    pub(super) fn parameter(details: impl Into<String>) -> Self {
        Self::new(400, 100, "Invalid parameter", details)
    }

    /// 131008.
    pub(super) fn missing(field: &str) -> Self {
        Self::new(400, 131_008, "Required parameter is missing", format!("Parameter {field} is missing"))
    }

    /// 131009.
    pub(super) fn value(details: impl Into<String>) -> Self {
        Self::new(400, 131_009, "Parameter value is not valid", details)
    }

    /// 190.
    pub(super) fn token() -> Self {
        let details = "Error validating access token: it is unknown or was revoked";
        Self { subcode: Some(460), ..Self::new(401, 190, "Access token has expired", details) }
    }

    /// 100 with 33: the object does not exist, or the token may not use it. Meta does not tell which.
    pub(super) fn no_object(id: &str) -> Self {
        let details = format!(
            "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or \
             does not support this operation"
        );
        Self { subcode: Some(33), ..Self::parameter(details) }
    }

    pub(super) fn with_subcode(self, subcode: u32) -> Self {
        Self { subcode: Some(subcode), ..self }
    }

    pub(super) fn response(&self) -> ApiResponse {
        let Self { status, code, subcode, title, details } = self;
        let mut error = json!({
            "message": format!("(#{code}) {title}"),
            "type": "OAuthException",
            "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": details},
            "fbtrace_id": "A5andb0xA5andb0xA5andb0",
        });
        if let Some(subcode) = subcode {
            error["error_subcode"] = json!(subcode);
        }
        ApiResponse::json(*status, &json!({"error": error}))
    }
}
