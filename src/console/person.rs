//! Who looks at the console, and what they may do.
//!
//! Without any sign-in the console answers only on this machine: to a loopback peer, for a loopback `Host`, and without
//! headers of a proxy. So neither another machine nor a page that was rebound to this address can use it.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::layout;
use crate::domain::{Phone, Scope, Scopes, Tenant};
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::peers::Peer;
use crate::store::Token;

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub role: String,
    pub scopes: Scopes,
    pub tenant: Tenant,
    /// The senders that the person is bound to; empty allows all.
    pub senders: Vec<Phone>,
    /// What every form of this person carries.
    pub csrf: String,
}

impl Person {
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }

    /// Whether it may do one of them.
    #[must_use]
    pub fn may_any(&self, scopes: &[Scope]) -> bool {
        scopes.iter().any(|scope| self.may(*scope))
    }

    /// The person as a caller of the API. Numbers stay masked unless `reveals`.
    pub(super) fn caller(&self, app: &App, reveals: bool) -> Caller {
        let hash = Sha256::digest(format!("person/{}/{}", self.tenant, self.name)).into();
        let mut token = Token::new(self.name.clone(), hash, app.clock.now());
        token.tenant = self.tenant.clone();
        token.scopes = self.scopes.iter().filter(|scope| reveals || *scope != Scope::Reveal).collect();
        token.senders.clone_from(&self.senders);
        Caller::signed_in(token)
    }

    /// What of the person decides how a page looks. People with the same rights share live parts.
    pub(super) fn rights(&self) -> String {
        let senders: Vec<String> = self.senders.iter().map(|sender| sender.e164()).collect();
        format!("{}|{}|{}", self.tenant, self.scopes, senders.join(","))
    }
}

/// Finds out who asks, and refuses the rest.
pub(super) async fn sign_in(State(_app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if !is_of_this_machine(&request) {
        return layout::refusal(
            axum::http::StatusCode::FORBIDDEN,
            "Nobody can sign in here yet",
            "Without a sign-in the console answers only on the daemon's own machine, at its loopback address.",
        )
        .into_response();
    }
    request.extensions_mut().insert(Arc::new(local()));
    next.run(request).await
}

/// The person at the machine itself.
fn local() -> Person {
    static CSRF: LazyLock<String> = LazyLock::new(|| format!("{:032x}", uuid::Uuid::new_v4().as_u128()));
    Person {
        name: "local".to_owned(),
        role: "admin".to_owned(),
        scopes: Scopes::usual(),
        tenant: Tenant::default(),
        senders: Vec::new(),
        csrf: CSRF.clone(),
    }
}

fn is_of_this_machine(request: &Request) -> bool {
    let peer = request.extensions().get::<Peer>().is_none_or(|peer| peer.0.is_loopback());
    let headers = request.headers();
    let is_forwarded = headers.contains_key("forwarded")
        || headers.keys().any(|name| name.as_str().starts_with("x-forwarded-"));
    peer && !is_forwarded && has_loopback_host(headers)
}

fn has_loopback_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return false };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_a_loopback_host_without_a_proxy_is_this_machine() {
        let asked = |host: &str, more: &[(&str, &str)], peer: &str| {
            let mut request = Request::builder().header(HOST, host);
            for (name, value) in more {
                request = request.header(*name, *value);
            }
            let mut request = request.body(Body::empty()).unwrap();
            request.extensions_mut().insert(Peer(peer.parse().unwrap()));
            is_of_this_machine(&request)
        };
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "127.8.8.8"] {
            assert!(asked(host, &[], "127.0.0.1"), "{host}");
        }
        for host in ["ringmaster.example", "localhost.example:8080", "192.0.2.1", "[2001:db8::1]:80", ""] {
            assert!(!asked(host, &[], "127.0.0.1"), "{host}");
        }
        assert!(!asked("localhost", &[], "192.0.2.1"));
        assert!(!asked("localhost", &[("x-forwarded-for", "127.0.0.1")], "127.0.0.1"));
        assert!(!asked("localhost", &[("forwarded", "for=127.0.0.1")], "127.0.0.1"));
    }
}
