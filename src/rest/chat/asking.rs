//! What a client asks of its conversation.

use axum::{Error, extract::ws};

use super::{
    event,
    frame::{Frame, Message},
    line::{Line, REVIEWED},
    mouth::{GONE, Mouth},
};
use crate::{
    chat::{self, Answer, Said, Words},
    metrics,
    realtime::{Farewell, Incoming, read_frame},
    rest::fault::Fault,
    store::{StoreError, sessions},
};

/// Why something is not done.
enum Trouble {
    /// The client is told, and the socket goes on.
    Told(Fault),
    /// The socket ends.
    Ends(Farewell),
}

impl From<Farewell> for Trouble {
    fn from(farewell: Farewell) -> Self {
        Self::Ends(farewell)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Told(fault)
    }
}

impl From<chat::Error> for Trouble {
    fn from(error: chat::Error) -> Self {
        Self::Told(error.into())
    }
}

impl Line {
    /// The client says something, or is gone.
    pub(super) async fn attend(
        &mut self,
        mouth: &mut Mouth,
        said: Option<Result<ws::Message, Error>>,
    ) -> Result<(), Farewell> {
        self.unanswered = 0;
        let read = match said.map_or(Incoming::Gone, read_frame) {
            Incoming::Text(text) => self.allowed().and_then(|()| Frame::read(&text)),
            Incoming::Binary => self.allowed().and(Err(binary())),
            Incoming::Alive | Incoming::Frame(_) | Incoming::Pressed(_) | Incoming::Lag(_) => return Ok(()),
            Incoming::Gone | Incoming::Stalled => return Err(GONE),
            Incoming::Broken(farewell) => return Err(farewell),
        };
        let (name, done) = match read {
            Ok(Frame::Ping) => (None, mouth.tell(&event::pong()).await.map_err(Trouble::from)),
            Ok(Frame::Cancel) => (None, self.cancel(mouth).await),
            Ok(Frame::Message(message)) => {
                let done = self.say(mouth, &message).await;
                if let Err(Trouble::Told(_)) = done {
                    metrics::chatted("refused");
                }
                (message.client_message_id, done)
            }
            Err(fault) => (None, Err(fault.into())),
        };
        match done {
            Ok(()) => Ok(()),
            Err(Trouble::Ends(farewell)) => Err(farewell),
            Err(Trouble::Told(fault)) => mouth.tell(&event::refused(&fault, name.as_deref())).await,
        }
    }

    async fn say(&mut self, mouth: &mut Mouth, message: &Message) -> Result<(), Trouble> {
        self.review_writer(mouth).await?;
        let words = Words {
            content: &message.content,
            client_message: message.client_message_id.as_deref(),
            attachments: &message.attachments,
        };
        let reply = match self.context.desk().say(self.principal.user, self.session, words).await? {
            // That it is kept is told to all who follow, and so to this client too.
            Said::Fresh(reply) => {
                metrics::chatted("kept");
                reply
            }
            Said::Again(message, answer) => {
                metrics::chatted("repeated");
                self.tell_again(mouth, &message).await?;
                match answer {
                    Answer::Kept(answer) => return Ok(self.tell_again(mouth, &answer).await?),
                    Answer::Coming(reply) => reply,
                }
            }
        };
        match reply {
            Some(reply) => Ok(self.watch(mouth, reply).await?),
            None => Ok(()),
        }
    }

    async fn cancel(&mut self, mouth: &mut Mouth) -> Result<(), Trouble> {
        self.review_writer(mouth).await?;
        if self.context.hub.cancel(self.session) { Ok(()) } else { Err(nothing_to_cancel().into()) }
    }

    async fn review_writer(&mut self, mouth: &mut Mouth) -> Result<(), Trouble> {
        self.review(mouth).await?;
        if self.principal.may_write() { Ok(()) } else { Err(Fault::read_only().into()) }
    }

    /// Sees whether the client may still be here, and what it may do: credentials end, people are shut out, conversations
    /// deleted, all of it beside this socket.
    pub(super) async fn review(&mut self, mouth: &mut Mouth) -> Result<(), Farewell> {
        self.review = self.context.engine.clock.now() + REVIEWED;
        let standing = self.context.auth.standing(&self.principal).await;
        let session = sessions::get(&self.context.db, self.principal.user, self.session).await;
        let (fault, farewell) = match (standing, session) {
            (Ok(None), _) => (Fault::ended_credential(), ENDED),
            (_, Err(StoreError::NotFound)) => (Fault::not_found(), DELETED),
            (Ok(Some(role)), _) => {
                self.principal.role = role;
                return Ok(());
            }
            // A database that is away says nothing about them.
            (Err(_), _) => return Ok(()),
        };
        mouth.tell(&event::error(&fault, false)).await?;
        Err(farewell)
    }

    /// Whether it may say something now.
    fn allowed(&self) -> Result<(), Fault> {
        let taken = self.said.take((), self.context.engine.clock.now());
        taken.map(drop).map_err(Fault::too_many)
    }
}

fn binary() -> Fault {
    Fault::bad_frame("binary_frame", "Frames are JSON, sent as text.")
}

fn nothing_to_cancel() -> Fault {
    Fault::bad_frame("nothing_to_cancel", "No reply is being made in this conversation.")
}

const ENDED: Farewell = Farewell { code: 1008, reason: "The credential is expired or revoked." };
const DELETED: Farewell = Farewell { code: 1008, reason: "The conversation is not there any more." };
