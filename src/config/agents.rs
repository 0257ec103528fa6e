//! `[agents.<address>]`: rules for one agent.

use super::section::Section;
use crate::domain::{Agent, AgentTarget, Agents};

/// Rules for one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentSettings {
    /// Calls that the agent takes at a time.
    pub calls_max: u32,
}

impl AgentSettings {
    pub(super) fn read(address: &str, section: &mut Section<'_>) -> Option<(Agents, Self)> {
        let target = address.parse::<AgentTarget>();
        if let Err(error) = target {
            section.fault("", format!("is not the address of an agent: {error}"));
        }
        let calls_max = section.ask("calls_max").within(1, 1000).required("the most calls at a time");
        let agent = Agent::of(&target.ok()?)?;
        Some((Agents::new([agent])?, Self { calls_max: calls_max? }))
    }
}
