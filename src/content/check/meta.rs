//! Content for WhatsApp's Cloud API: messages that are sent as declared, and templates.

use std::collections::BTreeMap;

use super::super::declaration::{Action, ActionKind, Approval, Declaration, Kind};
use super::super::placeholder::{Piece, filled, pieces, variables as names_in};
use super::super::published::Rule;
use super::super::texts::{LINK, PAYLOAD};
use super::{Findings, links, of_action};

/// The longest link, `https://wa.me/call/` with 15 digits, `?biz_payload=` and a payload; and the longest payload.
const LINK_LENGTH: usize = 111;
const PAYLOAD_LENGTH: usize = 64;

pub(super) fn check(findings: &mut Findings<'_>) {
    let declaration = findings.declaration();
    approval(findings, declaration);
    let is_request = declaration.kind == Kind::MetaPermissionRequest;
    if declaration.body.is_none() && !is_request {
        let message = format!("is missing: {} needs it", declaration.kind.as_str());
        findings.refuse("body", Rule::MetaRequired, message);
    }
    let body = if declaration.kind == Kind::MetaText { Rule::MetaText } else { Rule::MetaBody };
    for (key, text, rule) in [
        ("body", &declaration.body, body),
        ("header_text", &declaration.header_text, Rule::MetaHeader),
        ("footer", &declaration.footer, Rule::MetaFooter),
    ] {
        measure(findings, key, text.as_deref().unwrap_or_default(), rule);
    }
    header(findings, declaration);
    let body = declaration.body.as_deref().unwrap_or_default();
    if declaration.kind == Kind::MetaText && !names_in(body).any(|name| name == LINK) {
        findings.refuse("body", Rule::MetaTextLink, "has no {{link}}");
    }
    buttons(findings, declaration);
    for action in &declaration.actions {
        button(findings, declaration, action);
    }
}

/// Whether approval is sought where it is possible, and only there.
pub(super) fn approval(findings: &mut Findings<'_>, declaration: &Declaration) {
    let expected = if declaration.kind == Kind::MetaTemplate { Approval::Whatsapp } else { Approval::None };
    if declaration.approval != expected {
        let message = format!("is not {:?}, as {} needs", expected.as_str(), declaration.kind.as_str());
        findings.refuse("approval", Rule::ApprovalOf, message);
    }
}

/// Refuses a text that is too long with its samples and the longest link.
pub(super) fn measure(findings: &mut Findings<'_>, key: &str, text: &str, rule: Rule) {
    let (link, payload) = ("x".repeat(LINK_LENGTH), "x".repeat(PAYLOAD_LENGTH));
    let samples = &findings.declaration().variables;
    let whole = filled(text, |name| match name {
        LINK => Some(&link),
        PAYLOAD => Some(&payload),
        name => samples.get(name).map(String::as_str),
    });
    let (count, most) = (whole.chars().count(), rule.figure());
    if count > most {
        let with = if whole == text { "" } else { " with its samples and the longest link" };
        findings.refuse(key, rule, format!("has {count} characters{with}: at most {most}"));
    }
}

fn header(findings: &mut Findings<'_>, declaration: &Declaration) {
    let media = [
        ("header_image", &declaration.header_image),
        ("header_video", &declaration.header_video),
        ("header_document", &declaration.header_document),
    ];
    let media: Vec<_> = media.into_iter().filter_map(|(key, url)| Some((key, url.as_deref()?))).collect();
    let mut keys: Vec<&str> = declaration.header_text.iter().map(|_| "header_text").collect();
    keys.extend(media.iter().map(|(key, _)| *key));
    if let [first, second, ..] = keys.as_slice() {
        findings.refuse(
            second,
            Rule::MetaHeaderOne,
            format!("stands beside {first}: a header is one of them"),
        );
    }
    for (key, url) in media {
        if let Some(fault) = links::fault(url) {
            findings.refuse(key, Rule::MetaMedia, fault);
        }
    }
}

/// How many buttons of which kind.
fn buttons(findings: &mut Findings<'_>, declaration: &Declaration) {
    let count = |kind| declaration.actions.iter().filter(|action| action.kind == kind).count();
    let (calls, urls) = (count(ActionKind::VoiceCall), count(ActionKind::Url));
    let fits = match declaration.kind {
        Kind::MetaVoiceCall => calls == 1,
        Kind::MetaCtaUrl => urls == 1,
        Kind::MetaTemplate => calls <= 1 && urls <= 1 && (1..=2).contains(&calls.saturating_add(urls)),
        _ => true,
    };
    if !fits {
        let message = format!("has {calls} VOICE_CALL and {urls} URL: {}", Rule::MetaActions.sentence());
        findings.refuse("actions", Rule::MetaActions, message);
    }
}

