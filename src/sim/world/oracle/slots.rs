//! What is scarce: the starts of an account, the slots of a sender, and the attention of an agent.

use jiff::{SignedDuration, Timestamp};

use super::{Law, Oracle};
use crate::domain::Phone;

impl Oracle {
    /// Records a create request, accepted or not. Calls that arrive faster than the account starts them wait in its
    /// queue. A call that would wait there for longer than the tolerance breaks the law.
    pub(in crate::sim::world) fn create_requested(
        &mut self,
        now: Timestamp,
        account: usize,
        calls_per_second: u32,
    ) {
        let tolerance = SignedDuration::from_millis(self.limits.pace_tolerance_ms);
        let next = self.starts.entry(account).or_insert(now);
        let starts = (*next).max(now);
        *next = starts + SignedDuration::from_nanos(1_000_000_000 / i64::from(calls_per_second.max(1)));
        let wait = starts.duration_since(now);
        if wait > tolerance {
            let wait = wait.as_millis();
            self.break_law(Law::CallsPerSecond, now, format!("a call would wait {wait} ms in the queue"));
        }
    }

    /// A call takes one of the sender's slots.
    pub(in crate::sim::world) fn occupied(&mut self, now: Timestamp, sender: Phone) {
        let load = self.load.entry(sender).or_default();
        load.live += 1;
        load.peak = load.peak.max(load.live);
        let live = load.live;
        if live > self.limits.concurrent_calls_per_sender {
            self.break_law(Law::SenderConcurrency, now, format!("{sender} had {live} calls in progress"));
        }
    }

    pub(in crate::sim::world) fn released(&mut self, sender: Phone) {
        if let Some(load) = self.load.get_mut(&sender) {
            load.live = load.live.saturating_sub(1);
        }
    }

    /// A call to an agent begins that no other agent may answer.
    pub(in crate::sim::world) fn agent_called(&mut self, now: Timestamp, agent: &str) {
        let live = self.agents.entry(agent.to_owned()).or_default();
        *live += 1;
        let live = *live;
        if live > self.limits.calls_per_agent {
            self.break_law(Law::OneCallPerAgent, now, format!("an agent has {live} calls at once"));
        }
    }

    pub(in crate::sim::world) fn agent_released(&mut self, agent: &str) {
        if let Some(live) = self.agents.get_mut(agent) {
            *live = live.saturating_sub(1);
        }
    }
}
