//! The fields of a declaration beside its actions and variables.

use super::super::declaration::{Declaration, Kind, Provider, is_name};
use super::super::placeholder::{adjacent, at_the_ends, filled, variables};
use super::super::published::Rule;
use super::{Findings, links};

pub(super) fn check(findings: &mut Findings<'_>) {
    let declaration = findings.declaration();
    name(findings, declaration);
    about(findings, declaration);
    only_own_fields(findings, declaration);
    required(findings, declaration);
    lengths(findings, declaration);
    white_space(findings, declaration);
    links::media(findings, declaration);
    if declaration.seeks_approval() {
        for_approval(findings, declaration);
    }
}

/// What holds for a declaration whose type is not known.
pub(super) fn of_any_type(findings: &mut Findings<'_>) {
    let declaration = findings.declaration();
    name(findings, declaration);
    about(findings, declaration);
    white_space(findings, declaration);
}

fn name(findings: &mut Findings<'_>, declaration: &Declaration) {
    if !is_name(&declaration.name) {
        findings.refuse("name", Rule::Name, format!("is not a name: {}", Rule::Name.sentence()));
    }
}

fn about(findings: &mut Findings<'_>, declaration: &Declaration) {
    if !is_language(&declaration.language) {
        findings.refuse("language", Rule::Language, "is not a language code: expected one as en or pt_BR");
    }
    if declaration.seeks_approval() && declaration.category.is_none() {
        findings.refuse("category", Rule::Category, "is missing: expected UTILITY or MARKETING");
    }
    let most = Rule::Revision.figure();
    if !(1..=most).contains(&(declaration.revision as usize)) {
        findings.refuse("revision", Rule::Revision, format!("is out of range: expected 1 to {most}"));
    }
}

/// Two or three small letters, and a country or script where there is one.
fn is_language(code: &str) -> bool {
    let (language, region) = code.split_once('_').map_or((code, None), |(code, region)| (code, Some(region)));
    let is_region = |region: &str| {
        (2..=3).contains(&region.len())
            && region.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && region.is_none_or(is_region)
}

fn only_own_fields(findings: &mut Findings<'_>, declaration: &Declaration) {
    let kind = declaration.kind;
    let lists = [
        ("media", declaration.media.is_empty()),
        ("actions", declaration.actions.is_empty()),
        ("elements", declaration.elements.is_empty()),
    ];
    let lists = lists.into_iter().filter(|(_, is_empty)| !is_empty).map(|(key, _)| key);
    for key in declaration.texts().map(|(key, _)| key).chain(lists) {
        if key == "body" && kind == Kind::TwilioCard {
            findings.refuse(key, Rule::BodyOfCard, "is not shown on WhatsApp: move the text into title");
        } else if !kind.fields().contains(&key) {
            let (kind, fields) = (kind.as_str(), kind.fields().join(", "));
            findings.refuse(key, Rule::FieldOther, format!("is no field of {kind}, which has {fields}"));
        }
    }
}

fn required(findings: &mut Findings<'_>, declaration: &Declaration) {
    let Declaration { kind, .. } = declaration;
    if kind.provider() != Provider::Twilio {
        return;
    }
    match kind {
        Kind::Text | Kind::CallToAction | Kind::WhatsappCard if declaration.body.is_none() => {
            findings.refuse("body", Rule::BodyRequired, format!("is missing: {} needs it", kind.as_str()));
        }
        Kind::TwilioCard if declaration.title.is_none() => {
            findings.refuse("title", Rule::TitleRequired, "is missing: the card shows it as its text");
        }
        _ => {}
    }
    let more = match kind {
        Kind::Text | Kind::CallToAction => true,
        Kind::TwilioCard => declaration.subtitle.is_some(),
        _ => declaration.footer.is_some() || declaration.header_text.is_some(),
    };
    if !more && declaration.media.is_empty() && declaration.actions.is_empty() {
        findings.refuse("type", Rule::CardMore, "has a text only: add an action, a medium or another field");
    }
    if declaration.header_text.is_some() && !declaration.media.is_empty() {
        findings.refuse(
            "header_text",
            Rule::HeaderOrMedia,
            "stands beside media: only one of the two is shown",
        );
    }
}

fn lengths(findings: &mut Findings<'_>, declaration: &Declaration) {
    for (key, text) in declaration.texts() {
        let rule = match (declaration.kind, key) {
            (Kind::Text, "body") => Rule::BodyText,
            (Kind::CallToAction, "body") => Rule::BodyCallToAction,
            (Kind::WhatsappCard, "body") => Rule::BodyCard,
            (Kind::TwilioCard, "title") => Rule::TitleOfCard,
            (Kind::TwilioCard, "subtitle") => Rule::Subtitle,
            (Kind::WhatsappCard, "footer") => Rule::Footer,
            (Kind::WhatsappCard, "header_text") => Rule::HeaderText,
            _ => continue,
        };
        findings.bound(key, text, rule);
    }
}

fn white_space(findings: &mut Findings<'_>, declaration: &Declaration) {
    for (key, text) in declaration.texts() {
        if text.trim().is_empty() {
            findings.refuse(key, Rule::White, "is empty");
        } else if text.trim() != text {
            findings.refuse(key, Rule::White, "begins or ends with white space");
        }
    }
}

/// The text that WhatsApp judges: the title of a `twilio/card`, else the body.
fn main_text(declaration: &Declaration) -> Option<(&'static str, &str)> {
    let key = if declaration.kind == Kind::TwilioCard { "title" } else { "body" };
    declaration.texts().find(|(name, _)| *name == key)
}

fn for_approval(findings: &mut Findings<'_>, declaration: &Declaration) {
    if let Some(header) = &declaration.header_text {
        let (count, most) = (variables(header).count(), Rule::HeaderVariables.figure());
        if count > most {
            let message = format!("has {count} variables: at most {most}");
            findings.refuse("header_text", Rule::HeaderVariables, message);
        }
    }
    let Some((key, text)) = main_text(declaration) else { return };
    let sample = |name: &str| declaration.variables.get(name).map(String::as_str);
    let (count, most) = (filled(text, sample).chars().count(), Rule::ApprovedText.figure());
    if count > most {
        let message = format!("has {count} characters with its samples: at most {most}");
        findings.refuse(key, Rule::ApprovedText, message);
    }
    for name in at_the_ends(text) {
        needs_samples(findings, key, Rule::BodyEdge, &[name], "begins or ends with the variable");
    }
    for (left, right) in adjacent(text) {
        needs_samples(findings, key, Rule::BodyAdjacent, &[left, right], "has next to each other");
    }
}

/// Refuses the text if a sample is missing. With samples older pages take it and newer ones do not.
fn needs_samples(findings: &mut Findings<'_>, key: &str, rule: Rule, names: &[&str], what: &str) {
    let declared = &findings.declaration().variables;
    let shown: Vec<String> = names.iter().map(|name| format!("{{{{{name}}}}}")).collect();
    let shown = shown.join(" and ");
    if names.iter().all(|name| declared.get(*name).is_some_and(|sample| !sample.is_empty())) {
        findings.warn(key, rule, format!("{what} {shown}: WhatsApp may refuse it in spite of its samples"));
    } else {
        findings.refuse(key, rule, format!("{what} {shown}: without samples WhatsApp refuses it"));
    }
}
