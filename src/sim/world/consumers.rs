//! Actions of consumers: reply, write, call in, and stop accepting calls after too many misses.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::calls::NewCall;
use super::graph::{GraphCallId, PostId, Tap};
use super::habits::{Habit, Word};
use super::hooks::Errand;
use super::state::{PairId, Party, Permission, SenderId, Status, TextId};
use super::wire::Method;
use super::{Action, World};
use crate::domain::Phone;

/// A consumer's answer to a permission request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Accept,
    /// A permanent permission. Its webhook is the same as for [`Answer::Accept`].
    AcceptPermanently,
    Reject,
}

/// Why a permission changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Occasion {
    /// A request over Twilio.
    Text(TextId),
    /// A request over the Cloud API.
    Post(PostId),
    /// The consumer's own call; with its record, if the number is at the Cloud API.
    Call(Option<GraphCallId>),
    /// The consumer changed it in the sender's profile.
    Profile,
    /// The consumer missed too many calls.
    Misses,
}

impl From<Word> for Answer {
    fn from(word: Word) -> Self {
        match word {
            Word::Accept => Self::Accept,
            Word::AcceptPermanently => Self::AcceptPermanently,
            Word::Reject => Self::Reject,
        }
    }
}

impl World {
    /// Overrides the habit that the number and the mix give to a consumer.
    pub fn set_habit(&mut self, consumer: Phone, habit: Habit) {
        self.habits.insert(consumer, habit);
    }

    pub(super) fn habit(&self, consumer: Phone) -> Habit {
        let set = self.habits.get(&consumer).copied();
        set.unwrap_or_else(|| self.setup.mix.habit(self.setup.seed, consumer))
    }

    /// The consumer calls the sender. Returns `false` if there is no such sender.
    pub fn consumer_calls(&mut self, now: Timestamp, sender: Phone, consumer: Phone) -> bool {
        self.run_until(now);
        let Some(&sender) = self.sender_ids.get(&sender) else { return false };
        let pair = self.pair(sender, consumer);
        self.call_in(pair, None);
        true
    }

    /// The consumer writes to the sender, which opens the service window. Returns `false` if there is no such
    /// sender.
    pub fn consumer_writes(&mut self, now: Timestamp, sender: Phone, consumer: Phone, text: &str) -> bool {
        self.run_until(now);
        let Some(&sender) = self.sender_ids.get(&sender) else { return false };
        let pair = self.pair(sender, consumer);
        self.open_service_window(pair);
        let more = vec![("MessageType", "text".to_owned()), ("Body", text.to_owned())];
        let errand = match text.to_lowercase().as_str() {
            "stop" => {
                self.oracle.said_no(consumer);
                Errand::Stop(pair)
            }
            "start" => {
                self.oracle.started_again(consumer);
                Errand::Inbound
            }
            _ => Errand::Inbound,
        };
        self.graph_message(pair, text);
        self.inbound_text(pair, more, errand);
        true
    }

    /// The consumer grants or revokes the permission in the sender's profile, without a request.
    /// Returns `false` if there is no such sender.
    pub fn consumer_answers(
        &mut self,
        now: Timestamp,
        sender: Phone,
        consumer: Phone,
        answer: Answer,
    ) -> bool {
        self.run_until(now);
        let Some(&sender) = self.sender_ids.get(&sender) else { return false };
        let pair = self.pair(sender, consumer);
        self.answer_request(pair, Occasion::Profile, answer);
        true
    }

    pub(super) fn answer_request(&mut self, pair: PairId, occasion: Occasion, answer: Answer) {
        let hours = self.setup.limits.permission_hours;
        let (sender, consumer) = self.numbers(pair);
        // A tapped button counts as a message from the consumer.
        self.open_service_window(pair);
        let permission = match answer {
            Answer::Accept => Permission::Until(self.now + SignedDuration::from_hours(hours)),
            Answer::AcceptPermanently => Permission::Permanent,
            Answer::Reject => Permission::None,
        };
        let was = std::mem::replace(&mut self.pairs[pair].permission, permission);
        match permission {
            Permission::None => {
                self.counts.permission_rejections += 1;
                if was.is_live(self.now) {
                    self.counts.permission_revocations += 1;
                }
                self.oracle.said_no(consumer);
                self.oracle.revoked(sender, consumer);
            }
            Permission::Until(until) => {
                self.counts.permission_grants += 1;
                self.oracle.started_again(consumer);
                self.oracle.granted(sender, consumer, until);
            }
            Permission::Permanent => {
                self.counts.permission_grants += 1;
                self.oracle.started_again(consumer);
                self.oracle.granted(sender, consumer, Timestamp::MAX);
            }
        }
        self.tell_reply(pair, occasion, answer);
    }

