//! Outgoing webhooks: scheduled, in flight, retried, duplicated, delayed or lost.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::graph::{AppId, Fact};
use super::state::{CallId, Exchange, PairId, Party};
use super::wire::{Method, Origin, Webhook, WebhookId, WebhookReply};
use super::{AccountId, World};
use crate::clock::later;

/// Webhooks that are scheduled or in flight. Each is removed after its final answer.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    waiting: BinaryHeap<Reverse<(Timestamp, u64)>>,
    flights: HashMap<u64, Flight>,
    last: u64,
    /// Reports about connections that are held back, if they are.
    held: Option<Vec<Flight>>,
    /// The calls whose exchanges are kept, oldest first.
    remembered: VecDeque<CallId>,
}

/// The maximum of stored exchanges: a load run makes millions, and only the newest are read.
const EXCHANGES_KEPT: usize = 100_000;

impl Hooks {
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.waiting.peek().map(|Reverse((at, _))| *at)
    }
}

#[derive(Debug, Clone)]
struct Flight {
    from: From,
    method: Method,
    url: String,
    params: Vec<(String, String)>,
    json: String,
    token: String,
    errand: Errand,
    retries: Retries,
}

/// Who sends a webhook.
#[derive(Debug, Clone, Copy)]
enum From {
    Account(AccountId),
    App(AppId),
}

/// The purpose of a webhook, which decides how its answer is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Errand {
    /// Fetches the document that a call runs next. `fallback` is requested if that fails.
    Document {
        call: CallId,
        epoch: u32,
        fallback: Option<(String, Method)>,
    },
    /// Fetches the whisper document that a leg hears before it is joined.
    Whisper {
        call: CallId,
        epoch: u32,
    },
    /// Reports the status of a call. The answer is ignored.
    CallReport(CallId),
    /// Calls the `action` of the last verb after the call has ended.
    LastAction(CallId),
    TextReport,
    Inbound,
    /// Reports a granted permission.
    Grant(PairId),
    /// Reports a revoked permission.
    Revocation(PairId),
    /// Reports the word with which a consumer ends contact.
    Stop(PairId),
    /// A webhook of Meta's, which may tell many things.
    Graph(Vec<Fact>),
    /// The check of an app's webhook URL, with the text that the answer has to repeat.
    Handshake(AppId, String),
}

impl Errand {
    /// Whether faults may apply: document fetches block a call, so only reports are lost, duplicated or
    /// delayed.
    const fn is_report(&self) -> bool {
        !matches!(self, Self::Document { .. } | Self::Whisper { .. } | Self::Handshake(..))
    }
}

/// Meta repeats a webhook less and less often, for about seven days (Meta, *Calling FAQs*, 13 Nov 2025). The pauses are
/// not published: here they grow fourfold from 5 s to a day.
const META_TRIES: u32 = 13;

/// Twilio's connection overrides in the fragment of the URL (`#rc=2&rp=5xx`).
#[derive(Debug, Clone, Copy)]
struct Retries {
    left: u8,
    on_4xx: bool,
    on_5xx: bool,
    on_connect: bool,
    on_timeout: bool,
    /// What Meta's webhook has had of tries; `None` for Twilio's.
    meta: Option<u32>,
}

impl Retries {
    fn parse(fragment: &str) -> Self {
        let mut retries =
            Self { left: 1, on_4xx: false, on_5xx: false, on_connect: true, on_timeout: false, meta: None };
        for (key, value) in form_urlencoded::parse(fragment.as_bytes()) {
            match &*key {
                "rc" => retries.left = value.parse().unwrap_or(1).min(5),
                "rp" => {
                    let named = |word| value.split(',').any(|policy| policy == word || policy == "all");
                    retries.on_4xx = named("4xx");
                    retries.on_5xx = named("5xx");
                    retries.on_connect = named("ct");
                    retries.on_timeout = named("rt");
                }
                _ => {}
            }
        }
        retries
    }

    const META: Self =
        Self { left: 0, on_4xx: false, on_5xx: false, on_connect: false, on_timeout: false, meta: Some(0) };

    /// How long after this answer the next try follows, if one does.
    fn next(&mut self, reply: &WebhookReply) -> Option<SignedDuration> {
        let Some(tries) = &mut self.meta else {
            let again = self.apply_to(reply);
            self.left -= u8::from(again);
            return again.then_some(SignedDuration::ZERO);
        };
        let done = matches!(reply, WebhookReply::Answer { status: 200, .. });
        if done || *tries >= META_TRIES {
            return None;
        }
        let pause = 5_i64.saturating_mul(4_i64.saturating_pow(*tries)).min(24 * 3_600);
        *tries += 1;
        Some(SignedDuration::from_secs(pause))
    }

