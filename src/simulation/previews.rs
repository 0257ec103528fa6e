//! Simulated agents who look at previews: they accept, skip and close offers, too late at times, and two at once. Some
//! callbacks are for one agent alone for a while. Draws separately, so that other seeds do not change.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Customer, Simulation};

const AGENTS: [&str; 3] = ["client:alice", "client:bob", "client:carol"];

pub(super) struct Previewers {
    random: Rng,
    /// Of one seed in six.
    look: bool,
}

impl Previewers {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed.rotate_left(40) ^ 0x0FFE);
        let look = random.u8(0..6) == 0;
        Self { random, look }
    }

    /// Lets some orders be previewed, and some be for one agent alone until a moment.
    pub(super) fn assign(&mut self, order: &mut Value, daemon: &Simulation) {
        if !self.look {
            return;
        }
        if self.random.bool() {
            order["preview"] = true.into();
            order["preview_s"] = self.random.u32(5..=120).into();
            order["preview_times"] = self.random.u32(1..=4).into();
            order["preview_else"] = if self.random.bool() { "ask" } else { "dial" }.into();
        }
        if order["agent"].is_string() && self.random.bool() {
            let until = daemon.daemon_now() + SignedDuration::from_mins(self.random.i64(5..600));
            let latest = order["latest"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
            let until = latest.map_or(until, |latest| latest.min(until));
            order["assigned_agent"] = AGENTS[self.random.usize(0..AGENTS.len())].into();
            order["exclusive_until"] = until.to_string().into();
        }
    }

    /// Agents look at the offers for some minutes.
    pub(super) async fn act(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        if !self.look {
            return Ok(());
        }
        for _ in 0..self.random.u8(0..5) {
            let (status, body) = daemon.request(Customer::get("/v1/offers")?).await?;
            anyhow::ensure!(matches!(status, 0 | 200), "the offers were answered with {status}: {body}");
            let page: Value = serde_json::from_str(&body).unwrap_or_default();
            let ids = page["offers"].as_array().into_iter().flatten();
            let ids: Vec<String> = ids.filter_map(|it| it["id"].as_str().map(str::to_owned)).collect();
            for id in ids {
                // Some look for so long that the offer has run out.
                daemon.advance(SignedDuration::from_secs(self.random.i64(0..20))).await?;
                self.answer(daemon, &id).await?;
            }
            daemon.advance(SignedDuration::from_secs(self.random.i64(0..90))).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, daemon: &mut Simulation, id: &str) -> anyhow::Result<()> {
        match self.random.u8(0..8) {
            0 => _ = self.say(daemon, id, "skip", None).await?,
            1 => _ = self.say(daemon, id, "close", None).await?,
            2 => {}
            3 => {
                // Two agents at once: one of them gets it.
                let one = self.accept(daemon, id, AGENTS[0]).await?;
                let other = self.accept(daemon, id, AGENTS[1]).await?;
                anyhow::ensure!((one, other) != (200, 200), "two agents have the offer of {id}");
            }
            _ => {
                let agent = AGENTS[self.random.usize(0..AGENTS.len())];
                self.accept(daemon, id, agent).await?;
            }
        }
        Ok(())
    }

    async fn accept(&mut self, daemon: &mut Simulation, id: &str, agent: &str) -> anyhow::Result<u16> {
        self.say(daemon, id, "accept", Some(agent)).await
    }

    async fn say(
        &mut self,
        daemon: &mut Simulation,
        id: &str,
        verb: &str,
        agent: Option<&str>,
    ) -> anyhow::Result<u16> {
        let body = agent.map_or_else(|| json!({}), |agent| json!({"agent": agent}));
        let path = format!("/v1/offers/{id}/{verb}");
        let request = Customer::post(&path, "application/json", body.to_string())?;
        let (status, answer) = daemon.request(request).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 202 | 409), "{verb} was answered with {status}: {answer}");
        Ok(status)
    }
}
