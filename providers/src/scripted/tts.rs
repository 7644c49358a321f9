//! Text-to-speech that hums: one steady tone a clause, so that a recording tells which clause is heard.

use std::{f64::consts::TAU, time::Duration};

use audio::{Clip, SampleRate};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};

use super::{Calls, Faults, fault, pause, stt::spans};
use crate::{
    ProviderError,
    generate::{Outlet, generate},
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

const NAME: &str = "scripted/tts";

/// What the engine does, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct TtsScript {
    /// Time to open a reply's speech.
    pub open: Duration,
    /// Time from taking a clause to its first audio.
    pub first: Duration,
    /// Time between chunks of audio.
    pub pace: Duration,
    /// How long a clause sounds at speed 1.
    pub length: Length,
    /// Longest chunk of audio.
    pub chunk: Duration,
    /// Rate of the audio.
    pub rate: SampleRate,
    /// Whether word times precede the audio.
    pub words: bool,
    /// What goes wrong.
    pub faults: Faults,
}

/// How long a clause sounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// This long for each character.
    PerCharacter(Duration),
    /// This long, whatever it says.
    Fixed(Duration),
}

impl Default for TtsScript {
    fn default() -> Self {
        Self {
            open: Duration::ZERO,
            first: Duration::ZERO,
            pace: Duration::ZERO,
            length: Length::PerCharacter(Duration::from_millis(60)),
            chunk: Duration::from_millis(100),
            rate: SampleRate::HZ_24000,
            words: false,
            faults: Faults::default(),
        }
    }
}

/// The tone of a clause in hertz: 440 for the first, 110 more for each following one, the ninth as the first.
pub fn pitch(clause: u32) -> f64 {
    440.0 + 110.0 * f64::from(clause % 8)
}

/// Deterministic text-to-speech.
#[derive(Debug)]
pub struct TextToSpeech {
    script: TtsScript,
    calls: Calls,
    wave: [i16; Tone::STEPS],
}

impl Default for TextToSpeech {
    fn default() -> Self {
        Self::new(TtsScript::default())
    }
}

impl TextToSpeech {
    /// Plays `script`.
    pub fn new(script: TtsScript) -> Self {
        Self { script, calls: Calls::default(), wave: wave() }
    }

    /// Replies opened so far, refused ones included.
    pub fn calls(&self) -> u64 {
        self.calls.count()
    }
}

impl crate::TextToSpeech for TextToSpeech {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities {
            word_timestamps: self.script.words,
            max_chars: None,
            languages: Vec::new(),
            voices: vec!["tone".to_owned()],
        }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let call = self.calls.begin();
        let fault = self.script.faults.of(call);
        let hum = Hum { script: self.script.clone(), speed: f64::from(voice.speed.clamp(0.25, 4.0)), wave: self.wave };
        async move {
            pause(self.script.open).await;
            fault::open(NAME, fault).await?;
            Ok(fault::strike(NAME, fault, generate(|out| hum.speak(text, out)), garbage()))
        }
        .boxed()
    }
}

struct Hum {
    script: TtsScript,
    speed: f64,
    wave: [i16; Tone::STEPS],
}

impl Hum {
    async fn speak(self, mut text: BoxStream<'static, Clause>, out: Outlet<Speech>) -> Result<(), ProviderError> {
        while let Some(clause) = text.next().await {
            pause(self.script.first).await;
            let length = self.length_of(&clause.text);
            if self.script.words {
                for word in words(&clause, length) {
                    out.give(word).await;
                }
            }
            self.voice(clause.id, length, &out).await;
            out.give(Speech::ClauseDone { clause: clause.id }).await;
        }
        Ok(())
    }

    async fn voice(&self, clause: u32, length: Duration, out: &Outlet<Speech>) {
        let rate = self.script.rate;
        let mut tone = Tone::new(pitch(clause), rate);
        let mut left = rate.samples_in(length);
        let chunk = rate.samples_in(self.script.chunk).max(1);
        while left > 0 {
            let samples = chunk.min(left);
            left -= samples;
            let clip = Clip::new(rate, tone.next(samples, &self.wave));
            out.give(Speech::Audio { clause, clip }).await;
            pause(self.script.pace).await;
        }
    }

    fn length_of(&self, text: &str) -> Duration {
        let length = match self.script.length {
            Length::PerCharacter(each) => each * u32::try_from(text.chars().count()).unwrap_or(u32::MAX),
            Length::Fixed(length) => length,
        };
        length.div_f64(self.speed)
    }
}

