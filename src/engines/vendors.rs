//! Every vendor and all it can do: one table, a row a section of the configuration, a builder a task.
//!
//! An engine of theirs is named `vendor/model`. Nothing is sent to a vendor that no chain, route or offer names.

use std::sync::Arc;

use providers::{
    EmbeddingModel, LanguageModel, ProviderError, RealtimeModel, SpeechToText, TextToSpeech, anthropic, azure,
    deepgram, deepseek, elevenlabs, gemini, google, openai,
};
use serde::de::DeserializeOwned;

use super::account::{Account, Mistakes, judged};

/// A vendor, or that part of it which has an account of its own.
#[derive(Debug)]
pub struct Vendor {
    /// Before the slash of its engines' names.
    pub name: &'static str,
    /// Its section in the configuration.
    pub section: &'static str,
    /// Variables of the environment, those that the vendor's own tools read, and what each fills where nothing is set.
    pub environment: &'static [(&'static str, Slot)],
    /// What it cannot do without.
    pub needs: &'static [Slot],
    pub(super) check: fn(&Account) -> Mistakes,
    pub(super) stt: Option<Build<dyn SpeechToText>>,
    pub(super) llm: Option<Build<dyn LanguageModel>>,
    pub(super) tts: Option<Build<dyn TextToSpeech>>,
    pub(super) realtime: Option<Build<dyn RealtimeModel>>,
    pub(super) embed: Option<Build<dyn EmbeddingModel>>,
}

/// A place in an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// `api_key`.
    Key,
    /// `base_url`.
    BaseUrl,
    /// One of `settings`.
    Setting(&'static str),
}

/// Makes an engine: its account, the name it reports its failures under, its model.
pub(super) type Build<T> = fn(&Account, String, &str) -> Result<Arc<T>, ProviderError>;

