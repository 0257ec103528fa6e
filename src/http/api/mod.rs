//! The customers' API, `/v1`: a folder for each noun, a file for each verb.

mod agents;
mod attempt_commands;
mod attempts;
mod audit;
mod body;
mod bulk;
mod calendars;
mod callbacks;
mod campaigns;
mod clock;
mod commands;
mod consumers;
mod dispositions;
mod erasures;
mod events;
mod imports;
mod inbox;
mod invites;
mod ledgers;
mod limits;
mod lineage;
pub(super) mod mask;
mod messages;
mod nodes;
mod offers;
mod order_names;
mod pauses;
mod people;
mod permissions;
mod pools;
mod query;
mod recordings;
mod reports;
mod resolution;
pub mod routes;
mod senders;
mod set_aside;
mod small_body;
mod status;
mod suppression;
mod tokens;
mod views;
mod webhooks;

pub(super) use body::json;
pub use callbacks::bulk_memory::BulkMemory;
pub use campaigns::forecast_told;
pub use events::places::EventPlaces;
pub(super) use nodes::lead;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{App, auth, error};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Ringmaster",
        description = "Calls people back on WhatsApp: at most once per attempt, within WhatsApp's rules, \
                       and always able to say why a callback waits.",
        version = "1",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    // Relative, so that it is valid if the public URL has a path.
    servers((url = ".", description = "The server of this description")),
    security(("token" = [])),
    components(schemas(error::Written<'static>))
)]
struct Description;

/// Everything below `/v1`; each request needs a token.
pub(super) fn router(app: &Arc<App>) -> Router {
    let (router, _) = &*DOORS;
    router.clone().route_layer(from_fn_with_state(Arc::clone(app), auth::guard)).with_state(Arc::clone(app))
}

/// The OpenAPI description, generated from the handlers.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut api = DOORS.1.clone();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("rm_...").build();
    let components = api.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    name_scopes(&mut api);
    api
}

/// Adds the needed scope to each operation.
fn name_scopes(api: &mut utoipa::openapi::OpenApi) {
    for (method, path, scopes) in routes::ROUTES {
        let Some(item) = api.paths.paths.get_mut(*path) else { continue };
        let operation = match *method {
            "GET" => item.get.as_mut(),
            "DELETE" => item.delete.as_mut(),
            "PUT" => item.put.as_mut(),
            _ => item.post.as_mut(),
        };
        if let Some(operation) = operation {
            let one_of = scopes.iter().map(|scope| SecurityRequirement::new("token", [scope.as_str()]));
            operation.security = Some(one_of.collect());
        }
    }
}

/// Generated once per process, because it is the slowest step of a start.
static DOORS: LazyLock<(Router<Arc<App>>, utoipa::openapi::OpenApi)> =
    LazyLock::new(|| doors().split_for_parts());

