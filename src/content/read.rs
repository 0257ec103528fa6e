//! Reads one file: TOML, known keys, types and values. What the values must be together is in `check`.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::declaration::{Action, ActionKind, Approval, Category, Declaration, Element, Kind};
use super::fault::{Fault, Severity};
use super::published::Rule;

/// A declaration with the line of each key. What could not be read has a stand-in, so that the rest can be checked in
/// the same round.
#[derive(Debug, Clone)]
pub struct Read {
    pub declaration: Declaration,
    lines: BTreeMap<String, usize>,
    /// The keys whose value could not be read; that is a fault already.
    unread: BTreeSet<String>,
}

impl Read {
    /// The line of a key, or of the nearest key around it.
    #[must_use]
    pub fn line(&self, key: &str) -> usize {
        let mut key = key;
        loop {
            if let Some(line) = self.lines.get(key) {
                return *line;
            }
            match key.rfind(['.', '[']) {
                Some(end) => key = &key[..end],
                None => return 1,
            }
        }
    }

    /// Whether the value of a key was read, or is not there and need not be.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        !self.unread.contains(key)
    }

    /// Whether a fault may be nothing but the consequence of a value that was not read.
    #[must_use]
    pub fn is_consequence(&self, fault: &Fault) -> bool {
        let is_of = |unread: &String| {
            let behind = fault.key.strip_prefix(unread.as_str());
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(['.', '[']))
        };
        self.unread.iter().any(is_of)
            || !self.has("variables") && NEED_SAMPLES.contains(&fault.rule)
            || !self.has("approval") && NEED_APPROVAL.contains(&fault.rule)
            || NEED_ALL.contains(&fault.rule) && self.unread.iter().any(|key| !is_beside_the_text(key))
    }

    /// Notes a fault of a key.
    #[must_use]
    pub fn fault(&self, key: &str, rule: Rule, message: impl Into<String>) -> Fault {
        Fault {
            line: self.line(key),
            key: key.to_owned(),
            severity: Severity::Error,
            rule,
            message: message.into(),
        }
    }
}

/// Rules that cannot be judged without the samples.
const NEED_SAMPLES: &[Rule] = &[
    Rule::SampleRequired,
    Rule::ActionUrlSample,
    Rule::MediaSample,
    Rule::VariableUnknown,
    Rule::BodyEdge,
    Rule::BodyAdjacent,
];

/// Rules that cannot be judged without knowing whether approval is sought.
const NEED_APPROVAL: &[Rule] =
    &[Rule::SessionAction, Rule::SessionMixed, Rule::SessionUrl, Rule::SessionButtons, Rule::RequestText];

/// Rules about what is missing. It may be in what was not read.
const NEED_ALL: &[Rule] = &[
    Rule::CardMore,
    Rule::ActionsRequired,
    Rule::MetaActions,
    Rule::MetaTextLink,
    Rule::MessengerCall,
    Rule::MessengerMore,
    Rule::MessengerElements,
    Rule::VariableUnused,
];

/// Whether a key holds neither text nor buttons.
fn is_beside_the_text(key: &str) -> bool {
    ["name", "language", "category", "approval", "revision", "variables"].contains(&key)
        || key.starts_with("variables.")
}

const KEYS: &[&str] = &[
    "name",
    "language",
    "category",
    "approval",
    "revision",
    "type",
    "body",
    "title",
    "subtitle",
    "header_text",
    "header_image",
    "header_video",
    "header_document",
    "footer",
    "media",
    "actions",
    "elements",
    "variables",
];

const ACTION_KEYS: &[&str] =
    &["type", "title", "url", "phone", "code", "id", "ttl_minutes", "payload", "expires_in_days"];

const ELEMENT_KEYS: &[&str] = &["title", "subtitle", "image_url", "actions"];

/// Reads a file. Unknown keys and wrong types are faults; the declaration is there if the file is TOML.
#[must_use]
pub fn read(source: &str) -> (Option<Read>, Vec<Fault>) {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let table = match DeTable::parse(source) {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map_or(1, |span| line_at(source, span.start));
            let message = error.message().lines().next().unwrap_or("cannot be read").to_owned();
            let fault = Fault {
                line,
                key: String::new(),
                severity: Severity::Error,
                rule: Rule::FileSyntax,
                message,
            };
            return (None, vec![fault]);
        }
    };
    let mut reader = Reader { source, lines: BTreeMap::new(), unread: BTreeSet::new(), faults: Vec::new() };
    let declaration = reader.declaration(table.get_ref());
    let Reader { lines, unread, faults, .. } = reader;
    (Some(Read { declaration, lines, unread }), faults)
}

