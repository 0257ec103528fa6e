//! Twilio's OpenAPI specification of Content and Senders as the judge of our requests and of the sandbox's answers.
//!
//! `tests/clients/install.sh` takes the specification from a package that carries it; `RINGMASTER_TWILIO_OAI` names another
//! folder. `tests/clients/node/openapi.mjs` compares. Each exchange is made by our own client; the broken ones are made of
//! these afterwards, one fault each, so that a judge that finds nothing is found.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use ringmaster::clock::Clock as _;
use ringmaster::content::apply::{apply, delete};
use ringmaster::domain::Phone;
use ringmaster::sim::world::{AccountSetup, SenderSetup, Setup};
use ringmaster::sim::{InProcess, World};
use ringmaster::transport::Body;
use ringmaster::twilio::{Account, Basic, Client, Request, Response, Transport, TransportError};
use serde_json::{Value, json};

use crate::clients::{Script, path};
use crate::content::{Jumping, declared};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

/// Keeps the exchanges with the Content API and the Senders API.
struct Recorder {
    inner: InProcess,
    exchanges: Arc<Mutex<Vec<Value>>>,
}

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (method, url) = (request.method.clone(), url::Url::parse(&request.url).unwrap());
        let body = match &request.body {
            Body::Json(bytes) => serde_json::from_slice(bytes).unwrap(),
            Body::Form(fields) => json!(fields),
            Body::None => Value::Null,
        };
        let response = self.inner.send(request).await?;
        if url.path().starts_with("/v1/Content") || url.path().starts_with("/v2/Channels/") {
            let answer: Value = match response.body.is_empty() {
                true => Value::Null,
                false => serde_json::from_slice(&response.body).unwrap(),
            };
            let exchange = json!({
                "what": "ours", "method": method.as_str(), "path": url.path(),
                "query": url.query().unwrap_or_default(), "request": body, "status": response.status,
                "response": answer, "valid": true,
            });
            self.exchanges.lock().unwrap().push(exchange);
        }
        Ok(response)
    }
}

/// A declaration of a type with its texts and actions.
fn declaration(name: &str, kind: &str, approval: &str, texts: &str, actions: &str) -> String {
    format!(
        "name = \"{name}\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"{approval}\"\n\
         type = \"{kind}\"\n{texts}\n{actions}"
    )
}

fn action(kind: &str, more: &str) -> String {
    format!("[[actions]]\ntype = \"{kind}\"\ntitle = \"Do it\"\n{more}\n")
}

/// Every type with every action that it takes.
fn declarations() -> Vec<String> {
    let call = action("VOICE_CALL", "ttl_minutes = 1440");
    let url = action("URL", "url = \"https://shop.example/a\"");
    let phone = action("PHONE_NUMBER", "phone = \"+14155552671\"");
    let code = action("COPY_CODE", "code = \"AB12\"");
    let reply = action("QUICK_REPLY", "id = \"later\"");
    let ask = action("VOICE_CALL_REQUEST", "");
    let body = "body = \"Please call us.\"";
    let (cta, card) = ("twilio/call-to-action", "whatsapp/card");
    let whole = "header_text = \"News\"\nbody = \"Dear {{1}}, please call us.\"\nfooter = \"Shop\"";
    let variables = "[variables]\n1 = \"Ana\"\n";
    vec![
        declaration("plain", "twilio/text", "none", body, ""),
        declaration("ask", cta, "none", body, &ask),
        declaration("ways", cta, "whatsapp", body, &format!("{url}{phone}")),
        declaration("code", cta, "whatsapp", body, &code),
        declaration("call", cta, "whatsapp", body, &call),
        declaration("card", card, "whatsapp", whole, &format!("{call}{variables}")),
        declaration(
            "picture",
            card,
            "whatsapp",
            &format!("{body}\nmedia = [\"https://shop.example/a.png\"]"),
            &url,
        ),
        declaration("reply", card, "none", body, &reply),
        declaration("twilios", "twilio/card", "none", "title = \"Shop\"\nsubtitle = \"Call us\"", &phone),
    ]
}

