//! The world as a pure state machine: no I/O and no clock. Time and requests are arguments.
//!
//! `serve` answers API requests, `due` returns webhooks to deliver, `answered` takes their answers, and
//! `next_at` says when to call `due` again. The same setup and the same calls give the same trace.

mod applications;
mod call_reads;
mod calls;
mod consumers;
mod content;
mod desks;
mod dial;
mod document;
mod graph;
mod habits;
mod hooks;
mod listing;
mod messenger;
mod oracle;
mod program;
mod record;
mod recordings;
mod report;
mod rest;
mod reviews;
mod senders;
mod setup;
mod shapes;
mod signing;
mod state;
mod stops;
mod texts;
mod wire;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use self::consumers::Occasion;
use self::graph::{Graph, GraphAction};
use self::hooks::Hooks;
use self::messenger::{Messenger, MessengerAction};
use self::state::{
    Account, AccountId, Alert, Application, Call, CallId, Content, Pair, PairId, Permission, Recording,
    Sender, SenderId, Text, TextId,
};
use crate::domain::Phone;

pub use self::consumers::Answer;
pub use self::content::ContentSetup;
pub use self::desks::Desk;
pub use self::graph::{
    AppSetup, BusinessAccountSetup, Client, GraphSetup, NumberSetup, Restriction, TemplateSetup, calling_link,
};
pub use self::habits::{Habit, Mix};
pub use self::messenger::{CallShape, PageSetup};
pub use self::oracle::{Law, Oracle, Violation};
pub use self::record::{AnsweredCall, SentInvite};
pub use self::report::{Counts, Report, SenderReport};
pub use self::setup::{
    AccountSetup, Behaviour, Callable, Faults, Limits, SenderSetup, Setup, Span, Timing, token_in_path,
};
pub use self::stops::Stop;
pub use self::wire::{ApiRequest, ApiResponse, Fate, Method, Origin, Webhook, WebhookId, WebhookReply};

/// A virtual Twilio and WhatsApp, with all accounts, senders and consumers.
#[derive(Debug)]
pub struct World {
    setup: Setup,
    now: Timestamp,
    rng: fastrand::Rng,
    /// Faults have a random stream of their own, so that enabling one does not change any other draw.
    fault_rng: fastrand::Rng,
    timers: BinaryHeap<Reverse<Timer>>,
    sequence: u64,
    hooks: Hooks,
    accounts: Vec<Account>,
    account_ids: HashMap<String, AccountId>,
    /// API keys by SID, each with its account and secret.
    keys: HashMap<String, (AccountId, String)>,
    senders: Vec<Sender>,
    sender_ids: HashMap<Phone, SenderId>,
    applications: Vec<Application>,
    pairs: Vec<Pair>,
    pair_ids: HashMap<(SenderId, Phone), PairId>,
    habits: HashMap<Phone, Habit>,
    calls: Vec<Call>,
    call_ids: HashMap<String, CallId>,
    texts: Vec<Text>,
    text_ids: HashMap<String, TextId>,
    recordings: Vec<Recording>,
    contents: Vec<Content>,
    content_ids: HashMap<String, usize>,
    graph: Graph,
    messenger: Messenger,
    /// Teams of agents.
    desks: desks::Desks,
    alerts: Vec<Alert>,
    oracle: Oracle,
    counts: Counts,
}

/// An action scheduled for a later time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: Timestamp,
    sequence: u64,
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    /// The account starts the next call of its queue.
    StartNext(AccountId),
    /// The call, and the epoch in which the timer was set.
    Ring(CallId, u32),
    Settle(CallId, u32, Settled),
    Resume(CallId, u32),
    /// The far end of the call hangs up.
    HangUp(CallId),
    TimeLimit(CallId),
    Text(TextId, Step),
    /// The consumer answers the permission request.
    Reply(PairId, Occasion, Answer),
    CallIn(PairId),
    Graph(GraphAction),
    Messenger(MessengerAction),
}

/// How the ringing of one call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Settled {
    Answered,
    Declined,
    Busy,
    TimedOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Send,
    Deliver,
    Read,
}

