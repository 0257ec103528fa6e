//! One turn: read, fold, decide, commit, act. The order matters: nothing is sent before its intent is
//! committed, and nothing is decided before all known events are applied.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::containment::At;
use super::counted::Counted;
use super::erasing::Step;
use super::heard::Heard;
use super::incoming::Callers;
use super::outbound::Submitting;
use super::request::News;
use super::state::{Intended, Scheduler};
use super::turn::Turn;
use super::working_set::WorkingSet;
use super::{
    answers, breakers, campaigns, cancellations, commit, decide_all, erasures, fold, follow_ups, lineage,
    load, outbound, reconcile, recordings, wrap_ups,
};
use crate::domain::callback::Waiting;
use crate::domain::{CommandOutcome, Event, State};
use crate::panics::{Panicked, contain};
use crate::store::{self, FiledReport, ReportChange, Store, Unmatched};

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
    loads.paused_parts.retain(|_, (until, _)| *until > now);
    loads.campaign_paces.sync(&loads.campaigns, now);
    loads.seats.forget_ended(now);
    loads.offers.forget_ended(now);
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
        callers: Callers::default(),
        stirred: BTreeSet::new(),
        released: BTreeSet::new(),
        called_up: Vec::new(),
        lanes_before: Vec::new(),
        paid: Vec::new(),
        completes_list: false,
        slot_freed: false,
        counted: Counted::default(),
        reported: ReportChange::default(),
        reached: Vec::new(),
        nobody: None,
        recalled: Vec::new(),
        canceled: Vec::new(),
        endings: Vec::new(),
        heard: Vec::new(),
        late: Vec::new(),
        sweep: None,
        following: None,
        decided_again: None,
        wrap_ups: BTreeMap::new(),
        recordings_due: Vec::new(),
        erasing: Step::default(),
        clock_is_confirmed: false,
        codes: Vec::new(),
        roads_taken: Vec::new(),
        answers: std::mem::take(&mut scheduler.answers),
        ready: Vec::new(),
        read: 0,
        kept: Vec::new(),
        waiting_for_list: Vec::new(),
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
    if scheduler.list_was_completed {
        scheduler.read_list_terms().await?;
    }
    let mut turn = begin(scheduler);
    let now = turn.now;
    // On the heap: both are large, and callers are deep.
    let busy = match contain(Box::pin(work(&mut turn, &*store, max))).await {
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
    if Box::pin(commit::commit(turn)).await? || busy {
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
    lineage::ask(turn);
    recordings::ask(turn);
    turn.is_at_nothing();
    cancellations::plan(turn, all_is_read);
    decide_all::decide_all(turn, store, wanting).await?;
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
    Box::pin(commit::commit(turn)).await?;
    Ok(())
}

/// Takes the answers that arrived.
pub(super) fn gather_answers(scheduler: &mut Scheduler, now: Timestamp) {
    let waiting = std::mem::take(&mut scheduler.heard);
    let more = std::iter::from_fn(|| scheduler.done.try_recv().ok());
    for done in waiting.into_iter().chain(more).collect::<Vec<_>>() {
        if let News::Date(date) = &done.news {
            scheduler.dates.answered(now);
            if let Some((at, date)) = date {
                scheduler.deps.clock_guard.told(at, *date);
            }
        }
        if let News::Since { account, .. } = &done.news {
            scheduler.lineage.answered(account, now);
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
        let lines = turn.work.lines().len();
        let outcome = match erasures::drops(turn, &report) {
            true => CommandOutcome::Refused("permission.refused".into()),
            false => fold::report(turn, report.received_at, &report.event),
        };
        if report.is_command {
            if matches!(report.event, Event::Pool(_)) {
                turn.work.pools.commands.push(report.seq);
            }
            if wrap_ups::has_words(&report.event) {
                turn.work.spoken.push(report.seq);
            }
            turn.work.outcomes.push((report.seq, outcome));
        } else {
            turn.work.folded.push(report.seq);
            turn.heard.push(Heard {
                received_at: report.received_at,
                kind: report.event.kind(),
                lines: lines..turn.work.lines().len(),
            });
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
    campaigns::close_swept(turn);
    follow_ups::make(turn);
    erasures::close(turn);
    turn.is_at_nothing();
    breakers::apply(turn);
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
        match outbound::submit(turn, intended) {
            Submitting::Done => {}
            Submitting::NoRoom => turn.kept.push((account, intended)),
            Submitting::WaitsForList => turn.waiting_for_list.push((account, intended)),
        }
    }
    turn.is_at_nothing();
}

/// The turn failed: the next one applies the same input again.
fn undo(turn: Turn<'_>) {
    outbound::unsend(turn.scheduler, &turn.effects);
    turn.scheduler.gates.put_back(turn.lanes_before);
    turn.scheduler.gates.give_back(turn.paid);
    commit::take_back(turn.scheduler, turn.answers);
    turn.scheduler.give_back(turn.ready);
}
