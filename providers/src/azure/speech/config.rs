//! A Speech resource, and how to treat it.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{locales, voices};
use crate::{Secret, net::ws::endpoint};

/// One Speech resource of Azure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the resource is: `westeurope`, `chinaeast2`, `usgovvirginia`.
    pub region: String,
    /// Goes before the region for speech-to-text: a resource's own domain, `https://NAME.cognitiveservices.azure.com`, which
    /// private endpoints need; another cloud; or a container, `http://localhost:5000`.
    pub stt_base_url: Option<String>,
    /// The same for text-to-speech.
    pub tts_base_url: Option<String>,
    /// Sent as `Ocp-Apim-Subscription-Key`.
    pub key: Option<Secret>,
    /// The voice of replies that ask for none of Azure's: `en-US-AvaMultilingualNeural`.
    pub voice: String,
    /// The deployment of a custom voice; `voice` then names that voice, and it alone speaks.
    pub voice_deployment: Option<String>,
    /// BCP 47 tags of the languages to expect where the session names none: one is taken as given, up to 10 are told
    /// apart, one of a kind; none means American English.
    pub languages: Vec<String>,
    /// What becomes of swear words; masked where unset.
    pub profanity: Option<Profanity>,
    /// Milliseconds of silence after which text no longer changes; unset for Azure's own.
    pub segmentation_ms: Option<u32>,
}

/// What becomes of swear words in transcripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profanity {
    /// Asterisks in their place.
    Masked,
    /// Left out.
    Removed,
    /// As they were said.
    Raw,
}

impl Profanity {
    /// As the service writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Masked => "masked",
            Self::Removed => "removed",
            Self::Raw => "raw",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            region: String::new(),
            stt_base_url: None,
            tts_base_url: None,
            key: None,
            voice: voices::DEFAULT.to_owned(),
            voice_deployment: None,
            languages: Vec::new(),
            profanity: None,
            segmentation_ms: None,
        }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let mut check = |name, right: bool, allowed: &str| {
            if !right {
                problems.push((name, allowed.to_owned()));
            }
        };
        let alphanumeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let elsewhere = self.region.is_empty() && self.stt_base_url.is_some() && self.tts_base_url.is_some();
        check("region", elsewhere || alphanumeric(&self.region), "must be a region such as westeurope");
        for (name, base) in [("stt_base_url", &self.stt_base_url), ("tts_base_url", &self.tts_base_url)] {
            if let Some(Err(why)) = base.as_ref().map(|base| endpoint(base, "v1")) {
                check(name, false, &why);
            }
        }
        let graphic = |key: &Secret| {
            let key = key.expose_secret();
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let printable = "must consist of printable ASCII characters without spaces";
        check("key", self.key.as_ref().is_none_or(graphic), printable);
        let voice = voices::is_voice(&self.voice) || self.voice_deployment.is_some() && !self.voice.is_empty();
        check("voice", voice, "must be a voice such as en-US-AvaMultilingualNeural");
        let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        check("voice_deployment", self.voice_deployment.as_ref().is_none_or(is_id), "must be the id of a deployment");
        check("languages", self.languages.iter().all(|tag| is_tag(tag)), "must be language tags such as en or pt-BR");
        let kinds: BTreeSet<_> = self.languages.iter().map(|tag| locales::primary(tag)).collect();
        let few = kinds.len() == self.languages.len() && kinds.len() <= MOST_LANGUAGES;
        check("languages", few, "must be 10 at most, and different ones");
        let within = self.segmentation_ms.is_none_or(|millis| (100..=5_000).contains(&millis));
        check("segmentation_ms", within, "must be 100 to 5000 milliseconds");
        problems
    }

    /// Where recognisers are, and the path of one there.
    pub(super) fn listens(&self, function: &str) -> (String, String) {
        self.place(self.stt_base_url.as_deref(), "stt", function)
    }

    /// Where voices are, and the path of one there.
    pub(super) fn speaks(&self, function: &str) -> (String, String) {
        // `SpeechSynthesisConnectionFactory.ts`
        let host = if self.voice_deployment.is_some() { "voice" } else { "tts" };
        self.place(self.tts_base_url.as_deref(), host, function)
    }

    fn place(&self, base: Option<&str>, service: &str, function: &str) -> (String, String) {
        let Some(base) = base else {
            return (format!("https://{}.{service}.speech{}", self.region, self.cloud()), function.to_owned());
        };
        // A resource's own domain has both services below one path each.
        let base = base.trim().trim_end_matches('/');
        let prefix = function.split('/').next().unwrap_or_default();
        let below = matches!(prefix, "stt" | "tts") && base.ends_with(&format!("/{prefix}"));
        let function = if below { &function[prefix.len() + 1..] } else { function };
        (base.to_owned(), function.to_owned())
    }

    /// `ConnectionFactoryBase.getHostSuffix`
    fn cloud(&self) -> &'static str {
        let region = self.region.to_ascii_lowercase();
        match region.as_str() {
            region if region.starts_with("china") => ".azure.cn",
            region if region.starts_with("usgov") => ".azure.us",
            _ => ".microsoft.com",
        }
    }

    /// The locales to expect of a session that may name a language.
    pub(super) fn expected(&self, language: Option<&str>) -> Vec<String> {
        let languages = language.map_or_else(|| self.languages.clone(), |language| vec![language.to_owned()]);
        let locales: Vec<_> = languages.iter().map(|tag| locales::locale(tag)).collect();
        if locales.is_empty() { vec!["en-US".to_owned()] } else { locales }
    }
}

fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()))
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What can be told apart throughout an utterance.
const MOST_LANGUAGES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(config: &Config) -> Vec<&'static str> {
        config.problems().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn every_mistake_is_reported() {
        assert_eq!(keys(&Config::default()), ["region"]);
        let good = Config { region: "westeurope".into(), ..Config::default() };
        assert!(keys(&good).is_empty());
        let both = Some("http://127.0.0.1:1".to_owned());
        let elsewhere = Config { stt_base_url: both.clone(), tts_base_url: both, ..Config::default() };
        assert!(keys(&elsewhere).is_empty());
        let custom = Config { voice: "MyVoice".into(), voice_deployment: Some("1b-2c".into()), ..good.clone() };
        assert!(keys(&custom).is_empty());
        let bad = Config {
            region: "west.europe/x".into(),
            stt_base_url: Some("ftp://h".into()),
            tts_base_url: Some("localhost".into()),
            key: Some("two words".into()),
            voice: "alloy".into(),
            voice_deployment: Some(String::new()),
            languages: vec!["en-US".into(), "en-GB".into(), "English!".into()],
            segmentation_ms: Some(10),
            ..Config::default()
        };
        let expected = [
            "region",
            "stt_base_url",
            "tts_base_url",
            "key",
            "voice_deployment",
            "languages",
            "languages",
            "segmentation_ms",
        ];
        assert_eq!(keys(&bad), expected);
        assert_eq!(keys(&Config { voice: "alloy".into(), ..good }), ["voice"]);
    }

    #[test]
    fn a_key_is_never_printed() {
        let config = Config { key: Some("very-secret".into()), ..Config::default() };
        assert!(!format!("{config:?}").contains("very-secret"));
    }

    #[test]
    fn services_are_found_in_every_cloud_and_below_a_resources_own_domain() {
        let of = |region: &str| Config { region: region.into(), ..Config::default() };
        for (region, expected) in [
            ("westeurope", "https://westeurope.stt.speech.microsoft.com"),
            ("chinaeast2", "https://chinaeast2.stt.speech.azure.cn"),
            ("usgovvirginia", "https://usgovvirginia.stt.speech.azure.us"),
        ] {
            assert_eq!(of(region).listens("stt/speech/universal/v2").0, expected);
        }
        let custom = Config { voice_deployment: Some("1".into()), ..of("eastus") };
        assert_eq!(custom.speaks("tts/x").0, "https://eastus.voice.speech.microsoft.com");
        for base in ["https://me.cognitiveservices.azure.com", "https://me.cognitiveservices.azure.com/stt/"] {
            let config = Config { stt_base_url: Some(base.into()), ..Config::default() };
            let (base, function) = config.listens("stt/speech/universal/v2");
            let url = endpoint(&base, &function).unwrap();
            assert_eq!(url.as_str(), "wss://me.cognitiveservices.azure.com/stt/speech/universal/v2");
        }
        let config = Config { stt_base_url: Some("https://h/stt".into()), ..Config::default() };
        let (base, function) = config.listens("speech/recognition/dictation/cognitiveservices/v1");
        assert_eq!(format!("{base}/{function}"), "https://h/stt/speech/recognition/dictation/cognitiveservices/v1");
    }

    #[test]
    fn languages_are_the_sessions_or_those_configured() {
        let both = Config { languages: vec!["de".into(), "en-GB".into()], ..Config::default() };
        assert_eq!(both.expected(None), ["de-DE", "en-GB"]);
        assert_eq!(both.expected(Some("es")), ["es-ES"]);
        assert_eq!(Config::default().expected(None), ["en-US"]);
    }
}
