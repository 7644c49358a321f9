//! A voice asked for by one name, and each engine given its own name for it.
//!
//! Clients know one vendor's voices; behind a fallback stands another vendor, which would take its default voice, often
//! of another gender. Wrap each engine in one of these and a failover keeps gender and manner.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, future::BoxFuture, stream::BoxStream};

use crate::{
    ProviderError, RealtimeModel, TextToSpeech,
    realtime::{Command, EventStream, Manner, Opening, RealtimeCapabilities},
    tts::{Clause, SpeechStream, TtsCapabilities, Voice},
};

/// An engine that is asked for its own voices.
pub struct Voiced<T: ?Sized> {
    own: Arc<Own>,
    inner: Arc<T>,
}

/// What a vendor calls its voices.
struct Own {
    vendor: String,
    /// Its own names by the names asked for, those in lower case.
    names: BTreeMap<String, String>,
}

impl<T: ?Sized> Voiced<T> {
    /// An engine of `vendor`. `own` says which of its voices stands for which that may be asked for; others are asked for
    /// as they are, without the vendor's name where that goes before: `elevenlabs/Rachel`.
    pub fn new(vendor: impl Into<String>, own: BTreeMap<String, String>, inner: Arc<T>) -> Self {
        let names = own.into_iter().map(|(asked, own)| (asked.to_lowercase(), own)).collect();
        Self { own: Arc::new(Own { vendor: vendor.into(), names }), inner }
    }
}

impl Own {
    fn manner(&self, manner: Manner) -> Manner {
        Manner { voice: manner.voice.map(|voice| self.translate(voice)), ..manner }
    }

    fn translate(&self, voice: Voice) -> Voice {
        let asked = voice.name.trim();
        let bare = match asked.split_once('/') {
            Some((vendor, name)) if vendor == self.vendor => return Voice { name: name.to_owned(), ..voice },
            Some((_, name)) => name,
            None => asked,
        };
        let own = self.names.get(&asked.to_lowercase()).or_else(|| self.names.get(&bare.to_lowercase()));
        match own.filter(|own| speaks(own, voice.language.as_deref())) {
            Some(own) => Voice { name: own.clone(), ..voice },
            None => Voice { name: bare.to_owned(), ..voice },
        }
    }
}

impl TextToSpeech for Voiced<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        self.inner.capabilities()
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        self.inner.speak(self.own.translate(voice), text)
    }
}

impl RealtimeModel for Voiced<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.inner.capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        let opening = Opening { manner: self.own.manner(opening.manner), ..opening };
        let own = Arc::clone(&self.own);
        let commands = commands.map(move |command| match command {
            Command::Respond { reply, manner } => Command::Respond { reply, manner: Box::new(own.manner(*manner)) },
            Command::Hear(_)
            | Command::Commit
            | Command::Discard
            | Command::Add(_)
            | Command::Truncate(_)
            | Command::Cancel => command,
        });
        self.inner.converse(opening, commands.boxed())
    }
}

/// Whether a voice that names its one language at its end (`aura-2-thalia-en`) speaks this one. What it then says of
/// another language its engine knows better: it is asked for the voice as the client named it.
fn speaks(voice: &str, language: Option<&str>) -> bool {
    let own = voice.rsplit_once('-').map(|(_, end)| end);
    let own = own.filter(|end| end.len() == 2 && end.bytes().all(|byte| byte.is_ascii_lowercase()));
    let wanted = language.map(|tag| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase());
    match (own, wanted) {
        (Some(own), Some(wanted)) => own == wanted,
        (None, _) | (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::{FutureExt, stream};

    use super::*;
    use crate::llm::ToolChoice;

    fn table() -> BTreeMap<String, String> {
        let table = [("alloy", "aura-2-thalia-en"), ("onyx", "aura-2-zeus-en"), ("Brian", "aura-2-zeus-en")];
        table.iter().map(|(asked, own)| ((*asked).to_owned(), (*own).to_owned())).collect()
    }

    fn voice(name: &str, language: Option<&str>) -> Voice {
        Voice { name: name.to_owned(), language: language.map(str::to_owned), speed: 1.0 }
    }

    /// Notes the voices it is asked for.
    #[derive(Default)]
    struct Scribe(Mutex<Vec<String>>);

    impl TextToSpeech for Scribe {
        fn capabilities(&self) -> TtsCapabilities {
            TtsCapabilities::default()
        }

        fn speak(
            &self,
            voice: Voice,
            _: BoxStream<'static, Clause>,
        ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
            self.0.lock().unwrap().push(voice.name);
            async { Ok(stream::empty().boxed()) }.boxed()
        }
    }

    impl RealtimeModel for Scribe {
        fn capabilities(&self) -> RealtimeCapabilities {
            RealtimeCapabilities::default()
        }

        fn converse(
            &self,
            opening: Opening,
            commands: BoxStream<'static, Command>,
        ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
            self.0.lock().unwrap().extend(opening.manner.voice.map(|voice| voice.name));
            async move {
                let asked: Vec<_> = commands.collect().await;
                let voices = asked.into_iter().filter_map(|command| {
                    let Command::Respond { manner, .. } = command else { return None };
                    manner.voice
                });
                self.0.lock().unwrap().extend(voices.map(|voice| voice.name));
                Ok(stream::empty().boxed())
            }
            .boxed()
        }
    }

    fn own(asked: &str, language: Option<&str>) -> String {
        let scribe = Arc::new(Scribe::default());
        let voiced = Voiced::<dyn TextToSpeech>::new("deepgram", table(), scribe.clone());
        drop(voiced.speak(voice(asked, language), stream::empty().boxed()).now_or_never());
        let mut asked = scribe.0.lock().unwrap();
        asked.remove(0)
    }

    #[tokio::test]
    async fn a_speech_to_speech_model_is_asked_for_its_own_voice_too_at_first_and_later() {
        let manner = |name: &str| Manner {
            instructions: String::new(),
            aside: None,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            voice: Some(voice(name, None)),
            max_output_tokens: None,
        };
        let scribe = Arc::new(Scribe::default());
        let voiced = Voiced::<dyn RealtimeModel>::new("deepgram", table(), scribe.clone());
        let opening = Opening { model: None, manner: manner("alloy"), history: Vec::new() };
        let later = Command::Respond { reply: 1, manner: Box::new(manner("onyx")) };
        drop(voiced.converse(opening, stream::iter([Command::Commit, later]).boxed()).await);
        assert_eq!(*scribe.0.lock().unwrap(), ["aura-2-thalia-en", "aura-2-zeus-en"]);
    }

    #[test]
    fn each_engine_is_asked_for_its_own_name_of_the_voice() {
        for (asked, language, expected) in [
            ("alloy", None, "aura-2-thalia-en"),
            (" Onyx ", Some("en-GB"), "aura-2-zeus-en"),
            ("brian", None, "aura-2-zeus-en"),
            ("elevenlabs/Brian", None, "aura-2-zeus-en"),
            ("elevenlabs/nobody", None, "nobody"),
            ("deepgram/orion", None, "orion"),
            ("deepgram/alloy", None, "alloy"),
            ("somebody", None, "somebody"),
        ] {
            assert_eq!(own(asked, language), expected, "{asked}");
        }
    }

    #[test]
    fn a_voice_of_one_language_is_not_asked_to_speak_another() {
        assert_eq!(own("alloy", Some("es-MX")), "alloy");
        assert!(speaks("en-US-AvaMultilingualNeural", Some("es")) && speaks("sarah", Some("es")));
    }
}
