//! The messages endpoint: a message is taken or refused, and sent, delivered and read later.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::fault::GraphFault;
use super::routes::{GraphAsked, GraphServed};
use super::said::Said;
use super::state::{GraphAction, NumberId, Post, PostId};
use crate::clock::later;
use crate::domain::{Phone, RoadKind};
use crate::sim::world::oracle::invites::Sent;
use crate::sim::world::state::PairId;
use crate::sim::world::wire::ApiResponse;
use crate::sim::world::{Action, Occasion, Step, World};

/// The longest `biz_opaque_callback_data` (Meta, *Messages API*, 2026).
const OPAQUE_MAX: usize = 512;

impl World {
    pub(super) fn create_post(&mut self, asked: &GraphAsked<'_>, number: NumberId) -> GraphServed {
        let body = asked.json()?;
        if body.get("messaging_product").is_none_or(|product| product != "whatsapp") {
            return Err(GraphFault::parameter(
                "The parameter messaging_product is required and is \"whatsapp\"",
            ));
        }
        if body.get("status").is_some() {
            return self.take_receipt(&body);
        }
        let consumer = self.addressee(number, &body)?;
        let said = self.said(number, &body)?;
        let opaque = opaque(&body)?;
        let pair = self.pair(self.graph.numbers[number].sender, consumer);
        self.judge_post(pair, &said);
        self.may_be_posted(number, pair, &said)?;
        let input = body.get("to").or_else(|| body.get("recipient")).cloned().unwrap_or_default();
        let post = self.keep_post(number, pair, said, opaque);
        let refused = self.why_not_to_deliver_post(post);
        if road(&self.graph.posts[post].said).is_some() {
            let (sender, consumer) = self.numbers(pair);
            self.oracle.invite_was_taken(self.now, sender, consumer);
            if refused.is_none() {
                self.oracle.person_is_invited(self.now, consumer);
            }
        }
        self.graph.posts[post].error = refused;
        let delay = self.draw(self.setup.timing.message_step);
        self.after(delay, Action::Graph(GraphAction::Post(post, Step::Send)));
        Ok(self.taken(post, &input))
    }

