//! A reply being spoken: takes clauses as they come and has their pieces made on the pool.

use std::{sync::Arc, time::Duration};

use audio::Clip;
use futures_util::{StreamExt, stream::BoxStream};

use super::engine::{Engine, Pace, Piece, RATE, Rest};
use crate::{
    ProviderError,
    local::{
        ahead::{self, Listener},
        pool::{Pool, Priority},
    },
    tts::{Clause, Speech},
};

/// Speaks one reply.
pub(super) struct Speaker {
    pub(super) engine: Arc<Engine>,
    pub(super) pool: Arc<Pool>,
    /// Replies take turns on the pool by their keys.
    pub(super) key: u64,
    pub(super) pace: Pace,
}

impl Speaker {
    /// Speaks to the end of the text, or until the listener leaves.
    pub(super) async fn run(
        self,
        mut text: BoxStream<'static, Clause>,
        listener: Listener,
    ) -> Result<(), ProviderError> {
        let mut first = true;
        while let Some(Clause { id, text }) = text.next().await {
            let mut rest = Rest::Text(text);
            let mut before = Duration::ZERO;
            while !rest.is_empty() {
                let (engine, pace) = (Arc::clone(&self.engine), self.pace);
                let job = move || engine.next(rest, first, pace);
                let (piece, words) = self.pool.run(self.key, Priority::Final, job).await??;
                rest = Rest::Words(words);
                if piece.samples.is_empty() {
                    continue;
                }
                first = false;
                let length = RATE.duration_of(piece.samples.len());
                if !listener.give(steps(id, before, piece)).await {
                    return Ok(());
                }
                before += length;
            }
            if !listener.give(vec![Speech::ClauseDone { clause: id }]).await {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// A piece as events: its words, then its sound. `before` is the length of the clause's earlier pieces.
fn steps(clause: u32, before: Duration, piece: Piece) -> Vec<Speech> {
    let words = piece.words.into_iter();
    let words =
        words.map(|(range, start, end)| Speech::Word { clause, range, start: before + start, end: before + end });
    words.chain(ahead::clips(clause, &Clip::new(RATE, piece.samples))).collect()
}
