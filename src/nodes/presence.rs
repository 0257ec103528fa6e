//! What this process is among the nodes: its name and its role.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use strum::IntoStaticStr;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::lease::{GroupName, RunId, is_name};
use crate::platform::{Standing, Trust};

/// This node, for all parts of the daemon.
pub struct Presence {
    pub name: Arc<str>,
    pub run: RunId,
    pub version: Arc<str>,
    /// Where others reach this node, if it is configured.
    pub url: Option<Arc<str>>,
    /// The group whose lease it keeps. One lease covers every group of the configuration.
    pub group: GroupName,
    pub trust: Trust,
    /// How much its clock is ahead of the database's, in microseconds.
    pub(super) clock_ahead: AtomicI64,
    /// Rings when somebody asked this node to resign.
    pub(super) resigns: Notify,
}

/// What a node does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// No other node is on the store, and it dials.
    Alone,
    /// It dials.
    Leader,
    /// Another node dials, or none.
    Follower,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Presence {
    #[must_use]
    pub fn new(name: &str, url: Option<&str>, trust: Trust) -> Self {
        Self {
            name: name.into(),
            run: RunId(*Uuid::new_v4().as_bytes()),
            version: env!("CARGO_PKG_VERSION").into(),
            url: url.map(Into::into),
            group: GroupName::default(),
            trust,
            clock_ahead: AtomicI64::new(0),
            resigns: Notify::new(),
        }
    }

    /// Of a daemon without a lease.
    #[must_use]
    pub fn alone(name: &str) -> Self {
        Self::new(name, None, Trust::alone())
    }

    /// What this node does at `up`, by the monotonic clock.
    #[must_use]
    pub fn role(&self, up: SignedDuration) -> Role {
        match self.trust.standing(up) {
            Standing::Alone => Role::Alone,
            Standing::Leads(_) => Role::Leader,
            Standing::Follows => Role::Follower,
        }
    }

    /// Asks this node to give its lease back now.
    pub fn ask_to_resign(&self) {
        self.resigns.notify_one();
    }

    /// How much the clock of this node is ahead of the database's.
    #[must_use]
    pub fn clock_ahead(&self) -> SignedDuration {
        SignedDuration::from_micros(self.clock_ahead.load(Ordering::Relaxed))
    }
}

impl Default for Presence {
    fn default() -> Self {
        Self::alone("node")
    }
}

/// The name of this machine as a name of a node: other characters become `-`.
#[must_use]
pub fn host_name() -> String {
    let known = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let fits = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = known.trim().chars().take(GroupName::LENGTH_MAX).map(fits).collect();
    if is_name(&name) { name } else { "node".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_machine_is_a_name_of_a_node() {
        assert!(is_name(&host_name()));
    }
}
