//! `sender`: the senders at Twilio, and the activation of their calls.

mod change;
mod list;

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context as _;
use clap::Subcommand;

use super::failure::refusal;
use crate::domain::AccountAlias;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the WhatsApp senders of the accounts: status, voice application, messaging limit
    ///
    /// Asks Twilio, not the daemon; "ringmaster senders" asks the daemon about calls in progress.
    #[command(after_long_help = "Example:\n  ringmaster sender list --config ringmaster.toml")]
    List(list::List),
    /// Activate calls for configured senders
    ///
    /// Creates the TwiML application with our voice URL and status callback, or takes the one that is there, sets it at the
    /// sender, sets the webhook for messages if there is none, and waits until the sender is online. A second time it does
    /// nothing. An application or webhook of another program (Flex, Studio) is only replaced with --replace.
    #[command(after_long_help = "Examples:\n  ringmaster sender activate --config ringmaster.toml\n  \
                                 ringmaster sender activate +551151991234 --config ringmaster.toml --replace")]
    Activate(change::Change),
    /// Deactivate calls for a sender
    ///
    /// Consumers see no call button any more, and the sender cannot call. The application is not deleted.
    #[command(
        after_long_help = "Example:\n  ringmaster sender deactivate +551151991234 --config ringmaster.toml"
    )]
    Deactivate(change::Change),
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::List(list) => list.run(out),
        Command::Activate(change) => change.activate(out),
        Command::Deactivate(change) => change.deactivate(out),
    }
}

/// All accounts, or the one of this name.
pub(super) fn chosen<T>(
    mut of_accounts: BTreeMap<AccountAlias, T>,
    wanted: Option<&str>,
) -> anyhow::Result<BTreeMap<AccountAlias, T>> {
    if let Some(wanted) = wanted {
        let known = of_accounts.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        of_accounts.retain(|alias, _| **alias == *wanted);
        if of_accounts.is_empty() {
            return refusal(format!("there is no account {wanted:?}"), [format!("the accounts are {known}")]);
        }
    }
    if of_accounts.is_empty() {
        return refusal("no Twilio account is configured", ["ringmaster config default prints every key"]);
    }
    Ok(of_accounts)
}

/// Runs a command's requests.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the runtime cannot be started")?.block_on(work)
}
