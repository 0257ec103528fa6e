//! Webhooks of pages: what happens is collected for a moment, and told in one body for each URL.

use serde_json::{Value, json};

use super::setup::CallShape;
use super::state::{MessengerAction, NoteId, PageCallId, PageId, PersonId};
use crate::sim::world::graph::{AppId, Fact};
use crate::sim::world::wire::WebhookReply;
use crate::sim::world::{Action, World};

/// What a webhook tells that the oracle has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::world) enum PageFact {
    /// The person wrote.
    Heard(PersonId),
    /// The same, with the word that ends contact.
    Stop(PersonId),
    /// The person called.
    Called(PageCallId),
}

/// One thing to tell.
#[derive(Debug, Clone)]
pub(super) struct Item {
    page: PageId,
    /// The list of the entry: `messaging` or `changes`.
    list: &'static str,
    value: Value,
    fact: Option<PageFact>,
}

impl World {
    fn tell_item_of_page(&mut self, item: Item) {
        if self.messenger.pending.is_empty() {
            self.after(self.setup.timing.batch_ms, Action::Messenger(MessengerAction::Tell));
        }
        self.messenger.pending.push(item);
    }

    /// Tells one item of `messaging`, from the person or, as an echo, from the page.
    fn tell_messaging(&mut self, person: PersonId, is_echo: bool, more: &Value, fact: Option<PageFact>) {
        let this = &self.messenger.people[person];
        let page = this.page;
        let (psid, id) = (json!({"id": this.psid}), json!({"id": self.messenger.pages[page].id}));
        let (sender, recipient) = if is_echo { (id, psid) } else { (psid, id) };
        let at = self.now.as_millisecond();
        let mut value = json!({"sender": sender, "recipient": recipient, "timestamp": at});
        if let (Some(fields), Some(more)) = (value.as_object_mut(), more.as_object()) {
            fields.extend(more.clone());
        }
        self.tell_item_of_page(Item { page, list: "messaging", value, fact });
    }

    pub(super) fn tell_written(&mut self, person: PersonId, text: &str, fact: PageFact) {
        let mid = format!("m_{:032x}", self.rng.u128(..));
        let message = json!({"message": {"mid": mid, "text": text}});
        self.tell_messaging(person, false, &message, Some(fact));
    }

    pub(super) fn tell_page_echo(&mut self, person: PersonId, mid: &str) {
        let app = self.graph.app_id(self.messenger.pages[self.messenger.people[person].page].app);
        let message = json!({"message": {"mid": mid, "is_echo": true, "app_id": app}});
        self.tell_messaging(person, true, &message, None);
    }

    pub(super) fn tell_delivery(&mut self, note: NoteId) {
        let (person, mid) = (self.messenger.notes[note].person, self.messenger.notes[note].id.clone());
        let delivery = json!({"delivery": {"mids": [mid], "watermark": self.now.as_millisecond()}});
        self.tell_messaging(person, false, &delivery, None);
    }

    pub(super) fn tell_read(&mut self, note: NoteId) {
        let person = self.messenger.notes[note].person;
        let read = json!({"read": {"watermark": self.now.as_millisecond()}});
        self.tell_messaging(person, false, &read, None);
    }

    /// Tells of a person's call, in the shape that the setup names.
    pub(super) fn tell_page_call(&mut self, call: PageCallId, id: &str) {
        let (person, fact) = (self.messenger.calls[call].person, Some(PageFact::Called(call)));
        match self.setup.behaviour.page_call_shape {
            CallShape::Messaging => {
                let call = json!({"call": {"id": id, "event": "connect", "direction": "USER_INITIATED"}});
                self.tell_messaging(person, false, &call, fact);
            }
            CallShape::Change => {
                let this = &self.messenger.people[person];
                let page = this.page;
                let call = json!({"id": id, "event": "connect", "direction": "USER_INITIATED",
                    "from": this.psid, "to": self.messenger.pages[page].id,
                    "timestamp": self.now.as_second().to_string()});
                let value = json!({"field": "calls", "value": {"calls": [call]}});
                self.tell_item_of_page(Item { page, list: "changes", value, fact });
            }
        }
    }

    /// Sends what was collected.
    pub(super) fn tell_pages(&mut self) {
        let mut groups: Vec<(AppId, String, Vec<Item>)> = Vec::new();
        for item in std::mem::take(&mut self.messenger.pending) {
            let page = &self.messenger.pages[item.page];
            let app = page.app;
            let Some(url) = page.url.clone().or_else(|| self.graph.checked_url(app)) else { continue };
            match groups.iter_mut().find(|(other, to, _)| (*other, to.as_str()) == (app, url.as_str())) {
                Some((.., items)) => items.push(item),
                None => groups.push((app, url, vec![item])),
            }
        }
        for (app, url, items) in groups {
            let body = self.page_body(&items).to_string();
            let facts = items.iter().filter_map(|item| item.fact).map(Fact::Page).collect();
            self.send_json(app, &url, body, facts);
        }
    }

    fn page_body(&self, items: &[Item]) -> Value {
        let mut entries: Vec<(PageId, Value)> = Vec::new();
        for item in items {
            if entries.last().is_none_or(|(page, _)| *page != item.page) {
                let id = &self.messenger.pages[item.page].id;
                entries.push((item.page, json!({"id": id, "time": self.now.as_millisecond()})));
            }
            let Some((_, entry)) = entries.last_mut() else { continue };
            match entry[item.list].as_array_mut() {
                Some(list) => list.push(item.value.clone()),
                None => entry[item.list] = json!([item.value]),
            }
        }
        let entries: Vec<Value> = entries.into_iter().map(|(_, entry)| entry).collect();
        json!({"object": "page", "entry": entries})
    }

    /// The daemon's answer to a webhook with this fact. Without an answer, the daemon may have received it.
    pub(in crate::sim::world) fn page_reached(&mut self, fact: PageFact, token: &str, reply: &WebhookReply) {
        let is_taken = matches!(reply, WebhookReply::Answer { status: 200..=299, .. });
        let person = match fact {
            PageFact::Heard(person) | PageFact::Stop(person) => person,
            PageFact::Called(call) => {
                let told_at = &mut self.messenger.calls[call].told_at;
                *told_at = told_at.or_else(|| is_taken.then_some(self.now));
                return;
            }
        };
        let may_be_known = is_taken || !matches!(reply, WebhookReply::Answer { .. });
        let this = &self.messenger.people[person];
        let (page, consumer) = (self.messenger.pages[this.page].id.clone(), this.consumer);
        let is_linked = this.is_linked;
        if may_be_known {
            self.oracle.page_heard(self.now, &page, consumer);
        }
        if is_taken && matches!(fact, PageFact::Stop(_)) {
            self.oracle.page_told_of_no(self.now, &page, (consumer, is_linked), token);
        }
    }
}
