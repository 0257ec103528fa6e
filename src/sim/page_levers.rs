//! The routes of the sandbox that control people at pages of Messenger. They are not Meta's.

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::server::{Done, Sandbox, missing, phone};

/// What a person does at a page.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Does {
    Writes,
    Calls,
    /// Uses the call button of the latest message.
    Taps,
    Blocks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AtPage {
    page: String,
    consumer: String,
    does: Does,
    text: Option<String>,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new().route("/sandbox/pages", post(act)).route("/sandbox/pages/{page}/people/{number}", get(psid))
}

async fn act(State(sandbox): State<Sandbox>, Json(wanted): Json<AtPage>) -> Done {
    let consumer = phone(&wanted.consumer)?;
    let page = wanted.page.as_str();
    let is_known = match wanted.does {
        Does::Writes => {
            let text = wanted.text.ok_or_else(|| missing("text"))?;
            sandbox.with(|world, now| world.consumer_writes_to_page(now, page, consumer, &text))
        }
        Does::Calls => sandbox.with(|world, now| world.consumer_calls_page(now, page, consumer)),
        Does::Taps => sandbox.with(|world, now| world.consumer_taps_at_page(now, page, consumer)),
        Does::Blocks => sandbox.with(|world, now| world.consumer_blocks_page(now, page, consumer)),
    };
    if is_known {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err((
            StatusCode::NOT_FOUND,
            "there is no such page, or no message with a call button that arrived\n".to_owned(),
        ))
    }
}

/// The id by which the page knows a consumer, which an order needs.
async fn psid(
    State(sandbox): State<Sandbox>,
    Path((page, number)): Path<(String, String)>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let consumer = phone(&number)?;
    let psid = sandbox.with(|world, _| world.psid(&page, consumer));
    let psid = psid.ok_or_else(|| (StatusCode::NOT_FOUND, "the page does not exist\n".to_owned()))?;
    Ok(Json(json!({"psid": psid})))
}
