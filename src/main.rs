//! The program. All its code is in the library's `cli`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // An error means that the provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ringmaster::cli::main()
}