    const fn apply_to(self, reply: &WebhookReply) -> bool {
        self.left > 0
            && match reply {
                WebhookReply::Answer { status: 400..=499, .. } => self.on_4xx,
                WebhookReply::Answer { status: 500..=599, .. } => self.on_5xx,
                WebhookReply::Answer { .. } => false,
                WebhookReply::Unreachable => self.on_connect,
                WebhookReply::TimedOut => self.on_timeout,
            }
    }
}

impl World {
    /// Holds back what is reported about connections from now on: of legs, and of a call that is over by its last
    /// `action`.
    pub fn hold_connections(&mut self) {
        self.hooks.held.get_or_insert_default();
    }

    /// Sends what was held back.
    pub fn send_connections(&mut self, now: Timestamp) {
        self.run_until(now);
        for flight in self.hooks.held.take().unwrap_or_default() {
            self.schedule(self.now, flight);
        }
    }

    pub(super) fn send(
        &mut self,
        account: AccountId,
        to: (&str, Method),
        params: Vec<(String, String)>,
        errand: Errand,
    ) {
        let (address, method) = to;
        let (url, fragment) = address.split_once('#').unwrap_or((address, ""));
        let token = uuid::Uuid::from_u128(self.rng.u128(..)).to_string();
        self.launch(Flight {
            from: From::Account(account),
            method,
            url: url.to_owned(),
            params,
            json: String::new(),
            token,
            errand,
            retries: Retries::parse(fragment),
        });
    }

    /// A webhook of Meta's with this body.
    pub(super) fn send_json(&mut self, app: AppId, url: &str, json: String, facts: Vec<Fact>) {
        let token = uuid::Uuid::from_u128(self.rng.u128(..)).to_string();
        self.launch(Flight {
            from: From::App(app),
            method: Method::Post,
            url: url.to_owned(),
            params: Vec::new(),
            json,
            token,
            errand: Errand::Graph(facts),
            retries: Retries::META,
        });
    }

    /// The check of an app's webhook URL.
    pub(super) fn send_handshake(
        &mut self,
        app: AppId,
        url: &str,
        params: Vec<(String, String)>,
        challenge: String,
    ) {
        let token = uuid::Uuid::from_u128(self.rng.u128(..)).to_string();
        self.launch(Flight {
            from: From::App(app),
            method: Method::Get,
            url: url.to_owned(),
            params,
            json: String::new(),
            token,
            errand: Errand::Handshake(app, challenge),
            retries: Retries { meta: Some(META_TRIES), ..Retries::META },
        });
    }

    fn launch(&mut self, flight: Flight) {
        let faults = self.setup.faults.clone();
        if !flight.errand.is_report() {
            self.schedule(self.now, flight);
            return;
        }
        if let Some(held) = &mut self.hooks.held
            && flight.is_about_connection()
        {
            held.push(flight);
            return;
        }
        if self.is_out(&faults) || self.strikes(faults.lose_webhook) {
            self.counts.webhooks_lost += 1;
            return;
        }
        if self.strikes(faults.duplicate_webhook) {
            let at = self.drawn_later(u64::from(faults.webhook_delay_ms));
            self.schedule(at, flight.clone());
        }
        let late = self.strikes(faults.delay_webhook);
        let at = if late { self.drawn_later(u64::from(faults.webhook_delay_ms)) } else { self.now };
        self.schedule(at, flight);
    }

    fn drawn_later(&mut self, most_ms: u64) -> Timestamp {
        let ms = i64::try_from(self.fault_rng.u64(..=most_ms)).unwrap_or(0);
        self.now + SignedDuration::from_millis(ms)
    }

    fn schedule(&mut self, at: Timestamp, flight: Flight) {
        self.hooks.last += 1;
        let id = self.hooks.last;
        self.hooks.flights.insert(id, flight);
        self.hooks.waiting.push(Reverse((at, id)));
    }

    pub(super) fn take_webhooks(&mut self, now: Timestamp) -> Vec<Webhook> {
        let mut due = Vec::new();
        while let Some(&Reverse((at, id))) = self.hooks.waiting.peek() {
            if at > now {
                break;
            }
            self.hooks.waiting.pop();
            if let Some(flight) = self.hooks.flights.get(&id) {
                let (origin, from) = match flight.from {
                    From::Account(account) => (Origin::Twilio, self.accounts[account].sid.as_str()),
                    From::App(app) => (Origin::Meta, self.graph.app_id(app)),
                };
                due.push(flight.webhook(WebhookId(id), origin, from));
            }
        }
        due
    }

    /// The daemon took a report of this call, which may be a consumer's that was answered and is over.
    fn caller_is_told(&mut self, call: CallId) {
        let call = &self.calls[call];
        if let (Party::Caller(pair), Some(answered_at), Some(_)) = (call.party, call.answered, call.ended) {
            let (sender, consumer) = self.numbers(pair);
            self.oracle.told_of_call(sender, consumer, answered_at);
        }
    }

