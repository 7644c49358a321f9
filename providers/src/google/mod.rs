//! Google Cloud: speech-to-text by Speech v2, text-to-speech by the voices of Cloud Text-to-Speech, both over gRPC.
//!
//! References: the services
//! <https://github.com/googleapis/googleapis/blob/master/google/cloud/speech/v2/cloud_speech.proto> and
//! <https://github.com/googleapis/googleapis/blob/master/google/cloud/texttospeech/v1/cloud_tts.proto>, with
//! <https://cloud.google.com/speech-to-text/docs/models/chirp-2>,
//! <https://cloud.google.com/speech-to-text/docs/models/chirp-3>,
//! <https://cloud.google.com/text-to-speech/docs/chirp3-hd> and, for who one is, <https://google.aip.dev/auth/4111>.
//! Gemini, which has keys of its own, is in [`crate::gemini`].

mod access;
mod account;
mod assembly;
mod checkup;
mod config;
mod languages;
mod phrases;
mod stt;
mod tail;
mod tts;
mod voices;
mod wire;

pub use checkup::checkup;
pub use config::Config;
pub use stt::SpeechToText;
pub use tts::TextToSpeech;
