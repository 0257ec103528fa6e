//! `[http]`: the addresses to listen on, and the public URL at which Twilio reaches us.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::parts::network;
use super::section::Section;
use super::tree::Value;
use super::value::{Setting, quoted};

/// A URL with the letters in which it was written. Twilio signs the text that it was given, and a parser writes
/// `HTTPS://Example.COM:443` in another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    written: String,
    url: Url,
}

impl PublicUrl {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// What is allowed and may still make Twilio's signatures fail, or Twilio's requests miss us; each a sentence
    /// about the key.
    fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let mut doubt = |text: &str| doubts.push(text.to_owned());
        let (scheme, rest) = self.written.split_once("://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        if self.written.len() != scheme.len().saturating_add("://".len()).saturating_add(rest.len())
            || scheme.bytes().chain(authority.bytes()).any(|byte| byte.is_ascii_uppercase())
        {
            doubt(
                "has capital letters in its scheme or host: use this very spelling in Twilio's console too, for \
                   signatures cover the text",
            );
        }
        if authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
            && self.url.port().is_none()
        {
            doubt(
                "names the usual port of its scheme: Twilio may leave it out when it signs; both are accepted",
            );
        }
        if self.url.host_str().is_some_and(|host| host.contains('_')) {
            doubt("has an underscore in its host: Twilio refuses such addresses (21609)");
        }
        let private = match self.url.host() {
            Some(url::Host::Ipv4(address)) => address.is_private() || address.is_link_local(),
            Some(url::Host::Ipv6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
            _ => false,
        };
        if private {
            doubt("is a private address: Twilio reaches public addresses only");
        }
        doubts
    }
}

impl From<Url> for PublicUrl {
    fn from(url: Url) -> Self {
        Self { written: url.as_str().trim_end_matches('/').to_owned(), url }
    }
}

impl Setting for PublicUrl {
    const EXPECTED: &'static str = Url::EXPECTED;
    const KIND: &'static str = Url::KIND;

    fn read(value: &Value) -> Result<Self, String> {
        Ok(Self { written: String::read(value)?, url: Url::read(value)? })
    }

    fn write(&self) -> String {
        quoted(&self.written)
    }
}

/// The HTTP server.
#[derive(Debug, Clone, PartialEq)]
pub struct Http {
    /// The address for customers and operators: the API, its description, the metrics.
    pub listen: SocketAddr,
    /// The address for the platforms: the hooks and the documents of calls. It may equal `listen`.
    pub hooks_listen: SocketAddr,
    /// Base of the URLs given to Twilio. It may have a path; [`Http::public`] appends ours.
    pub public_url: PublicUrl,
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
    /// How long the listeners go on when the daemon was told to stop.
    pub shutdown_delay: Duration,
    pub hooks_request_timeout: Duration,
    pub hooks_headers_timeout: Duration,
    pub hooks_write_timeout: Duration,
    pub connections_max: u32,
    pub hooks_connections_max: u32,
    pub connections_per_peer_max: u32,
    /// 0 for no limit.
    pub requests_per_peer_per_second: u32,
}

impl Http {
    /// Warnings about accepted values, each with its key.
    pub(super) fn doubts(&self) -> Vec<String> {
        self.public_url.doubts().into_iter().map(|doubt| format!("http.public_url {doubt}")).collect()
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
            shutdown_delay: section.ask("shutdown_delay").within(seconds(0), seconds(300)).value(),
            hooks_request_timeout: section
                .ask("hooks_request_timeout")
                .within(seconds(5), seconds(60))
                .value(),
            hooks_headers_timeout: section
                .ask("hooks_headers_timeout")
                .within(seconds(1), seconds(60))
                .value(),
            hooks_write_timeout: section.ask("hooks_write_timeout").within(seconds(1), seconds(60)).value(),
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
        Err("has a user name or a password: addresses are logged, so credentials do not belong there".into())
    } else if url.fragment().is_some() {
        Err("has a fragment (\"#…\"), which is never sent".into())
    } else {
        Ok(())
    }
}

/// Checks a URL to which paths are appended.
pub(super) fn base(url: &Url) -> Result<(), String> {
    endpoint(url)?;
    match url.query() {
        Some(_) => Err("has a query (\"?…\"): paths are added to it, so it must end with its path".into()),
        None => Ok(()),
    }
}

fn public(public: &PublicUrl) -> Result<(), String> {
    let PublicUrl { written, url } = public;
    base(url)?;
    if !written.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has a space or a letter outside of ASCII: write a host name as xn--…".into());
    }
    // Signatures cover the URL as text, so two spellings of one path would not verify.
    let path =
        written.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    if url.path().contains("//") || url.path().contains('%') || url.path().trim_start_matches('/') != path {
        return Err("has a path with \"//\", dots or an escaped character: expected plain segments".into());
    }
    Ok(())
}
