//! One connection to a speech-to-speech model, and the reply it is making.

use std::{pin::Pin, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use providers::{
    ErrorKind, ProviderError, RealtimeModel,
    realtime::{Command, Event, EventStream, Manner, Opening},
};
use tokio::{
    select,
    sync::mpsc,
    time::{Sleep, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;

use super::{mirror::Mirror, tapes::KEPT};
use crate::{
    metrics::Role,
    realtime::{
        session::ids::{ItemId, ResponseId},
        workers::{patient::fault, sound::Sound},
    },
};

/// Commands that may wait for the vendor: an utterance it hears again, and 10 s of the microphone. Room is taken as it is
/// needed. Overflow rule: a vendor that takes none is lost.
const COMMANDS: usize = KEPT + 512;

/// An open conversation.
pub(super) struct Line {
    commands: mpsc::Sender<Command>,
    events: EventStream,
    /// What it was opened with.
    pub(super) manner: Manner,
    pub(super) mirror: Mirror,
    /// The utterance whose sound the model has and nothing else of which is known to it.
    pub(super) buffered: Option<ItemId>,
    replies: u64,
    pub(super) active: Option<Active>,
    /// The last reply that was asked for: its items may come later than its end.
    newest: Option<ResponseId>,
}

/// A reply under way.
pub(super) struct Active {
    number: u64,
    pub(super) response: ResponseId,
    /// Whether the session made an item of it.
    pub(super) added: bool,
    /// Messages begun, and whether one is under way.
    messages: u32,
    in_message: bool,
    pub(super) sound: Sound,
    /// Samples that may still be taken.
    pub(super) credit: usize,
    overdue: Pin<Box<Sleep>>,
}

/// Opens a conversation; a model that does not open for so long has failed.
pub(super) fn open(
    model: std::sync::Arc<dyn RealtimeModel>,
    manner: Manner,
    patience: Duration,
) -> BoxFuture<'static, Result<Box<Line>, ProviderError>> {
    async move {
        let (commands, waiting) = mpsc::channel(COMMANDS);
        let opening = Opening { model: None, manner: manner.clone(), history: Vec::new() };
        let opened = timeout(patience, model.converse(opening, ReceiverStream::new(waiting).boxed())).await;
        let late = |_| Err(fault(Role::Converse, ErrorKind::Timeout, "the model did not open"));
        let events = opened.unwrap_or_else(late)?;
        Ok(Box::new(Line {
            commands,
            events,
            manner,
            mirror: Mirror::default(),
            buffered: None,
            replies: 0,
            active: None,
            newest: None,
        }))
    }
    .boxed()
}

impl Line {
    /// Tells the model something; fails when it takes nothing any more.
    pub(super) fn say(&self, command: Command) -> Result<(), ProviderError> {
        self.commands.try_send(command).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => {
                fault(Role::Converse, ErrorKind::Timeout, "the model takes no more of what is said")
            }
            mpsc::error::TrySendError::Closed(_) => {
                ProviderError::new("relay", ErrorKind::Unavailable, "the model has hung up")
            }
        })
    }

    /// Asks for a reply, of whose sound `credit` samples may be taken at first.
    pub(super) fn respond(
        &mut self,
        response: ResponseId,
        manner: Manner,
        credit: usize,
        patience: Duration,
    ) -> Result<(), ProviderError> {
        self.replies += 1;
        self.say(Command::Respond { reply: self.replies, manner: Box::new(manner) })?;
        self.newest = Some(response.clone());
        self.active = Some(Active {
            number: self.replies,
            response,
            added: false,
            messages: 0,
            in_message: false,
            sound: Sound::of(Role::Converse),
            credit,
            overdue: Box::pin(sleep(patience)),
        });
        Ok(())
    }

    /// An item of a reply is in the conversation.
    pub(super) fn added(&mut self, response: &ResponseId, item: ItemId) {
        if self.newest.as_ref() != Some(response) {
            return;
        }
        self.mirror.own(item);
        if let Some(active) = &mut self.active {
            active.added = true;
        }
    }

    /// The next event of the reply under way. Silence while one is owed, and the end of the stream, are failures.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<Event, ProviderError> {
        loop {
            let event = match &mut self.active {
                None => self.events.next().await,
                Some(active) => select! { biased;
                    event = self.events.next() => {
                        active.owes(patience);
                        event
                    }
                    () = &mut active.overdue => {
                        return Err(fault(Role::Converse, ErrorKind::Timeout, "the model has fallen silent"));
                    }
                },
            };
            let hung_up = || Err(ProviderError::new("relay", ErrorKind::Unavailable, "the model has hung up"));
            let event = event.unwrap_or_else(hung_up)?;
            // Stragglers of a reply that was cancelled.
            if self.active.as_ref().is_some_and(|active| active.number == event.reply) {
                return Ok(event);
            }
        }
    }
}

impl Active {
    /// The model owes its next step from here on.
    pub(super) fn owes(&mut self, patience: Duration) {
        self.overdue = Box::pin(sleep(patience));
    }

    /// The message that was spoken last.
    pub(super) const fn last_clause(&self) -> u32 {
        self.messages.saturating_sub(1)
    }

    /// The message that words or sound coming next belong to.
    pub(super) const fn clause(&mut self) -> u32 {
        if !self.in_message {
            self.in_message = true;
            self.messages += 1;
        }
        self.messages - 1
    }

    /// A call begins: what is said after it is another message.
    pub(super) const fn leave_message(&mut self) {
        self.in_message = false;
    }
}
