//! What can be typed: one file a command, and what an exit code means.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Environment, Flags, Problems};

mod talk;

/// A self-hosted realtime voice relay: speech in, speech out, interruptible.
#[derive(Parser)]
#[command(name = "voice-relay", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    flags: GlobalFlags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct GlobalFlags {
    /// Configuration file [default: voice-relay/config.toml in the XDG config dir]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on, or to find the relay at
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Where database, keys and models are
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Speak a recording to a relay in real time and hear the answer
    Talk(talk::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  voice-relay serve                                  start the relay on 127.0.0.1:8080
  voice-relay talk samples/question.wav --out reply.wav
                                                     ask a recorded question, hear the answer, see the latencies
  voice-relay models install                         fetch and check the embedded speech models
  voice-relay keys create --name phone --scope realtime
                                                     make an API key for a client
  voice-relay check                                  tell every configuration mistake and what is missing

Every setting: config.example.toml. Environment VOICE_RELAY__SECTION__KEY overrides the file, flags override both.";

/// Why a command failed, and so with which exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// 3: the configuration has mistakes.
    #[error("{0}")]
    Config(#[from] Problems),
    /// 1: anything else that was told in a sentence.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Other(_) => 1,
            Self::Config(_) => 3,
        }
    }
}

/// Runs the command and says in one sentence what failed.
pub async fn run(cli: Cli) -> ExitCode {
    match dispatch(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("voice-relay: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let flags = Flags { config: cli.flags.config, listen: cli.flags.listen, data_dir: cli.flags.data_dir };
    let config = Config::load(&flags, &Environment)?;
    match cli.command {
        Command::Talk(arguments) => talk::run(arguments, &config).await,
    }
}
