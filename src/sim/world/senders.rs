//! Senders and Monitor alerts. Voice applications are in `applications`.

use std::collections::VecDeque;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::World;
use super::listing::Page;
use super::rest::{Asked, Served};
use super::setup::SenderSetup;
use super::state::{AccountId, Application, Sender, SenderId};
use super::wire::{ApiResponse, Method, Refusal, iso8601};
use crate::clock::later;
use crate::domain::Phone;

impl World {
    pub(super) fn add_sender(&mut self, account: AccountId, setup: SenderSetup) -> SenderId {
        let number = setup.number;
        let application = Application {
            sid: self.sid("AP"),
            account,
            friendly_name: "voice of a sender".to_owned(),
            voice_url: setup.voice_url,
            status_callback: setup.voice_status_url,
            created: self.now,
            deleted: false,
        };
        let bound = setup.is_voice_on.then(|| {
            let bound = application.sid.clone();
            self.keep_application(application);
            bound
        });
        let sid = self.sid("XE");
        let id = self.keep_sender(Sender {
            sid,
            account: Some(account),
            number,
            application: bound,
            message_url: setup.message_url,
            message_method: Method::Post,
            message_status_url: None,
            callback_permission: setup.callback_permission,
            messaging_limit: setup.messaging_limit,
            online_at: self.now,
            live: 0,
            started: VecDeque::new(),
        });
        self.accounts[account].senders.push(id);
        id
    }

    pub(super) fn keep_sender(&mut self, sender: Sender) -> SenderId {
        let id = self.senders.len();
        self.sender_ids.insert(sender.number, id);
        self.senders.push(sender);
        id
    }

    pub(super) fn route_senders(&mut self, asked: &Asked<'_>, method: &str, rest: &[&str]) -> Served {
        let find = |world: &Self, sid: &str| {
            let own = &world.accounts[asked.account].senders;
            own.iter().copied().find(|&id| world.senders[id].sid == sid).ok_or_else(|| asked.not_found())
        };
        match (method, rest) {
            ("GET", []) => {
                let own = &self.accounts[asked.account].senders;
                let mut page = Page::asked(&asked.query, 20, own.len());
                let wanted = asked.query.value("Channel").is_none_or(|channel| channel == "whatsapp");
                let items = page.pick(own, |_| wanted).into_iter().map(|id| self.sender_resource(asked, id));
                let items = items.collect();
                Ok(page.meta(asked, "senders", items))
            }
            ("POST", []) => self.create_sender(asked),
            ("GET", [sid]) => Ok(ApiResponse::json(200, &self.sender_resource(asked, find(self, sid)?))),
            ("POST", [sid]) => {
                let id = find(self, sid)?;
                self.update_sender(asked, id)
            }
            _ => Err(asked.not_found()),
        }
    }

    fn create_sender(&mut self, asked: &Asked<'_>) -> Served {
        let body = asked.json()?;
        let number = body["sender_id"].as_str().and_then(|id| id.strip_prefix("whatsapp:"));
        let number = number.and_then(|number| Phone::parse(number).ok());
        let number = number.ok_or_else(|| Refusal::bad_request(63100, "sender_id is invalid"))?;
        if self.sender_ids.contains_key(&number) {
            return Err(Refusal::bad_request(63110, "sender_id is registered already"));
        }
        let id =
            self.add_sender(asked.account, SenderSetup { is_voice_on: false, ..SenderSetup::new(number) });
        self.update_sender(asked, id)
    }

