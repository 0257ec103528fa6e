//! Checks one declaration by every rule of its type, and returns all faults at once.

mod actions;
mod buttons;
mod fields;
mod links;
mod messenger;
mod meta;
mod variables;

use super::declaration::{Action, Declaration, Provider};
use super::fault::{Fault, Severity};
use super::published::Rule;
use super::read::Read;

/// Every fault of a declaration, in the order of its lines, without what only follows from a value that was not read.
#[must_use]
pub fn check(read: &Read) -> Vec<Fault> {
    let mut findings = Findings { read, faults: Vec::new() };
    if read.has("type") {
        of_type(&mut findings);
    } else {
        fields::of_any_type(&mut findings);
    }
    let mut faults = findings.faults;
    faults.retain(|fault| !read.is_consequence(fault));
    faults.sort_by(|left, right| (left.line, &left.key).cmp(&(right.line, &right.key)));
    faults
}

fn of_type(findings: &mut Findings<'_>) {
    fields::check(findings);
    match findings.declaration().kind.provider() {
        Provider::Twilio => {
            actions::check(findings);
            buttons::check(findings);
        }
        Provider::Meta => meta::check(findings),
        Provider::Messenger => messenger::check(findings),
    }
    variables::check(findings);
}

/// What was found so far in one declaration.
struct Findings<'r> {
    read: &'r Read,
    faults: Vec<Fault>,
}

impl<'r> Findings<'r> {
    fn declaration(&self) -> &'r Declaration {
        &self.read.declaration
    }

    fn refuse(&mut self, key: &str, rule: Rule, message: impl Into<String>) {
        self.faults.push(self.read.fault(key, rule, message));
    }

    fn warn(&mut self, key: &str, rule: Rule, message: impl Into<String>) {
        let fault = self.read.fault(key, rule, message);
        self.faults.push(Fault { severity: Severity::Warning, ..fault });
    }

    /// Refuses a text with more characters than the figure of the rule.
    fn bound(&mut self, key: &str, text: &str, rule: Rule) {
        let (count, most) = (text.chars().count(), rule.figure());
        if count > most {
            self.refuse(key, rule, format!("has {count} characters: at most {most}"));
        }
    }
}

/// The place of an action's key.
fn of_action(action: &Action, key: &str) -> String {
    format!("{}.{key}", action.key)
}
