//! A server event becomes a text message.

use super::{
    beta,
    dialect::Dialect,
    json::Object,
    server::{self, Constants},
};
use crate::realtime::session::{
    output::{Event, PartRef},
    settings::Kind,
};

/// Writes a session's events, giving each its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoder {
    constants: Constants,
    events: u64,
}

impl Encoder {
    /// An encoder for the session with this id (`sess_…`), which ends at `expires_at`, in Unix seconds.
    pub fn new(session_id: impl Into<String>, expires_at: u64) -> Self {
        let session = session_id.into();
        let conversation = format!("conv_{}", session.strip_prefix("sess_").unwrap_or(&session));
        let dialect = Dialect::Ga;
        Self { constants: Constants { session, conversation, expires_at, dialect }, events: 0 }
    }

    /// Writes in this dialect.
    #[must_use]
    pub fn in_dialect(mut self, dialect: Dialect) -> Self {
        self.constants.dialect = dialect;
        self
    }

    /// One that tells somebody else of the same session, from its own first event on.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { constants: self.constants.clone(), events: 0 }
    }

    /// The dialect it writes in.
    pub const fn dialect(&self) -> Dialect {
        self.constants.dialect
    }

    /// Appends the event's JSON to `out`, or nothing where the dialect does not have such an event.
    pub fn encode(&mut self, event: &Event, out: &mut String) {
        let name = match self.constants.dialect {
            Dialect::Ga => Some(server::name(event)),
            Dialect::Beta => beta::event(event),
        };
        if let Some(name) = name {
            let mut object = self.begin(name, out);
            server::members(event, &self.constants, &mut object);
        }
    }

    /// Hands over each message that tells the event: one, none where the dialect has no such event, or two where it
    /// introduces the conversation too.
    pub fn tell(&mut self, event: &Event, mut say: impl FnMut(String)) {
        let mut text = String::with_capacity(512);
        self.encode(event, &mut text);
        if !text.is_empty() {
            say(text);
        }
        if let Event::SessionCreated(settings) = event
            && (self.constants.dialect, settings.kind) == (Dialect::Beta, Kind::Conversation)
        {
            let mut text = String::new();
            let mut object = self.begin("conversation.created", &mut text);
            server::introduction(&self.constants, &mut object);
            drop(object);
            say(text);
        }
    }

    /// Appends a delta of speech to `out`. `audio` is encoded as the response wants it, in whole samples.
    pub fn audio_delta(&mut self, part: &PartRef, audio: &[u8], out: &mut String) {
        let name = match self.constants.dialect {
            Dialect::Ga => "response.output_audio.delta",
            Dialect::Beta => "response.audio.delta",
        };
        server::sound(part, audio, &mut self.begin(name, out));
    }

    fn begin<'a>(&mut self, name: &str, out: &'a mut String) -> Object<'a> {
        self.events += 1;
        let mut object = Object::open(out);
        object.text("type", name);
        object.numbered("event_id", "event_", self.events);
        object
    }
}
