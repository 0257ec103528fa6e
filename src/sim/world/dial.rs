//! The lifecycle of a call: queue, dialling, ringing, answer, end, and the status callback of each stage.

use jiff::SignedDuration;

use super::calls::seconds;
use super::habits::{Habit, Pickup};
use super::hooks::Errand;
use super::state::{AccountId, CallId, PairId, Party, Status, Waiting, recent};
use super::wire::{Method, rfc2822};
use super::{Action, Settled, World};

/// The error code for a call over the sender's concurrency limit. Public pages do not document WhatsApp's
/// code.
const NO_ROOM: u32 = 10004;

/// The consumer cannot be called (Meta, *Troubleshoot WhatsApp calling errors*, 24 Jun 2026).
const UNCALLABLE: u32 = 138_001;

/// How long an agent who was called first waits for the consumer.
const AGENT_WAITS_MS: u64 = 1_800_000;

impl World {
    /// Starts the next queued call that was not canceled, and schedules the one after it.
    pub(super) fn start_next(&mut self, account: AccountId) {
        let queue = &mut self.accounts[account].queue;
        let next = loop {
            match queue.pop_front() {
                Some(call) if self.calls[call].status.is_over() => {}
                next => break next,
            }
        };
        let Some(call) = next else {
            self.accounts[account].ticking = false;
            return;
        };
        let owner = &mut self.accounts[account];
        owner.waiting -= 1;
        owner.next_slot =
            self.now + SignedDuration::from_micros(1_000_000 / i64::from(owner.calls_per_second));
        let slot = owner.next_slot;
        self.at(slot, Action::StartNext(account));
        self.dial(call);
    }

    /// The error code with which the platform refuses to call this consumer now.
    pub(super) fn why_not_to_call(&mut self, pair: PairId) -> Option<u32> {
        let now = self.now;
        let (_, consumer) = self.numbers(pair);
        if self.habit(consumer) == Habit::Absent {
            return Some(UNCALLABLE);
        }
        let limits = &self.setup.limits;
        let day = SignedDuration::from_hours(24);
        let link = &mut self.pairs[pair];
        let sender = &mut self.senders[link.sender];
        if limits.barred_sender_codes.contains(&sender.number.calling_code()) {
            return Some(37007);
        }
        if !link.permission.is_live(now) {
            return Some(37000);
        }
        if link.live > 0 {
            return Some(37003);
        }
        if recent(&mut link.connected, now, day) >= limits.connected_calls_per_day {
            return Some(37006);
        }
        if recent(&mut sender.started, now, day) >= limits.calls_started_per_sender_and_day {
            return Some(37004);
        }
        (sender.live >= limits.concurrent_calls_per_sender).then_some(NO_ROOM)
    }

    /// Dials a call. If the call is not allowed, the platform fails it.
    pub(super) fn dial(&mut self, call: CallId) {
        self.calls[call].started = Some(self.now);
        self.advance(call, Status::Initiated);
        self.report_stage(call, None, None);
        if let Party::Consumer(pair) = self.calls[call].party {
            if let Some(code) = self.why_not_to_call(pair) {
                self.finish(call, Status::Failed, Some(403), Some(code));
                return;
            }
            let now = self.now;
            let sender = self.pairs[pair].sender;
            self.senders[sender].started.push_back(now);
            self.occupy(call, pair);
        } else if self.calls[call].is_alone {
            self.calls[call].occupies = true;
            let agent = self.calls[call].to.clone();
            self.oracle.agent_called(self.now, &agent);
        }
        let epoch = self.calls[call].epoch;
        let delay = self.draw(self.setup.timing.dialing);
        self.after(delay, Action::Ring(call, epoch));
    }

    pub(super) fn occupy(&mut self, call: CallId, pair: PairId) {
        self.calls[call].occupies = true;
        let link = &mut self.pairs[pair];
        link.live += 1;
        let sender = &mut self.senders[link.sender];
        sender.live += 1;
        let number = sender.number;
        self.oracle.occupied(self.now, number);
    }

    pub(super) fn ring(&mut self, call: CallId) {
        self.advance(call, Status::Ringing);
        self.report_stage(call, None, None);
        let timeout_ms = self.calls[call].timeout_s * 1_000;
        let (delay, settled) = match self.calls[call].party {
            Party::Agent => {
                let answers = self.of_ten(self.setup.behaviour.agents_answer_of_ten);
                let delay = self.draw(self.setup.timing.agent_answers);
                if answers { (delay, Settled::Answered) } else { (timeout_ms, Settled::TimedOut) }
            }
            Party::Consumer(pair) | Party::Caller(pair) => {
                self.counts.calls_rang += 1;
                let (sender, consumer) = self.numbers(pair);
                self.oracle.rang(self.now, sender, consumer);
                let rang = self.pairs[pair].rang;
                self.pairs[pair].rang += 1;
                let delay = self.draw(self.setup.timing.consumer_answers);
                match self.habit(consumer).pickup(rang) {
                    Pickup::Answer => (delay, Settled::Answered),
                    Pickup::Decline => (delay / 2, Settled::Declined),
                    Pickup::Busy => (300, Settled::Busy),
                    Pickup::Miss => (timeout_ms, Settled::TimedOut),
                }
            }
        };
        let epoch = self.calls[call].epoch;
        let (delay, settled) =
            if delay < timeout_ms { (delay, settled) } else { (timeout_ms, Settled::TimedOut) };
        self.after(delay, Action::Settle(call, epoch, settled));
    }

