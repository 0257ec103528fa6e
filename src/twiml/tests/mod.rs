//! Shared by the tests of this module: values of a typical attempt, and readers independent of the writer.

mod agents;
mod faults;
mod hosts;
mod proof;
mod rendering;
mod shipped;
mod studio;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use super::*;
use crate::domain::{AgentTarget, Phone};

const SENDER: &str = "+551133334444";
const CONSUMER: &str = "+5511987654321";
const WORKFLOW: &str = "WW0123456789abcdef0123456789abcdef";

fn phone(text: &str) -> Phone {
    Phone::parse(text).unwrap()
}

fn response(inside: &str) -> String {
    format!("<Response>\n{inside}\n</Response>")
}

fn parsed(inside: &str) -> Document {
    Document::parse("inbound-test", &response(inside)).unwrap_or_else(|faults| panic!("{inside}: {faults:?}"))
}

/// Renders a document for a typical attempt, with these variables.
fn filled(document: &Document, variables: &[(&str, &str)]) -> Result<String, RenderError> {
    filled_for(document, variables, Some("client:alice"))
}

fn filled_for(
    document: &Document,
    variables: &[(&str, &str)],
    agent: Option<&str>,
) -> Result<String, RenderError> {
    let lookup = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|&(_, value)| value);
    let agent: Option<AgentTarget> = agent.map(|agent| agent.parse().unwrap());
    let values = Values {
        sender: phone(SENDER),
        consumer: Some(phone(CONSUMER)),
        agent: agent.as_ref(),
        callback: "cb_1",
        attempt: "at_1",
        reference: Some("order <7>"),
        action_url: "https://ring.example/t/tok/action?a=1&b=2",
        leg_status_url: "https://ring.example/t/tok/leg",
        recording_url: "https://ring.example/recording",
        variables: &lookup,
        is_our_sender: &|sender| sender == phone(SENDER),
    };
    let rendered = document.render(&values);
    // The check of an order and the rendering must agree.
    assert_eq!(document.check(&values).is_empty(), rendered.is_ok());
    rendered
}

/// The text between `<Response>` and `</Response>`.
fn inside(rendered: &str) -> &str {
    rendered
        .strip_prefix(r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#)
        .and_then(|rest| rest.strip_suffix("</Response>"))
        .unwrap_or_else(|| panic!("not a response: {rendered}"))
}

/// All element names, attribute values and texts, as another parser reads them.
fn read_back(rendered: &str) -> (Vec<String>, Vec<String>, String) {
    let (mut names, mut values, mut text) = (Vec::new(), Vec::new(), String::new());
    let mut reader = Reader::from_str(rendered);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) | Event::Empty(start) => {
                names.push(start.name().as_ref().to_owned());
                for attribute in start.attributes() {
                    values.push(unescape(&attribute.unwrap().value).unwrap().into_owned());
                }
            }
            Event::Text(found) => text.push_str(&found.into_inner()),
            Event::GeneralRef(found) => text.push_str(&unescape(&format!("&{};", &*found)).unwrap()),
            Event::Eof => return (names, values, text),
            Event::Decl(_) | Event::End(_) => {}
            other => panic!("{other:?} has no place in a rendered document"),
        }
    }
}
