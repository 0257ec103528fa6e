//! One run of the ladder of invites from a seed, on the world's WhatsApp and Messenger: Meta's Cloud API and a page, beside
//! Twilio, with their webhooks, signatures, windows, restrictions and faults, and a daemon that is killed.
//!
//! The oracle judges each request when it comes. [`judge`] judges the run when it is over: nothing was sent without an
//! order that wanted it, no token is lost, and nothing is reached without a call.

mod acts;
mod judge;
mod orders;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use fastrand::Rng;
use jiff::SignedDuration;

use super::script::{self, Script};
use super::simulate::STEP_MAX_S;
use super::{
    AtMessenger, Cloud, Customer, Fixture, Mutation, RunReport, SENDERS, Simulation, Trace, Trouble, fixture,
};
use crate::config::Config;
use crate::domain::{CallbackId, CallbackPermission, OrderKind, Phone, RoadKind};
use crate::sim::world::{CallShape, Client, Faults, Setup};

/// The number that is at the Cloud API alone, and places no calls.
const NUMBER: &str = "+551140000009";
const CONSUMERS: u64 = 8;
const STEPS: u32 = 70;
/// No order lives longer.
const LONGEST_H: i64 = 9 * 24;
/// What Meta takes for one consumer's WhatsApp.
const CLIENTS: [Client; 4] = [
    Client { drops_payload: true, has_no_buttons: false, is_desktop: false, hides_number: false },
    Client { drops_payload: false, has_no_buttons: true, is_desktop: false, hides_number: false },
    Client { drops_payload: false, has_no_buttons: false, is_desktop: true, hides_number: false },
    Client { drops_payload: false, has_no_buttons: false, is_desktop: false, hides_number: true },
];

/// Which senders there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A number that is at the Cloud API alone.
    Alone,
    /// A sender of Twilio whose number is at the Cloud API, too.
    Shared,
    /// Both, with numbers of their own.
    Both,
}

struct Run {
    daemon: Simulation,
    random: Rng,
    trouble: Trouble,
    script: Script,
    place: Place,
    /// The ids at Meta.
    cloud: Cloud,
    page: Option<AtMessenger>,
    /// Whether the sender of Twilio has a way to invite, too.
    both_invite: bool,
    ordered: BTreeMap<CallbackId, OrderKind>,
    problems: Vec<String>,
}

/// Runs a seed of the ladder on the world to its end. Content is declared in `folder`, which is created
/// and must be of this run alone.
///
/// # Errors
/// If the daemon fails in a way that it must never fail, or content cannot be declared.
pub async fn run_roads_seed(
    seed: u64,
    trouble: Trouble,
    mutation: Arc<dyn Mutation>,
    trace: Arc<Trace>,
    folder: &Path,
) -> anyhow::Result<RunReport> {
    let mut random = Rng::with_seed(seed.wrapping_mul(0xA076_1D64_78BD_642F));
    let script = Script::choose(&mut random)?;
    let place = [Place::Alone, Place::Shared, Place::Both][random.usize(0..3)];
    let with = Fixture { seed, senders: 1, invites: random.bool(), webhooks: true, ..Fixture::default() };
    let (mut config, mut setup) = fixture(&with);
    rules(&mut random, (&mut config, &mut setup));
    let number = if place == Place::Shared { SENDERS[0] } else { NUMBER };
    let mut cloud = Cloud::new(Phone::parse(number).context("the numbers of a run are numbers")?);
    let all = cloud.roads.clone();
    // The template is always open, so no road after it is taken while there is one.
    cloud.roads.retain(|road| match road {
        RoadKind::Template => random.u8(0..3) == 0,
        _ => random.u8(0..5) > 0,
    });
    if cloud.roads.is_empty() {
        // An order whose sender has no way to invite is refused.
        cloud.roads.push(all[random.usize(0..all.len())]);
    }
    cloud.is_approved = random.u8(0..8) > 0;
    cloud.add(&with, (&mut config, &mut setup), folder)?;
    let page = (random.u8(0..4) > 0).then(AtMessenger::default);
    if let Some(page) = &page {
        page.add(&with, (&mut config, &mut setup), folder)?;
    }
    let daemon = Simulation::begin_with(&config, setup, script.start, mutation, trace.clone()).await?;
    let both_invite = with.invites || page.is_some();
    let mut run = Run {
        daemon,
        random,
        trouble,
        script,
        place,
        cloud,
        page,
        both_invite,
        ordered: BTreeMap::new(),
        problems: Vec::new(),
    };
    Customer::admit(&run.daemon).await?;
    run.clients();
    run.with_trouble().await?;
    run.in_peace().await?;
    run.report(seed, &trace).await
}

