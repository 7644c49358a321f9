//! How a realtime server differs from another.

use serde::Deserialize;

/// How a realtime server is spoken to.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The names of its events. Both dialects are understood, this one is spoken.
    pub dialect: Dialect,
    /// Its voices; empty: any name is passed on.
    pub voices: Vec<String>,
    /// Who speaks where a voice is asked for that it does not have.
    pub voice: String,
}

/// The two generations of event names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Since August 2025.
    #[default]
    Ga,
    /// Before; older servers know nothing else, OpenAI no longer knows it.
    Beta,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            voices: VOICES.iter().map(|&name| name.to_owned()).collect(),
            voice: "marin".to_owned(),
        }
    }
}

impl Settings {
    /// A server's own voice for the one that is asked for.
    pub(crate) fn voice<'a>(&'a self, asked: &'a str) -> &'a str {
        let has = |name: &str| self.voices.is_empty() || self.voices.iter().any(|voice| voice == name);
        if !asked.is_empty() && has(asked) { asked } else { &self.voice }
    }
}

/// As `audio.output.voice` of <https://developers.openai.com/api/reference/resources/realtime/client-events> names them.
const VOICES: [&str; 10] = ["alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_voices_become_the_default_one_unless_any_is_known() {
        let openai = Settings::default();
        assert_eq!((openai.voice("cedar"), openai.voice("Rachel"), openai.voice("")), ("cedar", "marin", "marin"));
        let any = Settings { voices: Vec::new(), ..Settings::default() };
        assert_eq!((any.voice("Rachel"), any.voice("")), ("Rachel", "marin"));
    }
}
