//! Types of attribute values and element contents: the sets, ranges and URLs that Twilio documents.

use url::{Position, Url};

use crate::domain::AllowedHosts;
use crate::domain::sip::{SipAddress, is_loopback};

use super::fault::Rule;
use super::placeholder::{Builtin, Name, Piece};

/// The longest queue name in characters (Enqueue page, read November 2025).
const QUEUE_NAME_MAX: usize = 64;

/// The type of an attribute's value or of an element's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Free,
    /// Any text that is not blank.
    Name,
    /// The name of a queue.
    QueueName,
    Flag,
    OneOf(&'static [&'static str]),
    /// One or more of a set, separated by spaces.
    ManyOf(&'static [&'static str]),
    /// A whole number.
    Number(u32, u32),
    /// A whole number, or this keyword.
    NumberOr(u32, u32, &'static str),
    /// A SID: two letters and 32 hexadecimal digits.
    Sid(&'static str),
    /// An absolute URL of something other than TwiML: media or a webhook.
    Http,
    /// Like `Http`, or empty for silence.
    HttpOrSilence,
    /// A WebSocket URL.
    Socket,
    /// A URL that answers with TwiML. It must be ours, so that the TwiML is checked.
    Document,
    /// A URL for the status of the consumer's leg. It must be ours.
    LegStatus,
    /// A `sip:` or `sips:` address.
    Sip,
    /// The name of a Twilio client.
    Client,
    /// The consumer's number.
    Consumer,
}

/// How the value of a placeholder is checked and encoded when it is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The placeholder is the whole value, which must be of the kind.
    Whole(Kind),
    /// A part of a text.
    Part,
    /// A part of a URL after its host, percent-encoded.
    UrlPart,
    /// A part of a SIP address.
    SipPart,
}

/// Why a text is not of this kind.
pub(super) type Refusal = (Rule, String);

impl Kind {
    /// Whether a rendered value is of this kind.
    pub(super) fn accepts(self, value: &str) -> bool {
        match self {
            Self::Free => true,
            Self::Name => !value.trim().is_empty(),
            Self::QueueName => Self::Name.accepts(value) && value.chars().count() <= QUEUE_NAME_MAX,
            Self::Flag => matches!(value, "true" | "false"),
            Self::OneOf(set) => set.contains(&value),
            Self::ManyOf(set) => {
                !value.trim().is_empty() && value.split_ascii_whitespace().all(|word| set.contains(&word))
            }
            Self::Number(least, most) => in_range(value, least, most),
            Self::NumberOr(least, most, word) => value == word || in_range(value, least, most),
            Self::Sid(prefix) => value.strip_prefix(prefix).is_some_and(|rest| {
                rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
            }),
            Self::Http => is_url(value, &["http", "https"]),
            Self::HttpOrSilence => value.is_empty() || Self::Http.accepts(value),
            Self::Socket => is_url(value, &["wss"]) && !is_loopback(written_host(value)),
            Self::Document | Self::LegStatus => false,
            Self::Sip => {
                SipAddress::parse(value).is_some_and(|address| !is_loopback(address.host))
                    && !leaves_for_pstn(value)
            }
            Self::Client => {
                let name = value.strip_prefix("client:").unwrap_or(value);
                !name.trim().is_empty() && !["sip:", "sips:", "whatsapp:"].iter().any(|p| name.starts_with(p))
            }
            Self::Consumer => crate::domain::Phone::parse(value).is_ok(),
        }
    }

    /// Describes the kind, to complete "expected ...".
    pub(super) fn expected(self) -> String {
        match self {
            Self::Free => "text".to_owned(),
            Self::Name => "text that is not blank".to_owned(),
            Self::QueueName => format!("text that is not blank, of at most {QUEUE_NAME_MAX} characters"),
            Self::Flag => "true or false".to_owned(),
            Self::OneOf(set) => format!("one of {}", set.join(", ")),
            Self::ManyOf(set) => format!("one or more of {} with spaces between", set.join(", ")),
            Self::Number(least, u32::MAX) => format!("a whole number from {least}"),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::NumberOr(least, _, word) => format!("a whole number from {least}, or {word}"),
            Self::Sid(prefix) => format!("{prefix} and 32 hexadecimal digits"),
            Self::HttpOrSilence => format!("empty, or {}", Self::Http.expected()),
            Self::Http => "an absolute http or https URL with a host name that has no underscore".to_owned(),
            Self::Socket => {
                "an absolute wss URL with a host name that has no underscore and is not localhost".to_owned()
            }
            Self::Document => "{{action_url}}".to_owned(),
            Self::LegStatus => "{{leg_status_url}}".to_owned(),
            Self::Sip => "sip:USER@HOST or sips:USER@HOST, and no trunk to the telephone network".to_owned(),
            Self::Client => "the name of a client, with or without client: before it".to_owned(),
            Self::Consumer => {
                "one number as E.164 without whatsapp: before it, such as {{consumer}} or +5511987654321"
                    .to_owned()
            }
        }
    }

