//! The providers of this server by name, and what clients call them.
//!
//! Names are `provider/model`: `local/whisper-base`, `scripted/echo`. Clients that know only OpenAI's names get what is
//! installed: a table maps those names to the default of their kind. Nothing else is guessed: an unknown name is an
//! error that tells what there is.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{LanguageModel, SpeechToText, TextToSpeech, layers::Role};

/// All providers, by kind and name.
#[derive(Clone, Default)]
pub struct Registry {
    stt: Shelf<dyn SpeechToText>,
    llm: Shelf<dyn LanguageModel>,
    tts: Shelf<dyn TextToSpeech>,
}

/// A provider and the name it goes by.
#[derive(Debug)]
pub struct Chosen<T: ?Sized> {
    /// As configured, whatever the client called it.
    pub name: String,
    /// The provider.
    pub provider: Arc<T>,
}

/// A model as `/v1/models` lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Model {
    /// What clients may ask for.
    pub id: String,
    /// What it does.
    pub role: Role,
    /// The provider it stands for, where `id` is a well-known name.
    pub alias_of: Option<String>,
}

/// There is no such provider.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no {} {asked:?}; there is: {}", role_name(.role), listed(.known))]
pub struct Unknown {
    /// What kind was asked for.
    pub role: Role,
    /// By which name.
    pub asked: String,
    /// The names there are.
    pub known: Vec<String>,
}

impl Registry {
    /// Adds a speech-to-text engine. The first of a kind is its default.
    #[must_use]
    pub fn with_stt(mut self, name: impl Into<String>, engine: Arc<dyn SpeechToText>) -> Self {
        self.stt.add(name.into(), engine);
        self
    }

    /// Adds a language model. The first of a kind is its default.
    #[must_use]
    pub fn with_llm(mut self, name: impl Into<String>, model: Arc<dyn LanguageModel>) -> Self {
        self.llm.add(name.into(), model);
        self
    }

    /// Adds a text-to-speech engine. The first of a kind is its default.
    #[must_use]
    pub fn with_tts(mut self, name: impl Into<String>, engine: Arc<dyn TextToSpeech>) -> Self {
        self.tts.add(name.into(), engine);
        self
    }

    /// The speech-to-text engine of this name; the default without one, or for a well-known one.
    ///
    /// # Errors
    ///
    /// [`Unknown`], with the names there are.
    pub fn stt(&self, name: Option<&str>) -> Result<Chosen<dyn SpeechToText>, Unknown> {
        self.stt.find(Role::Stt, name)
    }

    /// The language model of this name; the default without one, or for a well-known one.
    ///
    /// # Errors
    ///
    /// [`Unknown`], with the names there are.
    pub fn llm(&self, name: Option<&str>) -> Result<Chosen<dyn LanguageModel>, Unknown> {
        self.llm.find(Role::Llm, name)
    }

    /// The text-to-speech engine of this name; the default without one, or for a well-known one.
    ///
    /// # Errors
    ///
    /// [`Unknown`], with the names there are.
    pub fn tts(&self, name: Option<&str>) -> Result<Chosen<dyn TextToSpeech>, Unknown> {
        self.tts.find(Role::Tts, name)
    }

    /// Every name a client may ask for: the providers', then the well-known ones of the kinds there are.
    pub fn models(&self) -> Vec<Model> {
        let shelves = [(Role::Stt, self.stt.names()), (Role::Llm, self.llm.names()), (Role::Tts, self.tts.names())];
        let own = shelves
            .iter()
            .flat_map(|(role, names)| names.iter().map(|name| Model { id: name.clone(), role: *role, alias_of: None }));
        let defaults = [(Role::Stt, &self.stt.default), (Role::Llm, &self.llm.default), (Role::Tts, &self.tts.default)];
        let aliases = defaults.iter().filter(|(_, default)| !default.is_empty()).flat_map(|(role, default)| {
            let model = |id: &&str| Model { id: (*id).to_owned(), role: *role, alias_of: Some((*default).clone()) };
            well_known(*role).iter().map(model)
        });
        own.chain(aliases).collect()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("stt", &self.stt.names())
            .field("llm", &self.llm.names())
            .field("tts", &self.tts.names())
            .finish()
    }
}

/// The engine's name for a voice that a client asks for: its own spelling, or its first voice where the client used one
/// of OpenAI's names; `None` for a voice nobody knows.
pub fn voice(engine: &dyn TextToSpeech, asked: &str) -> Option<String> {
    let voices = engine.capabilities().voices;
    let own = voices.iter().find(|voice| voice.eq_ignore_ascii_case(asked));
    let usual = || VOICES.contains(&asked.to_ascii_lowercase().as_str());
    own.or_else(|| voices.first().filter(|_| usual())).cloned()
}

/// One kind's providers.
struct Shelf<T: ?Sized> {
    providers: BTreeMap<String, Arc<T>>,
    /// Empty while there are none.
    default: String,
}

