//! What is at Messenger when a world begins.

/// One page of an app.
#[derive(Debug, Clone)]
pub struct PageSetup {
    /// Digits.
    pub id: String,
    /// The page's token.
    pub token: String,
    /// The URL for its webhooks, if it is not that of the app.
    pub webhook_url: Option<String>,
    /// Whether calls are available to the page.
    pub is_calling_on: bool,
    /// Whether the token has the right `pages_messaging`.
    pub may_message: bool,
}

impl PageSetup {
    /// A page that may use calls.
    #[must_use]
    pub fn new(id: impl Into<String>, token: impl Into<String>) -> Self {
        Self { id: id.into(), token: token.into(), webhook_url: None, is_calling_on: true, may_message: true }
    }
}

/// How a person's call to a page is told. No document shows it, so the world has the two shapes that the daemon expects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CallShape {
    /// An item of `messaging` with an object `call`.
    #[default]
    Messaging,
    /// A change of the field `calls`, as WhatsApp has it.
    Change,
}
