//! Logs: sentences with fields, for people or as JSON, on standard error.

use std::io::IsTerminal;

use serde::{Deserialize, Serialize};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter,
    filter::{LevelFilter, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// `[log]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,voice_relay::realtime=debug`.
    pub level: String,
    /// For people or for machines.
    pub format: Format,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Lines for people.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self { level: "info".into(), format: Format::Pretty }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        const ALLOWED: &str = "must be error, warn, info, debug, trace or a filter such as info,voice_relay=debug";
        let parts = self.level.split(',').map(str::trim);
        let plain = |part: &str| part.contains(['=', '[']) || part.parse::<LevelFilter>().is_ok();
        if parts.clone().all(plain) && EnvFilter::try_new(&self.level).is_ok() {
            return Vec::new();
        }
        vec![("level", ALLOWED.into())]
    }
}

/// Starts logging; a second call changes nothing.
pub fn start(config: &Config) {
    // The file decoder calls every damaged upload an error of its own; what matters of it reaches the client.
    let level = format!("{},symphonia=off", config.level);
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let _already_set = match config.format {
        Format::Pretty => builder.finish().with(filter_fn(may_be_told)).try_init(),
        Format::Json => builder.json().flatten_event(true).finish().with(filter_fn(may_be_told)).try_init(),
    };
}

/// Whatever the level asks for, what goes over a WebSocket is never logged as it is written: keys are in handshakes, and what
/// is confidential is in frames.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    *metadata.level() != Level::TRACE || !metadata.target().starts_with("tungstenite")
}
