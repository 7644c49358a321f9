//! Speech made a little ahead of its listener, in a task of its own that ends when the listener leaves.

use std::{future::Future, time::Duration};

use audio::Clip;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    ProviderError,
    tts::{Speech, SpeechStream},
};

/// Where made pieces go.
pub(super) struct Listener(mpsc::Sender<Result<Vec<Speech>, ProviderError>>);

impl Listener {
    /// Hands over a piece, waiting while [`AHEAD`] of them are not yet heard. False when the listener has left.
    pub(super) async fn give(&self, steps: Vec<Speech>) -> bool {
        self.0.send(Ok(steps)).await.is_ok()
    }
}

/// Runs `make` for as long as the stream is held; its error is the stream's last item.
pub(super) fn stream<F, Making>(make: F) -> SpeechStream
where
    F: FnOnce(Listener) -> Making,
    Making: Future<Output = Result<(), ProviderError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(AHEAD);
    let failed = sender.clone();
    let making = make(Listener(sender));
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        if let Err(error) = making.await {
            // The listener may have left; then nobody wants to know.
            let _ = failed.send(Err(error)).await;
        }
    }));
    let steps = ReceiverStream::new(receiver).flat_map(move |steps| {
        let _held = &task;
        stream::iter(match steps {
            Ok(steps) => steps.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    });
    steps.boxed()
}

/// A piece's sound in short clips.
pub(super) fn clips(clause: u32, sound: &Clip) -> impl Iterator<Item = Speech> {
    let samples = sound.rate.samples_in(CLIP).max(1);
    let clip = move |samples: &[i16]| Speech::Audio { clause, clip: Clip::new(sound.rate, samples.to_vec()) };
    sound.samples.chunks(samples).map(clip)
}

/// Pieces made but not yet taken; a full queue makes synthesis wait. One more is being made, one more being taken.
const AHEAD: usize = 2;
/// The length of a clip: an interruption discards little.
const CLIP: Duration = Duration::from_millis(100);
