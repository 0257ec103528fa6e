//! What content a road can send: the type that each road needs, and where it is sent from.

use super::declaration::{Declaration, Kind, Provider};
use super::published::Rule;

/// A key of `[meta]` or `[messenger]` that names content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    CallButton,
    Template,
    UrlButton,
    DeepLink,
    PermissionRequest,
    Messenger,
}

impl Use {
    pub const ALL: [Self; 6] = [
        Self::CallButton,
        Self::Template,
        Self::UrlButton,
        Self::DeepLink,
        Self::PermissionRequest,
        Self::Messenger,
    ];

    /// The key in the configuration.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::CallButton => "invite_call_button",
            Self::Template => "invite_template",
            Self::UrlButton => "invite_url_button",
            Self::DeepLink => "invite_deep_link",
            Self::PermissionRequest => "permission_request_content",
            Self::Messenger => "invite",
        }
    }

    /// The section of the configuration that has the key.
    #[must_use]
    pub const fn provider(self) -> Provider {
        match self {
            Self::Messenger => Provider::Messenger,
            _ => Provider::Meta,
        }
    }

    /// The types that it can send.
    #[must_use]
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::CallButton => &[Kind::MetaVoiceCall],
            Self::Template => &[Kind::MetaTemplate],
            Self::UrlButton => &[Kind::MetaCtaUrl],
            Self::DeepLink => &[Kind::MetaText],
            Self::PermissionRequest => &[Kind::MetaPermissionRequest],
            Self::Messenger => &[Kind::MessengerButton, Kind::MessengerGeneric],
        }
    }

    /// Why a declaration cannot be sent so, without a subject.
    #[must_use]
    pub fn misfit(self, declaration: &Declaration) -> Option<String> {
        if let Some(why) = misplaced(declaration, self.provider()) {
            return Some(why);
        }
        if self.kinds().contains(&declaration.kind) {
            return None;
        }
        let kinds: Vec<&str> = self.kinds().iter().map(|kind| kind.as_str()).collect();
        let (kind, kinds) = (declaration.kind.as_str(), kinds.join(" or "));
        Some(format!("is of the type {kind}, and {} sends {kinds} ({})", self.key(), rule()))
    }
}

/// Why content cannot be sent from this section of the configuration, without a subject.
pub(super) fn misplaced(declaration: &Declaration, provider: Provider) -> Option<String> {
    let own = declaration.kind.provider();
    (own != provider).then(|| {
        let kind = declaration.kind.as_str();
        format!(
            "is of the type {kind}, which [{}] sends and [{}] does not ({})",
            own.section(),
            provider.section(),
            rule()
        )
    })
}

fn rule() -> String {
    format!("{}; {}", Rule::Road.code(), Rule::Road.published().source)
}
