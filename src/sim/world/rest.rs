//! Entry point of the REST API: faults, authentication and routing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::setup::Faults;
use super::wire::{ApiRequest, ApiResponse, Fate, Fields, Refusal, rfc2822};
use super::{AccountId, World};

/// One authenticated request.
pub(super) struct Asked<'a> {
    pub(super) account: AccountId,
    pub(super) origin: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Fields,
    pub(super) form: Fields,
    pub(super) body: &'a [u8],
}

impl Asked<'_> {
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(self.body).map_err(|_| Refusal::bad_request(20001, "Invalid JSON body"))
    }

    pub(super) fn not_found(&self) -> Refusal {
        Refusal::not_found(self.path)
    }
}

pub(super) type Served = Result<ApiResponse, Refusal>;

impl World {
    /// Answers a request to any of Twilio's products or to Meta's Graph API, in its format.
    pub fn serve(&mut self, now: Timestamp, request: &ApiRequest) -> ApiResponse {
        self.run_until(now);
        if super::graph::is_graph(&request.path) {
            return self.serve_graph(request);
        }
        let faults = self.setup.faults.clone();
        if self.is_out(&faults) || self.strikes(faults.error_before) {
            return unavailable(503);
        }
        if self.strikes(faults.throttle) {
            let mut response = ApiResponse::error(&Refusal::throttled());
            response.headers.push(("twilio-concurrent-requests", "101".to_owned()));
            return response;
        }
        let mut response = match self.authenticate(request).and_then(|account| self.route(account, request)) {
            Ok(response) => response,
            Err(refusal) => {
                if refusal.status == 400 {
                    *self.counts.errors.entry(refusal.code).or_default() += 1;
                }
                ApiResponse::error(&refusal)
            }
        };
        let written = request.method == "POST" && response.status < 300;
        if written && self.strikes(faults.error_after) {
            return unavailable(500);
        }
        if written && self.strikes(faults.drop_answer) {
            response.fate = Fate::Drop;
        } else if response.status == 201 && self.strikes(faults.webhook_before_answer) {
            // Long enough for the `initiated` and `ringing` callbacks of a call that starts at once.
            response.fate = Fate::DelayBy(SignedDuration::from_secs(3));
        } else if self.strikes(faults.delay_answer) {
            response.fate = Fate::DelayBy(SignedDuration::from_millis(i64::from(faults.answer_delay_ms)));
        }
        response
    }

    /// Whether there is an outage now.
    pub(super) fn is_out(&mut self, faults: &Faults) -> bool {
        let out = faults.outage(self.now);
        self.counts.faults += u64::from(out);
        out
    }

    fn authenticate(&self, request: &ApiRequest) -> Result<AccountId, Refusal> {
        let credentials =
            request.authorization.as_deref().and_then(basic).ok_or_else(Refusal::unauthorized)?;
        let (user, password) = credentials.split_once(':').ok_or_else(Refusal::unauthorized)?;
        let by_token =
            self.account_ids.get(user).copied().filter(|&id| self.accounts[id].auth_token == password);
        let by_key = || self.keys.get(user).filter(|(_, secret)| secret == password).map(|(id, _)| *id);
        by_token.or_else(by_key).ok_or_else(Refusal::unauthorized)
    }

    fn route(&mut self, account: AccountId, request: &ApiRequest) -> Served {
        let is_form = request
            .content_type
            .as_deref()
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
        let asked = Asked {
            account,
            origin: &request.origin,
            path: &request.path,
            query: Fields::parse(request.query.as_bytes()),
            form: if is_form { Fields::parse(&request.body) } else { Fields::default() },
            body: &request.body,
        };
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let method = request.method.as_str();
        match segments.as_slice() {
            ["2010-04-01", "Accounts", rest @ ..] => self.route_account(&asked, method, rest),
            ["v1", "Content" | "ContentAndApprovals", ..] => {
                self.route_content(&asked, method, &segments[1..])
            }
            ["v2", "Channels", "Senders", rest @ ..] => self.route_senders(&asked, method, rest),
            ["v1", "Workspaces", workspace, "TaskQueues", queue, "RealTimeStatistics"] if method == "GET" => {
                self.queue_statistics(&asked, workspace, queue)
            }
            ["v1", "Alerts"] if method == "GET" => Ok(self.list_alerts(&asked)),
            _ => Err(asked.not_found()),
        }
    }

