//! `[inviting]`: our own rules of invites.

use jiff::SignedDuration;

use crate::policy::{InviteRules, RestingRoad};

use super::section::Section;
use super::tree::Value;
use super::value::{Setting, quoted};

/// Reads the section.
pub(super) fn read(section: &mut Section<'_>) -> InviteRules {
    let longest = SignedDuration::from_hours(366 * 24);
    InviteRules {
        per_person: section.ask("per_person").within(SignedDuration::ZERO, longest).value(),
        resting_road: section.ask("resting_road").value(),
        url_outside_hours: section.ask("url_outside_hours").value(),
    }
}

impl Setting for RestingRoad {
    const EXPECTED: &'static str = "one of \"skip\", \"wait\"";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|_| "is not a known value".to_owned())
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}
