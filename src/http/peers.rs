//! The addresses of clients, and the rate limit per address.
//!
//! Behind a proxy, all requests come from the proxy's address. If the operator trusts the proxy, the address in
//! `X-Forwarded-For` counts instead.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::Either;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use jiff::SignedDuration;
use tower::{Layer, Service};

use super::{ApiError, health};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// After this number of requests, inactive addresses are forgotten.
const FORGET_AFTER: usize = 4096;

/// The remote address of the connection of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Proxies whose `X-Forwarded-For` is trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the peer, unless it is a trusted proxy. Then the last forwarded address that is not a
    /// trusted proxy; `None` if there is none.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.contain(peer) {
            return Some(peer);
        }
        let lists = headers.get_all(FORWARDED_FOR).iter().rev().filter_map(|list| list.to_str().ok());
        lists
            .flat_map(|list| list.rsplit(','))
            .map(|address| address.trim().parse().ok().map(|address: IpAddr| address.to_canonical()))
            .find(|address| address.is_none_or(|address| !self.contain(address)))
            .flatten()
    }
}

/// What counts as one peer: an IPv4 address, or a /64 of IPv6, which usually belongs to one network.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

/// Counts the requests of each client.
pub struct PeerLimit {
    trusted: TrustedProxies,
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    counted: AtomicUsize,
}

impl PeerLimit {
    /// `quota` applies to each client.
    #[must_use]
    pub fn new(trusted: TrustedProxies, quota: Quota) -> Self {
        Self {
            trusted,
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            counted: AtomicUsize::new(0),
        }
    }

    fn take(&self, request: &Request) -> Result<(), ApiError> {
        let peer = request.extensions().get::<Peer>();
        match peer.and_then(|peer| self.trusted.client(peer.0, request.headers())) {
            Some(client) if client.is_loopback() && health::PATHS.contains(&request.uri().path()) => Ok(()),
            Some(client) => self.check(client),
            None => Ok(()),
        }
    }

    fn check(&self, client: IpAddr) -> Result<(), ApiError> {
        if self.counted.fetch_add(1, Ordering::Relaxed) % FORGET_AFTER == FORGET_AFTER - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(&network_of(client)).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            let detail = "requests from one address are limited; try again after Retry-After";
            ApiError::later("request.too_many", detail, wait.try_into().unwrap_or(SignedDuration::MAX))
        })
    }
}

/// Refuses a request if its client sends too many. Requests without a connection are not counted, nor are health checks
/// of the machine itself: customers behind a proxy on it would fail them.
#[derive(Clone)]
pub(super) struct PeerLimitLayer(pub Arc<PeerLimit>);

impl<S> Layer<S> for PeerLimitLayer {
    type Service = PeerLimited<S>;

    fn layer(&self, inner: S) -> PeerLimited<S> {
        PeerLimited { limit: Arc::clone(&self.0), inner }
    }
}

/// The service behind a [`PeerLimitLayer`].
#[derive(Clone)]
pub(super) struct PeerLimited<S> {
    limit: Arc<PeerLimit>,
    inner: S,
}

impl<S> Service<Request> for PeerLimited<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response, S::Error>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.limit.take(&request) {
            Ok(()) => Either::Right(self.inner.call(request)),
            Err(refused) => Either::Left(ready(Ok(refused.into_response()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(lists: &[&str]) -> HeaderMap {
        lists.iter().map(|list| (FORWARDED_FOR, list.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let trusted = TrustedProxies::new(["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        let client = |peer: &str, lists: &[&str]| trusted.client(address(peer), &forwarded(lists));
        assert_eq!(client("192.0.2.1", &["198.51.100.1"]), Some(address("192.0.2.1")));
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), Some(address("198.51.100.1")));
        // The client itself may have written everything before the last address that is not trusted.
        let chain = ["203.0.113.9, 198.51.100.1", "10.0.0.2"];
        assert_eq!(client("::1", &chain), Some(address("198.51.100.1")));
        assert_eq!(client("10.0.0.1", &["::ffff:198.51.100.1"]), Some(address("198.51.100.1")));
        for nothing in [&[][..], &["10.0.0.2"], &["198.51.100.1, unknown"]] {
            assert_eq!(client("10.0.0.1", nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn the_requests_of_one_address_are_bounded_and_those_of_another_are_not_counted_with_them() {
        let limit = PeerLimit::new(TrustedProxies::default(), Quota::per_hour(2.try_into().unwrap()));
        let ask = |text: &str| limit.check(address(text)).map_err(|error| error.code());
        assert_eq!(ask("192.0.2.1"), Ok(()));
        assert_eq!(ask("192.0.2.1"), Ok(()));
        assert_eq!(ask("192.0.2.1"), Err("request.too_many"));
        assert_eq!(ask("192.0.2.2"), Ok(()));
    }
}
