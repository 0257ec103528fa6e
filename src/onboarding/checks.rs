//! Compares what Twilio shows with what the daemon expects. Asks nobody.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::finding::Code;
use super::voice::{CALL_TRIES, Match, Owner, REPORT_TRIES, compare, owner};
use crate::content::role::{Chosen, Role, Unusable};
use crate::content::{Folder, Held, Status};
use crate::domain::country::{Country, Platform, exclusion_of};
use crate::domain::{ContentRef, Phone};
use crate::hook_urls::SenderUrls;
use crate::twilio::{AccountState, Alert, Application, Sender};

/// A code, and what was seen.
pub type Seen = (Code, String);

/// The messaging limit from which calls can be activated (Twilio, *WhatsApp Business Calling*, generally available
/// revision, 2026: "2,000 business-initiated conversations in a rolling 24 h"; Meta's code 138015).
pub const MESSAGING_LIMIT_MIN: u64 = 2_000;

/// Lost calls are matched by Twilio's time to within this.
const DRIFT_WARNED: SignedDuration = SignedDuration::from_secs(30);
/// A jump of this size stops dialling (`policy::ClockWatch`).
const DRIFT_FAULT: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn account(state: &AccountState) -> Vec<Seen> {
    let mut seen = Vec::new();
    if !state.status.is_empty() && state.status != "active" {
        seen.push((Code::Inactive, format!("its status is {}", word(&state.status))));
    }
    if state.kind.eq_ignore_ascii_case("trial") {
        seen.push((Code::Trial, String::new()));
    }
    seen
}

pub(super) fn clock(ours: Timestamp, twilios: Timestamp) -> Option<Seen> {
    let apart = ours.duration_since(twilios).abs();
    let told = || format!("it differs by {} s", apart.as_secs());
    match apart {
        apart if apart >= DRIFT_FAULT => Some((Code::Clock, told())),
        apart if apart >= DRIFT_WARNED => Some((Code::ClockSlow, told())),
        _ => None,
    }
}

