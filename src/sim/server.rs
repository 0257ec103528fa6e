//! The world behind the HTTP APIs of Twilio and Meta: all products on one port, webhooks signed and delivered over HTTP.
//!
//! The routes under `/sandbox/` are not theirs: they return a report and control consumers and faults.
//! No log line here contains a URL, because URLs hold phone numbers.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Json, Path, State};
use axum::http::{HeaderMap, HeaderName, Method as HttpMethod, Response, StatusCode, Uri, header};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::world::{
    ApiRequest, ApiResponse, Client, Fate, Faults, Habit, Method, Report, Restriction, Webhook, WebhookReply,
    World,
};
use crate::clock::Clock;
use crate::domain::Phone;

/// Twilio's default webhook timeouts (November 2026): 5 s to connect, 15 s in total.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The most webhook requests in flight. Further webhooks wait, so that sockets do not run out.
const WEBHOOKS_AT_ONCE: usize = 512;

/// A running world, shared by its server and by tests.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    clock: Arc<dyn Clock>,
    /// Wakes the driver.
    wake: Notify,
    /// Wakes callers that wait for a state of the world.
    changed: Notify,
    webhooks: reqwest::Client,
    in_flight: Arc<Semaphore>,
    shutdown: CancellationToken,
}

/// Serves a world until `shutdown`. Callers that need access to the world create a [`Sandbox`] instead.
///
/// # Errors
/// If the listener fails permanently.
pub async fn serve(
    listener: TcpListener,
    world: World,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    Sandbox::new(world, clock, shutdown).serve(listener).await
}

impl Sandbox {
    /// # Panics
    /// If no HTTP client can be created.
    #[must_use]
    pub fn new(world: World, clock: Arc<dyn Clock>, shutdown: CancellationToken) -> Self {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let webhooks = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .build()
            .expect("a client without files or proxies can always be created");
        let shared = Shared {
            world: Mutex::new(world),
            clock,
            wake: Notify::new(),
            changed: Notify::new(),
            webhooks,
            in_flight: Arc::new(Semaphore::new(WEBHOOKS_AT_ONCE)),
            shutdown,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Serves requests and delivers webhooks until the token given to [`Sandbox::new`] is canceled.
    ///
    /// # Errors
    /// If the listener fails permanently.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let shutdown = self.shared.shutdown.clone();
        let driver = tokio::spawn(self.clone().drive());
        let listener = listener.tap_io(|socket| {
            // With Nagle's algorithm, small answers would wait for an acknowledgement.
            let _ = socket.set_nodelay(true);
        });
        let served = axum::serve(listener, self.router())
            .with_graceful_shutdown(shutdown.clone().cancelled_owned())
            .await;
        shutdown.cancel();
        // The driver ends with the token; a panic in it was already reported.
        let _ = driver.await;
        served
    }

    /// The world's report so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.world().report()
    }

    /// Runs `act` on the world at the current time, then wakes the driver to deliver new webhooks.
    pub fn with<T>(&self, act: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let mut world = self.world();
        // Read under the lock, so that no request sees a time before that of an earlier one.
        let now = self.shared.clock.now();
        let done = act(&mut world, now);
        drop(world);
        self.shared.wake.notify_one();
        self.shared.changed.notify_waiters();
        done
    }

    /// Waits until the world is in this state.
    pub async fn until(&self, is_so: impl Fn(&Report) -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            if is_so(&self.report()) {
                return;
            }
            changed.await;
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().expect("nothing panics while it holds the world")
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/sandbox/report", get(report))
            .route("/sandbox/consumers/{number}", post(set_habit))
            .route("/sandbox/faults", post(set_faults))
            .route("/sandbox/restrictions", post(restrict))
            .route("/sandbox/calls", post(switch_calls))
            .route("/sandbox/handshakes", post(shake_hands))
            .merge(super::consumer_levers::routes())
            .merge(super::desk_levers::routes())
            .merge(super::page_levers::routes())
            .fallback(ask)
            .with_state(self.clone())
    }

    /// Delivers due webhooks, then sleeps until the next one is due or the world was changed.
    async fn drive(self) {
        let deliveries = TaskTracker::new();
        loop {
            let waked = self.shared.wake.notified();
            let (due, next) = {
                let now = self.shared.clock.now();
                let mut world = self.world();
                let due: Vec<_> = world.due(now).into_iter().map(|hook| with_headers(&world, hook)).collect();
                (due, world.next_at())
            };
            for (webhook, headers) in due {
                let permit = self.shared.in_flight.clone().acquire_owned().await;
                let sandbox = self.clone();
                deliveries.spawn(async move {
                    let id = webhook.id;
                    let reply = sandbox.deliver(webhook, headers).await;
                    drop(permit);
                    sandbox.with(|world, now| world.answered(now, id, reply));
                });
            }
            let sleep = async {
                match next {
                    Some(at) => self.shared.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = waked => {}
                () = sleep => {}
                () = self.shared.shutdown.cancelled() => break,
            }
        }
    }

    async fn deliver(&self, webhook: Webhook, headers: Headers) -> WebhookReply {
        let mut request = match webhook.method {
            Method::Get => self.shared.webhooks.get(&webhook.url),
            Method::Post => {
                let (kind, body) = webhook.body();
                self.shared.webhooks.post(&webhook.url).header(header::CONTENT_TYPE, kind).body(body)
            }
        };
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return failure(&error),
        };
        let status = answer.status().as_u16();
        let content_type = answer.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        match answer.text().await {
            Ok(body) => WebhookReply::Answer { status, content_type, body },
            Err(error) => failure(&error),
        }
    }
}

