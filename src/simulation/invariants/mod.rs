//! Checks invariants of everything that a daemon commits and sends.
//!
//! The world's oracle sees what reaches the platform. This checker sees each commit: whether any state goes
//! backwards, whether a slot is taken without a live attempt, and whether a request left before its commit.

mod backwards;
mod campaigns;
mod previews;
mod requests;
mod seats;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use backwards::backwards;
use campaigns::{Begun, Conduct};
use seats::Desks;
pub(in crate::simulation) use seats::Fed;

use crate::clock::Clock;
use crate::domain::timeline::Entry;
use crate::domain::{
    Attempt, AttemptId, CallPermission, Callback, CallbackId, Holds, InUse, MessageId, Numbers, Pair,
    PairKey, Pause, Person, PersonId, Stage, State,
};
use crate::platform::LeaveBy;
use crate::scheduler::Scheduler;
use crate::simulation::verbs::store_verbs;
use crate::simulation::verbs::types::*;
use crate::store::{
    AgentReads, Audits, Batch, Bulks, CallUp, CalledUp, CampaignReads, Erasures, Groups, Imports, Inbox,
    Keys, Lineages, Members, NewCommand, Nodes, Orders, Outbox, OutboxRow, PersonZones, Records, Related,
    Report, Reporting, Result, Store, Suppressions, Tokens, Turns,
};
use crate::twilio::{Body, Request, Response, Transport, TransportError};
use crate::webhooks::Topic;

/// Everything committed so far.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Seen {
    attempts: BTreeMap<AttemptId, Attempt>,
    callbacks: BTreeMap<CallbackId, State>,
    /// What each live attempt holds.
    live: BTreeMap<AttemptId, Holds>,
    /// Pairs whose consumer calls.
    inbound: BTreeSet<PairKey>,
    /// Whose call each live attempt is.
    holders: BTreeMap<AttemptId, PersonId>,
    /// How many calls each person had in the last commit.
    calls: BTreeMap<PersonId, usize>,
    permissions: BTreeMap<PairKey, CallPermission>,
    submitted: BTreeSet<AttemptId>,
    /// When submissions were committed whose requests have not left yet, calls and messages apart.
    fresh: [VecDeque<Timestamp>; 2],
    stages: BTreeMap<MessageId, Stage>,
    /// The callbacks of messages.
    messages: BTreeMap<MessageId, CallbackId>,
    /// Callbacks that were canceled or closed.
    over: BTreeSet<CallbackId>,
    created: BTreeSet<String>,
    desks: Desks,
    /// Attempts whose seats were looked at.
    seated: BTreeSet<AttemptId>,
    /// Callbacks of which an agent has accepted an offer.
    accepted: BTreeSet<CallbackId>,
    /// Reports that were new in the inbox.
    filed: usize,
    problems: Vec<String>,
    campaigns: Conduct,
    /// Whether customer webhooks are configured.
    tells: bool,
}

/// Puts the checks around the store and the transport of a daemon that is not in a [`Simulation`].
///
/// [`Simulation`]: super::Simulation
#[derive(Clone)]
pub struct InvariantChecks {
    seen: Arc<Mutex<Seen>>,
    clock: Arc<dyn Clock>,
}

impl InvariantChecks {
    /// `clock` is the one of the daemon; no customer webhooks may be configured.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { seen: Arc::default(), clock }
    }

    #[must_use]
    pub fn store(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Checked { inner, seen: self.seen.clone(), clock: self.clock.clone() })
    }

    #[must_use]
    pub fn transport(&self, inner: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Checked { inner, seen: self.seen.clone(), clock: self.clock.clone() })
    }

    /// Checks what the scheduler counts after a turn.
    pub fn counted(&self, scheduler: &Scheduler) {
        look(&self.seen).counted(scheduler);
    }

    /// The invariants that were violated.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        look(&self.seen).problems().to_vec()
    }
}

/// A store or transport of the daemon, with its checks.
pub(in crate::simulation) struct Checked<T: ?Sized> {
    pub(in crate::simulation) inner: Arc<T>,
    pub(in crate::simulation) seen: Arc<Mutex<Seen>>,
    pub(in crate::simulation) clock: Arc<dyn Clock>,
}

const CALL: usize = 0;
const MESSAGE: usize = 1;
const FIRST_BYTE: SignedDuration = SignedDuration::from_millis(250);

