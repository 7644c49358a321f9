//! How a Live model differs from another.

use serde::Deserialize;

/// How a Live model is spoken to.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its voices.
    pub voices: Vec<String>,
    /// Who speaks where a voice is asked for that it does not have.
    pub voice: String,
    /// It can answer in text alone; models of native audio cannot.
    pub text: bool,
    /// It takes `clientContent` as its first history only, as models do since Gemini 3.1 (livekit/agents#5251); what is
    /// typed later goes as `realtimeInput.text`. Gemini 2.5 takes both.
    pub realtime_text: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            voices: VOICES.iter().map(|&name| name.to_owned()).collect(),
            voice: "Kore".to_owned(),
            text: false,
            realtime_text: true,
        }
    }
}

impl Settings {
    /// The vendor's voice for the one that is asked for; names differ in case only by mistake.
    pub(super) fn voice(&self, asked: &str) -> &str {
        self.voices.iter().find(|voice| voice.eq_ignore_ascii_case(asked)).unwrap_or(&self.voice)
    }
}

/// <https://ai.google.dev/gemini-api/docs/speech-generation#voices>.
const VOICES: [&str; 30] = [
    "Zephyr",
    "Puck",
    "Charon",
    "Kore",
    "Fenrir",
    "Leda",
    "Orus",
    "Aoede",
    "Callirrhoe",
    "Autonoe",
    "Enceladus",
    "Iapetus",
    "Umbriel",
    "Algieba",
    "Despina",
    "Erinome",
    "Algenib",
    "Rasalgethi",
    "Laomedeia",
    "Achernar",
    "Alnilam",
    "Schedar",
    "Gacrux",
    "Pulcherrima",
    "Achird",
    "Zubenelgenubi",
    "Vindemiatrix",
    "Sadachbia",
    "Sadaltager",
    "Sulafat",
];
