//! What consumers allow and refuse, and what the daemon could know of it.

use jiff::{SignedDuration, Timestamp};

use super::Oracle;
use crate::domain::Phone;

impl Oracle {
    pub(in crate::sim::world) fn granted(&mut self, sender: Phone, consumer: Phone, until: Timestamp) {
        let book = self.books.entry((sender, consumer)).or_default();
        // A new permission resets the count of misses.
        if book.granted_until.is_none() && book.misses > 0 {
            (book.misses, book.invited_at) = (0, None);
        }
        book.granted_until = Some(until);
        book.untold_until = None;
        book.told_no_at = None;
    }

    pub(in crate::sim::world) fn revoked(&mut self, sender: Phone, consumer: Phone) {
        let book = self.books.entry((sender, consumer)).or_default();
        book.untold_until = book.granted_until.take().or(book.untold_until);
        book.told_yes = None;
    }

    /// The daemon received a webhook with a grant. If it arrives after the newer revocation, the daemon
    /// cannot know that, so calls are excused. A repeated webhook changes nothing.
    pub(in crate::sim::world) fn told_of_grant(&mut self, sender: Phone, consumer: Phone, token: &str) {
        let is_new = self.told.insert(token.to_owned());
        if is_new && let Some(told_at) = self.noes.get_mut(&consumer) {
            // It was given before the refusal and comes after it, which looks like a change of mind.
            *told_at = None;
        }
        let book = self.books.entry((sender, consumer)).or_default();
        book.told_no_at = None;
        if is_new && book.granted_until.is_none() {
            book.untold_until = Some(Timestamp::MAX);
        }
    }

    /// The daemon acknowledged a webhook with a grant.
    pub(in crate::sim::world) fn acknowledged_grant(
        &mut self,
        now: Timestamp,
        sender: Phone,
        consumer: Phone,
    ) {
        // The webhook does not distinguish a permanent permission from a temporary one.
        let told_until = now + SignedDuration::from_hours(self.limits.permission_hours);
        let book = self.books.entry((sender, consumer)).or_default();
        book.told_yes = book.granted_until.map(|until| (now, until.min(told_until)));
    }

    /// There is no webhook to report the revocation, so it counts as known.
    pub(in crate::sim::world) fn revocation_is_known(&mut self, sender: Phone, consumer: Phone) {
        if let Some(book) = self.books.get_mut(&(sender, consumer)) {
            book.untold_until = None;
        }
    }

    /// The daemon received a webhook with a revocation. A repeated webhook changes nothing.
    pub(in crate::sim::world) fn told_of_revocation(
        &mut self,
        now: Timestamp,
        sender: Phone,
        consumer: Phone,
        token: &str,
    ) {
        if self.told.insert(token.to_owned())
            && let Some(book) = self.books.get_mut(&(sender, consumer))
        {
            book.untold_until = None;
            book.told_at = Some(now);
            // A refusal that arrives after a later grant does not count, but the daemon cannot know that.
            (book.told_yes, book.told_no_at) = (None, book.granted_until.is_none().then_some(now));
        }
    }

    /// A consumer refused: by declining a request, by revoking a permission, or with a stop word.
    pub(in crate::sim::world) fn said_no(&mut self, consumer: Phone) {
        self.noes.entry(consumer).or_default();
    }

    /// The daemon acknowledged the webhook of a refusal. A repeated webhook changes nothing.
    pub(in crate::sim::world) fn told_of_no(&mut self, now: Timestamp, consumer: Phone, token: &str) {
        if self.told.insert(format!("no {token}"))
            && let Some(told_at) = self.noes.get_mut(&consumer)
        {
            told_at.get_or_insert(now);
        }
    }

    /// A consumer started again: by allowing calls, by calling, or with a start word.
    pub(in crate::sim::world) fn started_again(&mut self, consumer: Phone) {
        self.noes.remove(&consumer);
        let theirs = self.books.iter_mut().filter(|((_, other), _)| *other == consumer);
        theirs.for_each(|(_, book)| book.told_no_at = None);
    }
}
