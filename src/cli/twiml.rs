//! `twiml check`, `twiml render` and `twiml list`: for writing TwiML documents.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::failure::{Hint as _, refusal};
use super::settings::ConfigFile;
use super::table::{Rows, name, plain};
use super::values::{Pair, agent, pair, phone};
use crate::domain::{AgentTarget, AllowedHosts, LegOrder, Phone};
use crate::twiml::{Document, Fault, FileFaults, Library, LoadError, Rule, Severity, Values};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check documents and print all faults as file:line: rule: message
    ///
    /// Checks files and directories by the rules of docs/TWIML.md. The default is the configured directory, or the
    /// built-in documents if none is configured. Exits with 1 if a document is refused. A warning (an unknown attribute
    /// or verb, which is passed to Twilio as written, or a document that does not report whether the consumer was
    /// served) is not an error.
    #[command(after_long_help = "Examples:\n  ringmaster twiml check twiml/\n  \
                                 ringmaster twiml check greeting.xml --json")]
    Check(Check),
    /// Fill a document with values and print the TwiML for Twilio
    ///
    /// Numbers, ids and URLs that are not given are samples. An unusable value is refused as for a real attempt.
    #[command(after_long_help = "Examples:\n  \
                                 ringmaster twiml render message --var message='Your parcel has arrived.'\n  \
                                 ringmaster twiml render dial-client --agent client:alice")]
    Render(Render),
    /// List the documents with their leg order and their variables
    #[command(after_long_help = "Example:\n  ringmaster twiml list --directory twiml/")]
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Files, or directories with .xml files
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print an array of objects with "file", "line", "severity", "rule" and "message"
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Args)]
pub(super) struct Render {
    /// The name of the document
    #[arg(value_name = "DOCUMENT")]
    name: String,
    /// A variable of the document; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<Pair>,
    /// The number that the call comes from
    #[arg(long, value_name = "NUMBER", value_parser = phone, default_value = SAMPLE_SENDER)]
    sender: Phone,
    /// The number of the consumer
    #[arg(long, value_name = "NUMBER", value_parser = phone, default_value = SAMPLE_CONSUMER)]
    consumer: Phone,
    /// The agent that the consumer is connected to: client:NAME or sip:USER@HOST
    #[arg(long, value_parser = agent)]
    agent: Option<AgentTarget>,
    /// The customer's own reference
    #[arg(long)]
    reference: Option<String>,
    #[command(flatten)]
    from: From,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    from: From,
}

/// The source of the documents.
#[derive(Debug, Args)]
struct From {
    /// A directory with documents, instead of the configured or built-in ones
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFile,
}

/// Numbers that the British regulator reserves for fiction.
const SAMPLE_SENDER: &str = "+442079460000";
const SAMPLE_CONSUMER: &str = "+447700900123";

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Check(check) => check.run(out),
        Command::Render(render) => render.run(out),
        Command::List(list) => list.run(out),
    }
}

impl Check {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut paths = self.paths.clone();
        let config = self.config.load_if_named()?.map(|config| config.twiml);
        let hosts = config.as_ref().map_or_else(AllowedHosts::default, |twiml| twiml.hosts.clone());
        if paths.is_empty() {
            paths.extend(config.and_then(|twiml| twiml.directory));
        }
        let mut checked = 0;
        let mut faults = Vec::new();
        if paths.is_empty() {
            checked = Library::embedded().all().count();
        }
        for path in &paths {
            let (documents, found) =
                if path.is_dir() { directory(path, &hosts)? } else { file(path, &hosts)? };
            checked += documents;
            faults.extend(found);
        }
        self.write(checked, &faults, paths.is_empty(), out)
    }

    fn write(
        &self,
        checked: usize,
        faults: &[(PathBuf, Fault)],
        embedded: bool,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let errors = faults.iter().filter(|(_, fault)| fault.is_error()).count();
        if self.json {
            let object = |(path, fault): &(PathBuf, Fault)| {
                serde_json::json!({
                    "file": path.display().to_string(), "line": fault.line,
                    "severity": fault.severity.as_str(), "rule": fault.rule.code(), "message": fault.message,
                })
            };
            serde_json::to_writer_pretty(&mut *out, &faults.iter().map(object).collect::<Vec<_>>())?;
            writeln!(out)?;
        } else {
            if !faults.is_empty() {
                writeln!(out, "{}", FileFaults(faults.to_vec()))?;
            }
            if errors == 0 {
                let kind = if embedded { "built-in documents" } else { "documents" };
                writeln!(out, "{} without a fault", counted(checked, kind))?;
            }
        }
        if errors == 0 {
            return Ok(());
        }
        refusal(
            format!("{} in the TwiML documents", counted(errors, "faults")),
            ["docs/TWIML.md explains the rules"],
        )
    }
}