impl<T: ?Sized> Shelf<T> {
    fn add(&mut self, name: String, provider: Arc<T>) {
        if self.default.is_empty() {
            self.default.clone_from(&name);
        }
        self.providers.insert(name, provider);
    }

    fn names(&self) -> Vec<String> {
        self.providers.keys().cloned().collect()
    }

    fn find(&self, role: Role, name: Option<&str>) -> Result<Chosen<T>, Unknown> {
        let asked = name.unwrap_or(&self.default);
        let short = |name: &&String| name.split_once('/').is_some_and(|(_, model)| model == asked);
        let known = self.providers.get_key_value(asked).map(|(name, _)| name);
        let found = known
            .or_else(|| self.providers.keys().find(short))
            .or_else(|| is_well_known(role, asked).then_some(&self.default));
        let chosen =
            found.and_then(|name| Some(Chosen { name: name.clone(), provider: self.providers.get(name)?.clone() }));
        chosen.ok_or_else(|| Unknown { role, asked: asked.to_owned(), known: self.names() })
    }
}

impl<T: ?Sized> Default for Shelf<T> {
    fn default() -> Self {
        Self { providers: BTreeMap::new(), default: String::new() }
    }
}

impl<T: ?Sized> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self { providers: self.providers.clone(), default: self.default.clone() }
    }
}

/// A listed name, or a dated edition of one: `gpt-4o-realtime-preview-2025-06-03`.
fn is_well_known(role: Role, asked: &str) -> bool {
    well_known(role).iter().any(|name| {
        let edition = asked.strip_prefix(name);
        edition.is_some_and(|edition| edition.is_empty() || edition.starts_with("-20"))
    })
}

/// OpenAI's names for the kind. The model of a realtime session is its language model.
const fn well_known(role: Role) -> &'static [&'static str] {
    match role {
        Role::Stt => &["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-realtime-whisper"],
        Role::Llm => &["gpt-realtime", "gpt-realtime-mini", "gpt-4o-realtime-preview", "gpt-4o-mini-realtime-preview"],
        Role::Tts => &["tts-1", "tts-1-hd", "gpt-4o-mini-tts"],
    }
}

/// OpenAI's voices.
const VOICES: [&str; 13] =
    ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"];

const fn role_name(role: &Role) -> &'static str {
    match role {
        Role::Stt => "speech-to-text engine",
        Role::Llm => "language model",
        Role::Tts => "text-to-speech engine",
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none at all".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted;

    fn registry() -> Registry {
        Registry::default()
            .with_stt("local/whisper-base", Arc::new(scripted::SpeechToText::default()))
            .with_stt("scripted/count", Arc::new(scripted::SpeechToText::default()))
            .with_llm("local/agent", Arc::new(scripted::LanguageModel::default()))
            .with_tts("scripted/tone", Arc::new(scripted::TextToSpeech::default()))
    }

    #[test]
    fn clients_names_lead_to_what_is_installed() {
        let registry = registry();
        for (asked, expected) in [
            (None, "local/whisper-base"),
            (Some("whisper-1"), "local/whisper-base"),
            (Some("gpt-4o-mini-transcribe-2025-12-15"), "local/whisper-base"),
            (Some("scripted/count"), "scripted/count"),
            (Some("count"), "scripted/count"),
        ] {
            assert_eq!(registry.stt(asked).unwrap().name, expected, "{asked:?}");
        }
        assert_eq!(registry.llm(Some("gpt-realtime")).unwrap().name, "local/agent");
        assert_eq!(registry.tts(Some("tts-1")).unwrap().name, "scripted/tone");
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = registry().stt(Some("gpt-realtime")).map(|chosen| chosen.name).unwrap_err();
        let text = "there is no speech-to-text engine \"gpt-realtime\"; there is: local/whisper-base, scripted/count";
        assert_eq!(error.to_string(), text);
        let error = Registry::default().llm(None).map(|chosen| chosen.name).unwrap_err();
        assert!(error.to_string().ends_with("there is: none at all"));
    }

    #[test]
    fn models_are_listed_with_their_aliases() {
        let models = registry().models();
        let whisper = models.iter().find(|model| model.id == "whisper-1").unwrap();
        assert_eq!(whisper.alias_of.as_deref(), Some("local/whisper-base"));
        assert_eq!(models.iter().filter(|model| model.alias_of.is_none()).count(), 4);
        assert!(Registry::default().models().is_empty());
    }

    #[test]
    fn voices_are_the_engines_own_or_its_first() {
        let engine = scripted::TextToSpeech::default();
        for (asked, expected) in
            [("tone", Some("tone")), ("Tone", Some("tone")), ("marin", Some("tone")), ("bob", None)]
        {
            assert_eq!(voice(&engine, asked).as_deref(), expected, "{asked}");
        }
    }
}