fn line_at(source: &str, at: usize) -> usize {
    source.bytes().take(at).filter(|&byte| byte == b'\n').count().saturating_add(1)
}

struct Reader<'s> {
    source: &'s str,
    lines: BTreeMap<String, usize>,
    unread: BTreeSet<String>,
    faults: Vec<Fault>,
}

type Table<'s> = DeTable<'s>;

impl Reader<'_> {
    fn declaration(&mut self, table: &Table<'_>) -> Declaration {
        self.known_keys(table, "", KEYS, Rule::KeyUnknown);
        let name = self.text(table, "", "name");
        let language = self.text(table, "", "language");
        let kind = self.word::<Kind>(table, "type", &Kind::ALL.map(Kind::as_str));
        let approval = self.word::<Approval>(table, "approval", &["none", "whatsapp"]);
        for key in ["name", "language", "type", "approval"] {
            if !table.contains_key(key) {
                self.unread(key, Rule::KeyRequired, "is missing");
            }
        }
        Declaration {
            category: self.word::<Category>(table, "category", &["UTILITY", "MARKETING"]),
            revision: self.integer(table, "", "revision").map_or(1, |n| u32::try_from(n).unwrap_or(0)),
            body: self.text(table, "", "body"),
            title: self.text(table, "", "title"),
            subtitle: self.text(table, "", "subtitle"),
            header_text: self.text(table, "", "header_text"),
            header_image: self.text(table, "", "header_image"),
            header_video: self.text(table, "", "header_video"),
            header_document: self.text(table, "", "header_document"),
            footer: self.text(table, "", "footer"),
            media: self.media(table),
            actions: self.actions(table, ""),
            elements: self.elements(table),
            variables: self.variables(table),
            name: name.unwrap_or_default(),
            language: language.unwrap_or_default(),
            approval: approval.unwrap_or(Approval::None),
            kind: kind.unwrap_or(Kind::Text),
        }
    }

    fn media(&mut self, table: &Table<'_>) -> Vec<String> {
        let Some(value) = table.get("media") else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type("media", value, "a list of URLs");
            return Vec::new();
        };
        let mut media = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let key = format!("media[{index}]");
            self.note(&key, item);
            match item.get_ref() {
                DeValue::String(text) => media.push(text.to_string()),
                _ => self.wrong_type(&key, item, "a URL as text"),
            }
        }
        media
    }

    fn actions(&mut self, table: &Table<'_>, around: &str) -> Vec<Action> {
        let actions = self.sections(table, around, "actions", Self::action);
        actions.into_iter().flatten().collect()
    }

    fn elements(&mut self, table: &Table<'_>) -> Vec<Element> {
        let mut index: usize = 0;
        self.sections(table, "", "elements", |reader, element, path| {
            reader.known_keys(element, path, ELEMENT_KEYS, Rule::KeyUnknown);
            let read = Element {
                index,
                title: reader.text(element, path, "title"),
                subtitle: reader.text(element, path, "subtitle"),
                image_url: reader.text(element, path, "image_url"),
                actions: reader.actions(element, path),
            };
            index = index.saturating_add(1);
            read
        })
    }

    /// Reads each section of a list.
    fn sections<T>(
        &mut self,
        table: &Table<'_>,
        around: &str,
        name: &str,
        mut read: impl FnMut(&mut Self, &Table<'_>, &str) -> T,
    ) -> Vec<T> {
        let Some(value) = table.get(name) else { return Vec::new() };
        let key = join(around, name);
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(&key, value, &format!("sections of the form [[{name}]]"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{key}[{index}]");
            self.note(&path, item);
            match item.get_ref() {
                DeValue::Table(section) => sections.push(read(self, section, &path)),
                _ => self.wrong_type(&path, item, &format!("a section of the form [[{name}]]")),
            }
        }
        sections
    }

    fn action(&mut self, table: &Table<'_>, path: &str) -> Option<Action> {
        self.known_keys(table, path, ACTION_KEYS, Rule::ActionKeyUnknown);
        let key = join(path, "type");
        let word = self.text(table, path, "type");
        if !table.contains_key("type") {
            self.unread(&key, Rule::ActionType, "is missing");
        }
        let word = word?;
        let Ok(kind) = ActionKind::from_str(&word) else {
            let known = ActionKind::ALL.map(ActionKind::as_str).join(", ");
            self.unread(&key, Rule::ActionType, format!("is none of {known}"));
            return None;
        };
        for name in ACTION_KEYS.iter().filter(|&&name| name != "type" && !kind.keys().contains(&name)) {
            if table.contains_key(*name) {
                let message = format!("is no key of {}, which has {}", kind.as_str(), kind.keys().join(", "));
                self.fault(&join(path, name), Rule::ActionKeyUnknown, message);
            }
        }
        Some(Action {
            key: path.to_owned(),
            kind,
            title: self.text(table, path, "title"),
            url: self.text(table, path, "url"),
            phone: self.text(table, path, "phone"),
            code: self.text(table, path, "code"),
            id: self.text(table, path, "id"),
            ttl_minutes: self.integer(table, path, "ttl_minutes"),
            payload: self.text(table, path, "payload"),
            expires_in_days: self.integer(table, path, "expires_in_days"),
        })
    }

    fn variables(&mut self, table: &Table<'_>) -> BTreeMap<String, String> {
        let Some(value) = table.get("variables") else { return BTreeMap::new() };
        self.note("variables", value);
        let DeValue::Table(samples) = value.get_ref() else {
            self.wrong_type("variables", value, "a section of samples");
            return BTreeMap::new();
        };
        let mut variables = BTreeMap::new();
        for name in samples.keys() {
            let name: &str = name.get_ref();
            let sample = self.text(samples, "variables", name);
            variables.insert(name.to_owned(), sample.unwrap_or_else(|| "sample".to_owned()));
        }
        variables
    }

    fn known_keys(&mut self, table: &Table<'_>, path: &str, known: &[&str], rule: Rule) {
        for (name, value) in table {
            let key = join(path, name.get_ref());
            let line = line_at(self.source, name.span().start);
            self.note(&key, value);
            self.lines.insert(key.clone(), line);
            if !known.contains(&name.get_ref().as_ref()) {
                self.fault(&key, rule, format!("is not a known key: expected one of {}", known.join(", ")));
            }
        }
    }

    fn word<T: FromStr>(&mut self, table: &Table<'_>, key: &str, known: &[&str]) -> Option<T> {
        let word = self.text(table, "", key)?;
        let read = word.parse().ok();
        if read.is_none() {
            self.unread(key, Rule::KeyValue, format!("is none of {}", known.join(", ")));
        }
        read
    }

    fn text(&mut self, table: &Table<'_>, path: &str, name: &str) -> Option<String> {
        let value = table.get(name)?;
        let key = join(path, name);
        self.note(&key, value);
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                self.wrong_type(&key, value, "text in quotes");
                None
            }
        }
    }

    fn integer(&mut self, table: &Table<'_>, path: &str, name: &str) -> Option<i64> {
        let value = table.get(name)?;
        let key = join(path, name);
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(&key, value, "a whole number");
            return None;
        };
        let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
        if read.is_none() {
            self.note(&key, value);
            let told = format!("is outside of what a whole number can be, {} to {}", i64::MIN, i64::MAX);
            self.unread(&key, Rule::KeyType, told);
        }
        read
    }

    /// Keeps the line of a value, unless the line of its key is known.
    fn note(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        let line = line_at(self.source, value.span().start);
        self.lines.entry(key.to_owned()).or_insert(line);
    }

    fn wrong_type(&mut self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let found = value.get_ref().type_str();
        self.note(key, value);
        self.unread(key, Rule::KeyType, format!("is of the type {found}: expected {expected}"));
    }

    /// Notes a fault by which the value of a key is not known.
    fn unread(&mut self, key: &str, rule: Rule, message: impl Into<String>) {
        self.unread.insert(key.to_owned());
        self.fault(key, rule, message);
    }

    fn fault(&mut self, key: &str, rule: Rule, message: impl Into<String>) {
        let line = self.lines.get(key).or_else(|| self.lines.get(key.rsplit_once('.')?.0)).copied();
        self.faults.push(Fault {
            line: line.unwrap_or(1),
            key: key.to_owned(),
            severity: Severity::Error,
            rule,
            message: message.into(),
        });
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
