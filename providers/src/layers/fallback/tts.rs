//! Text-to-speech: clauses not yet voiced go to the next engine, none repeated and none dropped.
//!
//! Of a clause that was partly voiced when its engine failed, the next engine voices the words whose sound had not all
//! been given. Without word times nobody knows where it broke off; then it is voiced again from its start, for a
//! stutter loses nothing. The next engine's clips may have another rate.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Attempts, Fallback, cut_short, untried};
use crate::{
    ErrorKind, ProviderError, TextToSpeech,
    generate::{Outlet, generate},
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

impl TextToSpeech for Fallback<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        self.first().capabilities()
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        async move {
            let ledger = Ledger { source: text, owed: VecDeque::new(), settled: 0, ended: false };
            let mut speaking = Speaking {
                attempts: self.attempts(),
                voice,
                ledger: Arc::new(Mutex::new(ledger)),
                now: Voiced::default(),
            };
            let first = speaking.open(untried()).await?;
            Ok(generate(|out| speaking.follow(first, out)))
        }
        .boxed()
    }
}

struct Speaking {
    attempts: Attempts<dyn TextToSpeech>,
    voice: Voice,
    ledger: Arc<Mutex<Ledger>>,
    now: Voiced,
}

/// How far the clause being voiced has come.
#[derive(Default)]
struct Voiced {
    /// Sound given, by all engines together.
    sound: Duration,
    /// Sound given by engines before, and where in the clause's text the running engine began.
    before: Duration,
    from: usize,
    /// Ends of words: in sound, and in bytes of the text.
    words: Vec<(Duration, usize)>,
}

impl Speaking {
    /// The next engine that opens, given what is not yet voiced.
    async fn open(&mut self, mut error: ProviderError) -> Result<SpeechStream, ProviderError> {
        loop {
            let engine = self.attempts.after(error)?;
            let text = feed(self.ledger.clone(), self.now.from);
            error = match engine.speak(self.voice.clone(), text).await {
                Ok(speech) => return Ok(speech),
                Err(error) => error,
            };
        }
    }

    /// Where in the running clause the next engine begins: after the last word that was heard whole.
    fn restart(&mut self) {
        let whole = self.now.words.iter().filter(|(end, _)| *end <= self.now.sound).map(|(_, byte)| *byte).max();
        let from = whole.unwrap_or(self.now.from);
        self.now = Voiced { before: self.now.sound, sound: self.now.sound, from, words: Vec::new() };
    }

    /// Settles the running clause if no word of it is left to voice.
    fn wholly_voiced(&mut self) -> Option<u32> {
        let mut ledger = lock(&self.ledger);
        let clause = ledger.owed.front()?;
        let left = clause.text.get(self.now.from..).unwrap_or_default();
        if self.now.from == 0 || left.contains(char::is_alphanumeric) {
            return None;
        }
        self.now = Voiced::default();
        ledger.settle()
    }

    async fn follow(mut self, mut speech: SpeechStream, out: Outlet<Speech>) -> Result<(), ProviderError> {
        loop {
            let error = match speech.next().await {
                Some(Ok(event)) => match self.account(event) {
                    Ok(event) => {
                        out.give(event).await;
                        continue;
                    }
                    Err(error) => error,
                },
                Some(Err(error)) => error,
                None => cut_short(),
            };
            // The failed engine must let go of the text before the next takes it up.
            drop(std::mem::replace(&mut speech, stream::empty().boxed()));
            self.restart();
            if let Some(clause) = self.wholly_voiced() {
                out.give(Speech::ClauseDone { clause }).await;
            }
            if lock(&self.ledger).is_settled() {
                return Ok(());
            }
            speech = self.open(error).await?;
        }
    }

    /// Keeps the books, and puts places and times of a resumed clause in terms of the whole clause.
    fn account(&mut self, event: Speech) -> Result<Speech, ProviderError> {
        let mut ledger = lock(&self.ledger);
        let owed = ledger.owed.front().map(|clause| clause.id);
        let in_turn = |clause: u32| {
            let why = format!("clause {clause} was voiced out of turn");
            if owed == Some(clause) { Ok(()) } else { Err(ProviderError::new("fallback", ErrorKind::Protocol, why)) }
        };
        match event {
            Speech::Audio { clause, clip } => {
                in_turn(clause)?;
                self.now.sound += clip.duration();
                Ok(Speech::Audio { clause, clip })
            }
            Speech::Word { clause, range, start, end } if owed == Some(clause) => {
                let range = range.start + self.now.from..range.end + self.now.from;
                let (start, end) = (start + self.now.before, end + self.now.before);
                self.now.words.push((end, range.end));
                Ok(Speech::Word { clause, range, start, end })
            }
            // Times of a clause ahead or behind: of no use to a restart, and as true as they were.
            Speech::Word { .. } => Ok(event),
            Speech::ClauseDone { clause } => {
                in_turn(clause)?;
                ledger.settle();
                self.now = Voiced::default();
                Ok(Speech::ClauseDone { clause })
            }
        }
    }
}

/// Clauses taken and not yet voiced, and where more come from.
struct Ledger {
    source: BoxStream<'static, Clause>,
    owed: VecDeque<Clause>,
    /// Clauses voiced so far.
    settled: usize,
    ended: bool,
}

impl Ledger {
    fn is_settled(&self) -> bool {
        self.ended && self.owed.is_empty()
    }

    /// The first clause owed is voiced.
    fn settle(&mut self) -> Option<u32> {
        let clause = self.owed.pop_front()?;
        self.settled += 1;
        Some(clause.id)
    }

    /// The clause with this number in the reply.
    fn poll(&mut self, number: usize, context: &mut Context<'_>) -> Poll<Option<Clause>> {
        if let Some(clause) = number.checked_sub(self.settled).and_then(|at| self.owed.get(at)) {
            return Poll::Ready(Some(clause.clone()));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = self.source.poll_next_unpin(context);
        match &polled {
            Poll::Ready(Some(clause)) => self.owed.push_back(clause.clone()),
            Poll::Ready(None) => self.ended = true,
            Poll::Pending => {}
        }
        polled
    }
}

/// What is not yet voiced, the first clause from byte `from` on. One reader at a time: the source wakes only the last
/// that polled it.
fn feed(ledger: Arc<Mutex<Ledger>>, from: usize) -> BoxStream<'static, Clause> {
    let mut number = lock(&ledger).settled;
    let first = number;
    let clauses = stream::poll_fn(move |context| {
        let mut polled = lock(&ledger).poll(number, context);
        if let Poll::Ready(Some(clause)) = &mut polled {
            if number == first {
                clause.text = clause.text.get(from..).unwrap_or_default().to_owned();
            }
            number += 1;
        }
        polled
    });
    clauses.boxed()
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
