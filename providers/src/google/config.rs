//! An account with Google Cloud.

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{access, voices};
use crate::{Secret, net::http::endpoint};

/// Where Google's speech services are, and how to treat them.
///
/// One of `access_token`, `credentials` and `key` is shown, the first there is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Speech-to-text; empty for the address of the region: `https://us-speech.googleapis.com`.
    pub speech_url: String,
    /// Text-to-speech; `https://eu-texttospeech.googleapis.com` keeps text within the European Union.
    pub tts_url: String,
    /// A service account's key: the path of its JSON file, or the JSON itself.
    pub credentials: Option<Secret>,
    /// An API key, which belongs to a project: speech-to-text needs that named in `project`.
    pub key: Option<Secret>,
    /// A token that somebody else renews.
    pub access_token: Option<Secret>,
    /// The project that pays for speech-to-text; unset for that of the service account.
    pub project: Option<String>,
    /// Where speech is recognised: `global`, `us`, `eu`, `europe-west4`; unset for one that has the model.
    pub region: Option<String>,
    /// The voice of replies that ask for none of Google's: `en-US-Chirp3-HD-Achernar`.
    pub voice: String,
    /// BCP 47 tags of the languages to expect where the session names none; without, Chirp models detect the language and
    /// others expect English.
    pub languages: Vec<String>,
    /// Asks for the times of words; some models refuse to tell them.
    pub word_times: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            speech_url: String::new(),
            tts_url: "https://texttospeech.googleapis.com".to_owned(),
            credentials: None,
            key: None,
            access_token: None,
            project: None,
            region: None,
            voice: voices::DEFAULT.to_owned(),
            languages: Vec::new(),
            word_times: true,
        }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed. Reads the key file, if there is one.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let mut check = |name, wrong: Option<String>| problems.extend(wrong.map(|allowed| (name, allowed)));
        let unless = |right: bool, allowed: &str| (!right).then(|| allowed.to_owned());
        let address = |url: &str| endpoint(url, "x").err();
        check("speech_url", Some(&*self.speech_url).filter(|url| !url.is_empty()).and_then(address));
        check("tts_url", address(&self.tts_url));
        check(
            "credentials",
            self.credentials
                .as_ref()
                .and_then(|credentials| access::load(credentials.expose_secret()).err().map(str::to_owned)),
        );
        for (name, key) in [("key", &self.key), ("access_token", &self.access_token)] {
            let graphic = |key: &Secret| {
                let key = key.expose_secret();
                !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())
            };
            let allowed = "must consist of printable ASCII characters without spaces";
            check(name, unless(key.as_ref().is_none_or(graphic), allowed));
        }
        let plain = |name: &Option<String>, also: &[u8]| {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || also.contains(&byte);
            name.as_ref().is_none_or(|name| !name.is_empty() && name.bytes().all(fits))
        };
        check("project", unless(plain(&self.project, b"-:."), "must be a project's id such as my-project-123"));
        check("region", unless(plain(&self.region, b"-"), "must be a region such as us or europe-west4"));
        check("voice", unless(voices::is_name(&self.voice), "must be a voice such as en-US-Chirp3-HD-Achernar"));
        let tags = self.languages.iter().all(|tag| is_tag(tag));
        check("languages", unless(tags, "must be language tags such as en or pt-BR"));
        problems
    }

    /// Where this model recognises speech.
    pub(super) fn region<'a>(&'a self, model: &str) -> &'a str {
        // https://cloud.google.com/speech-to-text/docs/models/chirp-2 and …/chirp-3: not global.
        let usual = match model {
            "chirp_3" => "us",
            "chirp" | "chirp_2" => "us-central1",
            _ => "global",
        };
        self.region.as_deref().unwrap_or(usual)
    }

    /// The address of speech-to-text for this model.
    pub(super) fn speech_url(&self, model: &str) -> String {
        match self.region(model) {
            _ if !self.speech_url.is_empty() => self.speech_url.clone(),
            "global" => "https://speech.googleapis.com".to_owned(),
            region => format!("https://{region}-speech.googleapis.com"),
        }
    }
}

fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()))
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        assert!(Config::default().problems().is_empty());
        let config = Config {
            speech_url: "speech".into(),
            tts_url: String::new(),
            credentials: Some("{}".into()),
            key: Some("two words".into()),
            access_token: Some("".into()),
            project: Some("projects/p".into()),
            region: Some("US".into()),
            voice: "alloy".into(),
            languages: vec!["English!".into()],
            word_times: false,
        };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        let expected =
            ["speech_url", "tts_url", "credentials", "key", "access_token", "project", "region", "voice", "languages"];
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_model_is_asked_where_it_is() {
        let config = Config::default();
        for (model, url) in [
            ("chirp_3", "https://us-speech.googleapis.com"),
            ("chirp_2", "https://us-central1-speech.googleapis.com"),
            ("long", "https://speech.googleapis.com"),
        ] {
            assert_eq!(config.speech_url(model), url);
        }
        let config = Config { region: Some("eu".into()), ..Config::default() };
        assert_eq!(config.speech_url("chirp_3"), "https://eu-speech.googleapis.com");
        let config = Config { speech_url: "http://127.0.0.1:1".into(), ..config };
        assert_eq!((config.speech_url("long").as_str(), config.region("long")), ("http://127.0.0.1:1", "eu"));
    }

    #[test]
    fn secrets_are_never_printed() {
        let secret = || Some("very-secret".into());
        let config = Config { key: secret(), credentials: secret(), access_token: secret(), ..Config::default() };
        assert!(!format!("{config:?}").contains("very-secret"));
    }
}
