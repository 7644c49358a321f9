//! A server event becomes a text message.

use super::{
    json::Object,
    server::{self, Constants},
};
use crate::realtime::session::output::{Event, PartRef};

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
        Self { constants: Constants { session, conversation, expires_at }, events: 0 }
    }

    /// Appends the event's JSON to `out`.
    pub fn encode(&mut self, event: &Event, out: &mut String) {
        let mut object = self.begin(server::name(event), out);
        server::members(event, &self.constants, &mut object);
    }

    /// Appends a `response.output_audio.delta` to `out`. `audio` is encoded as the response wants it, in whole samples.
    pub fn audio_delta(&mut self, part: &PartRef, audio: &[u8], out: &mut String) {
        server::sound(part, audio, &mut self.begin("response.output_audio.delta", out));
    }

    fn begin<'a>(&mut self, name: &str, out: &'a mut String) -> Object<'a> {
        self.events += 1;
        let mut object = Object::open(out);
        object.text("type", name);
        object.numbered("event_id", "event_", self.events);
        object
    }
}
