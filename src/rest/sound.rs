//! What a voice says, as one stream of samples at one rate.

use std::{sync::Arc, time::Duration};

use audio::{Clip, Resampler, SampleRate};
use axum::http::StatusCode;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, ProviderError, TextToSpeech,
    tts::{Speech, SpeechStream, Voice},
};
use tokio::time::timeout;

use super::{Context, clauses, fault::Fault, provider};
use crate::metrics::Role;

/// The rate of everything spoken.
pub(super) const RATE: SampleRate = SampleRate::HZ_24000;

/// Samples at [`RATE`] as they are made; ends with the speech, or with one [`Broken`].
pub(super) type Sound = BoxStream<'static, Result<Vec<i16>, Broken>>;

/// The voice failed in the middle. The log knows why; the client's connection is cut, so that it cannot take what it has
/// for the whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the speech broke off")]
pub(super) struct Broken;

/// Begins to say a text. Answers once there is something to hear, so that a failure before that is told as one.
pub(super) async fn speak(
    context: &Context,
    tts: Arc<dyn TextToSpeech>,
    voice: Voice,
    text: &str,
) -> Result<Sound, Fault> {
    let patience = context.engine.config.patience();
    let longest = tts.capabilities().max_chars.unwrap_or(CLAUSE).min(CLAUSE);
    let opening = tts.speak(voice, stream::iter(clauses::cut(text, longest)).boxed());
    let speech = timeout(patience, opening).await.map_err(|_| provider::silent(Role::Speak, ErrorKind::Timeout))?;
    let speech = speech.map_err(|error| provider::failed(Role::Speak, &error))?;
    let mut voicing = Voicing { speech: Some(speech), patience, resampler: None };
    let first = match voicing.next().await {
        Some(Ok(samples)) => samples,
        Some(Err(error)) => return Err(provider::failed(Role::Speak, &error)),
        None => {
            let message = "There is nothing in `input` that can be said aloud.";
            return Err(Fault::new(StatusCode::BAD_REQUEST, "rejected_input", message).at("input"));
        }
    };
    let rest = stream::unfold(Some(voicing), async |voicing| {
        let mut voicing = voicing?;
        match voicing.next().await? {
            Ok(samples) => Some((Ok(samples), Some(voicing))),
            Err(error) => {
                provider::failed(Role::Speak, &error);
                Some((Err(Broken), None))
            }
        }
    });
    Ok(stream::once(async { Ok(first) }).chain(rest).boxed())
}

/// Longest clause given to a voice, in characters: two breaths. Longer ones would delay the first sound.
const CLAUSE: usize = 240;

/// A voice's speech on its way to one rate.
struct Voicing {
    /// `None` once it ended.
    speech: Option<SpeechStream>,
    patience: Duration,
    /// For the rate that the voice speaks at now; a fallback voice may have another.
    resampler: Option<(SampleRate, Resampler)>,
}

impl Voicing {
    /// The next samples, never an empty stretch; the first failure is the last item.
    async fn next(&mut self) -> Option<Result<Vec<i16>, ProviderError>> {
        while let Some(speech) = &mut self.speech {
            let samples = match timeout(self.patience, speech.next()).await {
                Ok(Some(Ok(Speech::Audio { clip, .. }))) => self.convert(&clip),
                Ok(Some(Ok(Speech::Word { .. } | Speech::ClauseDone { .. }))) => continue,
                Ok(Some(Err(error))) => Err(error),
                Ok(None) => {
                    self.speech = None;
                    Ok(self.rest())
                }
                Err(_) => Err(ProviderError::new("configured", ErrorKind::Timeout, "the voice fell silent")),
            };
            match samples {
                Ok(samples) if samples.is_empty() => {}
                Ok(samples) => return Some(Ok(samples)),
                Err(error) => {
                    self.speech = None;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    fn convert(&mut self, clip: &Clip) -> Result<Vec<i16>, ProviderError> {
        let same = self.resampler.as_ref().is_some_and(|(rate, _)| *rate == clip.rate);
        let mut out = if same { Vec::new() } else { self.rest() };
        let (_, resampler) = match self.resampler.take() {
            Some(current) => self.resampler.insert(current),
            None => {
                let fresh = Resampler::aligned(clip.rate, RATE)
                    .map_err(|error| ProviderError::new("configured", ErrorKind::Protocol, error))?;
                self.resampler.insert((clip.rate, fresh))
            }
        };
        resampler.process(&clip.samples, &mut out);
        Ok(out)
    }

    /// Ends the stretch at the present rate.
    fn rest(&mut self) -> Vec<i16> {
        let mut out = Vec::new();
        if let Some((_, mut resampler)) = self.resampler.take() {
            resampler.flush(&mut out);
        }
        out
    }
}
