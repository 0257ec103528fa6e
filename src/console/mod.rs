//! The console: pages for people, under `/console/`.
//!
//! A page asks the customers' API within the process, with the rights of the person who looks, and turns the answers
//! into markup. So every check of the API holds, and no number is computed twice. Pages act by the API's own routes.
//! The console has no rules, no state of callbacks and no SQL.
//!
//! Reading order: [`person`] is who looks, [`ask`] the way to the API, [`visit`] one request with both, [`layout`] the
//! frame of every page, [`parts`] what pages consist of, [`pages`] the pages.

pub mod act_forms;
pub mod acts;
pub mod ask;
pub mod asking;
pub mod assets;
pub mod blocks;
mod budget;
pub mod charts;
pub mod fields;
pub mod form;
pub mod labels;
pub mod layout;
pub mod live;
pub mod numbers;
pub mod page_of;
pub mod pages;
pub mod parts;
pub mod person;
pub mod table_of_report;
pub mod times;
pub mod visit;
pub mod words;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::http::{self, App};

use live::Live;

/// Where the console is.
pub const PATH: &str = "/console/";

/// What all pages share.
pub struct Console {
    pub(crate) app: Arc<App>,
    /// The API, without a listener.
    api: Router,
}

/// The routes of the console.
pub fn router(app: &Arc<App>) -> Router {
    let console = Arc::new(Console { app: Arc::clone(app), api: http::within(app) });
    let pages = pages::router().with_state(console);
    // The stream asks the pages for their live parts, with the person already known.
    let live = Arc::new(Live::new(Arc::clone(app), pages.clone()));
    let stream = Router::new().route("/console/live", get(live::stream)).with_state(live);
    let signed_in =
        http::signed_in(app, pages.merge(stream)).layer(axum::middleware::map_response(layout::guarded));
    signed_in.merge(assets::router()).route("/console", get(to_console))
}

/// The pages for a person who is signed in elsewhere, without the sign-in around them.
pub fn pages_for(app: &Arc<App>, person: person::Person) -> Router {
    let console = Arc::new(Console { app: Arc::clone(app), api: http::within(app) });
    pages::router()
        .with_state(console)
        .layer(axum::Extension(person))
        .layer(axum::middleware::map_response(layout::guarded))
}

async fn to_console() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "console/")]).into_response()
}
