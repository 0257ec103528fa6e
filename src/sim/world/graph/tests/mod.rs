//! Tests of the Cloud API through the public interface of the world.

mod callers;
mod laws;
mod messages;
mod templates;
mod webhooks;

use serde_json::{Value, json};

use crate::domain::Phone;
use crate::sim::world::tests::{Room, hours, phone, seconds, setup};
use crate::sim::world::{
    ApiRequest, AppSetup, BusinessAccountSetup, Client, Habit, Law, NumberSetup, Origin, Restriction, Setup,
    TemplateSetup, Webhook,
};

const APP: &str = "670843887433847";
const SECRET: &str = "the-secret-of-the-app";
const TOKEN: &str = "EAAJB-the-token";
const ACCOUNT: &str = "102290129340398";
const NUMBER_ID: &str = "106540352242922";
/// A number that is only at Meta.
const NUMBER: &str = "+551140000009";
/// The ending 07 means that the consumer ignores requests and follows invites.
const FOLLOWS: &str = "+5511987650007";
const URL: &str = "https://d.example/hooks/meta/cloud";

fn call_template(name: &str) -> TemplateSetup {
    TemplateSetup {
        name: name.to_owned(),
        language: "en".to_owned(),
        category: "UTILITY".to_owned(),
        components: json!([
            {"type": "BODY", "text": "Hello {{1}}, call us", "example": {"body_text": [["Ana"]]}},
            {"type": "BUTTONS", "buttons": [{"type": "voice_call", "text": "Call now"}]},
        ]),
    }
}

fn at_meta() -> Setup {
    let mut setup = setup();
    let number = NumberSetup::new(NUMBER_ID, phone(NUMBER));
    let mut account = BusinessAccountSetup::new(ACCOUNT, vec![number]);
    account.templates.push(call_template("call_us"));
    let mut app = AppSetup::new(APP, SECRET, TOKEN);
    app.webhook_url = Some(URL.to_owned());
    app.verify_token = "chosen".to_owned();
    app.business_accounts.push(account);
    setup.graph.apps.push(app);
    setup
}

fn room() -> Room {
    Room::with(at_meta())
}

impl Room {
    fn graph_as(&mut self, token: &str, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = ApiRequest {
            method: method.to_owned(),
            path: format!("/v25.0/{path}"),
            query: query.to_owned(),
            authorization: Some(format!("Bearer {token}")),
            content_type: Some("application/json".to_owned()),
            body: body.to_string().into_bytes(),
            origin: "https://graph.facebook.com".to_owned(),
        };
        let response = self.world.serve(self.now, &request);
        (response.status, serde_json::from_str(&response.body).unwrap_or_default())
    }

    fn graph(&mut self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        self.graph_as(TOKEN, method, target, body)
    }

    /// Sends a message to a consumer; `more` has the type and its content.
    fn message(&mut self, consumer: &str, more: &Value) -> (u16, Value) {
        let mut body =
            json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": consumer});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.graph("POST", &format!("{NUMBER_ID}/messages"), &body)
    }

    /// The id of a message that has to be taken.
    fn sent(&mut self, consumer: &str, more: &Value) -> String {
        let (status, answer) = self.message(consumer, more);
        assert_eq!(status, 200, "{answer}");
        answer["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The code of a message that has to be refused.
    fn refused(&mut self, consumer: &str, more: &Value) -> (u16, u64) {
        let (status, answer) = self.message(consumer, more);
        assert_ne!(status, 200, "{more}");
        (status, answer["error"]["code"].as_u64().unwrap())
    }

    fn writes(&mut self, consumer: &str) {
        self.world.consumer_writes(self.now, phone(NUMBER), phone(consumer), "hello");
    }

    /// The bodies of all webhooks of Meta's so far.
    fn told(&self) -> Vec<Value> {
        let metas = self.metas();
        metas.iter().filter_map(|webhook| serde_json::from_str(&webhook.json).ok()).collect()
    }

    fn metas(&self) -> Vec<Webhook> {
        let metas = self.seen.iter().filter(|(_, webhook)| webhook.origin == Origin::Meta);
        metas.map(|(_, webhook)| webhook.clone()).collect()
    }

    /// All items of a list in the values of all changes.
    fn items(&self, list: &str) -> Vec<Value> {
        let bodies = self.told();
        let entries = bodies.iter().flat_map(|body| body["entry"].as_array().cloned().unwrap_or_default());
        let changes = entries.flat_map(|entry| entry["changes"].as_array().cloned().unwrap_or_default());
        changes.flat_map(|change| change["value"][list].as_array().cloned().unwrap_or_default()).collect()
    }

    /// The states of a message so far.
    fn states(&self, id: &str) -> Vec<String> {
        let own = self.items("statuses").into_iter().filter(|status| status["id"] == id);
        own.map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }

    /// The code with which a message failed.
    fn failure(&self, id: &str) -> Option<u64> {
        let failed = self.items("statuses").into_iter().find(|it| it["id"] == id && it["status"] == "failed");
        failed.map(|status| status["errors"][0]["code"].as_u64().unwrap())
    }
}

fn text(body: &str) -> Value {
    json!({"type": "text", "text": {"body": body}})
}

fn button(parameters: &Value) -> Value {
    json!({"type": "interactive", "interactive": {"type": "voice_call", "body": {"text": "Call us"},
        "action": {"name": "voice_call", "parameters": parameters}}})
}

fn template(name: &str, button: &Value) -> Value {
    let mut components = vec![json!({"type": "body", "parameters": [{"type": "text", "text": "Ana"}]})];
    if !button.is_null() {
        components.push(json!({"type": "button", "sub_type": "voice_call", "parameters": button}));
    }
    json!({"type": "template",
        "template": {"name": name, "language": {"code": "en"}, "components": components}})
}
