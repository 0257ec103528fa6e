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
    /// The URL of the medium in the header.
    pub header_image: Option<String>,
    pub header_video: Option<String>,
    pub header_document: Option<String>,
    pub footer: Option<String>,
    pub media: Vec<String>,
    pub actions: Vec<Action>,
    /// The cards of [`Kind::MessengerGeneric`].
    pub elements: Vec<Element>,
    /// Samples of the variables, by name. They are also what a message shows that gives no value.
    pub variables: BTreeMap<String, String>,
}

impl Declaration {
    /// Whether it has an action of this kind.
    #[must_use]
    pub fn has(&self, kind: ActionKind) -> bool {
        self.all_actions().any(|action| action.kind == kind)
    }

    /// Its actions and those of its elements.
    pub fn all_actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().chain(self.elements.iter().flat_map(|element| &element.actions))
    }

    /// Whether WhatsApp is asked to approve it.
    #[must_use]
    pub fn seeks_approval(&self) -> bool {
        self.approval == Approval::Whatsapp
    }

    /// The texts that are declared, by key, in the order in which they are shown; without its media, cards and actions.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        present([
            ("body", &self.body),
            ("title", &self.title),
            ("subtitle", &self.subtitle),
            ("header_text", &self.header_text),
            ("header_image", &self.header_image),
            ("header_video", &self.header_video),
            ("header_document", &self.header_document),
            ("footer", &self.footer),
        ])
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
    /// A free message with a call button.
    #[strum(serialize = "meta/voice_call")]
    MetaVoiceCall,
    /// A free message with a button that opens a page.
    #[strum(serialize = "meta/cta_url")]
    MetaCtaUrl,
    /// A free text with a calling link.
    #[strum(serialize = "meta/text")]
    MetaText,
    #[strum(serialize = "meta/call_permission_request")]
    MetaPermissionRequest,
    #[strum(serialize = "meta/template")]
    MetaTemplate,
    /// A text with buttons.
    #[strum(serialize = "messenger/button")]
    MessengerButton,
    /// Cards with buttons.
    #[strum(serialize = "messenger/generic")]
    MessengerGeneric,
}

/// Where content of a type is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// An account of `[accounts]`.
    Twilio,
    /// A number of `[meta]`.
    Meta,
    /// A page of `[messenger]`.
    Messenger,
}

impl Provider {
    /// The section of the configuration.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Twilio => "accounts",
            Self::Meta => "meta",
            Self::Messenger => "messenger",
        }
    }
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::Text,
        Self::CallToAction,
        Self::TwilioCard,
        Self::WhatsappCard,
        Self::MetaVoiceCall,
        Self::MetaCtaUrl,
        Self::MetaText,
        Self::MetaPermissionRequest,
        Self::MetaTemplate,
        Self::MessengerButton,
        Self::MessengerGeneric,
    ];

    /// Where it is sent.
    #[must_use]
    pub const fn provider(self) -> Provider {
        match self {
            Self::Text | Self::CallToAction | Self::TwilioCard | Self::WhatsappCard => Provider::Twilio,
            Self::MetaVoiceCall
            | Self::MetaCtaUrl
            | Self::MetaText
            | Self::MetaPermissionRequest
            | Self::MetaTemplate => Provider::Meta,
            Self::MessengerButton | Self::MessengerGeneric => Provider::Messenger,
        }
    }

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
            Self::MetaVoiceCall | Self::MessengerButton => &["body", "actions"],
            Self::MetaCtaUrl => &[
                "header_text",
                "header_image",
                "header_video",
                "header_document",
                "body",
                "footer",
                "actions",
            ],
            Self::MetaText | Self::MetaPermissionRequest => &["body"],
            Self::MetaTemplate => &["header_text", "body", "footer", "actions"],
            Self::MessengerGeneric => &["elements"],
        }
    }

    /// The actions that it may have.
    #[must_use]
    pub const fn actions(self) -> &'static [ActionKind] {
        use ActionKind::{
            AudioCall, CopyCode, PhoneNumber, QuickReply, Url, VoiceCall, VoiceCallRequest, WebUrl,
        };
        match self {
            Self::Text | Self::MetaText | Self::MetaPermissionRequest => &[],
            Self::CallToAction => &[Url, PhoneNumber, CopyCode, VoiceCall, VoiceCallRequest],
            Self::TwilioCard | Self::WhatsappCard => &[Url, PhoneNumber, QuickReply, CopyCode, VoiceCall],
            Self::MetaVoiceCall => &[VoiceCall],
            Self::MetaCtaUrl => &[Url],
            Self::MetaTemplate => &[VoiceCall, Url],
            Self::MessengerButton | Self::MessengerGeneric => &[AudioCall, WebUrl],
        }
    }
}

/// One card of a Messenger message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its place in the file, from 0.
    pub index: usize,
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub image_url: Option<String>,
    pub actions: Vec<Action>,
}

impl Element {
    /// The texts of the card, by key.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        present([("title", &self.title), ("subtitle", &self.subtitle), ("image_url", &self.image_url)])
    }
}

impl Action {
    /// The texts of the button, by key.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        present([
            ("title", &self.title),
            ("url", &self.url),
            ("phone", &self.phone),
            ("code", &self.code),
            ("id", &self.id),
        ])
    }
}

fn present<'t, const N: usize>(
    texts: [(&'static str, &'t Option<String>); N],
) -> impl Iterator<Item = (&'static str, &'t str)> {
    texts.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?)))
}

/// One button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its key in the file, such as `actions[0]`.
    pub key: String,
    pub kind: ActionKind,
    pub title: Option<String>,
    /// Of [`ActionKind::Url`] and [`ActionKind::WebUrl`].
    pub url: Option<String>,
    /// Of [`ActionKind::PhoneNumber`].
    pub phone: Option<String>,
    /// Of [`ActionKind::CopyCode`].
    pub code: Option<String>,
    /// Of [`ActionKind::QuickReply`].
    pub id: Option<String>,
    /// Of [`ActionKind::VoiceCall`]: how long the button works, in minutes.
    pub ttl_minutes: Option<i64>,
    /// Of [`ActionKind::VoiceCall`], where it is refused: the payload is ours.
    pub payload: Option<String>,
    /// Of [`ActionKind::AudioCall`]: how long the button works, in days.
    pub expires_in_days: Option<i64>,
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
    /// The person calls the page on Messenger.
    AudioCall,
    /// A page that Messenger opens.
    WebUrl,
}

impl ActionKind {
    pub const ALL: [Self; 8] = [
        Self::Url,
        Self::PhoneNumber,
        Self::CopyCode,
        Self::VoiceCall,
        Self::VoiceCallRequest,
        Self::QuickReply,
        Self::AudioCall,
        Self::WebUrl,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The keys that it has beside `type`.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Url | Self::WebUrl => &["title", "url"],
            Self::PhoneNumber => &["title", "phone"],
            Self::CopyCode => &["title", "code"],
            Self::VoiceCall => &["title", "ttl_minutes", "payload"],
            Self::AudioCall => &["title", "expires_in_days"],
            Self::VoiceCallRequest => &["title"],
            Self::QuickReply => &["title", "id"],
        }
    }
}
