//! The scheduler's dependencies and its state in memory between turns.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::budgets::Budgets;
use super::campaigns_ending::Ending;
use super::clock_guard::ClockGuard;
use super::containment::Containment;
use super::dates::Dates;
use super::deleting::Deleting;
use super::erasing::Erasing;
use super::gates::Gates;
use super::hang_ups::HangUps;
use super::in_flight::InFlight;
use super::lost_span::LostSpan;
use super::new_rules::NewRules;
use super::overdue::{Overdue, Questions, Subject};
use super::pace::Pace;
use super::publication::Publication;
use super::request::Done;
use super::settings::Settings;
use crate::clock::Clock;
use crate::domain::reporting::Labels;
use crate::domain::{
    AccountAlias, AttemptId, Calendars, CampaignCalls, ClockMark, Directory, ErrorCode, Gate, InUse, Loads,
    MessageId, Offers, Phone, Resource, Restriction, Script, Seats,
};
use crate::ids::IdGenerator;
use crate::metrics::Metrics;
use crate::platform::{Leadership, Platform, Trust};
use crate::policy::{Cooldown, Rules, UnknownCodes};
use crate::store::{Lead, Store};
use crate::traces::Traces;
use crate::wake::Sleep;
use crate::webhooks::WebhookEvents;

/// Dependencies of the scheduler.
#[derive(Clone)]
pub struct Deps {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// The watch over this clock.
    pub clock_guard: Arc<ClockGuard>,
    pub directory: Arc<Directory>,
    /// What each document does with a call, by name. A missing document is not loaded.
    pub documents: BTreeMap<String, Script>,
    pub rules: Arc<Rules>,
    /// The calendars of the program and of the configuration.
    pub calendars: Calendars,
    pub waker: Arc<dyn Sleep>,
    /// Whether this process leads.
    pub trust: Trust,
    pub webhook_events: WebhookEvents,
    pub accounts: BTreeMap<AccountAlias, Account>,
    pub ids: Arc<IdGenerator>,
    pub metrics: Arc<Metrics>,
    pub traces: Traces,
    pub settings: Settings,
}

/// An account that places calls.
#[derive(Clone)]
pub struct Account {
    pub platform: Arc<dyn Platform>,
    pub calls_per_second: f64,
    /// The most requests in flight.
    pub requests_in_flight_max: u32,
}

