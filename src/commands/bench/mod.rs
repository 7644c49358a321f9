//! `voice-relay bench`: what a live session costs, and how long it keeps people waiting.
//!
//! [`tape`] is what is said, [`round`] says it in many sessions at once, [`witness`] watches one of them, [`cost`] the
//! process under load, which [`child`] started; [`echo`] is the reference. [`report`] is what was found, [`table`] and
//! [`plot`] show it. docs/benchmarks.md explains the method.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use providers::Secret;
use serde_json::json;
use tokio_tungstenite::tungstenite::Utf8Bytes;

mod child;
mod cost;
mod echo;
mod embedded;
mod plot;
mod report;
mod round;
mod scrape;
mod spread;
mod table;
mod tape;
mod usage;
mod witness;

use self::{
    child::{Engines, Process},
    echo::Order,
    report::{Report, Row},
    round::{Outcome, Round, Target},
    tape::{Pauses, Tape},
    usage::Machine,
    witness::Detection,
};
use super::{Failure, serve};
use crate::{clock::Clock, config::Config};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// How many sessions talk at the same time, a round each
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1, 10, 50, 100, 200],
        value_parser = clap::value_parser!(u16).range(1..))]
    sessions: Vec<u16>,
    /// How long a round talks
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..=3600))]
    seconds: u64,
    /// Every how many-th reply is interrupted; 0 for none
    #[arg(long, value_name = "K", default_value_t = 3)]
    interrupt: usize,
    /// Recorded speech to talk with: WAV files
    #[arg(long, value_name = "DIR", default_value = "samples")]
    samples: PathBuf,
    /// Load this relay, not one started for the purpose: its CPU and memory stay unknown
    #[arg(long, value_name = "URL", requires = "key")]
    url: Option<String>,
    /// Its key
    #[arg(long, value_name = "KEY", env = "VOICE_RELAY_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Measure the embedded engines in one session, not the relay alone in many
    #[arg(long, conflicts_with_all = ["url", "svg", "json"])]
    embedded: bool,
    /// Where to write what was found, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to draw how it grows, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Part {
    /// The reference, which `bench` starts itself
    #[command(hide = true)]
    Echo,
}

/// Turn detection, as every session is told: the protocol's defaults, and the relay's for an interruption.
const DETECTION: Detection = Detection {
    silence: Duration::from_millis(500),
    padding: Duration::from_millis(300),
    overlap: Duration::from_millis(160),
};
/// A reply of 3 s, and a moment.
const HEARD: Duration = Duration::from_millis(3_700);
/// Into the reply, before it is interrupted.
const INTO: Duration = Duration::from_millis(1_200);
/// All are silent before any talks, so that silence is measured too.
const LEAD_IN: Duration = Duration::from_secs(3);
/// How long the first session talks: a turn and its answer.
const FIRST: Duration = Duration::from_secs(6);
/// Longer recordings would leave few turns in a round.
const LONGEST: Duration = Duration::from_secs(4);

pub(super) async fn run(arguments: Arguments, config: &Config) -> Result<(), Failure> {
    if let Some(Part::Echo) = arguments.part {
        return echo::serve().await;
    }
    let measured = async {
        match arguments.embedded {
            true => embedded::run(&arguments.samples, config).await,
            false => many(&arguments).await,
        }
    };
    // Whoever stops us stops the processes we have started, which end as `measured` is dropped.
    tokio::select! {
        done = measured => done,
        () = serve::stopped() => Err(Failure::Other("stopped".into())),
    }
}

async fn many(arguments: &Arguments) -> Result<(), Failure> {
    let machine = Machine::this();
    let recordings = tape::read(&arguments.samples, LONGEST)?;
    let pauses = Pauses {
        lead_in: LEAD_IN,
        full: DETECTION.silence + HEARD,
        short: DETECTION.silence + INTO,
        every: arguments.interrupt,
    };
    let tape = Arc::new(Tape::new(&recordings, pauses));
    let mut report =
        Report { version: env!("CARGO_PKG_VERSION"), machine, seconds: arguments.seconds, rounds: Vec::new() };
    for sessions in &arguments.sessions {
        let round = Round {
            tape: Arc::clone(&tape),
            sessions: usize::from(*sessions),
            lasts: LEAD_IN + Duration::from_secs(arguments.seconds),
            detection: DETECTION,
            clock: Clock::system(),
        };
        eprintln!("bench: {sessions} sessions for {} s", round.lasts.as_secs());
        let row = match arguments.url.as_deref().zip(arguments.key.as_deref()) {
            Some((url, key)) => theirs(&round, url, &key.to_owned().into()).await?,
            None => ours(&round).await?,
        };
        report.rounds.push(row);
    }
    println!("{report}");
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&report).map_err(|error| Failure::Other(error.to_string()))?;
        write(path, &text)?;
    }
    if let Some(path) = &arguments.svg {
        write(path, &plot::svg(&report))?;
    }
    Ok(())
}

/// A round against a relay of our own, then the same against the bare echo. One session comes and goes before, so that
/// what a process touches first when it is used at all is not laid to those that are measured.
async fn ours(round: &Round) -> Result<Row, Failure> {
    let relay = Process::relay(Engines::Scripted).await?;
    let first = Round { sessions: 1, lasts: LEAD_IN + FIRST, ..round.clone() };
    first.run(Target::ours(&relay)).await?;
    let outcome = round.run(Target::ours(&relay)).await?;
    let order = Order::like(&outcome);
    let server = scrape::latencies(&relay).await;
    drop(relay);
    let mut row = Row::new(round, outcome, server);
    row.compare(&reference(round, order).await?);
    Ok(row)
}

async fn theirs(round: &Round, url: &str, key: &Secret) -> Result<Row, Failure> {
    let target = Target { url, key, process: None, greeting: greeting() };
    Ok(Row::new(round, round.run(target).await?, Default::default()))
}

async fn reference(round: &Round, order: Order) -> Result<Outcome, Failure> {
    let echo = Process::reference().await?;
    let greeting = serde_json::to_string(&order).map_err(|error| Failure::Other(error.to_string()))?;
    Ok(round.run(Target { greeting: greeting.into(), ..Target::ours(&echo) }).await?)
}

impl<'a> Target<'a> {
    fn ours(process: &'a Process) -> Self {
        Self { url: &process.url, key: &process.key, process: Some(process), greeting: greeting() }
    }
}

impl Order {
    /// As much as the relay sent, in as many messages.
    fn like(outcome: &Outcome) -> Self {
        let messages: u64 = outcome.notes.iter().map(|notes| notes.messages).sum();
        let bytes: u64 = outcome.notes.iter().map(|notes| notes.bytes).sum();
        let received = outcome.messages * outcome.notes.len();
        Self {
            ratio: messages as f64 / received.max(1) as f64,
            length: usize::try_from(bytes / messages.max(1)).unwrap_or(usize::MAX),
        }
    }
}

/// The first message of every session.
fn greeting() -> Utf8Bytes {
    let input = json!({
        "format": { "type": "audio/pcm", "rate": 24_000 },
        "transcription": { "model": "whisper-1" },
        "turn_detection": {
            "type": "server_vad",
            "silence_duration_ms": DETECTION.silence.as_millis(),
            "prefix_padding_ms": DETECTION.padding.as_millis(),
        },
    });
    let session = json!({ "type": "realtime", "audio": { "input": input } });
    json!({ "type": "session.update", "session": session }).to_string().into()
}

fn write(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::Other(format!("{}: {error}", path.display())))
}