    fn route_account(&mut self, asked: &Asked<'_>, method: &str, rest: &[&str]) -> Served {
        let own = &self.accounts[asked.account].sid;
        let (sid, rest) = match rest {
            [account] => (account.trim_end_matches(".json"), rest),
            [account, rest @ ..] => (*account, rest),
            [] => return Err(asked.not_found()),
        };
        if sid != own {
            return Err(Refusal::unauthorized());
        }
        let named = |text: &str| text.trim_end_matches(".json").to_owned();
        match (method, rest) {
            ("GET", [one]) if one.trim_end_matches(".json") == own => {
                Ok(self.account_resource(asked.account))
            }
            ("POST", ["Calls.json"]) => self.create_call(asked),
            ("GET", ["Calls.json"]) => self.list_calls(asked),
            ("GET", ["Calls", call]) => self.fetch_call(asked, &named(call)),
            ("POST", ["Calls", call]) => self.update_call(asked, &named(call)),
            ("DELETE", ["Calls", call]) => self.delete_call(asked, &named(call)),
            ("GET", ["Calls", call, "Events.json"]) => self.list_call_events(asked, call),
            ("GET", ["Calls", call, "Notifications.json"]) => self.list_call_notes(asked, call),
            ("POST", ["Messages.json"]) => self.create_text(asked),
            ("GET", ["Messages.json"]) => Ok(self.list_texts(asked)),
            ("GET", ["Messages", text]) => self.fetch_text(asked, &named(text)),
            ("DELETE", ["Messages", text]) => self.delete_text(asked, &named(text)),
            ("GET", ["Recordings.json"]) => Ok(self.list_recordings(asked)),
            ("DELETE", ["Recordings", recording]) => self.delete_recording(asked, &named(recording)),
            ("POST", ["Applications.json"]) => Ok(self.create_application(asked)),
            ("GET", ["Applications.json"]) => Ok(self.list_applications(asked)),
            ("GET", ["Applications", application]) => self.fetch_application(asked, &named(application)),
            ("POST", ["Applications", application]) => self.update_application(asked, &named(application)),
            ("DELETE", ["Applications", application]) => self.delete_application(asked, &named(application)),
            _ => Err(asked.not_found()),
        }
    }

    fn account_resource(&self, account: AccountId) -> ApiResponse {
        let sid = &self.accounts[account].sid;
        let under = |name: &str| format!("/2010-04-01/Accounts/{sid}/{name}.json");
        ApiResponse::json(
            200,
            &json!({
                "sid": sid,
                "friendly_name": "Sandbox",
                "status": "active",
                "type": "Full",
                "owner_account_sid": sid,
                "auth_token": null,
                "date_created": rfc2822(Timestamp::UNIX_EPOCH),
                "date_updated": rfc2822(Timestamp::UNIX_EPOCH),
                "uri": format!("/2010-04-01/Accounts/{sid}.json"),
                "subresource_uris": {
                    "calls": under("Calls"),
                    "messages": under("Messages"),
                    "applications": under("Applications"),
                },
            }),
        )
    }
}

fn basic(header: &str) -> Option<String> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

fn unavailable(status: u16) -> ApiResponse {
    let message = "An internal server error has occurred";
    ApiResponse::json(
        status,
        &json!({"code": 20500, "message": message, "more_info": "https://www.twilio.com/docs/errors/20500", "status": status}),
    )
}
