//! Typed turns: the assistant answers what a conversation ends with, in the same history as what is spoken.
//!
//! A `turn` is said once, however often it is sent. `making` is the task that makes a reply from its `question`;
//! whoever asked watches its `progress`, and so do all who follow the conversation by the `hub`.

mod error;
mod hub;
mod making;
mod past;
mod progress;
mod question;
mod thinking;
mod turn;

use std::sync::Arc;

pub use error::Error;
pub use hub::Hub;
pub(crate) use hub::{Crowded, Event, Follower};
use jiff::Timestamp;
pub(crate) use past::{MOST, items};
pub(crate) use progress::{Stage, Watched};
use providers::LanguageModel;
pub(crate) use thinking::Thinking;
pub(crate) use turn::{Answer, Said, Words};

use crate::{
    realtime::{Engine, admission::Live, session::settings::Settings},
    store::{self, Db, MessageId, SessionId, UserId, sessions},
};

/// What typed turns are answered with.
#[derive(Clone)]
pub struct Desk {
    /// Where conversations are kept.
    pub db: Db,
    /// What voice sessions are made with: the clock, the drain, who is live.
    pub engine: Engine,
    /// What thinks.
    pub model: Arc<dyn LanguageModel>,
    /// How conversations are led.
    pub lead: Arc<dyn Lead>,
    /// Who follows what is said.
    pub hub: Hub,
}

/// How conversations are led here.
pub trait Lead: Send + Sync {
    /// What a conversation's settings, as JSON text, amount to.
    ///
    /// # Errors
    /// [`Error::Settings`] where they ask for what is not offered any more.
    fn settings(&self, kept: &str) -> Result<Settings, Error>;
}

impl Desk {
    /// Begins a reply to what this conversation ends with. It is finished and kept whether or not somebody watches.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::VoiceLive`], or [`Error::Busy`]; all else is told by the reply.
    pub(crate) async fn reply(&self, user: UserId, session: SessionId) -> Result<Watched, Error> {
        sessions::get(&self.db, user, session).await?;
        if self.live_in(session).is_some() {
            return Err(Error::VoiceLive);
        }
        let (told, watched) = making::prepare(self);
        let place = self.hub.take(session, &watched).ok_or(Error::Busy)?;
        making::begin(self.clone(), user, session, place, told);
        Ok(watched)
    }

    /// Begins a reply to this message; `None` where one follows the reply in the making, or that is to this message.
    fn answer(&self, user: UserId, session: SessionId, to: MessageId) -> Option<Watched> {
        let (told, watched) = making::prepare(self);
        let place = self.hub.take_or_follow(session, &watched, to)?;
        making::begin(self.clone(), user, session, place, told);
        Some(watched)
    }

    /// The voice session that is live in this conversation, in this process.
    fn live_in(&self, session: SessionId) -> Option<Live> {
        let live = self.engine.admission.list();
        live.into_iter().find(|live| SessionId::from(live.conversation.unwrap_or(live.id)) == session)
    }

    fn now(&self) -> Timestamp {
        store::timestamp(self.engine.clock.wall())
    }
}
