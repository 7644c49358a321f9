//! Scripts from a configuration file: delays, words and lengths, for benches and trials without any engine.

use std::time::Duration;

use serde::Deserialize;

use super::{
    LanguageModel, Length, LlmScript, RealtimeModel, RealtimeScript, Reply, SpeechToText, SttScript, TextToSpeech,
    TtsScript,
};

/// What the four scripted providers do.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What every utterance says; empty: `scripted transcript N`.
    pub transcript: String,
    /// Milliseconds from the end of the audio to the transcript.
    pub stt_settle_ms: u64,
    /// Milliseconds of audio between partial transcripts; 0: none.
    pub stt_partials_ms: u64,
    /// What every reply says; empty: `You said: …`.
    pub reply: String,
    /// Milliseconds to the first word of a reply.
    pub llm_first_ms: u64,
    /// Milliseconds between words.
    pub llm_pace_ms: u64,
    /// Milliseconds from a clause to its first sound.
    pub tts_first_ms: u64,
    /// Milliseconds a clause sounds for each of its characters.
    pub tts_per_character_ms: u64,
    /// Milliseconds every clause sounds; 0: by its characters.
    pub tts_fixed_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            transcript: String::new(),
            stt_settle_ms: 0,
            stt_partials_ms: 0,
            reply: String::new(),
            llm_first_ms: 0,
            llm_pace_ms: 0,
            tts_first_ms: 0,
            tts_per_character_ms: 60,
            tts_fixed_ms: 0,
        }
    }
}

impl Config {
    /// The speech-to-text engine.
    pub fn stt(&self) -> SpeechToText {
        SpeechToText::new(SttScript {
            settle: Duration::from_millis(self.stt_settle_ms),
            partials: (self.stt_partials_ms > 0).then(|| Duration::from_millis(self.stt_partials_ms)),
            every: (!self.transcript.is_empty()).then(|| self.transcript.clone()),
            ..SttScript::default()
        })
    }

    /// The language model.
    pub fn llm(&self) -> LanguageModel {
        LanguageModel::new(LlmScript {
            first: Duration::from_millis(self.llm_first_ms),
            pace: Duration::from_millis(self.llm_pace_ms),
            every: self.every(),
            ..LlmScript::default()
        })
    }

    /// The speech-to-speech model: it says what the language model says, as fast.
    pub fn realtime(&self) -> RealtimeModel {
        RealtimeModel::new(RealtimeScript {
            first: Duration::from_millis(self.llm_first_ms),
            pace: Duration::from_millis(self.llm_pace_ms),
            every: self.every(),
            ..RealtimeScript::default()
        })
    }

    fn every(&self) -> Reply {
        if self.reply.is_empty() { Reply::Echo } else { Reply::Text(self.reply.clone()) }
    }

    /// The text-to-speech engine.
    pub fn tts(&self) -> TextToSpeech {
        let per_character = Length::PerCharacter(Duration::from_millis(self.tts_per_character_ms));
        let fixed = (self.tts_fixed_ms > 0).then(|| Length::Fixed(Duration::from_millis(self.tts_fixed_ms)));
        TextToSpeech::new(TtsScript {
            first: Duration::from_millis(self.tts_first_ms),
            length: fixed.unwrap_or(per_character),
            ..TtsScript::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;
    use crate::{
        LanguageModel as _,
        llm::{Prompt, Thought},
    };

    #[tokio::test(start_paused = true)]
    async fn every_reply_says_what_is_configured() {
        let config: Config = serde_json::from_str(r#"{"reply": "Fine.", "tts_fixed_ms": 3000}"#).unwrap();
        let model = config.llm();
        for _ in 0..3 {
            let first = model.reply(Prompt::default()).await.unwrap().next().await;
            assert_eq!(first, Some(Ok(Thought::Text("Fine.".into()))));
        }
        assert!(serde_json::from_str::<Config>(r#"{"replay": "typo"}"#).is_err());
    }
}
