//! What is wrong with a configuration: every fault at once, each with its key, where it was set and the rule.

use std::fmt;

/// All the faults found. Its text is for the operator's terminal, one fault a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<Fault>);

/// One reason to refuse a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `file:line` or the name of the variable; `None` for what is missing.
    pub origin: Option<String>,
    /// The full name, such as `http.listen`; empty when the file as a whole is at fault.
    pub key: String,
    /// The value's fault and the rule. Never holds a secret.
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
