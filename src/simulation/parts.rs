//! Builds a daemon between the world and what observes it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;

use super::clocks::{Clocks, DaemonClock, WorldClock};
use super::crash::{CrashInjecting, CrashPlan};
use super::delivery::TracedTransport;
use super::invariants::{Checked, Seen};
use super::mutation::{Mutated, Mutation};
use super::seat::Seat;
use super::trace::Trace;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::{self, Assembled, Deps};
use crate::domain::AccountAlias;
use crate::ids::IdGenerator;
use crate::metrics::Metrics;
use crate::platform::Platform;
use crate::scheduler::Scheduler;
use crate::sim::{InProcess, World};
use crate::store::Store;
use crate::traces::Traces;
use crate::twilio::Transport;

/// The dependencies of a daemon.
pub(super) struct Parts<'a> {
    pub(super) config: &'a Config,
    pub(super) store: &'a Arc<dyn Store>,
    pub(super) clocks: &'a Arc<Clocks>,
    pub(super) world: &'a Arc<Mutex<World>>,
    pub(super) mutation: &'a Arc<dyn Mutation>,
    pub(super) trace: &'a Arc<Trace>,
    pub(super) seen: &'a Arc<Mutex<Seen>>,
    /// Accounts that are not at the world's Twilio.
    pub(super) platforms: &'a Platforms,
    /// The node that the daemon is, if it is one of several.
    pub(super) seat: Option<&'a Seat>,
}

/// The platforms of accounts, by their names.
pub(super) type Platforms = BTreeMap<AccountAlias, Arc<dyn Platform>>;

impl Parts<'_> {
    /// The daemon reaches the store and the world through its mutation, the crash injector and the invariant
    /// checker, in this order.
    pub(super) async fn daemon(
        &self,
        crashes: &Arc<CrashPlan>,
        life: u64,
    ) -> anyhow::Result<(Scheduler, Router, Arc<dyn Clock>)> {
        let clock: Arc<dyn Clock> = Arc::new(WorldClock(self.clocks.clone()));
        let transport: Arc<dyn Transport> = Arc::new(InProcess::new(self.world.clone(), clock.clone()));
        let transport: Arc<dyn Transport> = Arc::new(TracedTransport {
            inner: transport,
            clocks: self.clocks.clone(),
            trace: self.trace.clone(),
        });
        let transport: Arc<dyn Transport> =
            Arc::new(Checked { inner: transport, seen: self.seen.clone(), clock: clock.clone() });
        let transport: Arc<dyn Transport> = match self.seat {
            Some(seat) => seat.transport(transport, clock.clone()),
            None => transport,
        };
        let transport: Arc<dyn Transport> =
            Arc::new(CrashInjecting { inner: transport, crashes: crashes.clone() });
        let transport: Arc<dyn Transport> =
            Arc::new(Mutated { inner: transport, mutation: self.mutation.clone() });
        let store: Arc<dyn Store> =
            Arc::new(Checked { inner: self.store.clone(), seen: self.seen.clone(), clock });
        let store: Arc<dyn Store> = Arc::new(CrashInjecting { inner: store, crashes: crashes.clone() });
        let store: Arc<dyn Store> = Arc::new(Mutated { inner: store, mutation: self.mutation.clone() });
        let materials = Deps {
            api_store: store.clone(),
            store,
            clock: Arc::new(DaemonClock(self.clocks.clone())),
            // Otherwise a restarted daemon would reuse the ids of the one before.
            ids: Arc::new(IdGenerator::seeded(life)),
            graph_transport: {
                let transport = transport.clone();
                Box::new(move |_| Ok(transport.clone()))
            },
            transport: Box::new(move |_| Ok(transport.clone())),
            platforms: self.platforms.clone(),
            metrics: Arc::new(Metrics::default()),
            traces: Traces::default(),
            presence: self.seat.map(|seat| seat.presence.clone()).unwrap_or_default(),
            waker: self.seat.map(|seat| seat.waker.clone()).unwrap_or_default(),
        };
        let Assembled { mut scheduler, doors, clock, .. } = daemon::assemble(self.config, materials).await?;
        // One of several leads when it has the lease.
        if self.seat.is_none() {
            scheduler.recover().await?;
        }
        Ok((scheduler, doors.together(), clock))
    }
}
