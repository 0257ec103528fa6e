//! Each action by itself.

use super::super::declaration::{Action, ActionKind, Declaration, Kind};
use super::super::placeholder::variables;
use super::super::published::Rule;
use super::{Findings, links, of_action};

pub(super) fn check(findings: &mut Findings<'_>) {
    let declaration = findings.declaration();
    for action in &declaration.actions {
        if !declaration.kind.actions().contains(&action.kind) && declaration.kind != Kind::Text {
            let known: Vec<&str> = declaration.kind.actions().iter().map(|kind| kind.as_str()).collect();
            let (kind, known) = (declaration.kind.as_str(), known.join(", "));
            let message = format!("{} is no action of {kind}, which has {known}", action.kind.as_str());
            findings.refuse(&of_action(action, "type"), Rule::ActionType, message);
        }
        title(findings, declaration, action);
        match action.kind {
            ActionKind::Url => links::action(findings, action),
            ActionKind::PhoneNumber => phone(findings, action),
            ActionKind::CopyCode => code(findings, action),
            ActionKind::VoiceCall => ttl(findings, declaration, action),
            ActionKind::QuickReply => id(findings, action),
            ActionKind::VoiceCallRequest | ActionKind::AudioCall | ActionKind::WebUrl => {}
        }
    }
}

fn title(findings: &mut Findings<'_>, declaration: &Declaration, action: &Action) {
    let key = of_action(action, "title");
    let Some(title) = &action.title else {
        findings.refuse(&key, Rule::ActionTitleRequired, "is missing");
        return;
    };
    if title.trim().is_empty() {
        findings.refuse(&key, Rule::ActionTitleRequired, "is empty");
    } else if title.trim() != title {
        findings.refuse(&key, Rule::White, "begins or ends with white space");
    }
    let is_quick = action.kind == ActionKind::QuickReply;
    let rule = match declaration.kind {
        Kind::WhatsappCard if is_quick => Rule::QuickReplyTitle,
        _ => Rule::ActionTitle,
    };
    findings.bound(&key, title, rule);
    if variables(title).next().is_none() {
        return;
    }
    if !is_quick {
        let message = format!("has a variable, which the title of {} cannot have", action.kind.as_str());
        findings.refuse(&key, Rule::VariableUnsupported, message);
    } else if declaration.seeks_approval() {
        findings.refuse(
            &key,
            Rule::ActionTitleVariable,
            "has a variable, which approved content cannot have",
        );
    }
}

fn phone(findings: &mut Findings<'_>, action: &Action) {
    let key = of_action(action, "phone");
    let Some(phone) = &action.phone else {
        findings.refuse(&key, Rule::ActionPhone, "is missing");
        return;
    };
    let is_number = phone.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    });
    if !is_number {
        findings.refuse(&key, Rule::ActionPhone, "is not a number in the form +14155552671");
    }
}

fn code(findings: &mut Findings<'_>, action: &Action) {
    if action.code.as_ref().is_none_or(|code| code.trim().is_empty()) {
        let key = of_action(action, "code");
        findings.refuse(&key, Rule::ActionCodeRequired, "is missing or empty");
    }
}

fn id(findings: &mut Findings<'_>, action: &Action) {
    if let Some(id) = &action.id {
        findings.bound(&of_action(action, "id"), id, Rule::ActionId);
    }
}

fn ttl(findings: &mut Findings<'_>, declaration: &Declaration, action: &Action) {
    if action.payload.is_some() {
        let message = "is no key of a VOICE_CALL that Twilio sends";
        findings.refuse(&of_action(action, "payload"), Rule::ActionKeyUnknown, message);
    }
    let Some(minutes) = action.ttl_minutes else { return };
    let key = of_action(action, "ttl_minutes");
    let count = usize::try_from(minutes).unwrap_or(0);
    let (least, most) = (Rule::TtlApproved.figure(), Rule::TtlMinutes.figure());
    if !(1..=most).contains(&count) {
        findings.refuse(&key, Rule::TtlMinutes, format!("is {minutes}: expected 1 to {most}"));
    } else if declaration.seeks_approval() && count < least {
        findings.refuse(&key, Rule::TtlApproved, format!("is {minutes}: expected {least} to {most}"));
    }
}
