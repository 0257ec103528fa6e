//! Entry point of the Graph API: faults, the token, and the routes by node.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::fault::GraphFault;
use super::setup::{AppSetup, BusinessAccountSetup, NumberSetup};
use super::state::{App, AppId, Node, Number, Waba, WabaId};
use crate::sim::world::World;
use crate::sim::world::state::{Sender, SenderId};
use crate::sim::world::wire::{ApiRequest, ApiResponse, Fate, Fields, Method};

/// The versions that are served (Meta, *Graph API changelog*: v20.0 ended on 24 Sep 2026, v27.0 is of 4 Nov 2026).
const VERSIONS: std::ops::RangeInclusive<u32> = 21..=27;

/// One request with a valid token.
pub(in crate::sim::world) struct GraphAsked<'a> {
    pub(super) app: AppId,
    pub(super) query: Fields,
    is_form: bool,
    body: &'a [u8],
}

impl GraphAsked<'_> {
    /// The body as an object. A form is taken as well.
    pub(super) fn json(&self) -> Result<Map<String, Value>, GraphFault> {
        if self.is_form {
            let fields = Fields::parse(self.body);
            let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            return Ok(fields.pairs().iter().map(|(name, text)| (name.clone(), value(text))).collect());
        }
        serde_json::from_slice(self.body)
            .map_err(|_| GraphFault::parameter("The request body is not a JSON object"))
    }
}

pub(in crate::sim::world) type GraphServed = Result<ApiResponse, GraphFault>;

/// Whether the path begins with a version of the Graph API, such as `v25.0`.
pub(in crate::sim::world) fn is_graph(path: &str) -> bool {
    version(path).is_some()
}

/// The version without its `.0`.
fn version(path: &str) -> Option<u32> {
    let first = path.trim_start_matches('/').split('/').next()?;
    let (major, minor) = first.strip_prefix('v')?.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(major) && is_number(minor) { major.parse().ok() } else { None }
}

impl World {
    pub(in crate::sim::world) fn add_app(&mut self, setup: AppSetup) {
        let app = self.graph.apps.len();
        self.graph.nodes.insert(setup.id.clone(), Node::App(app));
        self.graph.tokens.insert(setup.token, app);
        // The token of the app itself.
        self.graph.tokens.insert(format!("{}|{}", setup.id, setup.secret), app);
        self.graph.apps.push(App {
            id: setup.id,
            secret: setup.secret,
            verify_token: setup.verify_token,
            url: setup.webhook_url,
            is_checked: setup.is_checked,
        });
        for account in setup.business_accounts {
            self.add_waba(app, account);
        }
        for page in setup.pages {
            self.add_page(app, page);
        }
    }

    fn add_waba(&mut self, app: AppId, setup: BusinessAccountSetup) {
        let waba = self.graph.wabas.len();
        self.graph.nodes.insert(setup.id.clone(), Node::Waba(waba));
        self.graph.wabas.push(Waba {
            id: setup.id,
            app,
            numbers: Vec::new(),
            templates: Vec::new(),
            restrictions: Vec::new(),
        });
        for number in setup.numbers {
            self.add_number(waba, number);
        }
        for template in setup.templates {
            self.add_template(waba, template);
        }
    }

    fn add_number(&mut self, waba: WabaId, setup: NumberSetup) {
        let id = self.graph.numbers.len();
        let known = self.sender_ids.get(&setup.number).copied();
        let sender = known.unwrap_or_else(|| self.sender_at_meta(&setup));
        self.graph.nodes.insert(setup.id.clone(), Node::Number(id));
        self.graph.number_of_sender.insert(sender, id);
        self.graph.wabas[waba].numbers.push(id);
        self.graph.numbers.push(Number {
            id: setup.id,
            waba,
            sender,
            url: setup.webhook_url,
            is_calling_on: setup.is_calling_on,
            has_call_buttons: setup.has_call_buttons,
            sent: std::collections::VecDeque::new(),
        });
    }

    /// A sender that no Twilio account has.
    fn sender_at_meta(&mut self, setup: &NumberSetup) -> SenderId {
        self.keep_sender(Sender {
            sid: setup.id.clone(),
            account: None,
            number: setup.number,
            application: None,
            message_url: None,
            message_method: Method::Post,
            message_status_url: None,
            callback_permission: setup.callback_permission,
            messaging_limit: "10K Customers/24hr",
            online_at: self.now,
            live: 0,
            started: std::collections::VecDeque::new(),
        })
    }

    /// Whether the number of a sender is at the Cloud API.
    pub(in crate::sim::world) fn is_on_graph(&self, sender: SenderId) -> bool {
        self.graph.number_of_sender.contains_key(&sender)
    }

