//! Compares the built-in documents with those that Twilio's own libraries build for the same values.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use quick_xml::Reader;
use quick_xml::events::Event;
use ringmaster::domain::{AgentTarget, Phone};
use ringmaster::twiml::{Library, Values};
use serde_json::{Value, json};
use tokio::process::Command;

const SENDER: &str = "+551140000000";
const CONSUMER: &str = "+5511987650001";
const REFERENCE: &str = "a & b <c> \"d\" it's";

fn values() -> Value {
    json!({
        "sender": SENDER,
        "consumer": CONSUMER,
        "client": "alice",
        "sip": "sip:desk@example.com",
        "callback": "cb_1",
        "attempt": "at_1",
        "reference": REFERENCE,
        "action_url": "https://calls.example/a",
        "leg_status_url": "https://calls.example/l",
        "workflow": "WW00000000000000000000000000000000",
        "relay_url": "wss://bot.example/r",
        "greeting": "Olá & welcome",
        "message": "5 < 6 & \"7\" > '2'",
    })
}

fn rendered(name: &str) -> String {
    let values = values();
    let library = Library::embedded();
    let agent: AgentTarget =
        if name == "dial-sip" { "sip:desk@example.com" } else { "client:alice" }.parse().unwrap();
    let document = library.document(name).unwrap_or_else(|| panic!("{name} is not built in"));
    document
        .render(&Values {
            sender: Phone::parse(SENDER).unwrap(),
            consumer: Some(Phone::parse(CONSUMER).unwrap()),
            agent: Some(&agent),
            callback: "cb_1",
            attempt: "at_1",
            reference: Some(REFERENCE),
            action_url: "https://calls.example/a",
            leg_status_url: "https://calls.example/l",
            recording_url: "https://ring.example/recording",
            variables: &|name| values[name].as_str(),
            is_our_sender: &|number| number.e164() == SENDER,
        })
        .unwrap()
}

/// The content of a document: its elements with their attributes in order of name, and its texts. JSON in a text is
/// written without white space.
fn meaning(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let (mut found, mut text) = (Vec::new(), String::new());
    let flush = |text: &mut String, found: &mut Vec<String>| {
        let said = std::mem::take(text);
        let said = said.trim();
        if let Ok(json) = serde_json::from_str::<Value>(said).as_ref()
            && json.is_object()
        {
            found.push(json.to_string());
        } else if !said.is_empty() {
            found.push(said.to_owned());
        }
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                flush(&mut text, &mut found);
                let attributes: BTreeMap<String, String> = start
                    .attributes()
                    .map(|attribute| {
                        let attribute = attribute.unwrap();
                        let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                        (attribute.key.as_ref().to_owned(), value)
                    })
                    .collect();
                found.push(format!("<{} {attributes:?}>", start.name().as_ref()));
            }
            Event::End(end) => {
                flush(&mut text, &mut found);
                found.push(format!("</{}>", end.name().as_ref()));
            }
            Event::Text(part) => text.push_str(&part.xml_content(quick_xml::XmlVersion::Implicit1_0)),
            Event::GeneralRef(entity) => {
                let written = format!("&{};", &*entity);
                text.push_str(&quick_xml::escape::unescape(&written).unwrap());
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

async fn built(program: OsString, script: &str, modules: Option<&str>) -> BTreeMap<String, String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(program);
    command.arg(root.join("tests/clients").join(script)).arg(values().to_string());
    command.args(modules.map(|modules| root.join(modules)));
    let output =
        command.output().await.unwrap_or_else(|why| panic!("run tests/clients/install.sh first: {why}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_same(built: &BTreeMap<String, String>) {
    let shipped: Vec<String> = Library::embedded().names().map(ToOwned::to_owned).collect();
    assert_eq!(built.keys().cloned().collect::<Vec<_>>(), shipped);
    for (name, theirs) in built {
        assert_eq!(meaning(&rendered(name)), meaning(theirs), "{name}");
    }
}

#[tokio::test]
async fn twilios_python_library_builds_the_same_documents() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("RINGMASTER_PYTHON")
        .unwrap_or_else(|| root.join("target/clients/venv/bin/python").into_os_string());
    assert_same(&built(python, "python/documents.py", None).await);
}

#[tokio::test]
async fn twilios_node_library_builds_the_same_documents() {
    let node = std::env::var_os("RINGMASTER_NODE").unwrap_or_else(|| "node".into());
    assert_same(&built(node, "node/documents.mjs", Some("tests/clients/node/node_modules")).await);
}

#[test]
fn a_difference_would_be_seen() {
    let ours = rendered("message");
    assert_ne!(meaning(&ours), meaning(&ours.replace("length=\"1\"", "length=\"2\"")));
    assert_ne!(meaning(&ours), meaning(&ours.replace("5 &lt; 6", "5 &gt; 6")));
    assert_ne!(meaning(&ours), meaning(&ours.replace("<Redirect>", "<Redirect method=\"GET\">")));
}
