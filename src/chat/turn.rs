//! A typed turn: words that are kept once, however often they are sent, and answered.

use super::{Desk, Error, Watched};
use crate::{
    realtime::{admission::NoSeat, interject, sideband::Seat},
    store::{
        AttachmentId, SessionId, UserId,
        attachments::{self, State},
        messages::{self, Message, Post, Posted, Role},
    },
};

/// What somebody types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    pub(crate) content: &'a str,
    /// What its client calls it, so that it may be sent again.
    pub(crate) client_message: Option<&'a str>,
    /// Files of the conversation that the answer is to know.
    pub(crate) attachments: &'a [AttachmentId],
}

/// What became of it.
pub(crate) enum Said {
    /// It is kept, and those who follow the conversation are told of it. Its answer, unless that waits for the reply in the
    /// making or is spoken.
    Fresh(Option<Watched>),
    /// It was sent before.
    Again(Box<Message>, Answer),
}

/// What became of the answer to what was sent before.
pub(crate) enum Answer {
    /// It is there.
    Kept(Box<Message>),
    /// It comes; this is it, unless it is the reply in the making, waits for that, or is spoken.
    Coming(Option<Watched>),
}

impl Desk {
    /// Says something in a conversation and has it answered: aloud, where a voice session is live in it.
    ///
    /// # Errors
    /// Nothing is kept: [`Error::Draining`], [`Error::VoiceLive`], [`Error::NotFound`], [`Error::Taken`],
    /// [`Error::NoAttachment`], [`Error::UnreadAttachment`], or the store's.
    pub(crate) async fn say(&self, user: UserId, session: SessionId, words: Words<'_>) -> Result<Said, Error> {
        if self.engine.drain.has_begun() {
            return Err(Error::Draining);
        }
        for file in words.attachments {
            match attachments::state_in(&self.db, user, session, *file).await? {
                Some(State::Ready | State::Failed) => {}
                Some(State::Pending) => return Err(Error::UnreadAttachment(*file)),
                None => return Err(Error::NoAttachment(*file)),
            }
        }
        let voice = self.voice(user, session)?;
        let Words { content, client_message, .. } = words;
        let post = Post { role: Role::User, content, client_message, parent: None };
        match messages::post(&self.db, user, session, post, self.now()).await? {
            Posted::Kept(message) => {
                self.hub.tell(&message);
                Ok(Said::Fresh(self.respond(user, &message, voice).await))
            }
            Posted::Again(message) => {
                let answer = match messages::answer_to(&self.db, user, &message).await? {
                    Some(answer) => Answer::Kept(Box::new(answer)),
                    None => Answer::Coming(self.respond(user, &message, voice).await),
                };
                Ok(Said::Again(message, answer))
            }
            Posted::Taken => Err(Error::Taken),
            Posted::Stray => Err(Error::Internal),
        }
    }

    /// Has a message answered: by the voice session of its conversation, which tells of its reply when it is kept, or else in
    /// writing.
    async fn respond(&self, user: UserId, message: &Message, voice: Option<Seat>) -> Option<Watched> {
        if let (Some(seat), Some(item)) = (voice, &message.item)
            && interject(&self.engine, seat, item, &message.entry.content).await.is_ok()
        {
            return None;
        }
        self.answer(user, message.session, message.id)
    }

    /// A seat at the voice session of this user that is live in this conversation.
    fn voice(&self, user: UserId, session: SessionId) -> Result<Option<Seat>, Error> {
        let Some(live) = self.live_in(session) else { return Ok(None) };
        let theirs = user.to_string();
        match self.engine.admission.seat(live.id, |live| *live.principal == *theirs) {
            Ok(seat) => Ok(Some(seat)),
            Err(NoSeat::Nobody) => Ok(None),
            Err(NoSeat::Full(_)) => Err(Error::VoiceLive),
        }
    }
}
