//! Runs TwiML documents: verbs take time, connecting verbs create legs, and their ends request the `action`
//! URL.

mod legs;
mod tape;

use std::collections::VecDeque;

use crate::sim::world::calls::is_web_address;
use crate::sim::world::dial::owned;
use crate::sim::world::document::{self, Element};
use crate::sim::world::hooks::Errand;
use crate::sim::world::state::{CallId, Joined, Party, Status, Waiting};
use crate::sim::world::wire::{Method, WebhookReply};
use crate::sim::world::{Action, World};

/// Twilio's codes: a document could not be fetched, is not XML, or cannot be run.
const RETRIEVAL_FAILED: u32 = 11200;
const NOT_XML: u32 = 12300;

/// More verbs than this without any that takes time means that a document redirects to itself.
const VERBS_AT_ONCE_MAX: usize = 1_000;

impl World {
    /// Redirects a call to the document at a URL.
    pub(in crate::sim::world) fn redirect(&mut self, call: CallId, to: (String, Method)) {
        self.leave_connection(call);
        self.fetch(call, to, Vec::new());
    }

    /// Redirects a call to this TwiML text.
    pub(in crate::sim::world) fn redirect_to_document(&mut self, call: CallId, twiml: &str) {
        self.leave_connection(call);
        match document::parse(twiml) {
            Ok(verbs) => self.begin(call, String::new(), verbs),
            Err(code) => self.fail_document(call, code, None),
        }
    }

    pub(in crate::sim::world) fn document_came(
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
                self.start_tape(call, verb);
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
    pub(in crate::sim::world) fn resume(&mut self, call: CallId) {
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
                let mut more = self.end_tape(call, seconds);
                more.push(("Digits", String::new()));
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

    /// The call is over: end its legs and report the end of its connecting verb.
    pub(in crate::sim::world) fn end_document(&mut self, call: CallId) {
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
                let mut more = self.dial_params(leg, status);
                more.extend(self.end_tape_of_leg(call, leg));
                (action, more)
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
