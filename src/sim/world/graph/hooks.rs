//! Webhooks of the Cloud API: what happens is collected for a moment, and told in one body for each URL.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::{App, AppId, GraphAction, GraphCallId, NumberId, PostId, WabaId};
use crate::sim::world::messenger::PageFact;
use crate::sim::world::oracle::invites::Stops;
use crate::sim::world::state::{PairId, SenderId};
use crate::sim::world::wire::WebhookReply;
use crate::sim::world::{Action, World};

/// What a webhook tells that the oracle has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::world) enum Fact {
    Grant(PairId),
    Revocation(PairId),
    /// The word with which a consumer ends contact.
    Stop(PairId),
    /// The consumer wrote or called, which opens the service window.
    Heard(PairId),
    Restricted {
        waba: WabaId,
        stops: Stops,
        until: Option<Timestamp>,
    },
    /// The state of a message, which names its consumer whatever the client hides: the message went to a number.
    Status(PairId),
    /// A consumer's call is over.
    Over(GraphCallId),
    /// The calls of a number are switched off.
    CallsOff(SenderId),
    /// Of a page of Messenger.
    Page(PageFact),
}

/// One thing to tell.
#[derive(Debug, Clone)]
pub(in crate::sim::world) struct Piece {
    waba: WabaId,
    field: &'static str,
    body: Body,
    fact: Option<Fact>,
}

#[derive(Debug, Clone)]
enum Body {
    /// The whole value of a change.
    Account(Value),
    /// One item of a list in the value of a change.
    Item { number: NumberId, list: &'static str, item: Value, contact: Option<Value> },
}

impl Piece {
    pub(super) const fn of_account(waba: WabaId, field: &'static str, value: Value) -> Self {
        Self { waba, field, body: Body::Account(value), fact: None }
    }

    pub(super) fn with(self, fact: Fact) -> Self {
        Self { fact: Some(fact), ..self }
    }
}

impl World {
    /// Tells it with the next webhooks.
    pub(super) fn tell(&mut self, piece: Piece) {
        if self.graph.pending.is_empty() {
            self.after(self.setup.timing.batch_ms, Action::Graph(GraphAction::Tell));
        }
        self.graph.pending.push(piece);
    }

    /// Tells an item about a number.
    pub(super) fn tell_item(
        &mut self,
        number: NumberId,
        (field, list): (&'static str, &'static str),
        item: Value,
        contact: Option<Value>,
        fact: Option<Fact>,
    ) {
        let waba = self.graph.numbers[number].waba;
        self.tell(Piece { waba, field, body: Body::Item { number, list, item, contact }, fact });
    }

    /// Sends what was collected.
    pub(super) fn tell_all(&mut self) {
        let mut groups: Vec<(AppId, String, Vec<Piece>)> = Vec::new();
        for piece in std::mem::take(&mut self.graph.pending) {
            let app = self.graph.wabas[piece.waba].app;
            let url = match &piece.body {
                Body::Item { number, .. } => self.url_of(*number),
                Body::Account(_) => self.graph.apps[app].url.clone(),
            };
            let Some(url) = url.filter(|_| self.graph.apps[app].is_checked) else {
                // The daemon cannot learn it.
                if let Some(Fact::Revocation(pair)) = piece.fact {
                    let (sender, consumer) = self.numbers(pair);
                    self.oracle.revocation_is_known(sender, consumer);
                }
                continue;
            };
            match groups.iter_mut().find(|(other, to, _)| (*other, to.as_str()) == (app, url.as_str())) {
                Some((.., pieces)) => pieces.push(piece),
                None => groups.push((app, url, vec![piece])),
            }
        }
        for (app, url, pieces) in groups {
            let body = self.body_of(&pieces).to_string();
            let facts = pieces.into_iter().filter_map(|piece| piece.fact).collect();
            self.send_json(app, &url, body, facts);
        }
    }

    fn body_of(&self, pieces: &[Piece]) -> Value {
        let mut entries: Vec<(WabaId, Vec<Value>)> = Vec::new();
        let mut last: Option<(NumberId, &str)> = None;
        for piece in pieces {
            if entries.last().is_none_or(|(waba, _)| *waba != piece.waba) {
                entries.push((piece.waba, Vec::new()));
                last = None;
            }
            let Some((_, changes)) = entries.last_mut() else { continue };
            let Body::Item { number, list, item, contact } = &piece.body else {
                if let Body::Account(value) = &piece.body {
                    changes.push(json!({"field": piece.field, "value": value}));
                }
                last = None;
                continue;
            };
            if last != Some((*number, piece.field)) {
                changes.push(json!({"field": piece.field, "value": self.value_of(*number)}));
            }
            last = Some((*number, piece.field));
            let Some(change) = changes.last_mut() else { continue };
            add(&mut change["value"], list, item);
            if let Some(contact) = contact {
                add(&mut change["value"], "contacts", contact);
            }
        }
        let entry = |(waba, changes): (WabaId, Vec<Value>)| json!({"id": self.graph.wabas[waba].id, "time": self.now.as_second(), "changes": changes});
        let entries: Vec<Value> = entries.into_iter().map(entry).collect();
        json!({"object": "whatsapp_business_account", "entry": entries})
    }