impl World {
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let mut world = Self {
            now: Timestamp::UNIX_EPOCH,
            rng: fastrand::Rng::with_seed(setup.seed),
            fault_rng: fastrand::Rng::with_seed(!setup.seed),
            timers: BinaryHeap::new(),
            sequence: 0,
            hooks: Hooks::default(),
            accounts: Vec::new(),
            account_ids: HashMap::new(),
            keys: HashMap::new(),
            senders: Vec::new(),
            sender_ids: HashMap::new(),
            applications: Vec::new(),
            pairs: Vec::new(),
            pair_ids: HashMap::new(),
            habits: HashMap::new(),
            calls: Vec::new(),
            call_ids: HashMap::new(),
            texts: Vec::new(),
            text_ids: HashMap::new(),
            recordings: Vec::new(),
            contents: Vec::new(),
            content_ids: HashMap::new(),
            graph: Graph::default(),
            messenger: Messenger::default(),
            desks: desks::Desks::new(),
            alerts: Vec::new(),
            oracle: Oracle::new(setup.limits.clone(), setup.callable.clone()),
            counts: Counts::default(),
            setup,
        };
        for account in world.setup.accounts.clone() {
            world.add_account(account);
        }
        for app in world.setup.graph.apps.clone() {
            world.add_app(app);
        }
        world
    }

    fn add_account(&mut self, setup: AccountSetup) {
        let id = self.accounts.len();
        self.account_ids.insert(setup.sid.clone(), id);
        for (key, secret) in setup.api_keys {
            self.keys.insert(key, (id, secret));
        }
        self.accounts.push(Account {
            sid: setup.sid,
            auth_token: setup.auth_token,
            calls_per_second: setup.calls_per_second.max(1),
            queue: VecDeque::new(),
            waiting: 0,
            ticking: false,
            next_slot: Timestamp::UNIX_EPOCH,
            calls: Vec::new(),
            calls_to: HashMap::new(),
            texts: Vec::new(),
            texts_to: HashMap::new(),
            contents: Vec::new(),
            senders: Vec::new(),
            applications: Vec::new(),
            alerts: Vec::new(),
        });
        for sender in setup.senders {
            self.add_sender(id, sender);
        }
        for content in setup.contents {
            self.add_content(id, content);
        }
    }

    /// The webhooks to deliver now.
    pub fn due(&mut self, now: Timestamp) -> Vec<Webhook> {
        self.run_until(now);
        self.take_webhooks(now)
    }

    /// The time of the next timer or the next webhook, at which to call [`World::due`].
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let timer = self.timers.peek().map(|Reverse(timer)| timer.at);
        [timer, self.hooks.next_at()].into_iter().flatten().min()
    }

    /// Replaces the active faults.
    pub fn set_faults(&mut self, faults: Faults) {
        self.setup.faults = faults;
    }

    /// Changes the platform's undocumented behaviour from now on.
    pub fn set_behaviour(&mut self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.setup.behaviour);
    }

    /// Replaces the secret of an API key; the old one is refused. Returns `false` if there is no such key.
    pub fn set_key_secret(&mut self, key: &str, secret: &str) -> bool {
        let known = self.keys.get_mut(key);
        known.map(|(_, kept)| secret.clone_into(kept)).is_some()
    }

    /// The oracle, to register calling windows and to read violations.
    pub fn oracle_mut(&mut self) -> &mut Oracle {
        &mut self.oracle
    }

    fn run_until(&mut self, now: Timestamp) {
        while let Some(Reverse(timer)) = self.timers.peek().copied() {
            if timer.at > now {
                break;
            }
            self.timers.pop();
            self.now = self.now.max(timer.at);
            self.act(timer.action);
        }
        self.now = self.now.max(now);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::StartNext(account) => self.start_next(account),
            Action::Ring(call, epoch) => self.at_epoch(call, epoch, Self::ring),
            Action::Settle(call, epoch, settled) => {
                self.at_epoch(call, epoch, |world, call| world.settle(call, settled));
            }
            Action::Resume(call, epoch) => self.at_epoch(call, epoch, Self::resume),
            Action::HangUp(call) => self.far_end_hangs_up(call),
            Action::TimeLimit(call) => self.time_is_up(call),
            Action::Text(text, step) => self.text_step(text, step),
            Action::Reply(pair, occasion, answer) => self.answer_request(pair, occasion, answer),
            Action::CallIn(pair) => self.call_in(pair, None),
            Action::Graph(action) => self.graph_act(action),
            Action::Messenger(action) => self.messenger_act(action),
        }
    }

    fn at_epoch(&mut self, call: CallId, epoch: u32, act: impl FnOnce(&mut Self, CallId)) {
        if self.calls[call].epoch == epoch && !self.calls[call].status.is_over() {
            act(self, call);
        }
    }

    fn after(&mut self, delay_ms: u64, action: Action) {
        let delay = SignedDuration::from_millis(i64::try_from(delay_ms).unwrap_or(i64::MAX));
        let at = self.now.checked_add(delay).unwrap_or(Timestamp::MAX);
        self.at(at, action);
    }

    fn at(&mut self, at: Timestamp, action: Action) {
        self.sequence += 1;
        self.timers.push(Reverse(Timer { at, sequence: self.sequence, action }));
    }

    fn draw(&mut self, Span(least, most): Span) -> u64 {
        self.rng.u64(least..=most.max(least))
    }

    fn of_ten(&mut self, share: u32) -> bool {
        self.rng.u32(..10) < share
    }

    /// Draws whether a fault with this probability happens now.
    fn strikes(&mut self, share: f64) -> bool {
        let struck = share > 0.0 && self.fault_rng.f64() < share;
        self.counts.faults += u64::from(struck);
        struck
    }

    fn sid(&mut self, prefix: &str) -> String {
        format!("{prefix}{:032x}", self.rng.u128(..))
    }

    /// The pair of a sender and a consumer, created on first use.
    fn pair(&mut self, sender: SenderId, consumer: Phone) -> PairId {
        *self.pair_ids.entry((sender, consumer)).or_insert_with(|| {
            self.pairs.push(Pair {
                sender,
                consumer,
                permission: Permission::None,
                requests: VecDeque::new(),
                connected: VecDeque::new(),
                misses: 0,
                rang: 0,
                live: 0,
                service_until: None,
                posts_until: Timestamp::UNIX_EPOCH,
            });
            self.pairs.len() - 1
        })
    }

    fn numbers(&self, pair: PairId) -> (Phone, Phone) {
        let Pair { sender, consumer, .. } = self.pairs[pair];
        (self.senders[sender].number, consumer)
    }

    fn alert(
        &mut self,
        account: AccountId,
        code: u32,
        resource: &str,
        url: Option<&str>,
        text: impl Into<String>,
    ) -> usize {
        let sid = self.sid("NO");
        let id = self.alerts.len();
        self.alerts.push(Alert {
            sid,
            code,
            text: text.into(),
            resource: resource.to_owned(),
            url: url.map(ToOwned::to_owned),
            at: self.now,
        });
        self.accounts[account].alerts.push(id);
        id
    }
}
