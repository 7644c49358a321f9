//! Voices while requests are answered: what live sessions wait longer for it.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    process::Command,
    time::{MissedTickBehavior, interval},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    cases::{asked, references},
    data::World,
    http::Client,
    process::{BINARY, Server},
};

const SESSIONS: &str = "100";
const SECONDS: &str = "20";
/// Requests of all kinds together.
const PER_SECOND: u32 = 100;

/// Rounds of each kind, in turns; the one in the middle counts.
const ROUNDS: usize = 3;

/// A kind of round: its name and, if something is asked meanwhile, what and of whom.
type Kind<'a> = (&'static str, Option<(&'a Server, [Vec<u8>; 5])>);

pub(crate) async fn run(world: &World, relay: &Server, bare: &Server, token: &str) {
    let folder = tempfile::tempdir().unwrap();
    let kinds: [Kind<'_>; 3] = [
        ("alone", None),
        ("beside the relay's own", Some((relay, asked(world, token)))),
        ("beside the reference's", Some((bare, references(world, token)))),
    ];
    let mut rounds = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((_, beside), rounds) in kinds.iter().zip(&mut rounds) {
            let asking = beside.clone().map(|(server, questions)| {
                AbortOnDropHandle::new(tokio::spawn(keep_asking(server.address.clone(), questions)))
            });
            rounds.push(talk(world, relay, &folder.path().join("round.json")).await);
            drop(asking);
            relay.rest().await;
        }
    }
    println!(
        "{SESSIONS} voices beside {PER_SECOND} requests/s, ms added before the first audio, p50 / p95 / p99 (of each round)"
    );
    for ((name, _), rounds) in kinds.iter().zip(rounds) {
        let sorted = |percent: &str| {
            let mut all: Vec<f64> =
                rounds.iter().map(|row| row["added"][percent].as_f64().unwrap_or_default()).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let middle = |percent: &str| sorted(percent)[ROUNDS / 2];
        println!(
            "{name:<24}{:>8.1}{:>8.1}{:>8.1}   {:.1?}",
            middle("p50"),
            middle("p95"),
            middle("p99"),
            sorted("p99")
        );
    }
}

/// One round of the relay's own benchmark.
async fn talk(world: &World, relay: &Server, file: &Path) -> Value {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
    let url = format!("http://{}", relay.address);
    let mut command = Command::new(BINARY);
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
