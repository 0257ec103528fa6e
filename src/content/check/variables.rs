//! The variables and their samples.

use std::collections::BTreeMap;

use super::super::declaration::{Declaration, Kind, Provider};
use super::super::placeholder::variables;
use super::super::published::Rule;
use super::super::texts::used;
use super::{Findings, meta};

pub(super) fn check(findings: &mut Findings<'_>) {
    let declaration = findings.declaration();
    fields_without(findings, declaration);
    let used = used(declaration);
    names(findings, &used);
    if declaration.kind.provider() != Provider::Twilio {
        meta::variables(findings, &used);
    }
    samples(findings, declaration, &used);
    let count =
        used.keys().chain(declaration.variables.keys().filter(|name| !used.contains_key(*name))).count();
    let most = Rule::VariablesMax.figure();
    if count > most {
        findings.refuse("variables", Rule::VariablesMax, format!("has {count} variables: at most {most}"));
    }
    if declaration.seeks_approval() {
        sequence(findings, &used);
    }
}

fn fields_without(findings: &mut Findings<'_>, declaration: &Declaration) {
    let is_approved =
        declaration.kind.provider() == Provider::Twilio || declaration.kind == Kind::MetaTemplate;
    if !is_approved {
        return;
    }
    for (key, text) in [("subtitle", &declaration.subtitle), ("footer", &declaration.footer)] {
        if variables(text.as_deref().unwrap_or_default()).next().is_some() {
            findings.refuse(key, Rule::VariableUnsupported, "has a variable, which it cannot have");
        }
    }
}

fn names(findings: &mut Findings<'_>, used: &BTreeMap<String, String>) {
    let most = Rule::VariableName.figure();
    let is_name =
        |name: &str| (1..=most).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let rule = Rule::VariableName;
    for (name, key) in used.iter().filter(|(name, _)| !is_name(name)) {
        findings.refuse(
            key,
            rule,
            format!("has the variable {name:?}, which is no name: {}", rule.sentence()),
        );
    }
    for name in findings.declaration().variables.keys().filter(|name| !is_name(name)) {
        findings.refuse(&of_variable(name), rule, format!("is no name of a variable: {}", rule.sentence()));
    }
}

fn samples(findings: &mut Findings<'_>, declaration: &Declaration, used: &BTreeMap<String, String>) {
    for (name, sample) in &declaration.variables {
        let key = of_variable(name);
        if !used.contains_key(name) {
            findings.refuse(&key, Rule::VariableUnused, "is not used by any field");
        }
        if sample.trim().is_empty() {
            findings.refuse(&key, Rule::VariableValue, "is empty");
        }
        findings.bound(&key, sample, Rule::VariableValue);
        if declaration.seeks_approval() && has_blanks(sample) {
            let most = Rule::SampleBlanks.figure();
            let message = format!("holds a line end, a tab, or more than {most} blanks in a row");
            findings.refuse(&key, Rule::SampleBlanks, message);
        }
    }
    if !declaration.seeks_approval() {
        return;
    }
    // The samples of URLs are checked with their URLs.
    let is_url = |key: &str| key.starts_with("media[") || key.ends_with(".url");
    let missing =
        used.iter().filter(|(name, key)| !declaration.variables.contains_key(*name) && !is_url(key));
    for (name, key) in missing {
        findings.refuse(
            key,
            Rule::SampleRequired,
            format!("needs a sample for {{{{{name}}}}} in [variables]"),
        );
    }
}

fn has_blanks(sample: &str) -> bool {
    let too_many = " ".repeat(Rule::SampleBlanks.figure().saturating_add(1));
    sample.contains(['\n', '\r', '\t']) || sample.contains(&too_many)
}

/// Numbers go from 1 without a gap. Names are left as they are.
fn sequence(findings: &mut Findings<'_>, used: &BTreeMap<String, String>) {
    let mut numbers: Vec<u32> = used.keys().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let expected = 1..;
    if let Some((found, missing)) = numbers.iter().zip(expected).find(|&(&found, missing)| found != missing) {
        let key = used.get(&found.to_string()).map_or("variables", String::as_str);
        let message = format!("uses {{{{{found}}}}} where {{{{{missing}}}}} is not used");
        findings.refuse(key, Rule::VariableSequence, message);
    }
}

fn of_variable(name: &str) -> String {
    format!("variables.{name}")
}
