//! Runs TwiML documents: verbs take time, connecting verbs create legs, and their ends request the `action`
//! URL.

use std::collections::VecDeque;

use super::calls::{Address, NewCall, is_web_address, seconds};
use super::dial::owned;
use super::document::{self, Element};
use super::hooks::Errand;
use super::state::{CallId, Callbacks, Joined, Party, Stages, Status, Waiting};
use super::wire::{Method, WebhookReply};
use super::{Action, World};

/// Twilio's codes: a document could not be fetched, is not XML, or cannot be run.
const RETRIEVAL_FAILED: u32 = 11200;
const NOT_XML: u32 = 12300;
const DIAL_INVALID: u32 = 13224;
const CALLER_ID_INVALID: u32 = 13214;

/// More verbs than this without any that takes time means that a document redirects to itself.
const VERBS_AT_ONCE_MAX: usize = 1_000;

impl World {
    /// Redirects a call to the document at a URL.
    pub(super) fn redirect(&mut self, call: CallId, to: (String, Method)) {
        self.leave_connection(call);
        self.fetch(call, to, Vec::new());
    }

    /// Redirects a call to this TwiML text.
    pub(super) fn redirect_to_document(&mut self, call: CallId, twiml: &str) {
        self.leave_connection(call);
        match document::parse(twiml) {
            Ok(verbs) => self.begin(call, String::new(), verbs),
            Err(code) => self.fail_document(call, code, None),
        }
    }

    pub(super) fn document_came(
        &mut self,
        call: CallId,
        url: String,
        reply: WebhookReply,
        fallback: Option<(String, Method)>,
    ) {
        match verbs(&reply) {
            Ok(verbs) => self.begin(call, url, verbs),
            Err(code) => match fallback {
                Some(fallback) => {
                    self.note(call, code, &url);
                    let why = vec![("ErrorCode", code.to_string()), ("ErrorUrl", url)];
                    self.fetch(call, fallback, why);
                }
                None => self.fail_document(call, code, Some(&url)),
            },
        }
    }

    fn fail_document(&mut self, call: CallId, code: u32, url: Option<&str>) {
        if let Some(url) = url {
            self.note(call, code, url);
        }
        self.finish(call, Status::Failed, None, Some(code));
    }

    fn note(&mut self, call: CallId, code: u32, url: &str) {
        let (account, sid) = (self.calls[call].account, self.calls[call].sid.clone());
        let note = self.alert(account, code, &sid, Some(url), "the document is not valid");
        self.calls[call].notes.push(note);
    }

    fn begin(&mut self, call: CallId, url: String, verbs: Vec<Element>) {
        let this = &mut self.calls[call];
        let own = this.instructions.url.as_ref().is_some_and(|(own, _)| *own == url);
        let connects = |verb: &Element| matches!(verb.name.as_str(), "Dial" | "Enqueue" | "Connect");
        let speaks = |verb: &Element| matches!(verb.name.as_str(), "Say" | "Play" | "Gather");
        this.is_message = own && verbs.iter().any(speaks) && !verbs.iter().any(connects);
        this.document = url;
        this.program = VecDeque::from(verbs);
        this.waiting = Waiting::Nothing;
        this.epoch += 1;
        if let Party::Caller(_) = this.party
            && this.status == Status::Ringing
        {
            if let Some(reject) = this.program.front().filter(|verb| verb.name == "Reject") {
                let busy = reject.attribute("reason") == Some("busy");
                let status = if busy { Status::Busy } else { Status::NoAnswer };
                self.finish(call, status, Some(if busy { 486 } else { 603 }), None);
                return;
            }
            self.connect(call);
        }
        self.act_out(call);
    }

    /// Runs verbs until one takes time, or the document and the call end.
    fn act_out(&mut self, call: CallId) {
        for _ in 0..VERBS_AT_ONCE_MAX {
            let Some(verb) = self.calls[call].program.pop_front() else {
                self.message_ends(call);
                self.finish(call, Status::Completed, Some(200), None);
                return;
            };
            if self.start_verb(call, &verb) {
                return;
            }
        }
        self.fail_document(call, 12100, None);
    }

