//! Connects Twilio's client to the world inside one process: no sockets, and the clock is an argument.
//!
//! Webhooks are not delivered from here: the code that moves the clock takes them with [`World::due`].

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use super::world::{ApiRequest, ApiResponse, Fate, World};
use crate::clock::Clock;
use crate::platform::LeaveBy;
use crate::twilio::{Body, Request, Response, Transport, TransportError};

/// A [`Transport`] to a world that the test also holds.
#[derive(Clone)]
pub struct InProcess {
    world: Arc<Mutex<World>>,
    clock: Arc<dyn Clock>,
}

impl InProcess {
    #[must_use]
    pub fn new(world: Arc<Mutex<World>>, clock: Arc<dyn Clock>) -> Self {
        Self { world, clock }
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.leave_by.as_ref().is_some_and(LeaveBy::is_over) {
            return Err(TransportError::TooLate);
        }
        let timeout = SignedDuration::try_from(request.timeout).unwrap_or(SignedDuration::MAX);
        let asked = asked(request).map_err(|why| TransportError::NotSent(why.into()))?;
        let now = self.clock.now();
        let answer = self.world.lock().expect("nothing panics while it holds the world").serve(now, &asked);
        match answer.fate {
            Fate::Deliver => Ok(response(now, answer)),
            Fate::Drop => Err(TransportError::Lost("the connection was closed without an answer".into())),
            Fate::DelayBy(delay) if delay < timeout => {
                self.clock.sleep_until(now + delay).await;
                Ok(response(now + delay, answer))
            }
            Fate::DelayBy(_) => {
                self.clock.sleep_until(now + timeout).await;
                Err(TransportError::Lost("no answer came in time".into()))
            }
        }
    }
}

fn asked(request: Request) -> Result<ApiRequest, url::ParseError> {
    let url = url::Url::parse(&request.url)?;
    let (content_type, body) = match request.body {
        Body::None => (None, Vec::new()),
        Body::Form(pairs) => {
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            (Some("application/x-www-form-urlencoded"), form.into_bytes())
        }
        Body::Json(bytes) => (Some("application/json"), bytes.to_vec()),
    };
    Ok(ApiRequest {
        method: request.method.as_str().to_owned(),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        authorization: Some(request.auth.header().expose_secret().to_owned()),
        content_type: content_type.map(ToOwned::to_owned),
        body,
        origin: url.origin().ascii_serialization(),
    })
}

fn response(now: Timestamp, answer: ApiResponse) -> Response {
    let mut headers = HeaderMap::new();
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    headers.extend(HeaderValue::try_from(date).ok().map(|date| (header::DATE, date)));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    Response { status: answer.status, headers, body: Bytes::from(answer.body) }
}
