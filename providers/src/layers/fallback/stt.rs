//! Speech-to-text: the next engine hears the utterance again from its start.
//!
//! Text promised as stable stays: of what the next engine understands, only the words beyond it are taken.
//! Audio is kept for [`KEPT`]; an utterance that outgrew it cannot be heard again, and a failure after that is final.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Attempts, Fallback, cut_short, splice::beyond, untried};
use crate::{
    ProviderError, SpeechToText,
    generate::{Outlet, generate},
    stt::{FinalTranscript, SttCapabilities, SttOptions, Transcript, TranscriptStream},
};

/// Longest utterance that can be heard again: 2 minutes are 3.8 MB.
const KEPT: Duration = Duration::from_secs(120);

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
            let tape = Tape { source: audio, kept: Vec::new(), whole: true, ended: false };
            let mut hearing =
                Hearing { attempts: self.attempts(), options, tape: Arc::new(Mutex::new(tape)), stable: String::new() };
            let first = hearing.open(untried()).await?;
            Ok(generate(|out| hearing.follow(first, out)))
        }
        .boxed()
    }
}

struct Hearing {
    attempts: Attempts<dyn SpeechToText>,
    options: SttOptions,
    tape: Arc<Mutex<Tape>>,
    /// Promised so far.
    stable: String,
}

impl Hearing {
    /// The next engine that opens.
    async fn open(&mut self, mut error: ProviderError) -> Result<TranscriptStream, ProviderError> {
        loop {
            if !lock(&self.tape).whole {
                return Err(error);
            }
            let engine = self.attempts.after(error)?;
            error = match engine.transcribe(self.options.clone(), replay(self.tape.clone())).await {
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

/// The utterance so far, and where the rest comes from.
struct Tape {
    source: BoxStream<'static, Frame>,
    kept: Vec<Frame>,
    /// Nothing was dropped for length.
    whole: bool,
    ended: bool,
}

impl Tape {
    fn poll(&mut self, at: usize, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        if self.whole
            && let Some(frame) = self.kept.get(at)
        {
            return Poll::Ready(Some(*frame));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = self.source.poll_next_unpin(context);
        match &polled {
            Poll::Ready(Some(frame)) if self.whole => {
                self.kept.push(*frame);
                if Frame::DURATION * u32::try_from(self.kept.len()).unwrap_or(u32::MAX) > KEPT {
                    (self.whole, self.kept) = (false, Vec::new());
                }
            }
            Poll::Ready(None) => self.ended = true,
            Poll::Ready(Some(_)) | Poll::Pending => {}
        }
        polled
    }
}

/// The utterance from its start. One reader at a time: the source wakes only the last that polled it.
fn replay(tape: Arc<Mutex<Tape>>) -> BoxStream<'static, Frame> {
    let mut at = 0;
    let frames = stream::poll_fn(move |context| {
        let polled = lock(&tape).poll(at, context);
        at += usize::from(matches!(polled, Poll::Ready(Some(_))));
        polled
    });
    frames.boxed()
}

fn lock(tape: &Mutex<Tape>) -> std::sync::MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}
