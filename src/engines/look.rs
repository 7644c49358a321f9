//! Whether the configured engines could answer now. Embedded ones were loaded at the start; others may come and go, of which
//! the roster knows.

use std::time::Duration;

use futures_util::FutureExt;
use providers::{layers::Role, local::command::Command, openai};

use super::{account::Account, vendors::COMPATIBLE};
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
        .map(|(task, chain)| {
            let any = chain.iter().map(|name| (name.clone(), look(name, task, config, roster)));
            Part { name: task, any: any.collect() }
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

/// The server of one's own behind an engine, and its model there.
pub fn server<'a>(name: &'a str, config: &'a Config) -> Option<(&'a Account, &'a str)> {
    let tasks = COMPATIBLE.tasks();
    let found = tasks.iter().find_map(|task| config.accounts().find(name, task));
    found.filter(|found| found.vendor.section == COMPATIBLE.section).map(|found| (found.account, found.model))
}

fn look(name: &str, task: &'static str, config: &Config, roster: &Roster) -> Look {
    if let Some(program) = program(name) {
        return Box::new(move || std::future::ready(program.available().is_ok()).boxed());
    }
    if task != "turn"
        && let Some((account, _)) = server(name, config)
    {
        let (name, account) = (name.to_owned(), account.clone());
        return Box::new(move || answers(name.clone(), account.clone()).boxed());
    }
    let role = match task {
        "stt" => Role::Stt,
        "llm" => Role::Llm,
        _ => Role::Tts,
    };
    if task != "turn" && config.accounts().find(name, task).is_some() {
        let (roster, name) = (roster.clone(), name.to_owned());
        return Box::new(move || std::future::ready(roster.works(role, &name)).boxed());
    }
    Box::new(|| std::future::ready(true).boxed())
}

async fn answers(name: String, account: Account) -> bool {
    let found = openai::models(&account.base_url, account.key().as_ref(), PATIENCE).await;
    if let Err(error) = &found {
        tracing::warn!(engine = name, %error, "a server does not answer");
    }
    found.is_ok()
}

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
