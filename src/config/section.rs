//! Reads one section: each key is asked for once, with its type, rule and default.
//!
//! A faulty value is noted and replaced by a default, so that one pass finds every fault. Keys that were not
//! asked for are unknown keys. The effective configuration is the list of keys asked for, with their values.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::domain::{AccountAlias, Phone};

use super::fault::Fault;
use super::secret::Secret;
use super::tree::{Leaf, Node, Origin, PREFIX, Table, Value};
use super::value::Setting;

/// Results of reading a configuration.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub faults: Vec<Fault>,
    /// Every key asked for, in order.
    pub answers: Vec<Answer>,
    /// Every valid sender with its account, including those of refused accounts.
    pub senders: Vec<(AccountAlias, Phone, Origin)>,
    /// Known sections, to suggest a name for a misspelt one.
    pub sections: BTreeSet<String>,
    unknown: Vec<(String, Origin)>,
}

/// One key with its rules and its value, written as TOML.
#[derive(Debug)]
pub(super) struct Answer {
    pub section: String,
    pub key: String,
    pub kind: &'static str,
    pub range: Option<String>,
    pub default: Option<String>,
    pub is_required: bool,
    pub value: Option<String>,
    pub is_secret: bool,
    pub origin: Origin,
}

impl Reading {
    pub(super) fn fault(&mut self, origin: &Origin, key: &str, problem: impl Into<String>) {
        self.faults.push(Fault { origin: origin.shown(), key: key.to_owned(), problem: problem.into() });
    }

    /// Reports unknown keys. Call it after all known keys were asked for.
    pub(super) fn refuse_unknown_keys(&mut self) {
        for (path, origin) in std::mem::take(&mut self.unknown) {
            let problem = self.nearest(&path).map_or_else(
                || "is not a key that is known".to_owned(),
                |known| format!("is not a key that is known; the nearest is {known}"),
            );
            self.fault(&origin, &path, problem);
        }
    }

    fn nearest(&self, path: &str) -> Option<String> {
        let keys = self.answers.iter().map(|answer| join(&answer.section, &answer.key));
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
        keys.chain(self.sections.iter().filter(|section| !section.is_empty()).cloned())
            .map(|known| {
                let same_section = parent(&known) == parent(path);
                // `http_listen` and `calling.listen` both mean `http.listen`.
                let whole = strsim::osa_distance(&known.replace('.', "_"), &path.replace('.', "_"));
                let part = strsim::osa_distance(&last(&known), &last(path))
                    .saturating_add(usize::from(!same_section));
                (whole.min(part), known)
            })
            .min()
            .filter(|(distance, known)| *distance <= last(known).len().div_ceil(3))
            .map(|(_, known)| known)
    }
}

