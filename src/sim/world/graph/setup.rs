//! What is at Meta when a world begins.

use serde_json::Value;

use crate::domain::Phone;
use crate::sim::world::messenger::PageSetup;

/// All apps.
#[derive(Debug, Clone, Default)]
pub struct GraphSetup {
    pub apps: Vec<AppSetup>,
}

/// One app: its token, and the business accounts that the token may use.
#[derive(Debug, Clone)]
pub struct AppSetup {
    /// Digits.
    pub id: String,
    /// Signs its webhooks.
    pub secret: String,
    /// The token of a system user.
    pub token: String,
    /// The text that Meta sends with the check of the webhook URL.
    pub verify_token: String,
    /// Where its webhooks go; without one nothing is told.
    pub webhook_url: Option<String>,
    /// Whether the URL was checked before the world began. Nothing is sent to a URL that was not checked.
    pub is_checked: bool,
    pub business_accounts: Vec<BusinessAccountSetup>,
    /// Pages of Messenger.
    pub pages: Vec<PageSetup>,
}

impl AppSetup {
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            token: token.into(),
            verify_token: String::new(),
            webhook_url: None,
            is_checked: true,
            business_accounts: Vec::new(),
            pages: Vec::new(),
        }
    }
}

/// One WhatsApp Business Account.
#[derive(Debug, Clone)]
pub struct BusinessAccountSetup {
    /// Digits.
    pub id: String,
    pub numbers: Vec<NumberSetup>,
    /// Templates that are approved from the start.
    pub templates: Vec<TemplateSetup>,
}

impl BusinessAccountSetup {
    #[must_use]
    pub fn new(id: impl Into<String>, numbers: Vec<NumberSetup>) -> Self {
        Self { id: id.into(), numbers, templates: Vec::new() }
    }
}

/// One phone number of an account.
#[derive(Debug, Clone)]
pub struct NumberSetup {
    /// The phone number id: digits.
    pub id: String,
    /// It may be the number of a sender at Twilio as well.
    pub number: Phone,
    /// The URL for its own webhooks, if it is not that of the app.
    pub webhook_url: Option<String>,
    /// Whether an inbound call grants a temporary permission. For a number at Twilio, its sender says so.
    pub callback_permission: bool,
    /// Whether consumers can call it.
    pub is_calling_on: bool,
    /// Whether its country has messages with a call button.
    pub has_call_buttons: bool,
}

impl NumberSetup {
    #[must_use]
    pub fn new(id: impl Into<String>, number: Phone) -> Self {
        Self {
            id: id.into(),
            number,
            webhook_url: None,
            callback_permission: false,
            is_calling_on: true,
            has_call_buttons: true,
        }
    }
}

/// A template as Meta keeps it.
#[derive(Debug, Clone)]
pub struct TemplateSetup {
    pub name: String,
    /// Such as `pt_BR`.
    pub language: String,
    /// `UTILITY` or `MARKETING`.
    pub category: String,
    /// As in its creation.
    pub components: Value,
}
