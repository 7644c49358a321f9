//! The `voice-relay` command.

use std::process::ExitCode;

use clap::Parser;
use voice_relay::commands::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    small_pages();
    let cli = Cli::parse();
    let _installed_once = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => {
            eprintln!("voice-relay: the runtime cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A huge page is 2 MiB of memory for the first byte touched in it: with many small sessions twice what they use, and it
/// makes neither them nor the embedded engines faster. A kernel that cannot be told so is no reason not to serve.
fn small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
