//! Parts of a day, in local time: somebody who does not answer in one may answer in another.

use jiff::civil::Time;
use strum::IntoStaticStr;

/// A part of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum DayPart {
    /// Until noon.
    Morning,
    /// From noon to five.
    Midday,
    /// From five on.
    Evening,
}

impl DayPart {
    pub const ALL: [Self; 3] = [Self::Morning, Self::Midday, Self::Evening];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// When it begins. It lasts until the next one begins, or the day ends.
    #[must_use]
    pub const fn begins(self) -> Time {
        match self {
            Self::Morning => Time::MIN,
            Self::Midday => Time::constant(12, 0, 0, 0),
            Self::Evening => Time::constant(17, 0, 0, 0),
        }
    }

    /// The part of this local time.
    #[must_use]
    pub fn of(time: Time) -> Self {
        let begun = Self::ALL.into_iter().rev().find(|part| part.begins() <= time);
        begun.unwrap_or(Self::Morning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_begins_at_its_first_moment() {
        let part = |text: &str| DayPart::of(text.parse().unwrap()).as_str();
        assert_eq!(["00:00", "11:59:59", "12:00"].map(part), ["morning", "morning", "midday"]);
        assert_eq!(["16:59:59", "17:00", "23:59:59"].map(part), ["midday", "evening", "evening"]);
    }
}
