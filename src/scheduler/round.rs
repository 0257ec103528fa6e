//! One turn: read, fold, decide, commit, act. The order matters: nothing is sent before its intent is
//! committed, and nothing is decided before all known events are applied.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::containment::At;
use super::current::park;
use super::overdue::Subject;
use super::request::{Done, Effect, News};
use super::state::{Intended, Scheduler};
use super::turn::Turn;
use super::working_set::WorkingSet;
use super::{
    answers, cancellations, ceilings, decide, fold, load, metrics, outbound, people, permission_log,
    reconcile, settle,
};
use crate::domain::callback::Waiting;
use crate::domain::{
    AccountAlias, Callback, CallbackId, ClockMark, Name, Numbers, PairKey, Person, PersonId, Phone, Stage,
    State, spelling,
};
use crate::failpoint::failpoint;
use crate::panics::{Panicked, contain};
use crate::store::{self, Batch, DecideKeys, FiledReport, Store, ToDecide, Unmatched};

/// Whether a turn left something to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Again,
    /// Nothing to do before this time or a wake-up.
    Sleep(Option<Timestamp>),
}

pub(super) fn begin(scheduler: &mut Scheduler) -> Turn<'_> {
    gather_answers(scheduler, scheduler.deps.clock.now());
    scheduler.look_at_clock();
    scheduler.dates.is_news = false;
    let now = scheduler.deps.clock.now();
    if now < scheduler.last_turn_at {
        scheduler.overdue.step_back(scheduler.last_turn_at.duration_since(now));
    }
    scheduler.last_turn_at = now;
    let mut loads = scheduler.loads.clone();
    loads.held = scheduler.containment.held.clone();
    loads.paused_senders.retain(|_, (until, _)| *until > now);
    for (alias, pace) in &mut scheduler.paces {
        pace.sync(now);
        loads.accounts.insert(alias.clone(), pace.view());
    }
    Turn {
        now,
        work: WorkingSet::default(),
        looked_up: BTreeSet::new(),
        loads,
        budgets: scheduler.budgets.clone(),
        effects: Vec::new(),
        opened: Vec::new(),
        silent: scheduler.questions.take(now, &scheduler.overdue),
        answered_callers: BTreeSet::new(),
        released: BTreeSet::new(),
        called_up: Vec::new(),
        slot_freed: false,
        nobody: None,
        recalled: Vec::new(),
        canceled: Vec::new(),
        endings: Vec::new(),
        clock_is_confirmed: false,
        codes: Vec::new(),
        answers: std::mem::take(&mut scheduler.answers),
        ready: Vec::new(),
        read: 0,
        kept: Vec::new(),
        scheduler,
    }
}

/// The result of a turn.
pub(super) enum Taken {
    Done(Next),
    /// Its work was dropped, and nothing was written or sent.
    Panicked(Panicked),
}

/// Runs one turn.
pub(super) async fn take(scheduler: &mut Scheduler) -> store::Result<Taken> {
    scheduler.containment.clear();
    let max = scheduler.deps.settings.turn_max;
    let store = scheduler.deps.store.clone();
    let mut turn = begin(scheduler);
    let now = turn.now;
    let busy = match contain(work(&mut turn, &*store, max)).await {
        Ok(Ok(busy)) => busy,
        Ok(Err(error)) => {
            undo(turn);
            return Err(error);
        }
        Err(panicked) => {
            undo(turn);
            return Ok(Taken::Panicked(panicked));
        }
    };
    if commit(turn).await? || busy {
        return Ok(Taken::Done(Next::Again));
    }
    scheduler.containment.clear();
    // Let requests be sent, and take answers that arrived meanwhile.
    tokio::task::yield_now().await;
    gather_answers(scheduler, now);
    if !scheduler.answers.is_empty() || scheduler.dates.is_news || scheduler.containment.must_rebuild {
        return Ok(Taken::Done(Next::Again));
    }
    let next_wake = match scheduler.containment.held.is_everything() {
        true => None,
        false => store.next_wake().await?.filter(|at| *at < Waiting::NEVER),
    };
    Ok(Taken::Done(Next::Sleep([next_wake, scheduler.own_alarm(now)].into_iter().flatten().min())))
}