    pub(super) fn settle(&mut self, call: CallId, settled: Settled) {
        match settled {
            Settled::Answered => self.answer(call),
            Settled::Busy => self.finish(call, Status::Busy, Some(486), None),
            Settled::Declined if self.setup.behaviour.decline_is_busy => {
                self.finish(call, Status::Busy, Some(486), None);
            }
            Settled::Declined => self.finish(call, Status::NoAnswer, Some(486), None),
            Settled::TimedOut => self.finish(call, Status::NoAnswer, Some(487), None),
        }
    }

    fn answer(&mut self, call: CallId) {
        self.connect(call);
        if self.calls[call].parent.is_some() {
            self.leg_answered(call);
            return;
        }
        let instructions = self.calls[call].instructions.clone();
        match (instructions.url, instructions.twiml) {
            (Some(url), _) => self.fetch(call, url, Vec::new()),
            (None, Some(twiml)) => self.redirect_to_document(call, &twiml),
            (None, None) => self.finish(call, Status::Completed, Some(200), None),
        }
    }

    /// Marks the call as answered and starts its time limit.
    pub(super) fn connect(&mut self, call: CallId) {
        self.calls[call].answered = Some(self.now);
        self.advance(call, Status::InProgress);
        self.report_stage(call, None, None);
        if let Party::Consumer(pair) | Party::Caller(pair) = self.calls[call].party {
            let by_business = matches!(self.calls[call].party, Party::Consumer(_));
            let (sender, consumer) = self.numbers(pair);
            if by_business {
                self.oracle.connected(self.now, sender, consumer);
            } else {
                self.oracle.connected_untold(sender, consumer);
            }
            let now = self.now;
            let link = &mut self.pairs[pair];
            link.misses = 0;
            link.requests.clear();
            if by_business {
                link.connected.push_back(now);
                self.counts.calls_connected += 1;
            } else {
                self.counts.inbound_connected += 1;
            }
            self.open_service_window(pair);
            let talk = self.draw(self.setup.timing.talk);
            self.after(talk, Action::HangUp(call));
        } else if self.calls[call].parent.is_none() {
            self.after(AGENT_WAITS_MS, Action::HangUp(call));
        }
        let limit = self.calls[call].time_limit_s;
        self.after(limit.saturating_mul(1_000), Action::TimeLimit(call));
    }

    pub(super) fn limit_time(&mut self, call: CallId, seconds: u64) {
        self.calls[call].time_limit_s = seconds;
        if self.calls[call].status == Status::InProgress {
            self.time_is_up_or_later(call);
        }
    }

    /// Checks the time limit again, because it may have changed since the timer was set.
    pub(super) fn time_is_up(&mut self, call: CallId) {
        if self.calls[call].status == Status::InProgress {
            self.time_is_up_or_later(call);
        }
    }

    fn time_is_up_or_later(&mut self, call: CallId) {
        let Some(answered) = self.calls[call].answered else { return };
        let limit = i64::try_from(self.calls[call].time_limit_s).unwrap_or(i64::MAX);
        let end = answered.checked_add(SignedDuration::from_secs(limit)).unwrap_or(jiff::Timestamp::MAX);
        if end <= self.now {
            self.finish(call, Status::Completed, Some(200), None);
        } else {
            self.at(end, Action::TimeLimit(call));
        }
    }

    /// Ends a call: frees its slot, sends its status callback, and ends its document, legs and parent's
    /// `<Dial>`.
    pub(super) fn finish(&mut self, call: CallId, status: Status, sip: Option<u16>, error: Option<u32>) {
        let before = self.calls[call].status;
        if before.is_over() {
            return;
        }
        self.calls[call].ended = Some(self.now);
        self.advance(call, status);
        if before == Status::Queued
            && self.calls[call].parent.is_none()
            && matches!(self.calls[call].direction, "outbound-api")
        {
            let account = self.calls[call].account;
            self.accounts[account].waiting -= 1;
        }
        if let Some(code) = error {
            *self.counts.errors.entry(code).or_default() += 1;
            let (account, sid) = (self.calls[call].account, self.calls[call].sid.clone());
            let note = self.alert(account, code, &sid, None, "the call failed");
            self.calls[call].notes.push(note);
        }
        self.release(call, before, status);
        self.end_document(call);
        self.report_stage(call, sip, error);
        if let Some(parent) = self.calls[call].parent {
            self.leg_over(parent, call);
        }
    }

