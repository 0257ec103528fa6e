//! The actions together: how many of which kind, with approval and without it.

use super::super::declaration::{ActionKind, Declaration, Kind};
use super::super::published::Rule;
use super::{Findings, of_action};

pub(super) fn check(findings: &mut Findings<'_>) {
    let declaration = findings.declaration();
    let count = |kind: ActionKind| declaration.actions.iter().filter(|action| action.kind == kind).count();
    let all = declaration.actions.len();
    if declaration.kind == Kind::CallToAction && all == 0 {
        findings.refuse("actions", Rule::ActionsRequired, "is missing: expected a section [[actions]]");
    }
    alone(findings, declaration);
    match declaration.kind {
        Kind::Text => return,
        Kind::CallToAction => {
            most(findings, all, Rule::ActionsMax, "actions");
            if count(ActionKind::Url) > 1 {
                let message = "has two URLs: two actions are one URL and one PHONE_NUMBER or VOICE_CALL";
                findings.refuse("actions", Rule::ActionUrlOnce, message);
            }
        }
        _ => {
            most(findings, all, Rule::ActionsCard, "actions");
            most(findings, count(ActionKind::Url), Rule::ActionUrls, "URLs");
            most(findings, count(ActionKind::QuickReply), Rule::ActionsQuickReplies, "quick replies");
        }
    }
    let (numbers, calls) = (count(ActionKind::PhoneNumber), count(ActionKind::VoiceCall));
    if numbers > 1 {
        findings.refuse("actions", Rule::ActionPhoneOnce, format!("has {numbers} PHONE_NUMBER: at most 1"));
    }
    if calls > 1 || calls > 0 && numbers > 0 {
        let message = format!("has {calls} VOICE_CALL and {numbers} PHONE_NUMBER: at most one of the two");
        findings.refuse("actions", Rule::ActionCallOnce, message);
    }
    if !declaration.seeks_approval() {
        in_the_window(findings, declaration, count(ActionKind::Url));
    }
}

fn most(findings: &mut Findings<'_>, count: usize, rule: Rule, what: &str) {
    let most = rule.figure();
    if count > most {
        findings.refuse("actions", rule, format!("has {count} {what}: at most {most}"));
    }
}

fn alone(findings: &mut Findings<'_>, declaration: &Declaration) {
    let Some(request) = declaration.actions.iter().find(|action| action.kind == ActionKind::VoiceCallRequest)
    else {
        return;
    };
    if declaration.actions.len() > 1 {
        let message = "VOICE_CALL_REQUEST stands beside another action";
        findings.refuse(&of_action(request, "type"), Rule::ActionAlone, message);
    }
    if !declaration.seeks_approval() {
        findings.warn("body", Rule::RequestText, "is not shown: seek approval to show it");
    }
}

/// What WhatsApp takes without approval, which is sent inside the service window only.
fn in_the_window(findings: &mut Findings<'_>, declaration: &Declaration, urls: usize) {
    for action in &declaration.actions {
        if matches!(action.kind, ActionKind::PhoneNumber | ActionKind::CopyCode) {
            let message = format!("{} needs approval = \"whatsapp\"", action.kind.as_str());
            findings.refuse(&of_action(action, "type"), Rule::SessionAction, message);
        }
    }
    let first = declaration.actions.first().map(|action| action.kind);
    let is_mixed = declaration.actions.iter().any(|action| Some(action.kind) != first);
    // Beside a VOICE_CALL_REQUEST no action is allowed in any case, which is told above.
    if is_mixed && !declaration.has(ActionKind::VoiceCallRequest) {
        let message = "has actions of several kinds, which needs approval = \"whatsapp\"";
        findings.refuse("actions", Rule::SessionMixed, message);
    }
    if urls > 1 {
        let message = format!("has {urls} URLs, which needs approval = \"whatsapp\"");
        findings.refuse("actions", Rule::SessionUrl, message);
    }
    let (count, most) = (declaration.actions.len(), Rule::SessionButtons.figure());
    if count > most {
        let message = format!("has {count} actions: at most {most} without approval");
        findings.refuse("actions", Rule::SessionButtons, message);
    }
}
