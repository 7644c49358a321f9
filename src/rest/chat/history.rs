//! The newest messages of a conversation, as many as whoever comes is told at once.

use serde_json::Value;

use super::{event, recent::Recent};
use crate::{
    rest::{Context, fault::Fault, messages},
    store::{
        SessionId, UserId,
        messages::{Message, latest},
    },
};

/// What a conversation ends with.
pub(super) struct History {
    /// Oldest first.
    pub(super) messages: Vec<Value>,
    /// Whether there are older ones.
    pub(super) has_more: bool,
    /// What of them is told now, and not again.
    pub(super) recent: Recent,
}

impl History {
    /// Reads it, with the files of its messages.
    pub(super) async fn read(context: &Context, user: UserId, session: SessionId) -> Result<Self, Fault> {
        let mut found = latest(&context.db, user, session, MOST + 1).await?;
        let told = found.len() - newest(&found);
        let messages = found.split_off(told);
        let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
        let views = messages::all(context, user, messages).await?;
        let messages: Vec<_> = views.iter().map(event::shown).collect();
        let mut recent = Recent::default();
        for (id, shown) in ids.into_iter().zip(&messages) {
            recent.is_news(id, shown);
        }
        Ok(Self { messages, has_more: !found.is_empty(), recent })
    }
}

/// How many of these, counted from the last, are told: at least one.
fn newest(messages: &[Message]) -> usize {
    let mut bytes = 0;
    let fits = messages.iter().rev().take(MOST as usize).take_while(|message| {
        let first = bytes == 0;
        bytes += message.entry.content.len() + 1;
        first || bytes <= LARGEST
    });
    fits.count()
}

/// Most messages, so that a page has more than a screen of them.
const MOST: u32 = 50;
/// Most bytes of words, but for one message that is longer.
const LARGEST: usize = 1 << 20;
