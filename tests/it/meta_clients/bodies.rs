//! Bodies that the daemon sends, made by the daemon's own code, and the same with one fault each.
//!
//! A fault is put in afterwards: the daemon's code does not make such bodies.

use std::collections::BTreeMap;

use ringmaster::content::{Folder, template as declared};
use ringmaster::messenger::messages as page;
use ringmaster::meta::messages::{self, Header, Parameter, Template, Values, Words};
use serde_json::{Value, json};

use super::{ACCOUNT, NUMBER, OTHER, PAGE, PAGE_TOKEN, TOKEN, phone};

/// The components of the template `ours`.
pub(super) fn template() -> Value {
    json!([
        {"type": "BODY", "text": "Your order is ready, {{first}}.", "example": {"body_text_named_params": []}},
        {"type": "BUTTONS", "buttons": [{"type": "voice_call", "text": "Call"}]},
    ])
}

struct List {
    psid: String,
    items: Vec<Value>,
    made: u32,
}

/// All bodies, each with what it is, its schema, where it goes, and whether it is valid.
pub(super) fn all(psid: &str) -> Value {
    let mut list = List { psid: psid.to_owned(), items: Vec::new(), made: 0 };
    list.plain();
    list.voice_calls();
    list.templates();
    list.creations();
    list.audio_calls();
    Value::Array(list.items)
}

fn message(words: &Words) -> Value {
    let values = Values {
        variables: &BTreeMap::from([("first".to_owned(), "Ana".to_owned())]),
        link: Some("https://wa.me/call/551140000000?biz_payload=abc".to_owned()),
        payload: Some("abc".to_owned()),
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
        ends_at: None,
    };
    messages::body(phone(OTHER), "a-token", words, &values).unwrap()
}

impl List {
    fn add(
        &mut self,
        what: &str,
        schema: Option<&str>,
        (path, token): (String, &str),
        body: Value,
        valid: bool,
    ) {
        self.items.push(json!({
            "what": what, "schema": schema, "path": path, "token": token, "body": body, "valid": valid,
        }));
    }

    fn message(&mut self, what: &str, schema: Option<&str>, body: Value, valid: bool) {
        self.add(what, schema, (format!("{NUMBER}/messages"), TOKEN), body, valid);
    }

    fn plain(&mut self) {
        let text = Words::Text { body: "Call us: {{link}}".into() };
        self.message("text", None, message(&text), true);
        let url = Words::CtaUrl {
            header: Some(Header::Image("https://shop.example/a.png".into())),
            body: "See it".into(),
            footer: Some("Shop".into()),
            display_text: "See".into(),
            url: "https://shop.example/".into(),
        };
        self.message("cta_url", None, message(&url), true);
        let request = Words::PermissionRequest { body: Some("May we call?".into()) };
        self.message("call_permission_request", None, message(&request), true);
    }

    fn voice_calls(&mut self) {
        let words = Words::VoiceCall {
            body: "Call us".into(),
            display_text: Some("Call now".into()),
            ttl_minutes: Some(100),
        };
        let base = message(&words);
        self.message("voice_call", Some("voice_call"), base.clone(), true);
        let parameters = "/interactive/action/parameters";
        for (field, value, valid) in [
            ("ttl_minutes", json!(1), true),
            ("ttl_minutes", json!(43_200), true),
            ("ttl_minutes", json!(0), false),
            ("ttl_minutes", json!(43_201), false),
            ("ttl_minutes", json!("100"), false),
            ("payload", json!("x".repeat(512)), true),
            ("payload", json!("x".repeat(513)), false),
            ("payload", json!(7), false),
            ("display_text", json!("x".repeat(20)), true),
            ("display_text", json!("x".repeat(21)), false),
        ] {
            let body = with(&base, parameters, field, value);
            self.message(&format!("voice_call with another {field}"), Some("voice_call"), body, valid);
        }
        let long = with(&base, "/interactive/body", "text", json!("x".repeat(1_025)));
        self.message("voice_call with a long body", Some("voice_call"), long, false);
        let header = with(&base, "/interactive", "header", json!({"type": "text", "text": "Hello"}));
        self.message("voice_call with a header", Some("voice_call"), header, false);
    }

    fn templates(&mut self) {
        let words = Words::Template(Template {
            name: "ours".into(),
            language: "en".into(),
            header: Vec::new(),
            body: vec![Parameter { name: Some("first".into()), text: "{{first}}".into() }],
            voice_call: Some(100),
            url_button: None,
        });
        let base = message(&words);
        let schema = Some("template_voice_call");
        self.message("template", schema, base.clone(), true);
        let parameters = "/template/components/1/parameters";
        assert_eq!(base.pointer(parameters).unwrap()[0]["type"], "ttl_minutes");
        for (index, field, value, valid) in [
            ("0", "ttl_minutes", json!(1), true),
            ("0", "ttl_minutes", json!(43_200), true),
            ("0", "ttl_minutes", json!(0), false),
            ("0", "ttl_minutes", json!(43_201), false),
            ("1", "payload", json!("x".repeat(512)), true),
            ("1", "payload", json!("x".repeat(513)), false),
        ] {
            let body = with(&base, &format!("{parameters}/{index}"), field, value);
            self.message(&format!("template with another {field}"), schema, body, valid);
        }
    }