pub(in crate::simulation) fn look(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    pub(in crate::simulation) fn new(tells: bool) -> Self {
        Self { tells, ..Self::default() }
    }

    pub(in crate::simulation) fn filed(&self) -> usize {
        self.filed
    }

    pub(in crate::simulation) fn problem(&mut self, what: String) {
        self.problems.push(what);
    }

    pub(in crate::simulation) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What was stored before this daemon.
    pub(in crate::simulation) fn found(&mut self, attempts: &[Attempt], inbound: &[Pair]) {
        self.live.extend(attempts.iter().map(|attempt| (attempt.id, attempt.holds.clone())));
        self.inbound.extend(inbound.iter().map(|pair| pair.key));
    }

    /// What the scheduler counts as in use after a turn is what the calls in progress hold.
    pub(in crate::simulation) fn counted(&mut self, scheduler: &Scheduler) {
        if let Some(in_use) = scheduler.in_use() {
            self.in_use(&in_use);
        }
    }

    fn in_use(&mut self, in_use: &InUse) {
        let mut expected = InUse::default();
        self.live.values().for_each(|holds| expected.take(holds));
        self.inbound.iter().for_each(|pair| expected.take(&Holds::inbound(pair.sender)));
        if expected != *in_use {
            self.problem(format!("in use are {in_use:?}, but calls in progress hold {expected:?}"));
        }
    }

    fn committed(&mut self, now: Timestamp, batch: &Batch) {
        let begun = Begun::of(self, batch);
        self.wrap_up(batch);
        for message in &batch.messages {
            let stage = message.submission.stage;
            let before = self.stages.insert(message.id, stage);
            self.messages.extend(message.callback.map(|callback| (message.id, callback)));
            if stage == Stage::Submitting && before != Some(stage) {
                self.fresh[MESSAGE].push_back(now);
            }
        }
        for attempt in &batch.attempts {
            let before = self.attempts.get(&attempt.id).map(|before| before.submission.stage);
            if attempt.submission.stage == Stage::Submitting && before != Some(Stage::Submitting) {
                self.fresh[CALL].push_back(now);
            }
            if let Some(before) = self.attempts.get(&attempt.id) {
                let problems = backwards(before, attempt);
                self.problems.extend(problems);
            }
            if attempt.submission.stage == Stage::Submitting {
                self.submitted.insert(attempt.id);
            }
            match attempt.is_live() {
                true => _ = self.live.insert(attempt.id, attempt.holds.clone()),
                false => _ = self.live.remove(&attempt.id),
            }
            self.attempts.insert(attempt.id, attempt.clone());
        }
        for (gone, _) in &batch.united {
            self.inbound.retain(|pair| pair.person != *gone);
        }
        for pair in &batch.pairs {
            match pair.live_inbound {
                Some(_) => _ = self.inbound.insert(pair.key),
                None => _ = self.inbound.remove(&pair.key),
            }
        }
        for pair in &batch.pairs {
            self.consent(pair, &batch.entries);
        }
        for callback in &batch.callbacks {
            self.callback(callback, &batch.outbox);
        }
        self.conduct(batch, &begun);
        let over = batch.callbacks.iter().filter(|callback| is_over(callback));
        self.over.extend(over.map(|callback| callback.id));
        self.take_holders(batch);
        for attempt in &batch.attempts {
            self.slot_of(attempt);
        }
        self.seats(batch);
        self.previews(batch);
        for person in &batch.persons {
            self.calls_of(person, !batch.united.is_empty());
        }
        for callback in &batch.callbacks {
            if let State::Calling { attempt } = callback.state
                && !self.attempts.get(&attempt).is_some_and(Attempt::is_live)
            {
                self.problem(format!("{} is calling with {attempt}, which does not live", callback.id));
            }
        }
    }

    /// A callback closes once, and the same commit has the webhook to the customer.
    fn callback(&mut self, callback: &Callback, outbox: &[OutboxRow]) {
        let id = callback.id;
        let before = self.callbacks.insert(id, callback.state.clone());
        let was_closed = matches!(before, Some(State::Closed(_)));
        let is_closed = matches!(callback.state, State::Closed(_));
        if was_closed && before.as_ref() != Some(&callback.state) {
            self.problem(format!(
                "{id} was closed, and its end was changed: {before:?}, {:?}",
                callback.state
            ));
        }
        let closed = Topic::Closed.of(callback.order.kind);
        let told = outbox.iter().filter(|row| row.subject == id.into() && row.what == closed).count();
        let should = usize::from(self.tells && is_closed && !was_closed);
        if told != should {
            self.problem(format!("the end of {id} was told {told} times in its commit, not {should}"));
        }
    }

    /// A commit that changes a permission has a timeline line about it.
    fn consent(&mut self, pair: &Pair, entries: &[Entry]) {
        let before = self.permissions.insert(pair.key, pair.permission).unwrap_or(CallPermission::None);
        let is_of = |numbers: Numbers| {
            numbers.sender == pair.key.sender && PersonId::of(numbers.consumer) == pair.key.person
        };
        let tells = |entry: &Entry| entry.pair.is_some_and(is_of) && entry.what.starts_with("permission.");
        if before != pair.permission && !entries.iter().any(tells) {
            self.problem(format!("{before:?} became {:?}, and no line tells why", pair.permission));
        }
    }

    /// An attempt whose call may exist holds its person.
    fn slot_of(&mut self, attempt: &Attempt) {
        let is_held = self.holders.contains_key(&attempt.id);
        if attempt.is_live() && !is_held {
            let stage = attempt.submission.stage;
            self.problem(format!("{} is {stage:?} and live, and its person is free", attempt.id));
        }
        if !attempt.is_live() && is_held {
            self.problem(format!("{} is over, and its person is still taken", attempt.id));
        }
    }

    /// One call at a time for each person, and only a live one.
    fn calls_of(&mut self, person: &Person, was_united: bool) {
        for holder in &person.live {
            if !self.attempts.get(holder).is_some_and(Attempt::is_live) {
                self.problem(format!("a person is taken by {holder}, which does not live"));
            }
        }
        let before = self.calls.insert(person.id, person.live.len()).unwrap_or(0);
        if person.live.len() > before.max(1) && !was_united {
            self.problem(format!("a person has {} calls at once", person.live.len()));
        }
    }

    fn take_holders(&mut self, batch: &Batch) {
        let united: BTreeSet<PersonId> = batch.united.iter().map(|(id, _)| *id).collect();
        let written: BTreeSet<PersonId> = batch.persons.iter().map(|person| person.id).collect();
        self.holders.retain(|_, person| !united.contains(person) && !written.contains(person));
        for person in &batch.persons {
            self.holders.extend(person.live.iter().map(|attempt| (*attempt, person.id)));
        }
    }
}

