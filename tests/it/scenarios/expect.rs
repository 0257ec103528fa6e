//! The commands `expect`, `show` and `explain`, and the checks of every scenario.

use anyhow::{Context as _, Result, bail, ensure};
use ringmaster::domain::PairKey;
use serde_json::Value;

use super::runner::Runner;

/// Reasons that may be stored although another one decides now. Both mean that the pair waits for its message.
const ALIKE: [&str; 2] = ["pair.fenced", "permission.awaiting_reply"];
/// Nobody looks at what waits at the gate of a pool when its figure ends.
const OF_POOLS: [&str; 3] = ["pool.no_seat", "pool.expired", "pool.unknown"];

impl Runner {
    pub(super) async fn expect(&mut self, what: &[&str]) -> Result<()> {
        let counts = self.simulation()?.world().report().counts;
        let count = |of: &str| {
            Ok(match of {
                "requests" => counts.permission_requests,
                "calls" => counts.creates_accepted,
                "rings" => counts.calls_rang,
                "connected" => counts.calls_connected,
                "missed" => counts.calls_missed,
                "invites" => counts.invites,
                "bridged" => counts.calls_bridged,
                other => bail!("nobody counts {other:?}"),
            })
        };
        match what {
            ["violations", number] => self.violations_expected = number.parse()?,
            ["campaign", name, state, "with", open, "open"] => {
                self.expect_campaign(name, state, open).await?
            }
            [sender, "and", consumer, state @ ..] => self.expect_pair(sender, consumer, state).await?,
            [number, of] if number.parse::<u64>().is_ok() => {
                let (wanted, found) = (number.parse::<u64>()?, count(of)?);
                ensure!(found == wanted, "{found} {of}");
            }
            [name, state] => {
                let shown = self.shown(name).await?;
                let found = shown["outcome"].as_str().or(shown["status"].as_str()).unwrap_or_default();
                ensure!(found == *state, "{name} is {found}: {}", shown["reason"]["sentence"]);
            }
            [name, state, "because", code] => {
                let shown = self.shown(name).await?;
                let found = shown["outcome"].as_str().or(shown["status"].as_str()).unwrap_or_default();
                let because = shown["reason"]["code"].as_str().unwrap_or_default();
                ensure!(found == *state && because == *code, "{name} is {found} because {because}");
            }
            _ => bail!("unknown expectation"),
        }
        Ok(())
    }

    async fn expect_pair(&mut self, sender: &str, consumer: &str, state: &[&str]) -> Result<()> {
        let key = PairKey::of(self.sender_named(sender)?, self.consumer_named(consumer)?);
        let simulation = self.simulation()?;
        let mut pairs = simulation.store.pairs(&[key]).await?;
        let pair = pairs.first_mut().context("there is a ledger")?;
        ringmaster::policy::ledger::lapse(pair, simulation.daemon_now());
        match state {
            ["permission", word] => {
                ensure!(pair.permission.as_str() == *word, "the permission is {}", pair.permission.as_str());
            }
            ["misses", count] => ensure!(pair.misses == count.parse::<u32>()?, "misses: {}", pair.misses),
            ["requests", count] => {
                ensure!(pair.requests.len() == count.parse::<usize>()?, "requests: {}", pair.requests.len());
            }
            _ => bail!("unknown expectation about the pair"),
        }
        Ok(())
    }

    async fn shown(&mut self, name: &str) -> Result<Value> {
        let path = self.path(name)?;
        self.get(&path).await
    }

    pub(super) async fn show(&mut self, name: &str) -> Result<()> {
        let shown = self.shown(name).await?;
        let word = |field: &str| shown[field].as_str().unwrap_or_default().to_owned();
        let (status, outcome) = (word("status"), word("outcome"));
        let standing = if outcome.is_empty() { status } else { outcome };
        let sentence = shown["reason"]["sentence"].as_str().unwrap_or_default();
        self.transcript.remark(&format!("{standing}: {sentence}"));
        for attempt in shown["attempts"].as_array().into_iter().flatten() {
            let word = |field: &str| attempt[field].as_str().unwrap_or("-").to_owned();
            let (stage, end) = (word("stage"), word("disposition"));
            self.transcript.remark(&format!("attempt {}: {stage}, {end}", attempt["number"]));
        }
        for message in shown["messages"].as_array().into_iter().flatten() {
            let word = |field: &str| message[field].as_str().unwrap_or("-").to_owned();
            let (purpose, stage, state) = (word("purpose"), word("stage"), word("state"));
            self.transcript.remark(&format!("{purpose}: {stage}, {state}"));
        }
        Ok(())
    }

