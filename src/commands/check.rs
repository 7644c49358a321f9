//! `voice-relay check`: whether the relay would start, and whether its engines would answer.

use std::time::Duration;

use clap::Args;
use providers::openai;

use super::Failure;
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
}

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(arguments: Arguments, config: &Config) -> Result<(), Failure> {
    let mut report = Report::default();
    report.tell("configuration", Ok("no mistakes".into()));
    if arguments.provider.is_none() {
        let database = app::open(config).await.map(|_| format!("in {}", config.server.data_dir.display()));
        report.tell("database", database.map_err(|error| error.to_string()));
    }
    for name in named(config, arguments.provider.as_deref())? {
        let found = look(&name, config).await;
        report.tell(&name, found);
    }
    report.finish()
}

/// The engines to look at, each once.
fn named(config: &Config, only: Option<&str>) -> Result<Vec<String>, Failure> {
    let chains = &config.providers;
    let all = [&chains.stt, &chains.llm, &chains.tts].into_iter().flatten().chain([&chains.turn]);
    let names: Vec<String> = all.filter(|name| !name.is_empty()).cloned().collect();
    match only {
        None => Ok(names),
        Some(name) if names.iter().any(|known| known == name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(Failure::Other(format!("`{name}` is not configured; there is: {}", names.join(", ")))),
    }
}

async fn look(name: &str, config: &Config) -> Result<String, String> {
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
    let mut alone = config.clone();
    let role = |chain: &Vec<String>| chain.iter().any(|known| known == name);
    let (stt, llm, tts) = (role(&config.providers.stt), role(&config.providers.llm), role(&config.providers.tts));
    let one = |mine: bool, stand_in: &str| vec![if mine { name.to_owned() } else { stand_in.to_owned() }];
    alone.providers.stt = one(stt, "scripted/stt");
    alone.providers.llm = one(llm, "scripted/llm");
    alone.providers.tts = one(tts, "scripted/tts");
    alone.routes.clear();
    alone.offered = engines::Offered::default();
    alone.providers.realtime.clear();
    if stt || llm || tts {
        alone.providers.turn.clear();
    }
    Engines::load(&alone, &Clock::system()).await.map(|_| "loads".to_owned()).map_err(|error| error.to_string())
}

#[derive(Default)]
struct Report {
    wanting: Vec<String>,
}

impl Report {
    fn tell(&mut self, name: &str, found: Result<String, String>) {
        match found {
            Ok(good) => println!("ok      {name}: {good}"),
            Err(bad) => {
                println!("WANTING {name}: {bad}");
                self.wanting.push(name.to_owned());
            }
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self.wanting.is_empty() {
            true => Ok(()),
            false => Err(Failure::Wanting(format!("wanting: {}", self.wanting.join(", ")))),
        }
    }
}
