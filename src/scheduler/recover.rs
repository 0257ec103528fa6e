//! Recovery at the start. Nothing that was in progress is dialled again.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::domain::lease::LeaseEnd;
use crate::domain::{AccountAlias, Attempt, CallbackId, Gate, Holds, Message, Name, Pair, Stage};
use crate::failpoint::{failpoint, panic_point};
use crate::panics::contain;
use crate::platform::Leadership;
use crate::store::{self, Store};

use super::deleting::Deleting;
use super::gates::Gates;
use super::overdue::Subject;
use super::round::{self, Next};
use super::settle::{self, change_attempt};
use super::state::{Intended, Scheduler};
use super::turn::Turn;
use super::{cancellations, commit, decide_all, messages, people, seats};

impl Scheduler {
    /// Leads from now on: begins a term, builds the state in memory, and resolves what was in progress: an intent is withdrawn, because no
    /// byte was sent; a submission becomes unknown, because bytes may have been sent.
    ///
    /// A panic sets aside what it was at, and recovery begins again. If that is not known, dialling stops, and turns
    /// try again.
    ///
    /// # Errors
    /// If the store fails. Recovery then has to be run again.
    pub async fn recover(&mut self) -> store::Result<()> {
        loop {
            self.step_down();
            let panicked = match contain(Box::pin(self.lead())).await {
                Ok(Ok(())) => {
                    // A batch that folded commands may have been written without a known outcome.
                    self.deps.waker.tell_folded();
                    self.containment.clear();
                    self.containment.must_rebuild = false;
                    self.publish_held();
                    return Ok(());
                }
                Err(panicked) | Ok(Err(store::Error::Panicked(panicked))) => panicked,
                Ok(Err(error)) => return Err(error),
            };
            if matches!(self.failed(panicked), Next::Sleep(_)) {
                return Ok(());
            }
            self.write_pending().await?;
        }
    }

    /// Begins a term, and builds the state in memory from what is stored.
    async fn lead(&mut self) -> store::Result<()> {
        let store = self.deps.store.clone();
        let lease = self.leadership.as_ref().map(|leadership| leadership.lease.clone());
        let led = store.lead(lease).await?;
        self.led = Some(led);
        // Of several nodes, the term of the lease, which the log and the list of nodes tell too.
        let term = self.leadership.as_ref().map_or(led.term, |leadership| leadership.lease.term);
        self.deps.metrics.leads(Some(term));
        self.read_aside().await?;
        self.read_lineage().await?;
        self.read_pauses().await?;
        self.read_calendars().await?;
        self.read_campaigns().await?;
        self.read_campaign_calls().await?;
        self.read_report_labels().await?;
        self.read_erasures().await?;
        self.deleting = Deleting::default();
        self.read_pools().await?;
        self.read_restrictions().await?;
        self.compare_rules().await?;
        self.read_list_terms().await?;
        self.clock_stored = store.clock_mark().await?;
        let found = self.find(&*store).await?;
        let mut turn = round::begin(self);
        turn.scheduler.answers = std::mem::take(&mut turn.answers);
        people::read(&mut turn, &*store, found.people()).await?;
        for callback in store.callbacks(&found.callbacks()).await? {
            turn.work.callbacks.hold(callback.id, callback);
        }
        count(&mut turn, &found);
        found.attempts.into_iter().for_each(|attempt| resume_attempt(&mut turn, attempt));
        found.messages.into_iter().for_each(|message| resume_message(&mut turn, message));
        turn.is_at_nothing();
        cancellations::resume(&mut turn);
        // Callbacks to a person with a set-aside report get that reason.
        let held: Vec<_> = turn.loads.held.numbers().collect();
        let mut held = store.waiting_callbacks_to(&held).await?;
        // What is offered counts for the room of further offers.
        held.extend(store.all_offers(turn.now).await?);
        // Callbacks that waited for released resources are decided again.
        decide_all::decide_all(&mut turn, &*store, held).await?;
        failpoint!("recovery.uncommitted");
        Box::pin(commit::commit(turn)).await?;
        self.leaves_alone = false;
        failpoint!("recovery.committed");
        Ok(())
    }

    /// Reads what was in progress, and which gates have waiting callbacks.
    async fn find(&mut self, store: &dyn Store) -> store::Result<Found> {
        let last_second = self.deps.clock.now() - SignedDuration::from_secs(1);
        let found = Found {
            attempts: store.live_attempts().await?,
            messages: store.unsettled_messages().await?,
            inbound: store.pairs_with_live_inbound().await?,
            submitted: store.submitted_since(last_second).await?,
        };
        self.has_unmatched = !store.unmatched_reports(1).await?.is_empty();
        self.gates = Gates::read(store.gates().await?);
        self.deps.accounts.keys().cloned().for_each(|alias| self.gates.try_once(Gate::Account(alias)));
        Ok(found)
    }
}

