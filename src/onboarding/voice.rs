//! Whose a voice application is, and whether a URL is ours.

use crate::hook_urls::SenderUrls;
use crate::twilio::Application;

/// The name of the applications that we create. Ours are those with this name and our two URLs.
pub const NAME: &str = "ringmaster: calls of consumers";

/// Connection overrides for the URLs that are set once (Twilio, *Webhooks connection overrides*, 2026; docs/HOOKS.md).
pub const REPORT_TRIES: &str = "#rc=3&rp=ct,rt,5xx";
pub const CALL_TRIES: &str = "#rc=2&rp=ct,rt,5xx&rt=6000";

/// Whose a voice application is, by the URL of its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Us,
    /// A Studio flow.
    Studio,
    Flex,
    Other,
}

/// How a URL that is set compares with ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    Same,
    /// Ours, with other connection overrides than recommended.
    OtherTries,
    Different,
}

#[must_use]
pub fn owner(application: &Application, urls: &SenderUrls) -> Owner {
    let url = application.voice_url.as_str();
    let name = application.friendly_name.to_ascii_lowercase();
    if compare(url, &urls.calls, "") != Match::Different {
        Owner::Us
    } else if is_studio(url) && !name.contains("flex") {
        Owner::Studio
    } else if is_studio(url) || url.contains("flex") || url.is_empty() && name.contains("flex") {
        Owner::Flex
    } else {
        Owner::Other
    }
}

/// A URL of a Studio flow: `https://webhooks.twilio.com/v1/Accounts/AC…/Flows/FW…`.
fn is_studio(url: &str) -> bool {
    url.strip_prefix("https://webhooks.twilio.com/v1/Accounts/")
        .is_some_and(|rest| rest.contains("/Flows/FW"))
}

/// Compares the part before the fragment, which is all that Twilio requests and signs. `tries` is the fragment that is
/// recommended.
#[must_use]
pub fn compare(set: &str, ours: &str, tries: &str) -> Match {
    let (base, _) = set.split_once('#').unwrap_or((set, ""));
    if base != ours {
        return Match::Different;
    }
    if set.get(base.len()..) == Some(tries) { Match::Same } else { Match::OtherTries }
}

/// Whether an application is one that we made for these URLs. One with other overrides is reused as it is.
#[must_use]
pub fn is_complete(application: &Application, urls: &SenderUrls) -> bool {
    application.friendly_name == NAME && is_right(application, urls)
}

/// Whether an application does what we need, whoever made it.
#[must_use]
pub fn is_right(application: &Application, urls: &SenderUrls) -> bool {
    let same = |set: &str, ours: &str| compare(set, ours, "") != Match::Different;
    let is_post = |method: &str| method.is_empty() || method.eq_ignore_ascii_case("POST");
    same(&application.voice_url, &urls.calls)
        && same(&application.status_callback, &urls.call_status)
        && is_post(&application.voice_method)
        && is_post(&application.status_callback_method)
}
