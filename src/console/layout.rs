//! The frame of every page: navigation, what was done, what went wrong, and the headers.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::ask::Refused;
use super::assets;
use super::person::{Person, may_ask};
use super::visit::Visit;
use super::words;
use crate::domain::Way;

/// Pages load their own two files, and send forms to themselves. Nothing is inline, nothing comes from elsewhere, and
/// nothing can frame them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A page in the navigation.
pub struct Place {
    /// Below the console's first page.
    pub path: &'static str,
    pub title: &'static str,
    /// What it reads of the API. Whoever may read one of them sees the page.
    pub reads: &'static [&'static str],
}

/// The navigation, in its order.
pub const PLACES: &[Place] = &[
    Place { path: "", title: "Now", reads: &["/v1/reports"] },
    Place { path: "callbacks", title: "Callbacks", reads: &["/v1/callbacks"] },
    Place { path: "calls", title: "Calls", reads: &["/v1/attempts"] },
    Place { path: "unknown", title: "Unknown", reads: &["/v1/attempts"] },
    Place { path: "permissions", title: "Permissions", reads: &["/v1/permissions"] },
    Place { path: "campaigns", title: "Campaigns", reads: &["/v1/campaigns"] },
    Place { path: "agents", title: "Agents", reads: &["/v1/offers"] },
    Place { path: "senders", title: "Senders and pools", reads: &["/v1/senders"] },
    Place { path: "suppression", title: "Suppression", reads: &["/v1/suppression/lists"] },
    Place { path: "calendars", title: "Calendars", reads: &["/v1/calendars"] },
    Place { path: "reports", title: "Reports", reads: &["/v1/reports"] },
    Place { path: "system", title: "System", reads: &["/v1/status", "/v1/people"] },
];

impl Place {
    fn is_for(&self, person: &Person) -> bool {
        self.reads.iter().any(|route| may_ask(person, &Method::GET, route))
    }
}

/// The first page of somebody who does not see the whole floor; `None` for who does.
pub(super) fn first_page(person: &Person) -> Option<&'static str> {
    let first = PLACES.iter().find(|place| place.is_for(person))?;
    (!first.path.is_empty()).then_some(first.path)
}

/// What a page shows within the frame.
pub struct Page {
    title: String,
    /// Before the live part.
    head: Markup,
    /// What changes while one looks. It carries no person's token and no input that somebody may be typing in.
    live: Option<Markup>,
    /// After the live part.
    rest: Markup,
    problem: Option<Markup>,
}

impl Page {
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), head: html! {}, live: None, rest: html! {}, problem: None }
    }

    #[must_use]
    pub fn head(mut self, head: Markup) -> Self {
        self.head = head;
        self
    }

    #[must_use]
    pub fn live(mut self, live: Markup) -> Self {
        self.live = Some(live);
        self
    }

    #[must_use]
    pub fn rest(mut self, rest: Markup) -> Self {
        self.rest = rest;
        self
    }

    #[must_use]
    pub(super) fn with_problem(mut self, refused: &Refused) -> Self {
        self.problem = Some(problem(refused));
        self
    }
}

/// What went wrong. A failed read is shown as this, and not as an empty list.
#[must_use]
pub fn problem(refused: &Refused) -> Markup {
    html! {
        div.problem role="alert" {
            strong { (refused.title) }
            p { (refused.detail) }
            @if !refused.errors.is_empty() {
                ul { @for (field, detail) in &refused.errors { li { @if !field.is_empty() { b { (field) } ": " } (detail) } } }
            }
        }
    }
}

/// The answer with a page; for the script only its live part.
pub(super) fn answer(visit: &Visit, status: StatusCode, page: Page) -> Response {
    if visit.is_part() {
        let part = match (&page.problem, &page.live) {
            (Some(problem), _) => problem.clone(),
            (None, Some(live)) => live.clone(),
            (None, None) => html! {},
        };
        return written(status, &part);
    }
    written(status, &framed(visit, &page))
}

fn framed(visit: &Visit, page: &Page) -> Markup {
    let root = visit.root();
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&page.title, &root, Some(&visit.person.csrf)))
            body {
                a.skip href="#main" { "Skip to the page" }
                header.top {
                    a.name href=(root) { "Ringmaster" }
                    (navigation(visit, &root))
                    (person(visit, &root))
                }
                main #main tabindex="-1" {
                    h1 { (page.title) }
                    @if let Some(done) = visit.query("done").and_then(words::done) { p.done role="status" { (done) } }
                    @if let Some(problem) = &page.problem { (problem) }
                    (page.head)
                    @if let Some(live) = &page.live {
                        p #stale hidden role="status" { "The connection is lost. What you see is old." }
                        section #live data-live=(words::live_address(visit.path(), &visit.query_with("done", None))) { (live) }
                    }
                    (page.rest)
                }
            }
        }
    }
}

/// Who is signed in, and the way out if there is a session.
fn person(visit: &Visit, root: &str) -> Markup {
    html! {
        div.person {
            (visit.person.name) " " span.role { (visit.person.role.to_string()) }
            @if visit.person.session.is_some() && visit.person.how == Way::Password {
                " " a href={ (root) "password" } { "Password" }
            }
            @if visit.person.session.is_some() {
                " " form.inline method="post" action={ (root) "sign-out" } {
                    (visit.csrf())
                    button.quiet type="submit" { "Sign out" }
                }
            }
        }
    }
}

fn head(title: &str, root: &str, csrf: Option<&str>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="root" content=(root);
            @if let Some(csrf) = csrf { meta name="csrf" content=(csrf); }
            title { (title) " · Ringmaster" }
            link rel="icon" href={ (root) (assets::ICON.path()) };
            link rel="stylesheet" href={ (root) (assets::STYLE.path()) };
            script src={ (root) (assets::SCRIPT.path()) } defer {}
        }
    }
}

fn navigation(visit: &Visit, root: &str) -> Markup {
    let here = visit.path().split('/').next().unwrap_or_default();
    let seen = PLACES.iter().filter(|place| place.is_for(&visit.person));
    html! {
        nav aria-label="Pages" {
            ul { @for place in seen {
                li { a href={ (root) (place.path) } aria-current=[(place.path == here).then_some("page")] { (place.title) } }
            } }
        }
    }
}

fn written(status: StatusCode, markup: &Markup) -> Response {
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], Body::from(markup.0.clone())).into_response()
}

/// Goes to another page with GET, so that a reload does not repeat the form.
pub(super) fn see_other(address: &str) -> Response {
    let address = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("./"));
    (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response()
}

/// The headers of every answer of the console.
pub(super) async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(CACHE_CONTROL, "no-store");
    set(REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("x-frame-options"), "DENY");
    response
}
