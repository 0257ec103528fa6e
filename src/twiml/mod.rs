//! TwiML documents: parsed and checked at start, and rendered for an attempt when Twilio fetches them.
//!
//! A document with an error stops the start, never a live call. `docs/TWIML.md` has the rules and their
//! reasons. This module does not fetch or cache documents, and does not know who requests them.

mod agent;
mod compile;
mod escape;
mod fault;
mod json;
mod kind;
mod library;
mod parse;
mod placeholder;
mod proof;
pub use proof::is_unordered;
mod render;
mod rules;
mod studio;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use fault::{Fault, Rule, Severity};
pub use library::{APOLOGY, CANCELED, FileFaults, INBOUND, Library, LoadError};
pub use placeholder::{BUILTINS, Builtin};
pub use render::{RenderError, Values};
pub use studio::Flow;

use crate::domain::{AgentTarget, AllowedHosts, LegOrder, Proof, Script};

use compile::Program;
use kind::Kind;
use placeholder::Name;

/// Twilio refuses a response above 64 kB (error 11750, read November 2025). 1 kB is taken as 1,000 bytes, to
/// be safe.
pub const SIZE_MAX: usize = 64_000;

/// A parsed and checked TwiML document, compiled to text with slots.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    program: Program,
    variables: BTreeSet<String>,
    uses_agent: bool,
    warnings: Vec<Fault>,
    hosts: Arc<AllowedHosts>,
    script: Script,
    records: bool,
}

impl Document {
    /// Parses and checks a document.
    ///
    /// # Errors
    /// All faults in order of lines, if one of them is an error.
    pub fn parse(name: &str, source: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        if !is_document_name(name) {
            let message = "a document is named with small letters, digits and hyphens only";
            faults.push(Fault::new(1, Rule::DocumentName, message));
        }
        if source.len() > SIZE_MAX {
            let message = format!("{} bytes; Twilio takes at most {SIZE_MAX} (error 11750)", source.len());
            faults.push(Fault::new(1, Rule::Size, message));
            return Err(faults);
        }
        let root = parse::parse(source, &mut faults);
        let program = root.as_ref().map(|root| compile::compile(name, root, &mut faults)).unwrap_or_default();
        faults.sort_by_key(|fault| fault.line);
        if faults.iter().any(Fault::is_error) {
            return Err(faults);
        }
        let dials = root.as_ref().map(agent::dials).unwrap_or_default();
        let records = root.as_ref().is_some_and(agent::records);
        let has_bot = root.as_ref().is_some_and(agent::has_bot);
        let proof = root.map_or(Proof::Answer, |root| proof::of(name, &root, &mut faults));
        faults.sort_by_key(|fault| fault.line);
        let mut variables = BTreeSet::new();
        let mut uses_agent = false;
        for slot in &program.slots {
            match &slot.name {
                Name::Variable(name) => {
                    variables.insert(name.to_string());
                }
                Name::Builtin(builtin) => uses_agent |= *builtin == Builtin::Agent,
            }
        }
        let script = Script {
            order: if program.dials_consumer { LegOrder::AgentFirst } else { LegOrder::ConsumerFirst },
            proof,
            dials: dials.into(),
            has_bot,
        };
        Ok(Self {
            name: name.to_owned(),
            program,
            variables,
            uses_agent,
            warnings: faults,
            script,
            records,
            hosts: Arc::default(),
        })
    }

    /// Allows these hosts only, for what the document names and for values of placeholders.
    ///
    /// # Errors
    /// A fault for each address in the document that leads elsewhere.
    pub fn hold_to(self, hosts: Arc<AllowedHosts>) -> Result<Self, Vec<Fault>> {
        let elsewhere =
            self.program.addresses.iter().filter(|(.., kind, address)| !kind.leads_to(&hosts, address));
        let faults: Vec<Fault> = elsewhere
            .map(|(line, what, kind, _)| {
                let list = if *kind == Kind::Sip { "twiml.sip_hosts" } else { "twiml.bot_hosts" };
                Fault::new(*line, Rule::Host, format!("{what} leads to a host that {list} does not list"))
            })
            .collect();
        let unlisted = self.program.flows.iter().filter(|flow| !hosts.takes_flow(&flow.sid));
        let unlisted = unlisted.map(|flow| {
            let message = "<Redirect> leads to a Studio flow that twiml.studio_flows does not list";
            Fault::new(flow.line, Rule::Host, message)
        });
        let faults: Vec<Fault> = faults.into_iter().chain(unlisted).collect();
        if faults.is_empty() { Ok(Self { hosts, ..self }) } else { Err(faults) }
    }

    /// Warnings in order of lines, about content that is passed to Twilio unchecked, and about missing reports.
    #[must_use]
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub const fn order(&self) -> LegOrder {
        self.script.order
    }

    /// What the document does with a call.
    #[must_use]
    pub const fn script(&self) -> &Script {
        &self.script
    }

    /// Whether the document records the call.
    #[must_use]
    pub const fn records(&self) -> bool {
        self.records
    }

    /// The variables that a callback must supply, without built-in names.
    #[must_use]
    pub const fn variables(&self) -> &BTreeSet<String> {
        &self.variables
    }

    /// The Studio flows that the document hands over to.
    #[must_use]
    pub fn flows(&self) -> &[Flow] {
        &self.program.flows
    }

    /// Whether an order with this document must name an agent.
    #[must_use]
    pub fn needs_agent(&self) -> bool {
        self.uses_agent || self.order() == LegOrder::AgentFirst
    }

    /// Whether the document may connect this agent: a SIP address has to be at an allowed host.
    #[must_use]
    pub fn takes_agent(&self, agent: &AgentTarget) -> bool {
        match agent {
            AgentTarget::Client(_) => true,
            AgentTarget::Sip(address) => self.hosts.takes_sip(address),
        }
    }

    /// Whether the document can be filled for any call: it needs no agent and no variables, and dials no consumer.
    #[must_use]
    pub fn needs_nothing(&self) -> bool {
        self.variables.is_empty() && !self.needs_agent()
    }

    /// All reasons why the document cannot be rendered with these values, so that an order is refused when it
    /// arrives and not when its consumer answers. Values that only an attempt has may be empty.
    #[must_use]
    pub fn check(&self, values: &Values<'_>) -> Vec<RenderError> {
        render::check(&self.program, &self.hosts, values)
    }

    /// Renders the document for one attempt.
    ///
    /// # Errors
    /// If a value is missing or does not fit, or the document would call someone other than the attempt may.
    pub fn render(&self, values: &Values<'_>) -> Result<String, RenderError> {
        render::render(&self.program, &self.hosts, values)
    }
}

/// The document for a call without one: it hangs up.
#[must_use]
pub const fn hangup() -> &'static str {
    r#"<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>"#
}

/// Whether a document can have this name.
#[must_use]
pub fn is_document_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
