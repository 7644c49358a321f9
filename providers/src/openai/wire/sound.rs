//! `POST {base}/audio/speech`: what to say, and sound as it comes.

use audio::{Clip, SampleRate, wav};
use serde_json::json;

use crate::{
    net::pcm::Samples,
    openai::{Config, voices},
};

/// The request for a text of at most [`LONGEST`] characters.
pub(in crate::openai) fn request(model: &str, text: &str, voice: &str, speed: f32, config: &Config) -> String {
    let mut request = json!({"model": model, "input": text, "voice": voices::value(voice), "response_format": "pcm"});
    if (speed - 1.0).abs() > 0.005 && speed.is_finite() {
        // As a number of two places: 1.2, not 1.2000000476837158.
        request["speed"] = json!((f64::from(speed.clamp(SLOWEST, FASTEST)) * 100.0).round() / 100.0);
    }
    let instructions = config.instructions.as_deref().filter(|text| !text.is_empty() && !voices::is_first(model));
    if let Some(instructions) = instructions {
        request["instructions"] = instructions.into();
    }
    request.to_string()
}

/// Characters of an input; more are refused.
pub(in crate::openai) const LONGEST: usize = 4_096;
const SLOWEST: f32 = 0.25;
const FASTEST: f32 = 4.0;

/// Sound in bytes cut anywhere: samples at 24 kHz as asked for, or a WAV file from servers that know nothing else.
pub(in crate::openai) enum Sound {
    /// Too little to tell.
    New(Vec<u8>),
    Pcm(Samples),
    Wav(Box<wav::Reader>),
}

impl Default for Sound {
    fn default() -> Self {
        Self::New(Vec::new())
    }
}

impl Sound {
    /// The sound that these bytes complete, which may be empty.
    ///
    /// # Errors
    ///
    /// Why it cannot be heard.
    pub(in crate::openai) fn feed(&mut self, bytes: &[u8]) -> Result<Clip, String> {
        match self {
            Self::New(begun) => {
                begun.extend_from_slice(bytes);
                if begun.len() < MARK.len() {
                    return Ok(Clip::new(SampleRate::HZ_24000, Vec::new()));
                }
                let begun = std::mem::take(begun);
                *self = if begun.starts_with(MARK) {
                    Self::Wav(Box::new(wav::Reader::new()))
                } else {
                    Self::Pcm(Samples::default())
                };
                self.feed(&begun)
            }
            Self::Pcm(samples) => Ok(Clip::new(SampleRate::HZ_24000, samples.feed(bytes))),
            Self::Wav(reader) => {
                let mut samples = Vec::new();
                reader.push(bytes, &mut samples).map_err(|error| error.to_string())?;
                Ok(Clip::new(reader.rate().unwrap_or(SampleRate::HZ_24000), samples))
            }
        }
    }
}

/// How a WAV file begins.
const MARK: &[u8] = b"RIFF";

/// Why an answer of this type is no sound one can use, if it is not.
pub(in crate::openai) fn unfit(kind: &str) -> Option<String> {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let raw = ["audio/pcm", "audio/l16", "audio/raw", "audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"];
    if raw.contains(&kind.as_str()) || kind.is_empty() || kind.ends_with("octet-stream") {
        return None;
    }
    let foreign = ["audio/", "text/", "application/"].iter().any(|family| kind.starts_with(family));
    foreign.then(|| format!("{} came in the place of samples; is base_url right?", crate::net::refusal::plain(&kind)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn asked(model: &str, speed: f32, config: &Config) -> Value {
        serde_json::from_str(&request(model, "Hello.", "marin", speed, config)).unwrap()
    }

    #[test]
    fn each_model_is_asked_what_it_understands() {
        let config = Config { instructions: Some("Calm.".into()), ..Config::default() };
        let plain = json!({"model": "tts-1", "input": "Hello.", "voice": "marin", "response_format": "pcm"});
        assert_eq!(asked("tts-1", 1.0, &config), plain);
        let request = asked("gpt-4o-mini-tts-2025-12-15", 1.2, &config);
        assert_eq!((&request["instructions"], &request["speed"]), (&json!("Calm."), &json!(1.2)));
        for (speed, expected) in [(9.0, json!(4.0)), (0.1, json!(0.25)), (f32::NAN, Value::Null)] {
            assert_eq!(asked("tts-1", speed, &config)["speed"], expected, "{speed}");
        }
    }

    #[test]
    fn samples_and_files_are_told_apart_however_they_are_cut() {
        let clip = Clip::new(SampleRate::HZ_16000, (0..500).collect());
        let file = wav::write(&clip, audio::Encoding::Pcm16);
        let mut raw = Vec::new();
        crate::net::pcm::bytes(&clip.samples, &mut raw);
        for (bytes, rate) in [(file, SampleRate::HZ_16000), (raw, SampleRate::HZ_24000)] {
            for size in [1, 3, 64, 4_000] {
                let mut sound = Sound::default();
                let clips: Vec<_> = bytes.chunks(size).map(|bytes| sound.feed(bytes).unwrap()).collect();
                let samples: Vec<i16> = clips.iter().flat_map(|clip| clip.samples.clone()).collect();
                assert_eq!(samples, clip.samples, "{size}");
                assert!(clips.iter().all(|clip| clip.samples.is_empty() || clip.rate == rate));
            }
        }
    }

    #[test]
    fn other_answers_than_sound_are_recognised() {
        for (kind, fits) in [
            ("audio/pcm", true),
            ("audio/pcm;rate=24000", true),
            ("application/octet-stream", true),
            ("binary/octet-stream", true),
            ("", true),
            ("audio/x-wav", true),
            ("audio/mpeg", false),
            ("application/json", false),
            ("text/html; charset=utf-8", false),
            ("text/event-stream", false),
        ] {
            assert_eq!(unfit(kind).is_none(), fits, "{kind}");
        }
    }
}
