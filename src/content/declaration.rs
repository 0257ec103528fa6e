//! A declaration: one piece of content as its file says it. The text of each field is kept as it was written.

use std::collections::BTreeMap;

use strum::{EnumString, IntoStaticStr};

use super::published::Rule;

/// Content that an operator declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The name by which senders name it: small letters, digits and `_`.
    pub name: String,
    /// Such as `en` or `pt_BR`.
    pub language: String,
    /// Required where approval is sought.
    pub category: Option<Category>,
    pub approval: Approval,
    /// Raised to submit the same text once more, under another name. Starts at 1.
    pub revision: u32,
    pub kind: Kind,
    pub body: Option<String>,
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub header_text: Option<String>,
    pub footer: Option<String>,
    pub media: Vec<String>,
    pub actions: Vec<Action>,
    /// Samples of the variables, by name. They are also what a message shows that gives no value.
    pub variables: BTreeMap<String, String>,
}

impl Declaration {
    /// Whether it has an action of this kind.
    #[must_use]
    pub fn has(&self, kind: ActionKind) -> bool {
        self.actions.iter().any(|action| action.kind == kind)
    }

    /// Whether WhatsApp is asked to approve it.
    #[must_use]
    pub fn seeks_approval(&self) -> bool {
        self.approval == Approval::Whatsapp
    }
}

/// Whether this can be the name of content.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= Rule::Name.figure()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The category that WhatsApp bills and judges by. It may be changed by WhatsApp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Category {
    Utility,
    Marketing,
}

impl Category {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Whether the content is submitted to WhatsApp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Approval {
    /// It may be sent inside the service window only.
    None,
    Whatsapp,
}

impl Approval {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
pub enum Kind {
    #[strum(serialize = "twilio/text")]
    Text,
    #[strum(serialize = "twilio/call-to-action")]
    CallToAction,
    #[strum(serialize = "twilio/card")]
    TwilioCard,
    #[strum(serialize = "whatsapp/card")]
    WhatsappCard,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Text, Self::CallToAction, Self::TwilioCard, Self::WhatsappCard];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The fields that it has, in the order in which they are shown.
    #[must_use]
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["body"],
            Self::CallToAction => &["body", "actions"],
            Self::TwilioCard => &["title", "subtitle", "media", "actions"],
            Self::WhatsappCard => &["header_text", "media", "body", "footer", "actions"],
        }
    }

    /// The actions that it may have.
    #[must_use]
    pub const fn actions(self) -> &'static [ActionKind] {
        use ActionKind::{CopyCode, PhoneNumber, QuickReply, Url, VoiceCall, VoiceCallRequest};
        match self {
            Self::Text => &[],
            Self::CallToAction => &[Url, PhoneNumber, CopyCode, VoiceCall, VoiceCallRequest],
            Self::TwilioCard | Self::WhatsappCard => &[Url, PhoneNumber, QuickReply, CopyCode, VoiceCall],
        }
    }
}

/// One button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its place in the file, from 0.
    pub index: usize,
    pub kind: ActionKind,
    pub title: Option<String>,
    /// Of [`ActionKind::Url`].
    pub url: Option<String>,
    /// Of [`ActionKind::PhoneNumber`].
    pub phone: Option<String>,
    /// Of [`ActionKind::CopyCode`].
    pub code: Option<String>,
    /// Of [`ActionKind::QuickReply`].
    pub id: Option<String>,
    /// Of [`ActionKind::VoiceCall`]: how long the button works, in minutes.
    pub ttl_minutes: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ActionKind {
    Url,
    PhoneNumber,
    CopyCode,
    /// The consumer calls the sender.
    VoiceCall,
    /// Asks for the call permission.
    VoiceCallRequest,
    QuickReply,
}

impl ActionKind {
    pub const ALL: [Self; 6] = [
        Self::Url,
        Self::PhoneNumber,
        Self::CopyCode,
        Self::VoiceCall,
        Self::VoiceCallRequest,
        Self::QuickReply,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The keys that it has beside `type`.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Url => &["title", "url"],
            Self::PhoneNumber => &["title", "phone"],
            Self::CopyCode => &["title", "code"],
            Self::VoiceCall => &["title", "ttl_minutes"],
            Self::VoiceCallRequest => &["title"],
            Self::QuickReply => &["title", "id"],
        }
    }
}
