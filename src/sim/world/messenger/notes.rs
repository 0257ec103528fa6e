//! Messages of a page: taken or refused, and delivered and read later.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::fault::PageFault;
use super::routes::PageServed;
use super::said::{self, Said};
use super::state::{MessengerAction, Note, NoteId, PageId, PersonId};
use crate::clock::later;
use crate::sim::world::habits::Habit;
use crate::sim::world::wire::ApiResponse;
use crate::sim::world::{Action, World};

impl World {
    pub(super) fn create_note(&mut self, page: PageId, body: &Value) -> PageServed {
        let psid = body["recipient"]["id"].as_str();
        let psid = psid.ok_or_else(|| PageFault::parameter("The parameter recipient is required"))?;
        if body["messaging_type"].as_str().is_some_and(|kind| !["RESPONSE", "UPDATE"].contains(&kind)) {
            return Err(PageFault::parameter("messaging_type is neither RESPONSE nor UPDATE"));
        }
        let person = self.messenger.person_ids.get(&(page, psid.to_owned())).copied();
        let person = person.ok_or_else(PageFault::no_person)?;
        let said = said::read(&body["message"])?;
        self.judge_note(person, &said);
        if let Err(fault) = self.may_be_noted(person, &said) {
            if fault.is_restriction() {
                self.oracle.page_is_refused(self.now, &self.messenger.pages[page].id);
            }
            return Err(fault);
        }
        let note = self.keep_note(person, said);
        let delay = self.draw(self.setup.timing.message_step);
        self.after(delay, Action::Messenger(MessengerAction::Deliver(note)));
        let id = &self.messenger.notes[note].id;
        // The Send API answers with both beside each other; *Call Audio CTA* shows them in an object.
        let answer = if self.setup.behaviour.page_answers_nested {
            json!({"recipient": {"id": psid, "message_id": id}})
        } else {
            json!({"recipient_id": psid, "message_id": id})
        };
        Ok(ApiResponse::json(200, &answer))
    }

    /// Tells the oracle what was asked for, whether or not it is taken.
    fn judge_note(&mut self, person: PersonId, said: &Said) {
        if said.is_invite() {
            let this = &self.messenger.people[person];
            let page = &self.messenger.pages[this.page].id;
            self.oracle.page_asks_to_invite(self.now, page, this.consumer, this.window_until);
        }
    }

    fn may_be_noted(&self, person: PersonId, said: &Said) -> Result<(), PageFault> {
        let this = &self.messenger.people[person];
        let page = &self.messenger.pages[this.page];
        if let Some(code) = self.setup.behaviour.refuse_notes {
            return Err(PageFault::refused(code));
        }
        if page.restriction.as_ref().is_some_and(|restriction| restriction.holds(self.now)) {
            return Err(PageFault::restricted());
        }
        if !page.may_message {
            return Err(PageFault::no_right());
        }
        if said.is_invite() && !page.is_calling_on {
            return Err(PageFault::no_calls());
        }
        if this.has_blocked || self.habit(this.consumer) == Habit::Absent {
            return Err(PageFault::unavailable());
        }
        let is_open = this.window_until.is_some_and(|until| self.now < until);
        if is_open { Ok(()) } else { Err(PageFault::outside_window()) }
    }

    fn keep_note(&mut self, person: PersonId, said: Said) -> NoteId {
        let id = format!("m_{:032x}", self.rng.u128(..));
        self.counts.messages += 1;
        self.counts.notes += 1;
        if said.is_invite() {
            self.counts.invites += 1;
            self.oracle.page_invite_arrives(self.now, self.messenger.people[person].consumer);
        }
        self.messenger.people[person].is_linked = true;
        let note = self.messenger.notes.len();
        let (created, has_arrived) = (self.now, false);
        self.messenger.notes.push(Note { id: id.clone(), person, said, created, has_arrived });
        // The page's app hears its own messages, too.
        self.tell_page_echo(person, &id);
        note
    }

    pub(in crate::sim::world) fn messenger_act(&mut self, action: MessengerAction) {
        match action {
            MessengerAction::Deliver(note) => self.note_arrives(note),
            MessengerAction::Read(note) => self.tell_read(note),
            MessengerAction::Tap(note) => self.tap_note(note),
            MessengerAction::Tell => self.tell_pages(),
        }
    }

    fn note_arrives(&mut self, note: NoteId) {
        self.messenger.notes[note].has_arrived = true;
        self.tell_delivery(note);
        if self.of_ten(self.setup.behaviour.read_of_ten) {
            let delay = self.draw(self.setup.timing.message_step);
            self.after(delay, Action::Messenger(MessengerAction::Read(note)));
        }
        if !self.messenger.notes[note].said.is_invite() {
            return;
        }
        let consumer = self.messenger.people[self.messenger.notes[note].person].consumer;
        if let Some(delay) = self.follows_invite(consumer) {
            self.after(delay, Action::Messenger(MessengerAction::Tap(note)));
        }
    }

    /// The person taps the call button, which may have expired.
    pub(super) fn tap_note(&mut self, note: NoteId) {
        let Note { person, created, ref said, .. } = self.messenger.notes[note];
        let Some(days) = said.call_days else { return };
        if self.now >= later(created, SignedDuration::from_hours(days * 24)) {
            self.counts.taps_expired += 1;
            return;
        }
        self.counts.taps += 1;
        self.person_calls(person);
    }
}