/// The scheduler. [`Scheduler::recover`] once, then [`Scheduler::run`].
pub struct Scheduler {
    pub(super) deps: Deps,
    /// The load after the last batch.
    pub(super) loads: Loads,
    pub(super) publication: Publication,
    pub(super) paces: BTreeMap<AccountAlias, Pace>,
    /// Committed intents in order of decision, to be submitted when their account has room.
    pub(super) intended: BTreeMap<AccountAlias, VecDeque<Intended>>,
    /// Answers that are not recorded yet.
    pub(super) answers: Vec<Done>,
    /// Answers that arrived while the scheduler slept.
    pub(super) heard: Vec<Done>,
    pub(super) done: mpsc::UnboundedReceiver<Done>,
    pub(super) report_done: mpsc::UnboundedSender<Done>,
    /// Gates with waiting callbacks.
    pub(super) gates: Gates,
    /// How far the callbacks of canceled campaigns are closed.
    pub(super) campaigns_ending: Ending,
    /// A change of many callbacks may be running.
    pub(super) bulk_may_run: bool,
    /// What is decided again after a change of the configuration.
    pub(super) new_rules: NewRules,
    /// A version of a suppression list is whole since the terms of lists were read.
    pub(super) list_was_completed: bool,
    /// Messages without a callback that wait for a list past its term to be imported again.
    pub(super) waiting_for_list: Vec<(AccountAlias, Intended)>,
    /// The calls of campaigns that are over, of the last day.
    pub(super) campaign_calls: CampaignCalls,
    /// The texts that reports count apart.
    pub(super) report_labels: Labels,
    pub(super) erasing: Erasing,
    pub(super) deleting: Deleting,
    /// The last cooldown of each sender that had one.
    pub(super) sender_rests: BTreeMap<Phone, Cooldown>,
    /// What platforms restrict.
    pub(super) restrictions: Vec<Restriction>,
    /// When a platform last told that all restrictions of an account or a sender of it ended.
    pub(super) restriction_ends: BTreeMap<(AccountAlias, Option<Phone>), Timestamp>,
    pub(super) budgets: Budgets,
    pub(super) hang_ups: HangUps,
    pub(super) overdue: Overdue,
    pub(super) questions: Questions,
    /// The last time of the clock, which may step back.
    pub(super) last_turn_at: Timestamp,
    /// Whether the store has unmatched reports.
    pub(super) has_unmatched: bool,
    /// Unknown codes that were heard a short time ago.
    pub(super) unknown_codes: UnknownCodes,
    /// Error codes that were logged.
    pub(super) told: BTreeSet<ErrorCode>,
    pub(super) requests: InFlight,
    pub(super) containment: Containment,
    /// The term in which it leads, with the number of the last batch; `None` when it does not lead.
    pub(super) led: Option<Lead>,
    /// The term of the lease that it leads by.
    pub(super) leadership: Option<Leadership>,
    /// It has not read yet what was in progress when its term began. What a leader submitted who resigned may still be
    /// answered, so it is left alone.
    pub(super) leaves_alone: bool,
    /// What is left alone until its time-out.
    pub(super) left_alone: BTreeSet<Subject>,
    /// Another leader has begun a term: this one reads and writes nothing more.
    pub(super) is_deposed: bool,
    pub(super) dates: Dates,
    pub(super) lineage: LostSpan,
    /// What is stored of the machine's clock.
    pub(super) clock_stored: Option<ClockMark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intended {
    Call(AttemptId),
    Message(MessageId),
}

impl Scheduler {
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let now = deps.clock.now();
        let (report_done, done) = mpsc::unbounded_channel();
        let paces = deps
            .accounts
            .iter()
            .map(|(alias, account)| {
                (alias.clone(), Pace::new(now, account.calls_per_second, account.requests_in_flight_max))
            })
            .collect();
        let loads = Loads { calendars: deps.calendars.clone(), ..Loads::default() };
        Self {
            deps,
            loads,
            publication: Publication::default(),
            paces,
            intended: BTreeMap::new(),
            answers: Vec::new(),
            heard: Vec::new(),
            done,
            report_done,
            gates: Gates::default(),
            campaigns_ending: Ending::default(),
            bulk_may_run: true,
            new_rules: NewRules::default(),
            list_was_completed: false,
            waiting_for_list: Vec::new(),
            campaign_calls: CampaignCalls::default(),
            report_labels: Labels::default(),
            erasing: Erasing::default(),
            deleting: Deleting::default(),
            sender_rests: BTreeMap::new(),
            restrictions: Vec::new(),
            restriction_ends: BTreeMap::new(),
            budgets: Budgets::default(),
            hang_ups: HangUps::default(),
            overdue: Overdue::default(),
            questions: Questions::new(now),
            last_turn_at: now,
            has_unmatched: false,
            unknown_codes: UnknownCodes::default(),
            told: BTreeSet::new(),
            requests: InFlight::default(),
            containment: Containment::default(),
            led: None,
            leadership: None,
            leaves_alone: false,
            left_alone: BTreeSet::new(),
            is_deposed: false,
            dates: Dates::default(),
            lineage: LostSpan::default(),
            clock_stored: None,
        }
    }

