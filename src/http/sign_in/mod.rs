//! People who sign in: who a request comes from, the page where they sign in, and what protects their sessions.
//!
//! A person has a role, which is a named set of the scopes of tokens, so that every check of a token holds for a person.
//! Read in this order: `person` for what a handler gets, `identify` for where it comes from, `guard` for the layer of the
//! pages, `origin` for what other sites cannot do, `enter` for the page and its handlers.

mod browser;
mod cookie;
mod enter;
mod guard;
mod identify;
mod oidc;
mod origin;
mod own_password;
mod page;
mod password;
mod person;
mod settings;
mod tries;

pub use oidc::{Claimed, Oidc, OidcSettings, RoleOfClaim};
pub use password::{PASSWORD_MAX, PASSWORD_MIN, hash_password, is_fit};
pub use person::SignedIn;
pub use settings::{SignIn, SignInSettings};

pub use guard::guarded;
pub(super) use identify::{Asked, identify};
pub(super) use origin::{address, check_write};

use std::sync::Arc;

use axum::Router;

use super::App;

/// The page where people sign in, and the way out. The pages of the console are behind [`guarded`].
pub(super) fn router(app: &Arc<App>) -> Router {
    enter::router(app)
}
