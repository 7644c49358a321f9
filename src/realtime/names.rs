//! What the names mean that clients call models by.
//!
//! An engine is `vendor/model`. Clients written for the hosted service name its models, dated and sized variants included;
//! those stand for whatever is configured here, so that changing the base URL is enough.

use std::collections::BTreeMap;

/// What a model is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Task {
    /// Live conversations.
    Realtime,
    /// Speech to text.
    Transcription,
    /// Text to speech.
    Speech,
    /// Thinking of answers.
    Language,
}

impl Task {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Realtime, Self::Transcription, Self::Speech, Self::Language];

    /// As chains are named after it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Realtime => "realtime",
            Self::Transcription => "stt",
            Self::Speech => "tts",
            Self::Language => "llm",
        }
    }
}

/// The name of everything together.
pub const RELAY: &str = "voice-relay";

/// The engines' names by what they are for, and what other names stand for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    /// Names of engines, `vendor/model`, the preferred first.
    engines: BTreeMap<Task, Vec<String>>,
    /// For a client's name a task, meaning the chain that is configured for it, or an engine.
    aliases: BTreeMap<String, String>,
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning<'a> {
    /// Whatever is configured.
    Usual,
    /// This engine first.
    Engine(&'a str),
}

impl Default for Names {
    fn default() -> Self {
        Self::new(well_known())
    }
}

impl Names {
    /// No engines, and these aliases.
    pub const fn new(aliases: BTreeMap<String, String>) -> Self {
        Self { engines: BTreeMap::new(), aliases }
    }

    /// Offers these engines too.
    #[must_use]
    pub fn with(mut self, task: Task, engines: impl IntoIterator<Item = String>) -> Self {
        let known = self.engines.entry(task).or_default();
        for engine in engines {
            if !known.contains(&engine) {
                known.push(engine);
            }
        }
        self
    }

    /// The engines that do this, the preferred first.
    pub fn engines(&self, task: Task) -> &[String] {
        self.engines.get(&task).map_or(&[], Vec::as_slice)
    }

    /// What `name` means where this is asked for; `None` if it means nothing here.
    ///
    /// An alias goes first, then an engine's name with or without its vendor, then the alias of its family:
    /// `gpt-4o-transcribe-2025-03-20` belongs to `gpt-4o-transcribe`.
    pub fn find(&self, name: &str, task: Task) -> Option<Meaning<'_>> {
        if name == RELAY {
            return Some(Meaning::Usual);
        }
        if let Some(target) = self.aliases.get(name) {
            return self.meant(target, task);
        }
        if let Some(engine) = self.engine(name, task) {
            return Some(Meaning::Engine(engine));
        }
        self.meant(self.family(name)?, task)
    }

    /// The engine that `name` means where this is asked for, if it means one.
    pub fn engine_of(&self, name: &str, task: Task) -> Option<&str> {
        match self.find(name, task)? {
            Meaning::Engine(engine) => Some(engine),
            Meaning::Usual => None,
        }
    }

    /// The engine that speaks with a voice whose name says whose it is: `elevenlabs/Rachel`.
    pub fn speaker(&self, voice: &str) -> Option<&str> {
        let engines = self.engines(Task::Speech);
        let (vendor, _) = voice.split_once('/')?;
        let theirs = |engine: &&String| engine.split_once('/').is_some_and(|(of, _)| of == vendor);
        let exact = engines.iter().find(|engine| *engine == voice);
        exact.or_else(|| engines.iter().find(theirs)).map(String::as_str)
    }

    fn engine(&self, name: &str, task: Task) -> Option<&str> {
        let engines = self.engines(task);
        let bare = |engine: &&String| engine.split_once('/').is_some_and(|(_, model)| model == name);
        let found = engines.iter().find(|engine| *engine == name).or_else(|| engines.iter().find(bare));
        found.map(String::as_str)
    }

    /// What the longest alias that begins this name stands for.
    fn family(&self, name: &str) -> Option<&str> {
        let begins = |alias: &str| name.strip_prefix(alias).is_some_and(|rest| rest.starts_with('-'));
        let longest = self.aliases.iter().filter(|(alias, _)| begins(alias)).max_by_key(|(alias, _)| alias.len());
        longest.map(|(_, target)| target.as_str())
    }

    fn meant(&self, target: &str, task: Task) -> Option<Meaning<'_>> {
        if target == task.name() {
            return Some(Meaning::Usual);
        }
        self.engine(target, task).map(Meaning::Engine)
    }
}

