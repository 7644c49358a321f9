//! Speech-to-text that hears only how long it was spoken to.

use std::time::Duration;

use audio::Frame;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};

use super::{Calls, Faults, fault, pause};
use crate::{
    ProviderError,
    generate::{Outlet, generate},
    stt::{FinalTranscript, Segment, SttCapabilities, SttOptions, Transcript, TranscriptStream, Word},
};

const NAME: &str = "scripted/stt";

/// What the engine says, and when.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SttScript {
    /// Time to open an utterance.
    pub open: Duration,
    /// A partial transcript with one more word after each such stretch of audio; `None`: no partials.
    pub partials: Option<Duration>,
    /// Time from the end of the audio to the final transcript.
    pub settle: Duration,
    /// What utterance 1, 2, … says.
    pub texts: Vec<String>,
    /// What every later one says; `None`: `scripted transcript N`.
    pub every: Option<String>,
    /// What goes wrong.
    pub faults: Faults,
}

/// Deterministic speech-to-text.
#[derive(Debug, Default)]
pub struct SpeechToText {
    script: SttScript,
    calls: Calls,
}

impl SpeechToText {
    /// Plays `script`.
    pub fn new(script: SttScript) -> Self {
        Self { script, calls: Calls::default() }
    }

    /// Utterances opened so far, refused ones included.
    pub fn calls(&self) -> u64 {
        self.calls.count()
    }

    fn text_of(&self, call: u64) -> String {
        let text = usize::try_from(call - 1).ok().and_then(|index| self.script.texts.get(index));
        text.or(self.script.every.as_ref()).cloned().unwrap_or_else(|| format!("scripted transcript {call}"))
    }
}

impl crate::SpeechToText for SpeechToText {
    fn capabilities(&self) -> SttCapabilities {
        SttCapabilities {
            interim_results: self.script.partials.is_some(),
            word_timestamps: true,
            languages: Vec::new(),
        }
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let call = self.calls.begin();
        let fault = self.script.faults.of(call);
        let partials = self.script.partials.filter(|_| options.interim);
        let utterance =
            Utterance { text: self.text_of(call), partials, settle: self.script.settle, language: options.language };
        async move {
            pause(self.script.open).await;
            fault::open(NAME, fault).await?;
            let events = generate(|out| utterance.hear(audio, out));
            Ok(fault::strike(NAME, fault, events, garbage()))
        }
        .boxed()
    }
}

struct Utterance {
    text: String,
    partials: Option<Duration>,
    settle: Duration,
    language: Option<String>,
}

impl Utterance {
    async fn hear(self, mut audio: BoxStream<'static, Frame>, out: Outlet<Transcript>) -> Result<(), ProviderError> {
        let (mut heard, mut told) = (Duration::ZERO, 0);
        while audio.next().await.is_some() {
            heard += Frame::DURATION;
            let Some(every) = self.partials else { continue };
            if heard >= every * (told + 1) {
                told += 1;
                if let Some(partial) = self.partial(told as usize) {
                    out.give(partial).await;
                }
            }
        }
        pause(self.settle).await;
        out.give(Transcript::Final(self.last(heard))).await;
        Ok(())
    }

    /// The first words but one are certain, the newest is a guess; `None` once all were told.
    fn partial(&self, words: usize) -> Option<Transcript> {
        let spans = spans(&self.text);
        let (start, end) = *spans.get(words - 1)?;
        let (stable, tentative) = (self.text[..start].trim_end(), &self.text[start..end]);
        Some(Transcript::Partial { stable: stable.to_owned(), tentative: tentative.to_owned() })
    }

    fn last(self, heard: Duration) -> FinalTranscript {
        let spans = spans(&self.text);
        let each = heard / u32::try_from(spans.len().max(1)).unwrap_or(u32::MAX);
        let words = spans.iter().zip(0..).map(|(&(start, end), index)| Word {
            text: self.text[start..end].to_owned(),
            start: each * index,
            end: each * (index + 1),
        });
        let words = words.collect();
        let segment = Segment {
            text: self.text.clone(),
            start: Duration::ZERO,
            end: heard,
            avg_logprob: None,
            no_speech_prob: None,
        };
        FinalTranscript { text: self.text, language: self.language, words, segments: vec![segment], duration: heard }
    }
}

/// Where each word begins and ends, in bytes.
pub(super) fn spans(text: &str) -> Vec<(usize, usize)> {
    text.split_whitespace()
        .map(|word| {
            let start = word.as_ptr().addr() - text.as_ptr().addr();
            (start, start + word.len())
        })
        .collect()
}

/// Takes back text that was promised not to change, and ends without a final transcript.
fn garbage() -> Vec<Transcript> {
    vec![Transcript::Partial { stable: "\u{fffd}".to_owned(), tentative: String::new() }]
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::{ErrorKind, SpeechToText as _, scripted::Fault};

    async fn hear(engine: &SpeechToText, frames: usize) -> Vec<Result<Transcript, ProviderError>> {
        let audio = stream::iter(vec![Frame::SILENCE; frames]).boxed();
        let options = SttOptions { interim: true, ..SttOptions::default() };
        engine.transcribe(options, audio).await.unwrap().collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn utterances_are_numbered_once_the_script_is_used_up() {
        let engine = SpeechToText::new(SttScript { texts: vec!["hello there".into()], ..SttScript::default() });
        for expected in ["hello there", "scripted transcript 2"] {
            let events = hear(&engine, 10).await;
            let [Ok(Transcript::Final(last))] = &events[..] else { panic!("one final: {events:?}") };
            assert_eq!((last.text.as_str(), last.duration), (expected, Duration::from_millis(200)));
        }
        assert_eq!(engine.calls(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn partials_only_grow_and_words_fill_the_audio() {
        let partials = Some(Duration::from_millis(40));
        let texts = vec!["one two three".into()];
        let engine = SpeechToText::new(SttScript { partials, texts, ..SttScript::default() });
        let events = hear(&engine, 10).await;
        let stable: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Ok(Transcript::Partial { stable, .. }) => Some(stable.as_str()),
                Ok(Transcript::Final(_)) | Err(_) => None,
            })
            .collect();
        assert_eq!(stable, ["", "one", "one two"]);
        let Some(Ok(Transcript::Final(last))) = events.last() else { panic!("a final") };
        assert_eq!(last.words.len(), 3);
        assert!(last.words.iter().all(|word| word.start <= word.end && word.end <= last.duration));
    }

    #[tokio::test(start_paused = true)]
    async fn faults_strike_the_call_they_name() {
        let faults = Faults::default().on(1, Fault::Break { after: 0, kind: ErrorKind::Unavailable });
        let engine = SpeechToText::new(SttScript { faults, ..SttScript::default() });
        let events = hear(&engine, 1).await;
        assert!(matches!(&events[..], [Err(error)] if error.kind == ErrorKind::Unavailable));
        assert!(matches!(&hear(&engine, 1).await[..], [Ok(Transcript::Final(_))]));
    }
}
