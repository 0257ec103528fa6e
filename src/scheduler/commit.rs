//! Commits a turn: one batch, and only then the requests. Nothing is written or sent if the batch is refused.

use jiff::Timestamp;

use super::overdue::Subject;
use super::request::{Done, Effect};
use super::state::{Intended, Scheduler};
use super::turn::Turn;
use super::{metrics, outbound};
use crate::domain::{AccountAlias, Breaker, Bucket, Callback, ClockMark, OrderKind, Stage};
use crate::failpoint::failpoint;
use crate::policy::of_one_group;
use crate::store::{self, Batch, OutboxRow};
use crate::webhooks::ConsumerNews;

/// Commits the batch and sends its effects. Returns whether there is more to do at once.
pub(super) async fn commit(mut turn: Turn<'_>) -> store::Result<bool> {
    let overdue = overdue(&turn);
    let tally = metrics::Tally::of(&turn);
    let ground = ground(&turn);
    lose_ground(&mut turn);
    let news = news(&mut turn);
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
        waiting_for_list,
        slot_freed,
        lanes_before,
        paid,
        completes_list,
        sweep,
        decided_again,
        counted,
        reported,
        erasing,
        ..
    } = turn;
    let deps = &scheduler.deps;
    let trusted = confirmed.clone().map(|trusted| ClockMark { trusted, doubt: None });
    let mark = trusted.unwrap_or_else(|| deps.clock_guard.mark());
    let mut batch = work
        .into_batch(|topic, callback| deps.webhook_events.tell(|| deps.ids.uuid(now), now, topic, callback));
    batch.outbox.extend(news);
    for order in &mut batch.orders {
        let script = deps.documents.get(&order.callback.order.document);
        order.of_one_group = of_one_group(&order.callback, &deps.directory, &deps.rules, script);
    }
    batch.ground = ground;
    batch.campaign_calls = counted.change(Bucket::first(now, Breaker::DAY));
    batch.pools.at = now;
    let labels = reported.labels.clone();
    batch.reported = reported;
    batch.erasures = erasing.steps;
    let (steps, dropped) = (batch.erasures.clone(), erasing.dropped.len());
    batch.dropped.extend(erasing.dropped);
    batch.clock = is_to_store(&mark, scheduler.clock_stored.as_ref(), &batch).then_some(mark);
    batch.published = scheduler.publication.due(now, &loads);
    let contents = Contents::of(&batch, &opened, &effects, &answers);
    let (clock, published) = (batch.clock.clone(), batch.published.clone());
    let (campaign_calls, lineage) = (batch.campaign_calls.clone(), batch.lineage.clone());
    contents.fail_uncommitted();
    if !batch.is_empty()
        && let Err(error) = scheduler.write(batch).await
    {
        outbound::unsend(scheduler, &effects);
        scheduler.gates.put_back(lanes_before);
        scheduler.gates.give_back(paid);
        take_back(scheduler, answers);
        scheduler.give_back(ready);
        return match error {
            store::Error::Conflict => Ok(true),
            error => Err(error),
        };
    }
    contents.fail_committed();
    contents.tell(scheduler);
    scheduler.calls_written(&campaign_calls);
    scheduler.labels_written(labels);
    scheduler.clock_stored = clock.or_else(|| scheduler.clock_stored.take());
    if let Some(reading) = &confirmed {
        scheduler.deps.clock_guard.confirm(reading);
    }
    if let Some(published) = published {
        scheduler.publication.written(published);
    }
    for (subject, due_at) in overdue {
        scheduler.overdue.listen(subject, due_at);
    }
    tally.count(&scheduler.deps);
    metrics::codes(&scheduler.deps.metrics, &mut scheduler.told, &codes);
    let lifts = scheduler.loads.pauses != loads.pauses
        || scheduler.loads.calendars != loads.calendars
        || scheduler.loads.campaigns != loads.campaigns
        || scheduler.loads.pools != loads.pools;
    scheduler.erasing.committed(now, &steps, dropped);
    scheduler.campaigns_ending.committed(sweep.as_ref(), &loads.campaigns);
    scheduler.new_rules.committed(decided_again);
    scheduler.list_was_completed |= completes_list;
    let sweeps = sweep.is_some()
        || decided_again.is_some()
        || (contents.ends_callbacks && loads.campaigns.ending().next().is_some());
    let erases = !steps.is_empty() || (contents.changes_orders && !scheduler.erasing.is_idle());
    scheduler.loads = loads;
    scheduler.budgets = budgets;
    let released = scheduler.lineage_written(lineage);
    // The gate was read before the slot became free.
    let more = contents.opens
        || slot_freed
        || contents.ends_aside
        || lifts
        || completes_list
        || sweeps
        || erases
        || released
        || confirmed.is_some();
    scheduler.give_back(kept);
    scheduler.waiting_for_list.extend(waiting_for_list);
    for (account, intended) in opened {
        scheduler.intended.entry(account).or_default().push_back(intended);
    }
    for effect in effects {
        outbound::perform(scheduler, effect);
    }
    Ok(more)
}

