//! The content that messages of an order are filled from: which variables it needs, and whether the values of an order
//! fit. Sends nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::{ContentRef, Phone, Psid};
use crate::{messenger, meta};

/// The content that is known by its declaration, or by what the platform shows of it.
#[derive(Debug, Clone, Default)]
pub struct OrderContents {
    /// The variables that an order has to give, by content. Content that is known and has none is among them.
    pub variables: BTreeMap<ContentRef, BTreeSet<String>>,
    /// What `meta/*` says.
    pub meta: meta::messages::Contents,
    /// What `messenger/*` says.
    pub pages: messenger::messages::Contents,
}

/// The longest calling link and the longest payload, as the check of declarations has them.
const LINK_LENGTH: usize = 111;
const PAYLOAD_LENGTH: usize = 64;

impl OrderContents {
    /// Why a message with this content and these values would not be sent. A value that is missing is not told: it is a
    /// fault of its own.
    #[must_use]
    pub fn misfit(
        &self,
        content: &ContentRef,
        consumer: Phone,
        psid: Option<&Psid>,
        variables: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Option<String> {
        let (link, payload) = (Some("x".repeat(LINK_LENGTH)), Some("x".repeat(PAYLOAD_LENGTH)));
        if let Some(words) = self.meta.get(content) {
            let values = meta::messages::Values { variables, link, payload, now, ends_at: None };
            return match meta::messages::body(consumer, "", words, &values) {
                Ok(_) | Err(meta::messages::Fault::NoValue { .. }) => None,
                Err(fault) => Some(fault.to_string()),
            };
        }
        let declaration = self.pages.get(content)?;
        let values = messenger::messages::Values { variables, link, payload, now, ends_at: None };
        match messenger::messages::body(psid?, declaration, &values) {
            Ok(_) | Err(messenger::messages::Fault::NoValue { .. }) => None,
            Err(fault) => Some(fault.to_string()),
        }
    }
}
