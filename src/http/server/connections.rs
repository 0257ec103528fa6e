//! The connections of one listener: how many each peer has, and which of them are idle.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use crate::http::peers::network_of;

pub(super) struct Connections {
    per_peer_max: Option<usize>,
    bodies_give_way: bool,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    next_turn: u64,
    /// The idle connections, the longest idle first.
    waiting: BTreeMap<u64, CancellationToken>,
    by_peer: HashMap<IpAddr, usize>,
}

impl Connections {
    pub(super) fn new(per_peer_max: Option<usize>, bodies_give_way: bool) -> Self {
        Self { per_peer_max, bodies_give_way, books: Mutex::default() }
    }

    /// Counts a new connection, for its peer if that is known. `None` if the peer has too many.
    pub(super) fn admit(self: &Arc<Self>, peer: Option<IpAddr>) -> Option<Arc<Connection>> {
        let peer = self.per_peer_max.and_then(|max| Some((max, network_of(peer?))));
        if let Some((max, peer)) = peer {
            let mut books = self.books();
            let count = books.by_peer.entry(peer).or_default();
            if *count >= max {
                return None;
            }
            *count += 1;
        }
        Some(Arc::new(Connection {
            all: Arc::clone(self),
            peer: peer.map(|(_, peer)| peer),
            turn: Mutex::default(),
            gives_way: CancellationToken::new(),
        }))
    }

    /// Closes the connection that has been idle longest, if one is idle.
    pub(super) fn close_longest_waiting(&self) {
        if let Some((_, gives_way)) = self.books().waiting.pop_first() {
            gives_way.cancel();
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One counted connection. Dropping it ends the count.
pub(super) struct Connection {
    all: Arc<Connections>,
    peer: Option<IpAddr>,
    /// Its key among the idle connections.
    turn: Mutex<Option<u64>>,
    gives_way: CancellationToken,
}

impl Connection {
    /// Canceled when the connection must end for a new one.
    pub(super) fn gives_way(&self) -> &CancellationToken {
        &self.gives_way
    }

    /// Whether it may be closed for a new connection until the body of its request has arrived.
    pub(super) fn bodies_give_way(&self) -> bool {
        self.all.bodies_give_way
    }

    pub(super) fn wait_for_request(&self) {
        let mut books = self.all.books();
        let turn = books.next_turn;
        books.next_turn += 1;
        books.waiting.insert(turn, self.gives_way.clone());
        // A request that was answered before its body was complete has not begun.
        if let Some(before) = self.turn().replace(turn) {
            books.waiting.remove(&before);
        }
    }

    /// Marks the connection as busy, so that it is not closed for a new one. `false` if it is closed already.
    pub(super) fn begin_request(&self) -> bool {
        let mut books = self.all.books();
        self.turn().take().is_some_and(|turn| books.waiting.remove(&turn).is_some())
    }

    fn turn(&self) -> MutexGuard<'_, Option<u64>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut books = self.all.books();
        if let Some(turn) = self.turn().take() {
            books.waiting.remove(&turn);
        }
        if let Some(peer) = self.peer
            && let Some(count) = books.by_peer.get_mut(&peer)
        {
            *count -= 1;
            if *count == 0 {
                books.by_peer.remove(&peer);
            }
        }
    }
}

/// A request in progress. When it is dropped, the connection is idle.
pub(super) struct InProgress(Arc<Connection>);

pub(super) fn answering(connection: Arc<Connection>) -> InProgress {
    InProgress(connection)
}

impl InProgress {
    pub(super) fn until_the_end_of(self, body: Body) -> Answering {
        Answering { body, _in_progress: self }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.wait_for_request();
    }
}

/// The body of an answer. The request is in progress until the connection has taken all of it.
pub(super) struct Answering {
    body: Body,
    _in_progress: InProgress,
}

impl http_body::Body for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a request. Until all of it has arrived, the connection may be closed for a new one, like an idle one, so
/// that slow clients cannot block others.
pub(super) struct Arriving {
    body: Incoming,
    connection: Option<Arc<Connection>>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, connection: Arc<Connection>) -> Self {
        Self { body, connection: Some(connection) }
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if (frame.is_none() || self.body.is_end_stream())
            && let Some(connection) = self.connection.take()
            && !connection.begin_request()
        {
            return Poll::Ready(Some(Err(gave_way())));
        }
        Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pub(super) fn gave_way() -> io::Error {
    io::Error::other("the connection was closed for a new one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_idle_again_is_last_in_the_queue() {
        let all = Arc::new(Connections::new(None, true));
        let admitted: Vec<_> = (0..2).map(|_| all.admit(None).unwrap()).collect();
        admitted.iter().for_each(|connection| connection.wait_for_request());
        admitted[0].wait_for_request();
        all.close_longest_waiting();
        assert!(admitted[1].gives_way().is_cancelled() && !admitted[0].gives_way().is_cancelled());
        assert!(admitted[0].begin_request());
        all.close_longest_waiting();
        assert!(!admitted[0].gives_way().is_cancelled(), "no older entry of it is left");
    }

    fn peer(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn the_longest_idle_connection_is_closed_and_a_busy_one_never() {
        let all = Arc::new(Connections::new(None, true));
        let admitted: Vec<_> = (0..3).map(|_| all.admit(peer("192.0.2.1")).unwrap()).collect();
        admitted.iter().for_each(|connection| connection.wait_for_request());
        assert!(admitted[0].begin_request());
        all.close_longest_waiting();
        assert!(admitted[1].gives_way().is_cancelled());
        assert!(!admitted[1].begin_request());
        // The first connection has answered, so it is behind the third now.
        drop(answering(Arc::clone(&admitted[0])));
        all.close_longest_waiting();
        assert!(admitted[2].gives_way().is_cancelled() && !admitted[0].gives_way().is_cancelled());
        assert!(admitted[0].begin_request());
        all.close_longest_waiting();
        assert!(!admitted[0].gives_way().is_cancelled());
    }

    #[test]
    fn a_peer_has_a_maximum_of_connections_and_an_ipv6_network_is_one_peer() {
        let all = Arc::new(Connections::new(Some(2), true));
        let first = all.admit(peer("2001:db8::1")).unwrap();
        let _second = all.admit(peer("2001:db8::2")).unwrap();
        assert!(all.admit(peer("2001:db8::3")).is_none());
        assert!(all.admit(peer("2001:db8:0:1::1")).is_some());
        assert!(all.admit(peer("192.0.2.1")).is_some());
        assert!(all.admit(None).is_some());
        drop(first);
        let third = all.admit(peer("2001:db8::3"));
        assert!(third.is_some() && all.admit(peer("2001:db8::4")).is_none());
    }
}
