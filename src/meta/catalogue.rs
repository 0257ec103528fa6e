//! The templates of a WhatsApp Business Account as an adapter of `Catalogue`.
//!
//! At Meta a template is submitted by its creation, so `submit` only reads what became of it. Free messages are not
//! kept at Meta and are in no catalogue.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::graph::{Graph, with_query};
use super::outcome::{Created, GraphError, Refusal};
use crate::content::{Catalogue, Declaration, Failure, Held, Kind, Review, Status, canonical, template};

/// The templates of one WhatsApp Business Account.
pub struct Templates {
    graph: Graph,
    business_account_id: String,
}

/// How many templates a page has, and how many pages are read (our rule). An account has at most 6,000 templates
/// (Meta, *Message templates*, November 2026).
const PAGE: &str = "100";
const PAGES_MAX: usize = 100;

const FIELDS: &str = "id,name,language,status,category,rejected_reason,components";

impl Templates {
    #[must_use]
    pub fn new(graph: Graph, business_account_id: impl Into<String>) -> Self {
        Self { graph, business_account_id: business_account_id.into() }
    }

    fn path(&self) -> String {
        format!("{}/message_templates", self.business_account_id)
    }
}

#[async_trait]
impl Catalogue for Templates {
    fn takes(&self, kind: Kind) -> bool {
        kind == Kind::MetaTemplate
    }

    async fn list(&self) -> Result<Vec<Held>, Failure> {
        let mut held = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut pairs = vec![("fields", FIELDS), ("limit", PAGE)];
            pairs.extend(after.as_deref().map(|after| ("after", after)));
            let page: Page = self.graph.read(&with_query(&self.path(), &pairs)).await.map_err(failure)?;
            held.extend(page.data.into_iter().map(shown));
            let next = page.paging.filter(|paging| paging.next.is_some());
            match next.and_then(|paging| paging.cursors).and_then(|cursors| cursors.after) {
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                _ => return Ok(held),
            }
        }
        Err(Failure::Unreachable(format!("the list has more than {PAGES_MAX} pages")))
    }

    async fn create(&self, declaration: &Declaration) -> Result<String, Failure> {
        let id = |body: &[u8]| {
            let created: Value = serde_json::from_slice(body).ok()?;
            text(&created["id"])
        };
        match self.graph.create(&self.path(), &template::creation(declaration), id).await {
            Created::Accepted(id) => Ok(id),
            Created::Refused(refusal) => Err(refused(&refusal)),
            Created::Throttled { retry_after, .. } => Err(Failure::Throttled { retry_after }),
            Created::NotSent(why) => Err(Failure::Unreachable(why)),
            Created::TooLate => Err(Failure::Unreachable("there was no connection in time".to_owned())),
            Created::Unknown(cause) => Err(Failure::Unknown(cause.to_string())),
        }
    }

    async fn submit(&self, sid: &str, _: &Declaration) -> Result<Review, Failure> {
        let path = with_query(sid, &[("fields", FIELDS)]);
        let template: Template = self.graph.read(&path).await.map_err(failure)?;
        Ok(shown(template).review)
    }

    async fn delete(&self, sid: &str) -> Result<(), Failure> {
        let path = with_query(sid, &[("fields", "id,name")]);
        let template: Template = match self.graph.read(&path).await {
            Err(GraphError::NotFound) => return Ok(()),
            read => read.map_err(failure)?,
        };
        let path = with_query(&self.path(), &[("hsm_id", sid), ("name", &template.name)]);
        match self.graph.remove(&path).await {
            Err(GraphError::NotFound) => Ok(()),
            removed => removed.map_err(failure),
        }
    }
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Template>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

#[derive(Deserialize)]
struct Template {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    name: String,
    #[serde(default)]
    language: String,
    status: Option<String>,
    category: Option<String>,
    rejected_reason: Option<String>,
    #[serde(default)]
    components: Vec<Value>,
}

fn shown(template: Template) -> Held {
    let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty() && text != "NONE");
    let status = template.status.as_deref().unwrap_or("PENDING");
    Held {
        sid: text(&template.id).unwrap_or_default(),
        friendly_name: canonical::version_in(&template.name).unwrap_or_else(|| template.name.clone()),
        fills: template::fills(&template.language, &template.components),
        language: template.language,
        types: json!({Kind::MetaTemplate.as_str(): fields(&template.components)}),
        variables: std::collections::BTreeMap::new(),
        created_at: None,
        review: Review {
            status: Status::read(status),
            name: template.name,
            category: some(template.category),
            reason: some(template.rejected_reason),
        },
    }
}

/// What the components show of the declaration. Texts with variables are left out: Meta counts these anew.
fn fields(components: &[Value]) -> Value {
    let mut fields = Map::new();
    let is_plain = |text: &&str| !text.contains("{{");
    for component in components {
        let kind = component["type"].as_str().unwrap_or_default().to_ascii_uppercase();
        let key = match kind.as_str() {
            "HEADER" => "header_text",
            "BODY" => "body",
            "FOOTER" => "footer",
            "BUTTONS" => {
                let buttons = component["buttons"].as_array().map_or(&[][..], Vec::as_slice);
                fields.insert("actions".to_owned(), buttons.iter().map(action).collect());
                continue;
            }
            _ => continue,
        };
        if let Some(text) = component["text"].as_str().filter(is_plain) {
            fields.insert(key.to_owned(), json!(text));
        }
    }
    Value::Object(fields)
}

fn action(button: &Value) -> Value {
    let kind = button["type"].as_str().unwrap_or_default().to_ascii_uppercase();
    let mut action = json!({"type": kind});
    for (from, to) in [("text", "title"), ("url", "url"), ("ttl_minutes", "ttl_minutes")] {
        let value = &button[from];
        if !value.is_null() && value.as_str().is_none_or(|text| !text.contains("{{")) {
            action[to] = value.clone();
        }
    }
    action
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn failure(error: GraphError) -> Failure {
    match error {
        GraphError::Rejected(refusal) => refused(&refusal),
        GraphError::RateLimited { retry_after } => Failure::Throttled { retry_after },
        GraphError::NotFound => Failure::Refused { code: None, message: "knows no such resource".to_owned() },
        GraphError::Unreachable(cause) | GraphError::Unexpected(cause) => {
            Failure::Unreachable(cause.to_string())
        }
    }
}

fn refused(refusal: &Refusal) -> Failure {
    if refusal.is_credentials() {
        Failure::Credentials(refusal.to_string())
    } else {
        Failure::Refused { code: refusal.code, message: refusal.to_string() }
    }
}

#[cfg(test)]
#[path = "tests/catalogue.rs"]
mod tests;