fn button(findings: &mut Findings<'_>, declaration: &Declaration, action: &Action) {
    let known = declaration.kind.actions();
    if !known.contains(&action.kind) {
        let message = format!("{} is no action of {}", action.kind.as_str(), declaration.kind.as_str());
        findings.refuse(&of_action(action, "type"), Rule::MetaActions, message);
    }
    let key = of_action(action, "title");
    match &action.title {
        None if action.kind == ActionKind::Url => {
            findings.refuse(&key, Rule::MetaButtonRequired, "is missing");
        }
        None => {}
        Some(title) => {
            label(findings, &key, title);
            measure(findings, &key, title, Rule::MetaButton);
            if declaration.seeks_approval() && names_in(title).next().is_some() {
                let message = "has a variable, which the button of a template cannot have";
                findings.refuse(&key, Rule::VariableUnsupported, message);
            }
        }
    }
    match action.kind {
        ActionKind::VoiceCall => call(findings, declaration, action),
        ActionKind::Url => url(findings, declaration, action),
        _ => {}
    }
}

/// A label is not empty and has no blank ends.
pub(super) fn label(findings: &mut Findings<'_>, key: &str, text: &str) {
    if text.trim().is_empty() {
        findings.refuse(key, Rule::White, "is empty");
    } else if text.trim() != text {
        findings.refuse(key, Rule::White, "begins or ends with white space");
    }
}

fn call(findings: &mut Findings<'_>, declaration: &Declaration, action: &Action) {
    if let Some(payload) = &action.payload {
        let key = of_action(action, "payload");
        findings.bound(&key, payload, Rule::MetaPayload);
        if payload.chars().count() <= Rule::MetaPayload.figure() {
            findings.refuse(&key, Rule::MetaPayloadOurs, "cannot be declared");
        }
    }
    let Some(minutes) = action.ttl_minutes else { return };
    let key = of_action(action, "ttl_minutes");
    let count = usize::try_from(minutes).unwrap_or(0);
    let (least, most) = (Rule::TtlApproved.figure(), Rule::MetaTtl.figure());
    if !(1..=most).contains(&count) {
        findings.refuse(&key, Rule::MetaTtl, format!("is {minutes}: expected 1 to {most}"));
    } else if declaration.seeks_approval() && count < least {
        findings.refuse(&key, Rule::TtlApproved, format!("is {minutes}: expected {least} to {most}"));
    }
}

fn url(findings: &mut Findings<'_>, declaration: &Declaration, action: &Action) {
    let key = of_action(action, "url");
    let Some(text) = action.url.as_deref() else {
        findings.refuse(&key, Rule::MetaUrl, "is missing");
        return;
    };
    if declaration.kind == Kind::MetaTemplate {
        let (count, most) = (names_in(text).count(), Rule::MetaUrlVariable.figure());
        if count > most {
            findings.refuse(&key, Rule::MetaUrlVariable, format!("has {count} variables: at most {most}"));
        } else if count == 1 && !matches!(pieces(text).last(), Some(Piece::Variable(_))) {
            findings.refuse(&key, Rule::MetaUrlVariable, "has something behind its variable");
        }
        if let Some(name) = names_in(text).find(|name| !declaration.variables.contains_key(*name)) {
            let message = format!("needs a sample for {{{{{name}}}}} in [variables]");
            findings.refuse(&key, Rule::SampleRequired, message);
        }
    }
    let is_link = text == "{{link}}" && declaration.kind != Kind::MetaTemplate;
    if let Some(fault) = links::fault(text).filter(|_| !is_link) {
        findings.refuse(&key, Rule::MetaUrl, fault);
    }
}

/// Names that nothing can fill. `used` has the key of the first use of each.
pub(super) fn variables(findings: &mut Findings<'_>, used: &BTreeMap<String, String>) {
    let declaration = findings.declaration();
    if declaration.kind != Kind::MetaTemplate {
        let is_known =
            |name: &str| [LINK, PAYLOAD].contains(&name) || declaration.variables.contains_key(name);
        for (name, key) in used.iter().filter(|(name, _)| !is_known(name)) {
            let message = format!("uses {{{{{name}}}}}, which is not known: give it a sample in [variables]");
            findings.refuse(key, Rule::VariableUnknown, message);
        }
        return;
    }
    // The variable of a URL has no name at Meta.
    let texts: Vec<_> = used.iter().filter(|(_, key)| !key.ends_with(".url")).collect();
    let is_number = |name: &str| name.bytes().all(|b| b.is_ascii_digit());
    let is_small = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let numbers = texts.iter().filter(|(name, _)| is_number(name)).count();
    let is_mixed = numbers > 0 && numbers < texts.len();
    let odd = texts.iter().find(|(name, _)| !is_number(name) && (is_mixed || !is_small(name)));
    if let Some((name, key)) = odd {
        let message = format!("uses {{{{{name}}}}}: {}", Rule::MetaNames.sentence());
        findings.refuse(key, Rule::MetaNames, message);
    }
}
