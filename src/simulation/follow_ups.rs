//! The campaigns of the simulated team leader that follow others: they have exactly those who were not reached, once, without
//! those who are suppressed, have refused, or of whom an agent said that it is over.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::script::Hours;
use super::simulate::STEP_MAX_S;
use super::{Customer, Simulation};
use crate::domain::{Callback, CallbackId, CampaignId, FollowUp, Name, Order, Outcome, Phone, is_pseudonym};
use crate::store::{Filter, Page};

/// So many campaigns of a seed follow others.
const MOST: usize = 4;
/// More than the campaigns of a run have.
const ROWS: usize = 10_000;
const WRONG: SignedDuration = SignedDuration::from_secs(STEP_MAX_S);
/// The reasons with which a person's last word about a callback was said.
const SETTLED: [&str; 3] = ["callback.wrapped_up", "preview.closed", "consumer.erased"];

/// What the leader remembers of them.
pub(super) struct FollowUps {
    random: Rng,
    /// Of one seed in two of those with campaigns.
    follows: bool,
    known: BTreeSet<CampaignId>,
    /// The calling hours of orders.
    hours: BTreeMap<CallbackId, Hours>,
    /// What they have ordered and nobody has asked for yet.
    ordered: Vec<CallbackId>,
    pub(super) problems: Vec<String>,
}

/// A closed callback of the first campaign, and what is known of its person.
struct Row {
    callback: Callback,
    /// It must not be taken over.
    is_barred: bool,
    /// It may be left out.
    may_miss: bool,
}

impl FollowUps {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed.rotate_left(12) ^ 0xF011);
        let follows = random.bool();
        Self {
            random,
            follows,
            known: BTreeSet::new(),
            hours: BTreeMap::new(),
            ordered: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The hours of an order that was accepted.
    pub(super) fn ordered(&mut self, id: CallbackId, hours: Option<Hours>) {
        self.hours.extend(hours.map(|hours| (id, hours)));
    }

    pub(super) fn take_ordered(&mut self) -> Vec<CallbackId> {
        std::mem::take(&mut self.ordered)
    }

    /// Sometimes follows one of the campaigns. Returns the new one. `suppressed` are people who must not be in it.
    pub(super) async fn act(
        &mut self,
        daemon: &mut Simulation,
        campaigns: &[CampaignId],
        suppressed: &BTreeSet<Phone>,
    ) -> anyhow::Result<Option<(CampaignId, CampaignId)>> {
        if !self.follows || self.known.len() >= MOST || self.random.u8(0..3) > 0 {
            return Ok(None);
        }
        let Some(first) = self.random.choice(campaigns).copied() else { return Ok(None) };
        let outcomes = self.outcomes();
        let latest = daemon.daemon_now() + SignedDuration::from_mins(self.random.i64(30..3500));
        let rows = rows(daemon, first, &outcomes, suppressed).await?;
        let deaths = daemon.deaths;
        let mut body = json!({"latest": latest.to_string(), "note": "second round"});
        if outcomes != FollowUp::USUAL || self.random.bool() {
            body["outcomes"] = outcomes.iter().map(|outcome| outcome.as_str()).collect();
        }
        let path = format!("/v1/campaigns/{first}/follow-up");
        let request = Customer::post(&path, "application/json", body.to_string())?;
        let (status, answer) = daemon.request(request).await?;
        // It may not be launched yet.
        let is_known = matches!(status, 0 | 200 | 202) || (status == 409 && answer.contains("campaign."));
        anyhow::ensure!(is_known, "a follow-up was answered with {status}: {answer}");
        if status != 200 {
            return Ok(None);
        }
        let told: Value = serde_json::from_str(&answer)?;
        let id: CampaignId = told["id"].as_str().context("a campaign has an id")?.parse()?;
        if !self.known.insert(id) {
            return Ok(None);
        }
        let made = callbacks(daemon, id).await?;
        for callback in &made {
            self.allow(daemon, callback, &rows, latest)?;
        }
        self.ordered.extend(made.iter().map(|callback| callback.id));
        // A daemon that died in between has folded what came meanwhile.
        if daemon.deaths == deaths {
            self.compare(daemon, id, rows, &made, latest).await?;
        }
        Ok(Some((id, first)))
    }

    fn outcomes(&mut self) -> Vec<Outcome> {
        match self.random.u8(0..4) {
            0 => FollowUp::OUTCOMES.to_vec(),
            1 => vec![Outcome::Expired],
            _ => FollowUp::USUAL.to_vec(),
        }
    }

    /// The oracle learns when a callback may be called.
    fn allow(
        &mut self,
        daemon: &Simulation,
        made: &Callback,
        rows: &[Row],
        latest: Timestamp,
    ) -> anyhow::Result<()> {
        let order = &made.order;
        let first = rows.iter().find(|row| is_same(&row.callback.order, order));
        let hours = first.and_then(|row| self.hours.get(&row.callback.id)).copied();
        let hours = hours.filter(|_| order.hours.is_some());
        self.ordered(made.id, hours);
        let from = daemon.now() - WRONG;
        let windows = match hours {
            Some(hours) => hours.windows(from, latest)?,
            None => vec![(from, latest)],
        };
        for &sender in &order.senders {
            let mut world = daemon.world();
            world.oracle_mut().allow(sender, order.consumer, latest, latest);
            for (opens_at, closes_at) in &windows {
                let (from, until) = (*opens_at - WRONG, *closes_at + WRONG);
                world.oracle_mut().allow(sender, order.consumer, from, until);
                world.oracle_mut().allow_messages(sender, order.consumer, from, until);
            }
        }
        Ok(())
    }

    /// Each callback has its own row, no row is barred, and no row is left out without a cause.
    async fn compare(
        &mut self,
        daemon: &Simulation,
        id: CampaignId,
        rows: Vec<Row>,
        made: &[Callback],
        latest: Timestamp,
    ) -> anyhow::Result<()> {
        let record = daemon.store.campaign(id).await?.context("the campaign is stored")?;
        let follow_up = record.campaign.follow_up.context("it follows another one")?;
        let counted = (follow_up.made, follow_up.left_out, follow_up.is_whole);
        let total = rows.len();
        let expected = (made.len() as u64, (total - made.len().min(total)) as u64, true);
        if counted != expected {
            self.problems.push(format!("{id} says {counted:?} of {total} rows, and has {}", made.len()));
        }
        // A row that may be left out is used last, so that one that may not is never missed for it.
        let mut left = rows;
        left.sort_by_key(|row| (row.is_barred, row.may_miss));
        for callback in made {
            if callback.order.latest != latest || callback.is_closed() {
                self.problems.push(format!("{} of {id} has other times, or is closed", callback.id));
            }
            let Some(place) = left.iter().position(|row| is_same(&row.callback.order, &callback.order))
            else {
                self.problems.push(format!("{} of {id} follows nobody who was not reached", callback.id));
                continue;
            };
            let row = left.remove(place);
            if row.is_barred {
                let of = row.callback.id;
                self.problems
                    .push(format!("{} of {id} follows {of}, which is not to be followed", callback.id));
            }
        }
        for row in left.iter().filter(|row| !row.may_miss) {
            self.problems.push(format!("{id} leaves out {}, which nothing speaks against", row.callback.id));
        }
        Ok(())
    }
}

