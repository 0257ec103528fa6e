//! `list`: callbacks, newest first. Numbers are sent in the body, because URLs are logged.

use std::io::Write;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value};

use super::{print, views};
use crate::cli::remote::{Ask, Body, Target};
use crate::cli::values::phone;
use crate::domain::Phone;

const STATUSES: [&str; 3] = ["waiting", "calling", "closed"];
pub(in crate::cli) const OUTCOMES: [&str; 7] =
    ["reached", "exhausted", "declined", "expired", "canceled", "failed", "reached_elsewhere"];

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only callbacks with this status
    #[arg(long, value_parser = PossibleValuesParser::new(STATUSES))]
    status: Option<String>,
    /// Only callbacks with this outcome
    #[arg(long, value_parser = PossibleValuesParser::new(OUTCOMES))]
    outcome: Option<String>,
    /// Only callbacks whose last call was answered and served nobody
    #[arg(long)]
    abandoned: bool,
    /// Only callbacks whose call with an agent is over, and about which no agent has said anything in time
    #[arg(long, value_parser = PossibleValuesParser::new(["missing"]))]
    wrap_up: Option<String>,
    /// Only callbacks of this campaign
    #[arg(long)]
    campaign: Option<String>,
    /// Only callbacks with this reference
    #[arg(long)]
    reference: Option<String>,
    /// Only callbacks to this consumer
    #[arg(long, value_name = "NUMBER", value_parser = phone)]
    consumer: Option<Phone>,
    /// Only callbacks that this sender may call for
    #[arg(long, value_name = "NUMBER", value_parser = phone)]
    sender: Option<Phone>,
    /// The maximum number of callbacks to show
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Continue after this callback
    #[arg(long, value_name = "CALLBACK")]
    cursor: Option<String>,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl List {
    pub(in crate::cli) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.daemon.ask_json(&Ask::post("v1/callbacks/search", Body::Json(self.search())))?;
        if self.json { print::json(&answer, out) } else { print::page(&views::read(answer)?, out) }
    }

    fn search(&self) -> Value {
        let number = |phone: Phone| phone.e164();
        let given = [
            ("status", self.status.clone()),
            ("outcome", self.outcome.clone()),
            ("wrap_up", self.wrap_up.clone()),
            ("campaign", self.campaign.clone()),
            ("reference", self.reference.clone()),
            ("consumer", self.consumer.map(number)),
            ("sender", self.sender.map(number)),
            ("cursor", self.cursor.clone()),
        ];
        let mut search: Map<String, Value> =
            given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        if self.abandoned {
            search.insert("abandoned".to_owned(), true.into());
        }
        search.insert("limit".to_owned(), self.limit.into());
        search.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;

    #[test]
    fn every_outcome_can_be_listed() {
        assert_eq!(OUTCOMES, Outcome::ALL.map(Outcome::as_str));
    }
}
