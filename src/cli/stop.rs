//! How a command that runs on is stopped: politely by the first signal, at once by the second.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that a signal interrupted, by the custom of shells.
const INTERRUPTED: i32 = 130;

/// Is canceled by the first SIGINT or SIGTERM; a second one ends the process.
pub(super) fn on_signal() -> std::io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        for exit in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if exit {
                std::process::exit(INTERRUPTED);
            }
            stopped.cancel();
        }
    });
    Ok(stop)
}
