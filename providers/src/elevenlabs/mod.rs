//! ElevenLabs: speech over one multi-context WebSocket a reply, Scribe's realtime transcription, the voice library.
//!
//! References: the reply's socket
//! <https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input> with its guide
//! <https://elevenlabs.io/docs/eleven-api/guides/how-to/websockets/multi-context-web-socket>; transcription
//! <https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime> with
//! <https://elevenlabs.io/docs/eleven-api/guides/how-to/speech-to-text/realtime/transcripts-and-commit-strategies>;
//! voices <https://elevenlabs.io/docs/api-reference/voices/search>, <https://elevenlabs.io/docs/api-reference/voices/ivc/create>;
//! errors <https://elevenlabs.io/docs/eleven-api/resources/errors>. What the documents leave open is taken from the
//! vendor's Python SDK and from users' reports, named where they matter.

mod config;
mod link;
mod stt;
mod tts;
mod voices;
mod wire;

pub use config::{Config, Normalization};
pub use stt::SpeechToText;
pub use tts::TextToSpeech;
pub use voices::{Category, Cloned, Library, NewVoice, Owned, Page, Sample};