    fn value_of(&self, number: NumberId) -> Value {
        let this = &self.graph.numbers[number];
        let shown = self.senders[this.sender].number.digits().to_string();
        json!({"messaging_product": "whatsapp",
            "metadata": {"display_phone_number": shown, "phone_number_id": this.id}})
    }

    /// Where the webhooks about a number go.
    pub(super) fn url_of(&self, number: NumberId) -> Option<String> {
        self.graph.numbers[number].url.clone().or_else(|| self.app_url_of(number))
    }

    pub(super) fn app_url_of(&self, number: NumberId) -> Option<String> {
        let app = self.graph.wabas[self.graph.numbers[number].waba].app;
        self.graph.apps[app].url.clone()
    }

    pub(super) fn tell_status(&mut self, post: PostId, status: &'static str) {
        let this = &self.graph.posts[post];
        let (number, pair) = (this.number, this.pair);
        let mut item = json!({"id": this.id, "status": status, "timestamp": self.stamp()});
        if let Some(opaque) = &this.opaque {
            item["biz_opaque_callback_data"] = json!(opaque);
        }
        if let (Some((code, title)), "failed") = (this.error, status) {
            item["errors"] = json!([{"code": code, "title": title, "message": title,
                "error_data": {"details": title},
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"}]);
        } else if status == "sent" {
            let category = if this.said.is_template() { "utility" } else { "service" };
            item["pricing"] = json!({"billable": this.said.is_template(), "pricing_model": "PMP",
                "type": "regular", "category": category});
        }
        let (_, consumer) = self.numbers(pair);
        item["recipient_user_id"] = json!(self.user_id(consumer));
        if !self.client(consumer).hides_number {
            item["recipient_id"] = json!(consumer.digits().to_string());
        }
        let (contact, _) = self.contact(pair);
        let fact = Some(Fact::Status(pair));
        self.tell_item(number, ("messages", "statuses"), item, Some(contact), fact);
    }

    /// The contact of a consumer, and the fields by which an item names the consumer.
    pub(super) fn contact(&mut self, pair: PairId) -> (Value, Value) {
        let (_, consumer) = self.numbers(pair);
        let user_id = self.user_id(consumer);
        let mut contact = json!({"profile": {"name": "Consumer"}, "user_id": user_id});
        let mut from = json!({"from_user_id": user_id});
        if !self.client(consumer).hides_number {
            contact["wa_id"] = json!(consumer.digits().to_string());
            from["from"] = json!(consumer.digits().to_string());
        }
        (contact, from)
    }

    pub(super) fn stamp(&self) -> String {
        self.now.as_second().to_string()
    }

    /// The daemon's answer to a webhook. Without one, the daemon may have received it.
    pub(in crate::sim::world) fn graph_reached(&mut self, facts: &[Fact], token: &str, reply: &WebhookReply) {
        let is_taken = matches!(reply, WebhookReply::Answer { status: 200..=299, .. });
        let is_unknown = !matches!(reply, WebhookReply::Answer { .. });
        for (index, fact) in facts.iter().enumerate() {
            let token = format!("{token} {index}");
            if is_taken {
                self.learn_name(fact, &token);
            }
            match fact {
                Fact::Stop(pair) | Fact::Grant(pair) | Fact::Revocation(pair) if self.is_unnamed(*pair) => {
                    self.unnamed_said(fact, is_taken);
                }
                Fact::Grant(pair) if is_taken || is_unknown => {
                    let (sender, consumer) = self.numbers(*pair);
                    self.oracle.told_of_grant(sender, consumer, &token);
                    if is_taken {
                        self.oracle.acknowledged_grant(self.now, sender, consumer);
                    }
                }
                Fact::Revocation(pair) if is_taken => {
                    let (sender, consumer) = self.numbers(*pair);
                    self.oracle.told_of_revocation(self.now, sender, consumer, &token);
                    self.oracle.told_of_no(self.now, consumer, &token);
                }
                Fact::Stop(pair) if is_taken => {
                    let (_, consumer) = self.numbers(*pair);
                    self.oracle.told_of_no(self.now, consumer, &token);
                }
                Fact::Heard(pair) if is_taken || is_unknown => {
                    let (sender, consumer) = self.numbers(*pair);
                    self.oracle.heard(self.now, sender, consumer);
                }
                Fact::Restricted { waba, stops, until }
                    if is_taken && !self.graph.wabas[*waba].restrictions.is_empty() =>
                {
                    for number in self.graph.wabas[*waba].numbers.clone() {
                        let sender = self.senders[self.graph.numbers[number].sender].number;
                        self.oracle.told_of_restriction(self.now, sender, *stops, *until);
                    }
                }
                Fact::Over(call) if is_taken => {
                    let (pair, answered) = (self.graph.calls[*call].pair, self.graph.calls[*call].answered);
                    self.graph.calls[*call].told_at.get_or_insert(self.now);
                    if let Some(answered_at) = answered {
                        let (sender, consumer) = self.numbers(pair);
                        self.oracle.told_of_call(sender, consumer, answered_at);
                    }
                }
                Fact::Page(fact) => self.page_reached(*fact, &token, reply),
                Fact::CallsOff(sender) if is_taken => {
                    let is_off = self.graph.number_of_sender.get(sender);
                    if is_off.is_some_and(|&number| !self.graph.numbers[number].is_calling_on) {
                        let number = self.senders[*sender].number;
                        self.oracle.told_of_restriction(self.now, number, Stops::Calls, None);
                    }
                }
                _ => {}
            }
        }
    }

    /// The daemon may know now whose user id it is, and with it what was said under the id.
    fn learn_name(&mut self, fact: &Fact, token: &str) {
        let (pair, is_named) = match fact {
            Fact::Status(pair) => (*pair, true),
            Fact::Grant(pair) | Fact::Revocation(pair) | Fact::Stop(pair) | Fact::Heard(pair) => {
                (*pair, false)
            }
            _ => return,
        };
        let (_, consumer) = self.numbers(pair);
        if !is_named && self.client(consumer).hides_number {
            return;
        }
        self.graph.named.insert(consumer);
        if self.graph.unnamed_noes.remove(&consumer) {
            self.oracle.told_of_no(self.now, consumer, &format!("{token} by name"));
        }
    }

    /// Whether webhooks name the consumer by a user id of which the daemon cannot know whose it is.
    fn is_unnamed(&self, pair: PairId) -> bool {
        let (_, consumer) = self.numbers(pair);
        self.client(consumer).hides_number && !self.graph.named.contains(&consumer)
    }

    fn unnamed_said(&mut self, fact: &Fact, is_taken: bool) {
        if let (Fact::Stop(pair) | Fact::Revocation(pair), true) = (fact, is_taken) {
            let (_, consumer) = self.numbers(*pair);
            self.graph.unnamed_noes.insert(consumer);
        }
    }

    /// Checks the webhook URL of an app, as Meta does when somebody enters it. Returns `false` if there is no such app or
    /// it has no URL.
    pub fn shake_hands(&mut self, now: Timestamp, app: &str) -> bool {
        self.run_until(now);
        let Some(super::state::Node::App(app)) = self.graph.nodes.get(app).copied() else { return false };
        let App { url: Some(url), verify_token, .. } = &self.graph.apps[app] else { return false };
        let (url, verify_token) = (url.clone(), verify_token.clone());
        let challenge = self.rng.u32(100_000_000..).to_string();
        let params =
            [("hub.mode", "subscribe"), ("hub.challenge", &*challenge), ("hub.verify_token", &*verify_token)];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        self.send_handshake(app, &url, params, challenge);
        true
    }

    /// The answer to a check. Until one is right, nothing is sent to the URL.
    pub(in crate::sim::world) fn shook_hands(&mut self, app: AppId, challenge: &str, reply: &WebhookReply) {
        let is_right =
            matches!(reply, WebhookReply::Answer { status: 200, body, .. } if body.trim() == challenge);
        self.graph.apps[app].is_checked = is_right;
        if is_right {
            self.counts.handshakes += 1;
        }
    }
}

/// Adds an item to a list of a value, once.
fn add(value: &mut Value, list: &str, item: &Value) {
    match value[list].as_array_mut() {
        Some(items) if list == "contacts" && items.contains(item) => {}
        Some(items) => items.push(item.clone()),
        None => value[list] = json!([item]),
    }
}
