//! What the Graph API shows of numbers and accounts, and the settings of calls.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fault::GraphFault;
use super::routes::{GraphAsked, GraphServed};
use super::state::{NumberId, WabaId};
use crate::domain::Phone;
use crate::sim::world::World;
use crate::sim::world::state::{Permission, recent};
use crate::sim::world::wire::ApiResponse;

impl World {
    pub(super) fn graph_me(&self, asked: &GraphAsked<'_>) -> ApiResponse {
        let id = &self.graph.apps[asked.app].id;
        ApiResponse::json(200, &json!({"id": format!("1{id}"), "name": "Sandbox system user"}))
    }

    pub(super) fn show_number(&self, asked: &GraphAsked<'_>, number: NumberId) -> ApiResponse {
        let mut shown = self.number_resource(number);
        asked.query.select(&mut shown);
        ApiResponse::json(200, &shown)
    }

    fn number_resource(&self, number: NumberId) -> Value {
        let this = &self.graph.numbers[number];
        let phone = self.senders[this.sender].number;
        // The URL of the app, and that of the number where it has one of its own (Meta, *Webhook overrides*, 28 Jun 2026).
        let mut urls = json!({"application": self.app_url_of(number)});
        if let Some(own) = &this.url {
            urls["phone_number"] = json!(own);
        }
        json!({
            "id": this.id,
            "display_phone_number": phone.e164(),
            "verified_name": "Sandbox",
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
            "status": "CONNECTED",
            "throughput": {"level": "STANDARD"},
            "messaging_limit_tier": "TIER_10K",
            "webhook_configuration": urls,
        })
    }

    pub(super) fn list_numbers(&self, asked: &GraphAsked<'_>, waba: WabaId) -> ApiResponse {
        let numbers = self.graph.wabas[waba].numbers.iter();
        let shown = |&number: &NumberId| {
            let mut shown = self.number_resource(number);
            asked.query.select(&mut shown);
            shown
        };
        let data: Vec<Value> = numbers.map(shown).collect();
        ApiResponse::json(200, &json!({"data": data}))
    }

    pub(super) fn show_waba(&self, waba: WabaId) -> ApiResponse {
        let id = &self.graph.wabas[waba].id;
        let body = json!({"id": id, "name": "Sandbox", "currency": "EUR", "timezone_id": "1",
            "account_review_status": "APPROVED", "message_template_namespace": "sandbox"});
        ApiResponse::json(200, &body)
    }

    pub(super) fn list_subscribed(&self, waba: WabaId) -> ApiResponse {
        let app = &self.graph.apps[self.graph.wabas[waba].app];
        let subscribed = app.url.as_ref().filter(|_| app.is_checked).map(|url| {
            json!({"whatsapp_business_api_data": {"id": app.id, "name": "Sandbox", "link": "https://apps.example"},
                "override_callback_uri": url})
        });
        let data: Vec<Value> = subscribed.into_iter().collect();
        ApiResponse::json(200, &json!({"data": data}))
    }

    pub(super) fn show_settings(&self, number: NumberId) -> ApiResponse {
        let this = &self.graph.numbers[number];
        let word = |on: bool| if on { "ENABLED" } else { "DISABLED" };
        let listed: Vec<Value> = self.graph.wabas[this.waba]
            .restrictions
            .iter()
            .filter(|restriction| restriction.holds(self.now))
            .map(|restriction| {
                json!({"type": restriction.kind, "reason": "low quality",
                    "expiration": restriction.until.map(Timestamp::as_second)})
            })
            .collect();
        let calling = json!({
            "status": word(this.is_calling_on),
            "call_icon_visibility": "DEFAULT",
            "callback_permission_status": word(self.senders[this.sender].callback_permission),
            "restrictions": {"restrictions_list": listed},
        });
        ApiResponse::json(200, &json!({"calling": calling}))
    }

    pub(super) fn change_settings(&mut self, asked: &GraphAsked<'_>, number: NumberId) -> GraphServed {
        let body = asked.json()?;
        let calling = body.get("calling").cloned().unwrap_or_default();
        let switch = |name: &str| match calling[name].as_str() {
            None if calling[name].is_null() => Ok(None),
            Some("ENABLED") => Ok(Some(true)),
            Some("DISABLED") => Ok(Some(false)),
            _ => Err(GraphFault::parameter(format!("calling['{name}'] is neither ENABLED nor DISABLED"))),
        };
        let (status, callback) = (switch("status")?, switch("callback_permission_status")?);
        if let Some(on) = callback {
            let sender = self.graph.numbers[number].sender;
            self.senders[sender].callback_permission = on;
        }
        if let Some(on) = status {
            self.switch_calls(number, on);
        }
        Ok(ApiResponse::json(200, &json!({"success": true})))
    }

    pub(super) fn show_permission(&mut self, asked: &GraphAsked<'_>, number: NumberId) -> GraphServed {
        let consumer = match (asked.query.value("user_wa_id"), asked.query.value("recipient")) {
            (Some(digits), _) => Phone::parse(&format!("+{}", digits.trim_start_matches('+'))).ok(),
            (None, Some(id)) => self.graph.people.get(id).copied(),
            (None, None) => None,
        };
        let consumer =
            consumer.ok_or_else(|| GraphFault::parameter("The parameter user_wa_id is required"))?;
        let pair = self.pair(self.graph.numbers[number].sender, consumer);
        let now = self.now;
        let limits = &self.setup.limits;
        let (per_day, per_week) = (limits.permission_requests_per_day, limits.permission_requests_per_week);
        let link = &mut self.pairs[pair];
        let week = recent(&mut link.requests, now, jiff::SignedDuration::from_hours(168));
        let day = link.requests.iter().filter(|at| now.duration_since(**at).as_hours() < 24).count();
        let (status, expires) = match link.permission {
            Permission::Until(until) if now < until => ("temporary", Some(until.as_second())),
            Permission::Permanent => ("permanent", None),
            Permission::None | Permission::Until(_) => ("no_permission", None),
        };
        let may_ask = status != "permanent" && day < per_day && week < per_week;
        let mut permission = json!({"status": status});
        if let Some(expires) = expires {
            permission["expiration_time"] = json!(expires);
        }
        let body = json!({"messaging_product": "whatsapp", "permission": permission, "actions": [
            {"action_name": "send_call_permission_request", "can_perform_action": may_ask, "limits": [
                {"time_period": "PT24H", "max_allowed": per_day, "current_usage": day},
                {"time_period": "P7D", "max_allowed": per_week, "current_usage": week}]},
            {"action_name": "start_call", "can_perform_action": status != "no_permission", "limits": []}]});
        Ok(ApiResponse::json(200, &body))
    }
}
