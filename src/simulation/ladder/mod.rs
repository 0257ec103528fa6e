//! One run of the ladder of invites from a seed: senders that only invite, by every road, with failing roads, lost answers,
//! reports that come twice or late, restrictions, and a daemon that is killed.
//!
//! The platforms of the roads are the small ones of [`crate::sim::local`]. What must hold is checked by [`judge`], which
//! shares no code with the rules.

mod acts;
mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::parts::Platforms;
use super::{Customer, Fixture, Mutation, RunReport, SENDERS, Simulation, Trace, Trouble, fixture};
use crate::config::Config;
use crate::domain::{AccountAlias, CallbackId, Event, Phone, Psid, Road, RoadKind};
use crate::platform::Platform;
use crate::sim::local::LocalPlatform;
use crate::store::Report;

const START: &str = "2026-11-23T12:00:00Z";
const CONSUMERS: u64 = 6;
const STEPS: u32 = 60;
/// No order lives longer.
const LONGEST_H: i64 = 9 * 24;

/// What happened outside of the daemon, for the judge.
#[derive(Default)]
struct Facts {
    /// When consumers wrote to or called the sender, and wrote to the page.
    heard: Vec<(Timestamp, Phone)>,
    at_page: Vec<(Timestamp, Phone)>,
    /// When consumers said no, and when they took it back.
    stops: Vec<(Timestamp, Phone, bool)>,
    /// Calls of consumers that were answered; with the callback of their token, if they had one.
    answered: Vec<Answered>,
    /// When the account of WhatsApp's roads was restricted, from and until.
    restricted: Vec<(Timestamp, Timestamp)>,
}

struct Answered {
    at: Timestamp,
    consumer: Phone,
    token: Option<CallbackId>,
    is_at_page: bool,
}

struct Run {
    daemon: Simulation,
    random: Rng,
    trouble: Trouble,
    cloud: Arc<LocalPlatform>,
    page: Arc<LocalPlatform>,
    facts: Facts,
    ordered: BTreeSet<CallbackId>,
    /// Reports that are brought later.
    late: Vec<(Timestamp, Event)>,
    filed: u128,
    started: Timestamp,
}

/// Runs a seed of the ladder to its end.
///
/// # Errors
/// If the daemon fails in a way that it must never fail.
pub async fn run_ladder_seed(
    seed: u64,
    trouble: Trouble,
    mutation: Arc<dyn Mutation>,
    trace: Arc<Trace>,
) -> anyhow::Result<RunReport> {
    let mut random = Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (mut config, setup) = fixture(&Fixture { seed, senders: 1, ..Fixture::default() });
    roads(&mut config, &mut random);
    let started: Timestamp = START.parse()?;
    let mut platforms = None;
    let beside = |clock: Arc<dyn crate::clock::Clock>| {
        let both = ["cloud", "page"].map(|_| Arc::new(LocalPlatform::new(clock.clone())));
        let named = ["cloud", "page"].into_iter().zip(&both);
        let named = named.map(|(alias, it)| (AccountAlias::from(alias), it.clone() as Arc<dyn Platform>));
        let all: Platforms = named.collect();
        platforms = Some(both);
        all
    };
    let daemon = Simulation::begin_beyond(&config, (setup, started), mutation, trace.clone(), beside).await?;
    let [cloud, page] = platforms.ok_or_else(|| anyhow::anyhow!("the platforms were not built"))?;
    let mut run = Run {
        daemon,
        random,
        trouble,
        cloud,
        page,
        facts: Facts::default(),
        ordered: BTreeSet::new(),
        late: Vec::new(),
        filed: 0,
        started,
    };
    Customer::admit(&run.daemon).await?;
    run.go().await?;
    run.report(seed, &trace).await
}

/// A sender that only invites, by some of the roads or all.
fn roads(config: &mut Config, random: &mut Rng) {
    config.calling.limit_margin = SignedDuration::from_secs(60);
    if let Ok(rule) = if random.bool() { "skip" } else { "wait" }.parse() {
        config.inviting.resting_road = rule;
    }
    let Some(main) = config.accounts.get_mut("main") else { return };
    let accounts = ["cloud", "page"].map(|alias| {
        let mut account = main.clone();
        account.senders.clear();
        (AccountAlias::from(alias), account)
    });
    for sender in main.senders.values_mut() {
        let kinds = RoadKind::ALL.into_iter().filter(|_| random.u8(0..5) > 0);
        let account = |kind| if kind == RoadKind::Messenger { "page" } else { "cloud" };
        let road = |kind: RoadKind| {
            let content = format!("content-{}", kind.as_str()).parse().ok()?;
            Some(Road { kind, account: account(kind).into(), content })
        };
        sender.roads = kinds.filter_map(road).collect();
        sender.can_call = false;
    }
    config.accounts.extend(accounts);
}

