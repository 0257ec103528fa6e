//! The program: everything is in the library's `cli`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The provider can be installed already only by ourselves, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ringmaster::cli::main()
}