/// What was in progress when the term began.
struct Found {
    attempts: Vec<Attempt>,
    messages: Vec<Message>,
    /// Pairs whose consumer calls.
    inbound: Vec<Pair>,
    /// The accounts of the calls of the last second.
    submitted: Vec<AccountAlias>,
}

impl Found {
    fn people(&self) -> BTreeSet<Name> {
        let called = self.attempts.iter().map(|attempt| attempt.consumer);
        called.chain(self.messages.iter().map(|message| message.consumer)).map(Name::Number).collect()
    }

    fn callbacks(&self) -> Vec<CallbackId> {
        let called = self.attempts.iter().map(|attempt| attempt.callback);
        called.chain(self.messages.iter().filter_map(|message| message.callback)).collect()
    }
}

/// Counts what is in use, and what the calls of the previous process used of the rates.
fn count(turn: &mut Turn<'_>, found: &Found) {
    for pair in &found.inbound {
        turn.take(&Holds::inbound(pair.key.sender));
        let at = turn.now + turn.scheduler.deps.settings.timeouts.unknown;
        turn.scheduler.overdue.listen(Subject::Inbound(pair.key), Some(at));
    }
    for attempt in &found.attempts {
        turn.take(&attempt.holds);
        seats::take(turn, attempt);
    }
    for account in &found.submitted {
        if let Some(pace) = turn.scheduler.paces.get_mut(account) {
            pace.hold();
        }
    }
}

/// Whether the leader before resigned: it still waits for the answers to what it submitted, and appends them.
fn leaves_alone(turn: &Turn<'_>) -> bool {
    let resigned = |leadership: &Leadership| leadership.began_after == Some(LeaseEnd::Resigned);
    turn.scheduler.leaves_alone && turn.scheduler.leadership.as_ref().is_some_and(resigned)
}

fn resume_attempt(turn: &mut Turn<'_>, attempt: Attempt) {
    let (id, callback, stage) = (attempt.id, attempt.callback, attempt.submission.stage);
    if turn.is_set_aside(callback) {
        turn.work.attempts.hold(id, attempt);
        return;
    }
    turn.is_at_callback(callback);
    panic_point!("recover", "{attempt:?}");
    turn.scheduler.overdue.listen(Subject::Attempt(id), attempt.news_due_at);
    turn.work.attempts.hold(id, attempt);
    let now = turn.now;
    let due_at = now + turn.scheduler.deps.settings.timeouts.unknown;
    match stage {
        Stage::Intent => {
            change_attempt(turn, id, |attempt| _ = attempt.submission.withdraw());
            settle::wake(turn, callback, now);
        }
        Stage::Submitting if leaves_alone(turn) => _ = turn.scheduler.left_alone.insert(Subject::Attempt(id)),
        Stage::Submitting => change_attempt(turn, id, |attempt| {
            attempt.submission.recover(now);
            attempt.news_due_at = Some(due_at);
        }),
        _ => {}
    }
}

/// A message of a callback is decided again, so its intent is withdrawn. Nobody decides again about a message without
/// one: no byte of an intent has left, so it leaves now.
fn resume_message(turn: &mut Turn<'_>, message: Message) {
    if turn.is_of_what_is_set_aside(&message) {
        return;
    }
    match message.callback {
        Some(callback) => turn.is_at_callback(callback),
        None => turn.is_at_nothing(),
    }
    let (id, now) = (message.id, turn.now);
    let (account, stage) = (message.account().clone(), message.submission.stage);
    let goes_on = message.callback.is_none() && turn.scheduler.paces.contains_key(&account);
    let due_at = now + turn.scheduler.deps.settings.timeouts.unknown;
    turn.scheduler.overdue.listen(Subject::Message(id), Some(due_at));
    turn.work.messages.hold(id, message);
    match stage {
        Stage::Intent if goes_on => turn.opened.push((account, Intended::Message(id))),
        Stage::Intent => messages::change(turn, id, |message| _ = message.submission.withdraw()),
        Stage::Submitting if leaves_alone(turn) => _ = turn.scheduler.left_alone.insert(Subject::Message(id)),
        _ => messages::change(turn, id, |message| _ = message.submission.recover(now)),
    }
}
