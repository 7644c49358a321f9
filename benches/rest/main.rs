//! What requests cost beside a bare axum and sqlx that asks the same of the same database; see docs/benchmarks.md.
//!
//! The relay is the release binary, in a process of its own; so is the reference, which is this executable. Both serve the
//! same data to the same load in turns, so that whatever else the machine does is in both.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark that cannot go on stops")]

mod bare;
mod cases;
mod data;
mod http;
mod process;
mod voices;

use std::path::PathBuf;

/// Set for the process that is the reference: the URL of its database.
const BARE: &str = "VOICE_RELAY_BENCH_BARE";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(database) = std::env::var(BARE) {
        return runtime.block_on(bare::serve(&database));
    }
    let build = if cfg!(debug_assertions) { "a development build: only a release build counts" } else { "release" };
    println!("REST, {build}; {} connections, a case 3 × {} s each\n", cases::CONNECTIONS, cases::SLICE.as_secs());
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        run("SQLite", String::new(), folder.path().to_owned()).await;
        match std::env::var("VOICE_RELAY_TEST_POSTGRES") {
            Ok(url) => run("PostgreSQL", url, folder.path().join("beside")).await,
            Err(_) => println!("PostgreSQL: not measured, VOICE_RELAY_TEST_POSTGRES names none"),
        }
    });
}

/// Whether this part is to run: the only one that was named, or any where none was.
fn asked_for(part: &str) -> bool {
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    named.is_empty() || named.iter().any(|name| name == part)
}

/// Everything on one database; an empty URL is SQLite in `folder`.
async fn run(name: &str, url: String, folder: PathBuf) {
    std::fs::create_dir_all(&folder).unwrap();
    let world = data::fill(&url, &folder).await;
    let relay = process::relay(&url, &folder, &world.admin);
    let bare = process::bare(&url, &folder);
    println!("{name}: {} sessions, {} messages, {} folders", data::SESSIONS, data::MESSAGES, data::FOLDERS);
    let token = cases::link(&world, &relay).await;
    if asked_for("cases") {
        cases::run(&world, &relay, &bare, &token).await;
    }
    if asked_for("voices") {
        voices::run(&world, &relay, &bare, &token).await;
    }
    println!();
}