/// Reads, folds and decides. Returns whether there may be more to read.
async fn work(turn: &mut Turn<'_>, store: &dyn Store, max: usize) -> store::Result<bool> {
    let (reports, wanting) = load::read(turn, store, max).await?;
    let is_careful = turn.scheduler.containment.is_careful;
    let all_is_read = !is_careful && reports.len() < max;
    let busy = is_careful || !all_is_read || wanting.len() >= max;
    take_in(turn, reports);
    submit(turn);
    reconcile::ask_about_silence(turn);
    reconcile::ask_for_a_date(turn);
    turn.is_at_nothing();
    cancellations::plan(turn, all_is_read);
    decide_all(turn, store, wanting).await?;
    turn.slot_freed |= left_room(turn);
    Ok(busy)
}

/// Whether a callback from a gate did not take the room, and waits elsewhere or is closed: the next one may take it.
fn left_room(turn: &Turn<'_>) -> bool {
    turn.called_up.iter().any(|(id, gate)| match turn.work.callbacks.get(*id).map(|called| &called.state) {
        Some(State::Waiting(waiting)) => waiting.place.as_ref().is_none_or(|place| place.gate != *gate),
        Some(State::Closed(_)) => true,
        Some(State::Calling { .. }) | None => false,
    })
}

/// Records the answers that arrived. No new request is sent.
pub(super) async fn settle_only(scheduler: &mut Scheduler) -> store::Result<()> {
    let store = scheduler.deps.store.clone();
    let mut turn = begin(scheduler);
    load::load(&mut turn, &*store, &[]).await?;
    take_in(&mut turn, Vec::new());
    turn.effects.clear();
    commit(turn).await?;
    Ok(())
}

fn gather_answers(scheduler: &mut Scheduler, now: Timestamp) {
    let waiting = std::mem::take(&mut scheduler.heard);
    let more = std::iter::from_fn(|| scheduler.done.try_recv().ok());
    for done in waiting.into_iter().chain(more).collect::<Vec<_>>() {
        if let News::Date(date) = &done.news {
            scheduler.dates.answered(now);
            if let Some((at, date)) = date {
                scheduler.deps.clock_guard.told(at, *date);
            }
        }
        if let Some(health) = &done.health
            && let Some(pace) = scheduler.paces.get_mut(&done.account)
        {
            pace.answered(now, health);
        }
        if done.panicked {
            scheduler.count_panic(now);
        }
        scheduler.answers.push(done);
    }
}

/// Applies the answers to our requests, then the reports.
fn take_in(turn: &mut Turn<'_>, reports: Vec<FiledReport>) {
    for (index, done) in turn.answers.clone().into_iter().enumerate() {
        turn.scheduler.containment.at_answer = Some(index);
        if let Some(callback) = answers::callback(turn, &done.news) {
            if turn.is_set_aside(callback) {
                continue;
            }
            turn.is_at_callback(callback);
        }
        answers::take_in(turn, &done.news);
        turn.is_at_nothing();
    }
    turn.is_at_nothing();
    let mut of_nobody = Vec::new();
    for report in reports {
        let at = At::report(turn, &report);
        turn.is_at(at);
        let outcome = fold::report(turn, report.received_at, &report.event);
        if report.is_command {
            turn.work.outcomes.push((report.seq, outcome));
        } else {
            turn.work.folded.push(report.seq);
            if let Some((user_id, replied_to)) = turn.nobody.take() {
                let (seq, received_at) = (report.seq, report.received_at);
                turn.work.unmatched.push(Unmatched { seq, received_at, user_id, replied_to });
                of_nobody.push(report.clone());
            }
            // Commands have their own table, so their numbers do not show how far the reports were read.
            turn.read = turn.read.max(report.seq);
        }
    }
    // Unmatched reports whose person is known now.
    for report in std::mem::take(&mut turn.recalled) {
        let at = At::report(turn, &report);
        turn.is_at(at);
        fold::report(turn, report.received_at, &report.event);
        if turn.nobody.take().is_none() {
            turn.work.matched.push(report.seq);
        }
    }
    fold_again(turn, of_nobody);
    turn.is_at_nothing();
}

