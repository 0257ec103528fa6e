//! What people do at a page: they write, tap call buttons, call, and block it.

use jiff::{SignedDuration, Timestamp};

use super::hooks::PageFact;
use super::state::{PageCall, PageId, Person, PersonId};
use crate::domain::Phone;
use crate::sim::world::World;
use crate::sim::world::graph::Restriction;

/// For how long a page may write after a person wrote (Meta, *Messenger Platform policy*, 2026).
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

impl World {
    /// The id by which the page knows the consumer; `None` if there is no such page. From now on the page can write to
    /// the person, inside the window.
    pub fn psid(&mut self, page: &str, consumer: Phone) -> Option<String> {
        let page = self.messenger.page_ids.get(page).copied()?;
        let person = self.person(page, consumer);
        Some(self.messenger.people[person].psid.clone())
    }

    /// The person of a consumer at a page, created on first use. The id depends only on the seed, the page and the number.
    fn person(&mut self, page: PageId, consumer: Phone) -> PersonId {
        let known = self.messenger.people.iter();
        let known = known.enumerate().find(|(_, person)| (person.page, person.consumer) == (page, consumer));
        if let Some((known, _)) = known {
            return known;
        }
        let number: u64 = self.messenger.pages[page]
            .id
            .bytes()
            .fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let seed = self.setup.seed ^ number ^ consumer.digits().wrapping_mul(0x9E6C_63D0_876A_3F6B);
        let psid = fastrand::Rng::with_seed(seed).u64(10_u64.pow(15)..10_u64.pow(16)).to_string();
        let person = self.messenger.people.len();
        self.messenger.person_ids.insert((page, psid.clone()), person);
        self.messenger.people.push(Person {
            page,
            consumer,
            psid,
            window_until: None,
            has_blocked: false,
            is_linked: false,
        });
        person
    }

    /// The consumer writes to the page, which opens its window. Returns `false` if there is no such page.
    pub fn consumer_writes_to_page(
        &mut self,
        now: Timestamp,
        page: &str,
        consumer: Phone,
        text: &str,
    ) -> bool {
        self.run_until(now);
        let Some(&page) = self.messenger.page_ids.get(page) else { return false };
        let person = self.person(page, consumer);
        self.messenger.people[person].window_until = Some(self.now + WINDOW);
        self.messenger.people[person].has_blocked = false;
        let is_linked = self.messenger.people[person].is_linked;
        let id = self.messenger.pages[page].id.clone();
        let fact = match text.to_lowercase().as_str() {
            "stop" => {
                self.oracle.page_said_no(&id, consumer, is_linked);
                PageFact::Stop(person)
            }
            "start" => {
                self.oracle.page_started_again(&id, consumer);
                PageFact::Heard(person)
            }
            _ => PageFact::Heard(person),
        };
        self.tell_written(person, text, fact);
        true
    }

    /// The consumer calls the page. Returns `false` if there is no such page.
    pub fn consumer_calls_page(&mut self, now: Timestamp, page: &str, consumer: Phone) -> bool {
        self.run_until(now);
        let Some(&page) = self.messenger.page_ids.get(page) else { return false };
        let person = self.person(page, consumer);
        self.person_calls(person);
        true
    }

    /// The consumer taps the latest call button of the page that arrived, whatever the habit is. Returns `false` if there
    /// is none.
    pub fn consumer_taps_at_page(&mut self, now: Timestamp, page: &str, consumer: Phone) -> bool {
        self.run_until(now);
        let Some(&page) = self.messenger.page_ids.get(page) else { return false };
        let person = self.person(page, consumer);
        let mut notes = self.messenger.notes.iter();
        let found =
            notes.rposition(|note| note.person == person && note.has_arrived && note.said.is_invite());
        found.map(|note| self.tap_note(note)).is_some()
    }

    /// From now on the consumer takes no messages of the page, until the consumer writes. Returns `false` if there is no
    /// such page.
    pub fn consumer_blocks_page(&mut self, now: Timestamp, page: &str, consumer: Phone) -> bool {
        self.run_until(now);
        let Some(&page) = self.messenger.page_ids.get(page) else { return false };
        let person = self.person(page, consumer);
        self.messenger.people[person].has_blocked = true;
        true
    }

    pub(in crate::sim::world) fn restrict_page(
        &mut self,
        page: &str,
        restriction: Option<Restriction>,
    ) -> bool {
        let Some(&page) = self.messenger.page_ids.get(page) else { return false };
        self.messenger.pages[page].restriction = restriction;
        true
    }

    /// A person's call, which the page answers. A page without calls has no way to be called.
    pub(super) fn person_calls(&mut self, person: PersonId) {
        let Person { page, consumer, .. } = self.messenger.people[person];
        if !self.messenger.pages[page].is_calling_on {
            return;
        }
        self.counts.page_calls += 1;
        let id = self.messenger.pages[page].id.clone();
        self.oracle.page_started_again(&id, consumer);
        let call = self.messenger.calls.len();
        self.messenger.calls.push(PageCall { person, at: self.now, told_at: None });
        let id = format!("c_{:x}_{:016x}", call + 1, self.rng.u64(..));
        self.tell_page_call(call, &id);
    }
}