    /// Tells it to the platform that asked. What nobody asked for is told to both, and Twilio may not pass it on.
    fn tell_reply(&mut self, pair: PairId, occasion: Occasion, answer: Answer) {
        let rejected = answer == Answer::Reject;
        let request = match occasion {
            Occasion::Text(request) => Some(request),
            Occasion::Post(_) => {
                self.graph_reply(pair, occasion, answer);
                return;
            }
            Occasion::Call(_) | Occasion::Profile | Occasion::Misses => {
                self.graph_reply(pair, occasion, answer);
                if !self.setup.behaviour.forward_unasked_replies {
                    return;
                }
                None
            }
        };
        let payload = if rejected { "REJECTED" } else { "ACCEPTED" };
        let mut more = vec![
            ("MessageType", "interactive".to_owned()),
            ("Body", "VOICE_CALL_REQUEST".to_owned()),
            ("ButtonText", "VOICE_CALL_REQUEST".to_owned()),
            ("ButtonPayload", payload.to_owned()),
        ];
        if let Some(request) = request.filter(|_| self.setup.behaviour.name_replied_message) {
            more.push(("OriginalRepliedMessageSid", self.texts[request].sid.clone()));
            more.push(("OriginalRepliedMessageSender", self.texts[request].from.clone()));
        }
        let errand = if rejected { Errand::Revocation(pair) } else { Errand::Grant(pair) };
        self.inbound_text(pair, more, errand);
    }

    /// Schedules the consumer's reply to a permission request that has arrived.
    pub(super) fn request_arrived(&mut self, pair: PairId, request: TextId) {
        let (_, consumer) = self.numbers(pair);
        let Some(reply) = self.habit(consumer).reply() else { return };
        let first = self.draw(self.setup.timing.reply);
        self.after(first, Action::Reply(pair, Occasion::Text(request), reply.first.into()));
        if let Some(later) = reply.later {
            let thought = self.draw(self.setup.timing.second_thought);
            self.after(first + thought, Action::Reply(pair, Occasion::Text(request), later.into()));
        }
    }

    /// Schedules the call of a consumer who follows an invite.
    pub(super) fn invite_arrived(&mut self, pair: PairId) {
        let (_, consumer) = self.numbers(pair);
        if let Some(delay) = self.follows_invite(consumer) {
            self.after(delay, Action::CallIn(pair));
        }
    }

    /// After how many milliseconds the consumer follows an invite, if at all.
    pub(super) fn follows_invite(&mut self, consumer: Phone) -> Option<u64> {
        let calls = match self.habit(consumer) {
            Habit::CallsIn => true,
            Habit::Misses | Habit::Sometimes => self.of_ten(3),
            _ => false,
        };
        calls.then(|| self.draw(self.setup.timing.call_in))
    }

    /// A call from the sender rang unanswered. Two in a row cause WhatsApp's nudge, four revoke the
    /// permission (Meta, June 2026).
    pub(super) fn missed(&mut self, pair: PairId) {
        self.counts.calls_missed += 1;
        let (sender, consumer) = self.numbers(pair);
        self.oracle.missed(sender, consumer);
        let link = &mut self.pairs[pair];
        link.misses += 1;
        let misses = link.misses;
        if misses == self.setup.limits.misses_before_nudge {
            self.counts.nudges += 1;
        }
        if misses >= self.setup.limits.misses_before_revocation {
            self.pairs[pair].misses = 0;
            self.pairs[pair].permission = Permission::None;
            self.counts.permission_revocations += 1;
            let (sender, consumer) = self.numbers(pair);
            self.oracle.revoked(sender, consumer);
            self.tell_reply(pair, Occasion::Misses, Answer::Reject);
        }
    }

    pub(super) fn open_service_window(&mut self, pair: PairId) {
        let hours = self.setup.limits.service_window_hours;
        self.pairs[pair].service_until = Some(self.now + SignedDuration::from_hours(hours));
    }

