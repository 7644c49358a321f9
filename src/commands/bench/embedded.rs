//! The embedded engines, one session at a time: how long a person waits for the first sound of an answer.

use std::{path::Path, sync::Arc, time::Duration};

use super::{DETECTION, Engines, Machine, Pauses, Process, Round, Tape, Target, spread::Spread, tape, witness::Notes};
use crate::{clock::Clock, commands::Failure, config::Config};

/// After words: the engines think as long as they need, and what they say is heard.
const PAUSE: Duration = Duration::from_secs(10);

pub(super) async fn run(samples: &Path, config: &Config) -> Result<(), Failure> {
    let machine = Machine::this();
    let recordings = tape::read(samples, Duration::MAX)?;
    let pauses = Pauses { lead_in: Duration::from_secs(1), full: PAUSE, short: PAUSE, every: 0 };
    let tape = Arc::new(Tape::new(&recordings, pauses));
    let lasts = tape.duration();
    eprintln!("bench: {} utterances, {} s", recordings.len(), lasts.as_secs());
    let round = Round { tape, sessions: 1, lasts, detection: DETECTION, clock: Clock::system() };
    let relay = Process::relay(Engines::Embedded(&config.models.dir)).await?;
    let outcome = round.run(Target::ours(&relay)).await?;
    let Some(notes) = outcome.notes.first() else { return Ok(()) };
    show(&machine, notes);
    match &notes.closed {
        None => Ok(()),
        Some(reason) => Err(Failure::Other(format!("the session was lost: {reason}"))),
    }
}

/// Turns end with the silence that ends them, so the person waits that much longer.
fn show(machine: &Machine, notes: &Notes) {
    println!("{machine}\n");
    println!("embedded engines, ms                    p50    p95    p99");
    let rows = [("to the transcript", &notes.transcripts), ("to the first reply audio", &notes.answers)];
    for (name, spans) in rows {
        let spread = Spread::of(spans.iter().copied());
        println!("from the end of the turn {name:<25}\n{:>34}{spread}", "");
        println!("from the end of speech {name:<27}\n{:>34}{}", "", spread.shifted(DETECTION.silence));
    }
    println!(
        "\n{} turns, {} answered, {} unanswered, {} failed, {} errors",
        notes.turns.len(),
        notes.answers.len(),
        notes.unanswered,
        notes.failed,
        notes.errors
    );
}
