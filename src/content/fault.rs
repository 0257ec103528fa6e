//! Faults of declarations: the file, the line, the key, what is wrong, and the rule with its source.

use std::fmt;
use std::path::PathBuf;

use super::published::Rule;

/// One fault of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// The key, such as `actions[0].title`; empty for a fault of the whole file.
    pub key: String,
    pub severity: Severity,
    pub rule: Rule,
    /// What is wrong, as a sentence whose subject is the key.
    pub message: String,
}

/// Whether a fault stops a declaration from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The declaration is refused.
    Error,
    /// The platform accepts it, and may do something else than was meant.
    Warning,
}

impl Severity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Fault {
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, key, message, rule, .. } = self;
        let warning = if self.is_error() { "" } else { "warning: " };
        let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
        let published = rule.published();
        write!(f, "{line}: {warning}{key}{message} ({}; {})", rule.code(), published.source)
    }
}

/// All faults of all files, displayed as one `file:line: key: message (rule; source)` per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFaults(pub Vec<(PathBuf, Fault)>);

impl FileFaults {
    /// How many of them stop a declaration from being used.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|(_, fault)| fault.is_error()).count()
    }
}

impl std::error::Error for FileFaults {}

impl fmt::Display for FileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (path, fault)) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{fault}", path.display())?;
        }
        Ok(())
    }
}