    /// The consumer calls the sender, unless the two already have a call. `tap` is the button or link that was used.
    pub(super) fn call_in(&mut self, pair: PairId, tap: Option<&Tap>) {
        let sender = self.pairs[pair].sender;
        if self.pairs[pair].live > 0
            || !self.takes_calls(sender)
            || self.senders[sender].live >= self.setup.limits.concurrent_calls_per_sender
        {
            return;
        }
        self.counts.inbound_calls += 1;
        self.open_service_window(pair);
        let (number, consumer) = self.numbers(pair);
        let graph = self.graph_connect(pair, tap);
        let Some(account) = self.senders[sender].account else {
            self.oracle.called_in(self.now, number, consumer);
            if let Some(graph) = graph {
                self.graph_ring(graph);
            }
            return;
        };
        let call = self.new_call(NewCall {
            account,
            parent: None,
            to: format!("whatsapp:{}", number.e164()),
            from: format!("whatsapp:{}", consumer.e164()),
            direction: "inbound",
            party: Party::Caller(pair),
        });
        self.oracle.called_in(self.now, number, consumer);
        self.occupy(call, pair);
        let (voice, status) = self.voice_urls(sender);
        let this = &mut self.calls[call];
        this.graph = graph;
        this.started = Some(self.now);
        this.status = Status::Ringing;
        this.callbacks = status.map(|url| super::state::Callbacks {
            url,
            method: Method::Post,
            events: super::state::Stages::parse(std::iter::empty()),
        });
        match voice {
            Some(url) => self.fetch(call, (url, Method::Post), Vec::new()),
            None => self.finish(call, Status::Failed, None, Some(37009)),
        }
    }

    fn voice_urls(&self, sender: SenderId) -> (Option<String>, Option<String>) {
        let sender = &self.senders[sender];
        let bound = sender.application.as_deref();
        let application =
            self.applications.iter().find(|app| Some(app.sid.as_str()) == bound && !app.deleted);
        match application {
            Some(app) => (app.voice_url.clone(), app.status_callback.clone()),
            None => (None, None),
        }
    }

    /// Ends a call from the consumer. Missed or connected, it grants a permission if the sender has the
    /// callback permission switched on.
    pub(super) fn inbound_over(&mut self, pair: PairId, graph: Option<GraphCallId>) {
        let link = &self.pairs[pair];
        let grants = self.senders[link.sender].callback_permission && !link.permission.is_live(self.now);
        if grants {
            self.answer_request(pair, Occasion::Call(graph), Answer::Accept);
        }
    }

    /// Sends a message from the consumer to the sender's messaging webhook.
    fn inbound_text(&mut self, pair: PairId, more: Vec<(&'static str, String)>, errand: Errand) {
        let sender = self.pairs[pair].sender;
        let Some(account) = self.senders[sender].account else { return };
        let (number, consumer) = self.numbers(pair);
        let body = more.iter().find(|(name, _)| *name == "Body").map(|(_, body)| body.clone());
        let (to, from) = (format!("whatsapp:{}", number.e164()), format!("whatsapp:{}", consumer.e164()));
        let text = self.new_text(account, pair, body.unwrap_or_default(), true);
        let sid = self.texts[text].sid.clone();
        let Some(url) = self.senders[sender].message_url.clone() else {
            // Without a webhook the daemon cannot learn of a revocation, so it counts as known at once.
            if let Errand::Revocation(_) = errand
                && !self.is_on_graph(sender)
            {
                self.oracle.revocation_is_known(number, consumer);
            }
            return;
        };
        let mut params = vec![
            ("SmsMessageSid", sid.clone()),
            ("NumMedia", "0".to_owned()),
            ("NumSegments", "1".to_owned()),
            ("ProfileName", "Consumer".to_owned()),
            ("SmsSid", sid.clone()),
            ("WaId", consumer.digits().to_string()),
            ("SmsStatus", "received".to_owned()),
            ("To", to),
            ("From", from),
            ("ReferralNumMedia", "0".to_owned()),
            ("MessageSid", sid),
            ("AccountSid", self.accounts[account].sid.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
        ];
        params.extend(more);
        let method = self.senders[sender].message_method;
        self.send(account, (&url, method), super::dial::owned(params), errand);
    }
}
