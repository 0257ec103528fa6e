//! Reads a phone number at WhatsApp's Cloud API and tells what is missing or wrong. Sends nothing but reads.
//!
//! Sources: Meta, *Configure call settings* (26 Jun 2026), *Webhook overrides* (28 Jun 2026), *Manage webhooks* and
//! *Business phone numbers* (2026).

use serde_json::Value;

use super::checks::{self, Seen, word};
use super::examine::FoundBy;
use super::finding::{Code, Finding};
use super::graph_reads::{Trouble, all_ids, read, text, trouble};
use crate::clock::Clock;
use crate::config::Meta;
use crate::content::apply::list;
use crate::content::road::Use;
use crate::content::version::{self, NoVersion, Version};
use crate::content::{Declaration, Folder, Held};
use crate::domain::{AccountAlias, Phone, RoadKind};
use crate::meta::number::is_another;
use crate::meta::{Graph, Templates};

/// What is examined.
#[derive(Debug, Clone, Copy)]
pub struct ExaminedNumber<'a> {
    pub alias: &'a AccountAlias,
    pub meta: &'a Meta,
    pub folder: &'a Folder,
    /// Where the webhooks of the number have to go.
    pub webhook: &'a str,
}

/// Everything that is found, in the order of the examination.
pub async fn examine_number(graph: &Graph, examined: &ExaminedNumber<'_>, clock: &dyn Clock) -> Vec<Finding> {
    let mut found = FoundBy::new(examined.alias, Some(examined.meta.number));
    let fields = "id,display_phone_number,status,quality_rating";
    match read(graph, &examined.meta.phone_number_id, fields).await {
        Ok(number) => found.all(number_at_meta(&number, examined.meta.number)),
        Err(error) => match trouble(&error) {
            Trouble::Token(told) => return found.only(Code::MetaToken, told),
            Trouble::Unreachable(told) => return found.only(Code::MetaUnreachable, told),
            // Whatever else is asked with this id or this token is refused for the same reason.
            Trouble::Refused(told) => return found.only(Code::MetaNumber, told),
        },
    }
    if let Some(date) = graph.date().await {
        found.all(checks::clock(clock.now(), date));
    }
    found.all(account(graph, examined.meta).await);
    found.all(webhook(graph, examined).await);
    found.all(settings(graph, examined.meta).await);
    found.all(content(graph, examined, clock).await);
    found.tell(Code::MetaFields, String::new());
    found.done()
}

pub(super) fn number_at_meta(shown: &Value, number: Phone) -> Vec<Seen> {
    let mut seen = Vec::new();
    if is_another(text(shown, "display_phone_number"), number) {
        seen.push((Code::MetaOther, String::new()));
    }
    let status = text(shown, "status");
    if !status.is_empty() && !status.eq_ignore_ascii_case("CONNECTED") {
        seen.push((Code::MetaOffline, format!("its status is {}", word(status))));
    }
    if text(shown, "quality_rating").eq_ignore_ascii_case("RED") {
        seen.push((Code::SenderQuality, String::new()));
    }
    seen
}

/// The account has the number, and an app takes its webhooks.
async fn account(graph: &Graph, meta: &Meta) -> Vec<Seen> {
    let account = &meta.business_account_id;
    let mut seen = Vec::new();
    match all_ids(graph, &format!("{account}/phone_numbers")).await {
        Ok(ids) if !ids.contains(&meta.phone_number_id) => seen.push((Code::MetaAccount, String::new())),
        Ok(_) => {}
        Err(error) => match trouble(&error) {
            Trouble::Refused(told) => return vec![(Code::MetaAccount, told)],
            other => seen.push((Code::Unread, format!("the numbers of the account: {}", other.told()))),
        },
    }
    match graph.read::<Value>(&format!("{account}/subscribed_apps")).await {
        Ok(apps) if apps["data"].as_array().is_none_or(Vec::is_empty) => {
            seen.push((Code::MetaUnsubscribed, String::new()));
        }
        Ok(_) => {}
        Err(error) => {
            seen.push((Code::Unread, format!("the apps of the account: {}", trouble(&error).told())));
        }
    }
    seen
}

