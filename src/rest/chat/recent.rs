//! What a client was told lately, so that it is told nothing twice.
//!
//! A message may be told of from several sides: by whoever keeps it, by the record of a voice session, by the history.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::Value;

use crate::store::MessageId;

/// The messages that were told of last, and what they said.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<(MessageId, u64)>);

/// Messages remembered: all of a history, and a while more.
const MOST: usize = 128;

impl Recent {
    /// Notes a message as it is shown; whether that is not known yet.
    pub(super) fn is_news(&mut self, message: MessageId, shown: &Value) -> bool {
        let print = fingerprint(shown);
        let before = self.0.iter().position(|(id, _)| *id == message).and_then(|at| self.0.remove(at));
        if before.is_none() && self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((message, print));
        before.is_none_or(|(_, before)| before != print)
    }

    /// Has a message be told of again.
    pub(super) fn forget(&mut self, message: MessageId) {
        self.0.retain(|(id, _)| *id != message);
    }

    /// Whether this message was told of.
    pub(super) fn knows(&self, message: MessageId) -> bool {
        self.0.iter().any(|(id, _)| *id == message)
    }
}

/// When it last changed is no part of it: a record that is kept again as it was changes that.
fn fingerprint(shown: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, value) in shown.as_object().into_iter().flatten().filter(|(name, _)| *name != "updated_at") {
        (name, value).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_message_is_news_until_it_is_told_and_again_when_it_changed() {
        let mut recent = Recent::default();
        let id = |n: u128| MessageId::from(Uuid::from_u128(n));
        let hello = json!({"content": "hello", "citations": [], "updated_at": 1});
        assert!(recent.is_news(id(0), &hello) && !recent.is_news(id(0), &hello));
        let kept_again = json!({"content": "hello", "citations": [], "updated_at": 2});
        assert!(!recent.is_news(id(0), &kept_again));
        assert!(recent.is_news(id(0), &json!({"content": "hello there", "citations": [], "updated_at": 2})));
        assert!(recent.is_news(id(0), &json!({"content": "hello there", "citations": [{}], "updated_at": 2})));
        for n in 1..=MOST {
            assert!(recent.is_news(id(n as u128), &hello));
        }
        assert_eq!((recent.0.len(), recent.knows(id(0))), (MOST, false));
        recent.forget(id(1));
        assert!(recent.is_news(id(1), &hello));
    }
}
