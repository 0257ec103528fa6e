//! A person changes the own password: the old one is asked for, tries are limited, and all sessions end.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::enter::{begin, parameter};
use super::guard::redirect;
use super::identify::Asked;
use super::origin::{address, client};
use super::{PASSWORD_MAX, PASSWORD_MIN, SignedIn, page};
use crate::domain::Way;
use crate::http::audit::random;
use crate::http::{ApiError, App};
use crate::store::{AuditEntry, AuditOutcome, MemberChange, MemberChanged};

/// The largest form, in bytes.
const FORM_MAX: usize = 8 << 10;
const WRONG: &str = "The old password is wrong.";
const APART: &str = "The new password was not the same both times.";
const SAME: &str = "The new password is the old one.";

/// The page, for somebody who signed in with a password.
pub(super) async fn show(person: SignedIn) -> Result<Response, ApiError> {
    by_password(&person)?;
    Ok(page::own_password(&person, StatusCode::OK, None))
}

/// Somebody whom a provider or a proxy signs in has no password here.
fn by_password(person: &SignedIn) -> Result<(), ApiError> {
    if person.how == Way::Password {
        return Ok(());
    }
    Err(ApiError::new("request.not_found", "only a person who signed in with a password has one to change"))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    person: SignedIn,
    request: Request,
) -> Result<Response, ApiError> {
    by_password(&person)?;
    let (parts, body) = request.into_parts();
    let too_large = |_| ApiError::new("body.too_large", "the form may have at most 8 KiB");
    let form: Bytes = axum::body::to_bytes(body, FORM_MAX).await.map_err(too_large)?;
    let field = |name| parameter(&form, name).unwrap_or_default();
    let (old, new) = (field("old"), field("new"));
    let again = |status, why: &str| Ok(page::own_password(&person, status, Some(why)));
    if new != field("repeated") {
        return again(StatusCode::UNPROCESSABLE_ENTITY, APART);
    }
    if new == old {
        return again(StatusCode::UNPROCESSABLE_ENTITY, SAME);
    }
    if super::is_fit(&new).is_err() {
        let why =
            format!("A password has {PASSWORD_MIN} characters or more, and at most {PASSWORD_MAX} bytes.");
        return again(StatusCode::UNPROCESSABLE_ENTITY, &why);
    }
    // The same tries as at a sign-in: whoever sits at an open browser guesses no faster than anybody else.
    app.sign_in.tries.take(&person.name, client(&app, &parts.extensions, &parts.headers))?;
    let Some(member) = app.store.member(&person.name).await? else {
        return Err(ApiError::new("auth.missing", "the person was removed"));
    };
    let from = address(&app, &parts.extensions, &parts.headers);
    let mut entry =
        AuditEntry::new(app.clock.now(), person.recorded_name(), person.how, "person.own_password");
    (entry.tenant, entry.object, entry.from) = (person.tenant.clone(), Some(person.name.to_string()), from);
    if !app.sign_in.verify(old, member.password.clone()).await? {
        app.store.append_audit(AuditEntry { outcome: AuditOutcome::Failed, ..entry }).await?;
        return again(StatusCode::FORBIDDEN, WRONG);
    }
    let password = Some(app.sign_in.hash(new, random()?).await?);
    let change = MemberChange { password, ..MemberChange::default() };
    if app.store.change_member(&person.name, change, entry).await? != MemberChanged::Changed {
        return Err(ApiError::new("auth.missing", "the person was removed"));
    }
    // All sessions have ended. This browser goes on with a new one.
    let request = Request::from_parts(parts, axum::body::Body::empty());
    let cookie = begin(&app, Asked::of(&request), member, Way::Password, from).await?;
    let mut response = redirect("./?done=password");
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}