/// Where the webhooks go: to the URL of the number, else of the account, else of the app.
async fn webhook(graph: &Graph, examined: &ExaminedNumber<'_>) -> Option<Seen> {
    let shown = match read(graph, &examined.meta.phone_number_id, "webhook_configuration").await {
        Ok(shown) => shown,
        Err(error) => return Some((Code::Unread, format!("its webhook: {}", trouble(&error).told()))),
    };
    webhook_shown(&shown, examined.webhook)
}

pub(super) fn webhook_shown(shown: &Value, ours: &str) -> Option<Seen> {
    let levels = ["phone_number", "whatsapp_business_account", "application"];
    let set = levels.iter().map(|level| text(&shown["webhook_configuration"], level));
    match set.into_iter().find(|url| !url.is_empty()) {
        None => Some((Code::MetaWebhookUnknown, String::new())),
        Some(set) if set == ours => None,
        Some(set) => Some((Code::MetaWebhook, checks::told(set, ours))),
    }
}

async fn settings(graph: &Graph, meta: &Meta) -> Vec<Seen> {
    let path = format!("{}/settings", meta.phone_number_id);
    match graph.read::<Value>(&path).await {
        Ok(shown) => {
            let calls = [RoadKind::CallButton, RoadKind::Template, RoadKind::DeepLink];
            let invites = calls.iter().any(|road| meta.contents.contains_key(road));
            settings_shown(&shown, invites || meta.permission_request.is_some())
        }
        Err(error) => vec![(Code::Unread, format!("its call settings: {}", trouble(&error).told()))],
    }
}

/// `is_called`: an invite or a permission request of the number leads to a call.
pub(super) fn settings_shown(shown: &Value, is_called: bool) -> Vec<Seen> {
    let calling = &shown["calling"];
    let mut seen = Vec::new();
    if is_called && !text(calling, "status").eq_ignore_ascii_case("ENABLED") {
        seen.push((Code::MetaCallsOff, String::new()));
    }
    let visibility = text(calling, "call_icon_visibility");
    if !visibility.is_empty() && !visibility.eq_ignore_ascii_case("DEFAULT") {
        seen.push((Code::MetaIcon, format!("it is {}", word(visibility))));
    }
    if text(&calling["call_hours"], "status").eq_ignore_ascii_case("ENABLED") {
        seen.push((Code::MetaHours, String::new()));
    }
    if text(&calling["sip"], "status").eq_ignore_ascii_case("ENABLED") {
        seen.push((Code::MetaSip, String::new()));
    }
    let listed = calling["restrictions"]["restrictions_list"].as_array().map_or(&[][..], Vec::as_slice);
    if !listed.is_empty() {
        let kinds: Vec<String> = listed.iter().take(5).map(|one| word(text(one, "type"))).collect();
        seen.push((Code::MetaRestricted, kinds.join(", ")));
    }
    seen
}

async fn content(graph: &Graph, examined: &ExaminedNumber<'_>, clock: &dyn Clock) -> Vec<Seen> {
    let contents = &examined.meta.contents;
    if examined.meta.named().next().is_none() {
        return vec![(Code::MetaNoContent, String::new())];
    }
    let mut seen = checks::declared(examined.meta.named(), examined.folder);
    let named = contents.get(&RoadKind::Template);
    let Some(declared) = named.and_then(|name| examined.folder.declaration(name.as_str())) else {
        return seen;
    };
    let templates = Templates::new(graph.clone(), examined.meta.business_account_id.clone());
    match list(&templates, clock).await {
        Ok(held) => seen.extend(template(declared, &held)),
        Err(why) => seen.push((Code::Unread, format!("the templates: {why}"))),
    }
    seen
}

/// The template that is sent, as the start chooses it.
pub(super) fn template(declared: &Declaration, held: &[Held]) -> Option<Seen> {
    let told = |why: &str| format!("{} = {:?}{why}", Use::Template.key(), declared.name);
    match version::choose(declared, held, None) {
        Ok(Version { is_paused: true, .. }) => Some((Code::ContentPaused, told(""))),
        Ok(Version { instead: Some(why), .. }) => {
            Some((Code::ContentOlder, told(&format!(": the declared version {}", word(&why.to_string())))))
        }
        Ok(_) => None,
        Err(NoVersion { why, misfit }) => {
            let (code, detail) = checks::unusable(&why);
            let misfit = if misfit { "; no older version has the same variables and buttons" } else { "" };
            Some((code, told(&format!("{detail}{misfit}"))))
        }
    }
}
