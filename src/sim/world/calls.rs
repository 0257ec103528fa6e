//! The Calls resource: create, update and delete.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::rest::{Asked, Served};
use super::state::{Call, CallId, Callbacks, Exchange, Instructions, PairId, Party, Stages, Status, Waiting};
use super::wire::{ApiResponse, Fields, Method, Refusal};
use super::{Action, World};
use crate::domain::Phone;

/// The longest document that fits into the `Twiml` parameter (error 32018).
const TWIML_CHARS_MAX: usize = 4_000;

/// A `To` or `From` address of a call.
pub(super) enum Address {
    WhatsApp(Phone),
    /// `client:` or `sip:`.
    Agent,
    Telephone,
    Unknown,
}

impl Address {
    pub(super) fn parse(text: &str) -> Self {
        if let Some(number) = text.strip_prefix("whatsapp:") {
            return Phone::parse(number).map_or(Self::Unknown, Self::WhatsApp);
        }
        if text.starts_with("client:") || text.starts_with("sip:") {
            return Self::Agent;
        }
        if Phone::parse(text).is_ok() { Self::Telephone } else { Self::Unknown }
    }
}

impl World {
    pub(super) fn create_call(&mut self, asked: &Asked<'_>) -> Served {
        let account = asked.account;
        self.oracle.create_requested(self.now, account, self.accounts[account].calls_per_second);
        let created = self.try_create_call(asked);
        match &created {
            Ok(_) => self.counts.creates_accepted += 1,
            Err(_) => self.counts.creates_refused += 1,
        }
        created
    }

    fn try_create_call(&mut self, asked: &Asked<'_>) -> Served {
        let (account, form) = (asked.account, &asked.form);
        let to =
            form.value("To").ok_or_else(|| Refusal::bad_request(21201, "No 'To' number is specified"))?;
        let from =
            form.value("From").ok_or_else(|| Refusal::bad_request(21213, "No 'From' number is specified"))?;
        let instructions = self.instructions(asked)?;
        let callbacks = callbacks(form)?;
        let timeout_s = match form.value("Timeout").map(str::parse) {
            None => 60,
            Some(Ok(seconds @ 1..=600)) => seconds,
            Some(_) => return Err(Refusal::bad_request(21208, "Invalid Timeout")),
        };
        let party = self.party(account, to, from)?;
        if let Party::Consumer(pair) = party {
            self.consumer_may_be_called(account, pair)?;
        }
        let rate = i64::from(self.accounts[account].calls_per_second);
        let waiting = i64::try_from(self.accounts[account].waiting).unwrap_or(i64::MAX);
        if waiting >= self.setup.limits.queue_hours.saturating_mul(3_600 * rate) {
            return Err(Refusal::bad_request(22005, "Call Queue Full"));
        }
        let until_slot = self.accounts[account].next_slot.duration_since(self.now).as_millis().max(0);
        let until_slot = i64::try_from(until_slot).unwrap_or(i64::MAX);

        let attempt = instructions.url.as_ref().map(|(url, _)| url.clone());
        let id = self.new_call(NewCall {
            account,
            parent: None,
            to: to.to_owned(),
            from: from.to_owned(),
            direction: "outbound-api",
            party,
        });
        let call = &mut self.calls[id];
        call.instructions = instructions;
        call.callbacks = callbacks;
        call.timeout_s = timeout_s;
        call.time_limit_s = form.value("TimeLimit").and_then(|text| text.parse().ok()).unwrap_or(14_400);
        call.queue_time_ms = until_slot + waiting * 1_000 / rate;

        let token = attempt.as_deref().and_then(self.setup.attempt_token);
        let pair = match party {
            Party::Consumer(pair) => Some(self.numbers(pair)),
            _ => None,
        };
        self.oracle.accepted(self.now, pair, token);
        self.remember_create(id, asked);
        let now = self.now;
        let account = &mut self.accounts[account];
        account.queue.push_back(id);
        account.waiting += 1;
        if !account.ticking {
            account.ticking = true;
            let at = account.next_slot.max(now);
            self.at(at, Action::StartNext(asked.account));
        }
        Ok(ApiResponse::json(201, &self.call_resource(id)))
    }

