//! A report of the world: counts, and the violations found by the oracle.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Violation, World};

/// A summary. Phone numbers are masked.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub violations_total: u64,
    /// The first 1,000, in order.
    pub violations: Vec<Violation>,
    /// Calls created after a revocation that the daemon had not learnt of.
    pub excused: u64,
    pub calls_live: usize,
    pub calls_queued: usize,
    /// Attempts with an accepted create request.
    pub attempts_called: usize,
    pub counts: Counts,
    pub senders: Vec<SenderReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SenderReport {
    pub sender: String,
    pub calls_live: usize,
    pub calls_peak: usize,
}

/// Counts since the start of the world.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub creates_accepted: u64,
    pub creates_refused: u64,
    /// Error codes of refused or failed calls and of failed messages, with their counts.
    pub errors: BTreeMap<u32, u64>,
    pub calls_rang: u64,
    pub calls_connected: u64,
    pub calls_missed: u64,
    pub calls_bridged: u64,
    /// Calls that the daemon placed and whose consumer was served.
    pub calls_served: u64,
    pub inbound_calls: u64,
    pub inbound_connected: u64,
    pub permission_requests: u64,
    pub permission_grants: u64,
    pub permission_rejections: u64,
    pub permission_revocations: u64,
    pub nudges: u64,
    pub invites: u64,
    pub messages: u64,
    /// Messages of the Cloud API among them.
    pub posts: u64,
    /// Messages of pages among them.
    pub notes: u64,
    /// Uses of call buttons and calling links, and those that came too late.
    pub taps: u64,
    pub taps_expired: u64,
    pub pages_opened: u64,
    /// Calls of consumers that the Cloud API told of.
    pub graph_calls: u64,
    pub payloads_dropped: u64,
    /// Calls of people to pages.
    pub page_calls: u64,
    pub handshakes: u64,
    pub webhooks_taken: u64,
    pub webhooks_refused: u64,
    pub webhooks_lost: u64,
    /// Requests and webhooks that were refused, dropped, duplicated or delayed by a fault.
    pub faults: u64,
}

impl World {
    /// The attempt tokens of the calls whose consumer was served: connected with an agent or a bot, or the message was
    /// played to its end.
    pub fn served(&self) -> impl Iterator<Item = &str> {
        let token = self.setup.attempt_token;
        let served = self.calls.iter().filter(|call| call.served);
        served.filter_map(move |call| token(&call.instructions.url.as_ref()?.0))
    }

    #[must_use]
    pub fn report(&self) -> Report {
        let senders: Vec<_> = self
            .oracle
            .load()
            .map(|(sender, load)| SenderReport {
                sender: sender.to_string(),
                calls_live: load.live,
                calls_peak: load.peak,
            })
            .collect();
        Report {
            violations_total: self.oracle.total(),
            violations: self.oracle.violations().to_vec(),
            excused: self.oracle.excused(),
            calls_live: senders.iter().map(|sender| sender.calls_live).sum(),
            calls_queued: self.accounts.iter().map(|account| account.waiting).sum(),
            attempts_called: self.oracle.attempts_called(),
            counts: self.counts.clone(),
            senders,
        }
    }
}
