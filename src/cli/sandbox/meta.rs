//! The sandbox's numbers at WhatsApp's Cloud API: one app with one business account, and a `[meta]` section for each
//! number.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use url::Url;

use super::APP_SECRET;
use crate::cli::failure::refusal;
use crate::domain::Phone;
use crate::sim::world::{AppSetup, BusinessAccountSetup, GraphSetup, NumberSetup};

const APP: &str = "100000000000001";
const ACCOUNT: &str = "200000000000001";
/// The token and the verify token. They only work for the simulation.
const SECRET: &str = "sandbox";

pub(super) fn check(numbers: &[Phone]) -> anyhow::Result<()> {
    let distinct: BTreeSet<&Phone> = numbers.iter().collect();
    if distinct.len() < numbers.len() {
        return refusal("a number of --meta is repeated", ["give each number once"]);
    }
    Ok(())
}

pub(super) fn setup(numbers: &[Phone], daemon: &Url) -> GraphSetup {
    if numbers.is_empty() {
        return GraphSetup::default();
    }
    let base = daemon.as_str().trim_end_matches('/');
    let number = |(index, number): (usize, &Phone)| NumberSetup {
        webhook_url: Some(format!("{base}/hooks/meta/{}", alias(index))),
        ..NumberSetup::new(id(index), *number)
    };
    let numbers = numbers.iter().enumerate().map(number).collect();
    let mut app = AppSetup::new(APP, APP_SECRET, SECRET);
    app.verify_token = SECRET.to_owned();
    // What concerns the whole account is told at the URL of the app.
    app.webhook_url = Some(format!("{base}/hooks/meta/{}", alias(0)));
    app.business_accounts.push(BusinessAccountSetup::new(ACCOUNT, numbers));
    GraphSetup { apps: vec![app] }
}

/// Writes the sections that a daemon needs. `senders` are the numbers that are at Twilio as well.
pub(super) fn configure(
    text: &mut String,
    numbers: &[Phone],
    senders: &BTreeSet<Phone>,
    address: SocketAddr,
) -> fmt::Result {
    for (index, number) in numbers.iter().enumerate() {
        let alias = alias(index);
        writeln!(text)?;
        for (key, value) in [("TOKEN", SECRET), ("APP_SECRET", APP_SECRET), ("VERIFY_TOKEN", SECRET)] {
            writeln!(text, "# export RINGMASTER_META__{}__{key}={value}", alias.to_uppercase())?;
        }
        writeln!(text, "[meta.{alias}]\nnumber = \"{}\"", number.e164())?;
        writeln!(text, "phone_number_id = \"{}\"\nbusiness_account_id = \"{ACCOUNT}\"", id(index))?;
        writeln!(text, "graph_url = \"http://{address}\"")?;
        if senders.contains(number) {
            writeln!(text, "shared_number = true")?;
        }
        writeln!(
            text,
            "# Roads name declared content: invite_call_button, invite_template, invite_url_button,"
        )?;
        writeln!(text, "# invite_deep_link. ringmaster content apply creates the template.")?;
    }
    Ok(())
}

fn alias(index: usize) -> String {
    format!("cloud{}", index + 1)
}

fn id(index: usize) -> String {
    format!("300000000000{:03}", index + 1)
}
