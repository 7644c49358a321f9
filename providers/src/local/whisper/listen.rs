//! One utterance: gathers sound, guesses while it goes on, and concludes when it ends.
//!
//! At most one run is under way. A pause is heard at once, so that when the person turns out to have finished, the text
//! is there already: silence added to a heard window changes nothing. Guesses while somebody speaks are run when nobody
//! else waits, and are given up for anything more important. Memory is bounded by [`Window::has_room`]: beyond it the source waits.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use audio::Frame;
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Model, agreement::Agreement, engine::Request, hearing::Hearing, window::Window};
use crate::{
    ProviderError,
    local::pool::Priority,
    stt::{FinalTranscript, Segment, Transcript, TranscriptStream, Word},
};

/// New sound after which a preview is worth its time: 0.8 s is about two words. Each hears the whole window again, so
/// long windows wait for a third of their length: previews then cost about a third of a core while somebody speaks.
const PREVIEW: usize = 12_800;
/// Sound after which a detected language is kept.
const LANGUAGE: usize = 40_000;
/// Frames taken in before others get their turn: 32 cost about 0.4 ms.
const BURST: u32 = 32;

/// The transcripts of `audio`.
pub(super) fn transcribe(
    model: Arc<Model>,
    request: Request,
    interim: bool,
    audio: BoxStream<'static, Frame>,
) -> TranscriptStream {
    let listening = Listening {
        key: model.pool.key(),
        model,
        request,
        interim,
        audio: Some(audio),
        burst: 0,
        window: Window::new(),
        run: None,
        last: None,
        tried: 0,
        agreement: Agreement::default(),
        shown: None,
        segments: Vec::new(),
        words: Vec::new(),
    };
    stream::unfold(Some(listening), |listening| async {
        let mut listening = listening?;
        let step = listening.next().await;
        let ended = !matches!(step, Ok(Transcript::Partial { .. }));
        Some((step, (!ended).then_some(listening)))
    })
    .boxed()
}

struct Listening {
    key: u64,
    model: Arc<Model>,
    request: Request,
    interim: bool,
    /// `None` once it has ended.
    audio: Option<BoxStream<'static, Frame>>,
    burst: u32,
    window: Window,
    run: Option<Run>,
    /// The latest guess at the open window.
    last: Option<Guess>,
    /// Length of the window when a guess was last tried.
    tried: usize,
    agreement: Agreement,
    /// The partial transcript last given.
    shown: Option<Transcript>,
    segments: Vec<Segment>,
    words: Vec<Word>,
}

/// What was made of the window while its voice ended at `voiced`.
struct Guess {
    voiced: usize,
    hearing: Hearing,
}

/// A run under way. Dropping it takes it off the queue or aborts it.
struct Run {
    purpose: Purpose,
    priority: Priority,
    answer: BoxFuture<'static, Result<Hearing, ProviderError>>,
    begun: Arc<AtomicBool>,
    abort: Arc<AtomicBool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// Preview of a window whose voice ends at `voiced`.
    Guess { voiced: usize },
    /// The text of all before this cut.
    Close { cut: usize },
}

impl Drop for Run {
    fn drop(&mut self) {
        self.abort.store(true, Ordering::Relaxed);
    }
}

impl Listening {
    /// The next transcript; the final one is the last.
    async fn next(&mut self) -> Result<Transcript, ProviderError> {
        loop {
            if let Some(transcript) = self.plan() {
                return Ok(transcript);
            }
            let Self { run, audio, window, .. } = &mut *self;
            tokio::select! { biased;
                answer = answer_of(run.as_mut()) => {
                    let purpose = run.take().map(|run| run.purpose);
                    if let Some(transcript) = self.take(purpose, answer)? {
                        return Ok(transcript);
                    }
                }
                frame = frame_of(audio.as_mut().filter(|_| window.has_room())) => match frame {
                    Some(frame) => self.hear(&frame).await,
                    None => self.audio = None,
                }
            }
        }
    }

    async fn hear(&mut self, frame: &Frame) {
        self.window.push(frame);
        self.burst += 1;
        if self.burst.is_multiple_of(BURST) {
            tokio::task::yield_now().await;
        }
    }

    /// Starts, keeps or gives up a run, whatever the moment asks for; gives the final transcript when nothing is left.
    fn plan(&mut self) -> Option<Transcript> {
        match self.run.as_ref().map(|run| run.purpose) {
            Some(Purpose::Close { .. }) => return None,
            Some(Purpose::Guess { voiced }) => {
                if !self.outdated(voiced) {
                    return None;
                }
                self.run = None;
                self.tried = 0;
            }
            None => {}
        }
        if let Some(cut) = self.window.cut() {
            return self.close(cut);
        }
        let Some(voiced) = self.window.voiced() else {
            return if self.audio.is_none() { self.close(self.window.len()) } else { None };
        };
        if self.audio.is_none() {
            return self.close(self.window.len());
        }
        if self.is_worth_guessing(voiced) {
            self.start(Purpose::Guess { voiced });
        }
        None
    }

    /// Whether the guess under way has lost its use: there is more to hear and no time to lose, or it still waits and
    /// has become more urgent.
    fn outdated(&self, voiced: usize) -> bool {
        let waits = |run: &Run| !run.begun.load(Ordering::Relaxed) && run.priority != self.urgency();
        let more = self.window.voiced().is_some_and(|end| end > voiced);
        let hurry = self.audio.is_none() || self.window.pauses();
        hurry && (more || self.run.as_ref().is_some_and(waits)) || self.window.cut().is_some()
    }

