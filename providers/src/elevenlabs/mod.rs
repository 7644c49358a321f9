//! ElevenLabs: speech over one multi-context WebSocket a reply, Scribe's realtime transcription, the voice library.
//!
//! References: the reply's socket
//! <https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input> with its guide
//! <https://elevenlabs.io/docs/eleven-api/guides/how-to/websockets/multi-context-web-socket>; transcription
//! <https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime> with
//! <https://elevenlabs.io/docs/eleven-api/guides/how-to/speech-to-text/realtime/transcripts-and-commit-strategies>;
//! voices <https://elevenlabs.io/docs/api-reference/voices/search>, <https://elevenlabs.io/docs/api-reference/voices/ivc/create>;
//! errors <https://elevenlabs.io/docs/eleven-api/resources/errors>; models and their limits
//! <https://elevenlabs.io/docs/models>. What the documents leave open is taken from the vendor's Python SDK and from
//! users' reports, named where they matter.
//!
//! The guide advises one connection for all replies of a session, and to close the contexts of a reply that is
//! interrupted. Here each reply has its own. Closing a connection silences it for certain; contexts that are closed
//! linger, and replies interrupted in quick succession then exceed the five that a connection may have, which ends it in
//! the middle of the next reply (livekit/agents-js#1985). A connection between replies would also belong to nobody: the
//! trait knows replies, not sessions, and who drops its stream leaves nothing open. The price is a handshake, and that is
//! not heard where `speak` is called before the first clause is known. The sockets do not serve `eleven_v3`.

mod config;
mod link;
mod stt;
mod tts;
mod voices;
mod wire;

pub use config::{Config, Normalization};
pub use stt::SpeechToText;
pub use tts::TextToSpeech;
pub use voices::{Category, Cloned, LARGEST_SAMPLE, Library, MOST_SAMPLES, NewVoice, Owned, Page, Sample};
