//! One client of a conversation, from the upgrade to the goodbye.
//!
//! One task reads and sends in turns, so a client that says much without reading is held back by TCP, and whoever is slow
//! holds up nobody else: words that came meanwhile are told together, events that were lost are made up for by the history.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Error,
    extract::ws::{self, WebSocket},
};
use futures_util::{StreamExt, future, stream::SplitStream};
use tokio::{
    select,
    time::{MissedTickBehavior, interval, timeout},
};
use tracing::Instrument;

use super::{
    event,
    history::History,
    mouth::{GONE, GOODBYE, Mouth},
    recent::Recent,
};
use crate::{
    auth::Principal,
    buckets::{Buckets, Limit},
    chat::{Event, Follower, Stage, Watched},
    metrics,
    realtime::Farewell,
    rest::{Context, messages},
    store::{
        SessionId,
        messages::{Message, Role, Status},
    },
};

/// One client.
pub(super) struct Line {
    pub(super) context: Arc<Context>,
    pub(super) principal: Principal,
    pub(super) session: SessionId,
    follower: Follower,
    /// The reply in the making, and how much of it was told.
    reply: Option<Watched>,
    recent: Recent,
    /// What the client said lately.
    pub(super) said: Buckets<()>,
    /// When it is next seen whether the client may still be here.
    pub(super) review: Instant,
    /// Pings since the last sign of life.
    pub(super) unanswered: u32,
    /// Whether the relay is shutting down, and only the end of the reply in the making is waited for.
    leaving: bool,
}

/// What a line attends to.
enum Happening {
    Told(Option<Event>),
    Said(Option<Result<ws::Message, Error>>),
    Stage(Stage),
    Ping,
    Review,
    Drain,
}

impl Line {
    pub(super) fn new(context: Arc<Context>, principal: Principal, session: SessionId, follower: Follower) -> Self {
        let review = context.engine.clock.now() + REVIEWED;
        let (recent, said) = (Recent::default(), Buckets::new(FRAMES));
        Self { context, principal, session, follower, reply: None, recent, said, review, unanswered: 0, leaving: false }
    }

    /// Serves the client, who is first told the conversation as it stands, and the reply in the making from its beginning.
    pub(super) async fn serve(self, socket: WebSocket, history: History, making: Option<Watched>) {
        let span = tracing::info_span!("chat", session.id = %self.session);
        self.run(socket, history, making).instrument(span).await;
    }

    async fn run(mut self, socket: WebSocket, history: History, making: Option<Watched>) {
        let (_hold, _open) = (self.context.engine.drain.hold(), metrics::chat_opened());
        let (sink, mut frames) = socket.split();
        let mut mouth = Mouth::new(sink, self.context.engine.config.stall());
        let Err(farewell) = self.talk(&mut mouth, &mut frames, history, making).await;
        tracing::debug!(code = farewell.code, reason = farewell.reason, "a chat socket ends");
        // The seat is free for whoever comes next.
        drop(self);
        mouth.close(farewell).await;
        // Leaving unread bytes behind would reset the connection and lose the goodbye.
        let _ = timeout(GOODBYE, frames.for_each(|_| future::ready(()))).await;
    }

