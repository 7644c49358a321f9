//! Deepgram: speech-to-text by Nova and Flux, text-to-speech by Aura, all over WebSockets.
//!
//! References: Nova <https://developers.deepgram.com/reference/speech-to-text/listen-streaming>, with
//! <https://developers.deepgram.com/docs/finalize>, <https://developers.deepgram.com/docs/close-stream>,
//! <https://developers.deepgram.com/docs/audio-keep-alive>, <https://developers.deepgram.com/docs/keyterm> and
//! <https://developers.deepgram.com/docs/nova-3-language-prompting>; Flux
//! <https://developers.deepgram.com/reference/speech-to-text/listen-flux>, with
//! <https://developers.deepgram.com/docs/flux/state>, <https://developers.deepgram.com/docs/flux/configuration> and
//! <https://developers.deepgram.com/docs/flux/close-stream>; Aura
//! <https://developers.deepgram.com/reference/text-to-speech/speak-streaming>, with
//! <https://developers.deepgram.com/docs/streaming-text-to-speech> (limits),
//! <https://developers.deepgram.com/docs/tts-ws-flush> and <https://developers.deepgram.com/docs/tts-voice-controls>.

mod assembly;
mod config;
mod link;
mod stt;
pub(crate) mod terms;
mod tts;
mod voices;
mod wire;

pub use config::Config;
pub use stt::SpeechToText;
pub use tts::TextToSpeech;
