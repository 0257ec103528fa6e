//! What `reschedule` changes of a waiting callback or invite.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cli::failure::refusal;
use crate::cli::remote::Body;
use crate::cli::values::{moment, priority};

#[derive(Debug, Args)]
pub(in crate::cli) struct Changes {
    /// Nothing happens before this time: with an offset, or from now, such as +2h
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    earliest: Option<Timestamp>,
    /// Nothing happens at or after this time; without this flag, the deadline moves with --earliest
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    latest: Option<Timestamp>,
    /// When the consumer may be called or invited, such as "mon-fri 09:00-18:00 @Europe/Paris"; "any" removes the hours
    #[arg(long)]
    hours: Option<String>,
    /// The priority: urgent, normal, bulk, or a number from 0 (bulk) to 9 (urgent)
    #[arg(long, value_name = "LEVEL", value_parser = priority)]
    priority: Option<u8>,
    /// The reason, for the timeline
    #[arg(long)]
    reason: Option<String>,
}

impl Changes {
    /// The body of the request.
    ///
    /// # Errors
    /// If nothing is changed.
    pub(in crate::cli) fn body(&self) -> anyhow::Result<Body> {
        let hours = |hours: &String| if hours == "any" { Value::Null } else { hours.clone().into() };
        let given: [(&str, Option<Value>); 4] = [
            ("earliest", self.earliest.map(|at| at.to_string().into())),
            ("latest", self.latest.map(|at| at.to_string().into())),
            ("hours", self.hours.as_ref().map(hours)),
            ("priority", self.priority.map(Into::into)),
        ];
        let present = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut change: Map<String, Value> = present.collect();
        if change.is_empty() {
            return refusal(
                "nothing to change",
                ["give at least one of --earliest, --latest, --hours and --priority"],
            );
        }
        if let Some(reason) = &self.reason {
            change.insert("reason".to_owned(), reason.clone().into());
        }
        Ok(Body::Json(change.into()))
    }
}
