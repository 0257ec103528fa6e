//! `import list`, `import show` and `import delete`: the imports that the daemon has.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;

use super::name as import_name;
use super::told::table;
use super::upload::{State, report};
use crate::cli::remote::{Ask, Target};
use crate::cli::table::{Rows, name, plain, second, standing};

/// What can be done with imports that the daemon has.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the imports, newest first
    #[command(after_long_help = "Example:\n  ringmaster import list")]
    List(List),
    /// Show how far an import is, and what became of its rows
    #[command(after_long_help = "Example:\n  ringmaster import show imp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Show(Show),
    /// Delete an import: what it has ordered stays
    ///
    /// A campaign does not wait for it any more. Its callbacks are canceled with their campaign, or one by one.
    #[command(after_long_help = "Example:\n  ringmaster import delete imp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// At most so many, 1 to 500
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The import by its id or its name; of several with one name, the newest
    #[arg(value_name = "IMPORT", value_parser = import_name)]
    import: String,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Delete {
    /// The import by its id (imp_ and 32 digits)
    #[arg(value_name = "IMPORT", value_parser = id)]
    import: String,
    #[command(flatten)]
    daemon: Target,
}

fn id(text: &str) -> Result<String, &'static str> {
    let id: Result<crate::domain::ImportId, _> = text.parse();
    id.map(|id| id.to_string())
        .map_err(|_| "expected imp_ and 32 hexadecimal digits; \"ringmaster import list\" shows them")
}

#[derive(Deserialize)]
struct Page {
    imports: Vec<Import>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Import {
    id: String,
    name: String,
    state: String,
    rows: u64,
    accepted: u64,
    refused: u64,
    created_at: Timestamp,
    created_by: String,
}

impl Command {
    pub(in crate::cli) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::List(list) => {
                let mut ask = Ask::get("v1/imports");
                ask.query.push(("limit", list.limit.to_string()));
                let answer = list.daemon.ask_json(&ask)?;
                if list.json {
                    return Ok(writeln!(out, "{answer:#}")?);
                }
                let page =
                    serde_json::from_value(answer).context("the daemon's answer is not a list of imports")?;
                print_page(&page, out)
            }
            Self::Show(show) => {
                let answer = show.daemon.ask_json(&Ask::get(format!("v1/imports/{}", show.import)))?;
                if show.json {
                    return Ok(writeln!(out, "{answer:#}")?);
                }
                let import = State::deserialize(&answer).context("the daemon's answer is not an import")?;
                print(&import, out)
            }
            Self::Delete(delete) => {
                delete.daemon.ask(&Ask::delete(format!("v1/imports/{}", delete.import)))?;
                Ok(writeln!(out, "{} is deleted; what it has ordered stays", delete.import)?)
            }
        }
    }
}

fn print_page(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.imports.is_empty() {
        return Ok(writeln!(out, "there are no imports")?);
    }
    let mut rows = Rows::new(&["id", "state", "rows", "ordered", "refused", "created", "by", "name"]);
    for import in &page.imports {
        let counts = [import.rows, import.accepted, import.refused].map(|count| plain(count.to_string()));
        let begin = [name(&import.id), standing(&import.state)];
        let end = [plain(second(import.created_at)), plain(&import.created_by), plain(&import.name)];
        rows.push(begin.into_iter().chain(counts).chain(end));
    }
    rows.write(out)?;
    if page.next.is_some() {
        writeln!(out, "there are more; --limit shows up to 500")?;
    }
    Ok(())
}

fn print(import: &State, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[]);
    rows.push([name("import"), plain(&import.name)]);
    rows.push([name("id"), plain(&import.id)]);
    rows.push([name("state"), standing(&import.state)]);
    if let Some(campaign) = &import.campaign {
        rows.push([name("campaign"), plain(campaign)]);
    }
    let size = import.size.map_or_else(String::new, |size| format!(" of {size}"));
    rows.push([name("arrived"), plain(format!("{}{size} bytes", import.received))]);
    rows.push([name("rows"), plain(import.rows.to_string())]);
    let before = match import.accepted_before {
        0 => String::new(),
        before => format!(", {before} of them by an earlier import of this name"),
    };
    rows.push([name("  ordered"), plain(format!("{}{before}", import.accepted))]);
    rows.push([name("  refused"), plain(import.rows.saturating_sub(import.accepted).to_string())]);
    rows.push([name("created"), plain(format!("{} by {}", second(import.created_at), import.created_by))]);
    rows.write(out)?;
    let report = report(import);
    table("refused", &report.refused, out)?;
    table("found", &report.findings, out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(print: impl FnOnce(&mut Vec<u8>) -> anyhow::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    fn import() -> serde_json::Value {
        json!({
            "id": "imp_1", "name": "leads", "state": "receiving", "campaign": "cmp_1", "size": 900, "received": 450,
            "rows": 12, "accepted": 11, "accepted_before": 2, "created_at": "2026-11-23T08:00:00Z", "created_by": "crm",
            "refused": [{"check": "list", "code": "row.double", "count": 1, "rows": [9]}], "findings": [],
        })
    }

    #[test]
    fn an_import_shows_how_far_it_is() {
        let import: State = serde_json::from_value(import()).unwrap();
        insta::assert_snapshot!(shown(|out| print(&import, out)), @r"
        import     leads
        id         imp_1
        state      receiving
        campaign   cmp_1
        arrived    450 of 900 bytes
        rows       12
          ordered  11, 2 of them by an earlier import of this name
          refused  1
        created    2026-11-23T08:00:00Z by crm

        refused  code        rows  numbers
        list     row.double  1     9
        ");
    }

    #[test]
    fn a_list_of_imports_has_a_row_for_each() {
        let mut row = import();
        row["refused"] = 1.into();
        let page = serde_json::from_value(json!({"imports": [row], "next": "imp_1"})).unwrap();
        insta::assert_snapshot!(shown(|out| print_page(&page, out)), @r"
        id     state      rows  ordered  refused  created               by   name
        imp_1  receiving  12    11       1        2026-11-23T08:00:00Z  crm  leads
        there are more; --limit shows up to 500
        ");
        let nothing = serde_json::from_value(json!({"imports": []})).unwrap();
        assert_eq!(shown(|out| print_page(&nothing, out)), "there are no imports\n");
    }

    #[test]
    fn only_an_id_is_deleted() {
        assert!(id("imp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f").is_ok());
        assert!(id("leads").is_err());
    }
}
