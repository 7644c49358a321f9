//! A reply being spoken: takes clauses as they come, has pieces made on the pool, keeps a little ahead of the listener.

use std::{sync::Arc, time::Duration};

use audio::Clip;
use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

use super::engine::{Engine, Pace, Piece, RATE, Rest};
use crate::{
    ProviderError,
    local::pool::{Pool, Priority},
    tts::{Clause, Speech},
};

/// Speaks one reply.
pub(super) struct Speaker {
    engine: Arc<Engine>,
    pool: Arc<Pool>,
    key: u64,
    pace: Pace,
}

impl Speaker {
    pub(super) fn new(engine: Arc<Engine>, pool: Arc<Pool>, key: u64, pace: Pace) -> Self {
        Self { engine, pool, key, pace }
    }

    /// Speaks in a task of its own, so that the next piece is made while this one is heard. Dropping the stream ends it.
    pub(super) fn speak(
        self,
        text: BoxStream<'static, Clause>,
    ) -> impl Stream<Item = Result<Speech, ProviderError>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = self.run(text, &sender).await {
                // The listener may have left; then nobody wants to know.
                let _ = sender.send(Err(error)).await;
            }
        }));
        ReceiverStream::new(receiver).flat_map(move |steps| {
            let _alive = &task;
            stream::iter(match steps {
                Ok(steps) => steps.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
        })
    }

    async fn run(
        &self,
        mut text: BoxStream<'static, Clause>,
        sender: &mpsc::Sender<Result<Vec<Speech>, ProviderError>>,
    ) -> Result<(), ProviderError> {
        let mut first = true;
        while let Some(Clause { id, text }) = text.next().await {
            let mut rest = Rest::Text(text);
            let mut before = Duration::ZERO;
            while !rest.is_empty() {
                let (engine, pace) = (Arc::clone(&self.engine), self.pace);
                let job = move || engine.next(rest, first, pace);
                let (piece, words) = self.pool.run(self.key, Priority::Final, job).await??;
                let length = RATE.duration_of(piece.samples.len());
                if !piece.samples.is_empty() {
                    first = false;
                    if sender.send(Ok(steps(id, before, piece))).await.is_err() {
                        return Ok(());
                    }
                }
                before += length;
                rest = Rest::Words(words);
            }
            if sender.send(Ok(vec![Speech::ClauseDone { clause: id }])).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// A piece as events: its words, then its sound in short clips. `before` is the length of the clause's earlier pieces.
fn steps(clause: u32, before: Duration, piece: Piece) -> Vec<Speech> {
    let words = piece.words.into_iter();
    let words =
        words.map(|(range, start, end)| Speech::Word { clause, range, start: before + start, end: before + end });
    let clips = piece.samples.chunks(CLIP);
    let clips = clips.map(|samples| Speech::Audio { clause, clip: Clip::new(RATE, samples.to_vec()) });
    words.chain(clips).collect()
}

/// Pieces made but not yet taken; a full queue makes synthesis wait. One more is being made, one more being taken.
const AHEAD: usize = 2;
/// Samples in a clip, 100 ms: an interruption discards little.
const CLIP: usize = 2_400;
