//! One turn: read, fold, decide, commit, act. The order is the promise: nothing leaves before its intent is
//! committed, and nothing is decided on what was not yet taken in.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::act::{self, Done, Effect, News};
use super::reconcile::Subject;
use super::work::Work;
use super::{Intended, Next, Scheduler, consent, decide, fold, gauge, reconcile, settle};
use crate::domain::{
    AccountAlias, AttemptId, Callback, CallbackId, Event, Gate, MessageId, PairKey, Phone, Stage, State,
};
use crate::failpoint::failpoint;
use crate::policy::Loads;
use crate::store::{self, FiledReport, Store};

/// What one turn knows and has decided so far.
pub(super) struct Turn<'a> {
    pub(super) now: Timestamp,
    pub(super) scheduler: &'a mut Scheduler,
    pub(super) work: Work,
    /// A copy: it replaces the shared one when the batch is committed.
    pub(super) loads: Loads,
    /// What leaves once the batch is committed.
    pub(super) effects: Vec<Effect>,
    /// What was opened and may be submitted in the next turn.
    pub(super) opened: Vec<(AccountAlias, Intended)>,
    /// What has been silent for too long.
    pub(super) silent: Vec<Subject>,
    /// Pairs whose consumer called and was answered.
    pub(super) answered_callers: BTreeSet<PairKey>,
    /// A slot was freed at a sender or of a campaign whose gate somebody waits at.
    slot_freed: bool,
    /// Error codes of the platform that were not heard before.
    pub(super) codes: Vec<u32>,
    answers: Vec<Done>,
    /// Committed intents that this turn may submit: as many as their accounts have room for, so that a turn does
    /// not read a long queue.
    ready: Vec<(AccountAlias, Intended)>,
    /// Those of them that found no room after all.
    kept: Vec<(AccountAlias, Intended)>,
}

impl<'a> Turn<'a> {
    pub(super) fn begin(scheduler: &'a mut Scheduler) -> Self {
        let now = scheduler.gear.clock.now();
        if now < scheduler.last_turn_at {
            scheduler.silences.step_back(scheduler.last_turn_at.duration_since(now));
        }
        scheduler.last_turn_at = now;
        gather_answers(scheduler, now);
        let mut loads = scheduler.loads();
        loads.paused_senders.retain(|_, (until, _)| *until > now);
        for (alias, pace) in &mut scheduler.paces {
            pace.sync(now);
            loads.accounts.insert(alias.clone(), pace.view());
        }
        Self {
            now,
            work: Work::default(),
            loads,
            effects: Vec::new(),
            opened: Vec::new(),
            silent: scheduler.silences.due(now, scheduler.questions.available_permits()),
            answered_callers: BTreeSet::new(),
            slot_freed: false,
            codes: Vec::new(),
            answers: std::mem::take(&mut scheduler.answers),
            ready: take_ready(scheduler, now),
            kept: Vec::new(),
            scheduler,
        }
    }

    /// One call more, or one less, is in progress at a sender.
    pub(super) fn count_call(&mut self, sender: Phone, delta: i32) {
        let live = self.loads.live_calls.entry(sender).or_default();
        *live = live.saturating_add_signed(delta);
        if *live == 0 {
            self.loads.live_calls.remove(&sender);
        }
        self.slot_freed |= delta < 0 && self.scheduler.gates.contains(&Gate::Sender(sender));
    }

    /// Notes the code of something that has just failed with one.
    pub(super) fn hear_code(&mut self, before: Option<u32>, after: Option<u32>) {
        self.codes.extend(after.filter(|_| before.is_none()));
    }

    /// As [`Turn::count_call`] for the campaign of a callback, where it has one with a ceiling.
    pub(super) fn count_campaign(&mut self, callback: CallbackId, delta: i32) {
        let campaign = self.work.callbacks.get(callback).and_then(|callback| callback.order.campaign.clone());
        let Some(name) = campaign.filter(|name| self.scheduler.gear.rules.campaigns.contains_key(name))
        else {
            return;
        };
        let live = self.loads.campaign_calls.entry(name.clone()).or_default();
        *live = live.saturating_add_signed(delta);
        if *live == 0 {
            self.loads.campaign_calls.remove(&name);
        }
        self.slot_freed |= delta < 0 && self.scheduler.gates.contains(&Gate::Campaign(name));
    }
}