    /// How much what could be heard of the open window is wanted.
    fn urgency(&self) -> Priority {
        match &self.audio {
            None => Priority::Final,
            Some(_) if self.window.pauses() => Priority::Soon,
            Some(_) => Priority::Partial,
        }
    }

    fn is_worth_guessing(&self, voiced: usize) -> bool {
        let known = self.last.as_ref().map_or(0, |guess| guess.voiced);
        if voiced <= known {
            return false;
        }
        if self.window.pauses() {
            return self.tried < voiced;
        }
        // A dip may be the beginning of a pause: a preview would only be in the way.
        let length = self.window.len();
        let due = length.saturating_sub(self.tried) >= PREVIEW.max(length / 3);
        self.interim && due && self.window.is_speaking() && self.model.pool.depth() == 0
    }

    /// Gives the text before `cut` its final form: at once when it is known, by a run otherwise.
    fn close(&mut self, cut: usize) -> Option<Transcript> {
        let covers = |guess: &Guess| self.window.voiced_before(cut).is_some_and(|voiced| guess.voiced == voiced);
        if let Some(guess) = self.last.take_if(|guess| covers(guess)) {
            return self.closed(cut, guess.hearing);
        }
        if self.window.sound(cut).is_none() {
            return self.closed(cut, Hearing::default());
        }
        self.start(Purpose::Close { cut });
        None
    }

    fn closed(&mut self, cut: usize, hearing: Hearing) -> Option<Transcript> {
        self.agreement.close(&hearing.text());
        self.request.language = self.request.language.or(hearing.language);
        self.segments.extend(hearing.segments);
        self.words.extend(hearing.words);
        self.window.forget(cut);
        self.last = None;
        self.tried = 0;
        (self.audio.is_none() && self.window.voiced().is_none()).then(|| self.conclude())
    }

    fn conclude(&mut self) -> Transcript {
        Transcript::Final(FinalTranscript {
            text: self.agreement.text().to_owned(),
            language: self.request.language.map(str::to_owned),
            words: std::mem::take(&mut self.words),
            segments: std::mem::take(&mut self.segments),
            duration: self.window.heard(),
        })
    }

    fn start(&mut self, purpose: Purpose) {
        let (until, priority) = match purpose {
            Purpose::Guess { .. } => (self.window.len(), self.urgency()),
            Purpose::Close { cut } => (cut, Priority::Final),
        };
        let Some(sound) = self.window.sound(until) else { return };
        self.tried = self.window.len();
        let thorough = matches!(purpose, Purpose::Close { .. });
        let request = Request { thorough, ..self.request.clone() };
        let (begun, abort) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        // Times are in the log's own stamps: planned here, begun and ended on the pool's thread.
        let length = Frame::RATE.duration_of(sound.samples.len());
        tracing::trace!(utterance = self.key, ?purpose, ?priority, ?length, "hearing planned");
        let job = {
            let (model, key) = (Arc::clone(&self.model), self.key);
            let (begun, abort) = (Arc::clone(&begun), Arc::clone(&abort));
            move || {
                begun.store(true, Ordering::Relaxed);
                tracing::trace!(utterance = key, "hearing begun");
                let heard = model.engine.hear(&sound, &request, &abort);
                tracing::trace!(utterance = key, error = ?heard.as_ref().err(), "hearing ended");
                heard
            }
        };
        let (model, key) = (Arc::clone(&self.model), self.key);
        let answer = async move { model.pool.run(key, priority, job).await?.map_err(|error| model.error(&error)) };
        self.run = Some(Run { purpose, priority, answer: Box::pin(answer), begun, abort });
    }

    /// Takes a run's answer; gives a transcript if there is something to tell.
    fn take(
        &mut self,
        purpose: Option<Purpose>,
        answer: Result<Hearing, ProviderError>,
    ) -> Result<Option<Transcript>, ProviderError> {
        match purpose {
            Some(Purpose::Close { cut }) => Ok(self.closed(cut, answer?)),
            Some(Purpose::Guess { voiced }) => {
                // A preview that failed, looped or was displaced is simply not shown.
                let Ok(hearing) = answer else { return Ok(None) };
                self.request.likely = hearing.language;
                if voiced > LANGUAGE {
                    self.request.language = self.request.language.or(hearing.language);
                }
                let text = hearing.text();
                self.last = Some(Guess { voiced, hearing });
                Ok(if self.interim { self.show(&text) } else { None })
            }
            None => Ok(None),
        }
    }

    fn show(&mut self, text: &str) -> Option<Transcript> {
        let (stable, tentative) = self.agreement.observe(text);
        let partial = Transcript::Partial { stable, tentative };
        let nothing = text.is_empty() && self.shown.is_none();
        if nothing || self.shown.as_ref() == Some(&partial) {
            return None;
        }
        self.shown = Some(partial.clone());
        Some(partial)
    }
}

async fn answer_of(run: Option<&mut Run>) -> Result<Hearing, ProviderError> {
    match run {
        Some(run) => (&mut run.answer).await,
        None => pending().await,
    }
}

async fn frame_of(audio: Option<&mut BoxStream<'static, Frame>>) -> Option<Frame> {
    match audio {
        Some(audio) => audio.next().await,
        None => pending().await,
    }
}
