//! Who looks at the console: the person that the sign-in found.

use crate::domain::Scope;
use crate::http::auth::Caller;
pub use crate::http::sign_in::SignedIn as Person;

/// Whether the person may do one of them.
pub(super) fn may_any(person: &Person, scopes: &[Scope]) -> bool {
    scopes.iter().any(|scope| person.may(*scope))
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