/// Takes a whole turn.
pub(super) async fn take(scheduler: &mut Scheduler) -> store::Result<Next> {
    let max = scheduler.gear.settings.turn_max;
    let store = scheduler.gear.store.clone();
    let mut turn = Turn::begin(scheduler);
    let now = turn.now;
    let read = read(&mut turn, &*store, max).await;
    let (reports, wanting) = match read {
        Ok(read) => read,
        Err(error) => {
            turn.undo();
            return Err(error);
        }
    };
    let busy = reports.len() == max || wanting.len() >= max;
    take_in(&mut turn, reports);
    submit(&mut turn);
    reconcile::ask_about_silence(&mut turn);
    if let Err(error) = decide_all(&mut turn, &*store, wanting).await {
        turn.undo();
        return Err(error);
    }
    if commit(turn).await? || busy {
        return Ok(Next::Again);
    }
    // Lets the requests leave, and takes what came in meanwhile.
    tokio::task::yield_now().await;
    gather_answers(scheduler, now);
    if !scheduler.answers.is_empty() {
        return Ok(Next::Again);
    }
    let next_wake = store.next_wake().await?;
    Ok(Next::Sleep([next_wake, scheduler.own_alarm(now)].into_iter().flatten().min()))
}

/// Records the answers that came in, and nothing else: no new request leaves.
pub(super) async fn settle_only(scheduler: &mut Scheduler) -> store::Result<()> {
    let store = scheduler.gear.store.clone();
    let mut turn = Turn::begin(scheduler);
    load(&mut turn, &*store, &[]).await?;
    take_in(&mut turn, Vec::new());
    turn.effects.clear();
    turn.kept = std::mem::take(&mut turn.ready);
    commit(turn).await?;
    Ok(())
}

fn gather_answers(scheduler: &mut Scheduler, now: Timestamp) {
    let waiting = std::mem::take(&mut scheduler.heard);
    let more = std::iter::from_fn(|| scheduler.done.try_recv().ok());
    for done in waiting.into_iter().chain(more).collect::<Vec<_>>() {
        if let Some(health) = &done.health
            && let Some(pace) = scheduler.paces.get_mut(&done.account)
        {
            pace.answered(now, health);
        }
        scheduler.answers.push(done);
    }
}

