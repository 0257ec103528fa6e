//! The routes of the sandbox by which a consumer calls, writes, answers, taps and opens links. They are not Twilio's or
//! Meta's. The path says what the consumer does; a key that a route does not know is refused.

use axum::Router;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::routing::post;
use jiff::Timestamp;
use serde::Deserialize;

use super::server::{Done, Sandbox, done, known, missing, phone};
use super::world::{Answer, calling_link};
use crate::domain::Phone;

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/sandbox/call-in", post(call_in))
        .route("/sandbox/messages", post(write))
        .route("/sandbox/replies", post(reply))
        .route("/sandbox/windows", post(allow))
        .route("/sandbox/taps", post(tap))
        .route("/sandbox/links", post(open_link))
        .route("/sandbox/preferences", post(prefer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    sender: String,
    consumer: String,
}

async fn call_in(State(sandbox): State<Sandbox>, Json(doing): Json<Pair>) -> Done {
    let (sender, consumer) = pair(&doing.sender, &doing.consumer)?;
    done(sandbox.with(|world, now| world.consumer_calls(now, sender, consumer)))
}

async fn tap(State(sandbox): State<Sandbox>, Json(doing): Json<Pair>) -> Done {
    let (sender, consumer) = pair(&doing.sender, &doing.consumer)?;
    let taps = sandbox.with(|world, now| world.consumer_taps(now, sender, consumer));
    known(taps, "message with a way to call that arrived")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writing {
    sender: String,
    consumer: String,
    text: Option<String>,
}

async fn write(State(sandbox): State<Sandbox>, Json(doing): Json<Writing>) -> Done {
    let (sender, consumer) = pair(&doing.sender, &doing.consumer)?;
    let text = doing.text.unwrap_or_default();
    done(sandbox.with(|world, now| world.consumer_writes(now, sender, consumer, &text)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replying {
    sender: String,
    consumer: String,
    answer: Option<Answer>,
}

async fn reply(State(sandbox): State<Sandbox>, Json(doing): Json<Replying>) -> Done {
    let (sender, consumer) = pair(&doing.sender, &doing.consumer)?;
    let answer = doing.answer.ok_or_else(|| missing("answer"))?;
    done(sandbox.with(|world, now| world.consumer_answers(now, sender, consumer, answer)))
}

/// When the oracle allows calls of a pair.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowing {
    sender: String,
    consumer: String,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

async fn allow(State(sandbox): State<Sandbox>, Json(doing): Json<Allowing>) -> Done {
    let (sender, consumer) = pair(&doing.sender, &doing.consumer)?;
    let from = doing.from.ok_or_else(|| missing("from"))?;
    let until = doing.until.ok_or_else(|| missing("until"))?;
    sandbox.with(|world, _| world.oracle_mut().allow(sender, consumer, from, until));
    done(true)
}

/// Either a link as `ringmaster link` prints it, or its parts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    consumer: String,
    link: Option<String>,
    sender: Option<String>,
    payload: Option<String>,
}

async fn open_link(State(sandbox): State<Sandbox>, Json(doing): Json<Opening>) -> Done {
    let consumer = phone(&doing.consumer)?;
    let (sender, payload) = doing.target()?;
    done(sandbox.with(|world, now| world.consumer_opens(now, sender, consumer, payload.as_deref())))
}

impl Opening {
    /// The number that the link calls, and its payload.
    fn target(self) -> Result<(Phone, Option<String>), (StatusCode, String)> {
        match self {
            Self { link: Some(link), sender: None, payload: None, .. } => calling_link(&link)
                .ok_or_else(|| refused("link is not https://wa.me/call/ with the digits of a number")),
            Self { link: Some(_), .. } => Err(refused("link has the sender and the payload already")),
            Self { link: None, sender, payload, .. } => {
                let sender = sender.ok_or_else(|| missing("link or sender"))?;
                Ok((phone(&sender)?, payload))
            }
        }
    }
}

fn refused(why: &str) -> (StatusCode, String) {
    (StatusCode::UNPROCESSABLE_ENTITY, format!("{why}\n"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preferring {
    sender: String,
    consumer: String,
    /// Whether marketing messages are wanted.
    marketing: Option<bool>,
}

async fn prefer(State(sandbox): State<Sandbox>, Json(doing): Json<Preferring>) -> Done {
    let (sender, consumer) = pair(&doing.sender, &doing.consumer)?;
    let marketing = doing.marketing.ok_or_else(|| missing("marketing"))?;
    done(sandbox.with(|world, now| world.consumer_prefers(now, sender, consumer, marketing)))
}

fn pair(sender: &str, consumer: &str) -> Result<(Phone, Phone), (StatusCode, String)> {
    Ok((phone(sender)?, phone(consumer)?))
}