/// Whether an order is the other one for another campaign and at another time.
fn is_same(first: &Order, other: &Order) -> bool {
    let (a, b) = (first, other);
    (a.consumer, &a.senders, &a.hours, a.priority) == (b.consumer, &b.senders, &b.hours, b.priority)
        && (&a.document, &a.variables, &a.agent, &a.pool) == (&b.document, &b.variables, &b.agent, &b.pool)
        && (a.attempts_max, a.purpose, a.separate) == (b.attempts_max, b.purpose, b.separate)
        && a.preview() == b.preview()
}

async fn callbacks(daemon: &Simulation, campaign: CampaignId) -> anyhow::Result<Vec<Callback>> {
    let filter = Filter { campaign: Some(campaign.to_string()), ..Filter::default() };
    let page = Page { before: None, limit: ROWS };
    Ok(daemon.store.list_callbacks(&filter, &page).await?.callbacks)
}

/// The closed callbacks that a follow-up looks at.
async fn rows(
    daemon: &Simulation,
    first: CampaignId,
    outcomes: &[Outcome],
    suppressed: &BTreeSet<Phone>,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for callback in callbacks(daemon, first).await? {
        let Some(end) = callback.closed().filter(|end| outcomes.contains(&end.outcome)) else { continue };
        let consumer = callback.order.consumer;
        let is_settled = SETTLED.contains(&&*end.note.code) || is_pseudonym(consumer);
        let people = daemon.store.people(&[Name::Number(consumer)]).await?;
        let has_refused = people.iter().any(|(person, _)| !person.refusals.is_empty());
        // All lists of a run bind every sender.
        let is_listed = people.iter().any(|(person, _)| !person.suppressions.is_empty());
        let is_barred = is_settled || is_listed || suppressed.contains(&consumer);
        rows.push(Row { is_barred, may_miss: is_barred || has_refused, callback });
    }
    Ok(rows)
}
