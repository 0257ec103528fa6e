//! `[http]`: the addresses to listen on, and the public URL at which Twilio reaches us.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::section::Section;

/// The HTTP server.
#[derive(Debug, Clone, PartialEq)]
pub struct Http {
    pub listen: SocketAddr,
    /// Base of the URLs given to Twilio. It may have a path; [`Http::public`] appends ours.
    pub public_url: Url,
    pub request_timeout: Duration,
    pub body_max_bytes: u32,
    pub headers_max: u32,
    pub headers_max_bytes: u32,
    pub headers_timeout: Duration,
    pub drain_timeout: Duration,
    pub connections_max: u32,
}

impl Http {
    /// The public URL of one of our paths, which starts with `/`.
    #[must_use]
    pub fn public(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let seconds = Duration::from_secs;
        Self {
            listen: section.ask("listen").value(),
            public_url: section.ask("public_url").rule(public).value(),
            request_timeout: section.ask("request_timeout").within(seconds(1), seconds(300)).value(),
            body_max_bytes: section.ask("body_max_bytes").within(4096, 64 << 20).value(),
            headers_max: section.ask("headers_max").within(16, 1000).value(),
            headers_max_bytes: section.ask("headers_max_bytes").within(8192, 1 << 20).value(),
            headers_timeout: section.ask("headers_timeout").within(seconds(1), seconds(300)).value(),
            drain_timeout: section.ask("drain_timeout").within(seconds(0), seconds(600)).value(),
            connections_max: section.ask("connections_max").within(8, 100_000).value(),
        }
    }
}

/// Whether the host of a URL is loopback.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Checks a URL to which we send: https unless loopback, without user, query and fragment.
pub(super) fn endpoint(url: &Url) -> Result<(), String> {
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    if !secure {
        Err("is not https: plain http is taken on a loopback address only".into())
    } else if !url.username().is_empty() || url.password().is_some() {
        Err("holds a user name or a password: addresses are logged, so credentials do not belong there"
            .into())
    } else if url.fragment().is_some() {
        Err("holds a fragment (\"#…\"), which is never sent".into())
    } else {
        Ok(())
    }
}

/// Checks a URL to which paths are appended.
pub(super) fn base(url: &Url) -> Result<(), String> {
    endpoint(url)?;
    match url.query() {
        Some(_) => Err("holds a query (\"?…\"): paths are added to it, so it must end with its path".into()),
        None => Ok(()),
    }
}

fn public(url: &Url) -> Result<(), String> {
    base(url)?;
    // Signatures cover the URL as text, so two spellings of one path would not verify.
    if url.path().contains("//") || url.path().contains('%') {
        return Err("has a path with \"//\" or an escaped character: expected plain segments".into());
    }
    Ok(())
}