/// The hosted service's families, and the chain each stands for.
pub fn well_known() -> BTreeMap<String, String> {
    let families = [
        (Task::Realtime, &["gpt-realtime", "gpt-4o-realtime", "gpt-4o-mini-realtime"][..]),
        (
            Task::Transcription,
            &[
                "whisper-1",
                "gpt-4o-transcribe",
                "gpt-4o-mini-transcribe",
                "gpt-realtime-whisper",
                "gpt-live-transcribe",
            ],
        ),
        (Task::Speech, &["tts-1", "gpt-4o-mini-tts"]),
        (Task::Language, &["gpt", "chatgpt"]),
    ];
    let entry = |name: &&str, task: Task| ((*name).to_owned(), task.name().to_owned());
    families.into_iter().flat_map(|(task, names)| names.iter().map(move |name| entry(name, task))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut aliases = well_known();
        aliases.insert("house".into(), "deepgram/nova-3".into());
        aliases.insert("think".into(), "llm".into());
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Names::new(aliases)
            .with(Task::Transcription, list(&["deepgram/nova-3", "openai/gpt-4o-transcribe-diarize", "local/whisper"]))
            .with(Task::Language, list(&["openai/gpt-4o-mini", "anthropic/claude-x", "openai/gpt-4o-mini"]))
            .with(Task::Speech, list(&["elevenlabs/flash", "elevenlabs/slow", "local/hibari"]))
            .with(Task::Realtime, list(&["openai/gpt-realtime"]))
    }

    #[test]
    fn a_name_is_an_alias_or_an_engine_or_of_a_family_or_nothing() {
        use Meaning::{Engine, Usual};
        for (name, task, expected) in [
            ("voice-relay", Task::Speech, Some(Usual)),
            ("whisper-1", Task::Transcription, Some(Usual)),
            ("whisper-1", Task::Language, None),
            ("gpt-realtime", Task::Realtime, Some(Usual)),
            ("gpt-realtime-mini", Task::Realtime, Some(Usual)),
            ("gpt-4o-realtime-preview-2024-12-17", Task::Realtime, Some(Usual)),
            ("gpt-realtime-whisper", Task::Realtime, None),
            ("gpt-realtimes", Task::Realtime, None),
            ("openai/gpt-realtime", Task::Realtime, Some(Engine("openai/gpt-realtime"))),
            ("gpt-4o-transcribe-2025-03-20", Task::Transcription, Some(Usual)),
            ("gpt-4o-transcribe-diarize", Task::Transcription, Some(Engine("openai/gpt-4o-transcribe-diarize"))),
            ("nova-3", Task::Transcription, Some(Engine("deepgram/nova-3"))),
            ("house", Task::Transcription, Some(Engine("deepgram/nova-3"))),
            ("house", Task::Language, None),
            ("claude-x", Task::Language, Some(Engine("anthropic/claude-x"))),
            ("gpt-4o-mini", Task::Language, Some(Engine("openai/gpt-4o-mini"))),
            ("gpt-4o", Task::Language, Some(Usual)),
            ("gpt-4o", Task::Realtime, None),
            ("claude-y", Task::Language, None),
            ("think", Task::Language, Some(Usual)),
            ("deepgram/nova-2", Task::Transcription, None),
            ("", Task::Realtime, None),
        ] {
            assert_eq!(names().find(name, task), expected, "{name} {task:?}");
        }
        assert_eq!(names().engines(Task::Language).len(), 2);
    }

    #[test]
    fn a_voice_may_say_whose_it_is() {
        for (voice, expected) in [
            ("elevenlabs/Rachel", Some("elevenlabs/flash")),
            ("elevenlabs/slow", Some("elevenlabs/slow")),
            ("openai/alloy", None),
            ("alloy", None),
        ] {
            assert_eq!(names().speaker(voice), expected, "{voice}");
        }
    }
}