/// The webhooks about consumers and campaigns, with the callbacks as they are at the end of the turn.
fn news(turn: &mut Turn<'_>) -> Vec<OutboxRow> {
    let mut of_consumers = std::mem::take(&mut turn.work.consumer_news);
    for news in &mut of_consumers {
        let person = turn.work.names.of_number(news.consumer);
        let open = turn.work.callbacks.values().filter(|callback| {
            !callback.is_closed()
                && callback.order.kind == OrderKind::Callback
                && turn.work.names.of_number(callback.order.consumer) == person
        });
        news.callbacks = open.map(|callback| callback.id).take(ConsumerNews::CALLBACKS_MAX).collect();
    }
    let (deps, now) = (&turn.scheduler.deps, turn.now);
    let id = || deps.ids.uuid(now);
    let finished = std::mem::take(&mut turn.work.finished);
    let consumers =
        of_consumers.iter().filter_map(|news| deps.webhook_events.tell_of_consumer(id, now, news));
    let campaigns =
        finished.iter().filter_map(|campaign| deps.webhook_events.tell_of_campaign(id, now, campaign));
    consumers.chain(campaigns).collect()
}

/// What is in a batch, for what has to be done beside it.
struct Contents {
    folds_commands: bool,
    marks_the_clock: bool,
    tells_customers: bool,
    records: bool,
    ends_aside: bool,
    unites: bool,
    unmatched: usize,
    matches: bool,
    opens: bool,
    creates: bool,
    hangs_up: bool,
    answers: bool,
    ends_callbacks: bool,
    changes_orders: bool,
}

impl Contents {
    fn of(batch: &Batch, opened: &[(AccountAlias, Intended)], effects: &[Effect], answers: &[Done]) -> Self {
        Self {
            folds_commands: !batch.outcomes.is_empty(),
            marks_the_clock: batch.clock.is_some(),
            tells_customers: !batch.outbox.is_empty(),
            records: !batch.entries.is_empty(),
            ends_aside: !batch.set_aside_ended.is_empty(),
            unites: !batch.united.is_empty(),
            unmatched: batch.unmatched.len(),
            matches: !batch.matched.is_empty(),
            opens: !opened.is_empty(),
            creates: effects.iter().any(Effect::creates),
            hangs_up: effects.iter().any(Effect::hangs_up),
            answers: answers.iter().any(|done| done.health.is_some()),
            ends_callbacks: batch.callbacks.iter().any(Callback::is_closed),
            changes_orders: !batch.callbacks.is_empty()
                || !batch.attempts.is_empty()
                || !batch.messages.is_empty()
                || !batch.folded.is_empty()
                || !batch.outcomes.is_empty(),
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
        if self.records {
            scheduler.deps.waker.tell_recorded();
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

/// A message was checked before this turn decided. If its callback was closed since, the check right before it is sent
/// finds that.
fn lose_ground(turn: &mut Turn<'_>) {
    let Turn { effects, work, .. } = turn;
    for callback in effects.iter_mut().filter_map(Effect::callback_of_message) {
        if let Some(closed) = work.callbacks.get(callback.id).filter(|callback| callback.is_closed()) {
            callback.clone_from(closed);
        }
    }
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

/// Answers that were not recorded are applied first in the next turn.
pub(super) fn take_back(scheduler: &mut Scheduler, answers: Vec<Done>) {
    let later = std::mem::replace(&mut scheduler.answers, answers);
    scheduler.answers.extend(later);
}