impl Run {
    async fn go(&mut self) -> anyhow::Result<()> {
        for _ in 0..STEPS {
            self.act().await?;
            let minutes = self.random.i64(0..600) * self.random.i64(0..=1);
            let seconds = minutes * 60 + self.random.i64(0..90);
            self.pass(SignedDuration::from_secs(seconds)).await?;
        }
        self.daemon.crashes.disarm();
        self.end_restriction().await?;
        self.pass(SignedDuration::from_hours(LONGEST_H + 24)).await
    }

    fn sender() -> Phone {
        Phone::parse(SENDERS[0]).expect("the fixture's senders are numbers")
    }

    fn consumer(&mut self) -> Phone {
        Phone::from_stored(5_511_987_650_000 + self.random.u64(0..CONSUMERS))
    }

    /// The page knows each consumer by the last digits.
    fn psid(consumer: Phone) -> Psid {
        format!("70000000000{}", consumer.digits() % 1_000).parse().expect("digits are an id")
    }

    /// Lets the time pass, with the reports of both platforms in it.
    async fn pass(&mut self, by: SignedDuration) -> anyhow::Result<()> {
        let until = self.daemon.now() + by;
        loop {
            let now = self.daemon.now();
            let late = self.late.iter().map(|(at, _)| *at).min();
            let next = [self.cloud.next_at(), self.page.next_at(), late].into_iter().flatten().min();
            let mut at = next.unwrap_or(until).max(now).min(until);
            // The daemon may send at any moment, so that a report is due soon.
            at = at.min(now + SignedDuration::from_mins(5));
            self.daemon.advance(at.duration_since(now)).await?;
            let mut due = [self.cloud.due(at), self.page.due(at)].concat();
            let twice = |event: &Event| [event.clone(), event.clone()];
            if self.trouble.faults && self.random.u8(0..4) == 0 {
                due = due.iter().flat_map(twice).collect();
            }
            if self.trouble.faults && self.random.u8(0..5) == 0 {
                let later = at + SignedDuration::from_secs(self.random.i64(1..900));
                self.late.extend(due.drain(..).map(|event| (later, event)));
            }
            due.extend(self.late.extract_if(.., |(due_at, _)| *due_at <= at).map(|(_, event)| event));
            self.file(due).await?;
            if at >= until && self.late.is_empty() || at > until {
                return Ok(());
            }
            if at >= until {
                return Ok(());
            }
        }
    }

    async fn file(&mut self, events: Vec<Event>) -> anyhow::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let received_at = self.daemon.now();
        let mut reports = Vec::new();
        for event in events {
            self.filed += 1;
            reports.push(Report { key: self.filed.to_be_bytes(), received_at, event });
        }
        self.daemon.file(reports).await
    }

    async fn report(self, seed: u64, trace: &Trace) -> anyhow::Result<RunReport> {
        let mut problems = judge::problems(&self).await?;
        problems.extend(super::judge::problems(&self.daemon, &self.ordered).await?);
        super::judge::tell(&self.daemon, &self.ordered, trace).await?;
        let mut counts = self.daemon.world().report().counts;
        counts.invites = (self.cloud.sent().len() + self.page.sent().len()) as u64;
        counts.inbound_connected = self.facts.answered.len() as u64;
        Ok(RunReport {
            seed,
            problems,
            callbacks: self.ordered.len(),
            deaths: self.daemon.deaths,
            webhooks: u64::try_from(self.filed).unwrap_or(u64::MAX),
            lasted: self.daemon.now().duration_since(self.started),
            counts,
            trace: trace.lines(),
        })
    }

    /// The callbacks of messages, by the id of the message.
    async fn callbacks_of_messages(&self) -> anyhow::Result<BTreeMap<crate::domain::MessageId, CallbackId>> {
        let sent = [self.cloud.sent(), self.page.sent()].concat();
        let ids: Vec<_> = sent.iter().map(|sent| sent.plan.message).collect();
        let messages = self.daemon.store.messages(&ids).await?;
        Ok(messages.into_iter().filter_map(|message| Some((message.id, message.callback?))).collect())
    }
}
