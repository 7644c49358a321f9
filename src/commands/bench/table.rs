//! A report for people at a terminal.

use std::fmt;

use super::{
    report::{AUDIO_TO_CLIENT, FRAME_TO_PROVIDER, Report, Row},
    spread::Spread,
};

/// What is promised: its name, where it stands in a row, the most it may be, and of what.
type Aim = (&'static str, fn(&Row) -> Option<f64>, f64, &'static str);

/// The promises, held against the largest round.
const AIMS: [Aim; 6] = [
    ("CPU of a session", |row| Some(row.relay?.cpu_percent), 0.3, "% of a core"),
    ("memory of a session", |row| Some(row.relay?.memory_kib), 150.0, "KiB"),
    ("turn's end to first audio, p95", |row| row.added.p95, 15.0, "ms"),
    ("frame in to provider, p99", |row| row.way(FRAME_TO_PROVIDER).p99, 10.0, "ms"),
    ("provider audio to client, p99", |row| row.way(AUDIO_TO_CLIENT).p99, 10.0, "ms"),
    ("certain interruption to flush, p95", |row| row.flush.p95, 60.0, "ms"),
];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; {} s a round", self.machine, self.seconds)?;
        self.costs(f)?;
        self.latencies(f)?;
        self.counts(f)?;
        self.aims(f)
    }
}

impl Report {
    fn costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\ncost of a session     CPU, % of a core                       memory, KiB        generator")?;
        writeln!(f, "sessions        talking   silent     echo    ratio     talking   silent     CPU %  late p99 ms")?;
        for row in &self.rounds {
            let (relay, echo) = (row.relay.as_ref(), row.reference.as_ref());
            write!(f, "{:>8}", row.sessions)?;
            write!(f, "{:>15}", shown(relay.map(|cost| cost.cpu_percent), 3))?;
            write!(f, "{:>9}", shown(relay.map(|cost| cost.silent_cpu_percent), 3))?;
            write!(f, "{:>9}", shown(echo.map(|cost| cost.cpu_percent), 3))?;
            write!(f, "{:>9}", shown(row.cpu_ratio, 2))?;
            write!(f, "{:>12}", shown(relay.map(|cost| cost.memory_kib), 0))?;
            write!(f, "{:>9}", shown(relay.map(|cost| cost.silent_memory_kib), 0))?;
            write!(f, "{:>10}", shown(row.generator_percent, 1))?;
            writeln!(f, "{:>13}", shown(row.lateness.p99, 1))?;
        }
        Ok(())
    }

    fn latencies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nlatency, ms       turn's end to first audio      certain interruption to flush  onset to last audio"
        )?;
        let head = "    of    p50    p95    p99   ";
        writeln!(f, "sessions      {head}{head}{head}")?;
        for row in &self.rounds {
            write!(f, "{:>8}      ", row.sessions)?;
            for spread in [row.added, row.flush, row.onset_to_last_audio] {
                write!(f, "{:>6}{spread}   ", spread.count)?;
            }
            writeln!(f)?;
        }
        let Some(last) = self.rounds.last().filter(|row| !row.server.is_empty()) else { return Ok(()) };
        writeln!(f, "\nthe relay's own view at {} sessions, ms, upper bounds", last.sessions)?;
        for (name, Spread { count, p50, p95, p99, .. }) in &last.server {
            let bound = |bound: Option<f64>| bound.map_or_else(|| "-".to_owned(), |bound| bound.to_string());
            let (p50, p95, p99) = (bound(*p50), bound(*p95), bound(*p99));
            writeln!(f, "  {name:<60}{p50:>7}{p95:>7}{p99:>7}   of {count}")?;
        }
        Ok(())
    }

    fn counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nsessions  utterances turns answered interrupted | unheard unanswered failed strays errors closed"
        )?;
        for row in &self.rounds {
            let counts = row.counts;
            write!(f, "{:>8}{:>12}{:>6}", row.sessions, counts.utterances, counts.turns)?;
            write!(f, "{:>9}{:>12} |", counts.answered, counts.interrupted)?;
            write!(f, "{:>8}{:>11}{:>7}", counts.unheard, counts.unanswered, counts.failed)?;
            writeln!(f, "{:>7}{:>7}{:>9}{:>7}", counts.strays, counts.errors, counts.unplaced, counts.closed)?;
        }
        Ok(())
    }

    fn aims(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(last) = self.rounds.last() else { return Ok(()) };
        writeln!(f, "\nagainst the aims, at {} sessions", last.sessions)?;
        for (name, value, aim, unit) in AIMS {
            let value = value(last);
            let met = value.map_or("not measured", |value| if value <= aim { "met" } else { "MISSED" });
            writeln!(f, "  {name:<36}{:>9}   aim {aim} {unit}: {met}", shown(value, 2))?;
        }
        if let Some(reference) = last.reference_received_kib {
            let relay = last.received_kib;
            writeln!(f, "  received by a session, KiB: {relay:.0} of the relay, {reference:.0} of the echo")?;
        }
        let spoiled = last.counts.spoiled;
        writeln!(
            f,
            "  {:<36}{spoiled:>9}   aim 0: {}",
            "sessions with any fault",
            if spoiled == 0 { "met" } else { "MISSED" }
        )
    }
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}
