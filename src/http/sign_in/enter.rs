//! Signing in with a password, and signing out.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::Timestamp;

use super::browser::AtBrowser;
use super::cookie::Cookie;
use super::guard::{led_to, redirect};
use super::identify::{Asked, hash_of, identify};
use super::origin::{address, client, is_our_page};
use super::{SignedIn, oidc, own_password, page};
use crate::domain::{Way, is_name_of_person};
use crate::http::audit::random;
use crate::http::auth::new_token;
use crate::http::{ApiError, App};
use crate::store::{AuditEntry, AuditOutcome, Member, Session};

/// Where the console is.
pub(super) const CONSOLE: &str = "/console/";
pub(super) const SIGN_IN: &str = "/console/sign-in";
/// The largest form of a sign-in, in bytes.
const FORM_MAX: usize = 8 << 10;
const WRONG: &str = "The name or the password is wrong.";

pub(super) fn router(app: &Arc<App>) -> Router {
    let signed_in = Router::new()
        .route("/console/sign-out", post(leave))
        .route("/console/password", get(own_password::show).post(own_password::change))
        .with_state(Arc::clone(app));
    Router::new()
        .route(SIGN_IN, get(show).post(enter))
        .route("/console/sign-in/oidc", get(oidc::begin))
        .route("/console/sign-in/oidc/back", get(oidc::back))
        .with_state(Arc::clone(app))
        .merge(super::guarded(app, signed_in))
        .layer(from_fn_with_state((), no_store))
}

/// Nothing of it is kept by a browser or a proxy, and what is refused is a page for somebody at a browser.
async fn no_store(State(()): State<()>, request: Request, next: axum::middleware::Next) -> Response {
    let at_browser = AtBrowser::of(&request);
    let mut response = at_browser.shown(next.run(request).await);
    let value = HeaderValue::from_static("no-store");
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, value);
    response
}

/// The parameter of a query or form.
pub(super) fn parameter(encoded: &[u8], wanted: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(encoded).filter(|(name, _)| name == wanted);
    let value = found.next().map(|(_, value)| value.into_owned())?;
    found.next().is_none().then_some(value)
}

async fn show(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    if !app.sign_in.is_configured() {
        return Ok(match identify(&app, Asked::of(&request)).await? {
            Some(_) => redirect(&led_to(None)),
            None => page::only_here(""),
        });
    }
    let next = parameter(request.uri().query().unwrap_or("").as_bytes(), "next");
    Ok(page::sign_in(&app.sign_in, StatusCode::OK, None, "", next.as_deref()))
}

async fn enter(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let sign_in = &*app.sign_in;
    if !sign_in.settings.password {
        return Err(ApiError::new("request.not_found", "people do not sign in with a password here"));
    }
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<crate::http::peers::Peer>().map(|peer| peer.0);
    if !is_our_page(peer, &sign_in.settings.trusted_proxies, &parts.headers, false) {
        let detail =
            "sign in on our own page: the browser says that the form is of another site, or does not say";
        return Err(ApiError::new("auth.csrf", detail));
    }
    let too_large = |_| ApiError::new("body.too_large", "the form may have at most 8 KiB");
    let form: Bytes = axum::body::to_bytes(body, FORM_MAX).await.map_err(too_large)?;
    let field = |name| parameter(&form, name).unwrap_or_default();
    let (name, next) = (field("name").trim().to_lowercase(), field("next"));
    let from = address(&app, &parts.extensions, &parts.headers);
    sign_in.tries.take(&name, client(&app, &parts.extensions, &parts.headers))?;
    let member = if is_name_of_person(&name) { app.store.member(&name).await? } else { None };
    let hash = member.as_ref().and_then(|member| member.password.clone());
    let is_right = sign_in.verify(field("password"), hash).await?;
    let Some(member) = member.filter(|_| is_right) else {
        // What was given as a name may be a password that was typed into the wrong field.
        let told = if is_name_of_person(&name) { name.as_str() } else { "-" };
        let mut entry = AuditEntry::new(app.clock.now(), format!("person/{told}"), Way::Password, "sign_in");
        (entry.from, entry.outcome) = (from, AuditOutcome::Failed);
        app.store.append_audit(entry).await?;
        return Ok(page::sign_in(sign_in, StatusCode::UNAUTHORIZED, Some(WRONG), &name, Some(&next)));
    };
    let request = Request::from_parts(parts, axum::body::Body::empty());
    let asked = Asked::of(&request);
    let cookie = begin(&app, asked, member, Way::Password, from).await?;
    let mut response = redirect(&led_to(Some(&next)));
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// Begins a session with a new token, whatever the request had before (session fixation), and returns its cookie.
pub(super) async fn begin(
    app: &App,
    asked: Asked<'_>,
    member: Member,
    way: Way,
    from: Option<std::net::IpAddr>,
) -> Result<HeaderValue, ApiError> {
    let (token, hash) = new_token(random()?);
    let now = app.clock.now();
    let longest = app.sign_in.settings.longest;
    let session = Session {
        hash,
        name: member.name.clone(),
        way,
        created_at: now,
        last_used_at: now,
        ends_at: now.checked_add(longest).unwrap_or(Timestamp::MAX),
    };
    let mut entry = AuditEntry::new(now, format!("person/{}", member.name), way, "sign_in");
    (entry.tenant, entry.from) = (member.tenant, from);
    let instead = asked.session_token().map(hash_of);
    if !app.store.begin_session(session, instead, entry).await? {
        return Err(ApiError::new("auth.missing", "the person was removed"));
    }
    Ok(Cookie::Session.set(&token, asked.is_secure(), longest.as_secs()))
}

async fn leave(
    State(app): State<Arc<App>>,
    person: SignedIn,
    request: Request,
) -> Result<Response, ApiError> {
    let from = address(&app, request.extensions(), request.headers());
    if let Some(hash) = person.session {
        let mut entry = AuditEntry::new(app.clock.now(), person.recorded_name(), person.how, "sign_out");
        (entry.tenant, entry.from) = (person.tenant, from);
        app.store.end_session(hash, entry).await?;
    }
    let mut response = redirect("sign-in").into_response();
    let cookie = Cookie::Session.clear(Asked::of(&request).is_secure());
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}
