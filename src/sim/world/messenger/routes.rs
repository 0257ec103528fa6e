//! Entry point of pages at the Graph API: faults, the token, and the routes.

use jiff::SignedDuration;
use serde_json::Value;

use super::fault::PageFault;
use super::setup::PageSetup;
use super::state::{Page, PageId};
use crate::sim::world::World;
use crate::sim::world::graph::AppId;
use crate::sim::world::wire::{ApiRequest, ApiResponse, Fate, Fields};

pub(super) type PageServed = Result<ApiResponse, PageFault>;

impl World {
    pub(in crate::sim::world) fn add_page(&mut self, app: AppId, setup: PageSetup) {
        let page = self.messenger.pages.len();
        self.messenger.page_ids.insert(setup.id.clone(), page);
        self.messenger.tokens.insert(setup.token, page);
        self.messenger.pages.push(Page {
            id: setup.id,
            app,
            url: setup.webhook_url,
            is_calling_on: setup.is_calling_on,
            may_message: setup.may_message,
            restriction: None,
        });
    }

    /// Answers a request that has the token of a page or that is about a page; `None` for all others.
    pub(in crate::sim::world) fn serve_page(&mut self, request: &ApiRequest) -> Option<ApiResponse> {
        let token = bearer(request);
        let own = token.as_deref().and_then(|token| self.messenger.tokens.get(token)).copied();
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').skip(1).collect();
        let id = segments.first().copied().unwrap_or_default();
        let named = self.messenger.page_ids.get(id).copied();
        if own.is_none() && named.is_none() {
            return None;
        }
        let served = match own {
            None => Err(PageFault::token()),
            Some(page) if id == "me" || named == Some(page) => self.page_asked(page, request, &segments[1..]),
            Some(_) => Err(PageFault::no_object(id)),
        };
        Some(served.unwrap_or_else(|fault| {
            let code = fault.subcode.unwrap_or(fault.code);
            *self.counts.errors.entry(code).or_default() += 1;
            fault.response()
        }))
    }

    /// A request of a page about itself, under the faults of the world.
    fn page_asked(&mut self, page: PageId, request: &ApiRequest, rest: &[&str]) -> PageServed {
        let faults = self.setup.faults.clone();
        if self.is_out(&faults) || self.strikes(faults.error_before) {
            return Err(PageFault::outage());
        }
        if self.strikes(faults.throttle) {
            return Err(PageFault::throttled());
        }
        let mut response = self.route_page(page, request, rest)?;
        let written = request.method == "POST";
        if written && self.strikes(faults.error_after) {
            return Err(PageFault::unknown());
        }
        if written && self.strikes(faults.drop_answer) {
            response.fate = Fate::Drop;
        } else if written && self.strikes(faults.webhook_before_answer) {
            response.fate = Fate::DelayBy(SignedDuration::from_secs(3));
        } else if self.strikes(faults.delay_answer) {
            response.fate = Fate::DelayBy(SignedDuration::from_millis(i64::from(faults.answer_delay_ms)));
        }
        Ok(response)
    }

    fn route_page(&mut self, page: PageId, request: &ApiRequest, rest: &[&str]) -> PageServed {
        match (request.method.as_str(), rest) {
            ("GET", []) => Ok(self.show_page(page)),
            ("POST", ["messages"]) => self.create_note(page, &json(request)?),
            ("GET", ["messenger_call_permissions"]) => {
                let query = Fields::parse(request.query.as_bytes());
                self.show_call_permission(page, query.value("psid"))
            }
            ("POST", ["business_messaging_feature_status"]) => self.show_features(page, &json(request)?),
            ("GET", ["subscribed_apps"]) => Ok(self.show_subscriptions(page)),
            _ => Err(PageFault::no_object(&self.messenger.pages[page].id)),
        }
    }
}

fn json(request: &ApiRequest) -> Result<Value, PageFault> {
    let body: Result<Value, _> = serde_json::from_slice(&request.body);
    body.ok().filter(Value::is_object).ok_or_else(|| PageFault::parameter("The body is not a JSON object"))
}

/// The token of a request, from the header or the query.
fn bearer(request: &ApiRequest) -> Option<String> {
    let header = request.authorization.as_deref().and_then(|header| header.split_once(' '));
    let bearer = header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let in_query = || Fields::parse(request.query.as_bytes()).value("access_token").map(ToOwned::to_owned);
    bearer.map(|(_, token)| token.trim().to_owned()).or_else(in_query)
}
