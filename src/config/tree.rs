//! The TOML file and the environment variables as one tree. Each value has its origin.
//!
//! Values are not checked here. A variable stays text until its key gives its type, so that `+14155552671`,
//! `00123456` and `true` can be strings.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;

pub(super) const PREFIX: &str = "RINGMASTER_";
const SEPARATOR: &str = "__";

/// Variables with our prefix that the command line reads; they are not configuration keys.
const NOT_KEYS: &[&str] = &["RINGMASTER_CONFIG", "RINGMASTER_URL", "RINGMASTER_TOKEN"];

#[derive(Debug, Clone)]
pub(super) enum Node {
    Leaf(Leaf),
    Table(Table),
}

#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub value: Value,
    pub origin: Origin,
    /// The origin in the file, if a variable overrides it.
    pub overridden: Option<Origin>,
}

#[derive(Debug, Clone)]
pub(super) struct Table {
    pub entries: BTreeMap<String, Node>,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// From a variable: text whose type is not known yet.
    Untyped(String),
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<Value>),
    /// The name of a TOML type that no key has.
    Other(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Nowhere,
    Line { file: String, line: usize },
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("default"),
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl Origin {
    pub(super) fn shown(&self) -> Option<String> {
        (*self != Self::Nowhere).then(|| self.to_string())
    }
}

impl Table {
    pub(super) const fn empty() -> Self {
        Self { entries: BTreeMap::new(), origin: Origin::Nowhere }
    }

    /// Parses TOML. Faulty parts are reported with their line and left out.
    pub(super) fn from_toml(text: &str, path: &Path, faults: &mut Vec<Fault>) -> Self {
        let source = Source { text, file: path.display().to_string() };
        let (document, mut errors) = DeTable::parse_recoverable(text);
        errors.sort_by_key(|error| error.span().map(|span| span.start));
        faults.extend(errors.into_iter().map(|error| Fault {
            origin: Some(error.span().map_or_else(|| source.file.clone(), |span| source.line_column(&span))),
            key: String::new(),
            problem: format!("is not TOML: {}", error.message().replace('\n', ", ")),
        }));
        source.table(document.get_ref(), &document.span())
    }

    /// Overrides values with the variables that have our prefix.
    pub(super) fn overlay(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
        faults: &mut Vec<Fault>,
    ) {
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            // Compose files write `NAME=${UNSET:-}`, so an empty variable counts as not set.
            if value.is_empty() || NOT_KEYS.contains(&name.as_str()) || is_service_link(rest) {
                continue;
            }
            let path: Vec<String> = rest.split(SEPARATOR).map(str::to_ascii_lowercase).collect();
            if value.contains(char::REPLACEMENT_CHARACTER) {
                let problem = "is not UTF-8".to_owned();
                faults.push(Fault { origin: Some(name), key: path.join("."), problem });
                continue;
            }
            if let Err(problem) = self.set(&path, &name, value) {
                faults.push(Fault { origin: Some(name), key: path.join("."), problem: problem.to_owned() });
            }
        }
    }

    fn set(&mut self, path: &[String], name: &str, value: String) -> Result<(), &'static str> {
        let (last, parents) = path.split_last().expect("a split text has at least one part");
        let mut table = self;
        let mut parent = "";
        for part in parents {
            let key = sender_key(parent, part);
            let next = table.entries.entry(key).or_insert_with(|| {
                Node::Table(Self { entries: BTreeMap::new(), origin: Origin::Variable(name.to_owned()) })
            });
            match next {
                Node::Table(next) => table = next,
                Node::Leaf(_) => return Err("names a part of a key that is a value, not a section"),
            }
            parent = part;
        }
        let overridden = match table.entries.get(last) {
            Some(Node::Table(_)) => {
                return Err("is a section: a variable sets one key of it, with \"__\" between the parts");
            }
            Some(Node::Leaf(leaf)) => Some(leaf.origin.clone()),
            None => None,
        };
        let origin = Origin::Variable(name.to_owned());
        let leaf = Leaf { value: Value::Untyped(value), origin, overridden };
        table.entries.insert(last.clone(), Node::Leaf(leaf));
        Ok(())
    }
}

/// The name of a variable cannot have `+`, so it has only the digits of a sender.
fn sender_key(parent: &str, part: &str) -> String {
    let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if parent == "senders" && digits { format!("+{part}") } else { part.to_owned() }
}

/// Kubernetes sets these for a service named `ringmaster`; they are not meant for us.
fn is_service_link(rest: &str) -> bool {
    rest == "PORT"
        || rest == "SERVICE_HOST"
        || rest.starts_with("SERVICE_PORT")
        || rest.strip_prefix("PORT_").is_some_and(|tail| tail.starts_with(|c: char| c.is_ascii_digit()))
}

struct Source<'t> {
    text: &'t str,
    file: String,
}

impl Source<'_> {
    fn table(&self, table: &DeTable<'_>, span: &Range<usize>) -> Table {
        let entries = table
            .iter()
            .map(|(key, value)| (key.get_ref().clone().into_owned(), self.node(key.span(), value)))
            .collect();
        Table { entries, origin: self.origin(span) }
    }

    fn node(&self, key: Range<usize>, value: &Spanned<DeValue<'_>>) -> Node {
        match value.get_ref() {
            DeValue::Table(table) => Node::Table(self.table(table, &key)),
            other => Node::Leaf(Leaf { value: plain(other), origin: self.origin(&key), overridden: None }),
        }
    }

    fn origin(&self, span: &Range<usize>) -> Origin {
        Origin::Line { file: self.file.clone(), line: self.line(span) }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.before(span).matches('\n').count().saturating_add(1)
    }

    fn line_column(&self, span: &Range<usize>) -> String {
        let before = self.before(span).chars().rev().take_while(|&c| c != '\n').count();
        let column = before.saturating_add(1);
        format!("{}:{}:{column}", self.file, self.line(span))
    }

    fn before(&self, span: &Range<usize>) -> &str {
        self.text.get(..span.start).unwrap_or(self.text)
    }
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or(Value::Other("an integer beyond 64 bits"), Value::Integer),
        DeValue::Float(float) => {
            float.as_str().parse().map_or(Value::Other("an unreadable number"), Value::Float)
        }
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Array(array) => Value::List(array.iter().map(|item| plain(item.get_ref())).collect()),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Table(_) => Value::Other("a table"),
    }
}