    /// Who is called, if the two addresses can be connected.
    fn party(&mut self, account: usize, to: &str, from: &str) -> Result<Party, Refusal> {
        match (Address::parse(to), Address::parse(from)) {
            (Address::Unknown, _) => Err(Refusal::bad_request(21211, "Invalid 'To' Phone Number")),
            (_, Address::Unknown) => Err(Refusal::bad_request(21212, "Invalid From Number")),
            (Address::WhatsApp(consumer), Address::WhatsApp(number)) => {
                let sender = self.sender_ids.get(&number).copied();
                let sender = sender.filter(|&id| {
                    self.senders[id].account == Some(account) && self.senders[id].application.is_some()
                });
                let sender = sender.ok_or_else(|| {
                    Refusal::bad_request(37008, "From is not a WhatsApp sender with voice of this account")
                })?;
                Ok(Party::Consumer(self.pair(sender, consumer)))
            }
            (Address::Agent, _) => Ok(Party::Agent),
            (Address::WhatsApp(_), _) => Err(Refusal::bad_request(37008, "From is not a WhatsApp sender")),
            (Address::Telephone, Address::WhatsApp(_)) => {
                Err(Refusal::bad_request(21211, "A WhatsApp sender calls WhatsApp addresses only"))
            }
            (Address::Telephone, _) => Err(Refusal::bad_request(21210, "'From' phone number not verified")),
        }
    }

    /// Tells the oracle that a call is asked for. Refuses it where the world is set to refuse at once.
    fn consumer_may_be_called(&mut self, account: usize, pair: PairId) -> Result<(), Refusal> {
        let (sender, consumer) = self.numbers(pair);
        self.oracle.asked_to_call(self.now, sender, consumer);
        if let Some(code) = self.setup.behaviour.refuse_calls {
            return Err(Refusal::bad_request(code, "The platform does not accept this call"));
        }
        if self.setup.behaviour.refuse_at_creation
            && let Some(code) = self.why_not_to_call(pair)
        {
            let text = "The platform does not allow this call";
            self.alert(account, code, "", None, text);
            return Err(Refusal::bad_request(code, text));
        }
        Ok(())
    }

    /// Records the create request as the first event of the call.
    fn remember_create(&mut self, call: CallId, asked: &Asked<'_>) {
        let sid = self.calls[call].sid.clone();
        let exchange = Exchange {
            at: self.now,
            method: "POST",
            url: format!("{}{}/{sid}.json", asked.origin, asked.path.trim_end_matches(".json")),
            params: asked.form.pairs().to_vec(),
            status: 201,
            content_type: Some("application/json".to_owned()),
            body: json!({"sid": sid}).to_string(),
        };
        self.remember(call, exchange);
    }

    fn instructions(&self, asked: &Asked<'_>) -> Result<Instructions, Refusal> {
        let form = &asked.form;
        let method = |name| form.value(name).and_then(Method::parse).unwrap_or(Method::Post);
        if let Some(sid) = form.value("ApplicationSid") {
            let known = self.applications.iter().find(|app| app.account == asked.account && app.sid == sid);
            let url = known.and_then(|app| app.voice_url.clone());
            let url = url.ok_or_else(|| Refusal::bad_request(21218, "Invalid ApplicationSid"))?;
            return Ok(Instructions { url: Some((url, Method::Post)), ..Instructions::default() });
        }
        if let Some(url) = form.value("Url") {
            if !is_web_address(url) {
                return Err(Refusal::bad_request(21205, "Url is not a valid URL"));
            }
            let fallback = form.value("FallbackUrl").map(|url| (url.to_owned(), method("FallbackMethod")));
            return Ok(Instructions { url: Some((url.to_owned(), method("Method"))), fallback, twiml: None });
        }
        match form.value("Twiml") {
            Some(twiml) if twiml.chars().count() > TWIML_CHARS_MAX => {
                Err(Refusal::bad_request(32018, "Twiml is too long"))
            }
            Some(twiml) => Ok(Instructions { twiml: Some(twiml.to_owned()), ..Instructions::default() }),
            None => Err(Refusal::bad_request(21205, "Url parameter is required")),
        }
    }

    pub(super) fn new_call(&mut self, new: NewCall) -> CallId {
        let id = self.calls.len();
        let sid = self.sid("CA");
        self.call_ids.insert(sid.clone(), id);
        let account = &mut self.accounts[new.account];
        account.calls.push(id);
        account.calls_to.entry(new.to.clone()).or_default().push(id);
        if let Some(parent) = new.parent {
            self.calls[parent].children.push(id);
        }
        self.calls.push(Call {
            sid,
            account: new.account,
            parent: new.parent,
            children: Vec::new(),
            to: new.to,
            from: new.from,
            direction: new.direction,
            party: new.party,
            status: Status::Queued,
            queue_time_ms: 0,
            created: self.now,
            updated: self.now,
            started: None,
            answered: None,
            ended: None,
            instructions: Instructions::default(),
            callbacks: None,
            timeout_s: 60,
            time_limit_s: 14_400,
            sequence: 0,
            epoch: 0,
            program: std::collections::VecDeque::new(),
            document: String::new(),
            waiting: Waiting::Nothing,
            tape: None,
            is_message: false,
            served: false,
            occupies: false,
            is_alone: new.parent.is_none() && matches!(new.party, Party::Agent),
            exchanges: Vec::new(),
            notes: Vec::new(),
            graph: None,
            deleted: false,
        });
        id
    }

