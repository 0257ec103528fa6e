//! Tests of the world through its public interface: requests in, webhooks out, time set by the test.

mod calls;
mod contents;
mod documents;
mod faults;
mod messages;
mod oracle;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;

pub(super) const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const REQUEST: &str = "HX00000000000000000000000000000001";
pub(super) const DRAFT: &str = "HX00000000000000000000000000000002";
pub(super) const INVITE: &str = "HX00000000000000000000000000000003";
pub(super) const SENDER: &str = "+551140000000";
pub(super) const TALKS: &str = "+5511987650001";

pub(super) fn phone(text: &str) -> Phone {
    Phone::parse(text).unwrap()
}

pub(super) const fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

pub(super) const fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// One account with one sender, and a fake daemon that answers every webhook at once.
pub(super) struct Room {
    pub(super) world: World,
    pub(super) now: Timestamp,
    /// Documents by the last part of their URL.
    pub(super) documents: HashMap<&'static str, &'static str>,
    pub(super) seen: Vec<(Timestamp, Webhook)>,
    /// The answer to each webhook of Meta's.
    pub(super) metas_status: u16,
}

pub(super) fn setup() -> Setup {
    let mut account = AccountSetup::new(ACCOUNT, "secret");
    account.api_keys.push(("SK1".to_owned(), "key-secret".to_owned()));
    account.senders.push(SenderSetup {
        message_url: Some("https://d.example/messages".to_owned()),
        voice_url: Some("https://d.example/document/inbound".to_owned()),
        voice_status_url: Some("https://d.example/inbound-status".to_owned()),
        ..SenderSetup::new(phone(SENDER))
    });
    account.contents = vec![
        ContentSetup::permission_request(REQUEST, true),
        ContentSetup::permission_request(DRAFT, false),
        ContentSetup::invite(INVITE, true),
    ];
    let mut setup = Setup::new(7, vec![account]);
    setup.limits.pace_tolerance_ms = 0;
    setup
}

impl Room {
    pub(super) fn new() -> Self {
        Self::with(setup())
    }

    pub(super) fn with(setup: Setup) -> Self {
        let documents = HashMap::from([
            ("talk", "<Response><Say>Hello</Say><Pause length=\"600\"/></Response>"),
            ("inbound", "<Response><Enqueue action=\"/document/queue-end\">support</Enqueue></Response>"),
            ("end", "<Response/>"),
        ]);
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        Self { world: World::new(setup), now, documents, seen: Vec::new(), metas_status: 200 }
    }

    pub(super) fn ask(&mut self, method: &str, target: &str, form: &[(&str, &str)]) -> ApiResponse {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: Some(format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:secret")))),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            body: body.into_bytes(),
            origin: "https://api.twilio.com".to_owned(),
        };
        self.world.serve(self.now, &request)
    }

    pub(super) fn post(&mut self, resource: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let response = self.ask("POST", &format!("/2010-04-01/Accounts/{ACCOUNT}/{resource}"), form);
        (response.status, serde_json::from_str(&response.body).unwrap_or_default())
    }

    pub(super) fn read(&mut self, resource: &str) -> Value {
        let response = self.ask("GET", &format!("/2010-04-01/Accounts/{ACCOUNT}/{resource}"), &[]);
        assert_eq!(response.status, 200, "{}", response.body);
        serde_json::from_str(&response.body).unwrap()
    }

    /// Creates a call with all status callbacks, and returns its SID.
    pub(super) fn call(&mut self, consumer: &str, document: &str) -> String {
        let (status, call) = self.try_call(consumer, document);
        assert_eq!(status, 201, "{call}");
        call["sid"].as_str().unwrap().to_owned()
    }

    pub(super) fn try_call(&mut self, consumer: &str, document: &str) -> (u16, Value) {
        let to = format!("whatsapp:{consumer}");
        let url = format!("https://d.example/document/{document}");
        self.post(
            "Calls.json",
            &[
                ("To", &to),
                ("From", &format!("whatsapp:{SENDER}")),
                ("Url", &url),
                ("StatusCallback", "https://d.example/status"),
                ("StatusCallbackEvent", "initiated"),
                ("StatusCallbackEvent", "ringing"),
                ("StatusCallbackEvent", "answered"),
                ("StatusCallbackEvent", "completed"),
            ],
        )
    }

    pub(super) fn send(&mut self, consumer: &str, content: &str) -> String {
        let (status, message) = self.post(
            "Messages.json",
            &[
                ("To", &format!("whatsapp:{consumer}")),
                ("From", &format!("whatsapp:{SENDER}")),
                ("ContentSid", content),
                ("StatusCallback", "https://d.example/message-status"),
            ],
        );
        assert_eq!(status, 201, "{message}");
        message["sid"].as_str().unwrap().to_owned()
    }

    pub(super) fn grant(&mut self, consumer: &str) {
        self.world.consumer_answers(self.now, phone(SENDER), phone(consumer), Answer::Accept);
    }

    pub(super) fn advance(&mut self, by: SignedDuration) {
        let until = self.now + by;
        loop {
            for webhook in self.world.due(self.now) {
                let reply = self.reply(&webhook);
                self.seen.push((self.now, webhook.clone()));
                self.world.answered(self.now, webhook.id, reply);
            }
            match self.world.next_at() {
                Some(at) if at <= until => self.now = self.now.max(at),
                _ => break,
            }
        }
        self.now = until;
    }

    fn reply(&self, webhook: &Webhook) -> WebhookReply {
        if webhook.origin == Origin::Meta {
            let challenge =
                webhook.url.split("hub.challenge=").nth(1).and_then(|rest| rest.split('&').next());
            let body = challenge.unwrap_or_default().to_owned();
            return WebhookReply::Answer { status: self.metas_status, content_type: None, body };
        }
        let path = webhook.url.split('?').next().unwrap();
        let Some((_, document)) = path.rsplit_once("/document/") else {
            return WebhookReply::Answer { status: 204, content_type: None, body: String::new() };
        };
        match self.documents.get(document) {
            Some(body) => WebhookReply::Answer {
                status: 200,
                content_type: Some("text/xml; charset=utf-8".to_owned()),
                body: (*body).to_owned(),
            },
            None => WebhookReply::Answer { status: 404, content_type: None, body: String::new() },
        }
    }

    /// The parameters of each webhook to a URL with this ending.
    pub(super) fn hooks(&self, end: &str) -> Vec<HashMap<String, String>> {
        let to = self.seen.iter().filter(|(_, webhook)| webhook.url.ends_with(end));
        to.map(|(_, webhook)| webhook.params.iter().cloned().collect()).collect()
    }

    /// The values of one parameter in the webhooks to a URL with this ending.
    pub(super) fn values(&self, end: &str, name: &str) -> Vec<String> {
        self.hooks(end).iter().map(|hook| hook.get(name).cloned().unwrap_or_default()).collect()
    }

    pub(super) fn status(&mut self, sid: &str) -> String {
        self.read(&format!("Calls/{sid}.json"))["status"].as_str().unwrap().to_owned()
    }

    pub(super) fn laws(&self) -> Vec<Law> {
        self.world.report().violations.iter().map(|violation| violation.law).collect()
    }
}