impl Render {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let documents = self.from.documents()?;
        let Some(document) = documents.document(&self.name) else {
            let names: Vec<&str> = documents.names().collect();
            return refusal(
                format!("there is no document named {:?}", self.name),
                [format!("the documents are {}", names.join(", "))],
            );
        };
        for Pair { name, .. } in &self.variables {
            if !document.variables().contains(name) {
                return refusal(
                    format!("the document {:?} has no variable {name:?}", self.name),
                    [takes(document)],
                );
            }
        }
        let variable =
            |name: &str| self.variables.iter().find(|pair| pair.name == name).map(|pair| &*pair.value);
        let values = Values {
            sender: self.sender,
            consumer: Some(self.consumer),
            agent: self.agent.as_ref(),
            callback: "cb_00000000000000000000000000000000",
            attempt: "at_00000000000000000000000000000000",
            reference: self.reference.as_deref(),
            action_url: "https://example.com/twilio/action",
            leg_status_url: "https://example.com/twilio/leg-status",
            recording_url: "https://example.com/twilio/recording",
            variables: &variable,
            is_our_sender: &|number| number == self.sender,
        };
        let text = document
            .render(&values)
            .with_context(|| format!("the document {:?} cannot be filled", self.name))
            .hint(takes(document))?;
        Ok(writeln!(out, "{}", text.trim_end())?)
    }
}

/// The flags for the values that a document needs.
fn takes(document: &Document) -> String {
    let variables = document.variables().iter().map(|name| format!("--var {name}=VALUE"));
    let agent = document.needs_agent().then(|| "--agent client:NAME".to_owned());
    let flags: Vec<String> = variables.chain(agent).collect();
    match flags.as_slice() {
        [] => "it needs no variables and no agent".to_owned(),
        flags => format!("it needs {}", flags.join(" ")),
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let documents = self.from.documents()?;
        if self.json {
            let object = |document: &Document| {
                serde_json::json!({
                    "name": document.name(), "order": order(document).replace(' ', "_"),
                    "variables": document.variables(), "needs_agent": document.needs_agent(),
                })
            };
            serde_json::to_writer_pretty(&mut *out, &documents.all().map(object).collect::<Vec<_>>())?;
            return Ok(writeln!(out)?);
        }
        let mut rows = Rows::new(&["document", "order", "agent", "variables"]);
        for document in documents.all() {
            let variables: Vec<&str> = document.variables().iter().map(String::as_str).collect();
            rows.push([
                name(document.name()),
                plain(order(document)),
                plain(if document.needs_agent() { "needed" } else { "-" }),
                plain(if variables.is_empty() { "-".to_owned() } else { variables.join(", ") }),
            ]);
        }
        Ok(rows.write(out)?)
    }
}

fn order(document: &Document) -> &'static str {
    match document.order() {
        LegOrder::ConsumerFirst => "consumer first",
        LegOrder::AgentFirst => "agent first",
    }
}

impl From {
    fn documents(&self) -> anyhow::Result<Library> {
        let config = self.config.load_if_named()?.map(|config| config.twiml);
        let hosts = config.as_ref().map_or_else(AllowedHosts::default, |twiml| twiml.hosts.clone());
        let Some(directory) = self.directory.clone().or_else(|| config?.directory) else {
            return Ok(Library::embedded().hold_to(&hosts)?);
        };
        match load(&directory, &hosts) {
            Err(LoadError::Faults(FileFaults(faults))) => refusal(
                format!("{} in the TwiML documents", counted(faults.len(), "faults")),
                [format!("ringmaster twiml check {} prints them", directory.display())],
            ),
            loaded => Ok(loaded?),
        }
    }
}

type Checked = (usize, Vec<(PathBuf, Fault)>);

fn load(path: &Path, hosts: &AllowedHosts) -> Result<Library, LoadError> {
    Library::load(path)?.hold_to(hosts).map_err(LoadError::Faults)
}

fn directory(path: &Path, hosts: &AllowedHosts) -> anyhow::Result<Checked> {
    match load(path, hosts) {
        Ok(documents) => {
            let warnings = documents
                .warnings()
                .map(|(name, fault)| (path.join(format!("{name}.xml")), fault.clone()))
                .collect();
            Ok((documents.all().count(), warnings))
        }
        Err(LoadError::Faults(FileFaults(faults))) => Ok((0, faults)),
        Err(error) => Err(error.into()),
    }
}

fn file(path: &Path, hosts: &AllowedHosts) -> anyhow::Result<Checked> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let document_name = path.file_stem().unwrap_or_default().to_string_lossy();
    let faults = match std::str::from_utf8(&bytes) {
        Ok(source) => Document::parse(&document_name, source)
            .and_then(|document| document.hold_to(Arc::new(hosts.clone())))
            .map_or_else(|faults| faults, |document| document.warnings().to_vec()),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + String::from_utf8_lossy(before).matches('\n').count();
            vec![Fault {
                line,
                severity: Severity::Error,
                rule: Rule::Encoding,
                message: "not UTF-8".to_owned(),
            }]
        }
    };
    Ok((1, faults.into_iter().map(|fault| (path.to_owned(), fault)).collect()))
}

/// `1 fault`, `2 faults`.
fn counted(count: usize, plural: &str) -> String {
    match count {
        1 => format!("1 {}", plural.strip_suffix('s').unwrap_or(plural)),
        _ => format!("{count} {plural}"),
    }
}
