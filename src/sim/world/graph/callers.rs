//! Consumers at the Cloud API: they write, answer permission requests, tap call buttons, open calling links, and call.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::hooks::Fact;
use super::said::Said;
use super::state::{GraphAction, GraphCall, GraphCallId, NumberId, PostId};
use crate::domain::Phone;
use crate::sim::world::consumers::Occasion;
use crate::sim::world::state::{PairId, SenderId};
use crate::sim::world::{Action, Answer, World};

/// How long the phone of a number rings that nobody answers. Meta names about 30 to 60 s.
const RINGS_MS: u64 = 45_000;

/// What the consumer used to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::world) enum Tap {
    Button(Option<String>),
    Link(Option<String>),
}

impl World {
    pub(in crate::sim::world) fn graph_act(&mut self, action: GraphAction) {
        match action {
            GraphAction::Post(post, step) => self.post_step(post, step),
            GraphAction::Tap(post) => self.tap(post),
            GraphAction::PickUp(call) => self.pick_up(call),
            GraphAction::HangUp(call) => self.graph_hang_up(call),
            GraphAction::Decide(template) => self.template_decided(template),
            GraphAction::Tell => self.tell_all(),
        }
    }

    /// The consumer uses the way to call that a message offers.
    fn tap(&mut self, post: PostId) {
        if !self.is_usable(post) {
            self.counts.taps_expired += 1;
            return;
        }
        let pair = self.graph.posts[post].pair;
        let (_, consumer) = self.numbers(pair);
        self.counts.taps += 1;
        match self.graph.posts[post].said.clone() {
            Said::Link { number, payload } | Said::Url { link: Some((number, payload)) } => {
                self.open_link(number, consumer, payload);
            }
            said => {
                let payload = said.payload().map(ToOwned::to_owned);
                self.call_in(pair, Some(&Tap::Button(payload)));
            }
        }
    }

    /// The consumer opens a calling link. Returns `false` if there is no such sender.
    pub fn consumer_opens(
        &mut self,
        now: Timestamp,
        sender: Phone,
        consumer: Phone,
        payload: Option<&str>,
    ) -> bool {
        self.run_until(now);
        if !self.sender_ids.contains_key(&sender) {
            return false;
        }
        self.open_link(sender, consumer, payload.map(ToOwned::to_owned));
        true
    }

    fn open_link(&mut self, number: Phone, consumer: Phone, payload: Option<String>) {
        if self.client(consumer).is_desktop {
            return;
        }
        let Some(&sender) = self.sender_ids.get(&number) else { return };
        let pair = self.pair(sender, consumer);
        self.call_in(pair, Some(&Tap::Link(payload)));
    }

    /// The consumer uses the way to call of the latest message of the sender that arrived and has one, whatever the habit
    /// is. Returns `false` if there is none.
    pub fn consumer_taps(&mut self, now: Timestamp, sender: Phone, consumer: Phone) -> bool {
        self.run_until(now);
        let is_it = |post: &PostId| {
            let post = &self.graph.posts[*post];
            post.has_arrived
                && self.numbers(post.pair) == (sender, consumer)
                && (post.said.button().is_some()
                    || matches!(post.said, Said::Link { .. } | Said::Url { link: Some(_) }))
        };
        let found = (0..self.graph.posts.len()).rev().find(is_it);
        found.map(|post| self.tap(post)).is_some()
    }

    /// Whether consumers can call a sender. At Twilio they always can.
    pub(in crate::sim::world) fn takes_calls(&self, sender: SenderId) -> bool {
        self.graph.number_of_sender.get(&sender).is_none_or(|&number| {
            let this = &self.graph.numbers[number];
            this.is_calling_on && !self.is_restricted(this.waba, "USER_INITIATED_CALLING")
        })
    }

