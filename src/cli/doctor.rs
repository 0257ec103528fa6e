//! `doctor`: everything at Twilio, at WhatsApp's Cloud API and at Messenger that keeps calls from working, and what mends
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use clap::Args;
use serde_json::json;

use super::failure::{Exit, refusal};
use super::sender::block_on;
use super::settings::ConfigFile;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::content::Folder;
use crate::daemon::{clients, documents, graphs, reach, unstated_notices};
use crate::domain::{AccountAlias, Phone};
use crate::hook_urls::{SenderUrls, of_number};
use crate::onboarding::{
    Code, Connection, Examined, ExaminedNumber, ExaminedPage, Finding, Graph, Severity, Verdict, examine,
    examine_number, examine_page, examine_store,
};
use crate::store::relational::server_settings;
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
        let (clients, graphs) = self.chosen(&config)?;
        let is_named = config.accounts.values().any(|account| !account.named_content.is_empty())
            || config
                .meta
                .values()
                .any(|meta| !meta.contents.is_empty() || meta.permission_request.is_some())
            || config.messenger.values().any(|page| page.invite.is_some());
        let folder = if is_named { Folder::read(&config.content.directory)?.0 } else { Folder::default() };
        let urls = SenderUrls::below(config.http.public_url.as_str());
        let asks =
            config.meta.values().filter(|meta| meta.shared_number && meta.permission_request.is_some());
        let asks_at_meta: BTreeSet<Phone> = asks.map(|meta| meta.number).collect();
        let found: Vec<Finding> = block_on(async {
            let mut found = Vec::new();
            for (alias, client) in &clients {
                let examined = Examined {
                    alias,
                    account: &config.accounts[alias],
                    folder: &folder,
                    public_url: config.http.public_url.url(),
                    urls: &urls,
                    asks_at_meta: &asks_at_meta,
                };
                found.extend(examine(client, &examined, &SystemClock).await);
            }
            for (alias, graph) in &graphs {
                found.extend(at_meta(alias, graph, &config, &folder).await);
            }
            Ok(found)
        })?;
        let mut found = found;
        if self.account.is_none() {
            found.extend(of_store(&config)?);
            found.extend(of_recordings(&config)?);
        }
        if self.json {
            serde_json::to_writer_pretty(&mut *out, &object(&found))?;
            writeln!(out)?;
        } else {
            found.iter().try_for_each(|finding| write(finding, out))?;
        }
        ended(&found, self.json, out)
    }
}

type Clients = BTreeMap<AccountAlias, Connection>;
type Graphs = BTreeMap<AccountAlias, Graph>;

impl Doctor {
    /// The accounts at Twilio and at Meta: all, or the one of the given name.
    fn chosen(&self, config: &Config) -> anyhow::Result<(Clients, Graphs)> {
        let (mut clients, mut graphs) = (clients(config)?, graphs(config)?);
        let known: Vec<String> = clients.keys().chain(graphs.keys()).map(ToString::to_string).collect();
        if let Some(wanted) = &self.account {
            clients.retain(|alias, _| **alias == **wanted);
            graphs.retain(|alias, _| **alias == **wanted);
            if clients.is_empty() && graphs.is_empty() {
                let hint = format!("the accounts are {}", known.join(", "));
                return refusal(format!("there is no account {wanted:?}"), [hint]);
            }
        }
        if clients.is_empty() && graphs.is_empty() {
            return refusal("no account is configured", ["ringmaster config default prints every key"]);
        }
        Ok((clients, graphs))
    }
}

/// What the server of a database lacks. A file has none.
fn of_store(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let Some(reach) = reach(&config.store)? else { return Ok(Vec::new()) };
    let settings = server_settings(reach).map_err(|error| error.to_string());
    Ok(examine_store(settings.as_ref().map_err(Clone::clone), config.store.state_dir.is_some()))
}

/// Documents that record, and about which the configuration says nothing.
fn of_recordings(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let documents = documents(config)?;
    let account = AccountAlias::from("documents");
    let finding = |name: &str| Finding {
        code: Code::RecordingNotice,
        account: account.clone(),
        sender: None,
        detail: format!("the document {name:?}"),
    };
    Ok(unstated_notices(config, &documents).into_iter().map(finding).collect())
}

/// A number or a page of Meta's.
async fn at_meta(alias: &AccountAlias, graph: &Graph, config: &Config, folder: &Folder) -> Vec<Finding> {
    if let Some(meta) = config.meta.get(alias) {
        let webhook = of_number(config.http.public_url.as_str(), alias);
        let examined = ExaminedNumber { alias, meta, folder, webhook: &webhook };
        return examine_number(graph, &examined, &SystemClock).await;
    }
    let Some(page) = config.messenger.get(alias) else { return Vec::new() };
    examine_page(graph, &ExaminedPage { alias, page, folder }, &SystemClock).await
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
