//! The account, its voices, and how they speak.

use std::collections::BTreeMap;

use audio::SampleRate;
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{Secret, net::ws::endpoint};

/// One ElevenLabs account.
///
/// Settings of the voice that are absent here are those stored with the voice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Without the version. Regions have their own: `https://api.us.elevenlabs.io`,
    /// `https://api.eu.residency.elevenlabs.io`, `https://api.in.residency.elevenlabs.io`.
    pub base_url: String,
    /// Sent as `xi-api-key`.
    pub key: Option<Secret>,
    /// Who speaks when a voice's name is unknown: a name of `voices`, of a premade voice, or a voice's id.
    pub voice: String,
    /// Ids of voices by the names clients use; they come before the premade voices' names.
    pub voices: BTreeMap<String, String>,
    /// `pcm_` and a rate: 8000, 16000, 22050, 24000, 32000, 44100 or 48000 (the higher ones depend on the plan).
    pub output_format: String,
    /// 0 (lively) to 1 (even).
    pub stability: Option<f32>,
    /// 0 to 1: how close to the original speaker.
    pub similarity_boost: Option<f32>,
    /// 0 to 1: exaggeration of the speaker's style; costs time.
    pub style: Option<f32>,
    /// The voice's own pace, 0.7 to 1.2; the session's speed multiplies it and the product is kept inside these bounds.
    pub speed: f32,
    /// Likens the voice to its speaker a little more; costs time.
    pub use_speaker_boost: Option<bool>,
    /// Whether figures and the like are spelled out before they are spoken.
    pub apply_text_normalization: Normalization,
    /// `false` asks for zero retention, which enterprise plans may.
    pub enable_logging: bool,
    /// Sends the words of a transcription's prompt as key terms, which the vendor charges extra; without, the prompt
    /// goes as the text said before.
    pub keyterms: bool,
    /// Opens the next reply's connection when one ends, so that its speech does not wait for a handshake.
    pub warm: bool,
}

/// Whether figures and the like are spelled out before they are spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalization {
    /// The vendor decides.
    #[default]
    Auto,
    /// Always; the Flash and Turbo 2.5 models refuse it.
    On,
    /// Never.
    Off,
}

impl Normalization {
    /// As the vendor writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: "https://api.elevenlabs.io".to_owned(),
            key: None,
            voice: "sarah".to_owned(),
            voices: BTreeMap::new(),
            output_format: "pcm_24000".to_owned(),
            stability: None,
            similarity_boost: None,
            style: None,
            speed: 1.0,
            use_speaker_boost: None,
            apply_text_normalization: Normalization::Auto,
            enable_logging: true,
            keyterms: false,
            warm: false,
        }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let base = self.base_url.trim().trim_end_matches('/');
        match endpoint(base, "v1/models") {
            Err(why) => problems.push(("base_url", why)),
            Ok(_) if base.ends_with("/v1") => problems.push(("base_url", "must end before the version".to_owned())),
            Ok(_) => {}
        }
        let fits = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        if self.key.as_ref().is_some_and(|key| !fits(key.expose_secret())) {
            problems.push(("key", "must consist of printable ASCII characters without spaces".to_owned()));
        }
        if self.known(&self.voice).is_none() {
            problems.push(("voice", "must be a name under voices, a premade voice's name or a voice's id".to_owned()));
        }
        if !self.voices.values().all(|id| is_id(id)) {
            problems.push(("voices", "must map names to voice ids of letters and digits".to_owned()));
        }
        if rate_of(&self.output_format).is_none() {
            let allowed = RATES.map(|rate| format!("pcm_{rate}")).join(", ");
            problems.push(("output_format", format!("must be one of {allowed}")));
        }
        let shares =
            [("stability", self.stability), ("similarity_boost", self.similarity_boost), ("style", self.style)];
        for (name, value) in shares {
            if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
                problems.push((name, "must be 0 to 1".to_owned()));
            }
        }
        if !(SLOWEST..=FASTEST).contains(&self.speed) {
            problems.push(("speed", format!("must be {SLOWEST} to {FASTEST}")));
        }
        problems
    }

    /// The id of a voice: by its name, or the id itself; else the default voice's.
    pub(super) fn voice_id<'a>(&'a self, name: &'a str) -> &'a str {
        self.known(name).or_else(|| self.known(&self.voice)).unwrap_or(PREMADE[0].1)
    }

    /// The names one can ask for, besides ids.
    pub(super) fn names(&self) -> Vec<String> {
        let premade = PREMADE.iter().map(|(name, _)| (*name).to_owned()).filter(|name| !self.voices.contains_key(name));
        self.voices.keys().cloned().chain(premade).collect()
    }

    /// The rate of the sound asked for.
    pub(super) fn rate(&self) -> SampleRate {
        rate_of(&self.output_format).unwrap_or(SampleRate::HZ_24000)
    }

    /// The pace to ask for.
    pub(super) fn pace(&self, speed: f32) -> f32 {
        let pace = self.speed * speed;
        if pace.is_finite() { pace.clamp(SLOWEST, FASTEST) } else { 1.0 }
    }

    fn known<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let alike = |known: &str| known.eq_ignore_ascii_case(name);
        let named = self.voices.get(name).map(String::as_str);
        named
            .or_else(|| self.voices.iter().find(|(known, _)| alike(known)).map(|(_, id)| id.as_str()))
            .or_else(|| PREMADE.iter().find(|(known, _)| alike(known)).map(|(_, id)| *id))
            .or_else(|| (name.len() == ID_LENGTH && is_id(name)).then_some(name))
    }
}