/// One table of the tree.
#[derive(Debug)]
pub(super) struct Section<'a> {
    path: String,
    table: Option<&'a Table>,
    /// The same section of `default.toml`, the bottom layer.
    defaults: Option<&'a Table>,
    asked: BTreeSet<String>,
    pub reading: &'a mut Reading,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: &'a Table, defaults: &'a Table, reading: &'a mut Reading) -> Self {
        Self {
            path: String::new(),
            table: Some(table),
            defaults: Some(defaults),
            asked: BTreeSet::new(),
            reading,
        }
    }

    /// Reads a sub-section. A missing one reads as empty.
    pub(super) fn section<T>(&mut self, name: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        self.asked.insert(name.to_owned());
        let path = self.full(name);
        let table = match self.table.and_then(|table| table.entries.get(name)) {
            Some(Node::Table(table)) => Some(table),
            Some(Node::Leaf(leaf)) => {
                self.reading.fault(&leaf.origin, &path, "is a section, but a value was written");
                None
            }
            None => None,
        };
        self.reading.sections.insert(path.clone());
        let defaults = match self.defaults.and_then(|defaults| defaults.entries.get(name)) {
            Some(Node::Table(defaults)) => Some(defaults),
            _ => None,
        };
        let mut section = Section { path, table, defaults, asked: BTreeSet::new(), reading: self.reading };
        let read = read(&mut section);
        section.note_unknown();
        read
    }

    /// Reads all sub-sections.
    pub(super) fn each<T>(&mut self, mut read: impl FnMut(&str, &mut Section<'_>) -> T) -> Vec<T> {
        let names: Vec<String> = self.table.iter().flat_map(|table| table.entries.keys().cloned()).collect();
        names.iter().map(|name| self.section(name, |section| read(name, section))).collect()
    }

    pub(super) fn ask<T: Setting>(&mut self, key: &str) -> Asked<'_, 'a, T> {
        self.asked.insert(key.to_owned());
        let path = self.full(key);
        let (value, origin) = match self.table.and_then(|table| table.entries.get(key)) {
            None => (Ok(None), Origin::Nowhere),
            Some(Node::Table(table)) => {
                (Err("is a value, but a section was written".into()), table.origin.clone())
            }
            Some(Node::Leaf(Leaf { value, origin, .. })) => {
                let read = T::read(value).map_err(|problem| format!("{problem}: expected {}", T::EXPECTED));
                (read.map(Some), origin.clone())
            }
        };
        let default = match self.defaults.and_then(|defaults| defaults.entries.get(key)) {
            Some(Node::Leaf(leaf)) => T::read(&leaf.value).ok(),
            _ => None,
        };
        Asked {
            section: self,
            key: key.to_owned(),
            path,
            value,
            default,
            range: None,
            is_required: false,
            origin,
        }
    }

    /// Whether the key was given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.entries.contains_key(key))
    }

    /// A secret, from a variable or from the file named by `<key>_file`; never from the configuration file.
    pub(super) fn secret(&mut self, key: &str) -> Asked<'_, 'a, Secret> {
        let file_key = format!("{key}_file");
        let file: Option<PathBuf> = self.ask(&file_key).optional();
        self.asked.insert(key.to_owned());
        let path = self.full(key);
        let written = self.table.and_then(|table| table.entries.get(key));
        let (value, origin) = match (written, file) {
            (None, None) => (Ok(None), Origin::Nowhere),
            (None, Some(file)) => {
                let origin = self.table.and_then(|table| match table.entries.get(&file_key) {
                    Some(Node::Leaf(leaf)) => Some(leaf.origin.clone()),
                    _ => None,
                });
                (read_secret(&file).map(Some), origin.unwrap_or(Origin::Nowhere))
            }
            (
                Some(Node::Leaf(Leaf {
                    value: Value::Untyped(value),
                    origin,
                    overridden: None | Some(Origin::Variable(_)),
                })),
                file,
            ) => {
                let value = match file {
                    Some(_) => Err(format!("is given twice: set either it or {file_key}")),
                    None => checked_secret(value.clone()).map(Some),
                };
                (value, origin.clone())
            }
            // Also if a variable overrides it, because it is still in the file.
            (
                Some(
                    Node::Leaf(Leaf { overridden: Some(origin), .. } | Leaf { origin, .. })
                    | Node::Table(Table { origin, .. }),
                ),
                _,
            ) => {
                let problem = format!(
                    "is a secret, and secrets are not taken from the configuration file: set {} or name a file \
                     with {file_key}",
                    variable(&path)
                );
                (Err(problem), origin.clone())
            }
        };
        Asked {
            section: self,
            key: key.to_owned(),
            path,
            value,
            default: None,
            range: None,
            is_required: false,
            origin,
        }
    }

    /// Notes a fault of several keys together or of the section, unless a key is refused already.
    pub(super) fn fault(&mut self, key: &str, problem: impl Into<String>) {
        let origin = match self.table.and_then(|table| table.entries.get(key)) {
            Some(Node::Leaf(leaf)) => leaf.origin.clone(),
            Some(Node::Table(table)) => table.origin.clone(),
            None if key.is_empty() => self.origin(),
            None => Origin::Nowhere,
        };
        let path = if key.is_empty() { self.path.clone() } else { self.full(key) };
        if self.reading.faults.iter().all(|fault| fault.key != path) {
            self.reading.fault(&origin, &path, problem);
        }
    }

    /// Where the section begins.
    pub(super) fn origin(&self) -> Origin {
        self.table.map_or(Origin::Nowhere, |table| table.origin.clone())
    }

    pub(super) fn note_unknown(&mut self) {
        let Some(table) = self.table else { return };
        for (key, node) in table.entries.iter().filter(|(key, _)| !self.asked.contains(*key)) {
            let (Node::Leaf(Leaf { origin, .. }) | Node::Table(Table { origin, .. })) = node;
            self.reading.unknown.push((self.full(key), origin.clone()));
        }
    }

    fn full(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

/// The value of one key, before its rules and its default.
#[must_use]
pub(super) struct Asked<'s, 'a, T> {
    section: &'s mut Section<'a>,
    key: String,
    path: String,
    value: Result<Option<T>, String>,
    /// From `default.toml`.
    default: Option<T>,
    range: Option<String>,
    is_required: bool,
    origin: Origin,
}

impl<T: Setting> Asked<'_, '_, T> {
    /// Refuses a value for which `check` returns a fault.
    pub(super) fn rule(mut self, check: impl FnOnce(&T) -> Result<(), String>) -> Self {
        self.value = self.value.and_then(|value| match &value {
            Some(given) => check(given).map(|()| value),
            None => Ok(None),
        });
        self
    }

    pub(super) fn optional(self) -> Option<T> {
        self.settle(None)
    }

    /// The value, or the default in `default.toml`, which must have this key.
    pub(super) fn value(self) -> T {
        let default = self.default.clone().expect("a test reads every default of default.toml");
        self.or(default)
    }

    /// The value, or a default that is only an example in `default.toml`.
    pub(super) fn or(self, default: T) -> T {
        // A refused value stops the start, so this default is never used.
        self.settle(Some(default.clone())).unwrap_or(default)
    }

    /// Notes a fault if there is no value; `what` describes the missing value.
    pub(super) fn required(mut self, what: &str) -> Option<T> {
        self.is_required = true;
        if matches!(self.value, Ok(None)) {
            let variable = variable(&self.path);
            let how = if T::IS_SECRET {
                format!("set {variable} or name a file with {}_file", self.key)
            } else {
                format!("set it in the file or with {variable}")
            };
            self.value = Err(format!("is required: {what}; {how}"));
        }
        self.settle(None)
    }

    fn settle(self, default: Option<T>) -> Option<T> {
        let default_text = default.as_ref().map(Setting::write);
        let value = match self.value {
            Ok(value) => value.or(default),
            Err(problem) => {
                self.section.reading.fault(&self.origin, &self.path, problem);
                None
            }
        };
        self.section.reading.answers.push(Answer {
            section: self.section.path.clone(),
            key: self.key,
            kind: T::KIND,
            range: self.range,
            default: default_text,
            is_required: self.is_required,
            value: value.as_ref().map(Setting::write),
            is_secret: T::IS_SECRET,
            origin: self.origin,
        });
        value
    }
}

impl<T: Setting + PartialOrd> Asked<'_, '_, T> {
    pub(super) fn within(mut self, least: T, most: T) -> Self {
        let bare = |bound: &T| bound.write().replace('"', "");
        self.range = Some(format!("{} to {}", bare(&least), bare(&most)));
        self.rule(|value| {
            if *value >= least && *value <= most {
                Ok(())
            } else {
                let (value, least, most) = (value.write(), least.write(), most.write());
                Err(format!("{value} is out of range: expected {least} to {most}"))
            }
        })
    }
}

/// The environment variable for a key.
fn variable(path: &str) -> String {
    let parts = path.replace(['"', '+'], "").replace('.', "__");
    format!("{PREFIX}{}", parts.to_ascii_uppercase())
}

fn join(path: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let key = if bare { key.to_owned() } else { super::value::quoted(key) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn read_secret(file: &std::path::Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("the file {} cannot be read: {error}", file.display()))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    checked_secret(line.to_owned()).map_err(|problem| format!("the file {} {problem}", file.display()))
}

fn checked_secret(text: String) -> Result<Secret, String> {
    if text.is_empty() {
        Err("is empty".into())
    } else if text.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control()) {
        Err("has white space or a control character, which is not allowed in a secret".into())
    } else {
        Ok(Secret::new(text))
    }
}
