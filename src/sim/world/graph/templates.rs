//! Templates of a business account: created, reviewed, shown, deleted, and looked up for a message.
//!
//! The name decides about the review, as at Twilio's side (`reviews`).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::components::{Sent, check_creation, check_sent};
use super::fault::GraphFault;
use super::hooks::Piece;
use super::routes::{GraphAsked, GraphServed};
use super::setup::TemplateSetup;
use super::state::{GraphAction, Node, Template, TemplateId, WabaId};
use crate::clock::later;
use crate::sim::world::reviews::{given, verdict_of};
use crate::sim::world::state::Verdict;
use crate::sim::world::wire::ApiResponse;
use crate::sim::world::{Action, World};

/// The most templates of an account, and the most that a page of the list has.
const TEMPLATES_MAX: usize = 6_000;
const PAGE_MAX: usize = 100;
const PAGE_DEFAULT: usize = 25;

impl World {
    pub(super) fn add_template(&mut self, waba: WabaId, setup: TemplateSetup) {
        let template = Template {
            id: String::new(),
            waba,
            name: setup.name,
            language: setup.language,
            category: setup.category.clone(),
            given_category: setup.category,
            is_named: is_named(&setup.components),
            components: setup.components,
            decided_at: Timestamp::UNIX_EPOCH,
            verdict: Verdict::Approved,
            deleted: false,
        };
        self.keep_template(template);
    }

    fn keep_template(&mut self, template: Template) -> TemplateId {
        let id = self.graph.templates.len();
        let name = self.rng.u64(10_u64.pow(14)..10_u64.pow(15)).to_string();
        self.graph.nodes.insert(name.clone(), Node::Template(id));
        self.graph.wabas[template.waba].templates.push(id);
        self.graph.templates.push(Template { id: name, ..template });
        id
    }

    pub(super) fn create_template(&mut self, asked: &GraphAsked<'_>, waba: WabaId) -> GraphServed {
        let body = asked.json()?;
        let text = |name: &str| {
            let text = body.get(name).and_then(Value::as_str);
            text.ok_or_else(|| GraphFault::parameter(format!("The parameter {name} is required")))
        };
        let (name, language, category) = (text("name")?, text("language")?, text("category")?);
        let is_name = (1..=512).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_name {
            return Err(GraphFault::parameter("name has other characters than a-z, 0-9 and _")
                .with_subcode(2_388_023));
        }
        if !["UTILITY", "MARKETING", "AUTHENTICATION"].contains(&category.to_ascii_uppercase().as_str()) {
            return Err(GraphFault::parameter("category is not known"));
        }
        let components = body.get("components").filter(|value| value.is_array()).cloned();
        let components = components.ok_or_else(|| GraphFault::parameter("components is not a list"))?;
        check_creation(list(&components))?;
        self.is_new(waba, name, language)?;
        let timing = &self.setup.timing;
        let slow = if name.contains("slow") { timing.long() } else { SignedDuration::ZERO };
        let decided_at = later(later(self.now, timing.review()), slow);
        let category = category.to_ascii_uppercase();
        let is_named = body.get("parameter_format").is_some_and(|format| format == "NAMED");
        let id = self.keep_template(Template {
            id: String::new(),
            waba,
            name: name.to_owned(),
            language: language.to_owned(),
            given_category: given(name, &category).to_owned(),
            category: category.clone(),
            is_named,
            components,
            decided_at,
            verdict: verdict(name, &body),
            deleted: false,
        });
        self.at(decided_at, Action::Graph(GraphAction::Decide(id)));
        let answer = json!({"id": self.graph.templates[id].id, "status": "PENDING", "category": category});
        Ok(ApiResponse::json(200, &answer))
    }

