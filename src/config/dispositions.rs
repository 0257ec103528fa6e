//! `[dispositions.<name>]`: what agents may say of calls.

use std::collections::BTreeMap;

use super::section::Section;
use super::tree::Value;
use super::value::{Setting, quoted};
use crate::domain::{DeclaredDisposition, EffectKind, ListName, SuppressionScope};

/// The longest name and label, in bytes.
const TEXT_MAX: usize = 60;

/// Those of the configuration, or the usual ones if it has none.
pub(super) fn or_usual(
    declared: BTreeMap<String, DeclaredDisposition>,
) -> BTreeMap<String, DeclaredDisposition> {
    if !declared.is_empty() {
        return declared;
    }
    let usual = [
        ("done", "Done", EffectKind::None),
        ("call_again", "Call again", EffectKind::CallbackAt),
        ("do_not_call", "Does not want to be called", EffectKind::Suppress),
        ("wrong_person", "Another person's number", EffectKind::WrongPerson),
    ];
    usual.map(|(name, label, effect)| (name.to_owned(), disposition(label.to_owned(), effect))).into()
}

fn disposition(label: String, effect: EffectKind) -> DeclaredDisposition {
    DeclaredDisposition { label, effect, list: ListName::House, scope: SuppressionScope::All }
}

/// Reads one section.
pub(super) fn read(name: &str, section: &mut Section<'_>) -> Option<(String, DeclaredDisposition)> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !(1..=TEXT_MAX).contains(&name.len()) || !name.chars().all(is_plain) {
        section.fault("", "has a name with other characters than a to z, 0 to 9 and _, or more than 60");
    }
    let label: String = section.ask("label").rule(|label: &String| short(label)).or(name.replace('_', " "));
    let effect: Option<EffectKind> = section.ask("effect").required("what follows, such as \"none\"");
    let list: Option<ListName> = section.ask("list").rule(takes_entries).optional();
    let scope: Option<SuppressionScope> = section.ask("scope").optional();
    let effect = effect?;
    if effect != EffectKind::Suppress && (list.is_some() || scope.is_some()) {
        section.fault("", "has a list or a scope, which only the effect \"suppress\" has");
    }
    let usual = disposition(label, effect);
    let list = list.unwrap_or(usual.list);
    let scope = scope.unwrap_or(usual.scope);
    Some((name.to_owned(), DeclaredDisposition { list, scope, ..usual }))
}

fn short(label: &str) -> Result<(), String> {
    let fits = (1..=TEXT_MAX).contains(&label.len()) && !label.contains(char::is_control);
    fits.then_some(()).ok_or_else(|| format!("is not a label: expected 1 to {TEXT_MAX} bytes on one line"))
}

fn takes_entries(list: &ListName) -> Result<(), String> {
    match list {
        ListName::Erased | ListName::Imported(_) => {
            Err("is a list to which agents add nobody: expected \"house\", \"account:\" or \"campaign:\""
                .to_owned())
        }
        ListName::House | ListName::Account(_) | ListName::Campaign(_) => Ok(()),
    }
}

impl Setting for EffectKind {
    const EXPECTED: &'static str = "one of \"none\", \"callback_at\", \"suppress\", \"wrong_person\"";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|_| "is not a known value".to_owned())
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}

impl Setting for ListName {
    const EXPECTED: &'static str = "a suppression list: \"house\", \"account:NAME\" or \"campaign:NAME\"";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?
            .parse()
            .map_err(|error: crate::domain::suppression::ListNameError| error.to_string())
    }

    fn write(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for SuppressionScope {
    const EXPECTED: &'static str = "one of \"calls\", \"requests\", \"invites\", \"all\"";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|_| "is not a known value".to_owned())
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}
