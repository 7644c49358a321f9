//! An account with Deepgram, or a server of one's own that runs it.

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::voices;
use crate::{Secret, net::ws::endpoint};

/// Where Deepgram is, and how to treat it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Without a version: `https://api.deepgram.com`, `https://api.eu.deepgram.com` for the European Union (likewise
    /// `au` and `in`), or a self-hosted server.
    pub base_url: String,
    /// Self-hosted servers need none.
    pub key: Option<Secret>,
    /// Keeps audio and text out of the training of Deepgram's models; costs more.
    pub mip_opt_out: bool,
    /// The voice of replies that ask for none of Deepgram's: `aura-2-thalia-en`.
    pub voice: String,
    /// BCP 47 tags of the languages to expect where the session names none: one is taken as given; several are told apart
    /// where the model can, else the first is taken.
    pub languages: Vec<String>,
    /// Nova: writes numbers, dates and amounts as such.
    pub smart_format: bool,
    /// Nova: milliseconds of silence after which text no longer changes; 0 for never, unset for Deepgram's advice.
    pub endpointing_ms: Option<u32>,
    /// Nova: milliseconds without a word after which text is asked not to change, for noise in which silence is never
    /// heard; 0 for never.
    pub utterance_end_ms: u32,
    /// Flux: how certain it must be that a turn is over to keep its text.
    pub eot_threshold: Option<f32>,
    /// Flux: how certain it must be to say that a turn may be over.
    pub eager_eot_threshold: Option<f32>,
    /// Flux: milliseconds of silence after which a turn is over anyway.
    pub eot_timeout_ms: Option<u32>,
    /// Opens the next turn's connection when one ends, so that it does not wait for a handshake; counts against how many
    /// there may be at once.
    pub warm: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: "https://api.deepgram.com".to_owned(),
            key: None,
            mip_opt_out: false,
            voice: voices::DEFAULT.to_owned(),
            languages: Vec::new(),
            smart_format: true,
            endpointing_ms: None,
            utterance_end_ms: 1_000,
            eot_threshold: None,
            eager_eot_threshold: None,
            eot_timeout_ms: None,
            warm: false,
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
        let base = self.base_url.trim().trim_end_matches('/');
        match endpoint(base, "v1/listen") {
            Ok(_) => check("base_url", !base.ends_with("/v1") && !base.ends_with("/v2"), "must end before the version"),
            Err(why) => check("base_url", false, &why),
        }
        let graphic = |key: &Secret| {
            let key = key.expose_secret();
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let printable = "must consist of printable ASCII characters without spaces";
        check("key", self.key.as_ref().is_none_or(graphic), printable);
        check("voice", voices::is_model(&self.voice), "must be a voice such as aura-2-thalia-en");
        let tags = "must be language tags such as en or pt-BR";
        check("languages", self.languages.iter().all(|tag| is_tag(tag)), tags);
        let within = |value: Option<u32>, least, most| value.is_none_or(|value| (least..=most).contains(&value));
        check("endpointing_ms", within(self.endpointing_ms, 0, 10_000), "must be 0 to 10000 milliseconds");
        let utterance_end = Some(self.utterance_end_ms).filter(|value| *value > 0);
        check("utterance_end_ms", within(utterance_end, 1_000, 5_000), "must be 0, or 1000 to 5000 milliseconds");
        let certain = |value: Option<f32>, most| value.is_none_or(|value| (0.5..=most).contains(&value));
        check("eot_threshold", certain(self.eot_threshold, 1.0), "must be 0.5 to 1.0");
        let most = self.eot_threshold.unwrap_or(EOT_THRESHOLD).min(0.9);
        let eager = self.eager_eot_threshold.is_none_or(|value| (0.3..=most).contains(&value));
        check("eager_eot_threshold", eager, "must be 0.3 to 0.9, and no more than eot_threshold (0.7)");
        check("eot_timeout_ms", within(self.eot_timeout_ms, 500, 60_000), "must be 500 to 60000 milliseconds");
        problems
    }
}

fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()))
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Deepgram's own.
const EOT_THRESHOLD: f32 = 0.7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        assert!(Config::default().problems().is_empty());
        let config = Config {
            base_url: "https://api.deepgram.com/v1/".into(),
            key: Some("two words".into()),
            voice: "alloy".into(),
            languages: vec!["en".into(), "English!".into()],
            endpointing_ms: Some(20_000),
            utterance_end_ms: 500,
            eot_threshold: Some(0.4),
            eager_eot_threshold: Some(0.8),
            eot_timeout_ms: Some(1),
            ..Config::default()
        };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        let expected = [
            "base_url",
            "key",
            "voice",
            "languages",
            "endpointing_ms",
            "utterance_end_ms",
            "eot_threshold",
            "eager_eot_threshold",
            "eot_timeout_ms",
        ];
        assert_eq!(keys, expected);
        let nowhere = Config { base_url: "deepgram".into(), ..Config::default() };
        assert_eq!(nowhere.problems().len(), 1);
    }

    #[test]
    fn a_key_is_never_printed() {
        let config = Config { key: Some("very-secret".into()), ..Config::default() };
        assert!(!format!("{config:?}").contains("very-secret"));
    }
}
