//! `node`: the nodes on the store, who dials, and a planned change of the leader.

use std::io::Write;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;

use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain, second};
use crate::domain::GroupName;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the nodes on the store, and who dials
    #[command(after_long_help = "Example:\n  ringmaster node list")]
    List(List),
    /// Ask the node that dials to give up the lead
    ///
    /// It submits nothing more and gives its lease back; another node dials. It keeps running, waits for the answers to its
    /// requests, and claims the lead for 10 seconds no more.
    #[command(after_long_help = "Example:\n  ringmaster node resign calls-1")]
    Resign(Resign),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Resign {
    /// The node, such as calls-1
    #[arg(value_name = "NODE")]
    node: GroupName,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
struct Flags {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Deserialize)]
struct Page {
    node: String,
    nodes: Vec<Node>,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Node {
    name: String,
    role: String,
    version: String,
    #[serde(default)]
    url: Option<String>,
    started_at: Timestamp,
    seen_at: Timestamp,
    #[serde(default)]
    clock_ahead_ms: i64,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    leader: Option<String>,
    #[serde(default)]
    term: Option<u64>,
}

impl Command {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::List(List { flags }) => {
                let answer = flags.daemon.ask_json(&Ask::get("v1/nodes"))?;
                if flags.json {
                    return Ok(writeln!(out, "{answer:#}")?);
                }
                print(&serde_json::from_value(answer)?, out)
            }
            Self::Resign(Resign { node, flags }) => {
                let ask = Ask::post(format!("v1/nodes/{node}/resign"), Body::None);
                let answer = flags.daemon.ask_json(&ask)?;
                if flags.json {
                    return Ok(writeln!(out, "{answer:#}")?);
                }
                Ok(writeln!(out, "{node}  asked to resign; `ringmaster node list` shows who dials")?)
            }
        }
    }
}

fn print(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&["node", "role", "seen", "started", "clock ahead", "version", "url"]);
    for node in &page.nodes {
        let this = if node.name == page.node { " (this one)" } else { "" };
        rows.push([
            name(format!("{}{this}", node.name)),
            plain(&node.role),
            plain(second(node.seen_at)),
            plain(second(node.started_at)),
            plain(format!("{} ms", node.clock_ahead_ms)),
            plain(&node.version),
            plain(node.url.as_deref().unwrap_or("-")),
        ]);
    }
    rows.write(out)?;
    writeln!(out)?;
    let mut rows = Rows::new(&["group", "dialled by", "term", "accounts"]);
    for group in &page.groups {
        rows.push([
            name(&group.name),
            plain(group.leader.as_deref().unwrap_or("nobody")),
            plain(group.term.map_or_else(|| "-".to_owned(), |term| term.to_string())),
            plain(group.accounts.join(", ")),
        ]);
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_shows_the_nodes_and_who_dials_for_each_group() {
        let page = json!({"node": "calls-1", "role": "leader",
            "nodes": [
                {"name": "calls-1", "role": "leader", "version": "0.1.0", "started_at": "2026-11-23T12:00:00Z",
                 "seen_at": "2026-11-23T12:10:00Z", "clock_ahead_ms": 3},
                {"name": "calls-2", "role": "gone", "version": "0.1.0", "started_at": "2026-11-23T12:00:00Z",
                 "seen_at": "2026-11-23T12:01:00Z", "url": "https://calls-2.example.com/"},
            ],
            "groups": [{"name": "main", "accounts": ["main", "shop"], "leader": "calls-1", "term": 7},
                       {"name": "south", "accounts": ["brazil"]}],
            "leaders": []});
        let mut out = Vec::new();
        print(&serde_json::from_value(page).unwrap(), &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        for words in ["calls-1 (this one)  leader", "calls-2", "gone", "3 ms", "nobody", "main, shop"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
