//! Who looks at the console: the person that the sign-in found.

use axum::http::Method;

use crate::domain::{Scope, Tenant};
use crate::http::api::routes;
use crate::http::auth::Caller;
pub use crate::http::sign_in::SignedIn as Person;

/// Whether the person may do one of them.
fn may_any(person: &Person, scopes: &[Scope]) -> bool {
    scopes.iter().any(|scope| person.may(*scope))
}

/// Whether the API lets the person send a request to this route, such as `/v1/campaigns/{id}/pause`.
pub(super) fn may_ask(person: &Person, method: &Method, route: &str) -> bool {
    routes::scope_of(method, route).is_some_and(|needed| may_any(person, needed))
        && (person.tenant == Tenant::default() || !routes::is_of_all_tenants(method, route))
        && (person.bounds.is_all() || routes::keeps_bounds(method, route))
}

/// The person as a caller of the API. Numbers stay masked unless `reveals`.
pub(super) fn caller(person: &Person, reveals: bool) -> Caller {
    let caller = person.caller();
    if reveals { caller } else { caller.masked() }
}

/// What of the person decides how a page looks. People with the same rights share live parts; who sees only what is their
/// own shares nothing.
pub(super) fn rights(person: &Person) -> String {
    let own = if person.may(Scope::Own) && !person.may(Scope::Read) { &*person.name } else { "" };
    format!("{}|{}|{:?}|{own}", person.tenant, person.scopes, person.bounds)
}
