//! The offers to agents in progress, and the resource that each may need next.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{CallbackId, Holds, InUse, Resource};

/// The offers in progress. An offer holds nothing, so calls do not wait for it; further offers do, because each may become a
/// call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offers {
    open: BTreeMap<CallbackId, (Resource, Timestamp)>,
    counts: InUse,
}

impl Offers {
    /// A callback is offered until then, and its call would take this.
    pub fn begin(&mut self, id: CallbackId, resource: Resource, until: Timestamp) {
        self.end(id);
        self.counts.take(&Holds::new([resource.clone()]));
        self.open.insert(id, (resource, until));
    }

    /// What its call would have taken, if it was offered.
    pub fn end(&mut self, id: CallbackId) -> Option<Resource> {
        let (resource, _) = self.open.remove(&id)?;
        self.counts.give_back(&Holds::new([resource.clone()]));
        Some(resource)
    }

    /// Forgets those that have run out at `now`.
    pub fn forget_ended(&mut self, now: Timestamp) {
        let ended = self.open.iter().filter(|(_, (_, until))| *until <= now);
        for id in ended.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end(id);
        }
    }

    /// How many there are of a resource.
    #[must_use]
    pub fn of(&self, resource: &Resource) -> u32 {
        self.counts.of(resource)
    }

    /// Each callback that is offered, with what its call would take, and until when.
    pub fn iter(&self) -> impl Iterator<Item = (CallbackId, &Resource, Timestamp)> {
        self.open.iter().map(|(id, (resource, until))| (*id, resource, *until))
    }
}

impl FromIterator<(CallbackId, Resource, Timestamp)> for Offers {
    fn from_iter<T: IntoIterator<Item = (CallbackId, Resource, Timestamp)>>(open: T) -> Self {
        let mut offers = Self::default();
        open.into_iter().for_each(|(id, resource, until)| offers.begin(id, resource, until));
        offers
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::Phone;

    #[test]
    fn an_offer_counts_until_it_is_answered_or_runs_out() {
        let id = |n| CallbackId::new(Uuid::from_u128(n));
        let at = |second| Timestamp::from_second(second).unwrap();
        let sender = Resource::Sender(Phone::parse("+551151991234").unwrap());
        let mut offers: Offers =
            [(id(1), sender.clone(), at(10)), (id(2), sender.clone(), at(20))].into_iter().collect();
        offers.begin(id(2), sender.clone(), at(30));
        assert_eq!((offers.of(&sender), offers.of(&Resource::Bot)), (2, 0));
        offers.forget_ended(at(9));
        assert_eq!(offers.of(&sender), 2);
        offers.forget_ended(at(10));
        assert_eq!(offers.of(&sender), 1);
        assert_eq!((offers.end(id(1)), offers.end(id(2))), (None, Some(sender)));
        assert_eq!(offers, Offers::default());
    }
}
