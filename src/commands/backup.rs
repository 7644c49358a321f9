//! `voice-relay backup`: a copy of the database as it stands at one moment, beside a running relay.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::{app, config::Config};

#[derive(Args)]
pub(super) struct Arguments {
    /// The file to write; it must not exist
    file: PathBuf,
}

pub(super) async fn run(arguments: Arguments, config: &Config) -> Result<(), Failure> {
    let db = app::open(config).await?;
    let file = arguments.file;
    let failed = |error: &dyn std::error::Error| Failure::Other(format!("{}: {error}", file.display()));
    let bytes = db.backup(&file).await.map_err(|error| failed(&error))?;
    println!("{} ({bytes} bytes)", file.display());
    Ok(())
}