/// Folds the reports that named nobody again, as long as one of them names somebody now: a later report of the same
/// turn told who it is.
fn fold_again(turn: &mut Turn<'_>, mut of_nobody: Vec<FiledReport>) {
    let mut before = usize::MAX;
    while of_nobody.len() < before {
        before = of_nobody.len();
        of_nobody.retain(|report| {
            let at = At::report(turn, report);
            turn.is_at(at);
            fold::report(turn, report.received_at, &report.event);
            if turn.nobody.take().is_some() {
                return true;
            }
            turn.work.unmatched.retain(|unmatched| unmatched.seq != report.seq);
            false
        });
    }
}

/// Submits committed intents, as far as their accounts have room.
fn submit(turn: &mut Turn<'_>) {
    for (account, intended) in turn.ready.clone() {
        let callback = match intended {
            Intended::Call(id) => turn.work.attempts.get(id).map(|attempt| attempt.callback),
            Intended::Message(id) => turn.work.messages.get(id).and_then(|message| message.callback),
        };
        match callback {
            Some(callback) => turn.is_at_callback(callback),
            None => turn.is_at_nothing(),
        }
        if !outbound::submit(turn, intended) {
            turn.kept.push((account, intended));
        }
    }
    turn.is_at_nothing();
}

/// Decides about callbacks that are due, at an open gate, or whose pair changed; urgent ones first.
pub(super) async fn decide_all(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    wanting: Vec<Callback>,
) -> store::Result<()> {
    for callback in wanting {
        turn.work.callbacks.hold(callback.id, callback);
    }
    read_what_to_decide(turn, store).await?;
    fold::close_answered_callers(turn);
    leave_alone(turn);
    if turn.loads.held.is_everything() {
        return Ok(());
    }
    let numbers: BTreeSet<Numbers> = waiting(turn)
        .flat_map(|callback| {
            let consumer = callback.order.consumer;
            callback.order.senders.iter().map(move |&sender| Numbers { sender, consumer })
        })
        .collect();
    let pairs: BTreeSet<PairKey> = numbers.into_iter().map(|numbers| people::pair(turn, numbers)).collect();
    for key in pairs {
        permission_log::lapse(turn, key, turn.now);
    }
    let mut ids: Vec<CallbackId> = waiting(turn).map(|callback| callback.id).collect();
    ids.sort_by_cached_key(|id| {
        turn.work.callbacks.get(*id).map(|callback| callback.rank(decide::expires_at(turn, callback)))
    });
    for id in ids {
        turn.is_at_callback(id);
        decide::next(turn, id);
    }
    turn.is_at_nothing();
    Ok(())
}

/// Reads the callbacks of those whose record has changed, and what the rules look at for each callback.
async fn read_what_to_decide(turn: &mut Turn<'_>, store: &dyn Store) -> store::Result<()> {
    let consumers = waiting(turn).map(|callback| Name::Number(callback.order.consumer));
    let keys = DecideKeys {
        waiting_to: stirred(turn),
        names: consumers.filter(|name| !turn.looked_up.contains(name)).collect(),
        tokens: ceilings::unknown(turn, waiting(turn).filter_map(Callback::token)),
        known_names: turn.looked_up.clone(),
        known_tokens: turn.budgets.known(turn.now),
    };
    if keys.is_empty() {
        return Ok(());
    }
    let ToDecide { callbacks, names, people, budgets } = store.to_decide(turn.now, &keys).await?;
    for callback in callbacks {
        turn.work.callbacks.hold(callback.id, callback);
    }
    people::hold(turn, names, people);
    ceilings::learn(turn, budgets);
    Ok(())
}

/// The numbers of everybody whose record has changed, and of those who may be the same people.
fn stirred(turn: &Turn<'_>) -> BTreeSet<Phone> {
    let pairs = turn.work.pairs.changed().map(|(key, _)| key.person);
    let people: BTreeSet<PersonId> = pairs.chain(turn.work.persons.changed().map(|(id, _)| id)).collect();
    let known = people.into_iter().filter_map(|id| turn.work.persons.get(id));
    let numbers: BTreeSet<Phone> = known.flat_map(Person::numbers).collect();
    let alike = numbers.iter().flat_map(|&number| spelling::possibly(number)).flat_map(spelling::spellings);
    let alike: Vec<Phone> = alike.collect();
    numbers.into_iter().chain(alike).chain(turn.released.iter().copied()).collect()
}

