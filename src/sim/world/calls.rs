//! The Calls resource: create, fetch, list, update, delete, and the log of a call.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::listing::Page;
use super::rest::{Asked, Served};
use super::state::{Call, CallId, Callbacks, Instructions, Party, Stages, Status, Waiting};
use super::wire::{ApiResponse, Fields, Method, Refusal, rfc2822};
use super::{Action, World};
use crate::domain::Phone;

/// The longest document that fits into the `Twiml` parameter (error 32018).
const TWIML_CHARS_MAX: usize = 4_000;

/// An address of a call, as far as the world knows the kind.
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
        self.oracle.knocked(self.now, account, self.accounts[account].calls_per_second);
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
        let party = match (Address::parse(to), Address::parse(from)) {
            (Address::Unknown, _) => return Err(Refusal::bad_request(21211, "Invalid 'To' Phone Number")),
            (_, Address::Unknown) => return Err(Refusal::bad_request(21212, "Invalid From Number")),
            (Address::WhatsApp(consumer), Address::WhatsApp(number)) => {
                let sender = self.sender_ids.get(&number).copied();
                let sender = sender.filter(|&id| {
                    self.senders[id].account == account && self.senders[id].application.is_some()
                });
                let sender = sender.ok_or_else(|| {
                    Refusal::bad_request(37008, "From is not a WhatsApp sender with voice of this account")
                })?;
                Party::Consumer(self.pair(sender, consumer))
            }
            (Address::Agent, _) => Party::Agent,
            (Address::WhatsApp(_), _) => {
                return Err(Refusal::bad_request(37008, "From is not a WhatsApp sender"));
            }
            (Address::Telephone, Address::WhatsApp(_)) => {
                return Err(Refusal::bad_request(21211, "A WhatsApp sender calls WhatsApp addresses only"));
            }
            (Address::Telephone, _) => {
                return Err(Refusal::bad_request(21210, "'From' phone number not verified"));
            }
        };
        if let Party::Consumer(pair) = party {
            let (sender, consumer) = self.numbers(pair);
            self.oracle.asked_to_call(self.now, sender, consumer);
            if self.setup.behaviour.refuse_at_creation
                && let Some(code) = self.why_not_to_call(pair)
            {
                let text = "The platform does not allow this call";
                self.alert(account, code, "", None, text);
                return Err(Refusal::bad_request(code, text));
            }
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
            occupies: false,
            exchanges: Vec::new(),
            notes: Vec::new(),
            deleted: false,
        });
        id
    }

    fn find_call(&self, asked: &Asked<'_>, sid: &str) -> Result<CallId, Refusal> {
        let known = self.call_ids.get(sid).copied();
        known
            .filter(|&id| self.calls[id].account == asked.account && !self.calls[id].deleted)
            .ok_or_else(|| asked.not_found())
    }

    pub(super) fn fetch_call(&self, asked: &Asked<'_>, sid: &str) -> Served {
        Ok(ApiResponse::json(200, &self.call_resource(self.find_call(asked, sid)?)))
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

    pub(super) fn list_calls(&self, asked: &Asked<'_>) -> Served {
        let account = &self.accounts[asked.account];
        let query = &asked.query;
        let times = [
            Bound::parse(query, "StartTime", |call| call.started)?,
            Bound::parse(query, "EndTime", |call| call.ended)?,
        ];
        let parent = query.value("ParentCallSid").map(|sid| self.call_ids.get(sid).copied());
        // The narrowest list that holds everything that can match: a reconciler asks by parent or by To.
        let candidates: &[CallId] = match (parent, query.value("To")) {
            (Some(None), _) => &[],
            (Some(Some(parent)), _) => &self.calls[parent].children,
            (None, Some(to)) => account.calls_to.get(to).map_or(&[], Vec::as_slice),
            (None, None) => &account.calls,
        };
        let mut page = Page::asked(query, 50, candidates.len());
        let same = |name, value: &str| query.value(name).is_none_or(|wanted| wanted == value);
        let picked = page.pick(candidates, |id| {
            let call = &self.calls[id];
            !call.deleted
                && call.account == asked.account
                && same("To", &call.to)
                && same("From", &call.from)
                && same("Status", call.status.in_resource())
                && times.iter().flatten().all(|bound| bound.holds(call))
        });
        let items = picked.into_iter().map(|id| self.call_resource(id)).collect();
        Ok(page.v2010(asked, "calls", items))
    }

    pub(super) fn list_call_events(&self, asked: &Asked<'_>, sid: &str) -> Served {
        let call = &self.calls[self.find_call(asked, sid)?];
        let newest_last: Vec<_> = (0..call.exchanges.len()).rev().collect();
        let mut page = Page::asked(&asked.query, 50, newest_last.len());
        let picked = page.pick(&newest_last, |_| true);
        let items = picked.into_iter().map(|index| {
            let exchange = &call.exchanges[index];
            let parameters: Map<_, _> =
                exchange.params.iter().map(|(name, value)| (snake_case(name), json!(value))).collect();
            json!({
                "request": {"method": exchange.method, "url": exchange.url, "parameters": parameters},
                "response": {
                    "response_code": exchange.status,
                    "request_duration": 50,
                    "content_type": exchange.content_type,
                    "response_body": exchange.body,
                    "date_created": rfc2822(exchange.at),
                },
            })
        });
        let items = items.collect();
        Ok(page.v2010(asked, "events", items))
    }

    pub(super) fn list_call_notes(&self, asked: &Asked<'_>, sid: &str) -> Served {
        let call = &self.calls[self.find_call(asked, sid)?];
        let account = &self.accounts[call.account].sid;
        let mut page = Page::asked(&asked.query, 50, call.notes.len());
        let items = page.pick(&call.notes, |_| true).into_iter().map(|note| {
            let note = &self.alerts[note];
            let at = rfc2822(note.at);
            json!({
                "sid": note.sid,
                "account_sid": account,
                "call_sid": call.sid,
                "api_version": "2010-04-01",
                "error_code": note.code.to_string(),
                "log": if note.code == 15003 { "1" } else { "0" },
                "message_text": note.text,
                "message_date": at,
                "more_info": format!("https://www.twilio.com/docs/errors/{}", note.code),
                "request_method": null,
                "request_url": note.url,
                "date_created": at,
                "date_updated": at,
                "uri": format!("/2010-04-01/Accounts/{account}/Calls/{}/Notifications/{}.json", call.sid, note.sid),
            })
        });
        let items = items.collect();
        Ok(page.v2010(asked, "notifications", items))
    }

    fn call_resource(&self, id: CallId) -> Value {
        let call = &self.calls[id];
        let account = &self.accounts[call.account].sid;
        let own = format!("/2010-04-01/Accounts/{account}/Calls/{}", call.sid);
        let under = |name: &str| format!("{own}/{name}.json");
        let duration = call.answered.zip(call.ended).map(|(from, to)| seconds(from, to).to_string());
        let phone = match call.party {
            Party::Agent => None,
            Party::Consumer(pair) | Party::Caller(pair) => {
                Some(self.senders[self.pairs[pair].sender].sid.replacen("XE", "PN", 1))
            }
        };
        json!({
            "sid": call.sid,
            "account_sid": account,
            "parent_call_sid": call.parent.map(|parent| self.calls[parent].sid.as_str()),
            "to": call.to,
            "to_formatted": call.to,
            "from": call.from,
            "from_formatted": call.from,
            "phone_number_sid": phone,
            "status": call.status.in_resource(),
            "start_time": call.started.map(rfc2822),
            "end_time": call.ended.map(rfc2822),
            "duration": duration.or_else(|| call.ended.map(|_| "0".to_owned())),
            "price": null,
            "price_unit": "USD",
            "direction": call.direction,
            "answered_by": null,
            "api_version": "2010-04-01",
            "forwarded_from": null,
            "group_sid": null,
            "caller_name": null,
            "queue_time": call.queue_time_ms.to_string(),
            "trunk_sid": null,
            "uri": format!("{own}.json"),
            "subresource_uris": {
                "notifications": under("Notifications"),
                "recordings": under("Recordings"),
                "payments": under("Payments"),
                "events": under("Events"),
                "siprec": under("Siprec"),
                "streams": under("Streams"),
                "transcriptions": under("Transcriptions"),
                "user_defined_message_subscriptions": under("UserDefinedMessageSubscriptions"),
                "user_defined_messages": under("UserDefinedMessages"),
            },
            "date_created": rfc2822(call.created),
            "date_updated": rfc2822(call.updated),
        })
    }
}

