//! The `voice-relay` command.

use std::process::ExitCode;

use clap::Parser;
use voice_relay::commands::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
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