/// All vendors.
pub static VENDORS: [Vendor; 9] = [
    Vendor {
        name: "openai",
        section: "openai",
        environment: &[("OPENAI_API_KEY", Slot::Key), ("OPENAI_BASE_URL", Slot::BaseUrl)],
        needs: &[Slot::Key],
        check: |account| judged(account, openai::Config::problems),
        stt: Some(|account, name, model| {
            let config = Arc::new(warmed(account, &name)?);
            Ok(Arc::new(openai::SpeechToText::new(name, model, config)))
        }),
        llm: Some(|account, name, model| {
            let (api, model) = spoken_through(model);
            let mut config: openai::Config = configured(account, &name)?;
            config.api = api.unwrap_or(config.api);
            Ok(Arc::new(openai::LanguageModel::new(name, model, Arc::new(config))))
        }),
        tts: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(openai::TextToSpeech::new(name, model, config)))
        }),
        realtime: Some(|account, name, model| {
            let (config, settings) = (Arc::new(configured(account, &name)?), live(account, &name)?);
            Ok(Arc::new(openai::RealtimeModel::new(name, model, config, settings)))
        }),
        embed: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(openai::EmbeddingModel::new(name, model, config)))
        }),
    },
    Vendor {
        name: "azure",
        section: "azure_openai",
        environment: &[("AZURE_OPENAI_API_KEY", Slot::Key), ("AZURE_OPENAI_ENDPOINT", Slot::BaseUrl)],
        needs: &[Slot::Key, Slot::BaseUrl],
        check: |account| judged(account, azure::llm::Config::problems),
        stt: None,
        llm: Some(|account, name, model| {
            let (api, model) = spoken_through(model);
            let mut config: azure::llm::Config = configured(account, &name)?;
            config.api = api.unwrap_or(config.api);
            Ok(Arc::new(azure::LanguageModel::new(name, model, Arc::new(config))))
        }),
        tts: None,
        realtime: Some(|account, name, model| {
            let (config, settings) = (Arc::new(configured(account, &name)?), live(account, &name)?);
            Ok(Arc::new(azure::RealtimeModel::new(name, model, config, settings)))
        }),
        embed: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(azure::EmbeddingModel::new(name, model, config)))
        }),
    },
    Vendor {
        name: "azure",
        section: "azure_speech",
        environment: &[("AZURE_SPEECH_KEY", Slot::Key), ("AZURE_SPEECH_REGION", Slot::Setting("region"))],
        needs: &[Slot::Key, Slot::Setting("region")],
        check: |account| judged(account, azure::speech::Config::problems),
        stt: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(azure::speech::SpeechToText::new(name, model, config)))
        }),
        llm: None,
        tts: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(azure::speech::TextToSpeech::new(name, model, config)))
        }),
        realtime: None,
        embed: None,
    },
    Vendor {
        name: "anthropic",
        section: "anthropic",
        environment: &[("ANTHROPIC_API_KEY", Slot::Key)],
        needs: &[Slot::Key],
        check: |account| judged(account, anthropic::Config::problems),
        stt: None,
        llm: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(anthropic::LanguageModel::new(name, model, config)))
        }),
        tts: None,
        realtime: None,
        embed: None,
    },
    Vendor {
        name: "deepgram",
        section: "deepgram",
        environment: &[("DEEPGRAM_API_KEY", Slot::Key)],
        needs: &[Slot::Key],
        check: |account| judged(account, deepgram::Config::problems),
        stt: Some(|account, name, model| {
            let config = Arc::new(warmed(account, &name)?);
            Ok(Arc::new(deepgram::SpeechToText::new(name, model, config)))
        }),
        llm: None,
        tts: Some(|account, name, model| {
            let config = Arc::new(warmed(account, &name)?);
            Ok(Arc::new(deepgram::TextToSpeech::new(name, model, config)))
        }),
        realtime: None,
        embed: None,
    },
    Vendor {
        name: "deepseek",
        section: "deepseek",
        environment: &[("DEEPSEEK_API_KEY", Slot::Key)],
        needs: &[Slot::Key],
        check: |account| judged(account, deepseek::Config::problems),
        stt: None,
        llm: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(deepseek::LanguageModel::new(name, model, config)))
        }),
        tts: None,
        realtime: None,
        embed: None,
    },
    Vendor {
        name: "elevenlabs",
        section: "elevenlabs",
        environment: &[("ELEVENLABS_API_KEY", Slot::Key)],
        needs: &[Slot::Key],
        check: |account| judged(account, elevenlabs::Config::problems),
        stt: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(elevenlabs::SpeechToText::new(name, model, config)))
        }),
        llm: None,
        tts: Some(|account, name, model| {
            let config = Arc::new(warmed(account, &name)?);
            Ok(Arc::new(elevenlabs::TextToSpeech::new(name, model, config)))
        }),
        realtime: None,
        embed: None,
    },
    Vendor {
        name: "gemini",
        section: "gemini",
        environment: &[("GEMINI_API_KEY", Slot::Key)],
        needs: &[Slot::Key],
        check: |account| judged(account, gemini::Config::problems),
        stt: None,
        llm: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(gemini::LanguageModel::new(name, model, config)))
        }),
        tts: None,
        realtime: Some(|account, name, model| {
            let (config, settings) = (Arc::new(configured(account, &name)?), live(account, &name)?);
            Ok(Arc::new(gemini::RealtimeModel::new(name, model, config, settings)))
        }),
        embed: None,
    },
    Vendor {
        name: "google",
        section: "google",
        environment: &[("GOOGLE_APPLICATION_CREDENTIALS", Slot::Setting("credentials"))],
        needs: &[Slot::Setting("credentials")],
        check: |account| judged(account, google::Config::problems),
        stt: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(google::SpeechToText::new(name, model, config)))
        }),
        llm: None,
        tts: Some(|account, name, model| {
            let config = Arc::new(configured(account, &name)?);
            Ok(Arc::new(google::TextToSpeech::new(name, model, config)))
        }),
        realtime: None,
        embed: None,
    },
];

/// A server of one's own that speaks OpenAI's wire: `[compatible.NAME]`, its engines `NAME/model`.
pub(super) static COMPATIBLE: Vendor = Vendor {
    name: "compatible",
    section: "compatible",
    environment: &[],
    needs: &[Slot::BaseUrl],
    check: |account| judged(account, openai::Config::problems),
    stt: Some(|account, name, model| {
        let config = Arc::new(configured(account, &name)?);
        Ok(Arc::new(openai::SpeechToText::new(name, model, config)))
    }),
    llm: Some(|account, name, model| {
        let (api, model) = spoken_through(model);
        let mut config: openai::Config = configured(account, &name)?;
        config.api = api.unwrap_or(config.api);
        // Servers of one's own know the older name of the limit.
        config.max_completion_tokens =
            account.settings.contains_key("max_completion_tokens") && config.max_completion_tokens;
        Ok(Arc::new(openai::LanguageModel::new(name, model, Arc::new(config))))
    }),
    tts: Some(|account, name, model| {
        let config = Arc::new(configured(account, &name)?);
        Ok(Arc::new(openai::TextToSpeech::new(name, model, config)))
    }),
    realtime: Some(|account, name, model| {
        let config = Arc::new(configured(account, &name)?);
        let mut settings: openai::realtime::Settings = live(account, &name)?;
        // A server of one's own has voices of its own: whatever is asked for is passed on.
        if !account.has_live("voices") {
            settings.voices.clear();
        }
        Ok(Arc::new(openai::RealtimeModel::new(name, model, config, settings)))
    }),
    embed: Some(|account, name, model| {
        let config = Arc::new(configured(account, &name)?);
        Ok(Arc::new(openai::EmbeddingModel::new(name, model, config)))
    }),
};

