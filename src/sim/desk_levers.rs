//! The routes of the sandbox for teams of agents: who is there, and the URL at which a pool of the daemon reads it. They
//! are not Twilio's.

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::Value;

use super::server::{Done, Sandbox, done};
use super::world::Desk;

pub(super) fn routes() -> Router<Sandbox> {
    Router::new().route("/sandbox/pools/{name}", get(figure).post(set))
}

/// Sets who is in a team, by the name of its pool or the SID of its task queue. States that are left out have nobody.
async fn set(State(sandbox): State<Sandbox>, Path(name): Path<String>, Json(desk): Json<Desk>) -> Done {
    sandbox.with(|world, _| world.set_desk(&name, desk));
    done(true)
}

/// The figure of a pool, in the form in which the daemon reads it.
async fn figure(
    State(sandbox): State<Sandbox>,
    Path(name): Path<String>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let figure = sandbox.with(|world, now| world.figure_of_pool(now, &name));
    figure.map(Json).ok_or_else(|| (StatusCode::NOT_FOUND, "there is no such team\n".to_owned()))
}
