//! The webhook URL of an app: set with the token of the app itself, and checked.
//!
//! Meta, *App Subscriptions* and *App access tokens* (2026). Meta answers after the check, so that the URL counts as
//! checked from the answer on. Here the check follows the answer; once it fails, nothing is sent.

use serde_json::json;

use super::fault::GraphFault;
use super::routes::{GraphAsked, GraphServed};
use super::state::AppId;
use crate::sim::world::World;
use crate::sim::world::calls::is_web_address;
use crate::sim::world::wire::{ApiRequest, ApiResponse, Fields};

impl World {
    /// The token of an app for its id and secret. The request has no token itself.
    pub(super) fn app_token(&self, request: &ApiRequest) -> GraphServed {
        let query = Fields::parse(request.query.as_bytes());
        let (id, secret) = (query.value("client_id"), query.value("client_secret"));
        let token = format!("{}|{}", id.unwrap_or_default(), secret.unwrap_or_default());
        let is_known =
            query.value("grant_type") == Some("client_credentials") && self.graph.tokens.contains_key(&token);
        if !is_known {
            return Err(GraphFault::new(
                400,
                101,
                "Error validating application",
                "Invalid client id or secret",
            ));
        }
        Ok(ApiResponse::json(200, &json!({"access_token": token, "token_type": "bearer"})))
    }

    pub(super) fn subscribe(&mut self, asked: &GraphAsked<'_>, app: AppId) -> GraphServed {
        let body = asked.json().unwrap_or_default();
        let value = |name: &str| {
            let in_body = body.get(name).and_then(|value| value.as_str());
            in_body.or_else(|| asked.query.value(name)).map(ToOwned::to_owned)
        };
        let needed = |name: &str| {
            value(name).ok_or_else(|| GraphFault::parameter(format!("The parameter {name} is required")))
        };
        let object = needed("object")?;
        if !["whatsapp_business_account", "page"].contains(&object.as_str()) {
            return Err(GraphFault::parameter("object is neither whatsapp_business_account nor page"));
        }
        let (url, verify_token) = (needed("callback_url")?, needed("verify_token")?);
        if !is_web_address(&url) {
            return Err(GraphFault::parameter("callback_url is not a URL"));
        }
        let this = &mut self.graph.apps[app];
        (this.url, this.verify_token, this.is_checked) = (Some(url), verify_token, true);
        let id = this.id.clone();
        self.shake_hands(self.now, &id);
        Ok(ApiResponse::json(200, &json!({"success": true})))
    }
}