    fn is_new(&self, waba: WabaId, name: &str, language: &str) -> Result<(), GraphFault> {
        let own = &self.graph.wabas[waba].templates;
        let mut known = own.iter().map(|&id| &self.graph.templates[id]);
        let live = known.clone().filter(|template| !template.deleted).count();
        if live >= TEMPLATES_MAX {
            return Err(GraphFault::parameter("The account has 6,000 templates").with_subcode(2_388_019));
        }
        match known.find(|known| known.name == name && known.language == language) {
            None => Ok(()),
            // The name of a deleted template is free again after 30 days, which no world lives.
            Some(known) if known.deleted => {
                let details = "New content in this language cannot be added while the old is being deleted";
                Err(GraphFault::parameter(details).with_subcode(2_388_023))
            }
            Some(_) => {
                let details = "Content in this language already exists";
                Err(GraphFault::parameter(details).with_subcode(2_388_024))
            }
        }
    }

    pub(super) fn list_templates(&self, asked: &GraphAsked<'_>, waba: WabaId) -> ApiResponse {
        let is_wanted = |id: &TemplateId| {
            let template = &self.graph.templates[*id];
            let is = |name: &str, value: &str| asked.query.value(name).is_none_or(|wanted| wanted == value);
            !template.deleted
                && is("name", &template.name)
                && is("language", &template.language)
                && is("status", self.template_status(*id))
        };
        let limit = asked.query.value("limit").and_then(|text| text.parse().ok());
        let limit = limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
        let from: usize = asked.query.value("after").and_then(|text| text.parse().ok()).unwrap_or(0);
        let all: Vec<TemplateId> =
            self.graph.wabas[waba].templates.iter().copied().filter(is_wanted).collect();
        let until = from.saturating_add(limit).min(all.len());
        let page = all.get(from.min(until)..until).unwrap_or_default();
        let data: Vec<Value> = page.iter().map(|&id| self.template_resource(id)).collect();
        let mut paging = json!({"cursors": {"before": from.to_string(), "after": until.to_string()}});
        if until < all.len() {
            paging["next"] = json!("https://graph.facebook.com/next");
        }
        let mut body = json!({"data": data, "paging": paging});
        if asked.query.value("summary").is_some() {
            body["summary"] = json!({"total_count": all.len(), "message_template_count": all.len(),
                "message_template_limit": TEMPLATES_MAX, "are_translations_complete": true});
        }
        ApiResponse::json(200, &body)
    }

    pub(super) fn show_template(&self, id: TemplateId) -> GraphServed {
        if self.graph.templates[id].deleted {
            return Err(GraphFault::no_object(&self.graph.templates[id].id));
        }
        Ok(ApiResponse::json(200, &self.template_resource(id)))
    }

    pub(super) fn delete_template(&mut self, asked: &GraphAsked<'_>, waba: WabaId) -> GraphServed {
        let name = asked
            .query
            .value("name")
            .ok_or_else(|| GraphFault::parameter("The parameter name is required"))?;
        let id = asked.query.value("hsm_id");
        let own = self.graph.wabas[waba].templates.clone();
        let meant = own.into_iter().filter(|&own| {
            let own = &self.graph.templates[own];
            !own.deleted && own.name == name && id.is_none_or(|id| own.id == id)
        });
        let meant: Vec<TemplateId> = meant.collect();
        if meant.is_empty() {
            return Err(GraphFault::parameter("The template does not exist").with_subcode(2_593_002));
        }
        for id in meant {
            self.graph.templates[id].deleted = true;
        }
        Ok(ApiResponse::json(200, &json!({"success": true})))
    }