/// Draws rules of the daemon and what Meta does not publish.
fn rules(random: &mut Rng, (config, setup): (&mut Config, &mut Setup)) {
    // More than any step of the daemon's clock.
    config.calling.limit_margin = SignedDuration::from_secs(60);
    if let Ok(rule) = if random.bool() { "skip" } else { "wait" }.parse() {
        config.inviting.resting_road = rule;
    }
    config.inviting.url_outside_hours = random.u8(0..4) > 0;
    let behaviour = &mut setup.behaviour;
    behaviour.numbers_answer_of_ten = random.u32(4..=10);
    behaviour.payload_dropped_of_ten = random.u32(0..=4);
    behaviour.number_hidden_of_ten = random.u32(0..=3) * random.u32(0..=1);
    behaviour.page_answers_nested = random.bool();
    behaviour.page_call_shape = if random.bool() { CallShape::Messaging } else { CallShape::Change };
    if random.bool() {
        for sender in config.accounts.values_mut().flat_map(|account| account.senders.values_mut()) {
            sender.callback_permission = CallbackPermission::MissedAndAnswered;
        }
        for sender in setup.accounts.iter_mut().flat_map(|account| &mut account.senders) {
            sender.callback_permission = true;
        }
    }
}

impl Run {
    /// Some consumers have a WhatsApp that is not the usual one.
    fn clients(&mut self) {
        for place in 0..CONSUMERS {
            if self.random.u8(0..5) == 0 {
                let client = CLIENTS[self.random.usize(0..CLIENTS.len())];
                self.daemon.world().set_client(super::simulate::consumer(place), client);
            }
        }
    }

    async fn with_trouble(&mut self) -> anyhow::Result<()> {
        let mut faults_until = self.script.start;
        for _ in 0..STEPS {
            if self.trouble.faults && self.daemon.now() >= faults_until {
                let faults = script::faults(&mut self.random, self.daemon.now());
                self.daemon.world().set_faults(faults);
                faults_until = self.daemon.now() + SignedDuration::from_hours(self.random.i64(2..12));
                let ahead = self.random.i64(-STEP_MAX_S..=STEP_MAX_S);
                self.set_clock(SignedDuration::from_secs(ahead)).await?;
            }
            if self.trouble.deaths && self.random.u8(0..6) == 0 {
                self.daemon.crashes.crash_after(self.random.u32(0..30));
            }
            self.act().await?;
            let minutes = self.random.i64(0..600) * self.random.i64(0..=1);
            let seconds = minutes * 60 + self.random.i64(0..90);
            self.daemon.advance(SignedDuration::from_secs(seconds)).await?;
        }
        Ok(())
    }

    async fn in_peace(&mut self) -> anyhow::Result<()> {
        self.daemon.world().set_faults(Faults::default());
        self.daemon.crashes.disarm();
        self.set_clock(SignedDuration::ZERO).await?;
        self.lift_restrictions();
        self.daemon.advance(SignedDuration::from_hours(1)).await?;
        self.look_for_untrue_reasons().await?;
        self.daemon.advance(SignedDuration::from_hours(LONGEST_H + 24)).await
    }

    /// Sets the offset of the daemon's clock from the world's.
    async fn set_clock(&mut self, ahead: SignedDuration) -> anyhow::Result<()> {
        let ahead_now = self.daemon.daemon_now().duration_since(self.daemon.now());
        self.daemon.step_clock(ahead - ahead_now).await
    }

    /// Checks that an order that waits still has to wait when the rules are evaluated again.
    async fn look_for_untrue_reasons(&mut self) -> anyhow::Result<()> {
        for (id, kind) in self.ordered.clone() {
            let request = Customer::get(&format!("{}/explain", path(kind, id)))?;
            let (status, body) = self.daemon.request(request).await?;
            let told: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            let waits = told["status"] != "waiting" || told["step"] == "wait";
            // An order is looked at for the first time at its earliest moment. That it will end then is told before.
            let known = self.daemon.store.callbacks(&[id]).await?;
            let is_early = known.first().is_some_and(|order| order.order.earliest > self.daemon.now());
            let waits = waits || (is_early && told["step"] == "finish");
            if status != 200 || !waits {
                self.problems.push(format!("{id} waits and should not: {body}"));
            }
        }
        Ok(())
    }

    /// Whether a sender of the run places calls.
    fn has_calls(&self) -> bool {
        self.place != Place::Alone
    }

    fn number(&self) -> Phone {
        self.cloud.number
    }

    async fn report(self, seed: u64, trace: &Trace) -> anyhow::Result<RunReport> {
        let ordered = self.ordered.keys().copied().collect();
        let mut problems = self.problems.clone();
        problems.extend(judge::problems(&self).await?);
        problems.extend(super::judge::problems(&self.daemon, &ordered).await?);
        super::judge::tell(&self.daemon, &ordered, trace).await?;
        Ok(RunReport {
            seed,
            problems,
            callbacks: ordered.len(),
            deaths: self.daemon.deaths,
            webhooks: self.daemon.webhooks,
            lasted: self.daemon.now().duration_since(self.script.start),
            counts: self.daemon.world().report().counts,
            trace: trace.lines(),
        })
    }
}

/// The path of an order at the API.
fn path(kind: OrderKind, id: CallbackId) -> String {
    let noun = if kind == OrderKind::Invite { "invites" } else { "callbacks" };
    format!("/v1/{noun}/{}", kind.show_id(id))
}

/// Whether the consumer calls at once by this road.
const fn brings_a_call(road: RoadKind) -> bool {
    !matches!(road, RoadKind::UrlButton)
}
