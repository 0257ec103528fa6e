//! Errors of a configuration: all of them at once, each with its key, its origin and the rule.

use std::fmt;

/// All faults found. Displayed with one fault per line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<Fault>);

/// One reason to refuse a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `file:line` or the name of the variable; `None` if the key is missing.
    pub origin: Option<String>,
    /// The full key, such as `http.listen`; empty for a fault of the whole file.
    pub key: String,
    /// The fault and the rule. Never contains a secret.
    pub problem: String,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [fault] => write!(f, "the configuration is refused: {fault}"),
            faults => {
                write!(f, "the configuration is refused for {} faults:", faults.len())?;
                faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.problem)
    }
}
