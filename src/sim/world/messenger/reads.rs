//! What the Graph API shows of a page: whether it may use calls, and what it may do with one person.
//!
//! Meta, *Messenger Calling* (20 Apr 2026) and *Check permissions* (6 Apr 2026).

use serde_json::{Value, json};

use super::fault::PageFault;
use super::routes::PageServed;
use super::state::PageId;
use crate::sim::world::World;
use crate::sim::world::wire::ApiResponse;

/// The most permission requests to a person in a day.
const REQUESTS_PER_DAY: u32 = 2;

impl World {
    pub(super) fn show_page(&self, page: PageId) -> ApiResponse {
        ApiResponse::json(200, &json!({"id": self.messenger.pages[page].id, "name": "Sandbox"}))
    }

    /// The permission of a page to call a person. The daemon never asks for one, so nobody has given any.
    pub(super) fn show_call_permission(&self, page: PageId, psid: Option<&str>) -> PageServed {
        let psid = psid.ok_or_else(|| PageFault::parameter("The parameter psid is required"))?;
        let person = self.messenger.person_ids.get(&(page, psid.to_owned()));
        person.ok_or_else(PageFault::no_person)?;
        let may_ask = self.messenger.pages[page].is_calling_on;
        let body = json!({
            "permission": {"status": "no_permission"},
            "actions": [
                {"action_name": "send_call_permission_request", "can_perform_action": may_ask, "limits": [
                    {"time_period": "PT24H", "max_allowed_per_user": REQUESTS_PER_DAY, "current_usage": 0}]},
                {"action_name": "start_call", "can_perform_action": false},
            ],
        });
        Ok(ApiResponse::json(200, &body))
    }

    /// The features of the page that the body names.
    pub(super) fn show_features(&self, page: PageId, body: &Value) -> PageServed {
        let asked = body["features"].as_array();
        let asked = asked.ok_or_else(|| PageFault::parameter("The parameter features is required"))?;
        let may_call = self.messenger.pages[page].is_calling_on;
        let status = |feature: &Value| {
            let name = feature["feature"].as_str().unwrap_or_default();
            let is_calling = name.eq_ignore_ascii_case("messenger_api_calling");
            let word = if is_calling && may_call { "ELIGIBLE" } else { "NOT_ELIGIBLE" };
            json!({"feature": name.to_ascii_uppercase(), "status": word})
        };
        let features: Vec<Value> = asked.iter().map(status).collect();
        Ok(ApiResponse::json(200, &json!({"features": features})))
    }

    pub(super) fn show_subscriptions(&self, page: PageId) -> ApiResponse {
        let app = self.graph.app_id(self.messenger.pages[page].app);
        let fields = ["messages", "messaging_postbacks", "message_deliveries", "message_reads", "calls"];
        let data = json!([{"id": app, "name": "Sandbox", "subscribed_fields": fields}]);
        ApiResponse::json(200, &json!({"data": data}))
    }
}