    /// Whether a rendered value of this kind leads to an allowed host.
    pub(super) fn leads_to(self, hosts: &AllowedHosts, value: &str) -> bool {
        match self {
            Self::Sip => hosts.takes_sip(value),
            Self::Socket => {
                Url::parse(value).is_ok_and(|url| url.host_str().is_some_and(|host| hosts.takes_bot(host)))
            }
            _ => true,
        }
    }

    /// The rule that a value of another kind breaks.
    const fn rule(self) -> Rule {
        match self {
            Self::Http | Self::HttpOrSilence | Self::Socket => Rule::Url,
            Self::Document => Rule::UncheckedDocument,
            Self::LegStatus | Self::Consumer => Rule::WhatsApp,
            Self::Name | Self::QueueName | Self::Sip | Self::Client => Rule::Content,
            _ => Rule::Value,
        }
    }

    /// How to check each placeholder in a value of this kind, or why the value can never fit.
    pub(super) fn fit(self, pieces: &[Piece]) -> Result<Fit, Refusal> {
        match (self, pieces) {
            (Self::Document, [Piece::Slot(Name::Builtin(Builtin::ActionUrl))])
            | (Self::LegStatus, [Piece::Slot(Name::Builtin(Builtin::LegStatusUrl))]) => Ok(Fit::Whole(self)),
            (Self::Document, _) => Err((
                Rule::UncheckedDocument,
                "the TwiML that this address answers with cannot be checked here and may lead the WhatsApp leg \
                 to the public telephone network, which Twilio rejects; only {{action_url}} is taken"
                    .to_owned(),
            )),
            (Self::LegStatus, _) => Err((
                Rule::WhatsApp,
                "only {{leg_status_url}} is allowed: without its reports the end of the consumer's leg stays unknown"
                    .to_owned(),
            )),
            (_, [Piece::Slot(Name::Builtin(builtin))]) if !self.takes_builtin(*builtin) => {
                Err((self.rule(), format!("{{{{{}}}}} can never be {}", builtin.name(), self.expected())))
            }
            (_, [Piece::Slot(_)]) => Ok(Fit::Whole(self)),
            (Self::Free | Self::Name | Self::QueueName, _) if pieces.len() > 1 => Ok(Fit::Part),
            (Self::Sip, [Piece::Literal(_), ..]) if leaves_for_pstn(&filled(pieces)) => Err((
                Rule::Pstn,
                "a trunk to the public telephone network, and Twilio rejects a WhatsApp leg bridged to it"
                    .to_owned(),
            )),
            (_, [] | [Piece::Literal(_)]) => {
                let literal = filled(pieces);
                if self.accepts(&literal) {
                    return Ok(Fit::Whole(self));
                }
                // A message must not contain a phone number, not even an invalid one.
                let hidden = self == Self::Consumer || literal.bytes().filter(u8::is_ascii_digit).count() > 6;
                let shown = if hidden { "this".to_owned() } else { format!("{literal:?}") };
                Err((self.rule(), format!("{shown} is not {}", self.expected())))
            }
            (Self::Http | Self::HttpOrSilence | Self::Socket, _) => {
                if self.accepts(&filled(pieces)) && host_is_literal(pieces) {
                    Ok(Fit::UrlPart)
                } else {
                    Err((Rule::Url, format!(
                        "a placeholder inside a URL must stand behind the host, and the whole must be {}",
                        self.expected()
                    )))
                }
            }
            (Self::Sip, [Piece::Literal(_), ..]) => {
                let host = pieces
                    .iter()
                    .position(|piece| matches!(piece, Piece::Literal(literal) if literal.contains('@')));
                if host == Some(pieces.len() - 1) && self.accepts(&filled(pieces)) {
                    Ok(Fit::SipPart)
                } else {
                    Err((Rule::Content, format!(
                        "a placeholder inside a SIP address must stand before its @, and the whole must be {}",
                        self.expected()
                    )))
                }
            }
            (Self::Client, _) => Ok(Fit::Part),
            _ => Err((
                self.rule(),
                format!("expected {}: either written out, or exactly one placeholder", self.expected()),
            )),
        }
    }