/// The variables of the environment that hold vendors' keys.
pub(crate) fn key_variables() -> impl Iterator<Item = &'static str> {
    let all = VENDORS.iter().flat_map(|vendor| vendor.environment);
    all.filter(|(_, slot)| *slot == Slot::Key).map(|(variable, _)| *variable)
}

impl Vendor {
    /// What it can do, by the names of the chains.
    pub fn tasks(&self) -> Vec<&'static str> {
        let can = [
            ("stt", self.stt.is_some()),
            ("llm", self.llm.is_some()),
            ("tts", self.tts.is_some()),
            ("realtime", self.realtime.is_some()),
            ("embed", self.embed.is_some()),
        ];
        can.into_iter().filter(|(_, can)| *can).map(|(task, _)| task).collect()
    }

    /// Every value of an account that cannot be, by its key, with what is allowed.
    pub(crate) fn problems(&self, account: &Account) -> Vec<(String, String)> {
        // What the environment happens to hold of an account that cannot be used is no mistake.
        let told = self.lacking(account).is_none() || !account.settings.is_empty();
        account.problems(&self.tasks(), told.then_some(self.check))
    }

    /// What an account lacks to be used.
    pub(super) fn lacking(&self, account: &Account) -> Option<Slot> {
        let filled = |slot: Slot| match slot {
            Slot::Key => account.has_key(),
            Slot::BaseUrl => !account.base_url.is_empty(),
            Slot::Setting(name) => account.settings.contains_key(name),
        };
        self.needs.iter().copied().find(|slot| !filled(*slot))
    }

    /// How to give what is lacking.
    pub(super) fn remedy(&self, slot: Slot) -> String {
        let key = match slot {
            Slot::Key => "api_key".to_owned(),
            Slot::BaseUrl => "base_url".to_owned(),
            Slot::Setting(name) => format!("settings.{name}"),
        };
        let section = self.section;
        match self.environment.iter().find(|(_, fills)| *fills == slot) {
            Some((variable, _)) => format!("set {section}.{key}, or {variable} in the environment"),
            None => format!("set {section}.{key}"),
        }
    }
}

/// Every value that cannot be of a server of one's own.
pub(crate) fn compatible_problems(name: &str, account: &Account) -> Vec<(String, String)> {
    let mut wrong = COMPATIBLE.problems(account);
    let taken = ["local", "scripted", "compatible"].contains(&name) || VENDORS.iter().any(|vendor| vendor.name == name);
    if taken || name.is_empty() || name.contains('/') {
        let message = "cannot be the name of a server: it is a vendor's, ours, or no name at all";
        wrong.push(("base_url".to_owned(), message.to_owned()));
    } else if account.base_url.is_empty() {
        wrong.push(("base_url".to_owned(), "must be the URL of the server, up to and including /v1".to_owned()));
    }
    wrong
}

/// Models reached through OpenAI's Responses API are named so: `openai/responses:gpt-5.4-mini`.
fn spoken_through(model: &str) -> (Option<openai::Api>, &str) {
    match model.split_once(':') {
        Some(("responses", model)) => (Some(openai::Api::Responses), model),
        Some(("chat", model)) => (Some(openai::Api::Chat), model),
        Some(_) | None => (None, model),
    }
}

fn configured<C: DeserializeOwned>(account: &Account, name: &str) -> Result<C, ProviderError> {
    account.config().map_err(|why| ProviderError::new(name.to_owned(), providers::ErrorKind::Rejected, why))
}

/// The same of an adapter that opens the next turn's connection when one ends, which it does here unless it is told not to.
fn warmed<C: DeserializeOwned>(account: &Account, name: &str) -> Result<C, ProviderError> {
    let mut account = account.clone();
    account.settings.entry("warm").or_insert(true.into());
    configured(&account, name)
}

/// How a vendor's speech-to-speech models are spoken to: `settings.realtime`.
fn live<C: DeserializeOwned>(account: &Account, name: &str) -> Result<C, ProviderError> {
    account.live().map_err(|why| ProviderError::new(name.to_owned(), providers::ErrorKind::Rejected, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_kept_warm_unless_that_is_declined() {
        let mut account = Account::default();
        assert!(warmed::<deepgram::Config>(&account, "").unwrap().warm);
        assert!(warmed::<elevenlabs::Config>(&account, "").unwrap().warm);
        assert!(warmed::<openai::Config>(&account, "").unwrap().warm);
        account.settings.insert("warm".into(), false.into());
        assert!(!warmed::<deepgram::Config>(&account, "").unwrap().warm);
    }
}
