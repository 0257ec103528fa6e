//! One stream: it reads what was recorded after its position, waits for more, and ends with the daemon or its token.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event;
use futures_util::{Stream, stream};

use super::places::Place;
use super::view::{self, EventView};
use crate::domain::Tenant;
use crate::http::App;
use crate::http::auth::Caller;
use crate::store::{self, TimelineEnds, TimelineLine};

/// Lines read at once, those of other tenants included.
const LINES: usize = 500;
/// A stream looks at most this often, so that it costs little while much happens.
const PAUSE: Duration = Duration::from_millis(250);
/// It looks this often in any case: a wake-up may be lost, and a token may be revoked.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

pub(super) struct Reader {
    app: Arc<App>,
    caller: Caller,
    place: Place,
    /// Everything up to here was sent, or is not for this token.
    position: i64,
    /// The last id that was sent.
    told: i64,
    /// Only lines whose code begins so.
    what: String,
    ready: VecDeque<Event>,
}

impl Reader {
    /// Begins after `after`; without it, with what is recorded from now on.
    pub(super) fn new(
        app: Arc<App>,
        caller: Caller,
        place: Place,
        after: Option<i64>,
        ends: TimelineEnds,
        what: String,
    ) -> Self {
        let mut ready = VecDeque::new();
        let (first, last) = (ends.first, ends.last);
        // Lines between the given id and the first were deleted, or the id is of another store.
        let is_known = after.is_none_or(|after| after == 0 || (first - 1..=last).contains(&after));
        let position = after.filter(|_| is_known).unwrap_or(last);
        if !is_known {
            ready.push_back(view::reset(last));
        }
        Self { app, caller, place, position, told: position, what, ready }
    }

    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut reader| async move {
            let event = reader.next().await?;
            Some((Ok(event), reader))
        })
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let app = Arc::clone(&self.app);
            let recorded = app.waker.recorded();
            match self.read().await {
                Ok(true) => {}
                Ok(false) => {
                    tokio::select! {
                        () = self.place.closed() => return None,
                        () = recorded => tokio::time::sleep(PAUSE).await,
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                    }
                    if !self.caller.is_still_known(&app).await {
                        return None;
                    }
                }
                // The client comes back with its last id.
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ended: the store cannot be read");
                    return None;
                }
            }
        }
    }

    /// Reads on. Returns whether there may be more.
    async fn read(&mut self) -> store::Result<bool> {
        let lines = self.app.store.timeline_after(self.position, LINES).await?;
        let Some(last) = lines.last() else { return Ok(false) };
        self.position = last.seq;
        let is_full = lines.len() == LINES;
        let own: Vec<&TimelineLine> = lines.iter().filter(|line| self.is_for_caller(line)).collect();
        self.told = own.last().map_or(self.told, |line| line.seq);
        self.ready.extend(own.into_iter().map(|line| EventView::of(line).event(line.seq)));
        // Who comes back later need not read the lines of others again.
        if self.position - self.told >= i64::try_from(LINES).unwrap_or(i64::MAX) {
            self.ready.push_back(view::position(self.position));
            self.told = self.position;
        }
        Ok(is_full || !self.ready.is_empty())
    }

    /// Whether the token may see the line. What belongs to no order and no message is about a pair, which is of all
    /// tenants: only the operator's own tokens see it.
    fn is_for_caller(&self, line: &TimelineLine) -> bool {
        let own = self.caller.tenant();
        let is_own = match &line.tenant {
            Some(tenant) => tenant == own,
            None => *own == Tenant::default(),
        };
        is_own && view::code(line).starts_with(&self.what)
    }
}
