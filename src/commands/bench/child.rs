//! A process under measurement: the relay itself, or the reference, started from this very executable.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use providers::Secret;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::usage::Usage;
use crate::commands::Failure;

/// A running child. It ends when this is dropped.
pub(super) struct Process {
    child: Child,
    /// Where it serves.
    pub(super) url: String,
    /// What opens it.
    pub(super) key: Secret,
    /// Its files, removed with it.
    _folder: Folder,
}

/// Which engines a relay is started with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Engines<'a> {
    /// Deterministic ones that take no time.
    Scripted,
    /// The real ones, with their model files from this folder.
    Embedded(&'a Path),
}

/// How long a child may take until it serves: the embedded models take seconds to load.
const PATIENCE: Duration = Duration::from_secs(60);

impl Process {
    /// Starts a relay with its own empty data and with nothing of the user's configuration.
    pub(super) async fn relay(engines: Engines<'_>) -> Result<Self, Failure> {
        let folder = Folder::new()?;
        let file = folder.0.join("config.toml");
        std::fs::write(&file, configuration(engines)).map_err(told)?;
        let key = format!("bench-{}", uuid::Uuid::now_v7().simple());
        let mut command = command()?;
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).arg("--config").arg(&file);
        command.arg("--data-dir").arg(folder.0.join("data")).env("VOICE_RELAY_ADMIN_KEY", &key);
        Self::start(command, key.into(), folder).await
    }

    /// Starts the reference.
    pub(super) async fn reference() -> Result<Self, Failure> {
        let mut command = command()?;
        command.args(["bench", "echo"]);
        Self::start(command, String::new().into(), Folder::new()?).await
    }

    async fn start(mut command: Command, key: Secret, folder: Folder) -> Result<Self, Failure> {
        let log = folder.0.join("log");
        command.stderr(std::fs::File::create(&log).map_err(told)?);
        let mut child = command.spawn().map_err(told)?;
        let Some(output) = child.stdout.take() else { return Err(Failure::Other("the child has no output".into())) };
        let mut lines = BufReader::new(output).lines();
        let served = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, url)) = line.split_once(" serves on ") {
                    return Some(url.trim().to_owned());
                }
            }
            None
        };
        let Ok(Some(url)) = tokio::time::timeout(PATIENCE, served).await else {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(Failure::Other(format!("the process to measure does not serve: {}", log.trim())));
        };
        // Nobody reads the rest, but a full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url, key, _folder: folder })
    }

    /// What it takes now.
    pub(super) fn usage(&self) -> Option<Usage> {
        Usage::of(self.child.id()?)
    }
}

/// This executable, untouched by the user's environment, dying with us.
fn command() -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe().map_err(told)?);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VOICE_RELAY")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

/// Room for the sessions of one principal, and the engines.
fn configuration(engines: Engines<'_>) -> String {
    const LIMITS: &str = "[realtime]\nsessions = 10000\nsessions_per_principal = 10000\n";
    match engines {
        Engines::Scripted => format!(
            // What sounds like a hum is given no longer than words: the machine is measured here, not the voices.
            "{LIMITS}backchannel_ms = 160\n[providers]\nstt = [\"scripted/stt\"]\nllm = [\"scripted/llm\"]\ntts = [\"scripted/tts\"]\n\
             turn = \"\"\n"
        ),
        Engines::Embedded(models) => {
            let models = toml::Value::String(models.display().to_string());
            // Whatever keys the environment has.
            format!(
                "{LIMITS}[providers]\nstt = [\"local/whisper-base\"]\nllm = [\"local/agent\"]\ntts = [\"local/hibari\"]\n\
                 turn = \"local/smart-turn\"\n[models]\ndir = {models}\n"
            )
        }
    }
}

/// A folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("voice-relay-bench-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir(&path).map_err(told)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind in the folder for temporary files at worst.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn told(error: std::io::Error) -> Failure {
    Failure::Other(format!("the process to measure cannot be started: {error}"))
}
