//! Utterances handed over as recordings, once they have ended.
//!
//! A request holds 25 MB, and models lose the thread of long recordings, so what lasts longer than ten minutes is cut
//! where it is most quiet, and its parts are transcribed while the rest is still being spoken.

use std::time::Duration;

use audio::{Clip, Encoding, Frame, wav};
use futures_util::{StreamExt, stream::BoxStream};
use reqwest::{
    Url,
    header::HeaderMap,
    multipart::{self, Part},
};
use tokio::sync::mpsc;

use super::{
    account::Account,
    stt::fallback,
    wire::recording::{self, Answer, Ear, Form, Told},
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::ws::converse,
    stt::{FinalTranscript, SttOptions, Transcript, TranscriptStream},
};

/// How one utterance is asked for.
pub(super) struct Recorded {
    account: Account,
    model: String,
    form: Form,
    options: SttOptions,
    url: Url,
    headers: HeaderMap,
}

impl Recorded {
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`] or [`ErrorKind::Unauthorized`] when the configuration makes no request.
    pub(super) fn new(account: Account, model: String, form: Form, options: SttOptions) -> Result<Self, ProviderError> {
        let url = account.address("audio/transcriptions")?;
        let headers = account.headers()?;
        Ok(Self { account, model, form, options, url, headers })
    }

    pub(super) fn transcribe(self, audio: BoxStream<'static, Frame>) -> Result<TranscriptStream, ProviderError> {
        Ok(generate(|out| async move {
            let (cut, parts) = mpsc::channel(1);
            let whole = converse(gather(audio, cut), self.ask(parts, &out)).await?;
            out.give(Transcript::Final(whole)).await;
            Ok(())
        }))
    }

    async fn ask(
        &self,
        mut parts: mpsc::Receiver<Vec<i16>>,
        out: &Outlet<Transcript>,
    ) -> Result<FinalTranscript, ProviderError> {
        let mut whole = FinalTranscript::default();
        while let Some(samples) = parts.recv().await {
            let length = Frame::RATE.duration_of(samples.len());
            // Less is refused, and holds no word.
            if length >= LEAST {
                let answer = self.part(samples, &whole.text, out).await?;
                add(&mut whole, answer);
            }
            whole.duration += length;
        }
        bound(&mut whole);
        whole.language = whole.language.or_else(|| fallback(&self.options, &self.account.config));
        Ok(whole)
    }

    /// The transcript of one recording, told as it comes after what was said `before`.
    async fn part(&self, samples: Vec<i16>, before: &str, out: &Outlet<Transcript>) -> Result<Answer, ProviderError> {
        let form = self.fill(samples)?;
        let (url, headers) = (self.url.clone(), self.headers.clone());
        let response = self.account.peer.post(url, headers, |request| request.multipart(form), |_| None).await?;
        let mut told = self.account.peer.clone().stream(response, Ear::default());
        let mut heard = String::new();
        while let Some(step) = told.next().await {
            match step? {
                Told::Delta(delta) => {
                    heard.push_str(&delta);
                    if self.options.interim && !delta.trim().is_empty() {
                        let stable = joined(before, &heard);
                        out.give(Transcript::Partial { stable, tentative: String::new() }).await;
                    }
                }
                Told::Done(answer) => return Ok(self.settled(answer, &heard)),
            }
        }
        Err(self.account.peer.error(ErrorKind::Protocol, "the answer ended before the transcript did"))
    }

    /// What was told is not taken back.
    fn settled(&self, answer: Answer, heard: &str) -> Answer {
        let (text, heard) = (answer.text.trim(), heard.trim());
        if !self.options.interim || text.starts_with(heard) {
            return Answer { text: text.to_owned(), ..answer };
        }
        tracing::debug!(provider = %self.account.peer.provider, "a transcript takes back what was said of it");
        Answer { text: heard.to_owned(), ..answer }
    }

    fn fill(&self, samples: Vec<i16>) -> Result<multipart::Form, ProviderError> {
        let file = wav::write(&Clip::new(Frame::RATE, samples), Encoding::Pcm16);
        // The name tells servers what it is.
        let file = Part::bytes(file).file_name("speech.wav").mime_str("audio/wav");
        let file = file.map_err(|error| self.account.peer.error(ErrorKind::Rejected, &error.to_string()))?;
        let fields = recording::fields(&self.model, self.form, &self.account.config, &self.options);
        let form = fields.into_iter().fold(multipart::Form::new(), |form, (name, value)| form.text(name, value));
        Ok(form.part("file", file))
    }
}

/// Hands over recordings of bounded length; the last one when the audio has ended.
async fn gather(audio: BoxStream<'static, Frame>, parts: mpsc::Sender<Vec<i16>>) -> Result<(), ProviderError> {
    let mut audio = audio.ready_chunks(BURST);
    let mut samples = Vec::new();
    while let Some(frames) = audio.next().await {
        for frame in frames {
            samples.extend_from_slice(frame.samples());
            if samples.len() >= LONGEST {
                let rest = samples.split_off(hush(&samples));
                // The other half is only gone once it has an error to tell.
                let _ = parts.send(std::mem::replace(&mut samples, rest)).await;
            }
        }
    }
    let _ = parts.send(samples).await;
    Ok(())
}

/// Where to cut a recording that is too long: in the middle of its most quiet moment, near the end.
fn hush(samples: &[i16]) -> usize {
    let from = samples.len().saturating_sub(SEARCHED);
    let energy = |moment: &[i16]| moment.iter().map(|sample| i64::from(*sample).pow(2)).sum::<i64>();
    let moments = samples[from..].chunks_exact(MOMENT);
    let quietest = moments.enumerate().min_by_key(|(_, moment)| energy(moment)).map_or(0, |(at, _)| at);
    (from + quietest * MOMENT + MOMENT / 2).min(samples.len())
}

/// Adds the transcript of the part that begins where `whole` ends.
fn add(whole: &mut FinalTranscript, answer: Answer) {
    let from = whole.duration;
    whole.text = joined(&whole.text, &answer.text);
    whole.language = whole.language.take().or(answer.language);
    whole.words.extend(answer.words.into_iter().map(|mut word| {
        (word.start, word.end) = (word.start + from, word.end + from);
        word
    }));
    whole.segments.extend(answer.segments.into_iter().map(|mut segment| {
        (segment.start, segment.end) = (segment.start + from, segment.end + from);
        segment
    }));
}

/// Nothing ends after the audio did.
fn bound(whole: &mut FinalTranscript) {
    let end = |time: &mut Duration| *time = (*time).min(whole.duration);
    for word in &mut whole.words {
        end(&mut word.start);
        end(&mut word.end);
    }
    for segment in &mut whole.segments {
        end(&mut segment.start);
        end(&mut segment.end);
    }
}

fn joined(before: &str, after: &str) -> String {
    let parts = [before.trim(), after.trim()];
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Frames taken at once where many are ready.
const BURST: usize = 50;
/// "Audio file is too short. Minimum audio length is 0.1 seconds."
const LEAST: Duration = Duration::from_millis(100);
/// Samples of the longest recording: ten minutes, 19.2 MB of at most 25 MiB.
const LONGEST: usize = 600 * 16_000;
/// Samples before the end in which to look for a moment of quiet: half a minute.
const SEARCHED: usize = 30 * 16_000;
/// Samples of a moment: 200 ms, a pause between words.
const MOMENT: usize = 3_200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_recordings_are_cut_where_it_is_quiet() {
        let mut samples = vec![1_000; 40 * 16_000];
        samples[35 * 16_000..35 * 16_000 + MOMENT].fill(3);
        assert_eq!(hush(&samples), 35 * 16_000 + MOMENT / 2);
        samples[..MOMENT].fill(0);
        assert_eq!(hush(&samples), 35 * 16_000 + MOMENT / 2, "the beginning is not searched");
        assert_eq!(hush(&[0; 10]), 10);
    }
}
