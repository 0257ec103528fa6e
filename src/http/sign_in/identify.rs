//! Who a request comes from: the session in its cookie, the person that a trusted proxy names, or this machine.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::cookie::Cookie;
use super::origin::{from, is_loopback, is_secure, names_host};
use super::{SignIn, SignedIn};
use crate::domain::{Role, Way, is_name_of_person};
use crate::http::peers::Peer;
use crate::http::{ApiError, App};
use crate::store::Member;

/// The resolution of a session's last use: at most one write in this time.
const LAST_USE: SignedDuration = SignedDuration::from_mins(1);
/// The header of what an open page asks for by itself.
const PART: &str = "console-part";
/// The name of whoever uses the console on this machine without a sign-in.
const LOCAL: &str = "local";

/// What tells who a request comes from.
#[derive(Clone, Copy)]
pub(in crate::http) struct Asked<'a> {
    pub(super) peer: Option<IpAddr>,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
}

impl<'a> Asked<'a> {
    pub(in crate::http) fn of(request: &'a Request) -> Self {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        Self { peer, uri: request.uri(), headers: request.headers() }
    }

    pub(in crate::http) fn of_parts(request: &'a Parts) -> Self {
        let peer = request.extensions.get::<Peer>().map(|peer| peer.0);
        Self { peer, uri: &request.uri, headers: &request.headers }
    }

    pub(super) fn is_secure(&self) -> bool {
        is_secure(self.peer, self.uri, self.headers)
    }

    /// The token of the session in the cookie.
    pub(super) fn session_token(&self) -> Option<&'a str> {
        Cookie::Session.read(self.headers, self.is_secure()).filter(|token| !token.is_empty())
    }
}

/// The hash under which a session is stored.
pub(super) fn hash_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The person, if the request comes from one. Read each time, so that somebody who was removed is out at once.
pub(in crate::http) async fn identify(app: &App, asked: Asked<'_>) -> Result<Option<SignedIn>, ApiError> {
    let trusted = &app.sign_in.settings.trusted_proxies;
    let from = asked.peer.map(|peer| from(trusted, peer, asked.headers));
    Ok(person(app, asked).await?.map(|person| SignedIn { from, ..person }))
}

async fn person(app: &App, asked: Asked<'_>) -> Result<Option<SignedIn>, ApiError> {
    let sign_in = &*app.sign_in;
    if let Some(name) = proxied(sign_in, asked) {
        // A person whom the proxy names and who is not known is nobody, whatever cookie the request has.
        let member = if is_name_of_person(name) { app.store.member(name).await? } else { None };
        let csrf = sign_in.csrf(&format!("proxy/{name}"));
        return Ok(member.map(|member| SignedIn::of(member, Way::Proxy, csrf, None)));
    }
    if let Some(token) = asked.session_token()
        && let Some(person) = of_session(app, token, asked.headers.contains_key(PART)).await?
    {
        return Ok(Some(person));
    }
    Ok((!sign_in.is_configured() && is_loopback(asked.peer, asked.uri, asked.headers)).then(|| {
        let member = Member::new(LOCAL, Role::Operator, Timestamp::UNIX_EPOCH);
        SignedIn::of(member, Way::Loopback, sign_in.csrf("loopback"), None)
    }))
}

/// The name in the header, if the connection is of a trusted proxy. An empty, repeated or unreadable one names nobody.
fn proxied<'a>(sign_in: &SignIn, asked: Asked<'a>) -> Option<&'a str> {
    let name = sign_in.settings.proxy_header.as_ref()?;
    let peer = asked.peer.filter(|peer| sign_in.settings.trusted_proxies.contain(*peer))?;
    // A page of another site can make a browser on this machine send the header, if a name of its own leads here.
    if peer.to_canonical().is_loopback()
        && !names_host(asked.uri, asked.headers, &sign_in.settings.proxy_hosts)
    {
        return None;
    }
    let mut values = asked.headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return Some("");
    }
    Some(value.to_str().unwrap_or(""))
}

/// What an open page asks by itself is no use of the session, or it would never be idle.
async fn of_session(app: &App, token: &str, is_by_itself: bool) -> Result<Option<SignedIn>, ApiError> {
    let hash = hash_of(token);
    let Some((session, member)) = app.store.session(hash).await? else { return Ok(None) };
    let now = app.clock.now();
    let unused = now.duration_since(session.last_used_at);
    if session.ends_at <= now || unused >= app.sign_in.settings.idle || !app.sign_in.takes(session.way) {
        return Ok(None);
    }
    if unused >= LAST_USE
        && !is_by_itself
        && let Err(error) = app.store.session_used(hash, now).await
    {
        tracing::warn!(error = &error as &dyn std::error::Error, "the last use of a session was not stored");
    }
    Ok(Some(SignedIn::of(member, session.way, app.sign_in.csrf(token), Some(hash))))
}