    fn update_sender(&mut self, asked: &Asked<'_>, id: SenderId) -> Served {
        let body = asked.json()?;
        if let Some(voice) = body["configuration"].get("voice_application_sid") {
            let sid = voice.as_str().filter(|sid| !sid.is_empty());
            let own = &self.accounts[asked.account].applications;
            let is_own = |sid: &str| {
                own.iter().any(|&app| self.applications[app].sid == sid && !self.applications[app].deleted)
            };
            if sid.is_some_and(|sid| !is_own(sid)) {
                return Err(Refusal::bad_request(21218, "Invalid ApplicationSid"));
            }
            if sid.is_some()
                && matches!(self.senders[id].messaging_limit, "250 Customers/24hr" | "1K Customers/24hr")
            {
                let message = "The messaging limit of the sender is too low for calls";
                return Err(Refusal::bad_request(63100, message));
            }
            self.senders[id].application = sid.map(ToOwned::to_owned);
        }
        let webhook = &body["webhook"];
        if let Some(url) = webhook["callback_url"].as_str() {
            self.senders[id].message_url = Some(url.to_owned()).filter(|url| !url.is_empty());
        }
        if let Some(url) = webhook["status_callback_url"].as_str() {
            self.senders[id].message_status_url = Some(url.to_owned()).filter(|url| !url.is_empty());
        }
        let takes = i64::try_from(self.setup.timing.sender_update_ms).unwrap_or(i64::MAX);
        self.senders[id].online_at = later(self.now, SignedDuration::from_millis(takes));
        Ok(ApiResponse::json(202, &self.sender_resource(asked, id)))
    }

    fn sender_resource(&self, asked: &Asked<'_>, id: SenderId) -> Value {
        let sender = &self.senders[id];
        json!({
            "sid": sender.sid,
            "status": if sender.online_at <= self.now { "ONLINE" } else { "ONLINE:UPDATING" },
            "sender_id": format!("whatsapp:{}", sender.number.e164()),
            "configuration": {
                "waba_id": null,
                "verification_method": null,
                "verification_code": null,
                "voice_application_sid": sender.application,
            },
            "webhook": {
                "callback_url": sender.message_url,
                "callback_method": sender.message_method.as_str(),
                "fallback_url": null,
                "fallback_method": null,
                "status_callback_url": sender.message_status_url,
                "status_callback_method": "POST",
            },
            "profile": {"name": "Sandbox", "about": null, "websites": [], "emails": []},
            "properties": {"quality_rating": "HIGH", "messaging_limit": sender.messaging_limit},
            "offline_reasons": null,
            "compliance": null,
            "url": format!("{}/v2/Channels/Senders/{}", asked.origin, sender.sid),
        })
    }

    /// Lists Monitor alerts. Supports the filters that clients use to find failures.
    pub(super) fn list_alerts(&self, asked: &Asked<'_>) -> ApiResponse {
        let account = &self.accounts[asked.account];
        let time = |name| asked.query.value(name).and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let (from, until) = (time("StartDate"), time("EndDate"));
        let level = |code: u32| if code == 15003 { "warning" } else { "error" };
        let mut page = Page::asked(&asked.query, 50, account.alerts.len());
        let picked = page.pick(&account.alerts, |id| {
            let alert = &self.alerts[id];
            from.is_none_or(|from| from <= alert.at)
                && until.is_none_or(|until| alert.at <= until)
                && asked.query.value("LogLevel").is_none_or(|wanted| wanted == level(alert.code))
        });
        let items = picked.into_iter().map(|id| {
            let alert = &self.alerts[id];
            json!({
                "sid": alert.sid,
                "account_sid": account.sid,
                "alert_text": alert.text,
                "api_version": "2010-04-01",
                "date_created": iso8601(alert.at),
                "date_generated": iso8601(alert.at),
                "date_updated": iso8601(alert.at),
                "error_code": alert.code.to_string(),
                "log_level": level(alert.code),
                "more_info": format!("https://www.twilio.com/docs/errors/{}", alert.code),
                "request_method": "POST",
                "request_url": alert.url,
                "resource_sid": alert.resource,
                "service_sid": null,
                "url": format!("{}/v1/Alerts/{}", asked.origin, alert.sid),
            })
        });
        let items = items.collect();
        page.meta(asked, "alerts", items)
    }
}