/// Takes the oldest intents of each account out of its queue, as many as it has room for; messages overtake calls
/// that may not leave yet.
fn take_ready(scheduler: &mut Scheduler, now: Timestamp) -> Vec<(AccountAlias, Intended)> {
    let mut ready = Vec::new();
    for (account, queue) in &mut scheduler.intended {
        let Some(pace) = scheduler.paces.get_mut(account) else { continue };
        let mut places = pace.places();
        let mut calls_leave = true;
        let mut later = Vec::new();
        while places > 0
            && let Some(intended) = queue.pop_front()
        {
            if matches!(intended, Intended::Call(_)) {
                calls_leave = calls_leave && pace.call_may_leave(now);
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
fn give_back(scheduler: &mut Scheduler, intents: Vec<(AccountAlias, Intended)>) {
    for (account, intended) in intents.into_iter().rev() {
        scheduler.intended.entry(account).or_default().push_front(intended);
    }
}

/// Reads what is new, what is due and who is called up, with all that they speak of.
async fn read(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    max: usize,
) -> store::Result<(Vec<FiledReport>, Vec<Callback>)> {
    let (reports, due) = tokio::try_join!(store.unfolded_reports(max), store.due_callbacks(turn.now, max))?;
    gauge::lateness(&turn.scheduler.gear.metrics, turn.now, &due);
    let mut wanting = due;
    wanting.extend(call_up(turn, store, max).await?);
    load(turn, store, &reports).await?;
    Ok((reports, wanting))
}

/// Calls up who waits at a gate that has opened, as many as it has room for.
async fn call_up(turn: &mut Turn<'_>, store: &dyn Store, max: usize) -> store::Result<Vec<Callback>> {
    let mut called = Vec::new();
    for gate in turn.scheduler.gates.clone() {
        let room = room_at(turn, &gate).min(max);
        if room == 0 {
            continue;
        }
        let waiting = store.callbacks_at_gate(&gate, room).await?;
        if waiting.len() < room {
            turn.scheduler.gates.remove(&gate);
        }
        called.extend(waiting);
    }
    Ok(called)
}

/// How many a gate may let through now; who finds its share taken goes back to the gate.
fn room_at(turn: &Turn<'_>, gate: &Gate) -> usize {
    let gear = &turn.scheduler.gear;
    match gate {
        Gate::Account(alias) => turn.scheduler.paces.get(alias).map_or(0, |pace| pace.room(turn.now)),
        Gate::Sender(number) => {
            let own = gear.directory.sender(*number).and_then(|sender| sender.concurrent_calls_max);
            let max = own.unwrap_or(u32::MAX).min(gear.rules.limits.concurrent_calls_max);
            max.saturating_sub(turn.loads.live_calls(*number)) as usize
        }
        // Whoever waits at a ceiling that is gone from the configuration may go on.
        Gate::Campaign(name) => gear.rules.campaigns.get(name).map_or(usize::MAX, |max| {
            max.saturating_sub(turn.loads.campaign_calls.get(name).copied().unwrap_or(0)) as usize
        }),
    }
}

/// Reads everything that the reports, answers and intents speak of.
async fn load(turn: &mut Turn<'_>, store: &dyn Store, reports: &[FiledReport]) -> store::Result<()> {
    let mut wanted = Wanted::default();
    turn.silent.iter().for_each(|subject| wanted.by_silence(*subject));
    reports.iter().for_each(|report| wanted.by_event(&report.event));
    turn.answers.iter().for_each(|done| wanted.by_answer(done));
    turn.ready.iter().for_each(|(_, intended)| wanted.by_intent(*intended));

    for callback in store.callbacks(&Vec::from_iter(wanted.canceled)).await? {
        if let State::Calling { attempt } = callback.state {
            wanted.attempts.insert(attempt);
        }
        turn.work.callbacks.hold(callback.id, callback);
    }
    let mut attempts = store.attempts(&Vec::from_iter(wanted.attempts)).await?;
    attempts.extend(store.attempts_by_sid(&wanted.call_sids).await?);
    for attempt in attempts {
        wanted.pairs.insert(PairKey { sender: attempt.sender, consumer: attempt.consumer });
        wanted.callbacks.insert(attempt.callback);
        turn.work.attempts.hold(attempt.id, attempt);
    }
    let mut messages = store.messages(&Vec::from_iter(wanted.messages)).await?;
    for sid in &wanted.message_sids {
        messages.extend(store.message_by_sid(sid).await?);
    }
    for message in messages {
        wanted.pairs.insert(PairKey { sender: message.sender, consumer: message.consumer });
        wanted.callbacks.insert(message.callback);
        turn.work.messages.hold(message.id, message);
    }
    let pairs: Vec<PairKey> = wanted.pairs.into_iter().filter(|key| !turn.work.pairs.has(*key)).collect();
    let callbacks: Vec<CallbackId> =
        wanted.callbacks.into_iter().filter(|id| !turn.work.callbacks.has(*id)).collect();
    let (pairs, callbacks) = tokio::try_join!(store.pairs(&pairs), store.callbacks(&callbacks))?;
    for pair in pairs {
        turn.work.pairs.hold(pair.key, pair);
    }
    for callback in callbacks {
        turn.work.callbacks.hold(callback.id, callback);
    }
    Ok(())
}

/// What a turn must read before it can take anything in.
#[derive(Default)]
struct Wanted {
    attempts: BTreeSet<AttemptId>,
    messages: BTreeSet<MessageId>,
    message_sids: Vec<String>,
    call_sids: Vec<String>,
    callbacks: BTreeSet<CallbackId>,
    canceled: BTreeSet<CallbackId>,
    pairs: BTreeSet<PairKey>,
}

impl Wanted {
    fn by_event(&mut self, event: &Event) {
        match event {
            Event::Call(report) => _ = self.attempts.insert(report.attempt),
            Event::DocumentFetched { attempt, .. } => _ = self.attempts.insert(*attempt),
            Event::Connected(report) => _ = self.attempts.insert(report.attempt),
            Event::CancelRequested { callback } => _ = self.canceled.insert(*callback),
            Event::PermissionReply(reply) => {
                self.pairs.insert(PairKey { sender: reply.sender, consumer: reply.consumer });
            }
            Event::AttemptResolved(word) => _ = self.attempts.insert(word.attempt),
            Event::MessageResolved(word) => _ = self.messages.insert(word.message),
            Event::OperatorWord(word) => {
                self.pairs.insert(PairKey { sender: word.sender, consumer: word.consumer });
            }
            Event::InboundMessage { sender, consumer, .. } | Event::InboundCall { sender, consumer, .. } => {
                self.pairs.insert(PairKey { sender: *sender, consumer: *consumer });
            }
            Event::Message(report) => match report.message {
                Some(message) => _ = self.messages.insert(message),
                None => self.message_sids.push(report.sid.clone()),
            },
        }
    }

    fn by_silence(&mut self, subject: Subject) {
        match subject {
            Subject::Attempt(attempt) => _ = self.attempts.insert(attempt),
            Subject::Message(message) => _ = self.messages.insert(message),
            Subject::Inbound(key) => _ = self.pairs.insert(key),
        }
    }

    fn by_answer(&mut self, done: &Done) {
        match &done.news {
            News::Call { attempt, .. } | News::Asked { attempt, .. } => _ = self.attempts.insert(*attempt),
            News::Message { message, .. } => _ = self.messages.insert(*message),
            News::Sought { attempt, finding } => {
                self.attempts.insert(*attempt);
                self.call_sids.extend(finding.found().into_iter().flatten().map(|call| call.sid.clone()));
            }
            News::SoughtMessage { message, finding } => {
                self.messages.insert(*message);
                let found = finding.found().into_iter().flatten();
                self.message_sids.extend(found.map(|message| message.sid.clone()));
            }
            News::AskedInbound { key, .. } => _ = self.pairs.insert(*key),
            News::HungUp => {}
        }
    }

    fn by_intent(&mut self, intended: Intended) {
        match intended {
            Intended::Call(attempt) => _ = self.attempts.insert(attempt),
            Intended::Message(message) => _ = self.messages.insert(message),
        }
    }
}

async fn hold_pairs(turn: &mut Turn<'_>, store: &dyn Store, keys: &BTreeSet<PairKey>) -> store::Result<()> {
    let missing: Vec<PairKey> = keys.iter().copied().filter(|key| !turn.work.pairs.has(*key)).collect();
    for pair in store.pairs(&missing).await? {
        turn.work.pairs.hold(pair.key, pair);
    }
    Ok(())
}

/// Takes in the answers to our requests, then the reports.
fn take_in(turn: &mut Turn<'_>, reports: Vec<FiledReport>) {
    for done in turn.answers.clone() {
        settle::answer(turn, &done.news);
    }
    for report in reports {
        fold::report(turn, report.received_at, &report.event);
        turn.work.folded.push(report.seq);
    }
}

/// Moves committed intents on to submission, as far as their accounts have room.
fn submit(turn: &mut Turn<'_>) {
    for (account, intended) in turn.ready.clone() {
        if !act::submit(turn, intended) {
            turn.kept.push((account, intended));
        }
    }
}

/// Decides for everyone who is due, called up, or whose pair has news: urgent first.
pub(super) async fn decide_all(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    wanting: Vec<Callback>,
) -> store::Result<()> {
    let stirred: BTreeSet<Phone> = turn.work.pairs.changed().map(|(key, _)| key.consumer).collect();
    let stirred = store.waiting_callbacks_to(&Vec::from_iter(stirred)).await?;
    for callback in wanting.into_iter().chain(stirred) {
        turn.work.callbacks.hold(callback.id, callback);
    }
    fold::close_answered_callers(turn);
    let mut waiting: Vec<_> = turn
        .work
        .callbacks
        .values()
        .filter(|callback| matches!(callback.state, State::Waiting(_)))
        .map(|callback| (callback.rank(), callback.id))
        .collect();
    waiting.sort_unstable();
    let callbacks = waiting.iter().filter_map(|(_, id)| turn.work.callbacks.get(*id));
    let pairs: BTreeSet<PairKey> = callbacks
        .flat_map(|callback| {
            let consumer = callback.order.consumer;
            callback.order.senders.iter().map(move |&sender| PairKey { sender, consumer })
        })
        .collect();
    hold_pairs(turn, store, &pairs).await?;
    for key in pairs {
        consent::lapse(turn, key, turn.now);
    }
    for (_, id) in waiting {
        decide::next(turn, id);
    }
    Ok(())
}

/// Commits the batch and lets the effects go. Whether there is more to do at once.
pub(super) async fn commit(turn: Turn<'_>) -> store::Result<bool> {
    let silences = silences(&turn);
    let tally = gauge::Tally::of(&turn);
    let Turn {
        now, scheduler, work, loads, effects, opened, codes, answers, ready, kept, slot_freed, ..
    } = turn;
    let gear = &scheduler.gear;
    let batch =
        work.into_batch(|topic, callback| gear.herald.tell(|| gear.mint.uuid(now), now, topic, callback));
    let tells = !batch.outbox.is_empty();
    failpoint!("intent.uncommitted", !opened.is_empty());
    failpoint!("submission.uncommitted", effects.iter().any(Effect::creates));
    failpoint!("answer.uncommitted", answers.iter().any(|done| done.health.is_some()));
    if !batch.is_empty()
        && let Err(error) = scheduler.gear.store.record(batch).await
    {
        act::unsend(scheduler, &effects);
        scheduler.answers = answers;
        give_back(scheduler, ready);
        return match error {
            store::Error::Conflict => Ok(true),
            error => Err(error),
        };
    }
    failpoint!("intent.committed", !opened.is_empty());
    failpoint!("submission.committed", effects.iter().any(Effect::creates));
    failpoint!("answer.committed", answers.iter().any(|done| done.health.is_some()));
    for (subject, due_at) in silences {
        scheduler.silences.listen(subject, due_at);
    }
    tally.count(&scheduler.gear.metrics);
    gauge::codes(&scheduler.gear.metrics, &mut scheduler.told, &codes);
    if tells {
        scheduler.gear.herald.committed();
    }
    scheduler.publish(loads);
    // Who waits at a gate was called up before the slot was free.
    let more = !opened.is_empty() || slot_freed;
    give_back(scheduler, kept);
    for (account, intended) in opened {
        scheduler.intended.entry(account).or_default().push_back(intended);
    }
    for effect in effects {
        act::perform(scheduler, effect);
    }
    Ok(more)
}

/// When to ask about what has changed, should nothing be heard of it.
fn silences(turn: &Turn<'_>) -> Vec<(Subject, Option<Timestamp>)> {
    let patience = &turn.scheduler.gear.settings.patience;
    let (unknown, in_progress) = (turn.now + patience.unknown, turn.now + patience.in_progress);
    let attempts = turn
        .work
        .attempts
        .changed()
        .map(|(id, attempt)| (Subject::Attempt(id), attempt.news_due_at.filter(|_| attempt.is_live())));
    let messages = turn.work.messages.changed().map(|(id, message)| {
        let is_unknown = message.submission.stage == Stage::Unknown;
        (Subject::Message(id), is_unknown.then_some(unknown))
    });
    let inbound = turn
        .work
        .pairs
        .changed()
        .map(|(key, pair)| (Subject::Inbound(key), pair.live_inbound.is_some().then_some(in_progress)));
    attempts.chain(messages).chain(inbound).collect()
}

impl Turn<'_> {
    /// The turn could not be finished: what it had taken in hand is taken in again by the next.
    fn undo(self) {
        act::unsend(self.scheduler, &self.effects);
        self.scheduler.answers = self.answers;
        give_back(self.scheduler, self.ready);
    }
}