type Headers = Vec<(&'static str, String)>;

fn with_headers(world: &World, webhook: Webhook) -> (Webhook, Headers) {
    let headers = world.headers(&webhook);
    (webhook, headers)
}

fn failure(error: &reqwest::Error) -> WebhookReply {
    if error.is_timeout() && !error.is_connect() { WebhookReply::TimedOut } else { WebhookReply::Unreachable }
}

/// Any request outside `/sandbox/`: Twilio's REST API, or Meta's Graph API.
async fn ask(
    State(sandbox): State<Sandbox>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let request = ApiRequest {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        authorization: text(header::AUTHORIZATION).map(ToOwned::to_owned),
        content_type: text(header::CONTENT_TYPE).map(ToOwned::to_owned),
        body: body.to_vec(),
        origin: format!("http://{}", text(header::HOST).unwrap_or("localhost")),
    };
    let answer = sandbox.with(|world, now| world.serve(now, &request));
    match answer.fate {
        Fate::Deliver => {}
        // Keep the connection open without an answer until the client gives up.
        Fate::Drop => sandbox.shared.shutdown.cancelled().await,
        Fate::DelayBy(delay) => {
            let at = sandbox.shared.clock.now() + delay;
            sandbox.shared.clock.sleep_until(at).await;
        }
    }
    written(answer)
}

fn written(answer: ApiResponse) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).expect("the world writes valid headers")
}

async fn report(State(sandbox): State<Sandbox>) -> Json<Report> {
    Json(sandbox.report())
}

/// What a consumer does and has. Absent parts stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsumerIs {
    habit: Option<Habit>,
    client: Option<Client>,
}

async fn set_habit(
    State(sandbox): State<Sandbox>,
    Path(number): Path<String>,
    Json(wanted): Json<ConsumerIs>,
) -> Done {
    let consumer = phone(&number)?;
    if wanted.habit.is_none() && wanted.client.is_none() {
        return Err(missing("habit or client"));
    }
    sandbox.with(|world, _| {
        if let Some(habit) = wanted.habit {
            world.set_habit(consumer, habit);
        }
        if let Some(client) = wanted.client {
            world.set_client(consumer, client);
        }
    });
    done(true)
}

async fn set_faults(State(sandbox): State<Sandbox>, Json(faults): Json<Faults>) -> Done {
    faults.check().map_err(|why| (StatusCode::UNPROCESSABLE_ENTITY, format!("{why}\n")))?;
    sandbox.with(|world, _| world.set_faults(faults));
    done(true)
}

/// A restriction of a WhatsApp Business Account; without one, all of them end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restricting {
    account: String,
    restriction: Option<Restriction>,
}

async fn restrict(State(sandbox): State<Sandbox>, Json(asked): Json<Restricting>) -> Done {
    let Restricting { account, restriction } = asked;
    let is_known = sandbox.with(|world, now| match restriction {
        Some(restriction) => world.restrict(now, &account, restriction),
        None => world.reinstate(now, &account),
    });
    known(is_known, "WhatsApp Business Account")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switching {
    phone_number_id: String,
    on: bool,
}

async fn switch_calls(State(sandbox): State<Sandbox>, Json(asked): Json<Switching>) -> Done {
    let Switching { phone_number_id, on } = asked;
    known(sandbox.with(|world, now| world.switch_calls_of(now, &phone_number_id, on)), "phone number id")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checking {
    app: String,
}

async fn shake_hands(State(sandbox): State<Sandbox>, Json(asked): Json<Checking>) -> Done {
    known(sandbox.with(|world, now| world.shake_hands(now, &asked.app)), "app with a webhook URL")
}

pub(super) fn known(is_known: bool, what: &str) -> Done {
    if is_known { done(true) } else { Err((StatusCode::NOT_FOUND, format!("there is no such {what}\n"))) }
}

pub(super) type Done = Result<StatusCode, (StatusCode, String)>;

pub(super) fn done(known: bool) -> Done {
    if known {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err((StatusCode::NOT_FOUND, "the sender does not exist\n".to_owned()))
    }
}

pub(super) fn missing(name: &str) -> (StatusCode, String) {
    (StatusCode::UNPROCESSABLE_ENTITY, format!("{name} is missing\n"))
}

pub(super) fn phone(text: &str) -> Result<Phone, (StatusCode, String)> {
    Phone::parse(text).map_err(|why| (StatusCode::UNPROCESSABLE_ENTITY, format!("the number {why}\n")))
}
