//! Where a request comes from: this machine, our own pages, or another site.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{Extensions, HeaderMap, Uri};
use subtle::ConstantTimeEq as _;

use super::SignedIn;
use crate::http::peers::{Peer, TrustedProxies};
use crate::http::{ApiError, App};

/// What a proxy adds. A request with one of these came through a proxy, so its connection tells nothing of the client.
const FORWARDED: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];
const FETCH_SITE: &str = "sec-fetch-site";
const CSRF: &str = "x-csrf-token";

/// The client's address, for the audit log: that of the connection, if a proxy of ours names none.
pub(in crate::http) fn address(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let peer = extensions.get::<Peer>()?;
    Some(from(&app.sign_in.settings.trusted_proxies, peer.0, headers))
}

pub(super) fn from(trusted: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    trusted.client(peer, headers).unwrap_or(peer)
}

/// The client's address, as far as it is known: that of a proxy of ours is shared by all.
pub(super) fn client(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let peer = extensions.get::<Peer>()?;
    app.sign_in.settings.trusted_proxies.client(peer.0, headers)
}

/// Whether a request was sent on this machine, to this machine by name, without a proxy between. The name is checked
/// because a page of another site can make a name of its own lead here (DNS rebinding).
pub(super) fn is_loopback(peer: Option<IpAddr>, uri: &Uri, headers: &HeaderMap) -> bool {
    peer.is_some_and(|peer| peer.to_canonical().is_loopback())
        && FORWARDED.iter().all(|name| !headers.contains_key(*name))
        && names_host(uri, headers, &[])
}

/// Whether a request names this machine, or one of these hosts, as the one that it is for.
pub(super) fn names_host(uri: &Uri, headers: &HeaderMap, others: &[String]) -> bool {
    let is_known = |host: &str| {
        let name = without_port(host);
        is_here(name) || others.iter().any(|other| other.eq_ignore_ascii_case(name))
    };
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    hosts.next().is_none()
        && host.is_some_and(is_known)
        && uri.authority().is_none_or(|authority| is_known(authority.as_str()))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_here(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

/// Whether the browser talks to us over https. On this machine it need not; everywhere else cookies are `Secure`.
pub(super) fn is_secure(peer: Option<IpAddr>, uri: &Uri, headers: &HeaderMap) -> bool {
    !is_loopback(peer, uri, headers)
}

/// Whether a browser sent the request from our own pages. A client that is no browser says neither; then it is
/// `otherwise`.
pub(super) fn is_our_page(
    peer: Option<IpAddr>,
    trusted: &TrustedProxies,
    headers: &HeaderMap,
    otherwise: bool,
) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("-"));
    if let Some(site) = text(FETCH_SITE) {
        return site == "same-origin";
    }
    let Some(origin) = text(ORIGIN.as_str()) else { return otherwise };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    let told = text("x-forwarded-host").filter(|_| peer.is_some_and(|peer| trusted.contain(peer)));
    let host = told.or_else(|| text(HOST.as_str()));
    authority.is_some() && authority == host
}

/// Refuses a write that another site may have made a person's browser send: the token of the form or the header has to be
/// right, and the browser must not name another site.
pub(in crate::http) fn check_write(
    app: &App,
    person: &SignedIn,
    extensions: &Extensions,
    headers: &HeaderMap,
    field: Option<&str>,
) -> Result<(), ApiError> {
    let peer = extensions.get::<Peer>().map(|peer| peer.0);
    let given = headers.get(CSRF).and_then(|value| value.to_str().ok()).or(field);
    let is_right = given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(person.csrf.as_bytes())));
    if is_right && is_our_page(peer, &app.sign_in.settings.trusted_proxies, headers, true) {
        return Ok(());
    }
    Err(ApiError::new(
        "auth.csrf",
        "a change by a signed-in person needs X-CSRF-Token, or the field csrf of the form, from our own page",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value): (axum::http::HeaderName, _)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn only_a_request_of_this_machine_to_this_machine_without_a_proxy_is_from_here() {
        let here = Some("127.0.0.1".parse().unwrap());
        let uri = Uri::from_static("/console/");
        let is =
            |peer: Option<IpAddr>, pairs: &[(&'static str, &str)]| is_loopback(peer, &uri, &headers(pairs));
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:8080"] {
            assert!(is(here, &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1.nip.io:8080",
            "192.0.2.1",
            "0.0.0.0",
            "",
            "localhost:80@evil.example",
            "127.0.0.1:80:80",
        ] {
            assert!(!is(here, &[("host", host)]), "{host}");
        }
        assert!(!is(here, &[]), "no host");
        assert!(!is(here, &[("host", "localhost"), ("host", "evil.example")]), "two hosts");
        assert!(!is(Some("192.0.2.1".parse().unwrap()), &[("host", "localhost")]));
        assert!(!is(None, &[("host", "localhost")]));
        for name in FORWARDED {
            assert!(!is(here, &[("host", "localhost"), (name, "127.0.0.1")]), "{name}");
        }
        let absolute = Uri::from_static("http://evil.example/console/");
        assert!(!is_loopback(here, &absolute, &headers(&[("host", "localhost")])));
    }

    #[test]
    fn a_proxy_on_this_machine_names_a_host_that_is_configured() {
        let (uri, known) = (Uri::from_static("/console/"), ["calls.example.com".to_owned()]);
        let names = |host: &str| names_host(&uri, &headers(&[("host", host)]), &known);
        for host in ["calls.example.com", "CALLS.example.com:8443", "localhost:8080", "127.0.0.1"] {
            assert!(names(host), "{host}");
        }
        for host in ["evil.example", "calls.example.com.evil.example", "xcalls.example.com", ""] {
            assert!(!names(host), "{host}");
        }
        assert!(!names_host(&uri, &headers(&[]), &known));
        let two = headers(&[("host", "calls.example.com"), ("host", "evil.example")]);
        assert!(!names_host(&uri, &two, &known));
    }

    #[test]
    fn a_browser_says_where_a_request_comes_from_and_what_it_says_counts() {
        let trusted = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
        let ours = |peer: &str, pairs: &[(&'static str, &str)], otherwise| {
            is_our_page(Some(peer.parse().unwrap()), &trusted, &headers(pairs), otherwise)
        };
        let direct = "192.0.2.1";
        assert!(ours(direct, &[("sec-fetch-site", "same-origin")], false));
        for site in ["cross-site", "same-site", "none", "x"] {
            let pairs = [("sec-fetch-site", site), ("origin", "https://a.example"), ("host", "a.example")];
            assert!(!ours(direct, &pairs, true), "{site}");
        }
        assert!(ours(direct, &[("origin", "https://a.example:8443"), ("host", "a.example:8443")], false));
        assert!(!ours(direct, &[("origin", "https://b.example"), ("host", "a.example")], true));
        assert!(!ours(direct, &[("origin", "null"), ("host", "a.example")], true));
        assert!(ours(direct, &[("host", "a.example")], true));
        assert!(!ours(direct, &[("host", "a.example")], false));
        // A host that a proxy tells counts only if the proxy is trusted.
        let forged =
            [("origin", "https://evil.example"), ("host", "a.example"), ("x-forwarded-host", "evil.example")];
        assert!(!ours(direct, &forged, true));
        let told = [("origin", "https://a.example"), ("host", "10.0.0.5"), ("x-forwarded-host", "a.example")];
        assert!(ours("10.0.0.1", &told, false));
    }
}
