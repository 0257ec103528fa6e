//! What is at Messenger.

use std::collections::HashMap;

use jiff::Timestamp;

use super::hooks::Item;
use super::said::Said;
use crate::domain::Phone;
use crate::sim::world::graph::{AppId, Restriction};

pub(super) type PageId = usize;
pub(super) type PersonId = usize;
pub(super) type NoteId = usize;
pub(super) type PageCallId = usize;

/// Everything of it.
#[derive(Debug, Default)]
pub(in crate::sim::world) struct Messenger {
    pub(super) pages: Vec<Page>,
    pub(super) page_ids: HashMap<String, PageId>,
    pub(super) tokens: HashMap<String, PageId>,
    pub(super) people: Vec<Person>,
    /// The people of all pages, by page and PSID.
    pub(super) person_ids: HashMap<(PageId, String), PersonId>,
    pub(super) notes: Vec<Note>,
    pub(super) calls: Vec<PageCall>,
    /// What the next webhooks tell.
    pub(super) pending: Vec<Item>,
}

#[derive(Debug)]
pub(super) struct Page {
    pub(super) id: String,
    pub(super) app: AppId,
    pub(super) url: Option<String>,
    pub(super) is_calling_on: bool,
    pub(super) may_message: bool,
    pub(super) restriction: Option<Restriction>,
}

/// One consumer at one page.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) page: PageId,
    pub(super) consumer: Phone,
    pub(super) psid: String,
    /// Until when the page may write, since the person wrote.
    pub(super) window_until: Option<Timestamp>,
    /// Whether the person takes no messages of the page.
    pub(super) has_blocked: bool,
    /// Whether the page ever sent a message, so that the daemon knows whose id this is.
    pub(super) is_linked: bool,
}

/// A person's call, which the page answered.
#[derive(Debug)]
pub(super) struct PageCall {
    pub(super) person: PersonId,
    pub(super) at: Timestamp,
    /// When the daemon acknowledged its webhook.
    pub(super) told_at: Option<Timestamp>,
}

/// A message of a page.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) id: String,
    pub(super) person: PersonId,
    pub(super) said: Said,
    pub(super) created: Timestamp,
    /// Whether the person has it.
    pub(super) has_arrived: bool,
}

/// What happens later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sim::world) enum MessengerAction {
    Deliver(NoteId),
    Read(NoteId),
    /// The person uses the call button.
    Tap(NoteId),
    /// What was collected is told.
    Tell,
}
