//! What every session says, encoded once: real speech with pauses, as ready-made messages of 20 ms.
//!
//! The tape is a loop. Sessions play it from different places, after a lead-in of silence. Some pauses are so short that
//! the next words fall into the reply: those interrupt.

use std::{ops::Range, path::Path, time::Duration};

use audio::SampleRate;
use base64::{Engine, prelude::BASE64_STANDARD};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::commands::Failure;

/// Sound in one message.
pub(super) const STEP: Duration = Duration::from_millis(20);

/// A loop of messages, and where in it somebody speaks.
#[derive(Debug)]
pub(super) struct Tape {
    frames: Vec<Utf8Bytes>,
    spoken: Vec<Range<usize>>,
    silence: Utf8Bytes,
    /// Frames of silence that every session begins with.
    lead_in: usize,
}

/// How long it is quiet after words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    /// Before anything is said.
    pub(super) lead_in: Duration,
    /// So that the reply is heard to its end.
    pub(super) full: Duration,
    /// So that the next words fall into the reply.
    pub(super) short: Duration,
    /// Every how many-th pause is short; 0 for none.
    pub(super) every: usize,
}

/// Reads all recordings of a folder, in the order of their names, that last at most `longest`; at 24 kHz.
pub(super) fn read(folder: &Path, longest: Duration) -> Result<Vec<Vec<i16>>, Failure> {
    let told = |reason: &dyn std::fmt::Display| Failure::Other(format!("{}: {reason}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(|error| told(&error))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
    paths.sort();
    let mut recordings = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).map_err(|error| told(&error))?;
        let clip = audio::media::decode(bytes, Duration::from_secs(600)).map_err(|error| told(&error))?;
        if clip.duration() <= longest {
            let clip = clip.resampled(SampleRate::HZ_24000).map_err(|error| told(&error))?;
            recordings.push(clip.samples);
        }
    }
    if recordings.is_empty() {
        return Err(told(&"there is no recording; name the folder `samples` of the source with --samples"));
    }
    Ok(recordings)
}

impl Tape {
    /// Speaks the recordings one after the other.
    pub(super) fn new(recordings: &[Vec<i16>], pauses: Pauses) -> Self {
        let samples = SampleRate::HZ_24000.samples_in(STEP);
        let silence = append(&vec![0; samples]);
        let (mut frames, mut spoken) = (Vec::new(), Vec::new());
        for (index, recording) in recordings.iter().enumerate() {
            let from = frames.len();
            for chunk in recording.chunks(samples) {
                let mut chunk = chunk.to_vec();
                chunk.resize(samples, 0);
                frames.push(append(&chunk));
            }
            spoken.push(from..frames.len());
            let short = pauses.every > 0 && (index + 1) % pauses.every == 0;
            let pause = if short { pauses.short } else { pauses.full };
            frames.extend(std::iter::repeat_n(silence.clone(), steps(pause)));
        }
        Self { frames, spoken, silence, lead_in: steps(pauses.lead_in) }
    }

    /// Message number `index` of a session that begins at `offset` in the loop.
    pub(super) fn frame(&self, offset: usize, index: usize) -> Utf8Bytes {
        match index.checked_sub(self.lead_in) {
            None => self.silence.clone(),
            Some(played) => self.frames[(offset + played) % self.frames.len()].clone(),
        }
    }

    /// Where session number `index` of `sessions` begins, so that they do not all speak at once.
    pub(super) fn offset(&self, index: usize, sessions: usize) -> usize {
        self.frames.len() * index / sessions.max(1)
    }

    /// Positions in a session's stream where somebody speaks, from the first word to the last, before message `until`.
    pub(super) fn utterances(&self, offset: usize, until: usize) -> Vec<Range<Duration>> {
        let mut found = Vec::new();
        for round in 0..=(until / self.frames.len() + 1) {
            for words in &self.spoken {
                let start = (self.lead_in + round * self.frames.len() + words.start).checked_sub(offset);
                let Some(start) = start.filter(|start| *start >= self.lead_in) else { continue };
                let end = start + words.len();
                if end <= until {
                    found.push(span(start)..span(end));
                }
            }
        }
        found
    }

    /// The silence that every session begins with.
    pub(super) fn lead_in(&self) -> Duration {
        span(self.lead_in)
    }

    /// One time through, from the beginning.
    pub(super) fn duration(&self) -> Duration {
        span(self.lead_in + self.frames.len())
    }
}

/// How many messages a span takes.
pub(super) fn steps(span: Duration) -> usize {
    usize::try_from(span.as_millis() / STEP.as_millis()).unwrap_or(usize::MAX)
}

/// How long so many messages sound.
fn span(messages: usize) -> Duration {
    STEP * u32::try_from(messages).unwrap_or(u32::MAX)
}

fn append(samples: &[i16]) -> Utf8Bytes {
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let audio = BASE64_STANDARD.encode(bytes);
    format!(r#"{{"type":"input_audio_buffer.append","audio":"{audio}"}}"#).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: Pauses = Pauses {
        lead_in: Duration::from_millis(100),
        full: Duration::from_millis(200),
        short: Duration::from_millis(40),
        every: 2,
    };

    fn tape() -> Tape {
        Tape::new(&[vec![1; 960], vec![2; 480]], PAUSES)
    }

    fn millis(range: &Range<Duration>) -> Range<u128> {
        range.start.as_millis()..range.end.as_millis()
    }

    #[test]
    fn speech_comes_after_the_lead_in_and_the_loop_goes_on() {
        let spoken: Vec<_> = tape().utterances(0, 40).iter().map(millis).collect();
        // 40 ms, 200 ms quiet, 20 ms, 40 ms quiet: 300 ms a round.
        assert_eq!(spoken, [100..140, 340..360, 400..440, 640..660, 700..740]);
    }

    #[test]
    fn what_a_session_begins_in_the_middle_of_is_not_expected_of_it() {
        let spoken: Vec<_> = tape().utterances(1, 25).iter().map(millis).collect();
        assert_eq!(spoken, [320..340, 380..420]);
    }

    #[test]
    fn frames_agree_with_the_positions_that_are_told() {
        let tape = tape();
        for offset in 0..15 {
            // Further than is looked at: words that are not over by then are not told.
            let spoken = tape.utterances(offset, 100);
            for index in 5..60 {
                let at = STEP * u32::try_from(index).unwrap();
                let told = spoken.iter().any(|span| span.contains(&at));
                let sounds = tape.frame(offset, index) != tape.silence;
                let cut = at < spoken[0].start;
                assert!(told == sounds || cut, "frame {index} at offset {offset}");
            }
        }
    }
}
