//! Speech-to-text: the next engine hears the utterance again from its start.
//!
//! Text promised as stable stays: of what the next engine understands, only the words beyond it are taken.
//! Audio is kept for [`KEPT`] frames; an utterance that outgrew them cannot be heard again, and a failure after that is
//! final.

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{super::tape::Tape, Attempts, Fallback, cut_short, splice::beyond, untried};
use crate::{
    ProviderError, SpeechToText,
    generate::{Outlet, generate},
    stt::{FinalTranscript, SttCapabilities, SttOptions, Transcript, TranscriptStream},
};

/// Longest utterance that can be heard again: 2 minutes are 3.8 MB.
const KEPT: usize = 6_000;

impl SpeechToText for Fallback<dyn SpeechToText> {
    fn capabilities(&self) -> SttCapabilities {
        self.first().capabilities()
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        async move {
            let tape = Tape::new(audio, KEPT);
            let mut hearing = Hearing { attempts: self.attempts(), options, tape, stable: String::new() };
            let first = hearing.open(untried()).await?;
            Ok(generate(|out| hearing.follow(first, out)))
        }
        .boxed()
    }
}

struct Hearing {
    attempts: Attempts<dyn SpeechToText>,
    options: SttOptions,
    tape: Tape<Frame>,
    /// Promised so far.
    stable: String,
}

impl Hearing {
    /// The next engine that opens.
    async fn open(&mut self, mut error: ProviderError) -> Result<TranscriptStream, ProviderError> {
        loop {
            if !self.tape.is_whole() {
                return Err(error);
            }
            let engine = self.attempts.after(error)?;
            error = match engine.transcribe(self.options.clone(), self.tape.replay()).await {
                Ok(transcripts) => return Ok(transcripts),
                Err(error) => error,
            };
        }
    }

    async fn follow(mut self, mut transcripts: TranscriptStream, out: Outlet<Transcript>) -> Result<(), ProviderError> {
        loop {
            let error = match transcripts.next().await {
                Some(Ok(Transcript::Final(last))) => {
                    out.give(Transcript::Final(self.reconcile(last))).await;
                    return Ok(());
                }
                Some(Ok(Transcript::Partial { stable, tentative })) => {
                    out.give(self.partial(stable, &tentative)).await;
                    continue;
                }
                Some(Err(error)) => error,
                None => cut_short(),
            };
            // The failed engine must let go of the audio before the next takes it up.
            drop(std::mem::replace(&mut transcripts, stream::empty().boxed()));
            transcripts = self.open(error).await?;
        }
    }

    fn partial(&mut self, stable: String, tentative: &str) -> Transcript {
        if stable.starts_with(&self.stable) {
            self.stable.clone_from(&stable);
            return Transcript::Partial { stable, tentative: tentative.to_owned() };
        }
        let heard = format!("{stable} {tentative}");
        Transcript::Partial { stable: self.stable.clone(), tentative: beyond(&self.stable, &heard) }
    }

    /// The final text begins with what was promised; where that takes a splice, word times no longer fit it.
    fn reconcile(&self, last: FinalTranscript) -> FinalTranscript {
        if last.text.starts_with(&self.stable) {
            return last;
        }
        let text = format!("{} {}", self.stable.trim_end(), beyond(&self.stable, &last.text));
        FinalTranscript { text: text.trim().to_owned(), words: Vec::new(), segments: Vec::new(), ..last }
    }
}