    /// Starts a verb. Returns whether it takes time or ended the call, so that the next verb must not start.
    fn start_verb(&mut self, call: CallId, verb: &Element) -> bool {
        let spoken = self.setup.timing.said(verb.spoken_ms());
        match verb.name.as_str() {
            "Say" | "Play" | "Pause" => self.wait(call, spoken, Waiting::Nothing),
            "Gather" => {
                let said: u64 = verb.children.iter().map(Element::spoken_ms).sum();
                let said = self.setup.timing.said(said);
                let digits = !self.setup.behaviour.consumer_digits.is_empty();
                let timeout = if digits { 2_000 } else { verb.number("timeout").unwrap_or(5) * 1_000 };
                let action = Some(self.action(call, verb).unwrap_or_else(|| self.own_document(call)));
                let even_if_empty = verb.attribute("actionOnEmptyResult") == Some("true");
                self.wait(call, said + timeout, Waiting::Gather { action, even_if_empty });
            }
            "Record" => {
                let seconds = verb.number("maxLength").unwrap_or(3_600).min(5);
                let action = self.action(call, verb).unwrap_or_else(|| self.own_document(call));
                self.wait(call, seconds * 1_000, Waiting::Record { action, seconds });
            }
            "Redirect" => {
                self.message_ends(call);
                let method = verb.attribute("method").and_then(Method::parse).unwrap_or(Method::Post);
                let url = self.absolute(call, verb.text());
                self.fetch(call, (url, method), Vec::new());
            }
            "Hangup" | "Leave" | "Reject" => {
                self.message_ends(call);
                self.finish(call, Status::Completed, Some(200), None);
            }
            "Dial" => self.start_dial(call, verb),
            "Enqueue" => {
                let action = self.action(call, verb);
                let agent = self.of_ten(self.setup.behaviour.agents_answer_of_ten);
                let waiting = Waiting::Queue { action, since: self.now, agent: false };
                if agent {
                    let delay = self.draw(self.setup.timing.agent_answers);
                    self.wait(call, delay, waiting);
                } else {
                    self.calls[call].waiting = waiting;
                }
            }
            "Connect" => {
                self.bridged(call);
                self.calls[call].waiting = Waiting::Connect { action: self.action(call, verb) };
            }
            _ => return false,
        }
        true
    }

    /// An agent or a bot serves the consumer of this call.
    fn bridged(&mut self, call: CallId) {
        self.counts.calls_bridged += 1;
        self.note_served(call);
    }

    fn note_served(&mut self, call: CallId) {
        let this = &mut self.calls[call];
        if !this.served && this.direction == "outbound-api" {
            self.counts.calls_served += 1;
        }
        this.served = true;
    }

    /// The document of the call was played to its end. If it was the message, the consumer was served.
    fn message_ends(&mut self, call: CallId) {
        if self.calls[call].is_message {
            self.note_served(call);
        }
    }

    fn wait(&mut self, call: CallId, delay_ms: u64, waiting: Waiting) {
        let this = &mut self.calls[call];
        this.waiting = waiting;
        this.epoch += 1;
        let epoch = this.epoch;
        self.after(delay_ms, Action::Resume(call, epoch));
    }