    pub(super) async fn explain(&mut self, name: &str) -> Result<()> {
        let path = format!("{}/explain", self.path(name)?);
        let explained = self.get(&path).await?;
        let word = |field: &str| explained[field].as_str().unwrap_or_default().to_owned();
        let step = if word("step").is_empty() { word("status") } else { word("step") };
        self.transcript.remark(&format!("next: {step}"));
        for reason in explained["reasons"].as_array().into_iter().flatten() {
            let word = |field: &str| reason[field].as_str().unwrap_or_default().to_owned();
            let lifted = match word("lifted_by") {
                by if by.is_empty() => String::new(),
                by => format!(" [lifted by {by}]"),
            };
            self.transcript.remark(&format!("{}: {}{lifted}", word("code"), word("sentence")));
        }
        Ok(())
    }

    /// Checks that every waiting callback waits for its stored reason, and that this reason is true.
    pub(super) async fn check_reasons(&mut self) -> Result<()> {
        let names: Vec<String> = self.callbacks.keys().cloned().collect();
        for name in names {
            let shown = self.shown(&name).await?;
            if shown["status"] != "waiting" {
                continue;
            }
            let path = format!("{}/explain", self.path(&name)?);
            let explained = self.get(&path).await?;
            let recorded = shown["reason"]["code"].as_str().unwrap_or_default().to_owned();
            let step = explained["step"].as_str().unwrap_or_default().to_owned();
            let truths: Vec<String> = explained["reasons"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|reason| reason["code"].as_str().unwrap_or_default().to_owned())
                .collect();
            let both = |of: &[&str], truth: &str| of.contains(&&*recorded) && of.contains(&truth);
            let alike = |truth: &String| both(&ALIKE, truth) || both(&OF_POOLS, truth);
            let is_true = truths.iter().any(|truth| *truth == recorded || alike(truth));
            // A new callback is first decided when the consumer may be asked; until then it has no other reason.
            let is_true = is_true || recorded == "window.before_earliest";
            ensure!(step == "wait", "{name} waits ({recorded}) although its next step is {step}");
            ensure!(is_true, "{name} waits for {recorded}; the true reasons are {truths:?}");
        }
        Ok(())
    }

    /// Ends the scenario: writes the final state, and checks that no rule was broken and nothing is left over.
    pub(super) async fn end(&mut self) -> Result<()> {
        self.check_reasons().await?;
        self.transcript.command("the end");
        let names: Vec<String> = self.callbacks.keys().cloned().collect();
        let mut all_closed = true;
        for name in names {
            let shown = self.shown(&name).await?;
            all_closed &= shown["status"] == "closed";
            let standing = shown["outcome"].as_str().or(shown["status"].as_str()).unwrap_or_default();
            let sentence = shown["reason"]["sentence"].as_str().unwrap_or_default();
            // An invite has no attempts.
            let made = shown["attempts_made"].as_u64();
            let made = made.map(|made| format!(" Attempts that count: {made}.")).unwrap_or_default();
            self.transcript.remark(&format!("{name} is {standing}: {sentence}{made}"));
        }
        let now = self.simulation()?.daemon_now();
        for (name, key) in self.pairs()? {
            let mut pair = self.simulation()?.store.pairs(&[key]).await?.remove(0);
            if pair.version == 0 {
                continue;
            }
            ringmaster::policy::ledger::lapse(&mut pair, now);
            let (permission, misses, requests) = (pair.permission.as_str(), pair.misses, pair.requests.len());
            let line = format!("{name}: permission {permission}, {misses} misses, {requests} requests count");
            self.transcript.remark(&line);
            let people = ringmaster::policy::People::of(
                self.simulation()?
                    .store
                    .people(&[ringmaster::domain::Name::Number(key.person.number())])
                    .await?,
            );
            let on_the_phone = people.view(key.person.number()).is_on_the_phone();
            ensure!(!all_closed || !on_the_phone, "{name} still have a call in progress");
        }
        let report = self.simulation()?.world().report();
        let counts = &report.counts;
        self.transcript.remark(&format!(
            "the world saw {} permission requests, {} invites, {} calls placed, {} connected, {} missed",
            counts.permission_requests,
            counts.invites,
            counts.creates_accepted,
            counts.calls_connected,
            counts.calls_missed,
        ));
        ensure!(report.violations_total == self.violations_expected, "laws broken: {:#?}", report.violations);
        if all_closed {
            let live = self.simulation()?.store.live_attempts().await?;
            ensure!(live.is_empty(), "attempts are live although all callbacks are closed: {live:#?}");
            let senders = self.get("/v1/senders").await?;
            for sender in senders["senders"].as_array().context("there are senders")? {
                ensure!(sender["live_calls"] == 0, "a slot is left taken: {sender}");
            }
        }
        Ok(())
    }
}
