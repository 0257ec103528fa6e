//! Simulated agents who say what came of their calls: at once, long after it was missing, twice, and with words that are not
//! declared. Draws separately, so that other seeds do not change.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::simulate::STEP_MAX_S;
use super::{Customer, Simulation};
use crate::config::Config;
use crate::domain::{Attempt, Callback, CallbackId, ListName, is_pseudonym};
use crate::sim::world::Stop;
use crate::store::Record;

/// The offset that the daemon's clock can have.
const WRONG: SignedDuration = SignedDuration::from_secs(STEP_MAX_S);
/// A callback that is ordered has at least so much time.
const ORDERED_MIN: SignedDuration = SignedDuration::from_hours(1);
/// A disposition that nobody has declared.
const UNDECLARED: &str = "went_fishing";
const CALL_AGAIN: &str = "call_again";
const DO_NOT_CALL: &str = "do_not_call";

pub(super) struct WrapUps {
    random: Rng,
    /// Of one seed in four.
    speak: bool,
    /// What may be on record of each callback; `None`: nothing.
    said: BTreeMap<CallbackId, BTreeSet<Option<String>>>,
    suppressed: u32,
    problems: Vec<String>,
}

impl WrapUps {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed.rotate_left(48) ^ 0x3A1D);
        let speak = random.u8(0..4) == 0;
        Self { random, speak, said: BTreeMap::new(), suppressed: 0, problems: Vec::new() }
    }

    /// Draws when a wrap-up is missing. Its entries are of a list from which nobody is removed.
    pub(super) fn prepare(&mut self, config: &mut Config) {
        if !self.speak {
            return;
        }
        config.calling.wrap_up_after = Some(SignedDuration::from_mins(self.random.i64(1..120)));
        if let Some(declared) = config.dispositions.get_mut(DO_NOT_CALL) {
            declared.list = ListName::Account("main".into());
        }
    }

    /// Says something about some of the callbacks. What is ordered by that joins them; it is over at `ends_at`.
    pub(super) async fn act(
        &mut self,
        daemon: &mut Simulation,
        accepted: &mut BTreeSet<CallbackId>,
        ends_at: Timestamp,
    ) -> anyhow::Result<()> {
        if !self.speak || accepted.is_empty() {
            return Ok(());
        }
        for _ in 0..self.random.u8(0..5) {
            let missing = missing(daemon).await?;
            let all: Vec<CallbackId> = accepted.iter().copied().collect();
            let from = if missing.is_empty() || self.random.bool() { &all } else { &missing };
            let Some(id) = self.random.choice(from).copied() else { continue };
            accepted.extend(self.say(daemon, id, ends_at).await?);
            daemon.advance(SignedDuration::from_secs(self.random.i64(0..60))).await?;
        }
        Ok(())
    }

    /// The callbacks that wrap-ups have ordered, also those whose answers were lost.
    pub(super) async fn ordered(
        &self,
        daemon: &Simulation,
        accepted: &BTreeSet<CallbackId>,
    ) -> anyhow::Result<Vec<CallbackId>> {
        let ids: Vec<CallbackId> = accepted.iter().copied().collect();
        let records = daemon.store.wrap_ups(&ids).await?;
        Ok(records.into_iter().filter_map(|record| record.follow_up).collect())
    }

    /// What is on record and was not said, or was said and is not on record.
    pub(super) async fn problems(&self, daemon: &Simulation) -> anyhow::Result<Vec<String>> {
        let mut problems = self.problems.clone();
        for (id, may_be) in &self.said {
            let kept = disposition(daemon, *id).await?;
            if !may_be.contains(&kept) && !is_erased(daemon, *id).await? {
                problems.push(format!("{id} is wrapped up as {kept:?}, of {may_be:?}"));
            }
        }
        Ok(problems)
    }

    /// Says something about a callback. Returns the callback that is ordered by it.
    async fn say(
        &mut self,
        daemon: &mut Simulation,
        id: CallbackId,
        ends_at: Timestamp,
    ) -> anyhow::Result<Option<CallbackId>> {
        let Some(before) = daemon.store.callback(id).await? else { return Ok(None) };
        let word = self.word();
        let mut body = json!({"disposition": word, "agent": "client:alice"});
        if self.random.bool() {
            body["note"] = "asks for the invoice".into();
        }
        let Some(word) = self.with_time(daemon, &before.callback, word, ends_at, &mut body) else {
            return Ok(None);
        };
        let known = disposition(daemon, id).await?;
        let path = format!("/v1/callbacks/{id}/wrap-up");
        let request = Customer::post(&path, "application/json", body.to_string())?;
        let (status, answer) = daemon.request(request).await?;
        let after = daemon.store.callback(id).await?.context("a callback stays")?;
        self.compare(id, &before, &after);
        let is_refused = match status {
            0 | 200 | 202 => false,
            409 => answer.contains("wrap_up.no_call") || answer.contains("wrap_up.erased"),
            422 => word == UNDECLARED && answer.contains("disposition.unknown"),
            _ => false,
        };
        anyhow::ensure!(
            is_refused || matches!(status, 0 | 200 | 202),
            "a wrap-up was answered with {status}: {answer}"
        );
        if word == UNDECLARED && !matches!(status, 0 | 409 | 422) {
            self.problems.push(format!("{id}: an undeclared disposition was answered with {status}"));
        }
        let now_kept = disposition(daemon, id).await?;
        if is_refused && now_kept != known {
            self.problems.push(format!("{id}: a refused wrap-up changed {known:?} to {now_kept:?}"));
        }
        if is_refused || word == UNDECLARED {
            return Ok(None);
        }
        let may_be = self.said.entry(id).or_insert_with(|| [known].into());
        if status == 200 {
            may_be.clear();
        }
        may_be.insert(Some(word.to_owned()));
        if status == 200 {
            self.taken(daemon, id, now_kept.as_deref(), word).await?;
        }
        if word == DO_NOT_CALL && status == 200 {
            self.never_again(daemon, &before.callback);
        }
        let told: Value = serde_json::from_str(&answer).unwrap_or_default();
        let next = told["wrap_up"]["follow_up"].as_str().filter(|_| word == CALL_AGAIN);
        Ok(next.map(str::parse).transpose()?)
    }

    fn word(&mut self) -> &'static str {
        match self.random.u8(0..16) {
            0..=6 => "done",
            7..=10 => CALL_AGAIN,
            11 => DO_NOT_CALL,
            12 | 13 => "wrong_person",
            _ => UNDECLARED,
        }
    }

    /// Adds the time of the next call, if one is promised, and lets the oracle know when that may be. `None` if there is no
    /// time left in the run, or if the callback has hours.
    fn with_time(
        &mut self,
        daemon: &Simulation,
        callback: &Callback,
        word: &'static str,
        ends_at: Timestamp,
        body: &mut Value,
    ) -> Option<&'static str> {
        if word != CALL_AGAIN {
            return Some(word);
        }
        let order = &callback.order;
        let span = order.latest.duration_since(order.earliest).max(ORDERED_MIN);
        let at = daemon.daemon_now() + SignedDuration::from_mins(self.random.i64(5..600));
        let latest = at + span;
        if order.hours.is_some() || latest > ends_at {
            return None;
        }
        body["callback_at"] = at.to_string().into();
        let ordered = daemon.now() - WRONG;
        for &sender in &order.senders {
            let mut world = daemon.world();
            world.oracle_mut().allow(sender, order.consumer, at - WRONG, latest + WRONG);
            world.oracle_mut().allow_messages(sender, order.consumer, ordered, latest + WRONG);
        }
        Some(word)
    }

    /// What is over stays as it was, whenever it is wrapped up.
    fn compare(&mut self, id: CallbackId, before: &Record, after: &Record) {
        if is_pseudonym(after.callback.order.consumer) {
            return;
        }
        let is_over = |attempt: &&Attempt| !attempt.is_live();
        for attempt in before.attempts.iter().filter(is_over) {
            if !after.attempts.contains(attempt) {
                self.problems.push(format!("{id}: the wrap-up changed {}, which was over", attempt.id));
            }
        }
        let (was, is) = (before.callback.closed(), after.callback.closed());
        if was.is_some() && was != is {
            self.problems.push(format!("{id}: the wrap-up changed its end from {was:?} to {is:?}"));
        }
    }

    /// It was acknowledged: it is on record, and not missing any more.
    async fn taken(
        &mut self,
        daemon: &mut Simulation,
        id: CallbackId,
        kept: Option<&str>,
        word: &str,
    ) -> anyhow::Result<()> {
        if kept != Some(word) {
            self.problems.push(format!("{id}: {word} was acknowledged, and {kept:?} is on record"));
        }
        if missing(daemon).await?.contains(&id) {
            self.problems.push(format!("{id} is wrapped up, and the wrap-up is missing"));
        }
        Ok(())
    }

    /// The person is on a list of the account from now on.
    fn never_again(&mut self, daemon: &Simulation, callback: &Callback) {
        self.suppressed += 1;
        let consumer = Some(callback.order.consumer);
        let stop = Stop { from: daemon.now(), until: None, senders: None, consumer };
        daemon.world().oracle_mut().paused(&format!("wrapped up {}", self.suppressed), stop);
    }
}

/// The callbacks whose wrap-ups are missing, as the API tells them; none while the daemon dies.
async fn missing(daemon: &mut Simulation) -> anyhow::Result<Vec<CallbackId>> {
    let request = Customer::get("/v1/callbacks?wrap_up=missing&limit=100")?;
    let (status, body) = daemon.request(request).await?;
    anyhow::ensure!(matches!(status, 0 | 200), "missing wrap-ups were answered with {status}: {body}");
    let page: Value = serde_json::from_str(&body).unwrap_or_default();
    let listed = page["callbacks"].as_array().into_iter().flatten();
    Ok(listed.filter_map(|row| row["id"].as_str()?.parse().ok()).collect())
}

async fn disposition(daemon: &Simulation, id: CallbackId) -> anyhow::Result<Option<String>> {
    let records = daemon.store.wrap_ups(&[id]).await?;
    Ok(records.into_iter().next().map(|record| record.said.disposition))
}

async fn is_erased(daemon: &Simulation, id: CallbackId) -> anyhow::Result<bool> {
    let record = daemon.store.callback(id).await?;
    Ok(record.is_some_and(|record| is_pseudonym(record.callback.order.consumer)))
}
