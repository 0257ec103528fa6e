//! The program. All its code is in the library's `cli`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Numbers of consumers and hashes of tokens are in the files that this program makes: for their owner only.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // An error means that the provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ringmaster::cli::main()
}