    /// Next wake-up known only in memory: rate limits, cooldowns, overdue reports.
    pub(super) fn own_alarm(&self, now: Timestamp) -> Option<Timestamp> {
        let publication = self.publication.alarm(now, &self.loads);
        if self.containment.held.is_everything() {
            let silence = self.questions.alarm(&self.overdue);
            let lineage = self.lineage.alarm();
            let alarms = [silence, self.hang_ups.alarm(), self.dates.alarm(), lineage, publication];
            return alarms.into_iter().flatten().min();
        }
        let gates = self.gates.iter().filter_map(|gate| self.alarm_of(gate, now)).map(|at| at.max(now));
        let silence = self.questions.alarm(&self.overdue);
        let waiting_to_send = self
            .intended
            .iter()
            .filter(|(_, intended)| !intended.is_empty())
            .filter_map(|(alias, _)| self.paces.get(alias))
            .flat_map(|pace| [pace.changes_at(), pace.leaves_at()])
            .filter(|&at| at > now);
        let others =
            [silence, self.hang_ups.alarm(), publication, self.erasing.alarm(), self.deleting.alarm()];
        gates.chain(waiting_to_send).chain(others.into_iter().flatten()).min()
    }

    /// When a gate opens by itself.
    fn alarm_of(&self, gate: &Gate, now: Timestamp) -> Option<Timestamp> {
        if let Some(pause) = self.loads.pauses.at_gate(gate, &self.deps.directory, now) {
            return pause.until;
        }
        match gate {
            // Its pause is over.
            Gate::Pause(_) => Some(Timestamp::MIN),
            Gate::Calendar(name, version) => {
                (self.loads.calendars.version(name) != *version).then_some(Timestamp::MIN)
            }
            Gate::Account(alias) => self.paces.get(alias).map(Pace::changes_at),
            Gate::Rest(number) => {
                let rest = self.sender_rests.get(number).map_or(Timestamp::MIN, |rest| rest.until);
                Some(self.after_rest(*number, rest))
            }
            Gate::Part(number, part) => {
                let rest = self.loads.paused_parts.get(&(*number, *part));
                Some(self.after_rest(*number, rest.map_or(Timestamp::MIN, |(until, _)| *until)))
            }
            Gate::Token(token, what) => {
                self.budgets.get(token)?.reached(*what, now).map(|reached| reached.lifts_at)
            }
            Gate::Pace(id) => Some(self.loads.campaign_paces.next_at(*id).unwrap_or(Timestamp::MIN)),
            // A seat is free again when its agent has wrapped up, unless the figure of the pool ends before.
            Gate::Room(Resource::Pool(key)) => {
                let fed_until = self.loads.pools.get(key)?.valid_until;
                self.loads.seats.next_end(key).filter(|at| *at < fed_until)
            }
            // The callback that is offered wakes the scheduler when its offer runs out.
            Gate::Offer(resource) => self.alarm_of(&Gate::Room(resource.clone()), now),
            // A report that frees a slot wakes the scheduler.
            Gate::Room(_) => None,
            Gate::Any(parts) => parts.iter().filter_map(|part| self.alarm_of(part, now)).min(),
        }
    }

    /// When what waited for the end of a sender's pause can go on: it also needs a permit of the account.
    fn after_rest(&self, number: Phone, rest: Timestamp) -> Timestamp {
        let account = self.deps.directory.sender(number).map(|sender| &sender.account);
        let pace = account.and_then(|account| self.paces.get(account));
        pace.map_or(rest, |pace| rest.max(pace.changes_at()))
    }

    pub(super) fn somebody_waits_at(&self, gate: &Gate) -> bool {
        self.gates.iter().any(|known| known.opens_with(gate))
    }

    /// Notes a panic, in a turn or in a request to a platform.
    pub(super) fn count_panic(&mut self, now: Timestamp) {
        self.deps.metrics.panicked();
        if self.containment.panicked(now) {
            tracing::error!(
                "the program failed three times within a minute; nothing is dialled or sent until a restart"
            );
            self.containment.must_rebuild = true;
            self.publish_held();
        }
    }