    /// Continues a call after its wait.
    pub(super) fn resume(&mut self, call: CallId) {
        match self.calls[call].waiting.clone() {
            Waiting::Gather { action, even_if_empty } => {
                let digits = self.setup.behaviour.consumer_digits.clone();
                match action.filter(|_| even_if_empty || !digits.is_empty()) {
                    Some(action) => {
                        let more = vec![("Digits", digits), ("FinishedOnKey", String::new())];
                        self.fetch(call, action, more);
                    }
                    None => self.act_out(call),
                }
            }
            Waiting::Record { action, seconds } => {
                let sid = self.sid("RE");
                let account = &self.accounts[self.calls[call].account].sid;
                let url = format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}");
                let more = vec![
                    ("RecordingUrl", url),
                    ("RecordingSid", sid),
                    ("RecordingDuration", seconds.to_string()),
                    ("Digits", String::new()),
                ];
                self.fetch(call, action, more);
            }
            Waiting::Queue { action, since, .. } => {
                self.bridged(call);
                self.calls[call].waiting = Waiting::Queue { action, since, agent: true };
            }
            Waiting::Whisper => self.join(call),
            Waiting::Nothing => self.act_out(call),
            Waiting::Document | Waiting::Dial { .. } | Waiting::Connect { .. } => {}
        }
    }

    fn start_dial(&mut self, call: CallId, verb: &Element) {
        let bare_number = !verb.text().is_empty();
        let telephone = |noun: &Element| matches!(noun.name.as_str(), "Number" | "Sim");
        if bare_number || verb.children.iter().any(telephone) {
            let sid = self.calls[call].sid.clone();
            self.oracle.met_telephone_network(self.now, &sid);
            self.fail_document(call, DIAL_INVALID, None);
            return;
        }
        let action = self.action(call, verb);
        let mut legs = Vec::new();
        let mut room = false;
        for noun in &verb.children {
            match noun.name.as_str() {
                "WhatsApp" | "Client" | "Sip" => legs.extend(self.new_leg(call, verb, noun)),
                "Conference" | "Queue" | "Application" => room = true,
                _ => {}
            }
        }
        let joined = if room { Joined::Room } else { Joined::NotYet };
        self.calls[call].waiting = Waiting::Dial { action: action.clone(), joined };
        if room {
            self.bridged(call);
        } else if legs.is_empty() {
            self.dial_over(call, action, None, "failed");
        }
        if let [leg] = legs[..] {
            self.calls[leg].is_alone = self.calls[call].direction == "outbound-api";
        }
        for leg in legs {
            // The end of an earlier leg may have ended the call.
            if !self.calls[leg].status.is_over() {
                self.dial(leg);
            }
        }
    }

    fn new_leg(&mut self, parent: CallId, dial: &Element, noun: &Element) -> Option<CallId> {
        let caller = dial.attribute("callerId").map(ToOwned::to_owned);
        let account = self.calls[parent].account;
        let identity = noun.children.iter().find(|child| child.name == "Identity").map(Element::text);
        let name = identity.unwrap_or_else(|| noun.text());
        let (to, from, party) = match noun.name.as_str() {
            "Client" => (format!("client:{name}"), caller, Party::Agent),
            "Sip" => (name.to_owned(), caller, Party::Agent),
            _ => {
                let to = format!("whatsapp:{name}");
                let sender = caller.as_deref().and_then(|caller| match Address::parse(caller) {
                    Address::WhatsApp(number) => self.sender_ids.get(&number).copied(),
                    _ => None,
                });
                let own = sender.filter(|&sender| self.senders[sender].account == account);
                let (Some(sender), Address::WhatsApp(consumer)) = (own, Address::parse(&to)) else {
                    let url = self.calls[parent].document.clone();
                    self.note(parent, CALLER_ID_INVALID, &url);
                    return None;
                };
                let pair = self.pair(sender, consumer);
                let (sender, consumer) = self.numbers(pair);
                self.oracle.document_dials(self.now, sender, consumer);
                self.oracle.accepted(self.now, Some((sender, consumer)), None);
                (to, caller, Party::Consumer(pair))
            }
        };
        let from = from.unwrap_or_else(|| self.calls[parent].from.clone());
        let new = NewCall { account, parent: Some(parent), to, from, direction: "outbound-dial", party };
        let leg = self.new_call(new);
        let callbacks = noun.attribute("statusCallback").map(|url| Callbacks {
            url: self.absolute(parent, url),
            method: noun.attribute("statusCallbackMethod").and_then(Method::parse).unwrap_or(Method::Post),
            events: Stages::parse(noun.attribute("statusCallbackEvent").into_iter()),
        });
        let whisper = noun.attribute("url").map(|url| {
            let method = noun.attribute("method").and_then(Method::parse).unwrap_or(Method::Post);
            (self.absolute(parent, url), method)
        });
        let this = &mut self.calls[leg];
        this.callbacks = callbacks.filter(|callbacks| is_web_address(&callbacks.url));
        this.instructions.url = whisper;
        this.timeout_s = dial.number("timeout").unwrap_or(30).clamp(1, 600);
        this.time_limit_s = dial.number("timeLimit").unwrap_or(14_400);
        Some(leg)
    }

    /// A leg was answered: play its whisper, if any, then join it with its parent.
    pub(super) fn leg_answered(&mut self, leg: CallId) {
        let Some((url, method)) = self.calls[leg].instructions.url.clone() else {
            self.join(leg);
            return;
        };
        let params = owned(self.call_params(leg));
        let this = &mut self.calls[leg];
        this.epoch += 1;
        this.waiting = Waiting::Document;
        let (account, errand) = (this.account, Errand::Whisper { call: leg, epoch: this.epoch });
        self.send(account, (&url, method), params, errand);
    }

    pub(super) fn whisper_came(&mut self, leg: CallId, url: &str, reply: &WebhookReply) {
        match verbs(reply) {
            Ok(verbs) if verbs.iter().any(|verb| verb.name == "Hangup") => {
                self.finish(leg, Status::Completed, Some(200), None);
            }
            Ok(verbs) => {
                let said = self.setup.timing.said(verbs.iter().map(Element::spoken_ms).sum());
                self.wait(leg, said, Waiting::Whisper);
            }
            Err(code) => self.fail_document(leg, code, Some(url)),
        }
    }

    fn join(&mut self, leg: CallId) {
        self.calls[leg].waiting = Waiting::Nothing;
        let Some(parent) = self.calls[leg].parent else { return };
        let Waiting::Dial { joined, .. } = &mut self.calls[parent].waiting else {
            self.finish(leg, Status::Completed, Some(200), None);
            return;
        };
        if *joined != Joined::NotYet {
            self.finish(leg, Status::Canceled, Some(487), None);
            return;
        }
        *joined = Joined::Leg(leg);
        self.bridged(parent);
        for other in self.calls[parent].children.clone() {
            if other != leg && !self.calls[other].status.is_over() {
                self.finish(other, Status::Canceled, Some(487), None);
            }
        }
    }

    pub(super) fn joined_leg(&self, call: CallId) -> Option<CallId> {
        match self.calls[call].waiting {
            Waiting::Dial { joined: Joined::Leg(leg), .. } => Some(leg),
            _ => None,
        }
    }

    /// A leg ended. The `<Dial>` ends if that leg was joined, or if no other leg is left.
    pub(super) fn leg_over(&mut self, parent: CallId, leg: CallId) {
        if self.calls[parent].status.is_over() {
            return;
        }
        let Waiting::Dial { action, joined } = self.calls[parent].waiting.clone() else { return };
        let over = match joined {
            Joined::Leg(joined) => joined == leg,
            Joined::Room => false,
            Joined::NotYet => self.calls[parent].children.iter().all(|&leg| self.calls[leg].status.is_over()),
        };
        if over {
            let status = self.calls[leg].status.as_str();
            self.dial_over(parent, action, Some(leg), status);
        }
    }

    fn dial_over(
        &mut self,
        call: CallId,
        action: Option<(String, Method)>,
        leg: Option<CallId>,
        status: &'static str,
    ) {
        self.calls[call].waiting = Waiting::Nothing;
        match action {
            Some(action) => {
                let more = self.dial_params(leg, status);
                self.fetch(call, action, more);
            }
            None => self.act_out(call),
        }
    }

    fn dial_params(&self, leg: Option<CallId>, status: &'static str) -> Vec<(&'static str, String)> {
        let mut params = vec![("DialCallStatus", status.to_owned())];
        if let Some(leg) = leg {
            let leg = &self.calls[leg];
            params.push(("DialCallSid", leg.sid.clone()));
            let duration = leg.answered.map(|from| seconds(from, leg.ended.unwrap_or(self.now)));
            params.push(("DialBridged", duration.is_some().to_string()));
            if let Some(seconds) = duration {
                params.push(("DialCallDuration", seconds.to_string()));
            }
        }
        params
    }

    /// Disconnects a redirected call from its legs.
    fn leave_connection(&mut self, call: CallId) {
        let was = std::mem::replace(&mut self.calls[call].waiting, Waiting::Nothing);
        if matches!(was, Waiting::Dial { .. }) {
            self.end_legs(call);
        }
    }

    /// The call is over: end its legs and report the end of its connecting verb.
    pub(super) fn end_document(&mut self, call: CallId) {
        let was = std::mem::replace(&mut self.calls[call].waiting, Waiting::Nothing);
        self.calls[call].program.clear();
        let (action, more) = match was {
            Waiting::Dial { action, joined } => {
                let leg = match joined {
                    Joined::Leg(leg) => Some(leg),
                    _ => self.calls[call].children.last().copied(),
                };
                self.end_legs(call);
                let status = match (joined, leg) {
                    (Joined::Room, _) => "completed",
                    (_, Some(leg)) => self.calls[leg].status.as_str(),
                    (_, None) => "canceled",
                };
                (action, self.dial_params(leg, status))
            }
            Waiting::Queue { action, since, agent } => {
                let waited = self.now.duration_since(since).as_secs().to_string();
                let result = if agent { "bridged" } else { "hangup" };
                (action, vec![("QueueResult", result.to_owned()), ("QueueTime", waited)])
            }
            Waiting::Connect { action } => (action, Vec::new()),
            _ => return,
        };
        if let Some((url, method)) = action {
            let mut params = self.call_params(call);
            params.extend(more);
            let account = self.calls[call].account;
            self.send(account, (&url, method), owned(params), Errand::LastAction(call));
        }
    }

    fn end_legs(&mut self, call: CallId) {
        for leg in self.calls[call].children.clone() {
            let status = match self.calls[leg].status {
                Status::InProgress => Status::Completed,
                _ => Status::Canceled,
            };
            self.finish(leg, status, Some(if status == Status::Completed { 200 } else { 487 }), None);
        }
    }

    fn action(&self, call: CallId, verb: &Element) -> Option<(String, Method)> {
        let url = self.absolute(call, verb.attribute("action")?);
        let method = verb.attribute("method").and_then(Method::parse).unwrap_or(Method::Post);
        Some((url, method))
    }

    fn own_document(&self, call: CallId) -> (String, Method) {
        (self.calls[call].document.clone(), Method::Post)
    }

    /// Resolves a URL in a document, which may be relative to the document's URL.
    fn absolute(&self, call: CallId, address: &str) -> String {
        let base = url::Url::parse(&self.calls[call].document).ok();
        match base.and_then(|base| base.join(address).ok()) {
            // `Url::join` normalizes, so an absolute URL is requested exactly as written.
            Some(joined) if !is_web_address(address) => joined.into(),
            _ => address.to_owned(),
        }
    }
}

/// The verbs of a reply; an empty body has none. The error is Twilio's error code.
fn verbs(reply: &WebhookReply) -> Result<Vec<Element>, u32> {
    let WebhookReply::Answer { status: 200..=299, content_type, body } = reply else {
        return Err(RETRIEVAL_FAILED);
    };
    if body.trim().is_empty() {
        return Ok(Vec::new());
    }
    if !document::is_xml(content_type.as_deref()) {
        return Err(NOT_XML);
    }
    document::parse(body)
}
