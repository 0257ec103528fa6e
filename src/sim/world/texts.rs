//! The Messages resource: permission requests, invites and other messages, and their delivery.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::calls::{Address, is_web_address};
use super::dial::owned;
use super::habits::Habit;
use super::hooks::Errand;
use super::listing::Page;
use super::rest::{Asked, Served};
use super::state::{AccountId, PairId, Purpose, Text, TextId, recent};
use super::wire::{ApiResponse, Method, Refusal, rfc2822};
use super::{Action, Step, World};

/// Twilio, error 63024: "Invalid message recipient".
pub(super) const NOT_ON_WHATSAPP: u32 = 63024;

impl World {
    pub(super) fn create_text(&mut self, asked: &Asked<'_>) -> Served {
        let (account, form) = (asked.account, &asked.form);
        let to =
            form.value("To").ok_or_else(|| Refusal::bad_request(21604, "A 'To' phone number is required"))?;
        let from = form.value("From").ok_or_else(|| Refusal::bad_request(21603, "A 'From' is required"))?;
        let Address::WhatsApp(number) = Address::parse(from) else {
            return Err(Refusal::bad_request(21212, "Invalid 'From'"));
        };
        let sender = self.sender_ids.get(&number).copied();
        let sender =
            sender.filter(|&sender| self.senders[sender].account == Some(account)).ok_or_else(|| {
                Refusal::bad_request(63007, "Twilio could not find a Channel with this From address")
            })?;
        let Address::WhatsApp(consumer) = Address::parse(to) else {
            return Err(Refusal::bad_request(21211, "Invalid 'To' Phone Number"));
        };
        let content = match form.value("ContentSid") {
            Some(sid) => Some(self.usable_content(account, sid)?),
            None if form.value("Body").is_none() && form.value("MediaUrl").is_none() => {
                return Err(Refusal::bad_request(
                    21619,
                    "A text message body or media urls must be specified",
                ));
            }
            None => None,
        };
        if let Some(variables) = form.value("ContentVariables")
            && !are_variables(variables)
        {
            return Err(Refusal::bad_request(21656, "The ContentVariables parameter is invalid"));
        }
        let status_callback = form.value("StatusCallback");
        if status_callback.is_some_and(|url| !is_web_address(url)) {
            return Err(Refusal::bad_request(21609, "Invalid 'StatusCallback' URL"));
        }
        if let Some(code) = self.setup.behaviour.refuse_messages {
            return Err(Refusal::bad_request(code, "The platform does not accept this message"));
        }
        let sender_number = self.senders[sender].number;
        let pair = self.pair(sender, consumer);
        let text = self.new_text(account, pair, form.value("Body").unwrap_or_default().to_owned(), false);
        self.texts[text].status_callback = status_callback.map(ToOwned::to_owned);
        self.texts[text].content = content;
        self.counts.messages += 1;
        match self.purpose(text) {
            Purpose::PermissionRequest => self.counts.permission_requests += 1,
            Purpose::Invite => {
                self.counts.invites += 1;
                self.oracle.invited(self.now, sender_number, consumer);
            }
            Purpose::Other => {}
        }
        let refused = self.why_not_to_deliver(text);
        if refused.is_none() && self.purpose(text) == Purpose::Invite {
            self.oracle.person_is_invited(self.now, consumer);
        }
        self.texts[text].error = refused;
        self.report_text(text);
        let delay = self.draw(self.setup.timing.message_step);
        self.after(delay, Action::Text(text, Step::Send));
        Ok(ApiResponse::json(201, &self.text_resource(text)))
    }

