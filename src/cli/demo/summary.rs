//! The summary of a demo: outcomes, messages, calls, and broken rules.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::domain::Outcome;
use crate::sim::world::Report;
use crate::store::Census;

/// The maximum number of broken rules to print.
const VIOLATIONS_SHOWN: usize = 10;

/// The numbers of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// In the order of [`Outcome::ALL`].
    pub outcomes: [u64; Outcome::ALL.len()],
    pub still_open: u64,
    /// By which ways consumers were reached, each with its count.
    pub reached_by: Vec<(&'static str, u64)>,
    pub permission_requests: u64,
    pub permission_grants: u64,
    pub invites: u64,
    pub calls_placed: u64,
    pub calls_answered: u64,
    /// Answered calls whose consumer was connected or heard the whole message.
    pub calls_served: u64,
    /// The maximum number of calls of one sender at the same time.
    pub concurrency_peak: usize,
    pub violations_total: u64,
    /// The first violations, as sentences.
    pub violations: Vec<String>,
}

impl Summary {
    /// Reads the daemon's store and the world.
    #[must_use]
    pub fn of(census: &Census, report: &Report) -> Self {
        let counts = &report.counts;
        let told = report.violations.iter().take(VIOLATIONS_SHOWN);
        Self {
            outcomes: census.closed,
            still_open: census.waiting + census.calling,
            reached_by: Vec::new(),
            permission_requests: counts.permission_requests,
            permission_grants: counts.permission_grants,
            invites: counts.invites,
            calls_placed: counts.creates_accepted,
            calls_answered: counts.calls_connected,
            calls_served: counts.calls_served,
            concurrency_peak: report.senders.iter().map(|sender| sender.calls_peak).max().unwrap_or(0),
            violations_total: report.violations_total,
            violations: told.map(|broken| format!("{:?}: {}", broken.law, broken.details)).collect(),
        }
    }

    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let bold = Style::new().bold();
        let outcomes: Vec<String> = Outcome::ALL
            .into_iter()
            .zip(self.outcomes)
            .filter(|(_, count)| *count > 0)
            .map(|(outcome, count)| format!("{count} {}", outcome.as_str()))
            .collect();
        let outcomes = if outcomes.is_empty() { "none yet".to_owned() } else { outcomes.join(", ") };
        writeln!(out, "\n{bold}outcomes{bold:#}             {outcomes}")?;
        if self.still_open > 0 {
            writeln!(out, "still open           {}", self.still_open)?;
        }
        if !self.reached_by.is_empty() {
            let ways: Vec<String> =
                self.reached_by.iter().map(|(way, count)| format!("{count} {way}")).collect();
            writeln!(out, "reached by           {}", ways.join(", "))?;
        }
        let (asked, granted) = (self.permission_requests, self.permission_grants);
        writeln!(out, "permission requests  {asked} sent, {granted} granted")?;
        writeln!(out, "invites              {} sent", self.invites)?;
        let (placed, answered, served) = (self.calls_placed, self.calls_answered, self.calls_served);
        writeln!(out, "calls                {placed} placed, {answered} answered, {served} served")?;
        writeln!(out, "peak concurrency     {} of one sender", self.concurrency_peak)?;
        let style = match self.violations_total {
            0 => AnsiColor::Green.on_default(),
            _ => AnsiColor::Red.on_default().bold(),
        };
        writeln!(out, "rules broken         {style}{}{style:#}", self.violations_total)?;
        self.violations.iter().try_for_each(|violation| writeln!(out, "  {violation}"))?;
        let untold = self.violations_total.saturating_sub(self.violations.len() as u64);
        if untold > 0 {
            writeln!(out, "  and {untold} more")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(summary: &Summary) -> String {
        let mut out = Vec::new();
        summary.write(&mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn the_summary_has_the_outcomes_that_occurred() {
        let summary = Summary {
            outcomes: [7, 2, 1, 0, 0, 0, 0],
            still_open: 1,
            reached_by: vec![("call", 5), ("call_button", 2)],
            permission_requests: 10,
            permission_grants: 8,
            invites: 2,
            calls_placed: 9,
            calls_answered: 7,
            calls_served: 6,
            concurrency_peak: 4,
            ..Summary::default()
        };
        insta::assert_snapshot!(written(&summary), @r"
        outcomes             7 reached, 2 exhausted, 1 declined
        still open           1
        reached by           5 call, 2 call_button
        permission requests  10 sent, 8 granted
        invites              2 sent
        calls                9 placed, 7 answered, 6 served
        peak concurrency     4 of one sender
        rules broken         0
        ");
    }

    #[test]
    fn every_violation_is_counted_and_the_first_are_printed() {
        let summary = Summary {
            violations_total: 12,
            violations: vec!["NoPermission: +44*******0101".into(); VIOLATIONS_SHOWN],
            ..Summary::default()
        };
        let text = written(&summary);
        assert!(text.contains("rules broken         12\n"), "{text}");
        assert!(text.ends_with("  and 2 more\n"), "{text}");
    }
}
