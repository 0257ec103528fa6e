//! The allowed verbs and nouns: parents, attributes and content of each.
//!
//! Names and sets are those of Twilio's helper library 6.2.0 for Node.js (autumn 2026); ranges are those of
//! the TwiML pages. Verbs that reach the public telephone network are missing on purpose; `REFUSED` has the
//! reasons.

mod connection;
mod media;
mod voice;

use crate::twiml::kind::Kind::{self, ManyOf, OneOf};

/// One element of TwiML.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: &'static str,
    pub parents: &'static [&'static str],
    pub body: Body,
    pub attributes: &'static [Attribute],
}

/// The content of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Only elements, or empty.
    None,
    /// Spoken text with speech markup.
    Speech,
    /// A JSON object.
    Json,
    /// One optional value.
    Maybe(Kind),
    /// One value.
    One(Kind),
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub name: &'static str,
    pub kind: Kind,
    /// Why the element is refused without the attribute.
    pub required: Option<&'static str>,
}

fn vocabulary() -> impl Iterator<Item = &'static Entry> {
    [RESPONSE, voice::ENTRIES, connection::ENTRIES, media::ENTRIES].into_iter().flatten()
}

pub(super) fn entry(name: &str) -> Option<&'static Entry> {
    vocabulary().find(|entry| entry.name == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    vocabulary().map(|entry| entry.name)
}

/// Why a known element or attribute is always refused.
pub(super) fn refused(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|&(_, reason)| reason)
}

/// The known name that is nearest to a misspelt one.
pub(super) fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    known
        .map(|known| (strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()), known))
        .filter(|&(likeness, _)| likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

const REFUSED: &[(&str, &str)] = &[
    ("Number", "it dials the public telephone network, and Twilio rejects a WhatsApp leg bridged to it"),
    ("Sim", "it dials a mobile over the telephone network, and Twilio rejects a WhatsApp leg bridged to it"),
    ("Refer", "it hands the call to an address outside Twilio that may break out to the telephone network"),
    (
        "Application",
        "it runs a TwiML document that cannot be checked here and may dial the telephone network",
    ),
    ("Sms", "it sends a text message over the telephone network, from a sender that is not one of ours"),
    ("referUrl", "a REFER would run a TwiML document that cannot be checked here"),
    ("referMethod", "a REFER would run a TwiML document that cannot be checked here"),
];

const fn may(name: &'static str, kind: Kind) -> Attribute {
    Attribute { name, kind, required: None }
}

const fn must(name: &'static str, kind: Kind, why: &'static str) -> Attribute {
    Attribute { name, kind, required: Some(why) }
}

const MAX: u32 = u32::MAX;
const METHOD: Kind = OneOf(&["GET", "POST"]);
const LEG_EVENTS: Kind = ManyOf(&["initiated", "ringing", "answered", "completed"]);
const RECORDING_EVENTS: Kind = ManyOf(&["in-progress", "completed", "absent"]);
const TRIM: Kind = OneOf(&["trim-silence", "do-not-trim"]);
const TRACK: Kind = OneOf(&["inbound", "outbound", "both"]);
const MEDIA_TRACK: Kind = OneOf(&["inbound_track", "outbound_track", "both_tracks"]);
const INTERRUPTIBLE: Kind = OneOf(&["none", "dtmf", "speech", "any", "true", "false"]);
const PAIR: &str = "a parameter is a name and a value";

const RESPONSE: &[Entry] = &[Entry { name: "Response", parents: &[], body: Body::None, attributes: &[] }];