    fn taken(&mut self, post: PostId, input: &Value) -> ApiResponse {
        let Post { id, pair, said, .. } = &self.graph.posts[post];
        let (pair, mut message) = (*pair, json!({"id": id}));
        if said.is_template() {
            message["message_status"] = json!("accepted");
        }
        let (_, consumer) = self.numbers(pair);
        let input = input.as_str().map_or_else(|| input.to_string(), ToOwned::to_owned);
        let user_id = self.user_id(consumer);
        let contact = if self.client(consumer).hides_number {
            json!({"input": input, "user_id": user_id})
        } else {
            json!({"input": input, "wa_id": consumer.digits().to_string(), "user_id": user_id})
        };
        let answer = json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]});
        ApiResponse::json(200, &answer)
    }

    /// A read receipt or a typing indicator.
    fn take_receipt(&self, body: &Map<String, Value>) -> GraphServed {
        if body.get("status").is_none_or(|status| status != "read") {
            return Err(GraphFault::value("Parameter status is not \"read\""));
        }
        let id = body.get("message_id").and_then(Value::as_str);
        let id = id.ok_or_else(|| GraphFault::missing("message_id"))?;
        if self.graph.message_ids.contains(id) {
            Ok(ApiResponse::json(200, &json!({"success": true})))
        } else {
            Err(GraphFault::value("Parameter message_id is of no message"))
        }
    }

    /// Who gets the message: a number, else a user id.
    fn addressee(&self, number: NumberId, body: &Map<String, Value>) -> Result<Phone, GraphFault> {
        let consumer = match (body.get("to"), body.get("recipient")) {
            (Some(to), _) => {
                let text = to.as_str().map_or_else(|| to.to_string(), ToOwned::to_owned);
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                Phone::parse(&format!("+{digits}"))
                    .map_err(|_| GraphFault::parameter("The parameter to is not a phone number"))?
            }
            (None, Some(recipient)) => {
                let known = recipient.as_str().and_then(|id| self.graph.people.get(id)).copied();
                known.ok_or_else(|| GraphFault::parameter("The parameter recipient is of no user"))?
            }
            (None, None) => return Err(GraphFault::parameter("The parameter to is required")),
        };
        let sender = self.senders[self.graph.numbers[number].sender].number;
        if consumer == sender {
            let title = "Recipient cannot be sender";
            return Err(GraphFault::new(400, 131_021, title, "Recipient and sender are the same"));
        }
        Ok(consumer)
    }

    /// Tells the oracle what was asked for, whether or not it is taken.
    fn judge_post(&mut self, pair: PairId, said: &Said) {
        let (sender, consumer) = self.numbers(pair);
        let sent = match road(said) {
            _ if said.is_request() => Sent::Request,
            Some(RoadKind::CallButton | RoadKind::DeepLink) => Sent::Button,
            _ if said.button().is_some() => Sent::Button,
            _ => Sent::Other,
        };
        self.oracle.sends_over(self.now, (sender, consumer), sent);
        if said.is_request() {
            self.judge_request(pair);
        }
        if let Some(road) = road(said) {
            let window = self.pairs[pair].service_until;
            self.oracle.asked_to_invite(self.now, (sender, consumer), road, window, said.payload());
        }
    }

    fn keep_post(&mut self, number: NumberId, pair: PairId, said: Said, opaque: Option<String>) -> PostId {
        let id = format!("wamid.HBgL{:032X}", self.rng.u128(..));
        let post = self.graph.posts.len();
        let (sender, consumer) = self.numbers(pair);
        self.counts.messages += 1;
        self.counts.posts += 1;
        if said.is_request() {
            self.counts.permission_requests += 1;
        }
        self.oracle.posted(self.now, (sender, consumer), opaque.as_deref());
        if road(&said).is_some() {
            self.counts.invites += 1;
        }
        self.graph.message_ids.insert(id.clone());
        self.graph.numbers[number].sent.push_back(self.now);
        let created = self.now;
        let new = Post { id, number, pair, said, opaque, error: None, created, has_arrived: false };
        self.graph.posts.push(new);
        post
    }

    pub(super) fn post_step(&mut self, post: PostId, step: Step) {
        if let Some((code, _)) = self.graph.posts[post].error {
            *self.counts.errors.entry(code).or_default() += 1;
            self.tell_status(post, "failed");
            return;
        }
        match step {
            Step::Send => {
                self.tell_status(post, "sent");
                let delay = self.draw(self.setup.timing.message_step);
                self.after(delay, Action::Graph(GraphAction::Post(post, Step::Deliver)));
            }
            Step::Deliver => {
                self.graph.posts[post].has_arrived = true;
                self.tell_status(post, "delivered");
                if self.of_ten(self.setup.behaviour.read_of_ten) {
                    let delay = self.draw(self.setup.timing.message_step);
                    self.after(delay, Action::Graph(GraphAction::Post(post, Step::Read)));
                }
                self.post_arrived(post);
            }
            Step::Read => self.tell_status(post, "read"),
        }
    }

    /// What the consumer does with a delivered message.
    fn post_arrived(&mut self, post: PostId) {
        let (pair, said) = (self.graph.posts[post].pair, self.graph.posts[post].said.clone());
        let (_, consumer) = self.numbers(pair);
        if said.is_request() {
            let Some(reply) = self.habit(consumer).reply() else { return };
            let first = self.draw(self.setup.timing.reply);
            self.after(first, Action::Reply(pair, Occasion::Post(post), reply.first.into()));
            if let Some(second) = reply.later {
                let thought = self.draw(self.setup.timing.second_thought);
                self.after(first + thought, Action::Reply(pair, Occasion::Post(post), second.into()));
            }
            return;
        }
        let has_way = match &said {
            Said::Link { .. } | Said::Url { link: Some(_) } => !self.client(consumer).is_desktop,
            said => said.button().is_some(),
        };
        if matches!(road(&said), Some(RoadKind::UrlButton)) {
            self.counts.pages_opened += 1;
        }
        if !has_way {
            return;
        }
        if let Some(delay) = self.follows_invite(consumer) {
            self.after(delay, Action::Graph(GraphAction::Tap(post)));
        }
    }

    /// Whether a button of the message can still be used.
    pub(super) fn is_usable(&self, post: PostId) -> bool {
        let Post { said, created, .. } = &self.graph.posts[post];
        said.button().is_none_or(|button| {
            let minutes = i64::try_from(button.ttl_minutes).unwrap_or(i64::MAX);
            self.now < later(*created, SignedDuration::from_mins(minutes))
        })
    }
}

/// By which road the message invites the consumer to call, if it does.
pub(super) const fn road(said: &Said) -> Option<RoadKind> {
    match said {
        Said::Plain | Said::Request => None,
        Said::Url { .. } => Some(RoadKind::UrlButton),
        Said::Link { .. } => Some(RoadKind::DeepLink),
        Said::Button(_) => Some(RoadKind::CallButton),
        Said::Template { is_request: true, .. } => None,
        Said::Template { button: None, has_url: false, .. } => None,
        Said::Template { .. } => Some(RoadKind::Template),
    }
}

fn opaque(body: &Map<String, Value>) -> Result<Option<String>, GraphFault> {
    let Some(value) = body.get("biz_opaque_callback_data") else { return Ok(None) };
    let text = value.as_str().filter(|text| text.chars().count() <= OPAQUE_MAX);
    let text = text.ok_or_else(|| {
        GraphFault::value("Parameter biz_opaque_callback_data is not a text of at most 512")
    })?;
    Ok(Some(text.to_owned()))
}
