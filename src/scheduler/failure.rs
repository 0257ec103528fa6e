//! Sets aside the item at which a turn failed, in a separate transaction.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::current::park;
use super::round::Next;
use super::state::Scheduler;
use super::working_set::{Line, WorkingSet};
use crate::domain::{Held, Name, Numbers, SetAside, SetAsideId, SetAsideItem};
use crate::failpoint::failpoint;
use crate::panics::Panicked;
use crate::store::{self, Batch, UnreadableReport};

/// After a panic at no item the next turn waits, so that a panic in every turn does not take a whole core.
const REST: SignedDuration = SignedDuration::from_secs(1);

impl Scheduler {
    /// Handles a panic: notes the item to set aside. Nothing of the turn was written.
    pub(super) fn failed(&mut self, panicked: Panicked) -> Next {
        let now = self.deps.clock.now();
        let at = self.containment.at.take();
        if let Some(index) = self.containment.at_answer.take().filter(|index| *index < self.answers.len()) {
            self.answers.remove(index);
        }
        self.containment.clear();
        self.containment.must_rebuild = true;
        self.count_panic(now);
        let Some(at) = at else {
            self.containment.is_careful = true;
            if !std::mem::replace(&mut self.containment.told_of_unknown, true) {
                tracing::error!(
                    place = panicked.place,
                    "a turn failed at something that is not known; the next turns take one thing each to find it"
                );
            }
            return Next::Sleep(Some(now + REST));
        };
        self.containment.is_careful = false;
        let item = SetAside {
            id: SetAsideId::new(self.deps.ids.uuid(now)),
            item: at.item,
            consumer: at.pair.map(|pair| pair.consumer),
            callback: at.callback,
            at: now,
            kind: at.kind.into(),
            place: panicked.place,
            end: None,
        };
        tracing::error!(
            id = %item.id, kind = %item.kind, place = item.place,
            "the program failed at this item; it is set aside until an operator retries or drops it"
        );
        self.containment.pending = Some((item, at.pair));
        Next::Again
    }

    /// Sets aside reports that the store cannot read. One may be a refusal, as one at which the code failed.
    pub(super) async fn set_aside_unreadable(
        &mut self,
        reports: Vec<UnreadableReport>,
    ) -> store::Result<Next> {
        let now = self.deps.clock.now();
        self.containment.clear();
        self.containment.must_rebuild = true;
        for report in reports {
            let item = SetAside {
                id: SetAsideId::new(self.deps.ids.uuid(now)),
                item: match report.is_command {
                    true => SetAsideItem::Command(report.seq),
                    false => SetAsideItem::Report(report.seq),
                },
                consumer: report.consumer,
                callback: report.callback,
                at: now,
                kind: report.kind.into(),
                place: Some(report.why.clone()),
                end: None,
            };
            tracing::error!(
                id = %item.id, kind = %item.kind, why = report.why,
                "a stored report cannot be read; it is set aside until an operator retries or drops it"
            );
            self.containment.pending = Some((item, report.pair));
            self.write_pending().await?;
        }
        Ok(Next::Again)
    }

    /// Writes the items that must be set aside.
    pub(super) async fn write_pending(&mut self) -> store::Result<()> {
        let Some((item, pair)) = self.containment.pending.take() else { return Ok(()) };
        match self.write_aside(&item, pair).await {
            // It is not as it was when it failed, so it is read again.
            Ok(()) | Err(store::Error::Conflict) => Ok(()),
            Err(error) => {
                self.containment.pending = Some((item, pair));
                Err(error)
            }
        }
    }

    async fn write_aside(&mut self, item: &SetAside, pair: Option<Numbers>) -> store::Result<()> {
        let mut work = WorkingSet::default();
        for callback in self.deps.store.callbacks(&Vec::from_iter(item.callback)).await? {
            work.callbacks.hold(callback.id, callback);
        }
        if let Some(id) = item.callback {
            work.callbacks.change(id, park);
        }
        let why =
            format!("The program failed at it ({}). It waits for an operator as {}.", item.kind, item.id);
        let line = Line { callback: item.callback, pair, ..Line::new("set_aside.begun", why) };
        if line.callback.is_some() || line.pair.is_some() {
            work.note(item.at, line);
        }
        let batch = Batch { set_aside: vec![item.clone()], ..work.into_batch(|_, _| None) };
        failpoint!("set_aside.uncommitted");
        self.write(batch).await?;
        failpoint!("set_aside.committed");
        Ok(())
    }

    /// Reads the set-aside items.
    pub(super) async fn read_aside(&mut self) -> store::Result<()> {
        let aside = self.deps.store.set_aside().await?;
        let names: BTreeSet<Name> = aside.iter().filter_map(|item| item.consumer).map(Name::Number).collect();
        let people = self.deps.store.people(&Vec::from_iter(names)).await?;
        let people: Vec<_> = people.into_iter().map(|(person, _)| person).collect();
        let before = &self.containment.held;
        let (clock_in_doubt, lineage_since) = (before.clock_in_doubt, before.lineage_since);
        let held = Held::new(&aside, &people, before.stopped_since);
        self.containment.held = Held { clock_in_doubt, lineage_since, ..held };
        self.containment.aside = aside;
        self.publish_held();
        Ok(())
    }
}
