//! `[suppression]`: the key with which the names on suppression lists are hashed, and what a list past its term does.

use super::secret::Secret;
use super::section::Section;

/// The shortest key, in characters.
const KEY_MIN: usize = 32;

/// The suppression lists.
#[derive(Debug, Clone)]
pub struct Suppression {
    /// Hashes the names; `None` for a key that the store has.
    pub key: Option<Secret>,
    /// Whether nothing leaves for somebody whom an imported list binds that is past its term.
    pub stop_when_expired: bool,
}

impl Suppression {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            key: section.secret("key").rule(long_enough).optional(),
            stop_when_expired: section.ask("stop_when_expired").value(),
        }
    }
}

fn long_enough(key: &Secret) -> Result<(), String> {
    match key.expose().chars().count() {
        KEY_MIN.. => Ok(()),
        shorter => Err(format!(
            "has {shorter} characters: expected at least {KEY_MIN}, such as 32 random bytes as hex"
        )),
    }
}