/// What a new call is told at its birth; the rest has defaults.
pub(super) struct NewCall {
    pub(super) account: usize,
    pub(super) parent: Option<CallId>,
    pub(super) to: String,
    pub(super) from: String,
    pub(super) direction: &'static str,
    pub(super) party: Party,
}

/// Whole seconds of a call; a call that was answered lasted at least one.
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

/// `StartTime`, `StartTime<` and `StartTime>`: on that day, until it, from it on. A call without the time,
/// such as a queued one, matches none of them.
struct Bound {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    time: fn(&Call) -> Option<Timestamp>,
}

impl Bound {
    fn parse(
        query: &Fields,
        name: &str,
        time: fn(&Call) -> Option<Timestamp>,
    ) -> Result<Option<Self>, Refusal> {
        let value = |suffix: &str| query.value(&format!("{name}{suffix}")).map(Moment::parse).transpose();
        let (on, before, after) = (value("")?, value("<")?, value(">")?);
        if on.is_none() && before.is_none() && after.is_none() {
            return Ok(None);
        }
        let from = on.or(after).map(|moment| moment.first);
        let until = on.or(before).map(|moment| moment.last);
        Ok(Some(Self { from, until, time }))
    }

    fn holds(&self, call: &Call) -> bool {
        (self.time)(call).is_some_and(|at| {
            self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at <= until)
        })
    }
}

/// A UTC day or a moment, as the first and the last instant that it covers.
#[derive(Clone, Copy)]
struct Moment {
    first: Timestamp,
    last: Timestamp,
}

impl Moment {
    fn parse(text: &str) -> Result<Self, Refusal> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self { first: at, last: at });
        }
        let day = text.parse::<Date>().ok().and_then(|date| date.to_zoned(TimeZone::UTC).ok());
        let first = day.ok_or_else(|| Refusal::bad_request(20001, "Invalid date"))?.timestamp();
        let last = first + SignedDuration::from_hours(24) - SignedDuration::from_nanos(1);
        Ok(Self { first, last })
    }
}

/// `CallSid` to `call_sid`, as the events resource writes parameters.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}
