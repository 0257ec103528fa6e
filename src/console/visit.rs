//! One request of a person to the console: who asks, for what, and the way to the API.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, Request, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::Value;

use super::ask::{Answer, Refused, ask, raw};
use super::layout::{self, Page};
use super::person::Person;
use super::{Console, PATH};
use crate::domain::Scope;
use crate::http::App;
use crate::http::auth::Caller;

/// The header by which the script asks for the live part of a page only.
pub const PART: HeaderName = HeaderName::from_static("console-part");

/// A request to a page.
pub struct Visit {
    pub person: Arc<Person>,
    console: Arc<Console>,
    /// Below [`PATH`], such as `callbacks/cb_...`.
    path: String,
    query: Vec<(String, String)>,
    is_part: bool,
    reveals: bool,
}

impl FromRequestParts<Arc<Console>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Infallible> {
        let person = parts.extensions.get::<Person>().cloned().map(Arc::new);
        let person = person.expect("the layer of sign-in is around every page");
        let path = parts.uri.path().strip_prefix(PATH).unwrap_or_default().to_owned();
        let query =
            form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let is_part = parts.headers.contains_key(PART);
        Ok(Self { person, console: Arc::clone(console), path, query, is_part, reveals: false })
    }
}

impl Visit {
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.console.app
    }

    /// The daemon's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.console.app.clock.now()
    }

    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.person.may(scope)
    }

    /// The way from this page to the console's first page, such as `../`.
    #[must_use]
    pub fn root(&self) -> String {
        match self.path.matches('/').count() {
            0 => "./".to_owned(),
            depth => "../".repeat(depth),
        }
    }

    /// Below the console's first page.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A parameter of the address, if it is there and not empty.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All parameters of the address.
    #[must_use]
    pub fn pairs(&self) -> &[(String, String)] {
        &self.query
    }

    /// The API without a listener, and the person as its caller.
    pub(super) fn api(&self) -> (Router, Caller) {
        (self.console.api.clone(), super::person::caller(&self.person, self.reveals))
    }

    /// The query with one parameter changed or, with `None`, left out: for links to the next page or another filter.
    #[must_use]
    pub fn query_with(&self, name: &str, value: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (given, kept) in
            self.query.iter().filter(|(given, kept)| given != name && given != "done" && !kept.is_empty())
        {
            query.append_pair(given, kept);
        }
        if let Some(value) = value {
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// The given parameters of the address, as a query for the API.
    #[must_use]
    pub fn query_of(&self, names: &[&str]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in names {
            if let Some(value) = self.query(name) {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    /// Shows complete numbers from here on, if the person may see them: the API records it. Never in a live part, which is
    /// rendered once for several people.
    #[must_use]
    pub fn revealing(mut self) -> Self {
        self.reveals = !self.is_part && self.person.may(Scope::Reveal);
        self
    }

    #[must_use]
    pub const fn reveals(&self) -> bool {
        self.reveals
    }

    /// Whether the page is rendered for the stream, where no form carries a person's token: the script adds it.
    #[must_use]
    pub const fn is_part(&self) -> bool {
        self.is_part
    }

    /// Asks the API with GET.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], None).await
    }

    /// Sends JSON to the API with POST.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    /// Sends any request to the API, with further headers.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, String)],
        body: Option<&Value>,
    ) -> Answer {
        let caller = super::person::caller(&self.person, self.reveals);
        let mut headers = headers.to_vec();
        if self.reveals {
            headers.push((HeaderName::from_static("x-reveal"), "yes".to_owned()));
        }
        ask(&self.console.api, caller, method, path, &headers, body).await
    }

    /// Sends a request with a body of any form, such as a part of an import, and returns the bytes of the answer.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn send(&self, mut request: Request<Body>) -> Result<Vec<u8>, Refused> {
        request.extensions_mut().insert(super::person::caller(&self.person, self.reveals));
        raw(&self.console.api, request).await
    }

    /// The hidden field by which a form proves that it is ours.
    #[must_use]
    pub fn csrf(&self) -> Markup {
        let token = if self.is_part { "" } else { &self.person.csrf };
        html! { input type="hidden" name="csrf" value=(token); }
    }

    /// The finished page.
    #[must_use]
    pub fn page(&self, page: Page) -> Response {
        layout::answer(self, StatusCode::OK, page)
    }

    /// The same after a form was refused.
    #[must_use]
    pub fn page_refused(&self, refused: &Refused, page: Page) -> Response {
        layout::answer(self, refused.status, page.with_problem(refused))
    }

    /// A page that only says what was refused.
    #[must_use]
    pub fn refused(&self, refused: &Refused) -> Response {
        let page = Page::new(&refused.title).with_problem(refused);
        layout::answer(self, refused.status, page)
    }

    /// Goes to a page of the console, whose path is below its first page. `done` is one of [`words::done`](super::words::done).
    #[must_use]
    pub fn go(&self, path: &str, done: &str) -> Response {
        let mark = if path.contains('?') { '&' } else { '?' };
        layout::see_other(&format!("{}{path}{mark}done={done}", self.root()))
    }
}
