//! Voices while requests are answered: what live sessions wait longer for it.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    process::Command,
    time::{MissedTickBehavior, interval},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    cases::asked,
    data::World,
    http::Client,
    process::{Server, binary},
};

const SESSIONS: &str = "100";
const SECONDS: &str = "20";
/// Requests of all kinds together.
const PER_SECOND: u32 = 100;

pub(crate) async fn run(world: &World, relay: &Server) {
    let folder = tempfile::tempdir().unwrap();
    let alone = talk(world, relay, &folder.path().join("alone.json")).await;
    let busy = tokio::spawn(keep_asking(relay.address.clone(), asked(world, "none").map(|(_, asked)| asked)));
    let _busy = AbortOnDropHandle::new(busy);
    let beside = talk(world, relay, &folder.path().join("beside.json")).await;
    println!("{SESSIONS} voices, ms added before the first audio, p50 / p95 / p99");
    for (name, row) in [("alone", &alone), ("beside 100 requests/s", &beside)] {
        let added = |percent: &str| row["added"][percent].as_f64().unwrap_or_default();
        println!("{name:<24}{:>8.1}{:>8.1}{:>8.1}", added("p50"), added("p95"), added("p99"));
    }
}

/// One round of the relay's own benchmark.
async fn talk(world: &World, relay: &Server, file: &Path) -> Value {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
    let url = format!("http://{}", relay.address);
    let mut command = Command::new(binary());
    command.args(["bench", "--sessions", SESSIONS, "--seconds", SECONDS, "--samples", samples, "--url", &url]);
    command.arg("--json").arg(file).env("VOICE_RELAY_KEY", &world.key).stdout(Stdio::null());
    assert!(command.status().await.unwrap().success(), "the voices could not talk");
    let report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    report["rounds"][0].clone()
}

/// Asks one after another, as often as said.
async fn keep_asking(address: String, questions: [Vec<u8>; 5]) {
    let mut clients = Vec::new();
    for _ in &questions {
        clients.push(Client::to(&address).await);
    }
    let mut ticks = interval(Duration::from_secs(1) / PER_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for n in (0..questions.len()).cycle() {
        ticks.tick().await;
        clients[n].ask(&questions[n]).await;
    }
}
