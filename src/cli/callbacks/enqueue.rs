//! `enqueue`: orders one callback from flags, or many from a file (`many`).

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::many::Many;
use super::terms::Terms;
use super::{print, views};
use crate::cli::consent::Consent;
use crate::cli::remote::{Ask, Body, Target};
use crate::cli::values::{
    Page, Pair, agent, json, messenger, missed_window, moment, page, pair, phone, priority, purpose,
    variables,
};
use crate::domain::{AgentTarget, MissedWindow, OrderKind, Phone, PoolName, Purpose};

#[derive(Debug, Args)]
pub(in crate::cli) struct Enqueue {
    /// The number to call, in E.164
    #[arg(long, value_name = "NUMBER", value_parser = phone, required_unless_present = "file")]
    consumer: Option<Phone>,
    /// The TwiML document of the call; a campaign may give it
    #[arg(long, value_name = "NAME", required_unless_present_any = ["file", "campaign"])]
    document: Option<String>,
    /// The sender that calls; may be repeated: the first sender that can call does
    #[arg(long = "sender", value_name = "NUMBER", value_parser = phone)]
    senders: Vec<Phone>,
    /// A variable of the document; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<Pair>,
    /// The agent that the consumer is connected to: client:NAME or sip:USER@HOST
    #[arg(long, value_parser = agent)]
    agent: Option<AgentTarget>,
    /// No call before this time: with an offset, such as 2026-11-22T09:00:00-03:00, or from now, such as +2h
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    earliest: Option<Timestamp>,
    /// No call at or after this time [default: the end of the third open day]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    latest: Option<Timestamp>,
    /// When the consumer may be called, such as "mon-fri 09:00-18:00, sat 10:00-13:00 @America/Sao_Paulo"
    #[arg(long)]
    hours: Option<String>,
    /// The priority: urgent, normal, bulk, or a number from 0 (bulk) to 9 (urgent)
    #[arg(long, value_name = "LEVEL", value_parser = priority)]
    priority: Option<u8>,
    /// The pool of agents of which the call needs a free seat, instead of that of its sender
    #[arg(long, value_name = "NAME")]
    pool: Option<PoolName>,
    /// The maximum number of attempts
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts_max: Option<u32>,
    /// The id of a campaign, which gives what is left out, or a label; callbacks can be listed by it
    #[arg(long)]
    campaign: Option<String>,
    /// Why the consumer is called: requested (by the consumer), service, marketing or collections
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<Purpose>,
    #[command(flatten)]
    consent: Consent,
    /// Call also soon after an earlier call that the consumer answered
    #[arg(long)]
    waive_gap: bool,
    /// Stay open when the consumer is reached for another order of the same purpose
    #[arg(long)]
    separate: bool,
    /// If the first calling hours pass without a call: next_window (waits for the next ones), close, or ask (waits until
    /// it is rescheduled or canceled)
    #[arg(long, value_name = "RULE", value_parser = missed_window)]
    missed_window: Option<MissedWindow>,
    /// Your own name for the callback
    #[arg(long)]
    reference: Option<String>,
    /// The consumer's id at the page of a Messenger account; may be repeated for other accounts
    #[arg(long, value_name = "ACCOUNT=PSID", value_parser = page)]
    messenger: Vec<Page>,
    /// Any JSON; answers have it unchanged
    #[arg(long, value_name = "JSON", value_parser = json)]
    metadata: Option<Value>,
    #[command(flatten)]
    terms: Terms,
    /// Callbacks as NDJSON or as a JSON array, with the fields of the API; "-" reads the standard input
    #[arg(
        long, value_name = "FILE",
        conflicts_with_all = ["consumer", "document", "senders", "variables", "agent", "pool", "earliest", "latest",
            "hours", "priority", "attempts_max", "campaign", "purpose", "consent_source", "waive_gap",
            "separate", "missed_window",
            "reference", "messenger", "metadata"]
    )]
    file: Option<PathBuf>,
    /// Makes the command safe to repeat: callbacks with the same key are ordered once. By default, each command has
    /// a new key
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl Enqueue {
    pub(in crate::cli) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let key = self.idempotency_key.clone().unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        match &self.file {
            Some(path) => {
                let kind = OrderKind::Callback;
                Many { kind, path, key: &key, json: self.json, daemon: &self.daemon }.run(out)
            }
            None => {
                let ask = Ask::post("v1/callbacks", Body::Json(self.order()?)).with_key(&key);
                let answer = self.daemon.ask_json(&ask)?;
                if self.json { print::json(&answer, out) } else { print::line(&views::read(answer)?, out) }
            }
        }
    }

    fn order(&self) -> anyhow::Result<Value> {
        let numbers: Vec<String> = self.senders.iter().map(|sender| sender.e164()).collect();
        let (sender, senders) = match numbers.as_slice() {
            [] => (None, None),
            [only] => (Some(only.clone().into()), None),
            several => (None, Some(several.into())),
        };
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let given: [(&str, Option<Value>); 21] = [
            ("consumer", self.consumer.map(|consumer| consumer.e164().into())),
            ("sender", sender),
            ("senders", senders),
            ("earliest", self.earliest.map(|at| at.to_string().into())),
            ("latest", self.latest.map(|at| at.to_string().into())),
            ("hours", text(&self.hours)),
            ("priority", self.priority.map(Into::into)),
            ("document", text(&self.document)),
            ("variables", variables(&self.variables)?),
            ("agent", self.agent.as_ref().map(|agent| agent.to_string().into())),
            ("pool", self.pool.as_ref().map(|pool| pool.as_str().into())),
            ("attempts_max", self.attempts_max.map(Into::into)),
            ("campaign", text(&self.campaign)),
            ("purpose", self.purpose.map(|purpose| purpose.as_str().into())),
            ("consent", self.consent.body()),
            ("waive_gap", self.waive_gap.then_some(true.into())),
            ("separate", self.separate.then_some(true.into())),
            ("missed_window", self.missed_window.map(|rule| rule.as_str().into())),
            ("reference", text(&self.reference)),
            ("messenger", messenger(&self.messenger)?),
            ("metadata", self.metadata.clone()),
        ];
        let given = given.into_iter().chain(self.terms.fields());
        let present = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Value::Object(present.collect()))
    }
}
