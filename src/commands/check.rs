//! `voice-relay check`: whether the relay would start, and whether its engines would answer.

use std::time::Duration;

use clap::Args;
use providers::openai;
use serde_json::json;

use super::{
    Failure,
    tryout::{self, Place},
};
use crate::{
    app,
    clock::Clock,
    config::Config,
    engines::{self, Engines},
};

#[derive(Args)]
pub(super) struct Arguments {
    /// Look at this engine alone, by its configured name
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Ask vendors whether they take the key, and let embedded engines do a small job; it costs nothing
    #[arg(long)]
    live: bool,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(arguments: Arguments, config: &Config) -> Result<(), Failure> {
    let mut report = Report { json: arguments.json, ..Report::default() };
    report.tell("configuration", Ok("no mistakes".into()));
    if arguments.provider.is_none() {
        let database = app::open(config).await.map(|_| format!("in {}", config.server.data_dir.display()));
        report.tell("database", database.map_err(|error| error.to_string()));
    }
    for (name, place) in named(config, arguments.provider.as_deref())? {
        let found = match arguments.live {
            true => tryout::live(&name, place, config).await,
            false => look(&name, place, config).await,
        };
        report.tell(&name, found);
    }
    report.finish()
}

/// The engines to look at, each once.
fn named(config: &Config, only: Option<&str>) -> Result<Vec<(String, Place)>, Failure> {
    let chains = &config.providers;
    let (turn, embed) = (vec![chains.turn.clone()], vec![chains.embed.clone()]);
    let all = [
        (&chains.stt, Place::Stt),
        (&chains.llm, Place::Llm),
        (&chains.tts, Place::Tts),
        (&chains.realtime, Place::Realtime),
        (&turn, Place::Turn),
        (&embed, Place::Embed),
    ];
    let all = all.into_iter().flat_map(|(chain, place)| chain.iter().map(move |name| (name.clone(), place)));
    let all: Vec<_> = all.filter(|(name, _)| !name.is_empty()).collect();
    let Some(only) = only else { return Ok(all) };
    let found: Vec<_> = all.iter().filter(|(name, _)| name == only).cloned().collect();
    if found.is_empty() {
        let names: Vec<_> = all.into_iter().map(|(name, _)| name).collect();
        return Err(Failure::Other(format!("`{only}` is not configured; there is: {}", names.join(", "))));
    }
    Ok(found)
}

async fn look(name: &str, place: Place, config: &Config) -> Result<String, String> {
    if let Some((server, model)) = engines::server(name, config) {
        let models = openai::models(&server.base_url, server.key().as_ref(), PATIENCE).await;
        let models = models.map_err(|error| error.to_string())?;
        return match models.iter().any(|known| known == model) {
            true => Ok(format!("{} serves {model}", server.base_url)),
            false => Err(format!("{} does not serve {model}; it has {}", server.base_url, models.join(", "))),
        };
    }
    if let Some(program) = engines::program(name) {
        return program.available().map(|()| "is installed".to_owned()).map_err(|error| error.to_string());
    }
    let alone = tryout::alone(name, place, config);
    Engines::load(&alone, &Clock::system()).await.map(|_| "loads".to_owned()).map_err(|error| error.to_string())
}

#[derive(Default)]
struct Report {
    json: bool,
    checks: Vec<serde_json::Value>,
    wanting: Vec<String>,
}

impl Report {
    fn tell(&mut self, name: &str, found: Result<String, String>) {
        let (ok, told) = match found {
            Ok(good) => (true, good),
            Err(bad) => (false, bad),
        };
        if self.json {
            self.checks.push(json!({"name": name, "ok": ok, "detail": told}));
        } else {
            println!("{} {name}: {told}", if ok { "ok     " } else { "WANTING" });
        }
        if !ok {
            self.wanting.push(name.to_owned());
        }
    }

    fn finish(self) -> Result<(), Failure> {
        if self.json {
            println!("{}", json!({"ok": self.wanting.is_empty(), "checks": self.checks}));
        }
        match self.wanting.is_empty() {
            true => Ok(()),
            false => Err(Failure::Wanting(format!("wanting: {}", self.wanting.join(", ")))),
        }
    }
}
