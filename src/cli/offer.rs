//! `offer`: callbacks that are offered to agents before they are dialled.

use std::io::Write;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::callbacks::{One, print, views};
use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain};
use super::values::agent;
use crate::domain::AgentTarget;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the callbacks that are offered now, with the seconds that are left
    #[command(
        after_long_help = "Examples:\n  ringmaster offer list\n  ringmaster offer list --agent client:alice"
    )]
    List(List),
    /// Take an offer, so that the consumer is called at once
    ///
    /// Exactly one agent gets an offer. A later command is refused, and exits with an error.
    #[command(after_long_help = "Example:\n  \
        ringmaster offer accept cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --agent client:alice")]
    Accept(Accept),
    /// Skip an offer; it may be offered again
    #[command(after_long_help = "Example:\n  ringmaster offer skip cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Skip(One),
    /// Close the callback of an offer, so that the consumer is not called
    #[command(after_long_help = "Example:\n  ringmaster offer close cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Close(One),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only offers that this agent may take: client:NAME or sip:USER@HOST
    ///
    /// It is sent in an address, so it may not have seven digits in a row, which could be a phone number.
    #[arg(long, value_parser = named)]
    agent: Option<AgentTarget>,
    /// The maximum number of offers to show
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(super) struct Accept {
    /// The agent who is called: client:NAME or sip:USER@HOST; without it the callback's own
    #[arg(long, value_parser = agent)]
    agent: Option<AgentTarget>,
    #[command(flatten)]
    one: One,
}

#[derive(Deserialize)]
struct Page {
    offers: Vec<Offer>,
}

#[derive(Deserialize)]
struct Offer {
    id: String,
    left_s: i64,
    number: u32,
    callback: views::Callback,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::List(list) => list.run(out),
        Command::Accept(Accept { agent, one }) => {
            let body =
                agent.as_ref().map_or_else(|| json!({}), |agent| json!({ "agent": agent.to_string() }));
            answer(one, "accept", Body::Json(body), out)
        }
        Command::Skip(one) => answer(one, "skip", Body::None, out),
        Command::Close(one) => answer(one, "close", Body::None, out),
    }
}

fn answer(one: &One, verb: &str, body: Body, out: &mut dyn Write) -> anyhow::Result<()> {
    let answer = one.daemon.command(Ask::post(format!("v1/offers/{}/{verb}", one.id), body))?;
    if one.json { print::json(&answer, out) } else { print::line(&views::read(answer)?, out) }
}

/// An agent who may be named in a URL.
fn named(text: &str) -> Result<AgentTarget, String> {
    let agent = agent(text)?;
    if agent.may_be_a_number() {
        return Err("has seven or more digits in a row, which could be a phone number".to_owned());
    }
    Ok(agent)
}

fn request(agent: Option<&AgentTarget>, limit: u16) -> Ask<'static> {
    let all = Ask::get("v1/offers").with_query("limit", limit.to_string());
    match agent {
        Some(agent) => all.with_query("agent", agent.to_string()),
        None => all,
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.daemon.ask_json(&request(self.agent.as_ref(), self.limit))?;
        if self.json {
            return print::json(&answer, out);
        }
        let page: Page = views::read(answer)?;
        if page.offers.is_empty() {
            return Ok(writeln!(out, "no offers")?);
        }
        let mut rows = Rows::new(&["callback", "consumer", "campaign", "reference", "offer", "left"]);
        for Offer { id, left_s, number, callback } in &page.offers {
            rows.push([
                name(id),
                plain(&callback.consumer),
                plain(callback.campaign.as_deref().unwrap_or_default()),
                plain(callback.reference.as_deref().unwrap_or_default()),
                plain(number),
                plain(format!("{left_s}s")),
            ]);
        }
        Ok(rows.write(out)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_of_a_list_is_encoded_and_no_number() {
        let agent = named("sip:desk+1@pbx.example.com;transport=tls").unwrap();
        let ask = request(Some(&agent), 50);
        assert_eq!(ask.path, "v1/offers");
        assert_eq!(ask.query[1], ("agent", "sip:desk+1@pbx.example.com;transport=tls".to_owned()));
        assert!(named("client:agent-123456").is_ok());
        let refused = named("sip:+5511987654321@pbx.example.com").unwrap_err();
        assert!(refused.contains("seven") && !refused.contains("5511"), "{refused}");
    }
}
