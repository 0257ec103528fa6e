//! A simulated team of agents, of which some calls need a free seat. Draws separately, so that other seeds do not change.
//!
//! Its agents come and leave, take calls of consumers, and wrap up. It tells the daemon what it sees, at irregular moments,
//! and the checker what it told.

use anyhow::Context as _;
use fastrand::Rng;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::invariants::{Fed, look};
use super::{Customer, Simulation};
use crate::clock::later;
use crate::domain::{Attempt, Figure, PoolKey};

/// The name of its pool.
const POOL: &str = "default/desk";

pub(super) struct Desk {
    random: Rng,
    /// Of one seed in four.
    is_open: bool,
    pool: PoolKey,
    /// Whether it tells all seats, or who is free.
    tells_seats: bool,
    headroom: u32,
    wrap_up: SignedDuration,
    agents: u32,
}

impl Desk {
    pub(super) fn new(seed: u64) -> anyhow::Result<Self> {
        let mut random = Rng::with_seed(seed.rotate_left(24) ^ 0x5EA7);
        let is_open = random.u8(0..4) == 0;
        let pool = POOL.parse().context("the name of the pool")?;
        let (tells_seats, headroom) = (random.bool(), random.u32(0..=2));
        let wrap_up = SignedDuration::from_secs(random.i64(0..=1) * random.i64(10..90));
        Ok(Self { random, is_open, pool, tells_seats, headroom, wrap_up, agents: 3 })
    }

    /// Lets the checker look at its calls.
    pub(super) fn open(&self, daemon: &Simulation) {
        look(&daemon.seen).watches(&self.pool);
    }

    /// Lets some orders need an agent.
    pub(super) fn assign(&mut self, order: &mut Value) {
        if self.is_open && self.random.u8(0..3) > 0 {
            order["pool"] = self.pool.name.as_str().into();
        }
    }

    /// The team works for some minutes.
    pub(super) async fn act(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        if !self.is_open {
            return Ok(());
        }
        for _ in 0..self.random.u8(0..6) {
            // Somebody comes, leaves, or stays.
            self.agents = (self.agents + self.random.u32(0..=2)).saturating_sub(1).min(6);
            self.tell(daemon).await?;
            daemon.advance(SignedDuration::from_secs(self.random.i64(0..70))).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        let valid_for = SignedDuration::from_secs(self.random.i64(1..=120));
        let as_of = daemon.daemon_now() - SignedDuration::from_millis(self.random.i64(0..900));
        let figure = match self.tells_seats {
            true => Figure::Seats(self.agents),
            false => Figure::Free(self.free(daemon).await?),
        };
        let mut body = json!({"as_of": as_of.to_string(), "valid_for": valid_for.as_secs(),
            "headroom": self.headroom, "wrap_up_s": self.wrap_up.as_secs()});
        body[figure.kind()] = figure.count().into();
        let (headroom, wrap_up) = (self.headroom, self.wrap_up);
        let fed = Fed { figure, as_of, valid_until: later(as_of, valid_for), headroom, wrap_up };
        look(&daemon.seen).told(&self.pool, fed);
        let path = format!("/v1/pools/{}", self.pool.name);
        let (status, answer) = daemon.request(Customer::put(&path, body.to_string())?).await?;
        match status {
            200 => look(&daemon.seen).heard(&self.pool),
            // It may hold, or come to hold.
            0 | 202 => {}
            // The clock was set back.
            409 | 422 => look(&daemon.seen).refused(&self.pool),
            _ => anyhow::bail!("a figure was answered with {status}: {answer}"),
        }
        Ok(())
    }

    /// Agents without a call: one may talk to a consumer who called, and those with our calls are busy.
    async fn free(&mut self, daemon: &Simulation) -> anyhow::Result<u32> {
        let live = daemon.store.live_attempts().await?;
        let busy = |attempt: &&Attempt| {
            attempt.connected_at.is_some() && attempt.holds.pools().any(|pool| *pool == self.pool)
        };
        let busy = u32::try_from(live.iter().filter(busy).count()).unwrap_or(u32::MAX);
        Ok(self.agents.saturating_sub(busy).saturating_sub(self.random.u32(0..=1)))
    }
}