    /// Why WhatsApp will not deliver this message. Decided when the message is accepted, reported later.
    fn why_not_to_deliver(&mut self, text: TextId) -> Option<(u32, String)> {
        let now = self.now;
        let pair = self.texts[text].pair;
        let request = self.purpose(text) == Purpose::PermissionRequest;
        if let Some(code) = self.setup.behaviour.fail_messages {
            return Some((code, "The platform does not deliver this message.".to_owned()));
        }
        let (_, consumer) = self.numbers(pair);
        if self.habit(consumer) == Habit::Absent {
            if request {
                self.judge_request(pair);
            }
            return Some((NOT_ON_WHATSAPP, "The recipient is not on WhatsApp. (131026)".to_owned()));
        }
        if let Some((code, why)) = self.texts[text].content.and_then(|content| self.why_stopped(content)) {
            return Some((code, why.to_owned()));
        }
        let approved = self.texts[text].content.is_some_and(|content| self.is_approved(content));
        let service_until = self.pairs[pair].service_until;
        if !approved && service_until.is_none_or(|until| until <= now) {
            if request {
                let numbers = self.numbers(pair);
                self.oracle.asked_outside_service_window(now, service_until, numbers);
                self.judge_request(pair);
            }
            let text = "Failed to send freeform message because you are outside the allowed window. (131047)";
            return Some((63016, text.to_owned()));
        }
        if !request {
            return None;
        }
        self.judge_request(pair);
        let code = self.setup.behaviour.request_limit_code;
        self.why_not_to_ask(pair).map(|(number, why)| (code, format!("{why} ({number})")))
    }

    /// Why WhatsApp refuses one more permission request to the pair, with its code. Else the request counts.
    pub(super) fn why_not_to_ask(&mut self, pair: PairId) -> Option<(u32, &'static str)> {
        let now = self.now;
        if self.pairs[pair].permission == super::state::Permission::Permanent {
            return Some((138_017, "The permission is permanent already."));
        }
        let limits = &self.setup.limits;
        let (day, week) = (SignedDuration::from_hours(24), SignedDuration::from_hours(168));
        let log = &mut self.pairs[pair].requests;
        let in_week = recent(log, now, week);
        let in_day = log.iter().filter(|at| now.duration_since(**at) < day).count();
        if in_day >= limits.permission_requests_per_day || in_week >= limits.permission_requests_per_week {
            return Some((138_009, "The limit of call permission requests is reached."));
        }
        self.pairs[pair].requests.push_back(now);
        None
    }

    pub(super) fn judge_request(&mut self, pair: PairId) {
        let (sender, consumer) = self.numbers(pair);
        self.oracle.requested(self.now, sender, consumer);
    }

    fn purpose(&self, text: TextId) -> Purpose {
        self.texts[text].content.map_or(Purpose::Other, |content| self.contents[content].purpose)
    }

    pub(super) fn text_step(&mut self, text: TextId, step: Step) {
        let pair = self.texts[text].pair;
        let now = self.now;
        self.texts[text].updated = now;
        if let Some((code, _)) = self.texts[text].error {
            self.texts[text].status = "failed";
            *self.counts.errors.entry(code).or_default() += 1;
            let (account, sid) = (self.texts[text].account, self.texts[text].sid.clone());
            self.alert(account, code, &sid, None, "the message failed");
            self.report_text(text);
            return;
        }
        match step {
            Step::Send => {
                self.texts[text].status = "sent";
                self.texts[text].sent = Some(now);
                let delay = self.draw(self.setup.timing.message_step);
                self.after(delay, Action::Text(text, Step::Deliver));
            }
            Step::Deliver => {
                self.texts[text].status = "delivered";
                if self.of_ten(self.setup.behaviour.read_of_ten) {
                    let delay = self.draw(self.setup.timing.message_step);
                    self.after(delay, Action::Text(text, Step::Read));
                }
                match self.purpose(text) {
                    Purpose::PermissionRequest => self.request_arrived(pair, text),
                    Purpose::Invite => self.invite_arrived(pair),
                    Purpose::Other => {}
                }
            }
            Step::Read => self.texts[text].status = "read",
        }
        self.report_text(text);
    }

    pub(super) fn new_text(
        &mut self,
        account: AccountId,
        pair: PairId,
        body: String,
        inbound: bool,
    ) -> TextId {
        let (number, consumer) = self.numbers(pair);
        let business = format!("whatsapp:{}", number.e164());
        let person = format!("whatsapp:{}", consumer.e164());
        let (to, from) = if inbound { (business, person) } else { (person, business) };
        let sid = self.sid("SM");
        let id = self.texts.len();
        self.text_ids.insert(sid.clone(), id);
        let account_of = &mut self.accounts[account];
        account_of.texts.push(id);
        account_of.texts_to.entry(to.clone()).or_default().push(id);
        self.texts.push(Text {
            sid,
            account,
            pair,
            inbound,
            to,
            from,
            body,
            content: None,
            status: if inbound { "received" } else { "queued" },
            error: None,
            status_callback: None,
            created: self.now,
            updated: self.now,
            sent: inbound.then_some(self.now),
            deleted: false,
        });
        id
    }

