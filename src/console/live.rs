//! The stream of live parts: one for each browser, for all pages that are open in it.
//!
//! A part is rendered once for all who look at the same page with the same rights, at most once a second, and only while
//! somebody looks. Above the number of streams the script polls.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::watch;
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::PATH;
use super::budget::{Places, RenderPace};
use super::person::Person;
use super::visit::PART;
use crate::http::App;

/// Pages of one stream (our rule).
const PAGES_MAX: usize = 8;
/// A longer part is not sent.
const PART_MAX: usize = 1 << 20;
/// A part is rendered at most once in this time.
const PAUSE: Duration = Duration::from_secs(1);
/// It is rendered this often in any case: times go on, and a wake-up may be lost.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A comment goes out when nothing else did for this long, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The parts that somebody looks at.
pub struct Live {
    app: Arc<App>,
    pages: Router,
    shown: Mutex<BTreeMap<Key, watch::Sender<Arc<str>>>>,
    places: Places,
    pace: RenderPace,
}

/// What a part looks like depends on the rights of the person, and on the page with its filters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rights: String,
    page: String,
}

impl Live {
    pub(super) fn new(app: Arc<App>, pages: Router) -> Self {
        Self { app, pages, shown: Mutex::default(), places: Places::default(), pace: RenderPace::new() }
    }

    fn shown(&self) -> MutexGuard<'_, BTreeMap<Key, watch::Sender<Arc<str>>>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of a page as it changes. The first who looks begins the rendering.
    fn watch(self: &Arc<Self>, person: &Arc<Person>, page: &str) -> watch::Receiver<Arc<str>> {
        let key = Key { rights: super::person::rights(person), page: page.to_owned() };
        let mut shown = self.shown();
        if let Some(sender) = shown.get(&key) {
            let mut receiver = sender.subscribe();
            receiver.mark_changed();
            return receiver;
        }
        let (sender, receiver) = watch::channel(Arc::from(""));
        shown.insert(key.clone(), sender);
        tokio::spawn(Arc::clone(self).render_while_shown(key, Arc::clone(person)));
        receiver
    }

    async fn render_while_shown(self: Arc<Self>, key: Key, person: Arc<Person>) {
        loop {
            let recorded = self.app.waker.recorded();
            tokio::time::sleep_until(self.pace.take(Instant::now())).await;
            let part = self.render(&key.page, &person).await;
            if let Some(sender) = self.shown().get(&key) {
                sender.send_if_modified(|old| {
                    let is_new = **old != *part;
                    *old = part.into();
                    is_new
                });
            }
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                () = recorded => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
            let mut shown = self.shown();
            if shown.get(&key).is_none_or(|sender| sender.receiver_count() == 0) {
                shown.remove(&key);
                return;
            }
        }
    }

    async fn render(&self, page: &str, person: &Arc<Person>) -> String {
        let request =
            Request::builder().uri(format!("{PATH}{page}")).header(PART, "live").body(Body::empty());
        let Ok(mut request) = request else { return String::new() };
        request.extensions_mut().insert(Person::clone(person));
        let Ok(response) = self.pages.clone().oneshot(request).await;
        let bytes = to_bytes(response.into_body(), PART_MAX).await.unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The live parts of the pages in the query (`page=callbacks?status=waiting`), as server-sent events.
pub(super) async fn stream(
    State(live): State<Arc<Live>>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
) -> Response {
    let person = Arc::new(person);
    let Some(place) = live.places.take(format!("{}/{}", person.tenant, person.name)) else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")]).into_response();
    };
    let query = query.unwrap_or_default();
    let asked = form_urlencoded::parse(query.as_bytes()).into_owned();
    let mut pages: Vec<String> = asked.filter(|(name, _)| name == "page").map(|(_, page)| page).collect();
    pages.sort();
    pages.dedup();
    pages.truncate(PAGES_MAX);
    let parts = pages.into_iter().map(|page| {
        let receiver = live.watch(&person, &page);
        Box::pin(changes(receiver, page))
    });
    let parts = stream::select_all(parts.collect::<Vec<_>>());
    let app = Arc::clone(&live.app);
    let until = Box::pin(async move {
        tokio::select! {
            () = app.event_places.closed() => {}
            () = signed_out(&app, &person) => {}
        }
    });
    // The place is kept until the stream is dropped.
    let events = parts.take_until(until).map(move |event| {
        let _kept = &place;
        Ok::<_, Infallible>(event)
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // Nginx holds back what it proxies unless it is told not to.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Ends when the person is removed, has signed out, or has other rights.
async fn signed_out(app: &App, person: &Person) {
    let caller = person.caller();
    while caller.is_still_known(app).await {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// An event for each change. A slow browser gets the newest only.
fn changes(receiver: watch::Receiver<Arc<str>>, page: String) -> impl Stream<Item = Event> {
    stream::unfold((receiver, page), |(mut receiver, page)| async move {
        loop {
            receiver.changed().await.ok()?;
            let part = Arc::clone(&receiver.borrow_and_update());
            if !part.is_empty() {
                let data = serde_json::json!({ "page": page, "html": &*part });
                return Some((Event::default().event("part").data(data.to_string()), (receiver, page)));
            }
        }
    })
}
