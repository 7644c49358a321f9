//! One utterance on its way to speech-to-text: exactly the stretch of the stream that belongs to its turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use audio::{Clip, Frame};
use futures_util::{Stream, StreamExt, future, stream};
use providers::{
    ProviderError,
    stt::{SttOptions, Transcript},
};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Fed, Kit,
    belt::{Fresh, Loader, Refused, belt},
    patient::Patient,
    stretch::Stretch,
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
    /// What is left of its stretch.
    Open {
        stretch: Stretch,
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
        let feeding = Feeding::Open { stretch: Stretch::new(from), frames, unmeasured: SAMPLED, _ended: ended };
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
            Feeding::Open { stretch, .. } => Some(stretch.cursor()),
            Feeding::Done => None,
        }
    }

    /// Takes what it can of these frames, each with the position where it ends. The newest came at `came`.
    pub(super) fn feed<'a>(
        &mut self,
        came: Option<Instant>,
        stream: impl Iterator<Item = (Duration, &'a Frame)>,
    ) -> Fed {
        let Feeding::Open { stretch, frames, unmeasured, .. } = &mut self.feeding else { return Fed::All };
        *unmeasured = unmeasured.saturating_sub(1);
        let mut stream = stream.peekable();
        while let Some((end, frame)) = stream.next() {
            let Some(frame) = stretch.cut(end, frame) else { break };
            let came = came.filter(|_| *unmeasured == 0 && stream.peek().is_none());
            if came.is_some() {
                *unmeasured = SAMPLED;
            }
            match frames.load((frame, came)) {
                Ok(()) => stretch.passed(end),
                Err(Refused::Full) => return Fed::Full,
                // The worker is gone and has said why; what it did not take is of no use to anybody.
                Err(Refused::Abandoned) => stretch.passed(end),
            }
        }
        match frames.waiting() {
            0 | 1 => {}
            behind => metrics::queue_depth(Queue::Listen, behind),
        }
        if stretch.is_over() {
            self.feeding = Feeding::Done;
        }
        Fed::All
    }

    /// The stretch ends here.
    pub(super) fn finish(&mut self, end: Duration) {
        if let Feeding::Open { stretch, .. } = &mut self.feeding {
            stretch.end(end);
            if stretch.is_over() {
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
        prepare(kit, &event);
        kit.report(Input::Transcript { turn, event }).await;
        if last {
            return;
        }
    }
}

/// What the person's documents say about it is looked for while they still speak. A speech-to-speech model is not told of it.
fn prepare(kit: &Kit, event: &Result<Transcript, ProviderError>) {
    match event {
        _ if kit.providers.realtime.is_some() => {}
        Ok(Transcript::Partial { stable, tentative }) => kit.dossier.prepare(&format!("{stable}{tentative}")),
        Ok(Transcript::Final(transcript)) => kit.dossier.prepare(&transcript.text),
        Err(_) => {}
    }
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