    /// Begins the record of a consumer's call, if the number is at the Cloud API, and tells of it.
    pub(in crate::sim::world) fn graph_connect(
        &mut self,
        pair: PairId,
        tap: Option<&Tap>,
    ) -> Option<GraphCallId> {
        let number = self.graph.number_of_sender.get(&self.pairs[pair].sender).copied()?;
        let (_, consumer) = self.numbers(pair);
        let tap = if self.client(consumer).drops_payload {
            self.counts.payloads_dropped += u64::from(tap.is_some());
            None
        } else {
            tap.cloned()
        };
        let id = format!("wacid.HBgL{:032X}", self.rng.u128(..));
        let call = self.graph.calls.len();
        self.graph.calls.push(GraphCall {
            id,
            number,
            pair,
            tap,
            answered: None,
            ended: None,
            told_at: None,
            is_nameless: false,
        });
        let session = json!({"session": {"sdp_type": "offer", "sdp": "v=0"}});
        self.tell_call(call, "connect", session, Some(Fact::Heard(pair)));
        Some(call)
    }

    /// A call to a number that is only at the Cloud API rings, and is answered or not.
    pub(in crate::sim::world) fn graph_ring(&mut self, call: GraphCallId) {
        let pair = self.graph.calls[call].pair;
        self.pairs[pair].live += 1;
        let answers = self.of_ten(self.setup.behaviour.numbers_answer_of_ten);
        if answers {
            let delay = self.draw(self.setup.timing.agent_answers);
            self.after(delay, Action::Graph(GraphAction::PickUp(call)));
        } else {
            self.after(RINGS_MS, Action::Graph(GraphAction::HangUp(call)));
        }
    }

    fn pick_up(&mut self, call: GraphCallId) {
        let pair = self.graph.calls[call].pair;
        self.graph.calls[call].answered = Some(self.now);
        let (sender, consumer) = self.numbers(pair);
        self.oracle.connected_untold(sender, consumer);
        let link = &mut self.pairs[pair];
        link.misses = 0;
        link.requests.clear();
        self.counts.inbound_connected += 1;
        self.open_service_window(pair);
        let talk = self.draw(self.setup.timing.talk);
        self.after(talk, Action::Graph(GraphAction::HangUp(call)));
    }

    fn graph_hang_up(&mut self, call: GraphCallId) {
        let GraphCall { pair, answered, .. } = self.graph.calls[call];
        self.pairs[pair].live = self.pairs[pair].live.saturating_sub(1);
        self.graph_terminate(Some(call), answered);
        self.inbound_over(pair, Some(call));
    }

    /// Tells of the end of a call. Only a call that was picked up has a duration.
    pub(in crate::sim::world) fn graph_terminate(
        &mut self,
        call: Option<GraphCallId>,
        answered: Option<Timestamp>,
    ) {
        let Some(call) = call else { return };
        let (_, consumer) = self.numbers(self.graph.calls[call].pair);
        let is_nameless = self.client(consumer).hides_number;
        let this = &mut self.graph.calls[call];
        (this.answered, this.ended, this.is_nameless) = (answered, Some(self.now), is_nameless);
        let more = match answered {
            Some(at) => json!({
                "status": "COMPLETED",
                "start_time": at.as_second().to_string(),
                "end_time": self.stamp(),
                "duration": self.now.duration_since(at).as_secs().max(1),
            }),
            None => json!({"status": "COMPLETED"}),
        };
        self.tell_call(call, "terminate", more, Some(Fact::Over(call)));
    }

    fn tell_call(&mut self, call: GraphCallId, event: &str, more: Value, fact: Option<Fact>) {
        let GraphCall { number, pair, .. } = self.graph.calls[call];
        let (contact, from) = self.contact(pair);
        let (sender, _) = self.numbers(pair);
        let this = &self.graph.calls[call];
        let mut item = json!({
            "id": this.id,
            "to": sender.digits().to_string(),
            "event": event,
            "direction": "USER_INITIATED",
            "timestamp": self.stamp(),
        });
        extend(&mut item, &from);
        extend(&mut item, &more);
        match &this.tap {
            Some(Tap::Button(Some(payload))) => item["cta_payload"] = json!(payload),
            Some(Tap::Link(Some(payload))) => item["deeplink_payload"] = json!(payload),
            _ => {}
        }
        self.counts.graph_calls += u64::from(event == "connect");
        self.tell_item(number, ("calls", "calls"), item, Some(contact), fact);
    }

