//! The hand-over of an inbound call to a Studio flow: `<Redirect>` to the flow's URL.
//!
//! What the flow does cannot be checked, so the operator lists each flow, and only a document of inbound calls names one:
//! a call that we placed has to report its end to us. Source: Twilio, *Studio, Trigger (Start)* (2026), the URL of a flow's
//! voice webhook.

use crate::domain::AllowedHosts;

/// A flow that a document hands over to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The line of its `<Redirect>`.
    pub line: usize,
    /// `AC` and 32 hexadecimal digits.
    pub account: String,
    /// `FW` and 32 hexadecimal digits.
    pub sid: String,
}

const ACCOUNTS: &str = "https://webhooks.twilio.com/v1/Accounts/";

impl Flow {
    /// The flow of a URL, which has nothing but the account and the flow.
    pub(super) fn read(url: &str, line: usize) -> Option<Self> {
        let (account, sid) = url.strip_prefix(ACCOUNTS)?.split_once("/Flows/")?;
        let is_one = AllowedHosts::is_sid("AC", account) && AllowedHosts::is_sid("FW", sid);
        is_one.then(|| Self { line, account: account.to_owned(), sid: sid.to_owned() })
    }
}

/// Whether a document of this name is for inbound calls. No order names it.
pub(super) fn may_hand_over(name: &str) -> bool {
    name.starts_with("inbound")
}