    /// Applies the daemon's answer to a webhook. Only the first answer counts.
    pub fn answered(&mut self, now: Timestamp, id: WebhookId, reply: WebhookReply) {
        self.run_until(now);
        let Some(mut flight) = self.hooks.flights.remove(&id.0) else { return };
        // Without an answer, the daemon may still have received the webhook.
        if let (Errand::Grant(pair), false) = (&flight.errand, matches!(reply, WebhookReply::Answer { .. })) {
            let (sender, consumer) = self.numbers(*pair);
            self.oracle.told_of_grant(sender, consumer, &flight.token);
        }
        if let Errand::Graph(facts) = &flight.errand {
            self.graph_reached(facts, &flight.token, &reply);
        }
        if let Some(pause) = flight.retries.next(&reply) {
            self.schedule(later(self.now, pause), flight);
            return;
        }
        let taken = matches!(reply, WebhookReply::Answer { status: 200..=299, .. });
        if taken {
            self.counts.webhooks_taken += 1;
        } else {
            self.counts.webhooks_refused += 1;
        }
        if let Errand::Document { call, .. }
        | Errand::Whisper { call, .. }
        | Errand::CallReport(call)
        | Errand::LastAction(call) = flight.errand
        {
            self.remember_exchange(call, &flight, &reply);
        }
        match flight.errand {
            Errand::Document { call, epoch, fallback } => {
                let url = flight.url;
                self.at_epoch(call, epoch, |world, call| world.document_came(call, url, reply, fallback));
            }
            Errand::Whisper { call, epoch } => {
                self.at_epoch(call, epoch, |world, call| world.whisper_came(call, &flight.url, &reply));
            }
            Errand::Grant(pair) if taken => {
                let (sender, consumer) = self.numbers(pair);
                self.oracle.told_of_grant(sender, consumer, &flight.token);
                self.oracle.acknowledged_grant(self.now, sender, consumer);
            }
            Errand::Revocation(pair) if taken => {
                let (sender, consumer) = self.numbers(pair);
                self.oracle.told_of_revocation(self.now, sender, consumer, &flight.token);
                self.oracle.told_of_no(self.now, consumer, &flight.token);
            }
            Errand::Handshake(app, challenge) => self.shook_hands(app, &challenge, &reply),
            Errand::Stop(pair) if taken => {
                let (_, consumer) = self.numbers(pair);
                self.oracle.told_of_no(self.now, consumer, &flight.token);
            }
            Errand::CallReport(call) | Errand::LastAction(call) if taken => self.caller_is_told(call),
            Errand::CallReport(call) if !taken => {
                let sid = self.calls[call].sid.clone();
                let account = self.calls[call].account;
                let note = self.alert(account, 15003, &sid, Some(&flight.url), "status callback failed");
                self.calls[call].notes.push(note);
            }
            _ => {}
        }
    }

    fn remember_exchange(&mut self, call: CallId, flight: &Flight, reply: &WebhookReply) {
        let (status, content_type, body) = match reply {
            WebhookReply::Answer { status, content_type, body } => {
                (*status, content_type.clone(), body.clone())
            }
            WebhookReply::Unreachable => (502, None, String::new()),
            WebhookReply::TimedOut => (504, None, String::new()),
        };
        let exchange = Exchange {
            at: self.now,
            method: flight.method.as_str(),
            url: flight.url.clone(),
            params: flight.params.clone(),
            status,
            content_type,
            body,
        };
        self.remember(call, exchange);
    }

    pub(super) fn remember(&mut self, call: CallId, exchange: Exchange) {
        self.calls[call].exchanges.push(exchange);
        self.hooks.remembered.push_back(call);
        if self.hooks.remembered.len() > EXCHANGES_KEPT
            && let Some(oldest) = self.hooks.remembered.pop_front()
        {
            self.calls[oldest].exchanges.remove(0);
        }
    }
}

impl Flight {
    fn is_about_connection(&self) -> bool {
        matches!(self.errand, Errand::LastAction(_)) || self.url.ends_with("/leg")
    }

    fn webhook(&self, id: WebhookId, origin: Origin, account: &str) -> Webhook {
        let (url, params) = match self.method {
            Method::Post => (self.url.clone(), self.params.clone()),
            Method::Get => (with_query(&self.url, &self.params), Vec::new()),
        };
        Webhook {
            id,
            origin,
            account: account.to_owned(),
            method: self.method,
            url,
            params,
            json: self.json.clone(),
            idempotency_token: self.token.clone(),
        }
    }
}

fn with_query(url: &str, params: &[(String, String)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{query}")
}