/// Ids stand in paths, so nothing else may be in them.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn rate_of(format: &str) -> Option<SampleRate> {
    let rate = format.strip_prefix("pcm_")?.parse().ok()?;
    RATES.contains(&rate).then(|| SampleRate::new(rate)).flatten()
}

const RATES: [u32; 7] = [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
/// The vendor's bounds.
const SLOWEST: f32 = 0.7;
const FASTEST: f32 = 1.2;
/// Letters and digits of an id the vendor gave, which tells it from a name.
const ID_LENGTH: usize = 20;
/// Voices every account has.
const PREMADE: [(&str, &str); 18] = [
    ("sarah", "EXAVITQu4vr4xnSDxMaL"),
    ("alice", "Xb7hH8MSUJpSbSDYk0k2"),
    ("brian", "nPczCjzI2devNBz1zQrb"),
    ("callum", "N2lVS1w4EtoT3dr4eOWO"),
    ("charlie", "IKne3meq5aSn9XLyUdCD"),
    ("chris", "iP95p4xoKVk53GoZ742B"),
    ("daniel", "onwK4e9ZLuTAKqWW03F9"),
    ("eric", "cjVigY5qzO86Huf0OWal"),
    ("george", "JBFqnCBsd6RMkjVDRZzb"),
    ("jessica", "cgSgspJ2msm6clMCkdW9"),
    ("laura", "FGY2WhTYpPnrIDTdsKH5"),
    ("liam", "TX3LPaxmHKxFdv7VOQHJ"),
    ("lily", "pFZP5JQG7iQjIQuC4Bku"),
    ("matilda", "XrExE9yKIg1WjnnlVkGX"),
    ("rachel", "21m00Tcm4TlvDq8ikWAM"),
    ("river", "SAz9YHcvj6GT2YYXdXww"),
    ("roger", "CwhRBWXzGAHq8TQ4Fs17"),
    ("will", "bIHbv24MWmeRgasZH58o"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        let config = Config {
            base_url: "api.elevenlabs.io".into(),
            key: Some("two words".into()),
            voice: "nobody".into(),
            voices: [("me".to_owned(), "../models".to_owned())].into(),
            output_format: "mp3_44100_128".into(),
            stability: Some(1.5),
            style: Some(f32::NAN),
            speed: 3.0,
            ..Config::default()
        };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["base_url", "key", "voice", "voices", "output_format", "stability", "style", "speed"]);
        let versioned = Config { base_url: "https://api.elevenlabs.io/v1/".into(), ..Config::default() };
        assert_eq!(versioned.problems(), [("base_url", "must end before the version".to_owned())]);
        assert!(Config::default().problems().is_empty());
    }

    #[test]
    fn a_key_is_never_printed() {
        let config = Config { key: Some("sk_very_secret".into()), ..Config::default() };
        assert!(!format!("{config:?}").contains("very_secret"));
    }

    #[test]
    fn voices_are_found_by_name_or_id_or_else_the_default_speaks() {
        let id = "abcdefghij0123456789";
        let config = Config { voice: "Me".into(), voices: [("me".into(), id.into())].into(), ..Config::default() };
        for (name, expected) in [
            ("me", id),
            ("George", "JBFqnCBsd6RMkjVDRZzb"),
            ("0123456789abcdefghij", "0123456789abcdefghij"),
            ("../../v1/voices/12345", id),
            ("unheard of", id),
        ] {
            assert_eq!(config.voice_id(name), expected, "{name}");
        }
        assert!(config.names().starts_with(&["me".to_owned(), "sarah".to_owned()]));
    }

    #[test]
    fn the_pace_stays_within_what_the_vendor_speaks() {
        let config = Config { speed: 1.1, ..Config::default() };
        assert_eq!(
            [config.pace(1.0), config.pace(4.0), config.pace(0.25), config.pace(f32::NAN)],
            [1.1, 1.2, 0.7, 1.0]
        );
    }
}
