//! The TwiML documents: read and checked at start, rendered for one attempt when Twilio asks for them.
//!
//! A wrong document stops the start, never a live call. Rules and their reasons: `docs/TWIML.md`.
//! Absent on purpose: fetching, caching, any knowledge of who asks; and whatever Twilio does after rendering.

mod compile;
mod escape;
mod fault;
mod json;
mod kind;
mod library;
mod parse;
mod placeholder;
mod render;
mod rules;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use fault::{Fault, Rule, Severity};
pub use library::{FileFaults, Library, LoadError};
pub use placeholder::{BUILTINS, Builtin};
pub use render::{RenderError, Values};

use crate::domain::LegOrder;

use compile::Program;
use placeholder::Name;

/// Twilio refuses a response above 64 kB (error 11750, read November 2025); the smaller reading of "kB" is
/// the safe one.
pub const SIZE_MAX: usize = 64_000;

/// A TwiML document: parsed, checked, and compiled to text with slots.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    program: Program,
    variables: BTreeSet<String>,
    uses_agent: bool,
    warnings: Vec<Fault>,
}

impl Document {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// Every fault, in order of lines, if one of them refuses the document. Warnings alone do not.
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
        let program = root.map(|root| compile::compile(&root, &mut faults)).unwrap_or_default();
        faults.sort_by_key(|fault| fault.line);
        if faults.iter().any(Fault::is_error) {
            return Err(faults);
        }
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
        Ok(Self { name: name.to_owned(), program, variables, uses_agent, warnings: faults })
    }

    /// What is unknown here and passed on to Twilio as it is written, in order of lines.
    #[must_use]
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn order(&self) -> LegOrder {
        if self.program.dials_consumer { LegOrder::AgentFirst } else { LegOrder::ConsumerFirst }
    }

    /// The names that the callback must supply; built-in names are not among them.
    #[must_use]
    pub const fn variables(&self) -> &BTreeSet<String> {
        &self.variables
    }

    /// Whether a callback with this document must name an agent.
    #[must_use]
    pub fn needs_agent(&self) -> bool {
        self.uses_agent || self.order() == LegOrder::AgentFirst
    }

    /// Everything that would keep the document from being filled with these values, so that a callback can be
    /// refused when it is enqueued and not when its consumer has answered. What only the attempt knows may be
    /// empty.
    #[must_use]
    pub fn check(&self, values: &Values<'_>) -> Vec<RenderError> {
        render::check(&self.program, values)
    }

    /// Fills the document for one attempt.
    ///
    /// # Errors
    /// A value is missing or does not fit, or the call would leave what the attempt may do.
    pub fn render(&self, values: &Values<'_>) -> Result<String, RenderError> {
        render::render(&self.program, values)
    }
}

/// What a caller without a document gets: the call ends without a word.
#[must_use]
pub const fn hangup() -> &'static str {
    r#"<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>"#
}

/// Whether a document may have this name.
#[must_use]
pub fn is_document_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