    /// Checks whether the clock is in doubt, and logs it once.
    pub(super) fn look_at_clock(&mut self) {
        let doubt = self.deps.clock_guard.doubt();
        let before = std::mem::replace(&mut self.containment.held.clock_in_doubt, doubt);
        if before == doubt {
            return;
        }
        match (before, doubt) {
            (None, Some(doubt)) => {
                self.dates.begin(self.deps.clock.now());
                tracing::error!(
                    jumped_by_s = doubt.by.as_secs(),
                    "the machine's clock jumped; nothing is dialled or sent and nothing expires until two dates of the \
                     platform agree with it, or an operator confirms it with `ringmaster clock confirm`"
                );
            }
            (Some(_), None) => {
                self.dates.end();
                tracing::info!(now = %self.deps.clock.now(), "the machine's clock is confirmed; dialling goes on");
            }
            _ => {}
        }
        self.publish_held();
    }

    /// Another daemon has the store: nothing more is read, written or sent, and every part of this one says so. One of several
    /// nodes follows instead.
    pub(super) fn be_deposed(&mut self) {
        if self.is_deposed || !self.deps.trust.is_alone() {
            return;
        }
        self.step_down();
        self.is_deposed = true;
        self.containment.held.deposed_since = Some(self.deps.clock.now());
        self.publish_held();
    }

    pub(super) fn publish_held(&mut self) {
        let held = self.containment.held.clone();
        self.deps.metrics.set_aside(held.count(), held.stopped_since.is_some());
        self.deps.metrics.clock_in_doubt(held.clock_in_doubt.is_some());
        self.deps.metrics.deposed(held.deposed_since.is_some());
        self.deps.metrics.lineage_held(held.lineage_since.is_some());
        self.loads.held = held;
    }

    /// Drops what [`Scheduler::lead`] builds from what is stored. What the platforms asked for stays: pauses, rates,
    /// and answers that are still to come.
    pub(super) fn step_down(&mut self) {
        self.led = None;
        self.deps.metrics.leads(None);
        self.containment.clear();
        self.intended.clear();
        self.waiting_for_list.clear();
        self.gates.clear();
        self.budgets = Budgets::default();
        self.hang_ups = HangUps::default();
        self.overdue = Overdue::default();
        self.left_alone.clear();
        self.loads.in_use = InUse::default();
        self.loads.seats = Seats::default();
        self.loads.offers = Offers::default();
        self.publication = Publication::default();
    }

    /// The load after the last batch. Public for simulations; others read what is published.
    #[must_use]
    pub const fn loads(&self) -> &Loads {
        &self.loads
    }

    /// What calls in progress hold, as counted; none while the count has to be built again.
    #[must_use]
    pub fn in_use(&self) -> Option<InUse> {
        let leads = self.deps.trust.is_alone() || self.led.is_some();
        let is_known =
            leads && self.containment.held.stopped_since.is_none() && !self.containment.must_rebuild;
        is_known.then(|| self.loads.in_use.clone())
    }

    /// Takes the oldest intents of each account out of its queue, as many as it has room for. Messages overtake calls
    /// that may not leave yet.
    pub(super) fn take_ready(&mut self) -> Vec<(AccountAlias, Intended)> {
        let mut ready = Vec::new();
        for (account, queue) in &mut self.intended {
            let Some(pace) = self.paces.get_mut(account) else { continue };
            let mut places = pace.places();
            let mut calls_leave = true;
            let mut later = Vec::new();
            while places > 0
                && let Some(intended) = queue.pop_front()
            {
                if matches!(intended, Intended::Call(_)) {
                    calls_leave = calls_leave && pace.call_may_leave();
                    if !calls_leave {
                        later.push(intended);
                        continue;
                    }
                }
                places -= 1;
                ready.push((account.clone(), intended));
            }
            for intended in later.into_iter().rev() {
                queue.push_front(intended);
            }
        }
        ready
    }

    /// Puts intents back to where they were taken from.
    pub(super) fn give_back(&mut self, intents: Vec<(AccountAlias, Intended)>) {
        for (account, intended) in intents.into_iter().rev() {
            self.intended.entry(account).or_default().push_front(intended);
        }
    }
}
