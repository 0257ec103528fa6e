//! Signing in at a provider of `OpenID` Connect: the code flow with PKCE, state and nonce (`OpenID` Connect Core 1.0,
//! section 3.1; RFC 7636; RFC 9700).
//!
//! Nothing is stored for a sign-in in progress: the cookie has a random text, and state, nonce and verifier are derived from
//! it with our key.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use maud::html;
use subtle::ConstantTimeEq as _;

use super::cookie::Cookie;
use super::enter::{self, parameter};
use super::guard::{led_to, redirect};
use super::identify::{Asked, hash_of};
use super::origin::{address, client};
use super::page;
use crate::domain::{Way, is_name_of_person};
use crate::http::audit::random;
use crate::http::auth::new_token;
use crate::http::{ApiError, App};
use crate::store::{AuditEntry, AuditOutcome, Member, MemberChange, MemberChanged, OidcSubject};

mod claims;
mod provider;
mod token;

pub use claims::{Claimed, RoleOfClaim};
pub use provider::{Oidc, OidcSettings};

/// In the audit log, somebody of whom the provider told no name that can be used here.
const NAMELESS: &str = "-";
/// How long a person may take at the provider.
const AT_PROVIDER: SignedDuration = SignedDuration::from_mins(10);

/// The sign-in in progress, as its cookie has it: a random text, its end, and where it leads.
struct Progress {
    random: String,
    next: String,
}

impl Progress {
    fn text(&self, app: &App, ends_at: Timestamp) -> String {
        let next: String = self.next.bytes().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{}.{}.{next}", self.random, ends_at.as_second());
        let mac = hex(&app.sign_in.mac("oidc cookie", &text));
        format!("{text}.{mac}")
    }

    fn read(app: &App, text: &str) -> Option<Self> {
        let (signed, mac) = text.rsplit_once('.')?;
        let right = hex(&app.sign_in.mac("oidc cookie", signed));
        let is_ours = bool::from(right.as_bytes().ct_eq(mac.as_bytes()));
        let mut parts = signed.split('.');
        let (random, ends_at, next) = (parts.next()?, parts.next()?, parts.next()?);
        let in_time = ends_at.parse().is_ok_and(|at: i64| app.clock.now().as_second() < at);
        let next = next
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
        let next = String::from_utf8(next.collect::<Option<Vec<u8>>>()?).ok()?;
        (is_ours && in_time).then(|| Self { random: random.to_owned(), next })
    }