    /// The template that a message names, and what the message fills of it.
    pub(super) fn template_to_send(
        &self,
        waba: WabaId,
        content: &Value,
    ) -> Result<(TemplateId, Sent), GraphFault> {
        let name = content["name"].as_str().ok_or_else(|| GraphFault::missing("template['name']"))?;
        let language = content["language"]["code"].as_str();
        let language = language.ok_or_else(|| GraphFault::missing("template['language']['code']"))?;
        let own = &self.graph.wabas[waba].templates;
        let found = own.iter().copied().find(|&id| {
            let template = &self.graph.templates[id];
            !template.deleted && template.name == name && template.language == language
        });
        let absent = || {
            let title = "Template name does not exist in the translation";
            GraphFault::new(
                404,
                132_001,
                title,
                format!("template name ({name}) does not exist in {language}"),
            )
        };
        let id = found.ok_or_else(absent)?;
        match self.template_status(id) {
            "APPROVED" => {}
            "PAUSED" => {
                return Err(GraphFault::new(
                    400,
                    132_015,
                    "Template is paused",
                    "It is paused for low quality",
                ));
            }
            "DISABLED" => {
                return Err(GraphFault::new(400, 132_016, "Template is disabled", "It was paused too often"));
            }
            _ => return Err(absent()),
        }
        let template = &self.graph.templates[id];
        let sent = check_sent(list(&template.components), template.is_named, list(&content["components"]))?;
        Ok((id, sent))
    }

    pub(super) fn template_status(&self, id: TemplateId) -> &'static str {
        let template = &self.graph.templates[id];
        if self.now < template.decided_at {
            return "PENDING";
        }
        let is_late = self.now.duration_since(template.decided_at) >= self.setup.timing.long();
        match template.verdict {
            Verdict::Rejected(_) => "REJECTED",
            Verdict::Paused if is_late => "PAUSED",
            Verdict::Disabled if is_late => "DISABLED",
            Verdict::Approved | Verdict::Paused | Verdict::Disabled => "APPROVED",
        }
    }

    fn template_resource(&self, id: TemplateId) -> Value {
        let template = &self.graph.templates[id];
        let status = self.template_status(id);
        let is_decided = template.decided_at <= self.now;
        json!({
            "id": template.id,
            "name": template.name,
            "language": template.language,
            "status": status,
            "category": if is_decided { &template.given_category } else { &template.category },
            "rejected_reason": if status == "REJECTED" { reason(template.verdict) } else { "NONE" },
            "parameter_format": if template.is_named { "NAMED" } else { "POSITIONAL" },
            "components": template.components,
        })
    }

    /// Tells the result of a review, and a category that it changed.
    pub(super) fn template_decided(&mut self, id: TemplateId) {
        let template = &self.graph.templates[id];
        let waba = template.waba;
        let number: Value = template.id.parse::<u64>().map_or(Value::Null, Value::from);
        let told = |more: Value| {
            let mut value = json!({
                "message_template_id": number,
                "message_template_name": template.name,
                "message_template_language": template.language,
            });
            value
                .as_object_mut()
                .into_iter()
                .for_each(|value| value.extend(more.as_object().cloned().unwrap_or_default()));
            value
        };
        let reason =
            if matches!(template.verdict, Verdict::Rejected(_)) { reason(template.verdict) } else { "NONE" };
        let event = self.template_status(id);
        let status = told(json!({"event": event, "reason": reason}));
        let category = (template.category != template.given_category).then(|| {
            told(json!({"previous_category": template.category, "new_category": template.given_category}))
        });
        self.tell(Piece::of_account(waba, "message_template_status_update", status));
        if let Some(category) = category {
            self.tell(Piece::of_account(waba, "template_category_update", category));
        }
    }
}

fn verdict(name: &str, body: &serde_json::Map<String, Value>) -> Verdict {
    let components = body.get("components").map_or(&[][..], list);
    let texts = components.iter().filter(|component| component["type"] == "BODY");
    let misplaced = texts
        .filter_map(|component| component["text"].as_str())
        .any(crate::sim::world::reviews::is_misplaced);
    if misplaced { Verdict::Rejected("INVALID_FORMAT") } else { verdict_of(name) }
}

/// The reason in Meta's words for a few kinds.
fn reason(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Rejected("INVALID_FORMAT") => "INVALID_FORMAT",
        _ => "TAG_CONTENT_MISMATCH",
    }
}

fn is_named(components: &Value) -> bool {
    let texts = list(components).iter().filter_map(|component| component["text"].as_str());
    let mut names = texts.flat_map(super::components::variables);
    names.any(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
