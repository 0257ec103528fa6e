//! What a document reports about a consumer who answered, so that only one who was served counts as reached.
//!
//! A document without reports is accepted with a warning. Then every answer counts as served, because a consumer who was
//! served must not be called again.

use super::fault::{Fault, Rule};
use super::library::{APOLOGY, CANCELED};
use super::parse::Element;
use crate::domain::Proof;

const ACTION: &str = "{{action_url}}";
const LEG: &str = "{{leg_status_url}}";

/// What the document reports. Adds a warning for each place where a report is missing.
pub(super) fn of(name: &str, root: &Element, faults: &mut Vec<Fault>) -> Proof {
    let verbs: Vec<&Element> = root.elements().collect();
    let is = |verb: &Element, names: &[&str]| names.contains(&verb.name.as_str());
    let dials_consumer = |verb: &Element| verb.elements().any(|noun| noun.name == "WhatsApp");
    if verbs.iter().any(|verb| dials_consumer(verb)) {
        return Proof::Answer;
    }
    if verbs.iter().any(|verb| is(verb, &["Connect"])) {
        return Proof::Bot;
    }
    let connecting = || verbs.iter().filter(|verb| is(verb, &["Dial", "Enqueue"]));
    let silent: Vec<_> = connecting().filter(|verb| !reports(verb)).collect();
    let ends = verbs.last().is_some_and(|verb| asks_for_action(verb))
        && !verbs.iter().rev().skip(1).any(|verb| is(verb, &["Hangup", "Reject", "Leave", "Redirect"]));
    let is_ordered = !is_unordered(name);
    let mut warn = |line, message: &str| {
        if is_ordered {
            faults.push(Fault::warning(line, Rule::Unproved, message));
        }
    };
    for verb in &silent {
        let message = "neither action=\"{{action_url}}\" nor, on each <Client> or <Sip>, \
                       statusCallback=\"{{leg_status_url}}\": nothing tells whether the consumer was connected, so an \
                       answer counts as reached";
        warn(verb.line, &format!("<{}> has {message}", verb.name));
    }
    match (connecting().next(), silent.is_empty()) {
        (Some(_), true) => Proof::Bridge,
        (Some(_), false) => Proof::Answer,
        (None, _) if ends => Proof::Playback,
        (None, _) => {
            let message = "the document does not end with <Redirect>{{action_url}}</Redirect>: nothing tells whether \
                           it was played to its end, so an answer counts as reached";
            warn(verbs.last().map_or(root.line, |verb| verb.line), message);
            Proof::Answer
        }
    }
}

/// Whether no order names the document: Ringmaster serves it by itself, and it needs no report.
pub fn is_unordered(name: &str) -> bool {
    name == APOLOGY || name == CANCELED || name.starts_with("inbound")
}

fn asks_for_action(verb: &Element) -> bool {
    verb.name == "Redirect" && verb.text().is_some_and(|(text, _)| text.trim() == ACTION)
}

/// Whether the end of a connecting verb is reported, or the answer of each leg to an agent.
fn reports(verb: &Element) -> bool {
    let has = |element: &Element, name: &str, wanted: &str| {
        element.attribute(name).is_some_and(|attribute| attribute.value.trim() == wanted)
    };
    let tells = |noun: &Element| {
        let events = noun.attribute("statusCallbackEvent").map(|events| events.value.as_str());
        matches!(noun.name.as_str(), "Client" | "Sip")
            && has(noun, "statusCallback", LEG)
            && events.is_none_or(|events| events.contains("answered") || events.contains("completed"))
    };
    has(verb, "action", ACTION) || verb.elements().next().is_some() && verb.elements().all(tells)
}
