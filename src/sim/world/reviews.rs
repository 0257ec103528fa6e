//! WhatsApp's review of submitted content: it takes time, and may reject the content or change its category.
//!
//! The name under which content is submitted decides, as the digits of a number decide what its consumer does: a name
//! with `rejected` is rejected, with `recategorized` it gets the other category, with `paused` or `disabled` it is
//! approved and stopped later, and with `slow` its review takes longer (`Timing`).

use serde_json::{Value, json};

use super::World;
use super::rest::{Asked, Served};
use super::state::{Approval, Verdict};
use super::wire::{ApiResponse, Refusal};

impl World {
    /// Whether the content may be sent at any time.
    pub(super) fn is_approved(&self, content: usize) -> bool {
        self.status(content) == "approved"
    }

    /// The code of a message with content that WhatsApp stopped.
    pub(super) fn why_stopped(&self, content: usize) -> Option<(u32, &'static str)> {
        match self.status(content) {
            "paused" => Some((63041, "The template is paused. (132015)")),
            "disabled" => Some((63042, "The template is disabled. (132016)")),
            _ => None,
        }
    }

    fn status(&self, content: usize) -> &'static str {
        let Some(approval) = &self.contents[content].approval else { return "unsubmitted" };
        if self.now < approval.decided_at {
            let half = approval.decided_at.duration_since(approval.submitted_at) / 2;
            return if self.now.duration_since(approval.submitted_at) < half {
                "received"
            } else {
                "pending"
            };
        }
        let is_late = self.now.duration_since(approval.decided_at) >= self.setup.timing.long();
        match approval.verdict {
            Verdict::Approved => "approved",
            Verdict::Rejected(_) => "rejected",
            Verdict::Paused if is_late => "paused",
            Verdict::Disabled if is_late => "disabled",
            Verdict::Paused | Verdict::Disabled => "approved",
        }
    }

    pub(super) fn ask_for_approval(&mut self, asked: &Asked<'_>, id: usize) -> Served {
        let body = asked.json()?;
        let (Some(name), Some(category)) = (body["name"].as_str(), body["category"].as_str()) else {
            return Err(Refusal::bad_request(20001, "name and category are required"));
        };
        let is_name = !name.is_empty()
            && name.len() <= 512
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_name {
            return Err(Refusal::bad_request(20001, "name has other characters than a-z, 0-9 and _"));
        }
        if !["UTILITY", "MARKETING", "AUTHENTICATION"].contains(&category) {
            return Err(Refusal::bad_request(20001, "category is not known"));
        }
        if self.contents[id].approval.is_some() {
            return Err(Refusal::bad_request(92009, "The content was submitted before"));
        }
        let mut takes = self.setup.timing.review();
        if name.contains("slow") {
            takes = takes.saturating_add(self.setup.timing.long());
        }
        let approval = Approval {
            verdict: self.verdict(id, name),
            name: name.to_owned(),
            category: category.to_owned(),
            given_category: given(name, category).to_owned(),
            submitted_at: self.now,
            decided_at: self.now.saturating_add(takes).unwrap_or(jiff::Timestamp::MAX),
        };
        self.contents[id].approval = Some(approval);
        let mut told = self.approval(id);
        // The answer to a submission does not say of what kind it is (Twilio, specification of the Content API, 1.1.0).
        told.as_object_mut().into_iter().for_each(|told| _ = told.remove("type"));
        Ok(ApiResponse::json(201, &told))
    }

    fn verdict(&self, id: usize, name: &str) -> Verdict {
        let account = self.contents[id].account;
        let is_spent = self.accounts[account].contents.iter().any(|&other| {
            let approval = self.contents[other].approval.as_ref();
            approval.is_some_and(|approval| approval.name == name && other != id)
        });
        if is_spent {
            return Verdict::Rejected("A template of this name was there before");
        }
        if texts(&self.contents[id].types).any(is_misplaced) {
            return Verdict::Rejected(
                "INVALID_FORMAT: a variable begins or ends the text, or follows another one",
            );
        }
        verdict_of(name)
    }

    pub(super) fn approval(&self, id: usize) -> Value {
        let content = &self.contents[id];
        let approval = content.approval.as_ref();
        let status = self.status(id);
        let is_decided = approval.is_some_and(|approval| approval.decided_at <= self.now);
        let category = approval
            .map_or("", |approval| if is_decided { &approval.given_category } else { &approval.category });
        let reason = match approval.map(|approval| approval.verdict) {
            Some(Verdict::Rejected(reason)) if is_decided => reason,
            _ => "",
        };
        json!({
            "type": "whatsapp",
            "name": approval.map_or("", |approval| approval.name.as_str()),
            "category": category,
            "content_type": content.types.as_object().and_then(|types| types.keys().next()),
            "status": status,
            "rejection_reason": reason,
            "allow_category_change": true,
        })
    }

    pub(super) fn approval_resource(&self, asked: &Asked<'_>, id: usize) -> Value {
        let sid = &self.contents[id].sid;
        json!({
            "sid": sid,
            "account_sid": self.accounts[asked.account].sid,
            "whatsapp": self.approval(id),
            "url": format!("{}/v1/Content/{sid}/ApprovalRequests", asked.origin),
        })
    }
}

/// What the name decides.
pub(super) fn verdict_of(name: &str) -> Verdict {
    if name.contains("rejected") {
        return Verdict::Rejected("The template is too generic");
    }
    match (name.contains("paused"), name.contains("disabled")) {
        (true, _) => Verdict::Paused,
        (_, true) => Verdict::Disabled,
        _ => Verdict::Approved,
    }
}

pub(super) fn given<'c>(name: &str, category: &'c str) -> &'c str {
    match category {
        "UTILITY" if name.contains("recategorized") => "MARKETING",
        "MARKETING" if name.contains("recategorized") => "UTILITY",
        category => category,
    }
}

/// The bodies, and the titles of cards.
fn texts(types: &Value) -> impl Iterator<Item = &str> {
    let types = types.as_object().into_iter().flat_map(|types| types.values());
    types.filter_map(|kind| kind["body"].as_str().or(kind["title"].as_str()))
}

pub(super) fn is_misplaced(text: &str) -> bool {
    let text = text.trim();
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    text.starts_with("{{")
        || text.trim_end_matches(|c: char| ".,!?;:".contains(c)).ends_with("}}")
        || squeezed.contains("}}{{")
}
