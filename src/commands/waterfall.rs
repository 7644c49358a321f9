//! Where the time of one turn went, as seen by a client: a row a stage, a bar to scale.

use std::{fmt, time::Duration};

/// The instants of one turn, each counted from the end of the person's speech.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waterfall {
    /// The relay decided that the turn had ended.
    pub(super) endpoint: Option<Duration>,
    /// The final transcript was there.
    pub(super) transcript: Option<Duration>,
    /// The first word of the reply.
    pub(super) first_text: Option<Duration>,
    /// The first sound of the reply.
    pub(super) first_audio: Option<Duration>,
    /// `response.done`.
    pub(super) done: Option<Duration>,
}

const WIDTH: f64 = 40.0;

impl fmt::Display for Waterfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stages = [
            ("end of turn", self.endpoint),
            ("transcript", self.transcript),
            ("first word", self.first_text),
            ("first audio", self.first_audio),
            ("reply done", self.done),
        ];
        let total = stages.iter().filter_map(|(_, at)| *at).max().unwrap_or_default().as_secs_f64().max(0.001);
        let mut before = Duration::ZERO;
        writeln!(f, "latency, from the end of speech")?;
        for (name, at) in stages {
            let Some(at) = at else { continue };
            let start = (before.min(at).as_secs_f64() / total * WIDTH) as usize;
            let length = ((at.saturating_sub(before).as_secs_f64() / total * WIDTH) as usize).max(1);
            let spent = at.saturating_sub(before).as_millis();
            writeln!(
                f,
                "  {name:<12}{:>6} ms  {:>6} ms  {}{}",
                at.as_millis(),
                format!("+{spent}"),
                " ".repeat(start),
                "█".repeat(length)
            )?;
            before = before.max(at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_that_did_not_happen_have_no_row() {
        let shown = Waterfall {
            endpoint: Some(Duration::from_millis(500)),
            done: Some(Duration::from_secs(1)),
            ..Waterfall::default()
        };
        let shown = shown.to_string();
        assert_eq!(shown.lines().count(), 3, "{shown}");
        assert!(shown.contains("+500 ms"), "{shown}");
    }
}
