//! How a command that runs on is stopped: politely by the first signal, at once by the second. And what else
//! signals may not do: a file that has reached its limit is an error of the write, not the end of the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that a signal interrupted, by the custom of shells.
const INTERRUPTED: i32 = 130;

/// Is canceled by the first SIGINT or SIGTERM; a second one ends the process.
///
/// The second one ends it within the signal's own handler, which the kernel runs on any thread that exists: also
/// while every thread of the runtime is busy or stuck.
pub(super) fn on_signal() -> std::io::Result<CancellationToken> {
    let asked = Arc::new(AtomicBool::new(false));
    for number in [SIGINT, SIGTERM] {
        // Handlers run in the order in which they are registered: the first signal only sets the flag.
        flag::register_conditional_shutdown(number, INTERRUPTED, asked.clone())?;
        flag::register(number, asked.clone())?;
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stopped.cancel();
    });
    Ok(stop)
}

/// Lets a write past the limit for files (RLIMIT_FSIZE) fail with an error, as a full disk does. Without a handler
/// the kernel ends the process.
pub(super) fn survive_file_limits() -> std::io::Result<()> {
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(drop)
}
