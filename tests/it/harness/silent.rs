//! A way to a PostgreSQL server that stops forwarding, as if the server were stopped: it accepts connections, and nothing comes
//! back.

use std::path::Path;

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

pub(crate) struct Silent {
    address: std::net::SocketAddr,
    forwards: watch::Sender<bool>,
}

impl Silent {
    /// Forwards to the socket until it is told to stop.
    pub(crate) async fn before(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, forwards) = (listener.local_addr().unwrap(), watch::Sender::new(true));
        let (socket, told) = (socket.to_owned(), forwards.subscribe());
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let (socket, told) = (socket.clone(), told.clone());
                tokio::spawn(async move { forward(near, &socket, told).await });
            }
        });
        Self { address, forwards }
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }

    /// From now on nothing passes, and what is connected stays so.
    pub(crate) fn stop(&self) {
        self.forwards.send_replace(false);
    }

    /// New connections are forwarded again.
    pub(crate) fn go_on(&self) {
        self.forwards.send_replace(true);
    }
}

async fn forward(mut near: TcpStream, socket: &Path, mut told: watch::Receiver<bool>) {
    if !*told.borrow() {
        return std::future::pending().await;
    }
    let mut far = UnixStream::connect(socket).await.unwrap();
    let stops = async { drop(told.wait_for(|forwards| !*forwards).await) };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        () = stops => std::future::pending().await,
    }
}
