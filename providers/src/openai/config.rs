//! Where the server is and how to treat it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::voices;
use crate::{Secret, account};

/// One account with OpenAI, or one OpenAI-compatible server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Up to and including the version: `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// Sent as a bearer token; local servers need none.
    pub key: Option<Secret>,
    /// Whom to charge, for keys of several organisations (`OpenAI-Organization`).
    pub organization: Option<String>,
    /// Which of its projects to charge (`OpenAI-Project`).
    pub project: Option<String>,
    /// What language models are asked through.
    pub api: Api,
    /// Asks for token counts (`stream_options.include_usage`); a few old servers refuse the question.
    pub usage: bool,
    /// Names the token limit `max_completion_tokens`, as OpenAI's reasoning models demand; other servers know
    /// `max_tokens`.
    pub max_completion_tokens: bool,
    /// How speech is handed over to be transcribed.
    pub transcription: Transcription,
    /// Asks `whisper-1` when each word was said, which costs it a little time; no other model can tell.
    pub word_times: bool,
    /// BCP 47 tags of the languages to expect where the session names none. Several are a hint to models that understand
    /// several at once; others detect the language then.
    pub languages: Vec<String>,
    /// How long models that transcribe as one speaks wait for more sound before they decide.
    pub delay: Option<Delay>,
    /// What realtime transcription filters out of the sound first.
    pub noise_reduction: Option<NoiseReduction>,
    /// Who speaks when a voice's name is unknown.
    pub voice: String,
    /// The server's voices by the names clients use; they come before OpenAI's own names. For servers with other voices:
    /// `{"alloy": "af_heart"}`.
    pub voices: BTreeMap<String, String>,
    /// How to speak, in words: tone, accent, pace. `tts-1` follows none.
    pub instructions: Option<String>,
    /// Numbers in an embedding's vector; unset for the model's own count. Only newer models can be asked for fewer.
    pub dimensions: Option<u32>,
    /// Opens the next utterance's connection when one ends, where transcription is realtime, so that the next one does
    /// not wait for a handshake.
    pub warm: bool,
}

/// What language models are asked through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `POST {base}/chat/completions`, which every server knows.
    #[default]
    Chat,
    /// `POST {base}/responses`: OpenAI's and Azure's own.
    Responses,
}

/// How speech is handed over to be transcribed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transcription {
    /// As the model's name says: `gpt-live-transcribe` and `gpt-realtime-whisper` hear it as it is spoken, OpenAI's other
    /// models get a recording and stream its words, `whisper-1` and models of unknown names answer at once.
    #[default]
    Auto,
    /// The whole recording when the utterance has ended; all words come at once.
    Whole,
    /// The whole recording when the utterance has ended; words come as they are understood.
    Streamed,
    /// As it is spoken, over `{base}/realtime?intent=transcription`.
    Realtime,
}

/// How long to wait for more sound: the longer, the more is understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the vendor's own words for degrees, without numbers")]
pub enum Delay {
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
}

/// Where the microphone is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseReduction {
    /// At the mouth: headphones.
    NearField,
    /// In the room: laptops.
    FarField,
}

impl Delay {
    /// As the vendor writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
        }
    }
}

impl NoiseReduction {
    /// As the vendor writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NearField => "near_field",
            Self::FarField => "far_field",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: "https://api.openai.com/v1".to_owned(),
            key: None,
            organization: None,
            project: None,
            api: Api::default(),
            usage: true,
            max_completion_tokens: true,
            transcription: Transcription::default(),
            word_times: true,
            languages: Vec::new(),
            delay: None,
            noise_reduction: None,
            voice: voices::DEFAULT.to_owned(),
            voices: BTreeMap::new(),
            instructions: None,
            dimensions: None,
            warm: false,
        }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = account::problems(&self.base_url, self.key.as_ref());
        let mut check = |name, right: bool, allowed: &str| {
            if !right {
                problems.push((name, allowed.to_owned()));
            }
        };
        let id = |id: &Option<String>| {
            id.as_ref().is_none_or(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()))
        };
        check("organization", id(&self.organization), "must be an id such as org-…, or absent");
        check("project", id(&self.project), "must be an id such as proj_…, or absent");
        let tag = |tag: &String| {
            let primary = tag.split('-').next().unwrap_or_default();
            (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase())
        };
        check("languages", self.languages.iter().all(tag), "must be language tags such as en or pt-BR");
        check("voice", voices::is_name(&self.voice), "must be a voice such as alloy");
        let named = self.voices.iter().all(|(name, voice)| !name.is_empty() && voices::is_name(voice));
        check("voices", named, "must map names to the server's voices");
        let spoken = self.instructions.as_ref().is_none_or(|text| text.chars().count() <= INSTRUCTIONS);
        check("instructions", spoken, "must have at most 4096 characters");
        check("dimensions", self.dimensions != Some(0), "must be at least 1, or absent");
        problems
    }
}

/// Most characters of instructions.
const INSTRUCTIONS: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        let config = Config {
            base_url: "localhost:11434".into(),
            key: Some("two words".into()),
            organization: Some("line\nbreak".into()),
            project: Some(String::new()),
            languages: vec!["English".into()],
            voice: String::new(),
            voices: [("alloy".to_owned(), String::new())].into(),
            instructions: Some("x".repeat(5_000)),
            dimensions: Some(0),
            ..Config::default()
        };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        let expected = [
            "base_url",
            "key",
            "organization",
            "project",
            "languages",
            "voice",
            "voices",
            "instructions",
            "dimensions",
        ];
        assert_eq!(keys, expected);
        assert!(Config::default().problems().is_empty());
    }

    #[test]
    fn a_key_is_never_printed() {
        let config = Config { key: Some("sk-very-secret".into()), ..Config::default() };
        assert!(!format!("{config:?}").contains("very-secret"));
    }

    #[test]
    fn it_is_read_as_it_is_documented() {
        let text = r#"{"transcription":"realtime","delay":"xhigh","noise_reduction":"near_field","api":"responses"}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        assert_eq!((config.transcription, config.api), (Transcription::Realtime, Api::Responses));
        assert_eq!((config.delay, config.noise_reduction), (Some(Delay::XHigh), Some(NoiseReduction::NearField)));
        assert!(serde_json::from_str::<Config>(r#"{"transcriptoin":"whole"}"#).is_err());
    }
}
