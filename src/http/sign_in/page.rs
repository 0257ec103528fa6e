//! The page where people sign in. It needs no script, and loads the console's style only.

use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::{PASSWORD_MIN, SignIn, SignedIn};
use crate::http::ApiError;

const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// The frame of the pages without a person, in the style of the console. `root` leads to the console's first page.
#[must_use]
pub(super) fn frame(root: &str, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Ringmaster" }
                link rel="stylesheet" href={ (root) "assets/console.css" };
            }
            body {
                header.top { span.name { "Ringmaster" } }
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
pub(super) fn only_here(root: &str) -> Response {
    let body = html! {
        p { "No sign-in is configured, so the console answers on the daemon's own machine only, at its loopback \
             address and without a proxy." }
        p { "Configure " code { "[sign_in]" } " to use it from elsewhere." }
    };
    answer(StatusCode::FORBIDDEN, frame(root, "The console is not open here", &body))
}

/// Why a sign-in or a form was refused, for somebody at a browser. The headers stay those of the refusal.
pub(super) fn refused(root: &str, refused: &Response, error: &ApiError) -> Response {
    // The API speaks of tokens.
    let is_signed_out = error.code() == "auth.missing";
    let title = if is_signed_out { "You are signed out" } else { error.title() };
    let body = html! {
        div.problem role="alert" {
            p { @if is_signed_out { "What you sent was not carried out." } @else { (error.detail()) } }
        }
        p { a href={ (root) "sign-in" } { "Sign in" } " · " a href=(if root.is_empty() { "./" } else { root }) { "Open the console" } }
    };
    let mut page = answer(error.status(), frame(root, title, &body));
    if let Some(wait) = refused.headers().get(RETRY_AFTER) {
        page.headers_mut().insert(RETRY_AFTER, wait.clone());
    }
    page
}

/// The page where a person changes the own password, with what was wrong before.
pub(super) fn own_password(person: &SignedIn, status: StatusCode, wrong: Option<&str>) -> Response {
    let field = |name: &str, label: &str, complete: &str| {
        html! {
            div.field {
                label for=(name) { (label) }
                input id=(name) name=(name) type="password" autocomplete=(complete) maxlength="256" required;
            }
        }
    };
    let body = html! {
        @if let Some(wrong) = wrong { div.problem role="alert" { p { (wrong) } } }
        p { "You are signed out everywhere else." }
        form.sign-in method="post" action="password" {
            input type="hidden" name="csrf" value=(person.csrf);
            // A password manager finds the account by it.
            input type="hidden" name="name" value=(person.name) autocomplete="username";
            (field("old", "The old password", "current-password"))
            (field("new", "The new password", "new-password"))
            span.hint { (PASSWORD_MIN) " characters or more" }
            (field("repeated", "The new password again", "new-password"))
            p { button type="submit" { "Change it" } " " a href="./" { "Leave it as it is" } }
        }
    };
    answer(status, frame("", "Change your password", &body))
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
        @if let Some(wrong) = wrong { div.problem role="alert" { p { (wrong) } } }
        @if sign_in.settings.password {
            form.sign-in method="post" action="sign-in" {
                input type="hidden" name="next" value=(next);
                div.field {
                    label for="name" { "Name" }
                    input id="name" name="name" value=(name) autocomplete="username" maxlength="64" required
                        autofocus autocapitalize="none" spellcheck="false";
                }
                div.field {
                    label for="password" { "Password" }
                    input id="password" name="password" type="password" autocomplete="current-password"
                        maxlength="256" required;
                }
                p { button type="submit" { "Sign in" } }
            }
        }
        @if sign_in.oidc.is_some() {
            p { a href={ "sign-in/oidc?next=" (query) } { "Sign in with your organization's account" } }
        }
        @if !sign_in.settings.password && sign_in.oidc.is_none() {
            p { "The proxy in front of Ringmaster signs people in. It named nobody who is known here." }
        }
    };
    answer(status, frame("", "Sign in", &body))
}
