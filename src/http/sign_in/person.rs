//! The person that a request comes from.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;

use crate::domain::{Bounds, Role, Scope, Scopes, Tenant, Way};
use crate::http::ApiError;
use crate::http::auth::Caller;
use crate::store::Member;

/// The person that a request comes from. Handlers of pages take it as an argument; only the layers make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub name: Arc<str>,
    pub role: Role,
    pub scopes: Scopes,
    /// The person sees the callbacks of this tenant only.
    pub tenant: Tenant,
    /// The campaigns, senders and pools that the person sees.
    pub bounds: Bounds,
    /// What a form has in its field `csrf`, or a script in the header `X-CSRF-Token`.
    pub csrf: Arc<str>,
    pub how: Way,
    /// The hash of the session's token, if there is a session.
    pub session: Option<[u8; 32]>,
    /// The address of the person's browser, for the audit log.
    pub from: Option<IpAddr>,
}

impl SignedIn {
    pub(super) fn of(member: Member, how: Way, csrf: String, session: Option<[u8; 32]>) -> Self {
        Self {
            name: member.name.into(),
            role: member.role,
            scopes: member.role.scopes(),
            tenant: member.tenant,
            bounds: member.bounds,
            csrf: csrf.into(),
            how,
            session,
            from: None,
        }
    }

    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }

    /// The same person for the handlers of the API.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller::of_person(self.clone())
    }

    /// The name in timelines and in the audit log: `person/` and the name.
    #[must_use]
    pub fn recorded_name(&self) -> String {
        format!("person/{}", self.name)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| ApiError::new("auth.missing", "nobody is signed in"))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
