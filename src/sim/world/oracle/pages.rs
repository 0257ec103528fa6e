//! The laws of invites over pages of Messenger. A page knows a person by an id; the world knows whose it is.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{FIRST_BYTE, Law, ON_ITS_WAY, Oracle};
use crate::domain::Phone;

/// For how long a page may write after a person wrote (Meta, *Messenger Platform policy*, 2026).
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// What people said at pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// Who refused a page and has not started again, with the time at which the daemon learnt it. The daemon relates the
    /// id at the page to the person only after an order did.
    noes: HashMap<(String, Phone), Option<Timestamp>>,
    /// Until when the daemon may believe that the window of a page is open.
    believed_until: HashMap<(String, Phone), Timestamp>,
    /// When the daemon learnt by a refusal that Meta restricts a page.
    refused_at: HashMap<String, Timestamp>,
}

/// For how long a page certainly rests after Meta refused a message because of a restriction. No webhook tells the end.
const PAGE_RESTS: SignedDuration = SignedDuration::from_mins(24 * 60 - 5);

impl Oracle {
    /// A page asked to send an invite. `window` is the end of the time in which it may write to the person.
    pub(in crate::sim::world) fn page_asks_to_invite(
        &mut self,
        now: Timestamp,
        page: &str,
        consumer: Phone,
        window: Option<Timestamp>,
    ) {
        let key = (page.to_owned(), consumer);
        let told_at = [self.pages.noes.get(&key), self.noes.get(&consumer)];
        let told_at = told_at.into_iter().filter_map(|told_at| told_at.copied().flatten()).min();
        if told_at.is_some_and(|at| now.duration_since(at) >= FIRST_BYTE) {
            let details = format!("page {page} invited {consumer} after an acknowledged refusal");
            self.break_law(Law::NoIsKept, now, details);
        }
        let paused = self.stops.since_for_all(now, consumer);
        if paused.is_some_and(|since| now.duration_since(since) >= FIRST_BYTE) {
            let details = format!("page {page} invited {consumer} during a pause");
            self.break_law(Law::PauseIsKept, now, details);
        }
        let refused_at = self.pages.refused_at.get(page).map(|at| now.duration_since(*at));
        if refused_at.is_some_and(|ago| (FIRST_BYTE..PAGE_RESTS).contains(&ago)) {
            let details = format!("page {page} invited {consumer} after Meta refused it for a restriction");
            self.break_law(Law::RestrictionIsKept, now, details);
        }
        self.inside_person_limit(now, &format_args!("page {page}"), consumer);
        let believed = self.pages.believed_until.get(&key).copied();
        if window.max(believed).is_none_or(|until| now >= until + ON_ITS_WAY) {
            let details = format!("page {page} invited {consumer} outside its window");
            self.break_law(Law::InviteNeedsWindow, now, details);
        }
        self.page_inside_hours(now, page, consumer);
    }

    /// The hours of a consumer are those of any sender, since the page does not tell for whom it invites.
    fn page_inside_hours(&mut self, now: Timestamp, page: &str, consumer: Phone) {
        let inside = |(from, to): &(Timestamp, Timestamp)| (*from..*to + FIRST_BYTE).contains(&now);
        let mut hours = self.hours.iter().filter(|((_, other), _)| *other == consumer).peekable();
        if hours.peek().is_some() && !hours.any(|(_, hours)| hours.iter().any(inside)) {
            let details = format!("page {page} invited {consumer} outside the hours");
            self.break_law(Law::MessageInsideHours, now, details);
        }
    }

    /// An invite of a page was taken that will arrive.
    pub(in crate::sim::world) fn page_invite_arrives(&mut self, now: Timestamp, consumer: Phone) {
        self.person_is_invited(now, consumer);
        // The page does not tell for whom it invites: for any sender with which an order named the consumer.
        let ordered = self.hours.keys().filter(|(_, other)| *other == consumer).copied();
        let known = self.books.keys().filter(|(_, other)| *other == consumer).copied();
        let theirs: Vec<(Phone, Phone)> = ordered.chain(known).collect();
        theirs.into_iter().for_each(|pair| self.books.entry(pair).or_default().invited_at = Some(now));
    }

    /// The person wrote the stop word to the page. With `is_linked` the daemon knows whose id that is.
    pub(in crate::sim::world) fn page_said_no(&mut self, page: &str, consumer: Phone, is_linked: bool) {
        self.pages.noes.entry((page.to_owned(), consumer)).or_default();
        if is_linked {
            self.said_no(consumer);
        }
    }

    /// The daemon acknowledged the webhook of the refusal. A repeated webhook changes nothing.
    pub(in crate::sim::world) fn page_told_of_no(
        &mut self,
        now: Timestamp,
        page: &str,
        (consumer, is_linked): (Phone, bool),
        token: &str,
    ) {
        if let Some(told_at) = self.pages.noes.get_mut(&(page.to_owned(), consumer)) {
            told_at.get_or_insert(now);
        }
        if is_linked {
            self.told_of_no(now, consumer, token);
        }
    }

    /// The person wrote the start word to the page, or called it.
    pub(in crate::sim::world) fn page_started_again(&mut self, page: &str, consumer: Phone) {
        self.pages.noes.remove(&(page.to_owned(), consumer));
        self.started_again(consumer);
    }

    /// Meta refused a message because it restricts the page. The answer arrives.
    pub(in crate::sim::world) fn page_is_refused(&mut self, now: Timestamp, page: &str) {
        self.pages.refused_at.insert(page.to_owned(), now);
    }

    /// The daemon was killed, and a new process began. What a refusal taught the old one is kept in memory only, so the
    /// new one is refused once more.
    pub fn daemon_began(&mut self) {
        self.pages.refused_at.clear();
    }

    /// The daemon may have learnt now that the person wrote to the page.
    pub(in crate::sim::world) fn page_heard(&mut self, now: Timestamp, page: &str, consumer: Phone) {
        self.pages.believed_until.insert((page.to_owned(), consumer), now + WINDOW);
    }
}
