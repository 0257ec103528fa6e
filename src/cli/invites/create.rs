//! `invite create`: orders one invite from flags, or many from a file.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::cli::callbacks::{Many, print, views};
use crate::cli::consent::Consent;
use crate::cli::remote::{Ask, Body, Target};
use crate::cli::values::{
    Page, Pair, json, messenger, moment, page, pair, phone, priority, purpose, variables,
};
use crate::domain::{OrderKind, Phone, Purpose};

#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    /// The number to invite, in E.164
    #[arg(long, value_name = "NUMBER", value_parser = phone, required_unless_present = "file")]
    consumer: Option<Phone>,
    /// The sender that invites; may be repeated: the first sender that can invite does
    #[arg(long = "sender", value_name = "NUMBER", value_parser = phone)]
    senders: Vec<Phone>,
    /// A variable of the content that invites; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<Pair>,
    /// The consumer's id at the page of a Messenger account; may be repeated for other accounts
    #[arg(long, value_name = "ACCOUNT=PSID", value_parser = page)]
    messenger: Vec<Page>,
    /// Nothing is sent before this time: with an offset, such as 2026-11-22T09:00:00-03:00, or from now, such as +2h
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    earliest: Option<Timestamp>,
    /// Nothing is sent at or after this time, and the invite ends [default: the end of the third open day]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    latest: Option<Timestamp>,
    /// When the consumer may be invited, such as "mon-fri 09:00-18:00, sat 10:00-13:00 @America/Sao_Paulo"
    #[arg(long)]
    hours: Option<String>,
    /// The priority: urgent, normal, bulk, or a number from 0 (bulk) to 9 (urgent)
    #[arg(long, value_name = "LEVEL", value_parser = priority)]
    priority: Option<u8>,
    /// A campaign; invites can be listed by it
    #[arg(long)]
    campaign: Option<String>,
    /// Why the consumer is invited: requested (by the consumer), service, marketing or collections
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<Purpose>,
    #[command(flatten)]
    consent: Consent,
    /// Your own name for the invite
    #[arg(long)]
    reference: Option<String>,
    /// Any JSON; answers have it unchanged
    #[arg(long, value_name = "JSON", value_parser = json)]
    metadata: Option<Value>,
    /// Invites as NDJSON or as a JSON array, with the fields of the API; "-" reads the standard input
    #[arg(
        long, value_name = "FILE",
        conflicts_with_all = ["consumer", "senders", "variables", "messenger", "earliest", "latest", "hours",
            "priority", "campaign", "purpose", "reference", "metadata"]
    )]
    file: Option<PathBuf>,
    /// Makes the command safe to repeat: invites with the same key are ordered once. By default, each command has a new
    /// key
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl Create {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let key = self.idempotency_key.clone().unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        if let Some(path) = &self.file {
            let kind = OrderKind::Invite;
            return Many { kind, path, key: &key, json: self.json, daemon: &self.daemon }.run(out);
        }
        let ask = Ask::post("v1/invites", Body::Json(self.order()?)).with_key(&key);
        let answer = self.daemon.ask_json(&ask)?;
        if self.json { print::json(&answer, out) } else { print::line(&views::read(answer)?, out) }
    }

    fn order(&self) -> anyhow::Result<Value> {
        let senders: Vec<String> = self.senders.iter().map(|sender| sender.e164()).collect();
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let given: [(&str, Option<Value>); 13] = [
            ("consumer", self.consumer.map(|consumer| consumer.e164().into())),
            ("senders", (!senders.is_empty()).then(|| senders.into())),
            ("earliest", self.earliest.map(|at| at.to_string().into())),
            ("latest", self.latest.map(|at| at.to_string().into())),
            ("hours", text(&self.hours)),
            ("priority", self.priority.map(Into::into)),
            ("variables", variables(&self.variables)?),
            ("messenger", messenger(&self.messenger)?),
            ("campaign", text(&self.campaign)),
            ("purpose", self.purpose.map(|purpose| purpose.as_str().into())),
            ("consent", self.consent.body()),
            ("reference", text(&self.reference)),
            ("metadata", self.metadata.clone()),
        ];
        let present = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Value::Object(present.collect()))
    }
}
