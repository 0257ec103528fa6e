//! The pages of the console, a file or folder for each. A handler asks the API; a function beside it turns the answers
//! into markup and is tested with data.

mod agents;
mod bulk;
mod calendars;
mod callback;
mod callback_forms;
mod callbacks;
mod calls;
mod campaign;
mod campaign_acts;
mod campaigns;
mod findings;
mod forecast;
mod import;
mod import_report;
mod limits;
mod now;
mod now_of_part;
mod permissions;
mod pools;
mod preflight;
mod reports;
mod senders;
mod shown;
mod staff;
mod suppression;
mod system;
pub mod table;
mod unknown;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use super::Console;
use super::ask::Refused;
use super::visit::Visit;

pub(super) fn router() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/", get(now::now))
        .route("/console/{*unknown}", get(no_such_page))
        .merge(callback_routes())
        .route("/console/bulk", get(bulk::all).post(bulk::make))
        .route("/console/bulk/{id}", get(bulk::one))
        .route("/console/bulk/{id}/confirm", post(bulk::confirm))
        .route("/console/bulk/{id}/stop", post(bulk::stop))
        .merge(table::router())
        .route("/console/calls", get(calls::calls))
        .route("/console/calls/{id}/end", post(calls::end))
        .route("/console/unknown", get(unknown::unknown))
        .route("/console/unknown/{id}/resolve", post(unknown::resolve))
        .route("/console/unknown/{id}/ask-again", post(unknown::ask_again))
        .route("/console/unknown/{id}/hold", post(unknown::hold))
        .route("/console/unknown/{id}/release", post(unknown::release))
}

fn callback_routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/callbacks", get(callbacks::callbacks))
        .route("/console/callbacks/search", post(callbacks::search))
        .route("/console/callbacks/{id}", get(callback::callback))
        .route("/console/callbacks/{id}/revealed", post(callback::revealed))
        .route("/console/callbacks/{id}/cancel", post(callback::cancel))
        .route("/console/callbacks/{id}/reschedule", post(callback::reschedule))
        .route("/console/callbacks/{id}/allow-attempt", post(callback::allow_attempt))
        .route("/console/callbacks/{id}/not-today", post(callback::not_today))
        .route("/console/callbacks/{id}/wrap-up", post(callback::wrap_up))
        .route("/console/callbacks/{id}/replay", post(callback::replay))
}

async fn no_such_page(visit: Visit) -> Response {
    visit.refused(&Refused::new(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "The navigation leads to all pages.",
    ))
}
