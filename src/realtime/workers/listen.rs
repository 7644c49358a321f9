//! One utterance on its way to speech-to-text: exactly the stretch of the stream that belongs to its turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use audio::{Clip, Frame};
use futures_util::{Stream, StreamExt, future, stream};
use providers::stt::{SttOptions, Transcript};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Fed, Kit,
    belt::{Fresh, Loader, Refused, belt},
    patient::Patient,
};
use crate::{
    metrics::{self, Queue, Role, Way},
    realtime::session::{Input, ids::TurnId},
};

/// Frames a provider may be behind before the microphone waits for it: 4 s.
const BEHIND: usize = 200;
/// Of so many frames the way of one is measured: three a second.
const SAMPLED: u32 = 16;

/// A turn's end of its transcription.
pub(super) struct Ear {
    feeding: Feeding,
    _task: AbortOnDropHandle<()>,
}

/// What of the stream the turn still wants.
enum Feeding {
    /// All from here on, up to `until` once that is known.
    Open {
        cursor: Duration,
        until: Option<Duration>,
        frames: Loader,
        /// Offers until the next is measured.
        unmeasured: u32,
        /// Dropped with the last frame: from then on the transcript is overdue.
        _ended: oneshot::Sender<()>,
    },
    /// Nothing.
    Done,
}

impl Ear {
    /// Opens the transcription of a stretch that begins at `from`.
    pub(super) fn open(kit: &Kit, turn: TurnId, from: Duration, options: SttOptions) -> Self {
        let (frames, waiting) = belt(BEHIND);
        let (ended, end) = oneshot::channel();
        let (clock, way) = (kit.clock.clone(), Way::to_provider());
        let taken = waiting.map(move |(frame, came): Fresh| {
            if let Some(came) = came {
                way.took(clock.now().saturating_duration_since(came));
            }
            frame
        });
        let feeding = Feeding::Open { cursor: from, until: None, frames, unmeasured: SAMPLED, _ended: ended };
        Self { feeding, _task: spawn(kit, turn, options, taken, end) }
    }

    /// Transcribes a clip in full.
    pub(super) fn of_clip(kit: &Kit, turn: TurnId, clip: Arc<Clip>, options: SttOptions) -> Self {
        let (_, end) = oneshot::channel();
        let frames = stream::once(async move { tokio::task::spawn_blocking(move || cut(&clip)).await })
            .flat_map(|frames| stream::iter(frames.unwrap_or_default()));
        Self { feeding: Feeding::Done, _task: spawn(kit, turn, options, frames, end) }
    }

    /// Where the stretch begins that is still to be fed.
    pub(super) const fn wanted_from(&self) -> Option<Duration> {
        match self.feeding {
            Feeding::Open { cursor, .. } => Some(cursor),
            Feeding::Done => None,
        }
    }

    /// Takes what it can of these frames, each with the position where it ends. The newest came at `came`.
    pub(super) fn feed<'a>(
        &mut self,
        came: Option<Instant>,
        stream: impl Iterator<Item = (Duration, &'a Frame)>,
    ) -> Fed {
        let Feeding::Open { cursor, until, frames, unmeasured, .. } = &mut self.feeding else { return Fed::All };
        let last = until.unwrap_or(Duration::MAX);
        *unmeasured = unmeasured.saturating_sub(1);
        let mut stream = stream.peekable();
        while let Some((end, frame)) = stream.next() {
            let start = end.saturating_sub(Frame::DURATION);
            if start >= last {
                break;
            }
            let came = came.filter(|_| *unmeasured == 0 && stream.peek().is_none());
            if came.is_some() {
                *unmeasured = SAMPLED;
            }
            match frames.load((within(frame, start, *cursor, last), came)) {
                Ok(()) => *cursor = end,
                Err(Refused::Full) => return Fed::Full,
                // The worker is gone and has said why; what it did not take is of no use to anybody.
                Err(Refused::Abandoned) => *cursor = end,
            }
        }
        match frames.waiting() {
            0 | 1 => {}
            behind => metrics::queue_depth(Queue::Listen, behind),
        }
        if *cursor >= last {
            self.feeding = Feeding::Done;
        }
        Fed::All
    }

    /// The stretch ends here.
    pub(super) fn finish(&mut self, end: Duration) {
        if let Feeding::Open { cursor, until, .. } = &mut self.feeding {
            *until = Some(end);
            if *cursor >= end {
                self.feeding = Feeding::Done;
            }
        }
    }

    /// Whether the provider is so far behind that no more is taken.
    pub(super) fn is_full(&self) -> bool {
        match &self.feeding {
            Feeding::Open { frames, .. } => frames.is_full(),
            Feeding::Done => false,
        }
    }

    /// Waits until there is room.
    pub(super) async fn room(&self) {
        match &self.feeding {
            Feeding::Open { frames, .. } => frames.room().await,
            Feeding::Done => future::pending().await,
        }
    }
}

fn spawn(
    kit: &Kit,
    turn: TurnId,
    options: SttOptions,
    frames: impl Stream<Item = Frame> + Send + 'static,
    end: oneshot::Receiver<()>,
) -> AbortOnDropHandle<()> {
    let kit = kit.clone();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let open = kit.providers.stt.transcribe(options, frames.boxed());
        match Patient::open(Role::Listen, kit.patience, open).await {
            Ok(transcripts) => listen(&kit, turn, transcripts, end).await,
            Err(error) => kit.report(Input::Transcript { turn, event: Err(error) }).await,
        }
    }))
}

/// Reports transcripts up to the final one, which is due from the end of the audio on.
async fn listen(kit: &Kit, turn: TurnId, mut transcripts: Patient<Transcript>, mut end: oneshot::Receiver<()>) {
    loop {
        let ended = || !matches!(end.try_recv(), Err(TryRecvError::Empty));
        let event = transcripts.next_once_due(ended).await;
        let last = matches!(event, Ok(Transcript::Final(_)) | Err(_));
        kit.report(Input::Transcript { turn, event }).await;
        if last {
            return;
        }
    }
}

/// The frame that begins at `start` with silence where it lies outside `from..until`.
fn within(frame: &Frame, start: Duration, from: Duration, until: Duration) -> Frame {
    let (head, tail) = (from.saturating_sub(start), until.saturating_sub(start));
    let mut frame = *frame;
    if head > Duration::ZERO {
        frame.0[..Frame::RATE.samples_in(head).min(Frame::SAMPLES)].fill(0);
    }
    if tail < Frame::DURATION {
        frame.0[Frame::RATE.samples_in(tail)..].fill(0);
    }
    frame
}

/// The whole of a clip as frames, the last filled up with silence; none if its rate cannot be converted.
fn cut(clip: &Clip) -> Vec<Frame> {
    let Ok(clip) = clip.clone().resampled(Frame::RATE) else { return Vec::new() };
    let frames = clip.samples.chunks(Frame::SAMPLES).map(|chunk| {
        let mut frame = Frame::SILENCE;
        frame.0[..chunk.len()].copy_from_slice(chunk);
        frame
    });
    frames.collect()
}
