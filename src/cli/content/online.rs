//! `content check --online`: asks the URLs of declarations. Bounded in number, time and at the same time; never a private
//! address, never a redirection.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Method, StatusCode};
use url::{Host, Url};

use crate::config::Config;
use crate::content::Rule;
use crate::content::online::Answer;
use crate::webhooks::guard::{Guard, Subnet};

/// How many are asked at the same time.
const AT_ONCE: usize = 8;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks URLs.
pub(super) struct Asker {
    client: Client,
    guard: Arc<Guard>,
}

/// The name leads to no address.
#[derive(Debug, thiserror::Error)]
#[error("the name is not known")]
struct Unknown;

/// The name leads to addresses that are not public only.
#[derive(Debug, thiserror::Error)]
#[error("the address is not public")]
struct Refused;

/// The addresses of a name.
type Names = dyn Fn(String) -> futures_util::future::BoxFuture<'static, std::io::Result<Vec<SocketAddr>>>
    + Send
    + Sync;

struct Guarded {
    guard: Arc<Guard>,
    names: Arc<Names>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, found) = (self.guard.clone(), (self.names)(name.as_str().to_owned()));
        Box::pin(async move {
            let Ok(found) = found.await else { return Err(Unknown.into()) };
            if found.is_empty() {
                return Err(Unknown.into());
            }
            let public: Vec<_> = found.into_iter().filter(|address| guard.permits(address.ip())).collect();
            if public.is_empty() { Err(Refused.into()) } else { Ok(Box::new(public.into_iter()) as Addrs) }
        })
    }
}

/// Whether an account of the configuration is at this machine, as at a sandbox.
pub(super) fn is_sandbox(config: &Config) -> bool {
    let is_here = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    config.accounts.values().any(|account| is_here(&account.api_url))
        || config.meta.values().any(|meta| is_here(&meta.graph_url))
        || config.messenger.values().any(|page| is_here(&page.graph_url))
}

impl Asker {
    /// Addresses of this machine are asked at a sandbox only.
    pub(super) fn new(is_sandbox: bool) -> anyhow::Result<Self> {
        let names = |name: String| -> futures_util::future::BoxFuture<'static, _> {
            Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
        };
        Self::with_names(is_sandbox, Arc::new(names))
    }

    fn with_names(is_sandbox: bool, names: Arc<Names>) -> anyhow::Result<Self> {
        let here = [
            Subnet::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
            Subnet::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
        ];
        let guard = Arc::new(if is_sandbox { Guard::new(here) } else { Guard::default() });
        // A second installation is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("ringmaster/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .https_only(!is_sandbox)
            .dns_resolver(Arc::new(Guarded { guard: guard.clone(), names }))
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .context("cannot set up TLS")?;
        Ok(Self { client, guard })
    }

    /// The answer of each URL.
    pub(super) async fn ask_all(&self, urls: BTreeSet<String>) -> BTreeMap<String, Answer> {
        let asked = urls.into_iter().map(|url| async move {
            let answer = self.ask(&url).await;
            (url, answer)
        });
        futures_util::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await
    }

    async fn ask(&self, url: &str) -> Answer {
        let Ok(url) = Url::parse(url) else { return Answer::Unreachable };
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        // The resolver is not called for IP addresses.
        if literal.is_some_and(|address: IpAddr| !self.guard.permits(address)) {
            return Answer::Private;
        }
        let patience = Duration::from_secs(Rule::OnlineAnswer.figure() as u64);
        tokio::time::timeout(patience, self.status(url)).await.unwrap_or(Answer::Late)
    }

    /// Some servers refuse HEAD, so a bad answer is asked for again with GET, whose body is not read.
    async fn status(&self, url: Url) -> Answer {
        match self.send(Method::HEAD, url.clone()).await {
            Answer::Status(400..) => self.send(Method::GET, url).await,
            head => head,
        }
    }

    async fn send(&self, method: Method, url: Url) -> Answer {
        match self.client.request(method, url).send().await {
            Ok(answer) => Answer::Status(StatusCode::as_u16(&answer.status())),
            Err(error) => failed(&error),
        }
    }
}

fn failed(error: &reqwest::Error) -> Answer {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<Refused>() {
            return Answer::Private;
        }
        if inner.is::<Unknown>() {
            return Answer::Unresolved;
        }
        cause = inner.source();
    }
    if error.is_timeout() { Answer::Late } else { Answer::Unreachable }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers each path `/STATUS`, and HEAD of `/get` with 405. Returns its port.
    async fn server() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                let mut bytes = vec![0; 4096];
                let read = peer.read(&mut bytes).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                let path = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
                let status = match path.trim_start_matches('/') {
                    "get" if text.starts_with("HEAD") => "405".to_owned(),
                    "get" => "200".to_owned(),
                    status => status.to_owned(),
                };
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                _ = peer.write_all(answer.as_bytes()).await;
            }
        });
        port
    }

    /// Knows `shop.example`, which is this machine.
    fn asker(is_sandbox: bool) -> Asker {
        let names = |name: String| -> futures_util::future::BoxFuture<'static, _> {
            Box::pin(async move {
                match name.as_str() {
                    "shop.example" => Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))]),
                    "inside.example" => Ok(vec![SocketAddr::from(([10, 0, 0, 1], 0))]),
                    _ => Ok(Vec::new()),
                }
            })
        };
        Asker::with_names(is_sandbox, Arc::new(names)).unwrap()
    }

    #[tokio::test]
    async fn a_status_is_told_a_redirection_not_followed_and_a_refused_head_repeated_as_get() {
        let port = server().await;
        let of = |path: &str| format!("http://shop.example:{port}/{path}");
        let paths = [("200", 200), ("302", 302), ("404", 404), ("500", 500), ("get", 200)];
        let answers = asker(true).ask_all(paths.iter().map(|(path, _)| of(path)).collect()).await;
        for (path, status) in paths {
            assert_eq!(answers[&of(path)], Answer::Status(status), "{path}");
        }
    }

    #[tokio::test]
    async fn private_addresses_are_never_asked_and_this_machine_at_a_sandbox_only() {
        for (is_sandbox, url, answer) in [
            (false, "https://shop.example/", Answer::Private),
            (true, "http://inside.example/", Answer::Private),
            (false, "https://10.0.0.1/", Answer::Private),
            (true, "http://169.254.169.254/", Answer::Private),
            (false, "https://[::1]/", Answer::Private),
            (false, "https://nowhere.example/", Answer::Unresolved),
        ] {
            let answers = asker(is_sandbox).ask_all(BTreeSet::from([url.to_owned()])).await;
            assert_eq!(answers[url], answer, "{url}");
        }
    }
}
