//! Rules about several parts of one element, which the vocabulary cannot express.

use crate::domain::Phone;

use super::compile::Program;
use super::fault::{Fault, Rule};
use super::parse::Element;

/// The prefix of a WhatsApp number in `callerId`. The content of `<WhatsApp>` has no prefix.
const CHANNEL: &str = "whatsapp:";

pub(super) fn check(element: &Element, faults: &mut Vec<Fault>) {
    let line = element.line;
    let mut fault = |rule, message: &str| faults.push(Fault::new(line, rule, message));
    let closed = element.closed;
    let children = element.elements().count();
    match element.name.as_str() {
        "Response" if closed && children == 0 && element.text().is_none() => {
            fault(Rule::Content, "<Response> is empty; if the call is to end, write <Hangup/>");
        }
        "Dial" => dial(element, faults),
        "Enqueue" => match (element.attribute("workflowSid").is_some(), element.text().is_some()) {
            (true, true) => fault(Rule::Content, "<Enqueue> takes a queue's name or a workflowSid, not both"),
            (false, false) if closed => {
                fault(Rule::Content, "<Enqueue> needs a queue's name, or a workflowSid and a <Task>");
            }
            (false, _) if children > 0 => fault(Rule::Content, "<Task> needs a workflowSid on its <Enqueue>"),
            (true, _) if children > 1 => fault(Rule::Content, "<Enqueue> takes one <Task>"),
            _ => {}
        },
        "Play" => match (element.attribute("digits").is_some(), element.text().is_some()) {
            (false, false) if closed => fault(Rule::Content, "<Play> needs a media URL or digits"),
            (true, true) => fault(Rule::Content, "<Play> needs a media URL or digits, not both"),
            _ => {}
        },
        "Client" => {
            let identities = element.elements().filter(|child| child.name == "Identity").count();
            match (element.text().is_some(), identities) {
                (false, 0) if closed => {
                    fault(Rule::Content, "<Client> needs a client's name or an <Identity>")
                }
                (true, 1..) | (false, 2..) => fault(Rule::Content, "<Client> takes exactly one name"),
                (true, 0) if children > 0 => {
                    fault(Rule::Content, "<Client> with a <Parameter> takes its name in an <Identity>");
                }
                _ => {}
            }
        }
        "Connect" if closed && children != 1 => {
            fault(Rule::Content, "<Connect> connects with exactly one noun")
        }
        "Start" | "Stop" if closed && children == 0 => fault(Rule::Content, "<Start> or <Stop> needs a noun"),
        "Queue" if element.text().is_none() && element.attribute("reservationSid").is_none() && closed => {
            fault(Rule::Content, "<Queue> needs a queue's name or a reservationSid");
        }
        "Start" | "Connect" => {
            for stream in element.elements().filter(|c| c.name == "Stream" && c.attribute("url").is_none()) {
                let message = "<Stream> needs the attribute url: it is where the media goes";
                faults.push(Fault::new(stream.line, Rule::MissingAttribute, message));
            }
        }
        _ => {}
    }
}

fn dial(dial: &Element, faults: &mut Vec<Fault>) {
    let mut fault = |line, rule, message: &str| faults.push(Fault::new(line, rule, message));
    let nouns: Vec<&str> = dial.elements().map(|noun| noun.name.as_str()).collect();
    if nouns.is_empty() && dial.text().is_none() && dial.closed {
        fault(dial.line, Rule::Content, "<Dial> has no noun to dial");
    }
    for alone in ["Conference", "Queue"] {
        if nouns.len() > 1 && nouns.contains(&alone) {
            fault(dial.line, Rule::Nesting, &format!("<{alone}> must be alone in its <Dial>"));
        }
    }
    let Some(whatsapp) = dial.elements().find(|noun| noun.name == "WhatsApp") else { return };
    if nouns.iter().any(|&noun| noun != "WhatsApp") {
        fault(
            whatsapp.line,
            Rule::WhatsApp,
            "<WhatsApp> must be alone in its <Dial>: if another noun answered first, the consumer's phone would \
             ring for nothing",
        );
    }
    match dial.attribute("callerId") {
        None => fault(
            dial.line,
            Rule::CallerId,
            "<Dial> with <WhatsApp> needs callerId=\"whatsapp:{{sender}}\": Twilio rejects the leg without it",
        ),
        Some(caller) if caller.value == "whatsapp:{{sender}}" || literal_sender(&caller.value).is_some() => {}
        Some(caller) => fault(
            caller.line,
            Rule::CallerId,
            "the caller of a <WhatsApp> leg is whatsapp:{{sender}}, or whatsapp: and a sender's number as E.164",
        ),
    }
}

/// Keeps literal numbers, which rendering compares with those of the attempt.
pub(super) fn note_numbers(element: &Element, program: &mut Program) {
    match element.name.as_str() {
        "WhatsApp" => program.consumer = element.text().and_then(|(text, _)| Phone::parse(text.trim()).ok()),
        "Dial" if element.elements().any(|noun| noun.name == "WhatsApp") => {
            program.sender = element.attribute("callerId").and_then(|caller| literal_sender(&caller.value));
        }
        _ => {}
    }
}

fn literal_sender(caller: &str) -> Option<Phone> {
    caller.strip_prefix(CHANNEL).and_then(|number| Phone::parse(number).ok())
}