    pub(super) fn find_call(&self, asked: &Asked<'_>, sid: &str) -> Result<CallId, Refusal> {
        let known = self.call_ids.get(sid).copied();
        known
            .filter(|&id| self.calls[id].account == asked.account && !self.calls[id].deleted)
            .ok_or_else(|| asked.not_found())
    }

    pub(super) fn delete_call(&mut self, asked: &Asked<'_>, sid: &str) -> Served {
        let id = self.find_call(asked, sid)?;
        if !self.calls[id].status.is_over() {
            return Err(Refusal { status: 409, code: 20409, message: "The call is not over".to_owned() });
        }
        self.calls[id].deleted = true;
        Ok(ApiResponse::empty(204))
    }

    pub(super) fn update_call(&mut self, asked: &Asked<'_>, sid: &str) -> Served {
        let id = self.find_call(asked, sid)?;
        let form = &asked.form;
        let invalid = || Refusal::bad_request(21220, "Invalid call state: the call is not in progress");
        let method = |name| form.value(name).and_then(Method::parse).unwrap_or(Method::Post);
        let status = self.calls[id].status;
        let in_progress = status == Status::InProgress;
        match (form.value("Status"), form.value("Url"), form.value("Twiml")) {
            (None, Some(_), Some(_)) => {
                return Err(Refusal::bad_request(21200, "Url and Twiml exclude each other"));
            }
            (Some("canceled"), ..) if status.is_over() || in_progress => return Err(invalid()),
            (Some("completed"), ..) if status.is_over() => return Err(invalid()),
            (Some("canceled"), ..) => self.finish(id, Status::Canceled, Some(487), None),
            (Some("completed"), ..) if in_progress => self.finish(id, Status::Completed, Some(200), None),
            (Some("completed"), ..) => self.finish(id, Status::Canceled, Some(487), None),
            (Some(_), ..) => return Err(Refusal::bad_request(21218, "Invalid Status")),
            (None, Some(url), None) if !is_web_address(url) => {
                return Err(Refusal::bad_request(21205, "Url is not a valid URL"));
            }
            (None, Some(_), None) | (None, None, Some(_)) if !in_progress => return Err(invalid()),
            (None, Some(url), None) => {
                let fallback =
                    form.value("FallbackUrl").map(|url| (url.to_owned(), method("FallbackMethod")));
                self.calls[id].instructions.fallback = fallback;
                self.redirect(id, (url.to_owned(), method("Method")));
            }
            (None, None, Some(twiml)) => self.redirect_to_document(id, twiml),
            (None, None, None) => {}
        }
        if form.value("StatusCallback").is_some() {
            let events = self.calls[id].callbacks.as_ref().map(|callbacks| callbacks.events);
            self.calls[id].callbacks = callbacks(form)?
                .map(|callbacks| Callbacks { events: events.unwrap_or(callbacks.events), ..callbacks });
        }
        if let Some(limit) = form.value("TimeLimit").and_then(|text| text.parse().ok()) {
            self.limit_time(id, limit);
        }
        Ok(ApiResponse::json(200, &self.call_resource(id)))
    }
}

/// The fields of a new call that have no default.
pub(super) struct NewCall {
    pub(super) account: usize,
    pub(super) parent: Option<CallId>,
    pub(super) to: String,
    pub(super) from: String,
    pub(super) direction: &'static str,
    pub(super) party: Party,
}

/// The duration in whole seconds, at least 1.
pub(super) fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    let span = to.duration_since(from);
    (span + SignedDuration::from_millis(500)).as_secs().max(1)
}

pub(super) fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn callbacks(form: &Fields) -> Result<Option<Callbacks>, Refusal> {
    let Some(url) = form.value("StatusCallback") else { return Ok(None) };
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
    if !is_web_address(url) || host.is_none_or(|host| host.contains('_')) {
        return Err(Refusal::bad_request(21609, "Invalid 'StatusCallback' URL"));
    }
    Ok(Some(Callbacks {
        url: url.to_owned(),
        method: form.value("StatusCallbackMethod").and_then(Method::parse).unwrap_or(Method::Post),
        events: Stages::parse(form.values("StatusCallbackEvent")),
    }))
}
