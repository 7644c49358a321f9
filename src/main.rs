//! The `voice-relay` command.

use std::process::ExitCode;

use clap::Parser;
use voice_relay::commands::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    small_pages();
    end_with_reader();
    let cli = Cli::parse();
    if let Some(code) = commands::run_alone(&cli) {
        return code;
    }
    let _installed_once = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => {
            eprintln!("voice-relay: the runtime cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `voice-relay talk … | head -1` ends when its reader does, as 128 + SIGPIPE: printing to nobody panics otherwise.
fn end_with_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>();
        if said.is_some_and(|said| said.starts_with("failed printing to stdout") && said.contains("Broken pipe")) {
            std::process::exit(141);
        }
        usual(panic);
    }));
}

/// A huge page is 2 MiB of memory for the first byte touched in it: with many small sessions twice what they use, and it
/// makes neither them nor the embedded engines faster. A kernel that cannot be told so is no reason not to serve.
fn small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