/// The waiting callbacks that this turn decides about.
fn waiting<'a>(turn: &'a Turn<'_>) -> impl Iterator<Item = &'a Callback> {
    let all = turn.work.callbacks.values();
    all.filter(|callback| matches!(callback.state, State::Waiting(_)) && may_be_decided(turn, callback))
}

fn may_be_decided(turn: &Turn<'_>, callback: &Callback) -> bool {
    !turn.is_set_aside(callback.id) && !turn.released.contains(&callback.order.consumer)
}

/// Set-aside callbacks wait for an operator. Callbacks that may not be decided now are due as soon as they may.
fn leave_alone(turn: &mut Turn<'_>) {
    let is_stopped = turn.loads.held.is_everything();
    let ended = |turn: &Turn<'_>, id: CallbackId| {
        let ended =
            turn.work.set_aside_ended.iter().filter_map(|ended| turn.scheduler.containment.aside(ended.id));
        ended.filter_map(|item| item.callback).any(|callback| callback == id)
    };
    let left: Vec<CallbackId> = turn
        .work
        .callbacks
        .values()
        .filter(|callback| is_stopped || !may_be_decided(turn, callback))
        .map(|callback| callback.id)
        .collect();
    for id in left {
        if turn.is_set_aside(id) && !ended(turn, id) {
            turn.work.callbacks.change(id, park);
        } else {
            settle::look_again(turn, id);
        }
    }
}

/// Commits the batch and sends its effects. Returns whether there is more to do at once.
pub(super) async fn commit(turn: Turn<'_>) -> store::Result<bool> {
    let overdue = overdue(&turn);
    let tally = metrics::Tally::of(&turn);
    let ground = ground(&turn);
    let confirmed = turn.clock_is_confirmed.then(|| turn.scheduler.deps.clock.reading());
    let Turn {
        now,
        scheduler,
        work,
        loads,
        budgets,
        effects,
        opened,
        codes,
        answers,
        ready,
        kept,
        slot_freed,
        ..
    } = turn;
    let deps = &scheduler.deps;
    let trusted = confirmed.clone().map(|trusted| ClockMark { trusted, doubt: None });
    let mark = trusted.unwrap_or_else(|| deps.clock_guard.mark());
    let mut batch = work
        .into_batch(|topic, callback| deps.webhook_events.tell(|| deps.ids.uuid(now), now, topic, callback));
    batch.ground = ground;
    batch.clock = is_to_store(&mark, scheduler.clock_stored.as_ref(), &batch).then_some(mark);
    batch.published = scheduler.publication.due(now, &loads);
    let contents = Contents::of(&batch, &opened, &effects, &answers);
    let (clock, published) = (batch.clock.clone(), batch.published.clone());
    contents.fail_uncommitted();
    if !batch.is_empty()
        && let Err(error) = scheduler.write(batch).await
    {
        outbound::unsend(scheduler, &effects);
        take_back(scheduler, answers);
        scheduler.give_back(ready);
        return match error {
            store::Error::Conflict => Ok(true),
            error => Err(error),
        };
    }
    contents.fail_committed();
    contents.tell(scheduler);
    if clock.is_some() {
        scheduler.clock_stored = clock;
    }
    if let Some(reading) = &confirmed {
        scheduler.deps.clock_guard.confirm(reading);
    }
    if let Some(published) = published {
        scheduler.publication.written(published);
    }
    for (subject, due_at) in overdue {
        scheduler.overdue.listen(subject, due_at);
    }
    tally.count(&scheduler.deps.metrics);
    metrics::codes(&scheduler.deps.metrics, &mut scheduler.told, &codes);
    let lifts = scheduler.loads.pauses != loads.pauses;
    scheduler.loads = loads;
    scheduler.budgets = budgets;
    // The gate was read before the slot became free.
    let more = contents.opens || slot_freed || contents.ends_aside || lifts || confirmed.is_some();
    scheduler.give_back(kept);
    for (account, intended) in opened {
        scheduler.intended.entry(account).or_default().push_back(intended);
    }
    for effect in effects {
        outbound::perform(scheduler, effect);
    }
    Ok(more)
}

