//! A language model that cites: the numbers in what it says are held against the passages it was given.
//!
//! Numbers of no passage are taken out of the text. For each of the others it is told, once, what it refers to, with the
//! sentence of the passage that bears out what was said. Without passages nothing is touched.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{FutureExt, StreamExt, future::BoxFuture};

use crate::{
    LanguageModel, ProviderError,
    generate::generate,
    llm::{LlmCapabilities, Prompt, Thought, ThoughtStream},
    passage::{Citation, Passages},
};

mod markers;
mod quote;

use markers::{Markers, Piece};

/// A model whose citations are checked.
pub struct Cited(Arc<dyn LanguageModel>);

impl Cited {
    /// Checks what `inner` cites.
    pub const fn new(inner: Arc<dyn LanguageModel>) -> Self {
        Self(inner)
    }
}

impl LanguageModel for Cited {
    fn capabilities(&self) -> LlmCapabilities {
        self.0.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let passages = prompt.passages.clone().filter(|passages| !passages.is_empty());
        let Some(passages) = passages else { return self.0.reply(prompt) };
        let question = prompt.question().unwrap_or_default().to_owned();
        async move { Ok(checked(self.0.reply(prompt).await?, passages, question)) }.boxed()
    }
}

fn checked(mut thoughts: ThoughtStream, passages: Passages, question: String) -> ThoughtStream {
    generate(|out| async move {
        let markers = Markers::new(passages.len());
        let mut reader = Reader { markers, passages, question, said: String::new(), cited: BTreeSet::new() };
        while let Some(thought) = thoughts.next().await {
            let rest = match thought {
                Ok(Thought::Text(text)) => {
                    for thought in reader.read(&text) {
                        out.give(thought).await;
                    }
                    continue;
                }
                Ok(other) => Ok(other),
                Err(error) => Err(error),
            };
            // Whatever it is, no marker goes on behind it.
            for thought in reader.end() {
                out.give(thought).await;
            }
            out.give(rest?).await;
        }
        Ok(())
    })
}

/// What was said, read for markers.
struct Reader {
    markers: Markers,
    passages: Passages,
    question: String,
    /// The end of what was said so far: a marker stands behind what it bears out.
    said: String,
    cited: BTreeSet<u32>,
}

impl Reader {
    fn read(&mut self, text: &str) -> Vec<Thought> {
        let pieces = self.markers.push(text);
        self.tell(pieces)
    }

    fn end(&mut self) -> Vec<Thought> {
        let pieces = self.markers.end();
        self.tell(pieces)
    }

    fn tell(&mut self, pieces: Vec<Piece>) -> Vec<Thought> {
        let mut thoughts = Vec::new();
        for piece in pieces {
            let (text, numbers) = match piece {
                Piece::Text(text) => {
                    self.said.push_str(&text);
                    (text, Vec::new())
                }
                Piece::Marker { text, numbers } => (text, numbers),
            };
            thoughts.push(Thought::Text(text));
            let fresh: Vec<_> = numbers.into_iter().filter(|number| self.cited.insert(*number)).collect();
            thoughts.extend(fresh.into_iter().filter_map(|number| self.citation(number)).map(Thought::Cited));
        }
        let kept = self.said.len().saturating_sub(RECENT);
        self.said.drain(..self.said.ceil_char_boundary(kept));
        thoughts
    }

    fn citation(&self, number: u32) -> Option<Citation> {
        let passage = Arc::clone(self.passages.get(number.checked_sub(1)? as usize)?);
        let quote = quote::of(&passage.text, &self.said, &self.question).to_owned();
        Some(Citation { number, passage, quote })
    }
}

/// Bytes of what was said last that are looked at for what a marker bears out: a passage that was read out.
const RECENT: usize = 1_500;

#[cfg(test)]
mod tests;
