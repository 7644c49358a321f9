//! `voice-relay extract-file`: the process in which an uploaded file is read. Not for people: [`Sandbox`] starts it.
//!
//! [`Sandbox`]: crate::documents::extract::sandbox::Sandbox

use std::{io::stdout, path::PathBuf, process::ExitCode};

use clap::Args;

use crate::documents::{
    extract::{Failed, Limits, confine, extract, sandbox::Verdict},
    kind::{Kind, UnknownKind},
};

#[derive(Args)]
pub(super) struct Arguments {
    /// What kind of file it is
    #[arg(value_parser = |name: &str| -> Result<Kind, UnknownKind> { name.parse() })]
    kind: Kind,
    /// Limits, as JSON
    #[arg(value_parser = |json: &str| serde_json::from_str::<Limits>(json))]
    limits: Limits,
    /// The file
    path: PathBuf,
}

/// Reads the file within the limits and writes the verdict as JSON. The exit code tells whether that could be written.
pub(super) fn run(Arguments { kind, limits, path }: &Arguments) -> ExitCode {
    let verdict = match confine::apply(limits) {
        Ok(()) => extract(path, *kind, limits).map_or_else(Verdict::Failed, Verdict::Extracted),
        Err(error) => Verdict::Failed(Failed::Unavailable(format!("the limits cannot be set: {error}"))),
    };
    match serde_json::to_writer(stdout().lock(), &verdict) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
