//! The new orders of several callers as one command: they are inserted by the same statements, and counted once.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::fault::{Shared, gone};
use super::sql::Connection;
use super::suppressions::Key;
use super::writer::Command;
use super::{audits, callbacks, contained};
use crate::store::{Enqueue, Enqueued, Error, PendingAudit, Result};

/// The orders of one caller.
pub struct Ordered {
    pub orders: Vec<Enqueue>,
    /// The entry of the audit log that is written with them.
    pub audit: Option<Arc<PendingAudit>>,
    pub caller: oneshot::Sender<Result<Vec<Enqueued>>>,
}

pub struct OrdersTogether {
    each: Vec<Ordered>,
    /// Of all orders, one after the other.
    answers: Vec<Enqueued>,
    key: Arc<Key>,
}

impl OrdersTogether {
    pub const fn of(each: Vec<Ordered>, key: Arc<Key>) -> Self {
        Self { each, answers: Vec::new(), key }
    }
}

impl Command for OrdersTogether {
    fn run(&mut self, db: &Connection) -> Result<()> {
        let (each, key) = (&self.each, &self.key);
        let orders = each.iter().flat_map(|ordered| &ordered.orders);
        self.answers = contained(|| callbacks::enqueue(db, orders, key))?;
        each.iter().try_for_each(|ordered| audits::append_pending(db, ordered.audit.as_deref()))
    }

    fn confirm(self: Box<Self>) {
        let mut answers = self.answers.into_iter();
        for Ordered { orders, caller, .. } in self.each {
            let theirs: Vec<Enqueued> = answers.by_ref().take(orders.len()).collect();
            let _ = caller.send(if theirs.len() == orders.len() { Ok(theirs) } else { Err(gone()) });
        }
    }

    fn refuse(self: Box<Self>, error: Error) {
        let mut each = self.each;
        if each.len() == 1
            && let Some(Ordered { caller, .. }) = each.pop()
        {
            let _ = caller.send(Err(error));
            return;
        }
        let shared = Shared::new(error);
        for Ordered { caller, .. } in each {
            let _ = caller.send(Err(shared.error()));
        }
    }

    fn one_by_one(self: Box<Self>) -> Vec<Box<dyn Command>> {
        let key = self.key;
        let alone = |ordered| Box::new(Self::of(vec![ordered], Arc::clone(&key))) as Box<dyn Command>;
        self.each.into_iter().map(alone).collect()
    }
}
