//! `sender list`: the senders of the accounts, as Twilio shows them.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::super::settings::ConfigFile;
use super::super::table::{Rows, name, plain};
use super::{block_on, chosen};
use crate::daemon::clients;

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// One account, by its name in the configuration [default: all]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
}

/// One sender of an account.
struct Row {
    account: String,
    number: String,
    is_configured: bool,
    sid: String,
    status: String,
    application: Option<String>,
    limit: Option<String>,
    quality: Option<String>,
}

impl List {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let clients = chosen(clients(&config)?, self.account.as_deref())?;
        let rows: Vec<Row> = block_on(async {
            let mut rows = Vec::new();
            for (alias, client) in &clients {
                let own = &config.accounts[alias].senders;
                for sender in client.list_senders().await? {
                    let phone = sender.phone();
                    let text = |text: Option<&str>| text.map(ToOwned::to_owned);
                    rows.push(Row {
                        account: alias.to_string(),
                        number: phone.map_or_else(|| "-".to_owned(), |phone| phone.e164()),
                        is_configured: phone.is_some_and(|phone| own.contains_key(&phone)),
                        application: text(sender.voice_application_sid()),
                        limit: text(sender.messaging_limit()),
                        quality: text(sender.quality_rating()),
                        sid: sender.sid.unwrap_or_default(),
                        status: sender.status,
                    });
                }
            }
            Ok(rows)
        })?;
        if self.json {
            let all: Vec<_> = rows.iter().map(object).collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            return Ok(writeln!(out)?);
        }
        let mut table = Rows::new(&[
            "sender",
            "account",
            "configured",
            "status",
            "voice application",
            "limit",
            "quality",
        ]);
        for row in &rows {
            table.push([
                name(&row.number),
                plain(&row.account),
                plain(if row.is_configured { "yes" } else { "no" }),
                plain(&row.status),
                plain(row.application.as_deref().unwrap_or("-")),
                plain(row.limit.as_deref().unwrap_or("-")),
                plain(row.quality.as_deref().unwrap_or("-")),
            ]);
        }
        Ok(table.write(out)?)
    }
}

fn object(row: &Row) -> serde_json::Value {
    json!({
        "account": row.account, "sender": row.number, "configured": row.is_configured, "sid": row.sid,
        "status": row.status, "voice_application_sid": row.application, "messaging_limit": row.limit,
        "quality_rating": row.quality,
    })
}