    async fn talk(
        &mut self,
        mouth: &mut Mouth,
        frames: &mut SplitStream<WebSocket>,
        history: History,
        making: Option<Watched>,
    ) -> Result<Infallible, Farewell> {
        mouth.tell(&event::connected(self.session, !self.principal.may_write())).await?;
        self.tell_history(mouth, history, making).await?;
        let mut drain = std::pin::pin!(self.context.engine.drain.begun());
        let mut pings = interval(PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        loop {
            if self.leaving && self.reply.is_none() {
                return Err(AWAY);
            }
            let review = self.context.engine.clock.clone().until(self.review);
            let happening = select! { biased;
                _ = pings.tick() => Happening::Ping,                                        // 1. what is rare
                () = review => Happening::Review,
                () = &mut drain, if !self.leaving => Happening::Drain,
                event = self.follower.next() => Happening::Told(event),                     // 2. what was said before …
                said = frames.next() => Happening::Said(said),
                stage = next_stage(&mut self.reply) => Happening::Stage(stage),             // 3. … it is answered
            };
            match happening {
                Happening::Told(event) => self.hear(mouth, event).await?,
                Happening::Said(said) => self.attend(mouth, said).await?,
                Happening::Stage(stage) => self.tell_stage(mouth, stage).await?,
                Happening::Ping if self.unanswered >= UNANSWERED => return Err(GONE),
                Happening::Ping => {
                    self.unanswered += 1;
                    mouth.ping().await?;
                }
                Happening::Review => self.review(mouth).await?,
                Happening::Drain => self.leaving = true,
            }
        }
    }

    /// Something happened in the conversation.
    async fn hear(&mut self, mouth: &mut Mouth, event: Option<Event>) -> Result<(), Farewell> {
        match event {
            Some(Event::Message(message)) => self.tell_message(mouth, &message).await,
            Some(Event::Reply(reply)) => self.watch(mouth, reply).await,
            None => {
                let making = self.follower.making();
                let history = History::read(&self.context, self.principal.user, self.session).await;
                let Ok(history) = history else { return Err(LOST) };
                self.tell_history(mouth, history, making).await
            }
        }
    }

    async fn tell_history(
        &mut self,
        mouth: &mut Mouth,
        history: History,
        making: Option<Watched>,
    ) -> Result<(), Farewell> {
        mouth.tell(&event::history(&history)).await?;
        self.recent = history.recent;
        match making {
            Some(reply) => self.watch(mouth, reply).await,
            None => Ok(()),
        }
    }

    /// A message as it says what it says now, unless that was told.
    async fn tell_message(&mut self, mouth: &mut Mouth, message: &Message) -> Result<(), Farewell> {
        let empty = message.entry.content.is_empty() && message.entry.call.is_none();
        if message.entry.status == Status::InProgress || empty {
            return Ok(());
        }
        let (id, role) = (message.id, message.entry.role);
        let shown = match messages::whole(&self.context, self.principal.user, message.clone()).await {
            Ok(view) => event::shown(&view.0),
            // It is kept: what cannot be read now is in the history.
            Err(fault) => return mouth.tell(&event::error(&fault, true)).await,
        };
        if !self.recent.is_news(id, &shown) {
            return Ok(());
        }
        match role {
            Role::User => mouth.tell(&event::user_message(&shown)).await,
            Role::Assistant | Role::System | Role::Tool => mouth.tell(&event::done(id, &shown)).await,
        }
    }

    /// The same, whether or not it was told.
    pub(super) async fn tell_again(&mut self, mouth: &mut Mouth, message: &Message) -> Result<(), Farewell> {
        self.recent.forget(message.id);
        self.tell_message(mouth, message).await
    }

    /// A reply is being made. The one before has ended, or is about to.
    pub(super) async fn watch(&mut self, mouth: &mut Mouth, reply: Watched) -> Result<(), Farewell> {
        if self.reply.as_ref().is_some_and(|known| known.id == reply.id) || self.recent.knows(reply.id) {
            return Ok(());
        }
        while self.reply.is_some() {
            let stage = next_stage(&mut self.reply).await;
            self.tell_stage(mouth, stage).await?;
        }
        self.reply = Some(reply);
        Ok(())
    }

    async fn tell_stage(&mut self, mouth: &mut Mouth, stage: Stage) -> Result<(), Farewell> {
        let Some(reply) = &self.reply else { return Ok(()) };
        match stage {
            Stage::Words(words) => mouth.tell(&event::chunk(reply.id, &words)).await,
            Stage::Kept(message) => {
                self.reply = None;
                self.tell_message(mouth, &message).await
            }
            Stage::Failed(error) => {
                self.reply = None;
                mouth.tell(&event::error(&error.into(), true)).await
            }
        }
    }
}

/// What comes next of a reply; nothing ever where there is none.
async fn next_stage(reply: &mut Option<Watched>) -> Stage {
    match reply {
        Some(reply) => reply.next().await,
        None => future::pending().await,
    }
}

/// Frames of one client: more than anybody types, and what a program sends again after a drop.
const FRAMES: Limit = Limit { burst: 60.0, drain: Duration::from_millis(100), most: 1 };
/// Between pings: clients and proxies give a connection up after a minute or so of silence.
const PING: Duration = Duration::from_secs(20);
/// Pings without any sign of life after which a client is gone.
const UNANSWERED: u32 = 3;
/// Between looks at whether a client may still be here, when it says nothing.
pub(super) const REVIEWED: Duration = Duration::from_secs(30);

const AWAY: Farewell = Farewell { code: 1001, reason: "The server is shutting down: come again in a moment." };
const LOST: Farewell = Farewell { code: 1013, reason: "The conversation cannot be read now: come again." };