fn doors() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(callbacks::create::create, callbacks::list::list))
        .routes(routes!(callbacks::create_many::create_many))
        .routes(routes!(bulk::make, bulk::list))
        .routes(routes!(bulk::show))
        .routes(routes!(bulk::confirm))
        .routes(routes!(bulk::stop))
        .routes(routes!(imports::rows::order))
        .routes(routes!(imports::check::check))
        .routes(routes!(imports::create::create, imports::list::list))
        .routes(routes!(imports::show::show, imports::remove::remove))
        .routes(routes!(imports::part::put))
        .routes(routes!(imports::complete::complete))
        .routes(routes!(imports::refused::refused))
        .routes(routes!(callbacks::list::search))
        .routes(routes!(callbacks::show::show))
        .routes(routes!(callbacks::cancel::cancel))
        .routes(routes!(callbacks::reschedule::reschedule))
        .routes(routes!(callbacks::explain::explain))
        .routes(routes!(callbacks::timeline::timeline))
        .routes(routes!(callbacks::deliveries::deliveries))
        .routes(routes!(callbacks::allow_attempt::allow_attempt))
        .routes(routes!(callbacks::not_today::not_today))
        .routes(routes!(callbacks::wrap_up::wrap_up))
        .routes(routes!(dispositions::list))
        .routes(routes!(callbacks::link::link, callbacks::link::link_to))
        .routes(routes!(offers::list::list))
        .routes(routes!(offers::answer::accept))
        .routes(routes!(offers::answer::skip))
        .routes(routes!(offers::answer::close))
        .routes(routes!(invites::create::create, invites::list::list))
        .routes(routes!(invites::create_many::create_many))
        .routes(routes!(invites::list::search))
        .routes(routes!(invites::show::show))
        .routes(routes!(invites::cancel::cancel))
        .routes(routes!(invites::reschedule::reschedule))
        .routes(routes!(invites::explain::explain))
        .routes(routes!(invites::timeline::timeline))
        .routes(routes!(invites::link::link, invites::link::link_to))
        .routes(routes!(invites::replay::replay))
        .routes(routes!(campaigns::create::create, campaigns::list::list))
        .routes(routes!(campaigns::show::show))
        .routes(routes!(campaigns::forecast::forecast))
        .routes(routes!(campaigns::act::change))
        .routes(routes!(campaigns::follow_up::follow_up))
        .routes(routes!(campaigns::act::ready))
        .routes(routes!(campaigns::act::launch))
        .routes(routes!(campaigns::act::pause))
        .routes(routes!(campaigns::act::resume))
        .routes(routes!(campaigns::act::drain))
        .routes(routes!(campaigns::act::cancel))
        .routes(routes!(clock::confirm))
        .routes(routes!(events::events))
        .routes(routes!(commands::show))
        .routes(routes!(attempts::list))
        .routes(routes!(attempts::resolve))
        .routes(routes!(attempt_commands::end))
        .routes(routes!(attempt_commands::ask_again))
        .routes(routes!(attempt_commands::hold))
        .routes(routes!(attempt_commands::release))
        .routes(routes!(inbox::unmatched))
        .routes(routes!(messages::list))
        .routes(routes!(messages::resolve))
        .routes(routes!(set_aside::list))
        .routes(routes!(set_aside::retry))
        .routes(routes!(set_aside::drop))
        .routes(routes!(pauses::set::set, pauses::list::list))
        .routes(routes!(pauses::lift::lift))
        .routes(routes!(nodes::list))
        .routes(routes!(nodes::resign))
        .routes(routes!(pools::read::list))
        .routes(routes!(pools::set::set, pools::read::show, pools::remove::remove))
        .routes(routes!(suppression::add::add))
        .routes(routes!(suppression::check::check))
        .routes(routes!(suppression::remove::remove))
        .routes(routes!(suppression::lists::make, suppression::lists::list))
        .routes(routes!(suppression::lists::complete))
        .routes(routes!(suppression::registers::list))
        .routes(routes!(suppression::registers::numbers))
        .routes(routes!(consumers::erase::erase))
        .routes(routes!(consumers::export::export))
        .routes(routes!(consumers::zone::set))
        .routes(routes!(erasures::show::show))
        .routes(routes!(ledgers::list::list))
        .routes(routes!(ledgers::callable::callable))
        .routes(routes!(permissions::show))
        .routes(routes!(permissions::grant))
        .routes(routes!(permissions::revoke))
        .routes(routes!(callbacks::replay::replay))
        .routes(routes!(calendars::list::list))
        .routes(routes!(calendars::show::show))
        .routes(routes!(calendars::mark::mark))
        .routes(routes!(calendars::simulate::simulate))
        .routes(routes!(limits::limits))
        .routes(routes!(lineage::show))
        .routes(routes!(lineage::release))
        .routes(routes!(reports::list::list))
        .routes(routes!(reports::show::show))
        .routes(routes!(senders::senders))
        .routes(routes!(status::status))
        .routes(routes!(people::add, people::list))
        .routes(routes!(people::show, people::remove))
        .routes(routes!(people::change))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(tokens::list))
        .routes(routes!(webhooks::webhooks))
        .routes(routes!(webhooks::enable))
}
