//! Rules with their boundaries, names and hashes, plans, and runs that are killed.

mod approvals;
mod boundaries;
mod files;
mod messenger;
mod meta;
mod online;
mod plans;
mod roads;
mod roles;
mod runs;
mod versions;

use jiff::Timestamp;

use super::canonical::{types, version};
use super::check::check;
use super::held::{Held, Review, Status};
use super::read::read;
use super::{Declaration, Rule};

/// Content that asks for the permission, without approval.
const ASK: &str = r#"
name = "ask"
language = "en"
approval = "none"
type = "twilio/call-to-action"
body = "May we call you?"

[[actions]]
type = "VOICE_CALL_REQUEST"
title = "Call me"
"#;

/// Content that invites, with approval.
const INVITE: &str = r#"
name = "invite"
language = "en"
category = "UTILITY"
approval = "whatsapp"
type = "whatsapp/card"
body = "Call us when it suits you."

[[actions]]
type = "VOICE_CALL"
title = "Call now"
"#;

fn declared(source: &str) -> Declaration {
    let (read, faults) = read(source);
    assert!(faults.is_empty(), "{faults:?}");
    let read = read.unwrap();
    let errors: Vec<_> = check(&read).into_iter().filter(super::Fault::is_error).collect();
    assert!(errors.is_empty(), "{errors:?}\n{source}");
    read.declaration
}

/// Every fault of a file as `key rule`, warnings with a question mark.
fn faults(source: &str) -> Vec<String> {
    let (read, mut faults) = read(source);
    faults.extend(read.iter().flat_map(check));
    let told = |fault: &super::Fault| {
        let mark = if fault.is_error() { "" } else { "?" };
        format!("{} {}{mark}", fault.key, fault.rule.code())
    };
    let mut told: Vec<String> = faults.iter().map(told).collect();
    told.sort_unstable();
    told
}

/// Whether a file breaks the rule at this key.
fn breaks(source: &str, key: &str, rule: Rule) -> bool {
    faults(source).contains(&format!("{key} {}", rule.code()))
}

/// The content of a declaration at the platform.
fn held(declaration: &Declaration, digit: char, status: Status) -> Held {
    let is_new = status == Status::Unsubmitted;
    Held {
        sid: format!("HX{}", digit.to_string().repeat(32)),
        friendly_name: version(declaration),
        language: declaration.language.clone(),
        types: types(declaration),
        variables: declaration.variables.clone(),
        fills: std::collections::BTreeSet::new(),
        created_at: Some(Timestamp::from_second(i64::from(u32::from(digit))).unwrap()),
        review: Review {
            status,
            name: if is_new { String::new() } else { super::canonical::template_name(declaration) },
            category: declaration.category.map(|category| category.as_str().to_owned()),
            reason: None,
        },
    }
}