    fn release(&mut self, call: CallId, before: Status, status: Status) {
        let (Party::Consumer(pair) | Party::Caller(pair)) = self.calls[call].party else {
            if std::mem::take(&mut self.calls[call].occupies) {
                let agent = self.calls[call].to.clone();
                self.oracle.agent_released(&agent);
            }
            return;
        };
        let (sender, consumer) = self.numbers(pair);
        let by_business = matches!(self.calls[call].party, Party::Consumer(_));
        if by_business {
            self.oracle.over(sender, consumer);
        }
        if self.calls[call].occupies {
            self.calls[call].occupies = false;
            self.oracle.released(sender);
            self.pairs[pair].live -= 1;
            let sender = self.pairs[pair].sender;
            self.senders[sender].live -= 1;
        }
        let unanswered = matches!(status, Status::NoAnswer | Status::Busy);
        if by_business && before == Status::Ringing && unanswered {
            self.missed(pair);
        }
        if !by_business {
            let graph = self.calls[call].graph;
            self.graph_terminate(graph, self.calls[call].answered);
            self.inbound_over(pair, graph);
        }
    }

    /// The far end hangs up: the consumer, or the agent connected to the consumer.
    pub(super) fn far_end_hangs_up(&mut self, call: CallId) {
        if self.calls[call].status != Status::InProgress {
            return;
        }
        let other_first = self.rng.bool();
        if let (true, Some(leg)) = (other_first, self.joined_leg(call)) {
            self.finish(leg, Status::Completed, Some(200), None);
            // The caller listens to the rest of the document.
            self.after(10_000, Action::HangUp(call));
            return;
        }
        self.finish(call, Status::Completed, Some(200), None);
    }

    fn advance(&mut self, call: CallId, status: Status) {
        let now = self.now;
        let call = &mut self.calls[call];
        call.status = status;
        call.updated = now;
        call.epoch += 1;
    }

    /// Sends the status callback of the call's current stage, if the create request asked for it.
    fn report_stage(&mut self, call: CallId, sip: Option<u16>, error: Option<u32>) {
        let this = &self.calls[call];
        let Some(callbacks) = this.callbacks.clone().filter(|wanted| wanted.events.include(this.status))
        else {
            return;
        };
        let mut params = self.call_params(call);
        let this = &mut self.calls[call];
        params.push(("Timestamp", rfc2822(self.now)));
        params.push(("CallbackSource", "call-progress-events".to_owned()));
        params.push(("SequenceNumber", this.sequence.to_string()));
        this.sequence += 1;
        if this.status == Status::Completed {
            let seconds = this.answered.zip(this.ended).map_or(0, |(from, to)| seconds(from, to));
            params.push(("Duration", (seconds + 59).div_euclid(60).to_string()));
            params.push(("CallDuration", seconds.to_string()));
        }
        if let Some(code) = sip {
            params.push(("SipResponseCode", code.to_string()));
        }
        if let Some(code) = error {
            params.push(("ErrorCode", code.to_string()));
        }
        let account = this.account;
        self.send(account, (&callbacks.url, callbacks.method), owned(params), Errand::CallReport(call));
    }

    /// The parameters of every webhook about a call.
    pub(super) fn call_params(&self, call: CallId) -> Vec<(&'static str, String)> {
        let this = &self.calls[call];
        let mut params = vec![
            ("CallSid", this.sid.clone()),
            ("AccountSid", self.accounts[this.account].sid.clone()),
            ("From", this.from.clone()),
            ("To", this.to.clone()),
            ("Caller", this.from.clone()),
            ("Called", this.to.clone()),
            ("CallStatus", this.status.as_str().to_owned()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("Direction", this.direction.to_owned()),
        ];
        if let Some(parent) = this.parent {
            params.push(("ParentCallSid", self.calls[parent].sid.clone()));
        }
        params
    }

    /// Fetches the document that the call runs next.
    pub(super) fn fetch(&mut self, call: CallId, from: (String, Method), more: Vec<(&'static str, String)>) {
        let mut params = self.call_params(call);
        params.extend(more);
        let this = &mut self.calls[call];
        this.epoch += 1;
        this.waiting = Waiting::Document;
        let fallback = this.instructions.fallback.clone().filter(|fallback| *fallback != from);
        let errand = Errand::Document { call, epoch: this.epoch, fallback };
        let account = this.account;
        self.send(account, (&from.0, from.1), owned(params), errand);
    }
}

pub(super) fn owned(params: Vec<(&'static str, String)>) -> Vec<(String, String)> {
    params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
