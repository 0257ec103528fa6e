//! Roads: the ways to invite a consumer to call a sender.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use strum::{EnumString, IntoStaticStr};

use super::{AccountAlias, CallbackId, ContentRef, MessageId, Phone};

/// What kind of message invites the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RoadKind {
    /// A free message with a call button. Only inside the open service window.
    CallButton,
    /// An approved template. At any time.
    Template,
    /// A free message with a button that opens a web page. Only inside the open service window.
    UrlButton,
    /// A free text with a calling link. Only inside the open service window.
    DeepLink,
    /// A Messenger message with a call button. Only inside the 24 h window of the page.
    Messenger,
}

impl RoadKind {
    pub const ALL: [Self; 5] =
        [Self::CallButton, Self::Template, Self::UrlButton, Self::DeepLink, Self::Messenger];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One way to invite a consumer: a kind of message, the account that sends it, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Road {
    pub kind: RoadKind,
    pub account: AccountAlias,
    pub content: ContentRef,
}

/// Messenger's id of a person for one page, the page-scoped id. Prints masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Psid(Arc<str>);

/// The text is not a page-scoped id. The error does not contain the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a page-scoped id: expected 1 to {} digits", Psid::LENGTH_MAX)]
pub struct PsidError;

impl Psid {
    /// The longest id that is taken, in digits. Meta's documents show up to 17 and name no limit (our rule).
    pub const LENGTH_MAX: usize = 64;

    /// The id without a mask. Do not log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Psid {
    type Err = PsidError;

    fn from_str(text: &str) -> Result<Self, PsidError> {
        let fits = (1..=Self::LENGTH_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(PsidError)
        }
    }
}

impl fmt::Display for Psid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The last digits identify nobody; a short id shows none.
        let shown = if self.0.len() > 8 { self.0.len() - 4 } else { self.0.len() };
        write!(f, "***{}", &self.0[shown..])
    }
}

impl fmt::Debug for Psid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the payload of a call button or of a calling link stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InviteToken {
    /// An invite of ours.
    Message(MessageId),
    /// A link that was made for a callback.
    Callback(CallbackId),
}

/// The calling link of a sender (Meta, *Call button messages and deep links*, 26 June 2026). `payload` is returned in
/// the webhooks of the call. It must need no escape in a URL.
#[must_use]
pub fn deep_link(sender: Phone, payload: Option<&str>) -> String {
    let number = sender.e164();
    let link = format!("https://wa.me/call/{}", number.trim_start_matches('+'));
    match payload {
        Some(payload) => format!("{link}?biz_payload={payload}"),
        None => link,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_from_its_own_name() {
        let names = RoadKind::ALL.map(RoadKind::as_str);
        assert_eq!(names, ["call_button", "template", "url_button", "deep_link", "messenger"]);
        assert_eq!(names.map(str::parse), RoadKind::ALL.map(Ok));
        assert!("CallButton".parse::<RoadKind>().is_err());
    }

    #[test]
    fn a_page_scoped_id_has_1_to_64_digits() {
        for (text, fits) in [
            (String::new(), false),
            ("1".to_owned(), true),
            ("1".repeat(64), true),
            ("1".repeat(65), false),
            ("12a".to_owned(), false),
            ("١٢".to_owned(), false),
            ("-1".to_owned(), false),
        ] {
            assert_eq!(text.parse::<Psid>().is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn a_page_scoped_id_prints_masked() {
        for (text, shown) in
            [("1", "***"), ("12345678", "***"), ("123456789", "***6789"), ("6789012345678901", "***8901")]
        {
            let id: Psid = text.parse().unwrap();
            assert_eq!((id.to_string(), format!("{id:?}")), (shown.to_owned(), shown.to_owned()));
            assert_eq!(id.as_str(), text);
        }
    }

    #[test]
    fn a_link_has_the_digits_of_its_sender_and_its_payload() {
        let sender = Phone::parse("+551151991234").unwrap();
        assert_eq!(deep_link(sender, None), "https://wa.me/call/551151991234");
        assert_eq!(deep_link(sender, Some("a-b_9")), "https://wa.me/call/551151991234?biz_payload=a-b_9");
    }
}
