//! The agents that a document dials, with their placeholders.

use super::parse::Element;
use super::placeholder::{Builtin, Name, Piece, split};
use crate::domain::{Noun, NounKind, Part};

/// The nouns of `<Connect>` that let a program speak with the consumer (TwiML pages of Stream, ConversationRelay and
/// VirtualAgent, read November 2025).
const BOTS: [&str; 5] =
    ["Stream", "ConversationRelay", "ConversationRelaySession", "AiSession", "VirtualAgent"];

/// The agents of each `<Dial>` that has any.
pub(super) fn dials(root: &Element) -> Vec<Vec<Noun>> {
    let dials = root.elements().filter(|verb| verb.name == "Dial");
    let nouns = dials.map(|dial| dial.elements().filter_map(noun).collect::<Vec<Noun>>());
    nouns.filter(|nouns| !nouns.is_empty()).collect()
}

/// Whether the document hands the call to a bot.
pub(super) fn has_bot(root: &Element) -> bool {
    let connects = root.elements().filter(|verb| verb.name == "Connect");
    connects.flat_map(Element::elements).any(|noun| BOTS.contains(&noun.name.as_str()))
}

/// Whether the document records the call: with `<Record>`, `<Recording>`, or `record` on a `<Dial>` or a `<Conference>`.
pub(super) fn records(element: &Element) -> bool {
    let is_on = |value: &str| !matches!(value, "do-not-record" | "false");
    matches!(element.name.as_str(), "Record" | "Recording")
        || element.attribute("record").is_some_and(|record| is_on(&record.value))
        || element.elements().any(records)
}

/// The agent of a `<Client>` (its own text, or that of its `<Identity>`) or a `<Sip>`.
fn noun(element: &Element) -> Option<Noun> {
    let identity = element.elements().find(|child| child.name == "Identity");
    let kind = match element.name.as_str() {
        "Client" => NounKind::Client,
        "Sip" => NounKind::Sip,
        _ => return None,
    };
    let (text, _) = identity.unwrap_or(element).text()?;
    // A malformed placeholder is reported elsewhere.
    let parts = split(text.trim()).ok()?.into_iter().map(part).collect();
    Some(Noun { kind, parts })
}

fn part(piece: Piece) -> Part {
    match piece {
        Piece::Literal(text) => Part::Text(text),
        Piece::Slot(Name::Variable(name)) => Part::Variable(name.into()),
        Piece::Slot(Name::Builtin(builtin)) => match builtin {
            Builtin::Sender => Part::Sender,
            Builtin::Consumer => Part::Consumer,
            Builtin::Agent => Part::Agent,
            Builtin::Callback => Part::Callback,
            Builtin::Reference => Part::Reference,
            // The URLs contain the attempt.
            Builtin::Attempt | Builtin::ActionUrl | Builtin::LegStatusUrl | Builtin::RecordingUrl => {
                Part::Attempt
            }
        },
    }
}
