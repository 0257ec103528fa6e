//! The flags of `enqueue` that few orders need: an assigned agent, a promise, a place in line, a preview.

use clap::Args;
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::values::{agent, moment};
use crate::domain::AgentTarget;

#[derive(Debug, Args)]
pub(in crate::cli) struct Terms {
    /// The agent who alone is called until --exclusive-until: client:NAME or sip:USER@HOST
    #[arg(long, value_parser = agent, requires = "exclusive_until", conflicts_with = "file")]
    assigned_agent: Option<AgentTarget>,
    /// From when on the order's own agent is called: with an offset, or from now, such as +2h
    #[arg(long, value_name = "WHEN", value_parser = moment, requires = "assigned_agent")]
    exclusive_until: Option<Timestamp>,
    /// The time that was told to the consumer; answers say how late the first ring was
    #[arg(long, value_name = "WHEN", value_parser = moment, conflicts_with = "file")]
    promised_at: Option<Timestamp>,
    /// Since when the consumer has waited in a line, such as 2026-11-22T09:00:00-03:00: it goes before others
    #[arg(long, value_name = "SINCE", value_parser = moment, conflicts_with = "file")]
    place_in_line_since: Option<Timestamp>,
    /// Offer it to agents in place of dialling it; see "ringmaster offer"
    #[arg(long, conflicts_with = "file")]
    preview: bool,
    /// How long one offer lasts, in seconds
    #[arg(long = "preview-seconds", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(5..=600), requires = "preview")]
    preview_s: Option<u32>,
    /// How often it is offered before nobody took it
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=20), requires = "preview")]
    preview_times: Option<u32>,
    /// What happens then: ask (it waits until it is rescheduled or canceled) or dial
    #[arg(long, value_parser = PossibleValuesParser::new(["ask", "dial"]), requires = "preview")]
    preview_else: Option<String>,
}

impl Terms {
    /// The fields of the order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, Option<Value>)> {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string().into());
        [
            ("assigned_agent", self.assigned_agent.as_ref().map(|agent| agent.to_string().into())),
            ("exclusive_until", time(self.exclusive_until)),
            ("promised_at", time(self.promised_at)),
            ("place_in_line_since", time(self.place_in_line_since)),
            ("preview", self.preview.then_some(true.into())),
            ("preview_s", self.preview_s.map(Into::into)),
            ("preview_times", self.preview_times.map(Into::into)),
            ("preview_else", self.preview_else.clone().map(Into::into)),
        ]
        .into_iter()
    }
}