    /// A value for the provider that only we can derive from the cookie.
    fn derived(&self, app: &App, purpose: &str) -> String {
        hex(&app.sign_in.mac(purpose, &self.random))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn provider(app: &App) -> Result<&Oidc, ApiError> {
    let none = || ApiError::new("request.not_found", "no provider is configured for sign-in");
    app.sign_in.oidc.as_ref().ok_or_else(none)
}

/// To the provider.
pub(super) async fn begin(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let provider = provider(&app)?;
    app.sign_in.tries.take_of_address(client(&app, request.extensions(), request.headers()))?;
    let next = parameter(request.uri().query().unwrap_or("").as_bytes(), "next").unwrap_or_default();
    // What leads nowhere, or is too long for a cookie, leads to the first page.
    let next = if next.len() <= 200 { next } else { String::new() };
    let progress = Progress { random: new_token(random()?).0, next };
    let ends_at = app.clock.now().checked_add(AT_PROVIDER).unwrap_or(Timestamp::MAX);
    let to = provider
        .authorization(
            &progress.derived(&app, "state"),
            &progress.derived(&app, "nonce"),
            &progress.derived(&app, "verifier"),
        )
        .await?;
    let is_secure = Asked::of(&request).is_secure();
    let cookie = Cookie::Redirect.set(&progress.text(&app, ends_at), is_secure, AT_PROVIDER.as_secs());
    let mut response = redirect(&to);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// Back from the provider.
pub(super) async fn back(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let provider = provider(&app)?;
    let asked = Asked::of(&request);
    let from = address(&app, request.extensions(), request.headers());
    let query = request.uri().query().unwrap_or("").as_bytes();
    let refused = |detail: &str| ApiError::new("sign_in.refused", detail.to_owned());
    let cookie = Cookie::Redirect.read(asked.headers, asked.is_secure());
    let progress = cookie.and_then(|text| Progress::read(&app, text));
    let progress = progress.ok_or_else(|| refused("the sign-in was not begun here, or took too long"))?;
    let state = parameter(query, "state").unwrap_or_default();
    if !bool::from(state.as_bytes().ct_eq(progress.derived(&app, "state").as_bytes())) {
        return Err(refused("the answer belongs to another sign-in"));
    }
    let code = parameter(query, "code").filter(|code| code.len() <= 4096);
    let code = code.ok_or_else(|| refused("the provider gave no code"))?;
    let (verifier, nonce) = (progress.derived(&app, "verifier"), progress.derived(&app, "nonce"));
    let claimed = match provider.exchange(&code, &verifier, &nonce, app.clock.now()).await {
        Ok(claimed) => claimed,
        Err(error) => {
            let mut entry = AuditEntry::new(app.clock.now(), "person/-", Way::Oidc, "sign_in");
            (entry.from, entry.outcome) = (from, AuditOutcome::Failed);
            app.store.append_audit(entry).await?;
            return Err(error);
        }
    };
    let member = member(&app, claimed, from).await?;
    let session = enter::begin(&app, asked, member, Way::Oidc, from).await?;
    let mut response = onward(&progress.next);
    response.headers_mut().append(SET_COOKIE, session);
    response.headers_mut().append(SET_COOKIE, Cookie::Redirect.clear(asked.is_secure()));
    Ok(response)
}

/// The person whom the provider named, made or changed as its claims say.
async fn member(app: &App, claimed: Claimed, from: Option<std::net::IpAddr>) -> Result<Member, ApiError> {
    let now = app.clock.now();
    let subject = OidcSubject { issuer: claimed.issuer, subject: claimed.subject };
    let known = app.store.member_of_subject(&subject).await?;
    let told = known.as_ref().map_or_else(|| claimed.name.clone(), |member| member.name.clone());
    let entry =
        |what: &str| AuditEntry { from, ..AuditEntry::new(now, format!("person/{told}"), Way::Oidc, what) };
    let Some(RoleOfClaim { role, tenant, .. }) = claimed.role else {
        let failed = AuditEntry { outcome: AuditOutcome::Failed, ..entry("sign_in") };
        app.store.append_audit(failed).await?;
        let detail = "the provider knows the person, and none of its claims gives a role here";
        return Err(ApiError::new("sign_in.refused", detail));
    };
    let Some(member) = known else {
        let mut name = told.clone();
        if name == NAMELESS || !is_name_of_person(&name) || app.store.member(&name).await?.is_some() {
            // Another's name is not taken over.
            let mark = hex(&hash_of(&format!("{}\n{}", subject.issuer, subject.subject))[..6]);
            name = format!("oidc-{mark}");
        }
        let member = Member { tenant, subject: Some(subject), ..Member::new(name.clone(), role, now) };
        let made =
            AuditEntry { object: Some(name), after: Some(format!("role {role}")), ..entry("person.add") };
        if !app.store.add_member(member.clone(), made).await? {
            return Err(ApiError::new(
                "sign_in.refused",
                "another sign-in of the person came first; try again",
            ));
        }
        return Ok(member);
    };
    if (member.role, &member.tenant) == (role, &tenant) {
        return Ok(member);
    }
    let changed = AuditEntry {
        object: Some(member.name.clone()),
        before: Some(format!("role {}", member.role)),
        after: Some(format!("role {role}")),
        ..entry("person.change")
    };
    let change = MemberChange { role: Some(role), tenant: Some(tenant.clone()), ..MemberChange::default() };
    match app.store.change_member(&member.name, change, changed).await? {
        MemberChanged::Changed => Ok(Member { role, tenant, ..member }),
        MemberChanged::Unknown => Err(ApiError::new("sign_in.refused", "the person was removed")),
        MemberChanged::LastAdmin => {
            let detail =
                "the claims take the role admin from the last one who has it; make another admin first";
            Err(ApiError::new("sign_in.refused", detail))
        }
    }
}

/// A page that goes on by itself. A browser that is redirected from another site does not send a strict cookie; one that
/// our own page leads on does.
fn onward(next: &str) -> Response {
    let to = format!("../../{}", led_to(Some(next)));
    let body = html! {
        meta http-equiv="refresh" content={ "0;url=" (to) };
        p { a href=(to) { "Go on" } }
    };
    page::answer(StatusCode::OK, page::frame("../../", "You are signed in", &body))
}