    pub(in crate::sim::world) fn serve_graph(&mut self, request: &ApiRequest) -> ApiResponse {
        if let Some(response) = self.serve_page(request) {
            return response;
        }
        let faults = self.setup.faults.clone();
        if self.is_out(&faults) || self.strikes(faults.error_before) {
            return GraphFault::new(503, 2, "API Service", "Temporary, due to downtime or overload")
                .response();
        }
        if self.strikes(faults.throttle) {
            let details = "Cloud API message throughput has been reached";
            return GraphFault::new(429, 130_429, "Rate limit hit", details).response();
        }
        let served = if request.method == "GET" && request.path.ends_with("/oauth/access_token") {
            self.app_token(request)
        } else {
            self.graph_authenticated(request).and_then(|asked| self.route_graph(request, &asked))
        };
        let mut response = match served {
            Ok(response) => response,
            Err(fault) => {
                *self.counts.errors.entry(fault.code).or_default() += 1;
                fault.response()
            }
        };
        let written = request.method == "POST" && response.status < 300;
        if written && self.strikes(faults.error_after) {
            return GraphFault::new(500, 131_000, "Something went wrong", "An unknown error").response();
        }
        if written && self.strikes(faults.drop_answer) {
            response.fate = Fate::Drop;
        } else if written && self.strikes(faults.webhook_before_answer) {
            response.fate = Fate::DelayBy(SignedDuration::from_secs(3));
        } else if self.strikes(faults.delay_answer) {
            response.fate = Fate::DelayBy(SignedDuration::from_millis(i64::from(faults.answer_delay_ms)));
        }
        response
    }

    fn graph_authenticated<'a>(&self, request: &'a ApiRequest) -> Result<GraphAsked<'a>, GraphFault> {
        let query = Fields::parse(request.query.as_bytes());
        let header = request.authorization.as_deref().and_then(|header| header.split_once(' '));
        let bearer = header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = bearer.map(|(_, token)| token.trim()).or_else(|| query.value("access_token"));
        let app = token.and_then(|token| self.graph.tokens.get(token)).copied();
        let app = app.ok_or_else(GraphFault::token)?;
        let kind = request.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        Ok(GraphAsked { app, query, is_form, body: &request.body })
    }

    fn route_graph(&mut self, request: &ApiRequest, asked: &GraphAsked<'_>) -> GraphServed {
        if !version(&request.path).is_some_and(|version| VERSIONS.contains(&version)) {
            let details = "The version is not served any more, or not yet";
            return Err(GraphFault::new(400, 2635, "Unsupported API version", details));
        }
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').skip(1).collect();
        let id = segments.first().copied().unwrap_or_default();
        let method = request.method.as_str();
        if id == "me" && segments.len() == 1 {
            return Ok(self.graph_me(asked));
        }
        let node = self.graph.nodes.get(id).copied().filter(|&node| self.app_of(node) == asked.app);
        match (method, node.ok_or_else(|| GraphFault::no_object(id))?, &segments[1..]) {
            ("POST", Node::App(app), ["subscriptions"]) => self.subscribe(asked, app),
            ("POST", Node::Number(number), ["messages"]) => self.create_post(asked, number),
            ("GET", Node::Number(number), []) => Ok(self.show_number(asked, number)),
            ("GET", Node::Number(number), ["settings"]) => Ok(self.show_settings(number)),
            ("POST", Node::Number(number), ["settings"]) => self.change_settings(asked, number),
            ("GET", Node::Number(number), ["call_permissions"]) => self.show_permission(asked, number),
            ("POST", Node::Waba(waba), ["message_templates"]) => self.create_template(asked, waba),
            ("GET", Node::Waba(waba), ["message_templates"]) => Ok(self.list_templates(asked, waba)),
            ("DELETE", Node::Waba(waba), ["message_templates"]) => self.delete_template(asked, waba),
            ("GET", Node::Waba(waba), ["phone_numbers"]) => Ok(self.list_numbers(asked, waba)),
            ("GET", Node::Waba(waba), ["subscribed_apps"]) => Ok(self.list_subscribed(waba)),
            ("GET", Node::Waba(waba), []) => Ok(self.show_waba(waba)),
            ("GET", Node::Template(template), []) => self.show_template(template),
            _ => Err(GraphFault::no_object(id)),
        }
    }

    fn app_of(&self, node: Node) -> AppId {
        match node {
            Node::App(app) => app,
            Node::Waba(waba) => self.graph.wabas[waba].app,
            Node::Number(number) => self.graph.wabas[self.graph.numbers[number].waba].app,
            Node::Template(template) => self.graph.wabas[self.graph.templates[template].waba].app,
        }
    }
}
