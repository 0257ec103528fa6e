//! Reads a page of Messenger and tells what is missing or wrong. Changes nothing.

use serde_json::Value;

use super::checks::{self, Seen, word};
use super::examine::FoundBy;
use super::finding::{Code, Finding};
use super::graph_reads::{Trouble, read, trouble};
use crate::clock::Clock;
use crate::config::Messenger;
use crate::content::Folder;
use crate::content::road::Use;
use crate::domain::AccountAlias;
use crate::messenger::page::{Eligibility, eligibility};
use crate::meta::Graph;

/// What is examined.
#[derive(Debug, Clone, Copy)]
pub struct ExaminedPage<'a> {
    pub alias: &'a AccountAlias,
    pub page: &'a Messenger,
    pub folder: &'a Folder,
}

/// The fields without which something is not seen (`docs/HOOKS.md`).
const FIELDS: [&str; 4] = ["messages", "messaging_postbacks", "message_deliveries", "calls"];

/// Everything that is found, in the order of the examination.
pub async fn examine_page(graph: &Graph, examined: &ExaminedPage<'_>, clock: &dyn Clock) -> Vec<Finding> {
    let mut found = FoundBy::new(examined.alias, None);
    let page_id = &examined.page.page_id;
    match read(graph, page_id, "id,name").await {
        Ok(_) => {}
        Err(error) => match trouble(&error) {
            Trouble::Token(told) => return found.only(Code::PageToken, told),
            Trouble::Unreachable(told) => return found.only(Code::PageUnreachable, told),
            Trouble::Refused(told) => return found.only(Code::PageMissing, told),
        },
    }
    if let Some(date) = graph.date().await {
        found.all(checks::clock(clock.now(), date));
    }
    match eligibility(graph, page_id).await {
        Ok(Eligibility::Eligible) => {}
        Ok(Eligibility::NotEligible(told)) => {
            found.tell(Code::PageCallsOff, format!("Meta says {}", word(&told)));
        }
        Ok(Eligibility::Untold) => found.tell(Code::PageCallsUnknown, String::new()),
        Err(error) => found.tell(Code::PageCallsUnknown, trouble(&error).told()),
    }
    match graph.read::<Value>(&format!("{page_id}/subscribed_apps")).await {
        Ok(apps) => found.all(subscribed(&apps)),
        Err(error) => found.tell(Code::Unread, format!("its apps: {}", trouble(&error).told())),
    }
    if examined.page.invite.is_none() {
        found.tell(Code::PageNoContent, String::new());
    }
    found.all(checks::declared(
        examined.page.invite.iter().map(|name| (Use::Messenger.key(), name)),
        examined.folder,
    ));
    found.done()
}

/// The apps of the page and the fields that they take.
pub(super) fn subscribed(apps: &Value) -> Option<Seen> {
    let apps = apps["data"].as_array().map_or(&[][..], Vec::as_slice);
    if apps.is_empty() {
        return Some((Code::PageUnsubscribed, String::new()));
    }
    let has = |field: &str| {
        apps.iter().any(|app| {
            let fields = app["subscribed_fields"].as_array().map_or(&[][..], Vec::as_slice);
            fields.iter().any(|one| one == field || one["name"] == field)
        })
    };
    let missing: Vec<&str> = FIELDS.into_iter().filter(|field| !has(field)).collect();
    (!missing.is_empty()).then(|| (Code::PageFields, missing.join(", ")))
}