    fn report_text(&mut self, text: TextId) {
        let this = &self.texts[text];
        let sender = self.pairs[this.pair].sender;
        let fallback = || self.senders[sender].message_status_url.clone();
        let Some(url) = this.status_callback.clone().or_else(fallback) else { return };
        let mut params = vec![
            ("MessageSid", this.sid.clone()),
            ("SmsSid", this.sid.clone()),
            ("MessageStatus", this.status.to_owned()),
            ("SmsStatus", this.status.to_owned()),
            ("AccountSid", self.accounts[this.account].sid.clone()),
            ("From", this.from.clone()),
            ("To", this.to.clone()),
            ("ChannelToAddress", this.to.clone()),
            ("ChannelPrefix", "whatsapp".to_owned()),
            ("ApiVersion", "2010-04-01".to_owned()),
        ];
        if this.status == "read" {
            params.push(("EventType", "READ".to_owned()));
        }
        if let Some((code, message)) = this.error.as_ref().filter(|_| this.status == "failed") {
            params.push(("ErrorCode", code.to_string()));
            params.push(("ErrorMessage", message.clone()));
            params.push(("ChannelStatusMessage", message.clone()));
        }
        let account = this.account;
        self.send(account, (&url, Method::Post), owned(params), Errand::TextReport);
    }

    pub(super) fn fetch_text(&self, asked: &Asked<'_>, sid: &str) -> Served {
        let known = self.text_ids.get(sid).copied();
        let text =
            known.filter(|&text| self.texts[text].account == asked.account && !self.texts[text].deleted);
        Ok(ApiResponse::json(200, &self.text_resource(text.ok_or_else(|| asked.not_found())?)))
    }

    pub(super) fn delete_text(&mut self, asked: &Asked<'_>, sid: &str) -> Served {
        let known = self.text_ids.get(sid).copied();
        let text =
            known.filter(|&text| self.texts[text].account == asked.account && !self.texts[text].deleted);
        let text = text.ok_or_else(|| asked.not_found())?;
        self.texts[text].deleted = true;
        Ok(ApiResponse::empty(204))
    }

    pub(super) fn list_texts(&self, asked: &Asked<'_>) -> ApiResponse {
        let account = &self.accounts[asked.account];
        let texts = match asked.query.value("To") {
            Some(to) => account.texts_to.get(to).map_or(&[][..], Vec::as_slice),
            None => &account.texts,
        };
        let same = |name, value: &str| asked.query.value(name).is_none_or(|wanted| wanted == value);
        let mut page = Page::asked(&asked.query, 50, texts.len());
        let picked = page.pick(texts, |id| {
            let text = &self.texts[id];
            !text.deleted && same("To", &text.to) && same("From", &text.from)
        });
        let items = picked.into_iter().map(|id| self.text_resource(id)).collect();
        page.v2010(asked, "messages", items)
    }

    fn text_resource(&self, id: TextId) -> Value {
        let text = &self.texts[id];
        let account = &self.accounts[text.account].sid;
        let own = format!("/2010-04-01/Accounts/{account}/Messages/{}", text.sid);
        let error = text.error.as_ref().filter(|_| text.status == "failed");
        json!({
            "sid": text.sid,
            "account_sid": account,
            "messaging_service_sid": null,
            "to": text.to,
            "from": text.from,
            "body": text.body,
            "status": text.status,
            "direction": if text.inbound { "inbound" } else { "outbound-api" },
            "num_segments": "1",
            "num_media": "0",
            "error_code": error.map(|(code, _)| code),
            "error_message": error.map(|(_, message)| message),
            "price": null,
            "price_unit": null,
            "api_version": "2010-04-01",
            "date_created": rfc2822(text.created),
            "date_updated": rfc2822(text.updated),
            "date_sent": text.sent.map(rfc2822),
            "uri": format!("{own}.json"),
            "subresource_uris": {"media": format!("{own}/Media.json")},
        })
    }
}

/// Whether this is a JSON object whose values are non-empty strings.
fn are_variables(text: &str) -> bool {
    let variables = serde_json::from_str::<serde_json::Map<String, Value>>(text);
    variables.is_ok_and(|map| map.values().all(|value| value.as_str().is_some_and(|text| !text.is_empty())))
}