/// All that the commands ask about content and senders.
async fn exchanges() -> Vec<Value> {
    let mut account = AccountSetup::new(ACCOUNT, "secret");
    account.senders.push(SenderSetup::new(Phone::parse("+551151991234").unwrap()));
    let world = Arc::new(Mutex::new(World::new(Setup::new(5, vec![account]))));
    let clock = Jumping::at("2026-11-20T12:00:00Z");
    let exchanges: Arc<Mutex<Vec<Value>>> = Arc::default();
    let inner = InProcess::new(world, clock.0.clone());
    let transport = Arc::new(Recorder { inner, exchanges: exchanges.clone() });
    let client = Client::new(transport, Account::new(ACCOUNT, Basic::new(ACCOUNT, "secret".to_owned())));

    let declared: Vec<_> = declarations().iter().map(|source| declared(source)).collect();
    apply(&client, &declared, &clock, |_, _| {}).await.unwrap();
    clock.0.set(clock.0.now() + SignedDuration::from_hours(1));
    let held = client.list_content_and_approvals().await.unwrap();
    assert_eq!(held.len(), declared.len());
    assert_eq!(client.list_content().await.unwrap().len(), declared.len());
    client.fetch_content(&held[0].sid).await.unwrap();
    delete(&client, &clock, &held[0].sid).await.unwrap();

    let sender = client.list_senders().await.unwrap().remove(0).sid.unwrap();
    client.set_message_webhook(&sender, "https://calls.example.com/hooks/messages").await.unwrap();
    clock.0.set(clock.0.now() + SignedDuration::from_hours(1));
    client.fetch_sender(&sender).await.unwrap();
    client.set_voice_application(&sender, None).await.unwrap();
    std::mem::take(&mut exchanges.lock().unwrap())
}

/// The first exchange of a method and a path, with one fault.
fn broken(all: &[Value], what: &str, (method, path): (&str, &str), fault: impl Fn(&mut Value)) -> Value {
    let found =
        all.iter().find(|one| one["method"] == method && one["path"].as_str().unwrap().contains(path));
    let mut broken = found.unwrap_or_else(|| panic!("{method} {path} is asked")).clone();
    fault(&mut broken);
    broken["what"] = json!(what);
    broken["valid"] = json!(false);
    broken
}

fn all_broken(all: &[Value]) -> Vec<Value> {
    let (creates, senders) = (("POST", "/v1/Content"), ("POST", "/v2/Channels/Senders/"));
    let change = |what: &str, at: (&str, &str), pointer: &'static str, value: Value| {
        broken(all, what, at, |one| *one.pointer_mut(pointer).unwrap() = value.clone())
    };
    vec![
        broken(all, "no language", creates, |one| {
            one["request"].as_object_mut().unwrap().remove("language");
        }),
        broken(all, "an unknown field", creates, |one| one["request"]["friendlyName"] = json!("a")),
        broken(all, "an unknown type", creates, |one| one["request"]["types"]["twilio/button"] = json!({})),
        broken(all, "an unknown field of a type", creates, |one| {
            one["request"]["types"]["twilio/text"]["header"] = json!("a");
        }),
        change("a text that is none", creates, "/request/types/twilio~1text/body", json!(7)),
        change("an undocumented status", creates, "/status", json!(200)),
        change(
            "a SID of something else",
            creates,
            "/response/sid",
            json!("CA00000000000000000000000000000001"),
        ),
        broken(all, "an unknown field in the answer", creates, |one| one["response"]["name"] = json!("a")),
        broken(all, "no category", ("POST", "/ApprovalRequests/"), |one| {
            one["request"].as_object_mut().unwrap().remove("category");
        }),
        change("too large a page", ("GET", "/v1/ContentAndApprovals"), "/query", json!("PageSize=5001")),
        change("an unknown parameter", ("GET", "/v1/ContentAndApprovals"), "/query", json!("Size=5")),
        change("no channel", ("GET", "/v2/Channels/Senders"), "/query", json!("PageSize=100")),
        broken(all, "an unknown field of a sender", senders, |one| one["request"]["voice"] = json!({})),
        change("an unknown method", senders, "/request/webhook/callback_method", json!("GET")),
        change("an unknown status of a sender", senders, "/response/status", json!("AWAY")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_and_senders_are_asked_and_answered_as_twilios_specification_says() {
    let mut all = exchanges().await;
    all.extend(all_broken(&all));
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("exchanges.json");
    std::fs::write(&file, Value::Array(all).to_string()).unwrap();
    let spec = path("RINGMASTER_TWILIO_OAI", "target/clients/twilio-oai");
    assert!(PathBuf::from(&spec).is_dir(), "run tests/clients/install.sh first");
    Script::node("openapi.mjs", "ajv").arg("--spec", spec).arg("--exchanges", &file).succeeds().await;
}