/// What is in a batch, for what has to be done beside it.
struct Contents {
    folds_commands: bool,
    marks_the_clock: bool,
    tells_customers: bool,
    ends_aside: bool,
    unites: bool,
    unmatched: usize,
    matches: bool,
    opens: bool,
    creates: bool,
    hangs_up: bool,
    answers: bool,
}

impl Contents {
    fn of(batch: &Batch, opened: &[(AccountAlias, Intended)], effects: &[Effect], answers: &[Done]) -> Self {
        Self {
            folds_commands: !batch.outcomes.is_empty(),
            marks_the_clock: batch.clock.is_some(),
            tells_customers: !batch.outbox.is_empty(),
            ends_aside: !batch.set_aside_ended.is_empty(),
            unites: !batch.united.is_empty(),
            unmatched: batch.unmatched.len(),
            matches: !batch.matched.is_empty(),
            opens: !opened.is_empty(),
            creates: effects.iter().any(Effect::creates),
            hangs_up: effects.iter().any(Effect::hangs_up),
            answers: answers.iter().any(|done| done.health.is_some()),
        }
    }

    fn fail_uncommitted(&self) {
        failpoint!("command.unfolded", self.folds_commands);
        failpoint!("clock.uncommitted", self.marks_the_clock);
        failpoint!("unmatched.uncommitted", self.unmatched > 0);
        failpoint!("matched.uncommitted", self.matches);
        failpoint!("intent.uncommitted", self.opens);
        failpoint!("submission.uncommitted", self.creates);
        failpoint!("hang_up.uncommitted", self.hangs_up);
        failpoint!("answer.uncommitted", self.answers);
    }

    fn fail_committed(&self) {
        failpoint!("clock.committed", self.marks_the_clock);
        failpoint!("unmatched.committed", self.unmatched > 0);
        failpoint!("matched.committed", self.matches);
        failpoint!("intent.committed", self.opens);
        failpoint!("submission.committed", self.creates);
        failpoint!("hang_up.committed", self.hangs_up);
        failpoint!("answer.committed", self.answers);
        failpoint!("command.folded", self.folds_commands);
    }

    /// The batch was written.
    fn tell(&self, scheduler: &mut Scheduler) {
        scheduler.has_unmatched |= self.unmatched > 0;
        scheduler.deps.metrics.reports_unmatched(self.unmatched);
        if self.folds_commands {
            scheduler.deps.waker.tell_folded();
        }
        if self.tells_customers {
            scheduler.deps.webhook_events.committed();
        }
        scheduler.containment.must_rebuild |=
            self.ends_aside || (self.unites && scheduler.containment.held.count() > 0);
    }
}

/// Whether to store the mark: with a batch that is written anyway, or at once if a doubt has begun or ended.
fn is_to_store(mark: &ClockMark, stored: Option<&ClockMark>, batch: &Batch) -> bool {
    let doubt = stored.and_then(|stored| stored.doubt);
    mark.doubt != doubt || (stored != Some(mark) && !batch.is_empty())
}

/// The ground of this turn's requests.
fn ground(turn: &Turn<'_>) -> Option<store::Ground> {
    let grounds: Vec<_> = turn.effects.iter().filter_map(Effect::ground).collect();
    (!grounds.is_empty()).then(|| store::Ground {
        read: turn.read,
        people: grounds.iter().map(|ground| ground.person()).collect(),
        callbacks: grounds.iter().filter_map(|ground| ground.callback()).collect(),
    })
}

/// When to look up what has changed, if no report arrives.
fn overdue(turn: &Turn<'_>) -> Vec<(Subject, Option<Timestamp>)> {
    let timeouts = &turn.scheduler.deps.settings.timeouts;
    let (unknown, in_progress) = (turn.now + timeouts.unknown, turn.now + timeouts.in_progress);
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

/// The turn failed: the next one applies the same input again.
fn undo(turn: Turn<'_>) {
    outbound::unsend(turn.scheduler, &turn.effects);
    take_back(turn.scheduler, turn.answers);
    turn.scheduler.give_back(turn.ready);
}

/// Answers that were not recorded are applied first in the next turn.
fn take_back(scheduler: &mut Scheduler, answers: Vec<Done>) {
    let later = std::mem::replace(&mut scheduler.answers, answers);
    scheduler.answers.extend(later);
}
