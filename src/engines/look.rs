//! Whether the configured engines could answer now. Embedded ones were loaded at the start; others may come and go, of which
//! the roster knows.

use std::time::Duration;

use futures_util::FutureExt;
use providers::{Secret, layers::Role, local::command::Command, openai};
use secrecy::ExposeSecret;

use super::{OpenAiConfig, Vendor};
use crate::{
    config::Config,
    rest::{Look, Part},
    roster::Roster,
};

/// Each role and the engines that fill it.
pub fn parts(config: &Config, roster: &Roster) -> Vec<Part> {
    let chains = &config.providers;
    let turn: Vec<_> = Some(chains.turn.clone()).filter(|name| !name.is_empty()).into_iter().collect();
    [("stt", &chains.stt), ("llm", &chains.llm), ("tts", &chains.tts), ("turn", &turn)]
        .into_iter()
        .filter(|(_, chain)| !chain.is_empty())
        .map(|(part, chain)| {
            let any = chain.iter().map(|name| (name.clone(), look(part, name, config, roster)));
            Part { name: part, any: any.collect() }
        })
        .collect()
}

/// The program behind an engine that is one.
pub fn program(name: &str) -> Option<Command> {
    match name {
        "local/flite" => Some(Command::flite()),
        "local/espeak" => Some(Command::espeak()),
        _ => None,
    }
}

fn look(part: &str, name: &str, config: &Config, roster: &Roster) -> Look {
    if let Some(program) = program(name) {
        return Box::new(move || std::future::ready(program.available().is_ok()).boxed());
    }
    if name == "openai/chat" {
        let server = config.openai.clone();
        return Box::new(move || answers(server.clone()).boxed());
    }
    let role = match part {
        "stt" => Role::Stt,
        "llm" => Role::Llm,
        _ => Role::Tts,
    };
    if Vendor::of(name).is_some() {
        let (roster, name) = (roster.clone(), name.to_owned());
        return Box::new(move || std::future::ready(roster.works(role, &name)).boxed());
    }
    Box::new(|| std::future::ready(true).boxed())
}

async fn answers(server: OpenAiConfig) -> bool {
    let key: Option<&Secret> = Some(&server.api_key).filter(|key| !key.expose_secret().is_empty());
    let found = openai::models(&server.base_url, key, PATIENCE).await;
    if let Err(error) = &found {
        tracing::warn!(%error, "openai/chat does not answer");
    }
    found.is_ok()
}

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