fn is_over(callback: &Callback) -> bool {
    !callback.needs_its_call() || callback.is_closed()
}

#[async_trait]
impl Transport for Checked<dyn Transport> {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        if request.leave_by.as_ref().is_some_and(LeaveBy::is_over) {
            return self.inner.send(request).await;
        }
        if request.method == http::Method::POST {
            match &request.body {
                Body::Form(pairs) => look(&self.seen).posted(self.clock.now(), &request.url, pairs),
                Body::Json(body) => look(&self.seen).posted_json(self.clock.now(), &request.url, body),
                Body::None => {}
            }
        }
        self.inner.send(request).await
    }
}

impl Checked<dyn Store> {
    async fn record(&self, batch: Batch) -> Result<()> {
        let copy = batch.clone();
        self.inner.record(batch).await?;
        look(&self.seen).committed(self.clock.now(), &copy);
        Ok(())
    }

    async fn append_reports(&self, reports: Vec<Report>) -> Result<Vec<bool>> {
        let new = self.inner.append_reports(reports).await?;
        look(&self.seen).filed += new.iter().filter(|new| **new).count();
        Ok(new)
    }

    async fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Attempt>> {
        self.inner.attempts(ids).await
    }

    async fn append_command(&self, command: NewCommand) -> Result<bool> {
        look(&self.seen).accepts(&command);
        self.inner.append_command(command).await
    }

    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>> {
        self.inner.pauses(now).await
    }

    async fn related(&self, keys: &Keys) -> Result<Related> {
        self.inner.related(keys).await
    }

    async fn beat(&self, beat: Beat) -> Result<Beaten> {
        self.inner.beat(beat).await
    }

    async fn suppress(&self, new: NewSuppressions) -> Result<Suppressed> {
        self.inner.suppress(new).await
    }

    async fn callbacks_at_gates(&self, calls: &[CallUp]) -> Result<Vec<CalledUp>> {
        self.inner.callbacks_at_gates(calls).await
    }
}

macro_rules! witnessed_store {
    (
        $port:ident
        by_hand { $(fn $own:ident($($o:ident: $ot:ty),*) -> $or:ty;)* }
        writes { $(fn $write:ident($($w:ident: $wt:ty),*) -> $wr:ty;)* }
        reads { $(fn $read:ident($($r:ident: $rt:ty),*) -> $rr:ty;)* }
    ) => {
        #[async_trait]
        impl $port for Checked<dyn Store> {
            $(async fn $own(&self, $($o: $ot),*) -> Result<$or> {
                Self::$own(self, $($o),*).await
            })*
            $(async fn $write(&self, $($w: $wt),*) -> Result<$wr> {
                self.inner.$write($($w),*).await
            })*
            $(async fn $read(&self, $($r: $rt),*) -> Result<$rr> {
                self.inner.$read($($r),*).await
            })*
        }
    };
}

store_verbs!(witnessed_store);
