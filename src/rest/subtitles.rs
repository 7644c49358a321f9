//! Transcripts as SubRip and WebVTT.

use std::{fmt::Write, time::Duration};

use providers::stt::FinalTranscript;

/// One stretch on the screen.
struct Cue<'a> {
    text: &'a str,
    start: Duration,
    end: Duration,
}

/// SubRip.
pub(super) fn srt(transcript: &FinalTranscript) -> String {
    let mut out = String::new();
    for (at, cue) in cues(transcript).iter().enumerate() {
        let (start, end) = (clock(cue.start, ','), clock(cue.end, ','));
        // Writing to a string does not fail.
        let _ = write!(out, "{}\n{start} --> {end}\n{}\n\n", at + 1, cue.text);
    }
    out
}

/// WebVTT, with what would be markup escaped.
pub(super) fn vtt(transcript: &FinalTranscript) -> String {
    let mut out = "WEBVTT\n\n".to_owned();
    for cue in cues(transcript) {
        let text = cue.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(out, "{} --> {}\n{text}\n\n", clock(cue.start, '.'), clock(cue.end, '.'));
    }
    out
}

/// The engine's segments, or all of it as one.
fn cues(transcript: &FinalTranscript) -> Vec<Cue<'_>> {
    if transcript.segments.is_empty() {
        let whole = Cue { text: transcript.text.trim(), start: Duration::ZERO, end: transcript.duration };
        return if whole.text.is_empty() { Vec::new() } else { vec![whole] };
    }
    let segments = transcript.segments.iter();
    segments.map(|segment| Cue { text: segment.text.trim(), start: segment.start, end: segment.end }).collect()
}

fn clock(at: Duration, point: char) -> String {
    let (seconds, millis) = (at.as_secs(), at.subsec_millis());
    format!("{:02}:{:02}:{:02}{point}{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use providers::stt::Segment;

    use super::*;

    fn transcript() -> FinalTranscript {
        let segment = |text: &str, start, end| Segment {
            text: text.into(),
            start: Duration::from_millis(start),
            end: Duration::from_millis(end),
            avg_logprob: None,
            no_speech_prob: None,
        };
        FinalTranscript {
            text: "one two < three".into(),
            segments: vec![segment(" one two", 0, 1_500), segment("< three", 3_599_999, 3_661_001)],
            duration: Duration::from_secs(3700),
            ..FinalTranscript::default()
        }
    }

    #[test]
    fn cues_are_numbered_and_timed() {
        let expected = "1\n00:00:00,000 --> 00:00:01,500\none two\n\n2\n00:59:59,999 --> 01:01:01,001\n< three\n\n";
        assert_eq!(srt(&transcript()), expected);
    }

    #[test]
    fn words_cannot_be_taken_for_markup() {
        assert!(vtt(&transcript()).starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\none two\n\n"));
        assert!(vtt(&transcript()).ends_with("\n&lt; three\n\n"));
    }

    #[test]
    fn without_segments_all_of_it_is_one_cue_and_silence_is_none() {
        let whole = FinalTranscript { segments: Vec::new(), ..transcript() };
        assert_eq!(srt(&whole), "1\n00:00:00,000 --> 01:01:40,000\none two < three\n\n");
        assert_eq!(srt(&FinalTranscript::default()), "");
    }
}