    /// Tells of a consumer's message, if the number is at the Cloud API.
    pub(in crate::sim::world) fn graph_message(&mut self, pair: PairId, text: &str) {
        let Some(number) = self.number_of(pair) else { return };
        let more = json!({"type": "text", "text": {"body": text}});
        let fact = if text.eq_ignore_ascii_case("stop") { Fact::Stop(pair) } else { Fact::Heard(pair) };
        self.tell_message(number, pair, &more, Some(fact));
    }

    /// Tells of a changed permission, if the number is at the Cloud API.
    pub(in crate::sim::world) fn graph_reply(&mut self, pair: PairId, occasion: Occasion, answer: Answer) {
        let Some(number) = self.number_of(pair) else { return };
        let is_automatic = matches!(occasion, Occasion::Call(_) | Occasion::Misses);
        let mut reply = json!({
            "response": if answer == Answer::Reject { "reject" } else { "accept" },
            "response_source": if is_automatic { "automatic" } else { "user_action" },
        });
        match answer {
            Answer::Accept => {
                let hours = self.setup.limits.permission_hours;
                let until = self.now + jiff::SignedDuration::from_hours(hours);
                reply["is_permanent"] = json!(false);
                reply["expiration_timestamp"] = json!(until.as_second().to_string());
            }
            Answer::AcceptPermanently => reply["is_permanent"] = json!(true),
            Answer::Reject => {}
        }
        let mut more = json!({"type": "interactive",
            "interactive": {"type": "call_permission_reply", "call_permission_reply": reply}});
        let (sender, _) = self.numbers(pair);
        let context = match occasion {
            Occasion::Post(post) => Some(self.graph.posts[post].id.clone()),
            Occasion::Call(call) => call.map(|call| self.graph.calls[call].id.clone()),
            Occasion::Text(_) | Occasion::Profile | Occasion::Misses => None,
        };
        if let Some(id) = context {
            more["context"] = json!({"from": sender.digits().to_string(), "id": id});
        }
        let fact = if answer == Answer::Reject { Fact::Revocation(pair) } else { Fact::Grant(pair) };
        self.tell_message(number, pair, &more, Some(fact));
    }

    fn number_of(&self, pair: PairId) -> Option<NumberId> {
        self.graph.number_of_sender.get(&self.pairs[pair].sender).copied()
    }

    fn tell_message(&mut self, number: NumberId, pair: PairId, more: &Value, fact: Option<Fact>) {
        let id = format!("wamid.HBgM{:032X}", self.rng.u128(..));
        self.graph.message_ids.insert(id.clone());
        let (contact, from) = self.contact(pair);
        let mut item = json!({"id": id, "timestamp": self.stamp()});
        extend(&mut item, &from);
        extend(&mut item, more);
        self.tell_item(number, ("messages", "messages"), item, Some(contact), fact);
    }

    /// The consumer stops or takes back the marketing messages of a number. Returns `false` if the number is not at the
    /// Cloud API.
    pub fn consumer_prefers(
        &mut self,
        now: Timestamp,
        sender: Phone,
        consumer: Phone,
        marketing: bool,
    ) -> bool {
        self.run_until(now);
        let Some(&id) = self.sender_ids.get(&sender) else { return false };
        let pair = self.pair(id, consumer);
        let Some(number) = self.number_of(pair) else { return false };
        if marketing {
            self.graph.unmarketed.remove(&(id, consumer));
        } else {
            self.graph.unmarketed.insert((id, consumer));
        }
        let (contact, _) = self.contact(pair);
        let value = if marketing { "resume" } else { "stop" };
        let mut item = json!({"user_id": contact["user_id"], "timestamp": self.now.as_second(),
            "category": "marketing_messages", "value": value,
            "detail": format!("User requested to {value} marketing messages")});
        if !contact["wa_id"].is_null() {
            item["wa_id"] = contact["wa_id"].clone();
        }
        self.tell_item(number, ("user_preferences", "user_preferences"), item, Some(contact), None);
        true
    }
}

fn extend(value: &mut Value, more: &Value) {
    if let (Some(fields), Some(more)) = (value.as_object_mut(), more.as_object()) {
        fields.extend(more.clone());
    }
}
