//! The names of the reports, and by what each may be broken down.

use strum::{EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr};

/// A report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Report {
    AnswerRate,
    Permissions,
    Waiting,
    Attempts,
    Speed,
    Outcomes,
    Agents,
    Penetration,
    Expiring,
    Suppressed,
    Cost,
}

/// What has a row of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum By {
    /// A quarter of an hour of the day.
    Time,
    Weekday,
    Day,
    Sender,
    Campaign,
    Content,
    Attempt,
    Agent,
    Country,
    Consumer,
    Purpose,
    List,
    Reason,
    Disposition,
}

impl By {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Report {
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// By what its rows may be; the first one is the usual one.
    #[must_use]
    pub const fn by(self) -> &'static [By] {
        match self {
            Self::AnswerRate => &[By::Time, By::Weekday, By::Day, By::Sender, By::Campaign],
            Self::Permissions => &[By::Content, By::Purpose, By::Day, By::Weekday],
            Self::Waiting => &[By::Reason],
            Self::Attempts => &[By::Attempt, By::Campaign],
            Self::Speed => &[By::Campaign, By::Day],
            Self::Outcomes => &[By::Day, By::Weekday, By::Sender, By::Campaign, By::Disposition],
            Self::Agents => &[By::Agent, By::Day],
            Self::Penetration => &[By::Campaign],
            Self::Expiring => &[By::Day, By::Sender, By::Consumer],
            Self::Suppressed => &[By::List],
            Self::Cost => &[By::Country, By::Campaign],
        }
    }

    /// What it tells, in a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::AnswerRate => {
                "How many of the placed calls the consumers answered, and how many a period before."
            }
            Self::Permissions => {
                "What came of the permission requests, by the content that asked, or by the purpose of the order."
            }
            Self::Waiting => "What waits now, by the reason.",
            Self::Attempts => "With how many attempts the consumers were reached.",
            Self::Speed => {
                "How long it took from a permission to the ringing, and how many promised times were kept."
            }
            Self::Outcomes => {
                "What came of the calls: consumers who were served, abandoned calls, and what agents noted."
            }
            Self::Agents => "How long agents talked, and how long a conversation took.",
            Self::Penetration => "How far the lists of campaigns are worked off.",
            Self::Expiring => "The permissions that end within seven days.",
            Self::Suppressed => "The entries of the suppression lists.",
            Self::Cost => "What the calls and messages cost by the rates of the configuration.",
        }
    }

    /// Whether it tells what is now, and not what was on some days.
    #[must_use]
    pub const fn is_of_now(self) -> bool {
        matches!(self, Self::Waiting | Self::Penetration | Self::Expiring | Self::Suppressed)
    }

    /// Whether it looks over all tenants: permissions and lists belong to none.
    #[must_use]
    pub const fn is_of_all_tenants(self) -> bool {
        matches!(self, Self::Expiring | Self::Suppressed)
    }

    /// Whether `campaign` narrows it.
    #[must_use]
    pub const fn takes_campaign(self) -> bool {
        matches!(
            self,
            Self::Waiting
                | Self::AnswerRate
                | Self::Attempts
                | Self::Speed
                | Self::Outcomes
                | Self::Penetration
                | Self::Cost
        )
    }

    /// Whether its rows depend on the zone of days.
    #[must_use]
    pub const fn takes_zone(self) -> bool {
        !matches!(self, Self::Waiting | Self::Penetration | Self::Suppressed)
    }

    /// Whether `sender` narrows it.
    #[must_use]
    pub const fn takes_sender(self) -> bool {
        matches!(self, Self::AnswerRate | Self::Outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_parsed_from_its_own_name_and_has_a_breakdown() {
        for report in Report::all() {
            assert_eq!(report.as_str().parse(), Ok(report));
            assert!(!report.by().is_empty() && report.about().ends_with('.'));
        }
        assert_eq!(Report::AnswerRate.as_str(), "answer-rate");
        assert!("Answer-Rate".parse::<Report>().is_err());
    }
}
