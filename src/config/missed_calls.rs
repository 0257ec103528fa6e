//! `[missed_calls]`: what a consumer's call makes that nobody answered.

use jiff::SignedDuration;

use super::section::Section;
use crate::domain::{AgentTarget, Phone, Priority, WrittenHours};

/// The rule of missed calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedCalls {
    /// The TwiML document; `None` switches the rule off.
    pub document: Option<String>,
    pub agent: Option<AgentTarget>,
    /// Empty for all senders.
    pub senders: Vec<Phone>,
    pub hours: Option<WrittenHours>,
    pub within: SignedDuration,
    pub quiet_after_call: SignedDuration,
    pub per_day_max: u32,
    pub priority: Priority,
}

impl MissedCalls {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let hours = SignedDuration::from_hours;
        let document = section.ask("document").optional();
        let agent: Option<AgentTarget> = section.ask("agent").optional();
        let texts: Vec<String> = section
            .ask("senders")
            .rule(|all: &Vec<String>| {
                let wrong = all.iter().find(|text| Phone::parse(text).is_err());
                wrong.map_or(Ok(()), |text| Err(format!("has {text:?}, which is not a number in E.164")))
            })
            .value();
        let senders = texts.iter().filter_map(|text| Phone::parse(text).ok()).collect();
        let own = section.ask("hours").optional();
        let within = section.ask("within").within(SignedDuration::from_mins(10), hours(30 * 24)).value();
        let quiet_after_call =
            section.ask("quiet_after_call").within(SignedDuration::ZERO, hours(7 * 24)).value();
        let per_day_max = section.ask("per_day_max").within(1, 20).value();
        let level: u32 = section.ask("priority").within(0, Priority::MAX.into()).value();
        let priority = u8::try_from(level).ok().and_then(Priority::new).unwrap_or(Priority::DEFAULT);
        Self { document, agent, senders, hours: own, within, quiet_after_call, per_day_max, priority }
    }
}
