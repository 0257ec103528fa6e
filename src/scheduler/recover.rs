//! Recovery at the start. Nothing that was in progress is dialled again.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::domain::{Gate, Holds, Name, Stage};
use crate::failpoint::{failpoint, panic_point};
use crate::panics::contain;
use crate::store;

use super::overdue::Subject;
use super::round::{self, Next};
use super::settle::{self, change_attempt};
use super::state::Scheduler;
use super::{cancellations, messages, people};

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
            let panicked = match contain(self.lead()).await {
                Ok(Ok(())) => {
                    // A batch that folded commands may have been written although nobody heard of it.
                    self.deps.waker.tell_folded();
                    self.containment.clear();
                    self.containment.must_rebuild = false;
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
        self.led = Some(store.lead().await?);
        self.read_aside().await?;
        self.clock_stored = store.clock_mark().await?;
        let attempts = store.live_attempts().await?;
        let messages = store.unsettled_messages().await?;
        let inbound = store.pairs_with_live_inbound().await?;
        let last_second = self.deps.clock.now() - SignedDuration::from_secs(1);
        let submitted = store.submitted_since(last_second).await?;
        self.has_unmatched = !store.unmatched_reports(1).await?.is_empty();
        self.gates = store.gates().await?.into_iter().collect();
        for account in self.deps.accounts.keys() {
            self.gates.insert(Gate::Account(account.clone()));
        }
        let mut turn = round::begin(self);
        turn.scheduler.answers = std::mem::take(&mut turn.answers);
        for pair in &inbound {
            turn.take(&Holds::inbound(pair.key.sender));
            let due_at = turn.now + turn.scheduler.deps.settings.timeouts.ringing;
            turn.scheduler.overdue.listen(Subject::Inbound(pair.key), Some(due_at));
        }
        let people: BTreeSet<Name> = attempts
            .iter()
            .map(|a| a.consumer)
            .chain(messages.iter().map(|m| m.consumer))
            .map(Name::Number)
            .collect();
        let callbacks: Vec<_> =
            attempts.iter().map(|a| a.callback).chain(messages.iter().map(|m| m.callback)).collect();
        people::read(&mut turn, &*store, people).await?;
        for callback in store.callbacks(&callbacks).await? {
            turn.work.callbacks.hold(callback.id, callback);
        }
        for pair in &inbound {
            let at = turn.now + turn.scheduler.deps.settings.timeouts.unknown;
            turn.scheduler.overdue.listen(Subject::Inbound(pair.key), Some(at));
        }
        for attempt in &attempts {
            turn.take(&attempt.holds);
        }
        let now = turn.now;
        // Calls of the previous process count for the rate.
        for account in &submitted {
            if let Some(pace) = turn.scheduler.paces.get_mut(account) {
                pace.hold();
            }
        }
        let timeouts = turn.scheduler.deps.settings.timeouts.clone();
        for attempt in attempts {
            let (id, callback, stage) = (attempt.id, attempt.callback, attempt.submission.stage);
            if turn.is_set_aside(callback) {
                turn.work.attempts.hold(id, attempt);
                continue;
            }
            turn.is_at_callback(callback);
            panic_point!("recover", "{attempt:?}");
            turn.scheduler.overdue.listen(Subject::Attempt(id), attempt.news_due_at);
            turn.work.attempts.hold(id, attempt);
            match stage {
                Stage::Intent => {
                    change_attempt(&mut turn, id, |attempt| _ = attempt.submission.withdraw());
                    settle::wake(&mut turn, callback, now);
                }
                Stage::Submitting => change_attempt(&mut turn, id, |attempt| {
                    attempt.submission.recover(now);
                    attempt.news_due_at = Some(now + timeouts.unknown);
                }),
                _ => {}
            }
        }
        for message in messages {
            if turn.is_set_aside(message.callback) {
                continue;
            }
            turn.is_at_callback(message.callback);
            let (id, stage) = (message.id, message.submission.stage);
            turn.scheduler.overdue.listen(Subject::Message(id), Some(now + timeouts.unknown));
            turn.work.messages.hold(id, message);
            messages::change(&mut turn, id, |message| match stage {
                Stage::Intent => _ = message.submission.withdraw(),
                _ => _ = message.submission.recover(now),
            });
        }
        turn.is_at_nothing();
        cancellations::resume(&mut turn);
        // Those who wait for somebody about whom a report is set aside are told so.
        let held: Vec<_> = turn.loads.held.numbers().collect();
        let held = store.waiting_callbacks_to(&held).await?;
        // Whoever waited for what was taken back is looked at again.
        round::decide_all(&mut turn, &*store, held).await?;
        failpoint!("recovery.uncommitted");
        round::commit(turn).await?;
        failpoint!("recovery.committed");
        Ok(())
    }
}