/// The URL below which the hooks are. One on this machine is right for the sandbox, if Twilio's API is here too.
pub(super) fn public_url(base: &Url, api: &Url) -> Option<Seen> {
    let is_local = |url: &Url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_private(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    let is_wrong = base.scheme() != "https" || is_local(base);
    (is_wrong && !is_local(api)).then(|| (Code::PublicUrl, String::new()))
}

pub(super) fn sender(sender: &Sender, number: Phone, urls: &SenderUrls) -> Vec<Seen> {
    let mut seen = Vec::new();
    if !sender.is_online() {
        let reasons = sender.offline_reasons().filter_map(|reason| {
            let message = word(reason.message.as_deref()?);
            Some(reason.code.map_or_else(|| message.clone(), |code| format!("{code}: {message}")))
        });
        let told = std::iter::once(format!("its status is {}", word(&sender.status))).chain(reasons.take(5));
        seen.push((Code::SenderOffline, told.collect::<Vec<_>>().join("; ")));
    } else if sender.status != "ONLINE" {
        seen.push((Code::SenderUpdating, String::new()));
    }
    if let Some(excluded) = Country::of(number).and_then(exclusion_of)
        && excluded.is_by(Platform::Twilio)
    {
        seen.push((Code::SenderCountry, format!("it is of {}", excluded.name)));
    }
    match sender.messaging_limit() {
        Some(text) => match messaging_limit(text) {
            Some(limit) if limit < MESSAGING_LIMIT_MIN => {
                seen.push((Code::SenderLimit, format!("it is {}", word(text))));
            }
            Some(_) => {}
            None => seen.push((Code::SenderLimitUnknown, format!("Twilio shows {}", word(text)))),
        },
        None => seen.push((Code::SenderLimitUnknown, String::new())),
    }
    if sender.quality_rating().is_some_and(|rating| rating.eq_ignore_ascii_case("LOW")) {
        seen.push((Code::SenderQuality, String::new()));
    }
    seen.extend(messages(sender, urls));
    seen
}

/// The conversations in 24 h of a limit such as `10K Customers/24hr`; unlimited is the greatest number.
#[must_use]
pub fn messaging_limit(text: &str) -> Option<u64> {
    let first = text.split_whitespace().next()?.replace(',', "").to_ascii_uppercase();
    if first.contains("UNLIMITED") {
        return Some(u64::MAX);
    }
    let first = first.strip_prefix("TIER_").unwrap_or(&first);
    let (digits, factor) = match first.as_bytes().last()? {
        b'K' => (first.get(..first.len().saturating_sub(1))?, 1_000),
        b'M' => (first.get(..first.len().saturating_sub(1))?, 1_000_000),
        _ => (first, 1_u64),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn messages(sender: &Sender, urls: &SenderUrls) -> Vec<Seen> {
    let Some(set) = sender.callback_url() else { return vec![(Code::MessagesUnset, String::new())] };
    match compare(set, &urls.messages, REPORT_TRIES) {
        Match::Different => vec![(Code::MessagesUrl, told(set, &urls.messages))],
        _ if !sender.callback_method().eq_ignore_ascii_case("POST") => {
            vec![(Code::MessagesMethod, format!("it is {}", word(sender.callback_method())))]
        }
        Match::OtherTries => vec![(Code::Fragment, format!("messages: append {REPORT_TRIES}"))],
        Match::Same => Vec::new(),
    }
}

/// The voice application of a sender. `None`: it has none that can be read.
pub(super) fn voice(application: &Application, urls: &SenderUrls) -> Vec<Seen> {
    match owner(application, urls) {
        Owner::Us => {}
        Owner::Studio => return vec![(Code::VoiceStudio, named(application))],
        Owner::Flex => return vec![(Code::VoiceFlex, named(application))],
        Owner::Other => return vec![(Code::VoiceUrl, told(&application.voice_url, &urls.calls))],
    }
    let is_post = |method: &str| method.is_empty() || method.eq_ignore_ascii_case("POST");
    let mut seen = Vec::new();
    if !is_post(&application.voice_method) {
        seen.push((Code::VoiceMethod, format!("it is {}", word(&application.voice_method))));
    }
    if compare(&application.voice_url, &urls.calls, CALL_TRIES) == Match::OtherTries {
        seen.push((Code::Fragment, format!("the voice URL: append {CALL_TRIES}")));
    }
    match compare(&application.status_callback, &urls.call_status, REPORT_TRIES) {
        Match::Different => {
            seen.push((Code::VoiceStatus, told(&application.status_callback, &urls.call_status)));
        }
        _ if !is_post(&application.status_callback_method) => {
            let method = word(&application.status_callback_method);
            seen.push((Code::VoiceStatus, format!("its method is {method}, and the hooks take POST")));
        }
        Match::OtherTries => {
            seen.push((Code::Fragment, format!("the status callback: append {REPORT_TRIES}")));
        }
        Match::Same => {}
    }
    seen
}

/// Declared content of a road that has a fault of its own, or is not declared. Each has the key that names it.
pub(super) fn declared<'n>(
    names: impl Iterator<Item = (&'static str, &'n ContentRef)>,
    folder: &Folder,
) -> Vec<Seen> {
    let seen = names.filter_map(|(key, name)| {
        let code = undeclared(name.as_str(), folder)?;
        Some((code, format!("{key} = {:?}", name.as_str())))
    });
    seen.collect()
}

/// Content that a sender names by its declared name, and that has a fault of its own, or is not declared.
pub(super) fn declared_for(role: Role, name: &str, folder: &Folder) -> Option<Seen> {
    Some((undeclared(name, folder)?, format!("{} = {name:?}", role.key())))
}

/// Why the daemon refuses a name, if it does.
fn undeclared(name: &str, folder: &Folder) -> Option<Code> {
    if folder.is_broken(name) {
        return Some(Code::ContentBroken);
    }
    folder.declaration(name).is_none().then_some(Code::ContentUndeclared)
}

/// Content that a sender names by its SID.
pub(super) fn content(role: Role, sid: &str, held: &[Held]) -> Option<Seen> {
    let told = || format!("{}_sid = {sid}", role.key());
    let Some(found) = held.iter().find(|held| held.sid == sid) else {
        return Some((Code::ContentMissing, told()));
    };
    let code = match &found.review.status {
        Status::Approved => return None,
        Status::Rejected => Code::ContentRejected,
        Status::Disabled => Code::ContentDisabled,
        Status::Paused => Code::ContentPaused,
        _ if !role.needs_approval() => return None,
        Status::Unsubmitted => Code::ContentUnsubmitted,
        Status::Received | Status::Pending | Status::Other(_) => Code::ContentInReview,
    };
    let reason = found.review.reason.as_deref().map(|reason| format!(": {}", word(reason)));
    Some((code, format!("{}{}", told(), reason.unwrap_or_default())))
}

/// Content that a sender names by its declared name, and what was chosen for it.
pub(super) fn chosen(role: Role, name: &str, chosen: &Result<Chosen, Unusable>) -> Option<Seen> {
    let told = |why: &str| format!("{} = {name:?}{why}", role.key());
    match chosen {
        Ok(chosen) if chosen.is_paused => Some((Code::ContentPaused, told(""))),
        Ok(chosen) if chosen.is_older => Some((Code::ContentOlder, told(&format!(": {}", chosen.version)))),
        Ok(_) => None,
        Err(why) => {
            let (code, detail) = unusable(why);
            Some((code, told(&detail)))
        }
    }
}

/// Why no version of content can be sent, and what the platform says about it.
pub(super) fn unusable(why: &Unusable) -> Seen {
    let told = |detail: &str| format!(": {}", word(detail));
    match why {
        Unusable::Missing => (Code::ContentMissing, String::new()),
        Unusable::Rejected(why) => (Code::ContentRejected, told(why)),
        Unusable::Disabled => (Code::ContentDisabled, String::new()),
        Unusable::Unsubmitted => (Code::ContentUnsubmitted, String::new()),
        Unusable::InReview(status) => (Code::ContentInReview, told(status)),
        Unusable::Altered => (Code::ContentAltered, String::new()),
    }
}

/// One line for each code of WhatsApp calls and of webhooks.
pub(super) fn alerts(alerts: &[Alert]) -> Vec<Seen> {
    let mut counts: BTreeMap<u32, (u32, Option<Timestamp>)> = BTreeMap::new();
    for alert in alerts {
        let Some(number) = alert.error_code else { continue };
        let (count, last) = counts.entry(number).or_default();
        *count = count.saturating_add(1);
        *last = (*last).max(alert.date_created);
    }
    let told = |(number, (count, last)): (u32, (u32, Option<Timestamp>))| {
        let code = alert(number)?;
        let last = last.map(|at| format!(", the last at {at}")).unwrap_or_default();
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        Some((code, format!("{number} {times} in 24 h{last}")))
    };
    counts.into_iter().filter_map(told).collect()
}

const fn alert(number: u32) -> Option<Code> {
    Some(match number {
        11_200 => Code::Alert11200,
        37_000 => Code::Alert37000,
        37_001 => Code::Alert37001,
        37_003 => Code::Alert37003,
        37_004 => Code::Alert37004,
        37_006 => Code::Alert37006,
        37_007 => Code::Alert37007,
        37_008 => Code::Alert37008,
        37_009 => Code::Alert37009,
        _ if number / 1_000 == 37 => Code::Alert370,
        _ => return None,
    })
}

fn named(application: &Application) -> String {
    format!("{} ({})", application.sid, word(&application.friendly_name))
}

/// A URL of somebody else may have a secret in its query, so only its place is told.
pub(super) fn told(set: &str, ours: &str) -> String {
    let shown = match Url::parse(set) {
        _ if set.is_empty() => "not set".to_owned(),
        Ok(url) => word(&format!("{}{}", url.origin().ascii_serialization(), url.path())),
        Err(_) => "not a URL".to_owned(),
    };
    format!("it is {shown}, and ours is {ours}")
}

/// A text from outside, short and with numbers masked.
pub(super) fn word(text: &str) -> String {
    crate::transport::mask::mask_numbers(text).chars().take(200).collect()
}
