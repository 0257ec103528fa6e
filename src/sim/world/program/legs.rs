//! The legs of a `<Dial>`: who is called, who is joined with the caller, and what its end reports.

use super::verbs;
use crate::sim::world::World;
use crate::sim::world::calls::{Address, NewCall, is_web_address, seconds};
use crate::sim::world::dial::owned;
use crate::sim::world::document::Element;
use crate::sim::world::hooks::Errand;
use crate::sim::world::state::{CallId, Callbacks, Joined, Party, Stages, Status, Waiting};
use crate::sim::world::wire::{Method, WebhookReply};

const DIAL_INVALID: u32 = 13224;

const CALLER_ID_INVALID: u32 = 13214;

impl World {
    pub(super) fn start_dial(&mut self, call: CallId, verb: &Element) {
        let bare_number = !verb.text().is_empty();
        let telephone = |noun: &Element| matches!(noun.name.as_str(), "Number" | "Sim");
        if bare_number || verb.children.iter().any(telephone) {
            let sid = self.calls[call].sid.clone();
            self.oracle.met_telephone_network(self.now, &sid);
            self.fail_document(call, DIAL_INVALID, None);
            return;
        }
        let action = self.action(call, verb);
        self.start_tape(call, verb);
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
                let own = sender.filter(|&sender| self.senders[sender].account == Some(account));
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
    pub(in crate::sim::world) fn leg_answered(&mut self, leg: CallId) {
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

    pub(in crate::sim::world) fn whisper_came(&mut self, leg: CallId, url: &str, reply: &WebhookReply) {
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

    pub(super) fn join(&mut self, leg: CallId) {
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

    pub(in crate::sim::world) fn joined_leg(&self, call: CallId) -> Option<CallId> {
        match self.calls[call].waiting {
            Waiting::Dial { joined: Joined::Leg(leg), .. } => Some(leg),
            _ => None,
        }
    }

    /// A leg ended. The `<Dial>` ends if that leg was joined, or if no other leg is left.
    pub(in crate::sim::world) fn leg_over(&mut self, parent: CallId, leg: CallId) {
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

    pub(super) fn dial_over(
        &mut self,
        call: CallId,
        action: Option<(String, Method)>,
        leg: Option<CallId>,
        status: &'static str,
    ) {
        self.calls[call].waiting = Waiting::Nothing;
        let recorded = self.end_tape_of_leg(call, leg);
        match action {
            Some(action) => {
                let mut more = self.dial_params(leg, status);
                more.extend(recorded);
                self.fetch(call, action, more);
            }
            None => self.act_out(call),
        }
    }

    pub(super) fn dial_params(
        &self,
        leg: Option<CallId>,
        status: &'static str,
    ) -> Vec<(&'static str, String)> {
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
    pub(super) fn leave_connection(&mut self, call: CallId) {
        let was = std::mem::replace(&mut self.calls[call].waiting, Waiting::Nothing);
        if matches!(was, Waiting::Dial { .. }) {
            self.end_legs(call);
        }
    }

    pub(super) fn end_legs(&mut self, call: CallId) {
        for leg in self.calls[call].children.clone() {
            let status = match self.calls[leg].status {
                Status::InProgress => Status::Completed,
                _ => Status::Canceled,
            };
            self.finish(leg, status, Some(if status == Status::Completed { 200 } else { 487 }), None);
        }
    }
}
