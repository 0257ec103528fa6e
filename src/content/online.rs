//! What the URLs of declarations answered: which are asked, and what is a fault. Asks nobody itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use url::Url;

use super::fault::{Fault, Severity};
use super::published::Rule;

/// One URL of a declaration, filled with its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub path: PathBuf,
    pub line: usize,
    pub key: String,
    pub url: String,
}

/// What became of one URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// Its host is no name that is known.
    Unresolved,
    /// It leads to an address that is not public.
    Private,
    /// There was no answer in time.
    Late,
    /// There was no connection, no TLS, or no answer.
    Unreachable,
}

/// The URLs to ask, each once, and the faults of those that are not asked. On this machine, at a sandbox, http is asked
/// too.
#[must_use]
pub fn to_ask(links: &[Link], is_sandbox: bool) -> (BTreeSet<String>, Vec<(PathBuf, Fault)>) {
    let (mut asked, mut faults) = (BTreeSet::new(), Vec::new());
    let most = Rule::OnlineNumber.figure();
    for link in links {
        let is_https = Url::parse(&link.url).is_ok_and(|url| url.scheme() == "https");
        if !is_https && !is_sandbox {
            faults.push(fault(link, Severity::Warning, Rule::OnlineHttps, "is not https, and was not asked"));
        } else if asked.len() < most || asked.contains(&link.url) {
            asked.insert(link.url.clone());
        } else {
            let message = format!("was not asked: {most} URLs before it were");
            faults.push(fault(link, Severity::Warning, Rule::OnlineNumber, message));
        }
    }
    (asked, faults)
}

/// The faults of the answers, in the order of the links.
#[must_use]
pub fn judged(links: &[Link], answers: &BTreeMap<String, Answer>) -> Vec<(PathBuf, Fault)> {
    let judge = |link: &Link| {
        let (rule, message) = wrong(*answers.get(&link.url)?)?;
        Some(fault(link, Severity::Error, rule, message))
    };
    links.iter().filter_map(judge).collect()
}

/// The rule that an answer breaks, and what is told.
fn wrong(answer: Answer) -> Option<(Rule, String)> {
    let rule = Rule::OnlineAnswer;
    Some(match answer {
        Answer::Status(200..=399) => return None,
        Answer::Status(status) => (rule, format!("is answered with the status {status}")),
        Answer::Unresolved => (rule, "has a host that is not known".to_owned()),
        Answer::Private => (Rule::OnlineAddress, "leads to an address that is not public".to_owned()),
        Answer::Late => (rule, format!("is not answered within {} s", rule.figure())),
        Answer::Unreachable => (rule, "cannot be reached".to_owned()),
    })
}

fn fault(link: &Link, severity: Severity, rule: Rule, message: impl Into<String>) -> (PathBuf, Fault) {
    let (line, key) = (link.line, link.key.clone());
    (link.path.clone(), Fault { line, key, severity, rule, message: message.into() })
}
