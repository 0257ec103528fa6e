//! The address at which the platform reaches the nodes: each connection goes to a node that accepts it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// A node that does not accept within this time is passed over.
const CONNECT: Duration = Duration::from_secs(1);

/// Forwards connections until its task is ended.
pub(super) async fn forward(listener: TcpListener, nodes: Vec<SocketAddr>) {
    let mut first = 0_usize;
    while let Ok((mut client, _)) = listener.accept().await {
        first = first.wrapping_add(1);
        let nodes = nodes.clone();
        tokio::spawn(async move {
            for turn in 0..nodes.len() {
                let node = nodes[first.wrapping_add(turn) % nodes.len()];
                let connected = tokio::time::timeout(CONNECT, TcpStream::connect(node)).await;
                let Ok(Ok(mut node)) = connected else { continue };
                // A node that dies ends the connection; the platform repeats what it sends often enough.
                let _ = copy_bidirectional(&mut client, &mut node).await;
                return;
            }
        });
    }
}
