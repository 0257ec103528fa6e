//! The texts of a declaration with their keys, the variables in them, and the URLs that it leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::declaration::{Declaration, Provider};
use super::placeholder::{filled, variables};

/// The variable that becomes the calling link with its payload.
pub const LINK: &str = "link";
/// The variable that becomes the payload alone.
pub const PAYLOAD: &str = "payload";

/// Every text of a declaration with its key, in the order in which it is shown.
#[must_use]
pub fn texts(declaration: &Declaration) -> Vec<(String, &str)> {
    let mut all = Vec::new();
    all.extend(declaration.texts().map(|(key, text)| (key.to_owned(), text)));
    let media = declaration.media.iter().enumerate();
    all.extend(media.map(|(index, url)| (format!("media[{index}]"), url.as_str())));
    for element in &declaration.elements {
        all.extend(element.texts().map(|(key, text)| (format!("elements[{}].{key}", element.index), text)));
    }
    for action in declaration.all_actions() {
        all.extend(action.texts().map(|(key, text)| (format!("{}.{key}", action.key), text)));
    }
    all
}

/// Each variable that is used, with the key of its first use.
#[must_use]
pub fn used(declaration: &Declaration) -> BTreeMap<String, String> {
    let mut used = BTreeMap::new();
    for (key, text) in texts(declaration) {
        for name in variables(text) {
            used.entry(name.to_owned()).or_insert_with(|| key.clone());
        }
    }
    used
}

/// The variables for which an order has to give a value. The link and the payload are ours.
#[must_use]
pub fn needed(declaration: &Declaration) -> BTreeSet<String> {
    let is_filled_by_us = declaration.kind.provider() != Provider::Twilio;
    let is_ours = |name: &String| is_filled_by_us && [LINK, PAYLOAD].contains(&name.as_str());
    used(declaration).into_keys().filter(|name| !is_ours(name)).collect()
}

/// The URLs with their keys, filled with the samples. A calling link is not among them: it is made for each message.
#[must_use]
pub fn urls(declaration: &Declaration) -> Vec<(String, String)> {
    let is_url = |key: &str| {
        key.starts_with("media[")
            || key.ends_with("url")
            || ["header_image", "header_video", "header_document"].contains(&key)
    };
    let is_link = |text: &str| variables(text).any(|name| name == LINK);
    let sample = |name: &str| match name {
        PAYLOAD => Some("sample"),
        name => declaration.variables.get(name).map(String::as_str),
    };
    let urls = texts(declaration).into_iter().filter(|(key, text)| is_url(key) && !is_link(text));
    urls.map(|(key, text)| (key, filled(text, sample))).collect()
}