    fn creations(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("call_us.toml"), CALL_US).unwrap();
        let folder = Folder::load(folder.path()).unwrap();
        let base = declared::creation(folder.declaration("call_us").unwrap());
        self.creation("creation", base.clone(), true);
        let buttons = base["components"].as_array().unwrap().len() - 1;
        let button = format!("/components/{buttons}/buttons/0");
        for (field, value, valid) in [
            ("ttl_minutes", json!(1_440), true),
            ("ttl_minutes", json!(43_200), true),
            ("ttl_minutes", json!(1_439), false),
            ("ttl_minutes", json!(43_201), false),
            ("text", json!("x".repeat(20)), true),
            ("text", json!("x".repeat(21)), false),
        ] {
            self.creation(
                &format!("creation with another {field}"),
                with(&base, &button, field, value),
                valid,
            );
        }
        let twice = base.pointer(&button).unwrap().clone();
        let mut two = base;
        two["components"][buttons]["buttons"].as_array_mut().unwrap().push(twice);
        self.creation("creation with two call buttons", two, false);
    }

    /// A name is created once.
    fn creation(&mut self, what: &str, mut body: Value, valid: bool) {
        self.made += 1;
        body["name"] = json!(format!("{}_{}", body["name"].as_str().unwrap(), self.made));
        let path = format!("{ACCOUNT}/message_templates");
        self.add(what, Some("template_creation"), (path, TOKEN), body, valid);
    }

    fn audio_calls(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("button.toml"), BUTTON).unwrap();
        std::fs::write(folder.path().join("card.toml"), CARD).unwrap();
        let folder = Folder::load(folder.path()).unwrap();
        let variables = BTreeMap::from([("first".to_owned(), "Ana".to_owned())]);
        let body = |name: &str| {
            let values = page::Values {
                variables: &variables,
                link: None,
                payload: None,
                now: "2026-11-20T12:00:00Z".parse().unwrap(),
                ends_at: None,
            };
            page::body(&self.psid.parse().unwrap(), folder.declaration(name).unwrap(), &values).unwrap()
        };
        let (button, card) = (body("button"), body("card"));
        self.at_page("audio_call in a button template", button.clone(), true);
        self.at_page("audio_call in a card", card.clone(), true);
        let payload = "/message/attachment/payload";
        let first = format!("{payload}/buttons/0");
        for (path, field, value, valid) in [
            (first.as_str(), "expires_in_days", json!(1), true),
            (&first, "expires_in_days", json!(7), true),
            (&first, "expires_in_days", json!(0), false),
            (&first, "expires_in_days", json!(8), false),
            (&first, "expires_in_days", json!("7"), false),
            (&first, "title", json!("x".repeat(20)), true),
            (&first, "title", json!("x".repeat(21)), false),
            (&first, "type", json!("voice_call"), false),
            (payload, "text", json!("x".repeat(640)), true),
            (payload, "text", json!("x".repeat(641)), false),
            (payload, "buttons", json!([]), false),
            (payload, "buttons", json!(vec![button.pointer(&first).unwrap().clone(); 4]), false),
        ] {
            self.at_page(
                &format!("audio_call with another {field}"),
                with(&button, path, field, value),
                valid,
            );
        }
        let element = card.pointer(&format!("{payload}/elements/0")).unwrap().clone();
        for (count, valid) in [(10, true), (11, false)] {
            let cards = with(&card, payload, "elements", json!(vec![element.clone(); count]));
            self.at_page(&format!("audio_call in {count} cards"), cards, valid);
        }
        let alone = with(&card, payload, "elements", json!([{"title": "alone"}]));
        self.at_page("a card with a title alone", alone, false);
    }

    fn at_page(&mut self, what: &str, body: Value, valid: bool) {
        self.add(what, Some("audio_call"), (format!("{PAGE}/messages"), PAGE_TOKEN), body, valid);
    }
}

/// The same with one field of one object replaced.
fn with(base: &Value, path: &str, field: &str, value: Value) -> Value {
    let mut changed = base.clone();
    changed.pointer_mut(path).unwrap()[field] = value;
    changed
}

const CALL_US: &str = r#"
name = "call_us"
language = "en"
category = "UTILITY"
approval = "whatsapp"
type = "meta/template"
body = "Dear {{first}}, your order is ready."

[[actions]]
type = "VOICE_CALL"
title = "Call now"
ttl_minutes = 10080

[[actions]]
type = "URL"
title = "See it"
url = "https://shop.example/orders"

[variables]
first = "Ana"
"#;

const BUTTON: &str = r#"
name = "button"
language = "en"
approval = "none"
type = "messenger/button"
body = "Your order is ready, {{first}}"

[[actions]]
type = "AUDIO_CALL"
title = "Call now"
expires_in_days = 5

[variables]
first = "Ana"
"#;

const CARD: &str = r#"
name = "card"
language = "en"
approval = "none"
type = "messenger/generic"

[[elements]]
title = "Your order is ready, {{first}}"
subtitle = "We are here until 18:00"

[[elements.actions]]
type = "AUDIO_CALL"
title = "Call now"

[[elements.actions]]
type = "WEB_URL"
title = "See it"
url = "https://shop.example/orders"

[variables]
first = "Ana"
"#;