/// The clause's words, spread over its sound by their length.
fn words(clause: &Clause, length: Duration) -> Vec<Speech> {
    let at = |byte: usize| length.mul_f64(byte as f64 / clause.text.len().max(1) as f64);
    let spans = spans(&clause.text).into_iter();
    spans
        .map(|(start, end)| Speech::Word { clause: clause.id, range: start..end, start: at(start), end: at(end) })
        .collect()
}

/// One turn of a sine.
pub(super) fn wave() -> [i16; Tone::STEPS] {
    std::array::from_fn(|step| {
        let angle = step as f64 / Tone::STEPS as f64 * TAU;
        (angle.sin() * Tone::PEAK) as i16
    })
}

/// A sine wave from a table, its phase kept from chunk to chunk so that seams are silent.
pub(super) struct Tone {
    phase: u32,
    step: u32,
}

impl Tone {
    pub(super) const STEPS: usize = 256;
    /// A quarter of full scale: loud enough for any detector, far from clipping.
    const PEAK: f64 = 8_192.0;

    pub(super) fn new(hertz: f64, rate: SampleRate) -> Self {
        Self { phase: 0, step: (hertz / f64::from(rate.hertz()) * 2f64.powi(32)) as u32 }
    }

    pub(super) fn next(&mut self, samples: usize, wave: &[i16; Self::STEPS]) -> Vec<i16> {
        let next = || {
            let sample = wave[(self.phase >> 24) as usize];
            self.phase = self.phase.wrapping_add(self.step);
            sample
        };
        std::iter::repeat_with(next).take(samples).collect()
    }
}

/// Sound and the end of a clause nobody asked for.
fn garbage() -> Vec<Speech> {
    let clip = Clip::new(SampleRate::HZ_24000, vec![i16::MAX; 7]);
    vec![Speech::Audio { clause: u32::MAX, clip }, Speech::ClauseDone { clause: u32::MAX }]
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::TextToSpeech as _;

    async fn speak(engine: &TextToSpeech, texts: &[&str]) -> Vec<Speech> {
        let clauses = texts.iter().zip(0..).map(|(text, id)| Clause { id, text: (*text).to_owned() });
        let voice = Voice { name: "tone".into(), language: None, speed: 1.0 };
        let text = stream::iter(clauses.collect::<Vec<_>>()).boxed();
        engine.speak(voice, text).await.unwrap().map(Result::unwrap).collect().await
    }

    fn samples(speech: &[Speech], of: u32) -> Vec<i16> {
        let clips = speech.iter().filter_map(|event| match event {
            Speech::Audio { clause, clip } if *clause == of => Some(clip.samples.clone()),
            Speech::Audio { .. } | Speech::Word { .. } | Speech::ClauseDone { .. } => None,
        });
        clips.flatten().collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_clause_sounds_as_long_as_its_text_at_its_own_pitch() {
        let speech = speak(&TextToSpeech::default(), &["Hello.", "How are you?"]).await;
        for (clause, characters) in [(0, 6), (1, 12)] {
            let sound = samples(&speech, clause);
            assert_eq!(sound.len(), characters * 60 * 24);
            let rises = sound.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
            let hertz = rises as f64 / (sound.len() as f64 / 24_000.0);
            assert!((hertz - pitch(clause)).abs() < 6.0, "clause {clause} hums at {hertz}");
        }
        assert_eq!(speech.last(), Some(&Speech::ClauseDone { clause: 1 }));
    }

    #[tokio::test(start_paused = true)]
    async fn chunks_join_without_a_click() {
        let speech = speak(&TextToSpeech::default(), &["a long enough clause"]).await;
        let sound = samples(&speech, 0);
        let steepest = sound.windows(2).map(|pair| (i32::from(pair[0]) - i32::from(pair[1])).abs()).max();
        assert!(steepest < Some(1_500), "{steepest:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn word_times_stay_within_the_clause() {
        let script = TtsScript { words: true, length: Length::Fixed(Duration::from_secs(1)), ..TtsScript::default() };
        let speech = speak(&TextToSpeech::new(script), &["one two three"]).await;
        let mut last = Duration::ZERO;
        let mut count = 0;
        for event in &speech {
            if let Speech::Word { start, end, .. } = event {
                assert!(last <= *start && start <= end && *end <= Duration::from_secs(1));
                (last, count) = (*end, count + 1);
            }
        }
        assert_eq!(count, 3);
    }
}
