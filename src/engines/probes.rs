//! How to find out how an engine is: which of the vendors' questions to ask, with whose key.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use providers::{
    Secret, elevenlabs,
    probe::{Ailment, Probe},
};
use secrecy::ExposeSecret;

use super::{Vendor, look::program};
use crate::{
    config::Config,
    roster::{Ask, Checkup, Library, Named},
};

/// How an engine of this name is looked after.
pub fn checkup(name: &str, config: &Config) -> Checkup {
    if let Some(program) = program(name) {
        let ask: Ask = Arc::new(move || std::future::ready(program.available().map_err(|_| Ailment::Failing)).boxed());
        return Checkup::Asked { account: name.to_owned(), ask };
    }
    match probe(name, config) {
        Some((account, probe)) => Checkup::Asked { account: account.to_owned(), ask: asking(probe) },
        None => Checkup::Embedded,
    }
}

/// The voices of the account that an engine speaks with, where it has its own.
pub fn library(name: &str, config: &Config) -> Option<Library> {
    let (Vendor::ElevenLabs, _) = Vendor::of(name)? else { return None };
    let mut account = elevenlabs::Config::default();
    config.elevenlabs.fill(&mut account.base_url, &mut account.key);
    let library = elevenlabs::Library::new("elevenlabs", Arc::new(account));
    Some(Library::new(move || {
        let library = library.clone();
        let listed = async move {
            let voices = library.list().await?;
            Ok(voices.into_iter().map(|voice| Named { id: voice.id, name: voice.name }).collect())
        };
        listed.boxed()
    }))
}

/// Whose account an engine is used with, and the question that tells whether it is good.
fn probe(name: &str, config: &Config) -> Option<(&'static str, Probe)> {
    if name == "openai/chat" {
        let server = &config.openai;
        return Some(("openai", Probe::openai(&server.base_url, present(&server.api_key))));
    }
    let (vendor, _) = Vendor::of(name)?;
    let accounts = config.accounts();
    let account = accounts.of(vendor);
    Some((vendor.name(), Probe::of(vendor.name(), &account.base_url, present(&account.api_key))?))
}

fn present(key: &Secret) -> Option<&Secret> {
    Some(key).filter(|key| !key.expose_secret().is_empty())
}

fn asking(probe: Probe) -> Ask {
    Arc::new(move || -> BoxFuture<'static, Result<(), Ailment>> {
        let probe = probe.clone();
        async move { probe.ask(PATIENCE).await }.boxed()
    })
}

/// How long a vendor may take to answer: longer than any that works.
const PATIENCE: Duration = Duration::from_secs(5);
