//! Azure Speech: recognition and synthesis over the WebSocket protocol that Microsoft's own SDKs speak.
//!
//! The wire is read from the SDK for JavaScript, version 1.52
//! (<https://github.com/microsoft/cognitive-services-speech-sdk-js>, `src/common.speech`; each module names its files), and
//! where that leaves a meaning open, from the last published description of the protocol,
//! <https://docs.microsoft.com/azure/cognitive-services/speech/api-reference-rest/websocketprotocol> (of its predecessor,
//! Bing Speech). Limits: <https://learn.microsoft.com/azure/ai-services/speech-service/speech-services-quotas-and-limits>;
//! languages and voices: <https://learn.microsoft.com/azure/ai-services/speech-service/language-support>; private
//! endpoints: <https://learn.microsoft.com/azure/ai-services/speech-service/speech-services-private-link>.

mod config;
mod link;
mod locales;
mod phrases;
mod stt;
mod tail;
mod tts;
mod voices;
mod wire;

pub use config::{Config, Profanity};
pub use stt::SpeechToText;
pub use tts::TextToSpeech;
