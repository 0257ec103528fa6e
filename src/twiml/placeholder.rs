//! Placeholders, `{{name}}`: the built-in names, and splitting a text at its placeholders.

/// A name whose value Ringmaster supplies. Other names are variables of the callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Builtin {
    Sender,
    Consumer,
    Agent,
    Callback,
    Attempt,
    Reference,
    ActionUrl,
    LegStatusUrl,
    RecordingUrl,
}

/// The built-in names with a description of their values.
pub const BUILTINS: &[(Builtin, &str, &str)] = &[
    (Builtin::Sender, "sender", "the number of the sender, as E.164"),
    (Builtin::Consumer, "consumer", "the number of the consumer, as E.164"),
    (Builtin::Agent, "agent", "the agent's address: client:NAME or sip:USER@HOST"),
    (Builtin::Callback, "callback", "the id of the callback, cb_ and 32 digits"),
    (Builtin::Attempt, "attempt", "the id of the attempt, at_ and 32 digits"),
    (
        Builtin::Reference,
        "reference",
        "the customer's own reference for the callback; empty if there is none",
    ),
    (
        Builtin::ActionUrl,
        "action_url",
        "where Twilio reports how a connecting verb ended, or that the document was played",
    ),
    (Builtin::LegStatusUrl, "leg_status_url", "where Twilio reports on the leg that the document dials"),
    (Builtin::RecordingUrl, "recording_url", "where Twilio reports on a recording of the call"),
];

impl Builtin {
    pub(super) fn named(name: &str) -> Option<Self> {
        BUILTINS.iter().find(|(_, known, _)| *known == name).map(|&(builtin, ..)| builtin)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        BUILTINS.iter().find(|(builtin, ..)| *builtin == self).map_or("", |(_, name, _)| name)
    }

    pub(super) const fn is_url(self) -> bool {
        matches!(self, Self::ActionUrl | Self::LegStatusUrl | Self::RecordingUrl)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Builtin(Builtin),
    Variable(Box<str>),
}

impl Name {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Builtin(builtin) => builtin.name(),
            Self::Variable(name) => name,
        }
    }
}

/// A text split at its placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Slot(Name),
}

/// A malformed placeholder: its position in the text, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadPlaceholder {
    pub offset: usize,
    pub message: String,
}

/// Splits a text at its placeholders. Literals are never empty and never adjacent.
pub(super) fn split(text: &str) -> Result<Vec<Piece>, Vec<BadPlaceholder>> {
    let mut pieces = Vec::new();
    let mut bad = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|found| at + found) {
        if open > at {
            pieces.push(Piece::Literal(text[at..open].to_owned()));
        }
        let inside = &text[open + 2..];
        let Some(close) = inside.find("}}") else {
            bad.push(BadPlaceholder {
                offset: open,
                message: "\"{{\" is never closed with \"}}\"".to_owned(),
            });
            return Err(bad);
        };
        let name = &inside[..close];
        if is_name(name) {
            pieces.push(Piece::Slot(
                Builtin::named(name).map_or_else(|| Name::Variable(name.into()), Name::Builtin),
            ));
        } else {
            bad.push(BadPlaceholder {
                offset: open,
                message: format!(
                    "{name:?} is not the name of a value: expected [a-z][a-z0-9_]* without spaces, as in \
                     {{{{agent}}}}"
                ),
            });
        }
        at = open + 2 + close + 2;
    }
    if at < text.len() {
        pieces.push(Piece::Literal(text[at..].to_owned()));
    }
    if bad.is_empty() { Ok(pieces) } else { Err(bad) }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_at_its_placeholders() {
        assert_eq!(
            split("to {{consumer}}{{first_name2}}."),
            Ok(vec![
                Piece::Literal("to ".to_owned()),
                Piece::Slot(Name::Builtin(Builtin::Consumer)),
                Piece::Slot(Name::Variable("first_name2".into())),
                Piece::Literal(".".to_owned()),
            ])
        );
        assert_eq!(split("{a} }}"), Ok(vec![Piece::Literal("{a} }}".to_owned())]));
        assert_eq!(split(""), Ok(vec![]));
    }

    #[test]
    fn all_bad_placeholders_are_named() {
        let bad = split("{{ a }} {{B}} {{}} {{1a}} {{a-b}} {{a").unwrap_err();
        assert_eq!(bad.iter().map(|b| b.offset).collect::<Vec<_>>(), [0, 8, 14, 19, 26, 34]);
    }

    #[test]
    fn every_builtin_is_found_by_its_name() {
        for &(builtin, name, _) in BUILTINS {
            assert_eq!(Builtin::named(name), Some(builtin));
            assert_eq!(builtin.name(), name);
        }
    }
}
