//! Brings a speech-to-speech model and its session together. Waits for nothing but the session, and a moment for what the
//! model is told beside the conversation.

use std::{
    collections::VecDeque,
    future, mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use audio::Frame;
use futures_util::future::BoxFuture;
use providers::{
    ErrorKind, ProviderError, RealtimeModel,
    layers::Equipped,
    llm::Thought,
    realtime::{Command, Event, Manner, Step},
};
use tokio::{select, sync::mpsc};

use super::{
    Order,
    line::{self, Line},
    mirror,
    tapes::{Tape, Tapes},
};
use crate::{
    metrics::Role,
    realtime::{
        session::{
            Input,
            ids::{ItemId, ResponseId},
            output::Ask,
        },
        workers::{
            Kit, Report,
            patient::fault,
            sound::{PIECE, RATE},
        },
    },
};

/// How the model stands.
enum Link {
    /// Nobody needs it, or it hung up while nobody did.
    Closed,
    /// It is being called.
    Opening(BoxFuture<'static, Result<Box<Line>, ProviderError>>),
    /// It listens.
    Open(Box<Line>),
}

/// The task behind a session's speech-to-speech model.
pub(super) struct Task {
    kit: Kit,
    model: Arc<dyn RealtimeModel>,
    lead: Duration,
    /// Some orders found no room: what the model knows is not to be relied on.
    overflowed: Arc<AtomicBool>,
    link: Link,
    tapes: Tapes,
    /// What is to be asked once the model listens.
    wanted: Option<(ResponseId, Box<Ask>)>,
    /// Sound that waits for credit. While it does, no more is taken from the model.
    waiting: VecDeque<(u32, Vec<i16>)>,
}

impl Task {
    pub(super) fn new(kit: Kit, model: Arc<dyn RealtimeModel>, lead: Duration, overflowed: Arc<AtomicBool>) -> Self {
        let (tapes, waiting) = (Tapes::default(), VecDeque::new());
        let model = Arc::new(Equipped::new(model, kit.toolbox.clone()));
        Self { kit, model, lead, overflowed, link: Link::Closed, tapes, wanted: None, waiting }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        // Known before somebody speaks: a model that cannot be told otherwise later is called with it.
        self.kit.dossier.fresh().await;
        loop {
            select! { biased;
                order = orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => return,
                },
                happened = happens(&mut self.link, self.kit.patience, self.waiting.is_empty()) => match happened {
                    Happened::Opened(opened) => self.opened(opened).await,
                    Happened::Event(Ok(event)) => self.take(event).await,
                    Happened::Event(Err(error)) => self.lose(error).await,
                },
            }
        }
    }

    async fn obey(&mut self, order: Order) {
        if self.overflowed.swap(false, Ordering::Relaxed) {
            self.tapes.clear();
            self.lose(fault(Role::Converse, ErrorKind::Timeout, "orders to the model overflowed")).await;
        }
        let done = match order {
            Order::Begin { item, manner } => self.begin(item, *manner),
            Order::Hear(frame) => self.hear(frame),
            Order::End => Ok(()),
            Order::Abandon => self.abandon(),
            Order::Ask { response, mut ask } => {
                ask.manner.aside = self.kit.dossier.fresh().await.and_then(|found| found.aside);
                self.wanted = Some((response, ask));
                self.advance()
            }
            Order::Added { response, item } => {
                if let Link::Open(line) = &mut self.link {
                    line.added(&response, item);
                }
                Ok(())
            }
            Order::Cancel(response) => self.cancel(&response),
            Order::Released { response, samples } => {
                self.release(&response, samples).await;
                Ok(())
            }
        };
        if let Err(error) = done {
            self.lose(error).await;
        }
    }

    fn begin(&mut self, item: ItemId, manner: Manner) -> Result<(), ProviderError> {
        self.tapes.begin(item);
        match &mut self.link {
            Link::Closed => self.call(manner),
            Link::Opening(_) => {}
            Link::Open(line) => {
                // What it has of another utterance must not run into this one.
                if line.buffered.take().is_some() {
                    line.say(Command::Discard)?;
                }
            }
        }
        Ok(())
    }

    fn hear(&mut self, frame: Frame) -> Result<(), ProviderError> {
        let Some(item) = self.tapes.hear(frame) else { return Ok(()) };
        match &mut self.link {
            // Another utterance's sound is with the model only until this one's begins.
            Link::Open(line) if line.buffered.as_ref().is_none_or(|buffered| *buffered == item) => {
                line.buffered = Some(item);
                line.say(Command::Hear(frame))
            }
            Link::Closed | Link::Opening(_) | Link::Open(_) => Ok(()),
        }
    }

    fn abandon(&mut self) -> Result<(), ProviderError> {
        let Some(dropped) = self.tapes.drop_last() else { return Ok(()) };
        if let Link::Open(line) = &mut self.link
            && line.buffered.take_if(|item| *item == dropped).is_some()
        {
            line.say(Command::Discard)?;
        }
        Ok(())
    }

    fn cancel(&mut self, response: &ResponseId) -> Result<(), ProviderError> {
        self.wanted.take_if(|(wanted, _)| wanted == response);
        let Link::Open(line) = &mut self.link else { return Ok(()) };
        let Some(active) = line.active.take_if(|active| active.response == *response) else { return Ok(()) };
        self.waiting.clear();
        line.say(Command::Cancel)?;
        // What the model said of which nothing became an item, nobody heard.
        if active.added { Ok(()) } else { line.say(Command::Truncate(Duration::ZERO)) }
    }

    /// Asks what is wanted, if the model listens; calls it if it does not.
    fn advance(&mut self) -> Result<(), ProviderError> {
        let Some((_, ask)) = &self.wanted else { return Ok(()) };
        let manner = ask.manner.clone();
        let line = match &mut self.link {
            Link::Open(line) => line,
            Link::Opening(_) => return Ok(()),
            Link::Closed => {
                self.call(manner);
                return Ok(());
            }
        };
        let fits = line.manner == manner || self.model.capabilities().reconfigures;
        let tapes = &self.tapes;
        let steps = line.mirror.catch_up(&ask.said, |item| tapes.has(item));
        let Some(steps) = steps.filter(|_| fits) else {
            self.call(manner);
            return Ok(());
        };
        for step in steps {
            match step {
                mirror::Step::Add(message) => line.say(Command::Add(message))?,
                mirror::Step::Truncate(heard) => line.say(Command::Truncate(heard))?,
                mirror::Step::Commit(item) => commit(line, &mut self.tapes, &item)?,
            }
        }
        // Of what became no item by now the words are all the model may yet be told.
        self.tapes.keep_last();
        // An utterance that is under way meanwhile goes on where it was.
        if let Some(tape) = self.tapes.last()
            && line.buffered.is_none()
        {
            replay(line, tape)?;
        }
        let Some((response, _)) = self.wanted.take() else { return Ok(()) };
        line.respond(response, manner, RATE.samples_in(self.lead).max(PIECE), self.kit.patience)
    }

    fn call(&mut self, manner: Manner) {
        self.waiting.clear();
        self.link = Link::Opening(line::open(Arc::clone(&self.model), manner, self.kit.patience));
    }

    async fn opened(&mut self, opened: Result<Box<Line>, ProviderError>) {
        self.link = Link::Closed;
        let done = opened.and_then(|mut line| {
            if let Some(tape) = self.tapes.last() {
                replay(&mut line, tape)?;
            }
            self.link = Link::Open(line);
            self.advance()
        });
        if let Err(error) = done {
            self.lose(error).await;
        }
    }

    /// The model is gone. Whoever waits for it is told; else it is called anew when it is needed.
    async fn lose(&mut self, error: ProviderError) {
        let active = match mem::replace(&mut self.link, Link::Closed) {
            Link::Open(line) => line.active.map(|active| active.response),
            Link::Closed | Link::Opening(_) => None,
        };
        self.waiting.clear();
        tracing::warn!(%error, "a speech-to-speech model failed");
        let wanted = self.wanted.take().map(|(response, _)| response);
        for response in active.into_iter().chain(wanted) {
            self.kit.report(Input::Thought { response, event: Err(error.clone()) }).await;
        }
    }

    async fn take(&mut self, event: Event) {
        let Link::Open(line) = &mut self.link else { return };
        let Some(active) = &mut line.active else { return };
        let response = active.response.clone();
        let thought = match event.step {
            Step::Sound(clip) => {
                let clause = active.clause();
                match active.sound.take(clip) {
                    Ok(samples) => self.give(clause, &samples).await,
                    Err(error) => self.lose(error).await,
                }
                return;
            }
            Step::Failed(error) => {
                line.active = None;
                self.kit.report(Input::Thought { response, event: Err(error) }).await;
                return;
            }
            Step::Thought(thought) => thought,
        };
        match &thought {
            Thought::Text(_) => _ = active.clause(),
            Thought::CallStarted { .. } => active.leave_message(),
            Thought::Finished(_) => {
                let (clause, tail) = (active.last_clause(), active.sound.tail());
                line.active = None;
                if !tail.is_empty() {
                    hand_over(&self.kit.reports, &response, clause, tail, self.kit.clock.now()).await;
                }
            }
            Thought::Cited(_)
            | Thought::Acted(_)
            | Thought::CallArguments(_)
            | Thought::CallDone
            | Thought::Usage(_) => {}
        }
        self.kit.report(Input::Thought { response, event: Ok(thought) }).await;
    }

    /// Hands sound over in pieces, as far as there is credit for it.
    async fn give(&mut self, clause: u32, samples: &[i16]) {
        self.waiting.extend(samples.chunks(PIECE).map(|piece| (clause, piece.to_vec())));
        self.hand_over_waiting().await;
    }

    async fn release(&mut self, response: &ResponseId, samples: usize) {
        if let Link::Open(line) = &mut self.link
            && let Some(active) = line.active.as_mut().filter(|active| active.response == *response)
        {
            active.credit += samples;
            self.hand_over_waiting().await;
        }
    }

    async fn hand_over_waiting(&mut self) {
        while let Link::Open(line) = &mut self.link
            && let Some(active) = &mut line.active
            && self.waiting.front().is_some_and(|(_, piece)| piece.len() <= active.credit)
            && let Some((clause, piece)) = self.waiting.pop_front()
        {
            active.credit -= piece.len();
            active.owes(self.kit.patience);
            let response = active.response.clone();
            hand_over(&self.kit.reports, &response, clause, piece, self.kit.clock.now()).await;
        }
    }
}

async fn hand_over(
    reports: &mpsc::Sender<Report>,
    response: &ResponseId,
    clause: u32,
    samples: Vec<i16>,
    given: Instant,
) {
    // A session that is gone drops its workers.
    let _ = reports.send(Report::Sound { response: response.clone(), clause, samples, given }).await;
}

/// What the model did.
enum Happened {
    Opened(Result<Box<Line>, ProviderError>),
    Event(Result<Event, ProviderError>),
}

async fn happens(link: &mut Link, patience: Duration, takes: bool) -> Happened {
    match link {
        Link::Opening(opening) => Happened::Opened(opening.await),
        Link::Open(line) if takes => Happened::Event(line.next(patience).await),
        Link::Open(_) | Link::Closed => future::pending().await,
    }
}

/// Makes an utterance a message of the person's: the model hears it first if it has not.
fn commit(line: &mut Line, tapes: &mut Tapes, item: &ItemId) -> Result<(), ProviderError> {
    let Some(tape) = tapes.take(item) else { return Ok(()) };
    if line.buffered.as_ref() != Some(item) {
        if line.buffered.take().is_some() {
            line.say(Command::Discard)?;
        }
        replay(line, &tape)?;
    }
    line.buffered = None;
    line.say(Command::Commit)
}

fn replay(line: &mut Line, tape: &Tape) -> Result<(), ProviderError> {
    line.buffered = Some(tape.item.clone());
    // As fast as the vendor takes it, in a queue that is as long as most utterances.
    tape.frames.iter().try_for_each(|frame| line.say(Command::Hear(*frame)))
}
