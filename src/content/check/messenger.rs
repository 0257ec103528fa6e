//! Content for Messenger: a text with buttons, and cards with buttons.

use super::super::declaration::{Action, ActionKind, Declaration, Kind};
use super::super::published::Rule;
use super::meta::{approval, label, measure};
use super::{Findings, links, of_action};

pub(super) fn check(findings: &mut Findings<'_>) {
    let declaration = findings.declaration();
    approval(findings, declaration);
    if declaration.kind == Kind::MessengerButton {
        text(findings, declaration);
        buttons(findings, "actions", &declaration.actions);
    } else {
        elements(findings, declaration);
    }
    if !declaration.has(ActionKind::AudioCall) {
        let key = declaration.kind.fields().last().copied().unwrap_or("type");
        findings.refuse(key, Rule::MessengerCall, "has no AUDIO_CALL");
    }
}

fn text(findings: &mut Findings<'_>, declaration: &Declaration) {
    match &declaration.body {
        None => findings.refuse("body", Rule::MessengerText, "is missing: it is the text over the buttons"),
        Some(body) => measure(findings, "body", body, Rule::MessengerText),
    }
}

fn elements(findings: &mut Findings<'_>, declaration: &Declaration) {
    let (count, most) = (declaration.elements.len(), Rule::MessengerElements.figure());
    if !(1..=most).contains(&count) {
        findings.refuse("elements", Rule::MessengerElements, format!("has {count}: expected 1 to {most}"));
    }
    for element in &declaration.elements {
        let of = |key: &str| format!("elements[{}].{key}", element.index);
        match &element.title {
            None => findings.refuse(&of("title"), Rule::MessengerTitle, "is missing"),
            Some(title) => {
                label(findings, &of("title"), title);
                measure(findings, &of("title"), title, Rule::MessengerTitle);
            }
        }
        if let Some(subtitle) = &element.subtitle {
            label(findings, &of("subtitle"), subtitle);
            measure(findings, &of("subtitle"), subtitle, Rule::MessengerSubtitle);
        }
        if let Some(fault) = element.image_url.as_deref().and_then(links::fault) {
            findings.refuse(&of("image_url"), Rule::MessengerImage, fault);
        }
        if element.subtitle.is_none() && element.image_url.is_none() && element.actions.is_empty() {
            findings.refuse(
                &of("title"),
                Rule::MessengerMore,
                "is alone: add a button, a subtitle or an image",
            );
        }
        buttons(findings, &of("actions"), &element.actions);
    }
}

fn buttons(findings: &mut Findings<'_>, key: &str, actions: &[Action]) {
    let (count, most) = (actions.len(), Rule::MessengerButtons.figure());
    if count > most {
        findings.refuse(key, Rule::MessengerButtons, format!("has {count} buttons: at most {most}"));
    }
    for action in actions {
        button(findings, action);
    }
}

fn button(findings: &mut Findings<'_>, action: &Action) {
    let key = of_action(action, "title");
    match &action.title {
        None => findings.refuse(&key, Rule::MessengerButton, "is missing"),
        Some(title) => {
            label(findings, &key, title);
            measure(findings, &key, title, Rule::MessengerButton);
        }
    }
    match action.kind {
        ActionKind::AudioCall => expiry(findings, action),
        ActionKind::WebUrl => {
            let key = of_action(action, "url");
            match action.url.as_deref() {
                None => findings.refuse(&key, Rule::MessengerUrl, "is missing"),
                Some("{{link}}") => {}
                Some(url) => {
                    if let Some(fault) = links::fault(url) {
                        findings.refuse(&key, Rule::MessengerUrl, fault);
                    }
                }
            }
        }
        other => {
            let message =
                format!("{} is no button of Messenger, which has AUDIO_CALL, WEB_URL", other.as_str());
            findings.refuse(&of_action(action, "type"), Rule::ActionType, message);
        }
    }
}

fn expiry(findings: &mut Findings<'_>, action: &Action) {
    let Some(days) = action.expires_in_days else { return };
    let most = Rule::ExpiresInDays.figure();
    if !(1..=most).contains(&usize::try_from(days).unwrap_or(0)) {
        let key = of_action(action, "expires_in_days");
        findings.refuse(&key, Rule::ExpiresInDays, format!("is {days}: expected 1 to {most}"));
    }
}
