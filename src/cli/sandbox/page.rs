//! The sandbox's pages of Messenger: one app and one `[messenger]` section for each.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use url::Url;

use super::APP_SECRET;
use crate::cli::failure::refusal;
use crate::sim::world::{AppSetup, PageSetup};

/// The verify token, and the beginning of the tokens. They only work for the simulation.
const SECRET: &str = "sandbox";

/// The id of a page in a flag.
pub(super) fn id(text: &str) -> Result<String, String> {
    if (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 32 digits".to_owned())
    }
}

pub(super) fn check(pages: &[String]) -> anyhow::Result<()> {
    let distinct: BTreeSet<&String> = pages.iter().collect();
    if distinct.len() < pages.len() {
        return refusal("a page of --page is repeated", ["give each page once"]);
    }
    Ok(())
}

pub(super) fn apps<'p>(pages: &'p [String], daemon: &'p Url) -> impl Iterator<Item = AppSetup> + 'p {
    let base = daemon.as_str().trim_end_matches('/');
    pages.iter().enumerate().map(move |(index, page)| {
        let mut app = AppSetup::new(
            format!("400000000000{:03}", index + 1),
            APP_SECRET,
            format!("{SECRET}-{page}-user"),
        );
        app.verify_token = SECRET.to_owned();
        app.webhook_url = Some(format!("{base}/hooks/messenger/{}", alias(index)));
        app.pages.push(PageSetup::new(page, token(page)));
        app
    })
}

/// Writes the sections that a daemon needs.
pub(super) fn configure(text: &mut String, pages: &[String], address: SocketAddr) -> fmt::Result {
    for (index, page) in pages.iter().enumerate() {
        let alias = alias(index);
        let variable = format!("RINGMASTER_MESSENGER__{}", alias.to_uppercase());
        writeln!(text, "\n# export {variable}__TOKEN={}", token(page))?;
        for (key, value) in [("APP_SECRET", APP_SECRET), ("VERIFY_TOKEN", SECRET)] {
            writeln!(text, "# export {variable}__{key}={value}")?;
        }
        writeln!(text, "[messenger.{alias}]\npage_id = \"{page}\"\ngraph_url = \"http://{address}\"")?;
        writeln!(text, "# Its road names declared content: invite.")?;
    }
    Ok(())
}

fn alias(index: usize) -> String {
    format!("page{}", index + 1)
}

/// Each page has a token of its own, since the token tells which page asks.
fn token(page: &str) -> String {
    format!("{SECRET}-{page}")
}