    /// Whether a built-in value can be of this kind.
    const fn takes_builtin(self, builtin: Builtin) -> bool {
        match self {
            Self::Free | Self::Name | Self::QueueName => true,
            Self::Http | Self::HttpOrSilence => builtin.is_url(),
            Self::Sip => matches!(builtin, Builtin::Agent),
            Self::Client => !builtin.is_url(),
            Self::Consumer => matches!(builtin, Builtin::Consumer),
            _ => false,
        }
    }
}

/// The pieces with a harmless text in each slot.
pub(super) fn filled(pieces: &[Piece]) -> String {
    filled_with(pieces, "x")
}

fn filled_with(pieces: &[Piece], word: &str) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(literal) => literal.as_str(),
            Piece::Slot(_) => word,
        })
        .collect()
}

/// Whether scheme, user, host and port of a URL are the same for all values of the slots. It uses the URL
/// parser, because a host has many spellings.
fn host_is_literal(pieces: &[Piece]) -> bool {
    let origin =
        |word| Url::parse(&filled_with(pieces, word)).map(|url| url[..Position::BeforePath].to_owned()).ok();
    origin("x").is_some_and(|with_x| origin("y") == Some(with_x))
}

fn in_range(value: &str, least: u32, most: u32) -> bool {
    value.bytes().all(|b| b.is_ascii_digit())
        && value.parse::<u32>().is_ok_and(|number| (least..=most).contains(&number))
}

/// Whether a text is a URL with one of these schemes, in a form that every reader understands alike: the host stands
/// in it as it is asked for.
///
/// Twilio sends no webhooks to hosts with an underscore (Calls resource, read November 2025).
fn is_url(value: &str, schemes: &[&str]) -> bool {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_plain
        && Url::parse(value).is_ok_and(|url| {
            schemes.contains(&url.scheme())
                && url
                    .host_str()
                    .is_some_and(|host| !host.contains('_') && written_host(value).eq_ignore_ascii_case(host))
        })
}

/// The host between `//` with what stands before an `@`, and the port or the path. Empty if there is none.
fn written_host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    match place.find(']') {
        Some(end) => &place[..=end],
        None => place.split(':').next().unwrap_or_default(),
    }
}

/// The termination addresses of Twilio's SIP trunks, `NAME.pstn.twilio.com` and `NAME.pstn.EDGE.twilio.com`,
/// lead to the telephone network (localized URIs page of 9 March 2026).
fn leaves_for_pstn(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    address.split_once(".pstn.").is_some_and(|(_, edge)| edge.contains("twilio.com"))
}

/// Whether a value can be a part of a SIP address without changing its structure.
pub(super) fn is_sip_part(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_host_as_it_is_asked_for() {
        for url in [
            "wss://bot.example.com/talk?a=1#b",
            "wss://BOT.example.com:8443",
            "wss://ana:x@bot.example.com/",
            "wss://10.0.0.1/",
            "wss://[2001:db8::1]:8443/",
        ] {
            assert!(Kind::Socket.accepts(url), "{url}");
        }
        for url in [
            "wss:bot.example.com",
            "wss:/bot.example.com",
            "wss:///bot.example.com",
            "wss://b%6ft.example.com",
            "wss://bot\u{3002}example.com",
            "wss://b\u{fc}cher.example",
            "wss://bot.example.com/\u{202e}",
            "wss://bot.example.com/a b",
            "wss://bot.example.com\\@evil.example",
            "wss://0x7f.1/",
            "wss://[2001:0db8::1]/",
            "wss://bot_1.example/",
            "wss://",
            "wss://localhost",
            "wss://localhost.:8443/talk",
            "wss://bot.localhost/",
            "wss://127.0.0.1/",
            "wss://[::1]:8443/",
            "ws://bot.example.com",
        ] {
            assert!(!Kind::Socket.accepts(url), "{url}");
        }
    }
}
