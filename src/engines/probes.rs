//! How to find out how an engine is: which of the vendors' questions to ask, with whose key.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use providers::{
    ProviderError,
    elevenlabs::{self, Cloned, NewVoice},
    google,
    probe::{Ailment, Probe},
};

use super::{accounts::Foreign, look::program, vendors::COMPATIBLE};
use crate::{
    config::Config,
    roster::{Ask, Checkup, Library, Named, Studio},
};

/// How an engine of this name and task is looked after.
pub fn checkup(name: &str, task: &str, config: &Config) -> Checkup {
    if let Some(program) = program(name) {
        let ask: Ask = Arc::new(move || std::future::ready(program.available().map_err(|_| Ailment::Failing)).boxed());
        return Checkup::Asked { account: name.to_owned(), ask };
    }
    if let Some(ask) = google_asks(name, task, config) {
        return Checkup::Asked { account: "google".to_owned(), ask };
    }
    match probe(name, task, config) {
        Some((account, probe)) => Checkup::Asked { account, ask: asking(probe) },
        None => Checkup::Embedded,
    }
}

/// The voices of the account that an engine speaks with, where it has its own.
pub fn library(name: &str, task: &str, config: &Config) -> Option<Library> {
    let found = config.accounts().find(name, task)?;
    if (found.vendor.section, task) != ("elevenlabs", "tts") {
        return None;
    }
    let account: elevenlabs::Config = found.account.config().ok()?;
    let library = elevenlabs::Library::new("elevenlabs", Arc::new(account));
    let studio = Arc::new(Cloning(library.clone()));
    let listing = Library::new(move || {
        let library = library.clone();
        let listed = async move {
            let named = |voice: elevenlabs::Owned| {
                let cloned = voice.is_own_clone();
                Named { id: voice.id, name: voice.name, cloned }
            };
            Ok(library.list().await?.into_iter().map(named).collect())
        };
        listed.boxed()
    });
    Some(listing.with_studio(studio))
}

/// Instant voice cloning in an ElevenLabs account.
struct Cloning(elevenlabs::Library);

impl Studio for Cloning {
    fn make(&self, voice: NewVoice) -> BoxFuture<'static, Result<Cloned, ProviderError>> {
        let library = self.0.clone();
        async move { library.clone_voice(voice).await }.boxed()
    }

    fn delete(&self, id: String) -> BoxFuture<'static, Result<bool, ProviderError>> {
        let library = self.0.clone();
        let deleted = async move {
            // The library holds premade and shared voices too: those are not ours to delete.
            let own = library.find(&id).await?.is_some_and(|voice| voice.is_own_clone());
            if own {
                library.delete(&id).await?;
            }
            Ok(own)
        };
        deleted.boxed()
    }
}

/// Whose account an engine is used with, and the question that tells whether it is good.
fn probe(name: &str, task: &str, config: &Config) -> Option<(String, Probe)> {
    let Foreign { vendor, owner, account, .. } = config.accounts().find(name, task)?;
    let (url, key) = (&account.base_url, account.key());
    if vendor.section == COMPATIBLE.section {
        return Some((owner.to_owned(), Probe::openai(url, key.as_ref())));
    }
    let setting = |name| account.settings.get(name).and_then(|value| value.as_str());
    // A private endpoint, another cloud or a container is asked itself: the key is nobody else's.
    let url = match (vendor.section, setting("tts_base_url").or(setting("stt_base_url")), setting("region")) {
        ("azure_speech", Some(own), _) => own.to_owned(),
        ("azure_speech", None, Some(region)) => format!("https://{region}.tts.speech.microsoft.com"),
        _ => url.clone(),
    };
    Some((vendor.section.to_owned(), Probe::of(vendor.section, &url, key.as_ref())?))
}

/// Google Cloud's question goes by credentials as well as by a key.
fn google_asks(name: &str, task: &str, config: &Config) -> Option<Ask> {
    let found = config.accounts().find(name, task).filter(|found| found.vendor.section == "google")?;
    let account: Arc<google::Config> = Arc::new(found.account.config().ok()?);
    Some(Arc::new(move || {
        let account = Arc::clone(&account);
        async move { google::checkup(&account, PATIENCE).await }.boxed()
    }))
}

fn asking(probe: Probe) -> Ask {
    Arc::new(move || -> BoxFuture<'static, Result<(), Ailment>> {
        let probe = probe.clone();
        async move { probe.ask(PATIENCE).await }.boxed()
    })
}

/// How long a vendor may take to answer: longer than any that works.
const PATIENCE: Duration = Duration::from_secs(5);
