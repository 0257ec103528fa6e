//! The listeners of the daemon: one port for the platforms and one for all other clients, or one port for all.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::wiring;
use crate::config::{Config, Http};
use crate::http::Doors;
use crate::http::server::serve;

pub(super) struct Listeners {
    api: TcpListener,
    /// Absent where everything is served on one port.
    hooks: Option<TcpListener>,
}

impl Listeners {
    pub(super) async fn bind(http: &Http, given: Option<TcpListener>) -> anyhow::Result<Self> {
        if let Some(api) = given {
            return Ok(Self { api, hooks: None });
        }
        let api = bind(http.listen, "http.listen").await?;
        if http.hooks_listen == http.listen {
            tracing::warn!(
                "API and hooks share one port (http.hooks_listen is http.listen): many or slow API clients can \
                 keep Twilio's requests out"
            );
            return Ok(Self { api, hooks: None });
        }
        Ok(Self { api, hooks: Some(bind(http.hooks_listen, "http.hooks_listen").await?) })
    }

    /// Of the API, and of the hooks.
    pub(super) fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        let api = self.api.local_addr()?;
        let hooks = self.hooks.as_ref().map_or(Ok(api), TcpListener::local_addr)?;
        Ok((api, hooks))
    }

    pub(super) fn serve(
        self,
        doors: &Doors,
        config: &Config,
        shutdown: &CancellationToken,
    ) -> Vec<JoinHandle<()>> {
        let serve =
            |listener, router, options| tokio::spawn(serve(listener, router, options, shutdown.clone()));
        let hooks_options = wiring::hooks_server_options(config);
        match self.hooks {
            Some(hooks) => vec![
                serve(self.api, doors.api(), wiring::server_options(config)),
                serve(hooks, doors.hooks(), hooks_options),
            ],
            // The platforms ask here as well, so no address has a limit of connections.
            None => {
                let options = wiring::server_options(config);
                vec![serve(
                    self.api,
                    doors.together(),
                    crate::http::server::ServerOptions { connections_per_peer_max: None, ..options },
                )]
            }
        }
    }
}

async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} ({key})"))
}
