//! The pages of the console, a file or folder for each. A handler asks the API; a function beside it turns the answers
//! into markup and is tested with data.

mod agents;
mod calendars;
mod campaign;
mod campaign_acts;
mod campaigns;
mod findings;
mod forecast;
mod import;
mod import_report;
mod limits;
mod now;
mod permissions;
mod pools;
mod reports;
mod senders;
mod suppression;
mod system;
pub mod table;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::Console;
use super::ask::Refused;
use super::visit::Visit;

pub(super) fn router() -> Router<Arc<Console>> {
    Router::new()
        .merge(table::router())
        .route("/console/", get(now::now))
        .route("/console/{*unknown}", get(no_such_page))
}

async fn no_such_page(visit: Visit) -> Response {
    visit.refused(&Refused::new(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "The navigation leads to all pages.",
    ))
}
