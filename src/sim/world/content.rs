//! The Content API: creates, shows, lists and deletes content. Its approval is in `reviews`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use super::listing::Page;
use super::rest::{Asked, Served};
use super::shapes;
use super::state::{AccountId, Approval, Content, Purpose, Verdict};
use super::wire::{ApiResponse, Refusal, iso8601};

/// Content that exists from the start.
#[derive(Debug, Clone)]
pub struct ContentSetup {
    /// `HX` and 32 hexadecimal digits.
    pub sid: String,
    pub types: Value,
    pub approved: bool,
}

impl ContentSetup {
    /// Content whose only action is `VOICE_CALL_REQUEST`.
    #[must_use]
    pub fn permission_request(sid: impl Into<String>, approved: bool) -> Self {
        Self::call_to_action(sid, approved, "VOICE_CALL_REQUEST")
    }

    /// Content with a `VOICE_CALL` button.
    #[must_use]
    pub fn invite(sid: impl Into<String>, approved: bool) -> Self {
        Self::call_to_action(sid, approved, "VOICE_CALL")
    }

    fn call_to_action(sid: impl Into<String>, approved: bool, action: &str) -> Self {
        let body = "May we call you about your request?";
        let types = json!({"twilio/call-to-action": {
            "body": body, "actions": [{"type": action, "title": "Call"}],
        }});
        Self { sid: sid.into(), types, approved }
    }
}

impl World {
    pub(super) fn add_content(&mut self, account: AccountId, setup: ContentSetup) {
        let purpose = purpose(&setup.types).unwrap_or(Purpose::Other);
        let approval = Approval {
            name: "from_the_start".to_owned(),
            category: "UTILITY".to_owned(),
            given_category: "UTILITY".to_owned(),
            submitted_at: Timestamp::UNIX_EPOCH,
            decided_at: Timestamp::UNIX_EPOCH,
            verdict: Verdict::Approved,
        };
        self.keep_content(Content {
            sid: setup.sid,
            account,
            friendly_name: "from the start".to_owned(),
            language: "en".to_owned(),
            variables: json!({}),
            types: setup.types,
            purpose,
            approval: setup.approved.then_some(approval),
            created: self.now,
            deleted: false,
        });
    }

    fn keep_content(&mut self, content: Content) -> usize {
        let id = self.contents.len();
        self.content_ids.insert(content.sid.clone(), id);
        self.accounts[content.account].contents.push(id);
        self.contents.push(content);
        id
    }

    pub(super) fn usable_content(&self, account: AccountId, sid: &str) -> Result<usize, Refusal> {
        let known = self.content_ids.get(sid).copied();
        known
            .filter(|&id| self.contents[id].account == account && !self.contents[id].deleted)
            .ok_or_else(|| Refusal::bad_request(21655, "The ContentSid parameter is invalid"))
    }

    pub(super) fn route_content(&mut self, asked: &Asked<'_>, method: &str, segments: &[&str]) -> Served {
        let find =
            |world: &Self, sid: &str| world.usable_content(asked.account, sid).map_err(|_| asked.not_found());
        match (method, segments) {
            ("POST", ["Content"]) => self.create_content(asked),
            ("GET", ["Content"]) => Ok(self.list_contents(asked, false)),
            ("GET", ["ContentAndApprovals"]) => Ok(self.list_contents(asked, true)),
            ("GET", ["Content", sid]) => {
                Ok(ApiResponse::json(200, &self.content_resource(asked, find(self, sid)?)))
            }
            ("DELETE", ["Content", sid]) => {
                let id = find(self, sid)?;
                self.contents[id].deleted = true;
                Ok(ApiResponse::empty(204))
            }
            ("GET", ["Content", sid, "ApprovalRequests"]) => {
                Ok(ApiResponse::json(200, &self.approval_resource(asked, find(self, sid)?)))
            }
            ("POST", ["Content", sid, "ApprovalRequests", "whatsapp"]) => {
                let id = find(self, sid)?;
                self.ask_for_approval(asked, id)
            }
            _ => Err(asked.not_found()),
        }
    }

    fn create_content(&mut self, asked: &Asked<'_>) -> Served {
        let body = asked.json()?;
        let types = shapes::types(&body)?;
        let types = Value::Object(types);
        let purpose = purpose(&types)
            .ok_or_else(|| Refusal::bad_request(20001, "VOICE_CALL_REQUEST must be the only action"))?;
        let variables = body.get("variables").filter(|value| value.is_object());
        let content = Content {
            sid: self.sid("HX"),
            account: asked.account,
            friendly_name: body["friendly_name"].as_str().unwrap_or_default().to_owned(),
            language: body["language"].as_str().unwrap_or_default().to_owned(),
            variables: variables.cloned().unwrap_or_else(|| json!({})),
            types,
            purpose,
            approval: None,
            created: self.now,
            deleted: false,
        };
        let id = self.keep_content(content);
        Ok(ApiResponse::json(201, &self.content_resource(asked, id)))
    }

    fn list_contents(&self, asked: &Asked<'_>, with_approvals: bool) -> ApiResponse {
        let contents = &self.accounts[asked.account].contents;
        let mut page = Page::asked(&asked.query, 50, contents.len());
        let picked = page.pick(contents, |id| !self.contents[id].deleted);
        let items = picked.into_iter().map(|id| {
            let mut item = self.content_resource(asked, id);
            if with_approvals {
                // This list has no URLs (Twilio, specification of the Content API, version 1.1.0).
                let fields = item.as_object_mut().into_iter();
                fields.for_each(|fields| fields.retain(|name, _| name != "url" && name != "links"));
                item["approval_requests"] = self.approval(id);
            }
            item
        });
        let items = items.collect();
        page.meta(asked, "contents", items)
    }

    fn content_resource(&self, asked: &Asked<'_>, id: usize) -> Value {
        let content = &self.contents[id];
        let url = format!("{}/v1/Content/{}", asked.origin, content.sid);
        json!({
            "sid": content.sid,
            "account_sid": self.accounts[content.account].sid,
            "friendly_name": content.friendly_name,
            "language": content.language,
            "variables": content.variables,
            "types": content.types,
            "url": url,
            "date_created": iso8601(content.created),
            "date_updated": iso8601(content.created),
            "links": {
                "approval_create": format!("{url}/ApprovalRequests/whatsapp"),
                "approval_fetch": format!("{url}/ApprovalRequests"),
            },
        })
    }
}

/// The purpose of the actions. `None` if there is another action beside a permission request.
fn purpose(types: &Value) -> Option<Purpose> {
    let actions: Vec<&str> = types
        .as_object()
        .into_iter()
        .flat_map(|types| types.values())
        .filter_map(|kind| kind["actions"].as_array())
        .flatten()
        .filter_map(|action| action["type"].as_str())
        .collect();
    if actions.contains(&"VOICE_CALL_REQUEST") {
        return (actions.len() == 1).then_some(Purpose::PermissionRequest);
    }
    Some(if actions.contains(&"VOICE_CALL") { Purpose::Invite } else { Purpose::Other })
}
