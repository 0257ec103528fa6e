//! `doctor`: everything at Twilio that keeps calls from working, and what mends it.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::failure::{Exit, refusal};
use super::sender::{block_on, chosen};
use super::settings::ConfigFile;
use crate::clock::SystemClock;
use crate::content::{Folder, LoadError};
use crate::daemon::clients;
use crate::hook_urls::SenderUrls;
use crate::onboarding::{Examined, Finding, Severity, Verdict, examine};
use crate::text::visible::escaped;

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// One account, by its name in the configuration [default: all]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print an object with "verdict" and "findings"
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
}

impl Doctor {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let clients = chosen(clients(&config)?, self.account.as_deref())?;
        let is_named = config.accounts.values().any(|account| !account.named_content.is_empty());
        let folder = if is_named { folder(&config.content.directory)? } else { Folder::default() };
        let urls = SenderUrls::below(config.http.public_url.as_str());
        let found: Vec<Finding> = block_on(async {
            let mut found = Vec::new();
            for (alias, client) in &clients {
                let examined = Examined {
                    alias,
                    account: &config.accounts[alias],
                    folder: &folder,
                    public_url: config.http.public_url.url(),
                    urls: &urls,
                };
                found.extend(examine(client, &examined, &SystemClock).await);
            }
            Ok(found)
        })?;
        if self.json {
            serde_json::to_writer_pretty(&mut *out, &object(&found))?;
            writeln!(out)?;
        } else {
            found.iter().try_for_each(|finding| write(finding, out))?;
        }
        ended(&found, self.json, out)
    }
}

fn folder(directory: &std::path::Path) -> anyhow::Result<Folder> {
    match Folder::load(directory) {
        Ok(folder) => Ok(folder),
        Err(LoadError::Faults(_)) => refusal(
            "the declarations of content have faults",
            [format!("ringmaster content check {} prints them", directory.display())],
        ),
        Err(error) => Err(error.into()),
    }
}

fn ended(found: &[Finding], is_json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let count = |severity| found.iter().filter(|finding| finding.code.kind().severity == severity).count();
    let (faults, warnings) = (count(Severity::Fault), count(Severity::Warning));
    let verdict = Verdict::of(found);
    if verdict == Verdict::Good {
        if !is_json {
            writeln!(out, "no fault and no warning")?;
        }
        return Ok(());
    }
    let what = format!("{} and {} found", plural(faults, "fault"), plural(warnings, "warning"));
    Err(Exit { what, code: verdict.exit_code() }.into())
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn write(finding: &Finding, out: &mut dyn Write) -> anyhow::Result<()> {
    let kind = finding.code.kind();
    let sender = finding.sender.map(|sender| format!(" {}", sender.e164())).unwrap_or_default();
    let detail = if finding.detail.is_empty() { String::new() } else { format!(" ({})", finding.detail) };
    let first = format!(
        "{}: {}{sender}: {}: {}{detail}",
        kind.severity.as_str(),
        finding.account,
        kind.code,
        kind.what
    );
    writeln!(out, "{}", escaped(&first))?;
    writeln!(out, "  why:  {}", kind.why)?;
    Ok(writeln!(out, "  mend: {}", escaped(&finding.mend()))?)
}

fn object(found: &[Finding]) -> serde_json::Value {
    let verdict = match Verdict::of(found) {
        Verdict::Good => "good",
        Verdict::Warnings => "warnings",
        Verdict::Faults => "faults",
    };
    let one = |finding: &Finding| {
        let kind = finding.code.kind();
        json!({
            "code": kind.code, "severity": kind.severity.as_str(), "account": &*finding.account,
            "sender": finding.sender.map(crate::domain::Phone::e164), "what": kind.what,
            "detail": finding.detail, "why": kind.why, "mend": finding.mend(),
        })
    };
    json!({"verdict": verdict, "findings": found.iter().map(one).collect::<Vec<_>>()})
}
