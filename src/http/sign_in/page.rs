//! The page where people sign in. It needs no script and loads nothing.

use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::SignIn;

const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// The frame of the pages without a person.
#[must_use]
pub fn frame(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Ringmaster" }
            }
            body {
                main { h1 { (title) } (body) }
            }
        }
    }
}

/// The page with its headers.
pub(super) fn answer(status: StatusCode, page: Markup) -> Response {
    let mut response = (status, page).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // The address that the sign-in leads to is no other site's business.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// Without a sign-in, for a request that did not come from this machine.
pub(super) fn only_here() -> Response {
    let body = html! {
        p { "No sign-in is configured, so the console answers on the daemon's own machine only, at its loopback \
             address and without a proxy." }
        p { "Configure " code { "[sign_in]" } " to use it from elsewhere." }
    };
    answer(StatusCode::FORBIDDEN, frame("The console is not open here", &body))
}

/// The page where people sign in, with what was wrong before.
pub(super) fn sign_in(
    sign_in: &SignIn,
    status: StatusCode,
    wrong: Option<&str>,
    name: &str,
    next: Option<&str>,
) -> Response {
    let next = next.unwrap_or("");
    let query: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let body = html! {
        @if let Some(wrong) = wrong { p role="alert" { (wrong) } }
        @if sign_in.settings.password {
            form method="post" action="sign-in" {
                input type="hidden" name="next" value=(next);
                p {
                    label for="name" { "Name" } br;
                    input id="name" name="name" value=(name) autocomplete="username" maxlength="64" required
                        autofocus autocapitalize="none" spellcheck="false";
                }
                p {
                    label for="password" { "Password" } br;
                    input id="password" name="password" type="password" autocomplete="current-password"
                        maxlength="256" required;
                }
                p { button { "Sign in" } }
            }
        }
        @if sign_in.oidc.is_some() {
            p { a href={ "sign-in/oidc?next=" (query) } { "Sign in with your organization's account" } }
        }
        @if !sign_in.settings.password && sign_in.oidc.is_none() {
            p { "The proxy in front of Ringmaster signs people in. It named nobody who is known here." }
        }
    };
    answer(status, frame("Sign in", &body))
}
