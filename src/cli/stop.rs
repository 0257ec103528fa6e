//! Signals: the first SIGINT or SIGTERM stops a command gracefully, the second one at once. A file that has reached
//! its size limit is an error of the write, not the end of the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that a signal interrupted, as shells expect it.
const INTERRUPTED: i32 = 130;

/// A token that the first SIGINT or SIGTERM cancels. A second one ends the process.
///
/// The second one ends it in the signal handler, which the kernel can run on any thread, also while all threads of
/// the runtime are busy or stuck.
pub(super) fn on_signal() -> std::io::Result<CancellationToken> {
    let asked = Arc::new(AtomicBool::new(false));
    for number in [SIGINT, SIGTERM] {
        // Handlers run in the order of their registration, so the first signal only sets the flag.
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

/// Makes a write past the file size limit (RLIMIT_FSIZE) fail with an error, like a full disk. Without a handler,
/// the kernel ends the process.
pub(super) fn survive_file_limits() -> std::io::Result<()> {
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(drop)
}
