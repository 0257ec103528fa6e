//! `[http]`: the addresses to listen on, and the public URL at which Twilio reaches us.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::parts::network;
use super::section::Section;

/// The HTTP server.
#[derive(Debug, Clone, PartialEq)]
pub struct Http {
    /// For customers and operators: the API, its description, the metrics.
    pub listen: SocketAddr,
    /// For the platforms: the hooks and the documents of calls. The same as `listen` for one port.
    pub hooks_listen: SocketAddr,
    /// Base of the URLs given to Twilio. It may have a path; [`Http::public`] appends ours.
    pub public_url: Url,
    /// Proxies whose `X-Forwarded-For` names the client.
    pub trusted_proxies: Vec<IpNet>,
    pub request_timeout: Duration,
    pub body_max_bytes: u32,
    pub bulk_body_max_bytes: u32,
    pub bulk_rows_max: u32,
    pub bulk_in_progress_max: u32,
    pub order_max_bytes: u32,
    pub order_fields_max: u32,
    pub order_faults_max: u32,
    pub headers_max: u32,
    pub headers_max_bytes: u32,
    pub headers_timeout: Duration,
    pub write_timeout: Duration,
    pub drain_timeout: Duration,
    pub connections_max: u32,
    pub hooks_connections_max: u32,
    pub connections_per_peer_max: u32,
    /// 0 for no limit.
    pub requests_per_peer_per_second: u32,
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
            hooks_listen: section.ask("hooks_listen").value(),
            public_url: section.ask("public_url").rule(public).value(),
            trusted_proxies: section
                .ask("trusted_proxies")
                .rule(|list: &Vec<String>| list.iter().try_for_each(|text| proxy(text).map(drop)))
                .value()
                .iter()
                .filter_map(|text| network(text))
                .collect(),
            request_timeout: section.ask("request_timeout").within(seconds(1), seconds(300)).value(),
            body_max_bytes: section.ask("body_max_bytes").within(4096, 64 << 20).value(),
            bulk_body_max_bytes: section.ask("bulk_body_max_bytes").within(4096, 1 << 30).value(),
            bulk_rows_max: section.ask("bulk_rows_max").within(1, 1_000_000).value(),
            bulk_in_progress_max: section.ask("bulk_in_progress_max").within(1, 64).value(),
            order_max_bytes: section.ask("order_max_bytes").within(4096, 1 << 20).value(),
            order_fields_max: section.ask("order_fields_max").within(20, 1000).value(),
            order_faults_max: section.ask("order_faults_max").within(1, 100).value(),
            headers_max: section.ask("headers_max").within(16, 1000).value(),
            headers_max_bytes: section.ask("headers_max_bytes").within(8192, 1 << 20).value(),
            headers_timeout: section.ask("headers_timeout").within(seconds(1), seconds(300)).value(),
            write_timeout: section.ask("write_timeout").within(seconds(1), seconds(300)).value(),
            drain_timeout: section.ask("drain_timeout").within(seconds(0), seconds(600)).value(),
            connections_max: section.ask("connections_max").within(8, 100_000).value(),
            hooks_connections_max: section.ask("hooks_connections_max").within(8, 100_000).value(),
            connections_per_peer_max: section.ask("connections_per_peer_max").within(1, 100_000).value(),
            requests_per_peer_per_second: section
                .ask("requests_per_peer_per_second")
                .within(0, 1_000_000)
                .value(),
        }
    }
}

fn proxy(text: &str) -> Result<IpNet, String> {
    network(text).ok_or_else(|| {
        format!(
            "holds {text:?}, which is no subnet: expected an address, or an address and its bits, as \
             \"10.1.0.0/16\""
        )
    })
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
