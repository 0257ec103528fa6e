//! `dispositions`: what agents may say of calls.

use std::io::Write;

use clap::Args;
use serde::Deserialize;

use super::remote::{Ask, Target};
use super::table::{Rows, name, plain};

#[derive(Debug, Args)]
pub(super) struct Dispositions {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Deserialize)]
struct Page {
    dispositions: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    label: String,
    effect: String,
    list: Option<String>,
    scope: Option<String>,
}

impl Dispositions {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.daemon.ask_json(&Ask::get("v1/dispositions"))?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(&serde_json::from_value(answer)?, out)
    }
}

fn print(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&["disposition", "label", "effect", "list", "scope"]);
    for Row { name: word, label, effect, list, scope } in &page.dispositions {
        rows.push([
            name(word),
            plain(label),
            plain(effect),
            plain(list.as_deref().unwrap_or("-")),
            plain(scope.as_deref().unwrap_or("-")),
        ]);
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_disposition_is_a_line() {
        let page = json!({"dispositions": [
            {"name": "call_again", "label": "Call again", "effect": "callback_at"},
            {"name": "do_not_call", "label": "No calls", "effect": "suppress", "list": "house", "scope": "all"},
        ]});
        let mut out = Vec::new();
        print(&serde_json::from_value(page).unwrap(), &mut out).unwrap();
        let shown = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["disposition", "label", "effect", "list", "scope"]);
        assert_eq!(lines[1], ["call_again", "Call", "again", "callback_at", "-", "-"]);
        assert_eq!(lines[2], ["do_not_call", "No", "calls", "suppress", "house", "all"]);
    }
}
