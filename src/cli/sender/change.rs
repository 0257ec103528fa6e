//! `sender activate` and `sender deactivate`.

use std::io::Write;

use clap::Args;
use jiff::SignedDuration;

use super::super::failure::{Hint as _, refusal};
use super::super::settings::ConfigFile;
use super::super::values::{duration, phone};
use super::{block_on, chosen};
use crate::clock::SystemClock;
use crate::config::{Config, Meta};
use crate::daemon::clients;
use crate::domain::Phone;
use crate::hook_urls::SenderUrls;
use crate::onboarding::{Activated, Deactivated, Order, Refused, activate, deactivate};
use crate::text::visible::escaped;

#[derive(Debug, Args)]
pub(in crate::cli) struct Change {
    /// The sender, which is configured [default of activate: all senders of the account]
    #[arg(value_name = "NUMBER", value_parser = phone)]
    number: Option<Phone>,
    /// One account, by its name in the configuration [default: all]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Take the sender over from another program, such as Flex or Studio
    #[arg(long)]
    replace: bool,
    /// How long to wait until the sender is online
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: SignedDuration,
    #[command(flatten)]
    config: ConfigFile,
}

impl Change {
    pub(super) fn activate(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.each(out, async |client, order| {
            activate(client, order, &SystemClock).await.map(|done| activated(&done))
        })
    }

    pub(super) fn deactivate(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.number.is_none() {
            return refusal("no sender is named", ["ringmaster sender list shows the senders"]);
        }
        self.each(out, async |client, order| {
            deactivate(client, order, &SystemClock).await.map(|done| deactivated(&done))
        })
    }

    /// The section of the number at WhatsApp's Cloud API, if it is configured there.
    fn at_meta<'a>(&self, config: &'a Config) -> Option<&'a str> {
        let is_it = |meta: &Meta| self.number == Some(meta.number);
        config.meta.iter().find(|(_, meta)| is_it(meta)).map(|(alias, _)| &**alias)
    }

    /// Changes one sender after the other; the first that is refused ends it.
    fn each(
        &self,
        out: &mut dyn Write,
        change: impl AsyncFn(&crate::onboarding::Connection, Order<'_>) -> Result<String, Refused>,
    ) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let clients = chosen(clients(&config)?, self.account.as_deref())?;
        let urls = SenderUrls::below(config.http.public_url.as_str());
        let mut orders = Vec::new();
        for (alias, client) in &clients {
            let own = config.accounts[alias].senders.keys().copied();
            let wanted = own.filter(|number| self.number.is_none_or(|wanted| wanted == *number));
            orders.extend(wanted.map(|number| (client, number)));
        }
        if let Some(alias) = orders.is_empty().then(|| self.at_meta(&config)).flatten() {
            return refusal(
                format!("the sender is one of [meta.{alias}], which no voice application serves"),
                ["calls to it are switched on at Meta: WhatsApp Manager, Phone numbers, Call settings"],
            );
        }
        if orders.is_empty() {
            return refusal(
                "the configuration has no such sender",
                ["ringmaster sender list shows the senders; add it to [accounts.<alias>.senders]"],
            );
        }
        for (client, number) in orders {
            let order = Order { number, urls: &urls, may_replace: self.replace, patience: self.timeout };
            let done = block_on(async { Ok(change(client, order).await) })?;
            let done = done.map_err(|why| {
                let hint = hint(&why);
                anyhow::Error::new(why).context(format!("{number}")).context_hint(hint)
            });
            match done {
                Ok(line) => {
                    writeln!(out, "{}: {}", number.e164(), escaped(&line))?;
                    out.flush()?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// An error with its hint.
trait ContextHint {
    fn context_hint(self, hint: &'static str) -> Self;
}

impl ContextHint for anyhow::Error {
    fn context_hint(self, hint: &'static str) -> Self {
        let refused: anyhow::Result<()> = Err(self);
        refused.hint(hint).expect_err("an error stays one")
    }
}

fn activated(done: &Activated) -> String {
    let mut said = match (done.was_active, done.is_created) {
        (true, _) => format!("calls were active: {}", done.application),
        (false, true) => format!("calls are active with a new application: {}", done.application),
        (false, false) => {
            format!("calls are active with an application that was there: {}", done.application)
        }
    };
    if let Some(replaced) = &done.replaced {
        said = format!("{said}; it replaced {replaced}, which is not changed");
    }
    if done.is_webhook_set {
        said.push_str("; the webhook for messages is set");
    }
    said
}

fn deactivated(done: &Deactivated) -> String {
    match done {
        Deactivated::WasOff => "calls were not active".to_owned(),
        Deactivated::Cleared(sid) => format!("calls are not active any more; {sid} is not deleted"),
    }
}

fn hint(why: &Refused) -> &'static str {
    match why {
        Refused::NoSender => "ringmaster sender list shows the senders of the account",
        Refused::Foreign { .. } | Refused::ForeignWebhook => {
            "another program may use it: --replace takes the sender over; ringmaster doctor says what is not seen otherwise"
        }
        Refused::Offline { .. } => {
            "open the sender in the Twilio console (Messaging, Senders, WhatsApp senders)"
        }
        Refused::Rejected(_) => "ringmaster doctor says what is missing, such as the messaging limit",
        Refused::Unknown(_) | Refused::Failed(_) | Refused::TooSlow { .. } => {
            "repeat the command: it continues where it ended, and creates nothing twice"
        }
    }
}
