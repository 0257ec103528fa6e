//! One of several nodes of a simulation: its presence, and a transport that a pause of the process holds.
//!
//! The transport checks what must hold at each first byte: no other node trusts its lease.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::nodes::Presence;
use crate::platform::{LeaveBy, Standing};
use crate::twilio::{Request, Response, Transport, TransportError};
use crate::wake::Waker;

/// The nodes that run, and what they did wrong together.
#[derive(Default)]
pub(super) struct Table {
    pub(super) nodes: Mutex<Vec<Arc<Presence>>>,
    pub(super) problems: Mutex<Vec<String>>,
}

impl Table {
    pub(super) fn problem(&self, problem: String) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// The nodes that trust their lease now.
    pub(super) fn leaders(&self, clock: &dyn Clock) -> Vec<Arc<str>> {
        let up = clock.reading().up;
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let leads = |node: &&Arc<Presence>| matches!(node.trust.standing(up), Standing::Leads(_));
        nodes.iter().filter(leads).map(|node| node.name.clone()).collect()
    }
}

/// The process of a node: whether it is paused.
pub(super) struct Process {
    is_paused: watch::Sender<bool>,
    /// It is paused when so many more requests are about to leave; 0 for no plan.
    pub(super) pauses_after: AtomicU32,
}

impl Default for Process {
    fn default() -> Self {
        Self { is_paused: watch::Sender::new(false), pauses_after: AtomicU32::new(0) }
    }
}

impl Process {
    pub(super) fn is_paused(&self) -> bool {
        *self.is_paused.borrow()
    }

    pub(super) fn pause(&self, is_paused: bool) {
        self.is_paused.send_replace(is_paused);
    }

    /// Returns when the process runs.
    async fn runs(&self) {
        let planned = self.pauses_after.load(Ordering::Relaxed);
        if planned > 0 && self.pauses_after.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.pause(true);
        }
        // The sender lives as long as this value.
        let _ = self.is_paused.subscribe().wait_for(|is_paused| !is_paused).await;
    }
}

/// The place of a node among the others.
pub(super) struct Seat {
    pub(super) presence: Arc<Presence>,
    pub(super) waker: Arc<Waker>,
    pub(super) process: Arc<Process>,
    pub(super) table: Arc<Table>,
}

impl Seat {
    pub(super) fn transport(&self, inner: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Arc<dyn Transport> {
        let (process, table) = (self.process.clone(), self.table.clone());
        Arc::new(OfNode { inner, clock, name: self.presence.name.clone(), process, table })
    }
}

struct OfNode {
    inner: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    name: Arc<str>,
    process: Arc<Process>,
    table: Arc<Table>,
}

#[async_trait]
impl Transport for OfNode {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.process.runs().await;
        // Nothing happens between this check and the first byte.
        if request.leave_by.as_ref().is_some_and(|leave_by| !LeaveBy::is_over(leave_by)) {
            let others = self.table.leaders(&*self.clock);
            for other in others.iter().filter(|other| **other != self.name) {
                let (at, name) = (self.clock.now(), &self.name);
                self.table.problem(format!("{at} {name} sends while {other} leads"));
            }
        }
        self.inner.send(request).await
    }
}
